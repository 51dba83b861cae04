//! A story's world: the ledger in one process of the service or
//! several, and the database as others see it.

use std::ops::Deref;
use std::sync::Arc;
use std::time::Duration;

use cache_runtime::{Builder, Cache, CommitError, Schema, Transaction};
use ledger::{Account, Base, Note, Owner, SCHEMA};
use sqlx::Pool;
use tokio::task::JoinHandle;

use crate::harness::events::Events;
use crate::harness::setup::{OwnRedis, POLL};
use crate::harness::sql::Sql;
use crate::harness::{Place, Seen, Without, observed, with_store};

/// `story!(a_story)`: the story of that name, which is generic over the database;
/// `story!(postgres: a_story)`: one that is told of this database alone.
macro_rules! story {
    ($name:ident) => {
        $crate::library::bank::story!(place, $name, {
            match place.setup.database {
                $crate::harness::setup::Database::Sqlite => {
                    $name($crate::library::bank::Bank::<sqlx::Sqlite>::new(place).await).await
                }
                $crate::harness::setup::Database::Postgres => {
                    $name($crate::library::bank::Bank::<sqlx::Postgres>::new(place).await).await
                }
            }
        })
    };
    (sqlite: $name:ident) => {
        $crate::library::bank::story!(place, $name, {
            $name($crate::library::bank::Bank::new(place).await).await
        })
        .on_sqlite()
    };
    (postgres: $name:ident) => {
        $crate::library::bank::story!(place, $name, {
            $name($crate::library::bank::Bank::new(place).await).await
        })
        .on_postgres()
    };
    ($place:ident, $name:ident, $told:block) => {
        $crate::harness::Story::new($crate::harness::Of::Library, stringify!($name), |$place| {
            Box::pin(async move { $told })
        })
    };
}
pub(crate) use story;

/// One process of the service.
pub struct Branch<DB: Base> {
    pub cache: Cache<Pool<DB>>,
    pub events: Arc<Events>,
    relays: bool,
}

/// Its main [`Branch`], and everything else that a story needs.
pub struct Bank<DB: Base>(Arc<Inner<DB>>);

struct Inner<DB: Base> {
    place: Place,
    branch: Branch<DB>,
    pool: Pool<DB>,
    sql: Sql,
}

// Derived, they would want the database itself to be `Clone`.
impl<DB: Base> Clone for Branch<DB> {
    fn clone(&self) -> Self {
        Self { cache: self.cache.clone(), events: Arc::clone(&self.events), relays: self.relays }
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

/// `cache.toml`, but that its relay looks more often.
pub static BUSY: Schema = Schema { poll: POLL, ..SCHEMA };

/// Likewise, and but for how long a commit may take.
pub fn schema_with(max_commit: Duration) -> &'static Schema {
    Box::leak(Box::new(Schema { max_commit, ..BUSY }))
}

impl<DB: Base> Branch<DB> {
    /// `relays` is what the builder was told.
    pub async fn open(builder: Builder<Pool<DB>>, relays: bool) -> Self {
        let (builder, events) = observed(builder);
        let cache = builder.build().await.unwrap_or_else(|error| panic!("{error}"));
        Self { cache, events, relays }
    }

    /// Waits until the relay has found nothing: whatever it delivered of what is committed is over.
    pub async fn settled(&self) {
        if self.relays {
            self.events.idle(1).await;
        }
    }

    pub async fn account(&self, id: &str) -> Option<Arc<Account>> {
        let account = Account::get(&self.cache, id).await;
        account.unwrap_or_else(|error| panic!("account {id:?}: {error}"))
    }

    pub async fn owner(&self, id: i64) -> Option<Arc<Owner>> {
        let owner = Owner::get(&self.cache, id).await;
        owner.unwrap_or_else(|error| panic!("owner {id}: {error}"))
    }

