//! A story's world: the app, the database behind it as others see it, the entries in Redis.

use std::ops::Deref;
use std::sync::Arc;

use cache_runtime::{Builder, Cache, MemoryStore};
use example_app::{Db, SCHEMA};
use serde_json::Value;

use super::Redis;
use super::app::App;
use super::http::Answer;
use super::serve::serve;
use super::setup::Tier;
use super::soon::{SOON, Soon};
use super::sql::{Sql, SqlTransaction, Transaction};
use super::story::Place;

/// Everything a story needs. It is its main [`App`] as well: `world.get("/plios/1")`.
#[derive(Clone)]
pub struct World(Arc<Inner>);

struct Inner {
    place: Place,
    app: App,
    db: Db,
    sql: Sql,
}

impl Deref for World {
    type Target = App;

    fn deref(&self) -> &App {
        &self.0.app
    }
}

impl World {
    pub async fn new(place: Place) -> Self {
        let url = &place.database_url;
        let sql = Sql::connect(url).await;
        let db = Db::connect(url).await.unwrap_or_else(|error| panic!("{url}: {error}"));
        let redis = place.redis_url();
        let app = serve(place.setup, &db, redis.as_deref(), place.mutant, |builder| builder).await;
        // Now, as a cache does not start in front of such a database.
        if let Some(mutant) = place.mutant {
            mutant.change_database(&sql).await;
        }
        Self(Arc::new(Inner { place, app, db, sql }))
    }

    /// A second process of the same service, as it were: the same database, the same Redis.
    pub async fn another_app(&self) -> App {
        assert!(self.has_redis(), "two processes share no memory");
        self.app_with(|builder| builder).await
    }

    /// A process of the service that is set up in another way, on the same database and the same
    /// Redis: `|builder| builder.near(false)`. It relays if the story does.
    pub async fn app_with(&self, how: impl FnOnce(Builder<Db>) -> Builder<Db>) -> App {
        let redis = self.0.place.redis_url();
        serve(self.0.place.setup, &self.0.db, redis.as_deref(), None, how).await
    }

    /// Likewise one that reaches Redis at this address.
    pub async fn app_at(&self, redis: &str, how: impl FnOnce(Builder<Db>) -> Builder<Db>) -> App {
        serve(self.0.place.setup, &self.0.db, Some(redis), None, how).await
    }

    /// A process of the service as it runs in production: it relays, whether the story's own does
    /// or not, and looks as often as `cache.toml` says.
    pub async fn relaying_app(&self) -> App {
        let near = self.0.place.setup.near;
        let how = |_| example_app::cache_builder(self.0.db.clone()).near(near);
        let app = self.app_with(how).await;
        match self.has_redis() {
            true => app.relaying(),
            false => app.hearing_of_others(),
        }
    }

    pub fn database_url(&self) -> &str {
        &self.0.place.database_url
    }

    pub fn redis_url(&self) -> String {
        self.0.place.redis_url().expect("a set-up with Redis")
    }

    pub fn db(&self) -> &Db {
        &self.0.db
    }

    pub fn has_redis(&self) -> bool {
        self.0.place.setup.tier == Tier::Redis
    }

    /// Whether its processes relay, unless told not to.
    pub fn relays(&self) -> bool {
        self.0.place.setup.relay
    }

    pub fn has_near(&self) -> bool {
        self.0.place.setup.near
    }

    pub fn is_postgres(&self) -> bool {
        self.0.sql.is_postgres()
    }

    // The database, as `psql` sees it.

    /// Runs plain SQL on a connection that knows nothing of the cache.
    pub async fn sql(&self, sql: impl Into<String>) {
        self.0.sql.run(sql).await;
    }

    /// The one number that this SQL answers.
    pub async fn number(&self, sql: impl Into<String>) -> i64 {
        self.0.sql.number(sql).await
    }

    pub async fn numbers(&self, sql: impl Into<String>) -> Vec<i64> {
        self.0.sql.numbers(sql).await
    }

