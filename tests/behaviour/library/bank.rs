//! A story's world: the ledger in one process of the service or several, and the database as others see it.

use std::ops::Deref;
use std::sync::Arc;
use std::time::Duration;

use cache_runtime::{
    Builder, Cache, CommitError, MemoryStore, RedisStore, Schema, Store, Transaction,
};
use ledger::{Account, Base, Note, Owner, SCHEMA};
use sqlx::Pool;
use tokio::task::JoinHandle;

use crate::harness::events::Events;
use crate::harness::mutant::Mutated;
use crate::harness::setup::OwnRedis;
use crate::harness::sql::Sql;
use crate::harness::{Mutant, Seen};

/// One process of the service.
pub struct Branch<DB: Base> {
    pub cache: Cache<Pool<DB>>,
    pub events: Arc<Events>,
    relays: bool,
}

/// Its main [`Branch`], and everything else that a story needs.
pub struct Bank<DB: Base>(Arc<Inner<DB>>);

struct Inner<DB: Base> {
    branch: Branch<DB>,
    pool: Pool<DB>,
    url: String,
    sql: Sql,
    redis: Option<OwnRedis>,
}

// Derived, they would want the database itself to be `Clone`.
impl<DB: Base> Clone for Branch<DB> {
    fn clone(&self) -> Self {
        Self {
            cache: self.cache.clone(),
            events: Arc::clone(&self.events),
            relays: self.relays,
        }
    }
}

impl<DB: Base> Clone for Bank<DB> {
    fn clone(&self) -> Self {
        Self(Arc::clone(&self.0))
    }
}

impl<DB: Base> Deref for Bank<DB> {
    type Target = Branch<DB>;

    fn deref(&self) -> &Branch<DB> {
        &self.0.branch
    }
}

/// `cache.toml`, but that its relay looks more often: what comes of one beside the rest, comes sooner.
pub static BUSY: Schema = Schema {
    poll: Duration::from_millis(100),
    ..SCHEMA
};

/// Likewise, and but for how long a commit may take.
pub fn schema_with(max_commit: Duration) -> &'static Schema {
    Box::leak(Box::new(Schema { max_commit, ..BUSY }))
}

impl<DB: Base> Branch<DB> {
    /// `relays` is what the builder was told.
    pub async fn open(builder: Builder<Pool<DB>>, store: impl Store, relays: bool) -> Self {
        let events = Arc::new(Events::default());
        let observer = Arc::clone(&events);
        let cache = builder
            .store(store)
            .on_event(move |event| observer.record(event))
            .build()
            .await
            .unwrap_or_else(|error| panic!("{error}"));
        Self {
            cache,
            events,
            relays,
        }
    }

    /// Waits until the relay has found nothing: whatever it delivered of what is committed is over.
    pub async fn settled(&self) {
        if self.relays {
            self.events.idle(1).await;
        }
    }

    pub async fn account(&self, id: &str) -> Option<Arc<Account>> {
        let account = Account::get(&self.cache, id.to_owned()).await;
        account.unwrap_or_else(|error| panic!("account {id:?}: {error}"))
    }

    pub async fn owner(&self, id: i64) -> Option<Arc<Owner>> {
        let owner = Owner::get(&self.cache, id).await;
        owner.unwrap_or_else(|error| panic!("owner {id}: {error}"))
    }

    pub async fn note(&self, id: &str) -> Option<Arc<Note>> {
        let note = Note::get(&self.cache, id.to_owned()).await;
        note.unwrap_or_else(|error| panic!("note {id:?}: {error}"))
    }

    pub async fn text(&self, note: &str) -> Option<String> {
        Some(self.note(note).await?.text.clone())
    }

    pub async fn begin(&self) -> Transaction<DB> {
        self.cache.begin().await.expect("a transaction")
    }

    /// A write through the cache.
    pub async fn write(&self, sql: &str) -> Result<(), sqlx::Error> {
        let mut tx = self.begin().await;
        DB::run(&mut tx, sql, Vec::new()).await?;
        Ok(tx.commit().await?)
    }

    /// A write through the cache whose commit fails.
    pub async fn refused(&self, sql: &str) -> CommitError {
        let mut tx = self.begin().await;
        let run = DB::run(&mut tx, sql, Vec::new()).await;
        run.expect("it fails at the commit");
        tx.commit().await.expect_err("not committed")
    }

    pub fn write_meanwhile(&self, sql: &str) -> JoinHandle<Result<(), sqlx::Error>> {
        let (branch, sql) = (self.clone(), sql.to_owned());
        tokio::spawn(async move { branch.write(&sql).await })
    }

    /// How often a value under this key was offered to the store, and taken or not.
    pub fn fills(&self, key: &str, stored: bool) -> usize {
        let fill = Seen::Filled(key.to_owned(), stored);
        self.events.count(|seen| *seen == fill)
    }

    pub fn hits(&self, key: &str) -> usize {
        let hit = Seen::Hit(key.to_owned());
        self.events.count(|seen| *seen == hit)
    }
}

