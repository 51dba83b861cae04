//! What the service does on either database.

use std::time::Duration;

use cache_runtime::OutboxDatabase;
use chrono::{DateTime, NaiveDate, Utc};
use sqlx::postgres::{PgConnectOptions, PgPoolOptions, PgRow};
use sqlx::sqlite::{SqliteConnectOptions, SqliteJournalMode, SqlitePoolOptions, SqliteRow};
use sqlx::{AssertSqlSafe, FromRow, Pool, Postgres, Sqlite};
use uuid::Uuid;

use crate::{Kind, SCHEMA, hall};

/// How long one waits for a connection.
const PATIENCE: Duration = Duration::from_secs(15);

/// The reference is checked at COMMIT, so that there are commits that fail.
const TABLES: &str = "
CREATE TABLE owner (id BIGINT PRIMARY KEY, version BIGINT NOT NULL);
CREATE TABLE account (id TEXT PRIMARY KEY NOT NULL, version BIGINT NOT NULL,
  owner_id BIGINT REFERENCES owner (id) DEFERRABLE INITIALLY DEFERRED);
CREATE TABLE entry (id BIGINT PRIMARY KEY, account_id TEXT, amount BIGINT NOT NULL);
CREATE TABLE note (id TEXT PRIMARY KEY NOT NULL, slug TEXT UNIQUE, text TEXT NOT NULL,
  views BIGINT NOT NULL DEFAULT 0);
CREATE TABLE seat (tenant TEXT NOT NULL, id BIGINT NOT NULL, text TEXT NOT NULL, PRIMARY KEY (tenant, id));
CREATE TABLE page (id BIGINT PRIMARY KEY, text TEXT NOT NULL);
CREATE TABLE rate (id BIGINT PRIMARY KEY, text TEXT NOT NULL);
CREATE TABLE quote (id BIGINT PRIMARY KEY, text TEXT NOT NULL);
CREATE TABLE digest (id BIGINT PRIMARY KEY, quote_id BIGINT);
CREATE TABLE fact (id BIGINT PRIMARY KEY, slug TEXT NOT NULL UNIQUE, text TEXT NOT NULL, weight DOUBLE PRECISION NOT NULL,
  views BIGINT NOT NULL DEFAULT 0);
CREATE TABLE report (id BIGINT PRIMARY KEY, fact_id BIGINT);
CREATE TABLE rumour (id BIGINT PRIMARY KEY, text TEXT NOT NULL);
CREATE TABLE room (id BIGINT PRIMARY KEY, name TEXT NOT NULL);
CREATE TABLE shelf (id BIGINT PRIMARY KEY, room_id BIGINT NOT NULL);
CREATE TABLE crowd (id BIGINT PRIMARY KEY);
CREATE TABLE member (id BIGINT PRIMARY KEY, crowd_id BIGINT NOT NULL, about TEXT NOT NULL);
CREATE TABLE badge (id BIGINT PRIMARY KEY, member_id BIGINT NOT NULL);
CREATE TABLE volume (id BIGINT PRIMARY KEY, shelf_id BIGINT NOT NULL, title TEXT NOT NULL);
CREATE TABLE sample (id BIGINT PRIMARY KEY, value TEXT);
";

/// What can be read from a row of either database.
pub trait Row: for<'r> FromRow<'r, SqliteRow> + for<'r> FromRow<'r, PgRow> + Send + Unpin {}

impl<T> Row for T where T: for<'r> FromRow<'r, SqliteRow> + for<'r> FromRow<'r, PgRow> + Send + Unpin
{}

/// What is bound to a statement.
#[derive(Clone, Debug)]
pub enum Value {
    /// A text.
    Text(String),
    /// A number.
    Number(i64),
    /// A UUID.
    Uuid(Uuid),
    /// A date.
    Date(NaiveDate),
    /// A moment.
    Moment(DateTime<Utc>),
    /// A flag.
    Flag(bool),
    /// An enum.
    Kind(Kind),
}

impl From<&String> for Value {
    fn from(text: &String) -> Value {
        Value::Text(text.clone())
    }
}

macro_rules! values {
    ($($variant:ident: $value:ty),*) => {$(
        impl From<$value> for Value {
            fn from(value: $value) -> Value {
                Value::$variant(value)
            }
        }
    )*};
}
values!(Number: i64, Uuid: Uuid, Date: NaiveDate, Moment: DateTime<Utc>, Flag: bool, Kind: Kind);