    /// A transaction that the cache knows nothing of.
    pub async fn begin_elsewhere(&self) -> SqlTransaction {
        self.0.sql.begin().await
    }

    /// A transaction of the cache, as handlers begin it.
    pub async fn begin(&self) -> Transaction {
        match &self.0.db {
            Db::Sqlite(pool) => {
                Transaction::Sqlite(self.cache.begin_on(pool).await.expect("a transaction"))
            }
            Db::Postgres(pool) => {
                Transaction::Postgres(self.cache.begin_on(pool).await.expect("a transaction"))
            }
        }
    }

    /// The rows of the outbox, delivered or not.
    pub async fn outbox_rows(&self) -> i64 {
        self.number(format!("SELECT count(*) FROM {}", SCHEMA.outbox)).await
    }

    /// The rows of the outbox that wait to be delivered.
    pub async fn waiting_rows(&self) -> i64 {
        self.number(format!("SELECT count(*) FROM {} WHERE delivered_at IS NULL", SCHEMA.outbox))
            .await
    }

    // The truth.

    /// What an app with a cache that knows nothing yet answers: the database, in the API's words.
    pub async fn truth(&self, path: &str) -> Answer {
        // Without an outbox, so that it takes no rows from the app of the story.
        let builder = Cache::builder(self.0.db.clone(), &SCHEMA).without_outbox();
        let cold = App::serve(builder.store(MemoryStore::new(&SCHEMA))).await;
        cold.get(path).await
    }

    /// Reads through the cache, and holds the answer against the database.
    pub async fn right(&self, path: &str) -> Answer {
        self.right_from(self, path).await
    }

    /// Likewise, asking this app.
    pub async fn right_from(&self, app: &App, path: &str) -> Answer {
        let (answer, truth) = (app.get(path).await, self.truth(path).await);
        let same = answer.status == truth.status && answer.body == truth.body;
        assert!(
            same,
            "wrong answer: {} answers {}; right is {}; {} ({})",
            answer.what,
            answer.status,
            truth.status,
            difference(&answer.body, &truth.body, ""),
            answer.cache_status.as_deref().unwrap_or("no Cache-Status")
        );
        answer
    }

    /// Once more what was read before: it is stored, and right. A relay may have read
    /// the rows of a commit before they were marked, and then removes once more what is
    /// stored: not before that is over is anything kept.
    pub async fn kept(&self, path: &str) -> Answer {
        self.kept_from(self, path).await
    }

    /// Likewise, asking this app.
    pub async fn kept_from(&self, app: &App, path: &str) -> Answer {
        if self.relays() {
            app.settled().await;
            app.get(path).await;
        }
        self.right_from(app, path).await.hit()
    }

    /// Reads until the answer is the database's, for writes that nobody waits for.
    pub async fn becomes_right(&self, path: &str) {
        let soon = Soon::within(SOON);
        while self.get(path).await.body != self.truth(path).await.body {
            if soon.is_over() {
                self.right(path).await;
            }
        }
    }

    // The entries.

    /// Stops, freezes and kills the story's own Redis.
    pub fn redis(&self) -> &Redis {
        self.0.place.redis.as_ref().expect("a set-up with Redis").server()
    }

    /// The bytes under a key in Redis.
    pub async fn entry(&self, key: &str) -> Option<Vec<u8>> {
        let mut connection = self.redis_connection().await;
        redis::cmd("GET")
            .arg(key)
            .query_async(&mut connection)
            .await
            .unwrap_or_else(|error| panic!("GET {key}: {error}"))
    }

    /// In Redis the key exists. (In memory, that the next read hits says it.)
    pub async fn entry_exists(&self, key: &str) {
        if self.has_redis() {
            assert!(self.entry(key).await.is_some(), "EXISTS {key} answers 0");
        }
    }

    /// In Redis the key does not exist. (In memory, that the next read misses says it.)
    pub async fn entry_is_gone(&self, key: &str) {
        if self.has_redis() {
            let entry = self.entry(key).await;
            assert!(
                entry.is_none(),
                "wrong answer: EXISTS {key} answers 1, with {}",
                shown(&entry)
            );
        }
    }