impl<DB: Base> Bank<DB> {
    /// One owner with one account, which has one entry; and a note.
    pub async fn new(
        url: String,
        redis: Option<OwnRedis>,
        mutant: Option<Mutant>,
        relay: bool,
    ) -> Self {
        let pool = DB::pool(&url, 12);
        DB::set_up(&pool).await.expect("tables and triggers");
        let sql = Sql::connect(&url).await;
        sql.run(
            "INSERT INTO owner (id, version) VALUES (1, 0);
             INSERT INTO account (id, owner_id, version) VALUES ('a', 1, 0);
             INSERT INTO entry (id, account_id, amount) VALUES (1, 'a', 0);
             INSERT INTO note (id, slug, text) VALUES ('n', 'slug', 'old');
             DELETE FROM cache_outbox",
        )
        .await;
        if let Some(redis) = &redis {
            // In a new epoch nothing strict is stored for `max-commit`: this one begins with a short one.
            let quick = schema_with(Duration::from_millis(1));
            let store = RedisStore::new(&redis.url(), quick).expect("a URL");
            Branch::open(builder(&pool, quick), store, true).await;
        }
        let how = |builder| builder;
        let branch = serve(&pool, redis.as_ref(), mutant, &BUSY, relay, how).await;
        Self(Arc::new(Inner {
            branch,
            pool,
            url,
            sql,
            redis,
        }))
    }

    /// Another process of the service: on the same database, and the same Redis or a memory of its own.
    pub async fn branch(&self) -> Branch<DB> {
        self.branch_with(&BUSY, |builder| builder).await
    }

    pub async fn branch_with(
        &self,
        schema: &'static Schema,
        how: impl FnOnce(Builder<Pool<DB>>) -> Builder<Pool<DB>>,
    ) -> Branch<DB> {
        self.branch_on(self.pool(), schema, how).await
    }

    /// A process with connections of its own.
    pub async fn branch_on(
        &self,
        pool: &Pool<DB>,
        schema: &'static Schema,
        how: impl FnOnce(Builder<Pool<DB>>) -> Builder<Pool<DB>>,
    ) -> Branch<DB> {
        let redis = self.0.redis.as_ref();
        serve(pool, redis, None, schema, self.0.branch.relays, how).await
    }

    /// Everyone whose reads are linearizable with the writes of the main branch: those who share its store.
    pub async fn readers(&self) -> Vec<Branch<DB>> {
        let mut readers = vec![(**self).clone()];
        if self.0.redis.is_some() {
            readers.push(self.branch().await);
        }
        readers
    }

    pub fn pool(&self) -> &Pool<DB> {
        &self.0.pool
    }

    pub fn url(&self) -> &str {
        &self.0.url
    }

    /// Whether its processes relay, unless told not to.
    pub fn relays(&self) -> bool {
        self.0.branch.relays
    }

    pub fn is_postgres(&self) -> bool {
        self.0.sql.is_postgres()
    }

    pub fn has_redis(&self) -> bool {
        self.0.redis.is_some()
    }

    pub fn redis(&self) -> &OwnRedis {
        self.0.redis.as_ref().expect("a set-up with Redis")
    }

    /// Runs plain SQL on a connection that knows nothing of the cache.
    pub async fn sql(&self, sql: impl Into<String>) {
        self.0.sql.run(sql).await;
    }

    /// The one number that this SQL answers.
    pub async fn number(&self, sql: impl Into<String>) -> i64 {
        self.0.sql.number(sql).await
    }

    pub async fn outbox_rows(&self) -> i64 {
        self.number("SELECT count(*) FROM cache_outbox").await
    }

    /// The tags in the outbox after this row, each once and in order.
    pub async fn tags_after(&self, row: i64) -> Vec<String> {
        let sql = format!("SELECT tag, '' FROM cache_outbox WHERE id > {row}");
        let rows = self.pairs(&sql).await;
        let mut tags: Vec<String> = rows.into_iter().map(|(tag, _)| tag).collect();
        tags.sort_unstable();
        tags.dedup();
        tags
    }

    /// The rows of two text columns.
    pub async fn pairs(&self, sql: &str) -> Vec<(String, String)> {
        self.0.sql.pairs(sql).await
    }

    pub async fn last_outbox_row(&self) -> i64 {
        self.number("SELECT coalesce(max(id), 0) FROM cache_outbox")
            .await
    }

    /// Delivers everything that waits in the outbox, and waits until the relay is not about to do so once more.
    pub async fn deliver_pending(&self) {
        let drained = self.cache.deliver_pending().await;
        drained.unwrap_or_else(|error| panic!("drain: {error}"));
        self.settled().await;
    }
}

fn builder<DB: Base>(pool: &Pool<DB>, schema: &'static Schema) -> Builder<Pool<DB>> {
    Cache::builder(pool.clone(), schema)
}

async fn serve<DB: Base>(
    pool: &Pool<DB>,
    redis: Option<&OwnRedis>,
    mutant: Option<Mutant>,
    schema: &'static Schema,
    relays: bool,
    how: impl FnOnce(Builder<Pool<DB>>) -> Builder<Pool<DB>>,
) -> Branch<DB> {
    let builder = how(builder(pool, schema).relay(relays));
    match redis {
        None => open(builder, MemoryStore::new(schema), mutant, relays).await,
        Some(redis) => {
            let store = RedisStore::new(&redis.url(), schema).expect("a URL");
            open(builder, store, mutant, relays).await
        }
    }
}

async fn open<DB: Base>(
    builder: Builder<Pool<DB>>,
    store: impl Store,
    mutant: Option<Mutant>,
    relays: bool,
) -> Branch<DB> {
    match mutant {
        None => Branch::open(builder, store, relays).await,
        Some(mutant) => Branch::open(builder, Mutated { store, mutant }, relays).await,
    }
}

/// A text in SQL.
pub fn quoted(text: &str) -> String {
    format!("'{}'", text.replace('\'', "''"))
}