/// The query with the value.
macro_rules! bound {
    ($query:ident, $value:ident) => {
        match $value {
            Value::Text(text) => $query.bind(text),
            Value::Number(number) => $query.bind(number),
            Value::Uuid(uuid) => $query.bind(uuid),
            Value::Date(date) => $query.bind(date),
            Value::Moment(moment) => $query.bind(moment),
            Value::Flag(flag) => $query.bind(flag),
            Value::Kind(kind) => $query.bind(kind),
        }
    };
}

/// A database that the service runs on.
pub trait Base: OutboxDatabase {
    /// A pool of at most so many connections.
    fn pool(url: &str, connections: u32) -> Pool<Self>;

    /// Makes the tables, the outbox and the triggers.
    fn set_up(pool: &Pool<Self>) -> impl Future<Output = Result<(), sqlx::Error>> + Send;

    /// Brings the outbox and the triggers up to date.
    fn install(pool: &Pool<Self>) -> impl Future<Output = Result<(), sqlx::Error>> + Send;

    /// Takes both away again.
    fn uninstall(pool: &Pool<Self>) -> impl Future<Output = Result<(), sqlx::Error>> + Send;

    /// Takes the triggers away again, and leaves an outbox.
    fn take_triggers_away(
        pool: &Pool<Self>,
    ) -> impl Future<Output = Result<(), sqlx::Error>> + Send;

    /// The rows that a statement answers.
    fn select<T: Row>(
        connection: &mut Self::Connection,
        sql: &str,
        values: Vec<Value>,
    ) -> impl Future<Output = Result<Vec<T>, sqlx::Error>> + Send;

    /// Runs a statement.
    fn run(
        connection: &mut Self::Connection,
        sql: &str,
        values: Vec<Value>,
    ) -> impl Future<Output = Result<(), sqlx::Error>> + Send;
}

macro_rules! base {
    ($database:ty, $pool:ident, $halls:path) => {
        impl Base for $database {
            fn pool(url: &str, connections: u32) -> Pool<Self> {
                $pool(url, connections)
            }

            async fn set_up(pool: &Pool<Self>) -> Result<(), sqlx::Error> {
                sqlx::raw_sql(TABLES).execute(pool).await?;
                sqlx::raw_sql($halls).execute(pool).await?;
                SCHEMA.install(pool).await
            }

            async fn install(pool: &Pool<Self>) -> Result<(), sqlx::Error> {
                SCHEMA.install(pool).await
            }

            async fn uninstall(pool: &Pool<Self>) -> Result<(), sqlx::Error> {
                SCHEMA.uninstall(pool).await
            }

            async fn take_triggers_away(pool: &Pool<Self>) -> Result<(), sqlx::Error> {
                SCHEMA.uninstall(pool).await?;
                SCHEMA.install_outbox(pool).await
            }

            async fn select<T: Row>(
                connection: &mut Self::Connection,
                sql: &str,
                values: Vec<Value>,
            ) -> Result<Vec<T>, sqlx::Error> {
                let mut query = sqlx::query_as(AssertSqlSafe(sql));
                for value in values {
                    query = bound!(query, value);
                }
                query.fetch_all(connection).await
            }

            async fn run(
                connection: &mut Self::Connection,
                sql: &str,
                values: Vec<Value>,
            ) -> Result<(), sqlx::Error> {
                let mut query = sqlx::query(AssertSqlSafe(sql));
                for value in values {
                    query = bound!(query, value);
                }
                query.execute(connection).await.map(drop)
            }
        }
    };
}

base!(Sqlite, sqlite_pool, hall::ON_SQLITE);
base!(Postgres, postgres_pool, hall::ON_POSTGRES);

fn sqlite_pool(url: &str, connections: u32) -> Pool<Sqlite> {
    let options: SqliteConnectOptions = url.parse().expect("an address");
    let options = options
        .create_if_missing(true)
        .journal_mode(SqliteJournalMode::Wal)
        .foreign_keys(true)
        .pragma("recursive_triggers", "on")
        .busy_timeout(PATIENCE);
    SqlitePoolOptions::new()
        .max_connections(connections)
        .acquire_timeout(PATIENCE)
        .connect_lazy_with(options)
}

fn postgres_pool(url: &str, connections: u32) -> Pool<Postgres> {
    let options: PgConnectOptions = url.parse().expect("an address");
    PgPoolOptions::new()
        .max_connections(connections)
        .acquire_timeout(PATIENCE)
        .connect_lazy_with(options)
}