    /// In Redis the key does not exist, or holds this text.
    pub async fn entry_is_gone_or_says(&self, key: &str, fresh: &str) {
        if self.has_redis() {
            let entry = self.entry(key).await;
            assert!(
                entry.is_none() || shown(&entry).contains(fresh),
                "wrong answer: {key} holds {}; right is {fresh:?} or nothing",
                shown(&entry)
            );
        }
    }

    async fn redis_connection(&self) -> redis::aio::MultiplexedConnection {
        let url = self.redis_url();
        let client = redis::Client::open(url.as_str()).expect("an address");
        client
            .get_multiplexed_async_connection()
            .await
            .unwrap_or_else(|error| panic!("{url}: {error}"))
    }

    /// Puts bytes under a key behind the app's back.
    pub async fn set_entry(&self, key: &str, bytes: &[u8]) {
        let mut command = redis::cmd("SET");
        self.answer(command.arg(key).arg(bytes)).await;
    }

    /// All keys of the story's Redis database, in order.
    pub async fn redis_keys(&self) -> Vec<String> {
        let answer = self.answer(redis::cmd("KEYS").arg("*")).await;
        let mut keys: Vec<String> = redis::from_redis_value(answer).expect("a list of keys");
        keys.sort_unstable();
        keys
    }

    /// Sends Redis a command behind the app's back; what it says to it.
    pub async fn redis_command(&self, words: &str) -> String {
        let mut words = words.split(' ');
        let mut command = redis::cmd(words.next().unwrap_or_default());
        for word in words {
            command.arg(word);
        }
        format!("{:?}", self.answer(&command).await)
    }

    /// Those that are subscribed to something as well.
    pub async fn cut_redis_connections(&self) {
        for clients in ["normal", "pubsub"] {
            let kill = format!("CLIENT KILL TYPE {clients} SKIPME yes");
            self.redis_command(&kill).await;
        }
    }

    async fn answer(&self, command: &redis::Cmd) -> redis::Value {
        let mut connection = self.redis_connection().await;
        let answer = command.query_async(&mut connection).await;
        answer.unwrap_or_else(|error| panic!("Redis refuses a command: {error}"))
    }
}

/// The text in an entry, without the bytes of its header.
fn shown(entry: &Option<Vec<u8>>) -> String {
    let Some(bytes) = entry else {
        return "nothing".to_owned();
    };
    let text = bytes.iter().position(|byte| *byte == b'{').unwrap_or(0);
    String::from_utf8_lossy(&bytes[text..]).into_owned()
}

/// Where two JSON values first differ.
fn difference(said: &Value, right: &Value, pointer: &str) -> String {
    let members: Vec<String> = match (said, right) {
        (Value::Object(said), Value::Object(right)) if said.keys().eq(right.keys()) => {
            said.keys().cloned().collect()
        }
        (Value::Array(said), Value::Array(right)) if said.len() == right.len() => {
            (0..said.len()).map(|index| index.to_string()).collect()
        }
        _ => return format!("it says {said} at {pointer:?}; right is {right}"),
    };
    for member in members {
        let member = format!("/{member}");
        if let (Some(said), Some(right)) = (said.pointer(&member), right.pointer(&member))
            && said != right
        {
            return difference(said, right, &format!("{pointer}{member}"));
        }
    }
    "they say the same".to_owned()
}

/// A JSON object or list without the members that differ from copy to copy, at any depth.
pub fn without(value: &Value, members: &[&str]) -> Value {
    match value {
        Value::Object(object) => {
            let kept = object.iter().filter(|(name, _)| !members.contains(&name.as_str()));
            Value::Object(
                kept.map(|(name, value)| (name.clone(), without(value, members))).collect(),
            )
        }
        Value::Array(list) => {
            Value::Array(list.iter().map(|value| without(value, members)).collect())
        }
        other => other.clone(),
    }
}