    pub async fn note(&self, id: &str) -> Option<Arc<Note>> {
        let note = Note::get(&self.cache, id).await;
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
        tx.commit().await?;
        Ok(())
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
    pub async fn new(place: Place) -> Self {
        let pool = DB::pool(&place.database_url, 12);
        DB::set_up(&pool).await.expect("tables and triggers");
        let sql = Sql::connect(&place.database_url).await;
        sql.run(
            "INSERT INTO owner (id, version) VALUES (1, 0);
             INSERT INTO account (id, owner_id, version) VALUES ('a', 1, 0);
             INSERT INTO entry (id, account_id, amount) VALUES (1, 'a', 0);
             INSERT INTO note (id, slug, text) VALUES ('n', 'slug', 'old');
             DELETE FROM cache_outbox",
        )
        .await;
        if let Some(redis) = place.redis_url() {
            // In a new epoch nothing strict is stored for
            // `max-commit`: this one begins with a short one.
            let quick = schema_with(Duration::from_millis(1));
            let builder = Cache::builder(pool.clone(), quick);
            Branch::open(with_store(builder, quick, Some(&redis), None), true).await;
        }
        let branch = serve(&pool, &place, place.mutant, &BUSY, |builder| builder).await;
        Self(Arc::new(Inner { place, branch, pool, sql }))
    }

    /// Another process of the service: on the same database, and
    /// the same Redis or a memory of its own.
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
        serve(pool, &self.0.place, None, schema, how).await
    }

    /// Everyone whose reads are linearizable with the writes of the
    /// main branch: those who share its store.
    pub async fn readers(&self) -> Vec<Branch<DB>> {
        let mut readers = vec![(**self).clone()];
        if self.has_redis() {
            readers.push(self.branch().await);
        }
        readers
    }

    pub fn pool(&self) -> &Pool<DB> {
        &self.0.pool
    }

    pub fn url(&self) -> &str {
        &self.0.place.database_url
    }

    /// Whether its processes relay, unless told not to.
    pub fn relays(&self) -> bool {
        self.0.place.setup.relay
    }

    pub fn is_postgres(&self) -> bool {
        self.0.sql.is_postgres()
    }

    pub fn has_redis(&self) -> bool {
        self.0.place.redis.is_some()
    }

    pub fn redis_url(&self) -> Option<String> {
        self.0.place.redis_url()
    }

    pub fn redis(&self) -> &OwnRedis {
        self.0.place.redis.as_ref().expect("a set-up with Redis")
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

    /// The tags in the outbox after this row, each once and in order; without the one for
    /// everything. No write reports that: the cache does, on its way back, whenever the relay
    /// happened to look while a story had its triggers off.
    pub async fn tags_after(&self, row: i64) -> Vec<String> {
        let sql = format!("SELECT tag, '' FROM cache_outbox WHERE id > {row} AND tag <> '*#*'");
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
        self.number("SELECT coalesce(max(id), 0) FROM cache_outbox").await
    }

    /// Delivers everything that waits in the outbox, and waits until
    /// the relay is not about to do so once more.
    pub async fn deliver_pending(&self) {
        let drained = self.cache.deliver_pending().await;
        drained.unwrap_or_else(|error| panic!("drain: {error}"));
        self.settled().await;
    }
}

async fn serve<DB: Base>(
    pool: &Pool<DB>,
    place: &Place,
    mutant: Option<Without>,
    schema: &'static Schema,
    how: impl FnOnce(Builder<Pool<DB>>) -> Builder<Pool<DB>>,
) -> Branch<DB> {
    let (relays, redis) = (place.setup.relay, place.redis_url());
    let builder = how(Cache::builder(pool.clone(), schema).relay(relays));
    Branch::open(with_store(builder, schema, redis.as_deref(), mutant), relays).await
}

/// A text in SQL.
pub fn quoted(text: &str) -> String {
    format!("'{}'", text.replace('\'', "''"))
}
