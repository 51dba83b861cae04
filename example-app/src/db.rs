//! The database: SQLite or PostgreSQL, one enum, the same SQL for both.

mod dialect;
mod tx;
mod unreadable;
mod value;

use std::str::FromStr;
use std::time::Duration;

use cache_runtime::{EitherPool, Source};
use sqlx::postgres::{PgConnectOptions, PgPoolOptions, PgRow};
use sqlx::sqlite::{SqliteConnectOptions, SqliteJournalMode, SqlitePoolOptions, SqliteRow};
use sqlx::{
    AssertSqlSafe, ConnectOptions, Connection, FromRow, PgPool, Postgres, Row as _, Sqlite,
    SqlitePool,
};

use self::dialect::Dialect;
pub(crate) use self::tx::Tx;
use self::unreadable::Unreadable;
pub(crate) use self::value::Value;
use crate::SCHEMA;

/// How long a request waits for a connection before it answers 503.
const PATIENCE: Duration = Duration::from_secs(3);

const SEED: &str = include_str!("db/seed.sql");
const SEED_SEQUENCES: &str = include_str!("db/seed_sequences.sql");

/// The database the service runs on.
#[derive(Clone, Debug)]
pub enum Db {
    /// A file, for a laptop.
    Sqlite(SqlitePool),
    /// A server, for the rest.
    Postgres(PgPool),
}

/// Runs the same typed code on whichever database it is.
macro_rules! on {
    ($either:expr, $it:ident => $body:expr) => {
        on!(Self, $either, $it => $body)
    };
    ($enum:ident, $either:expr, $it:ident => $body:expr) => {
        match $either {
            $enum::Sqlite($it) => $body,
            $enum::Postgres($it) => $body,
        }
    };
}

/// The ids a statement answers with, its values bound in order.
macro_rules! fetch_ids {
    ($executor:expr, $sql:expr, $values:expr) => {{
        let mut query = sqlx::query_scalar::<_, i64>(sqlx::AssertSqlSafe($sql));
        for value in $values {
            query = match value {
                Value::Text(text) => query.bind(text),
                Value::Integer(integer) => query.bind(integer),
                Value::Number(number) => query.bind(number),
                Value::Boolean(boolean) => query.bind(boolean),
                Value::Json(json) => query.bind(json.map(sqlx::types::Json)),
            };
        }
        query.fetch_all($executor).await
    }};
}

/// The rows a statement answers with for these ids.
macro_rules! fetch_rows {
    ($executor:expr, $sql:expr, $ids:expr) => {{
        let (sql, ids) = ($sql, Value::ids($ids));
        let query = sqlx::query(AssertSqlSafe(sql.clone())).bind(ids);
        let rows = query.fetch_all($executor).await?;
        let read = rows.iter().map(|row| {
            T::from_row(row).map_err(|error| Unreadable::new(&sql, row.try_get("id").ok(), error))
        });
        Ok(read.collect::<Result<Vec<T>, Unreadable>>()?)
    }};
}

use {fetch_ids, fetch_rows, on};

/// What can be read from a row of either database; `#[derive(sqlx::FromRow)]` suffices.
pub(crate) trait Row:
    for<'r> FromRow<'r, SqliteRow> + for<'r> FromRow<'r, PgRow> + Send + Unpin
{
}

impl<T> Row for T where T: for<'r> FromRow<'r, SqliteRow> + for<'r> FromRow<'r, PgRow> + Send + Unpin
{}

impl Db {
    /// Connects to `sqlite://…` or `postgres://…`. The error is a sentence for the person who set
    /// the URL.
    pub async fn connect(url: &str) -> Result<Db, String> {
        match url.split_once(':').map(|(scheme, _)| scheme) {
            Some("sqlite") => connect_sqlite(url).await,
            Some("postgres" | "postgresql") => connect_postgres(url).await,
            _ => Err("a database URL starts with `sqlite://` or `postgres://`".to_owned()),
        }
    }

    /// Brings the tables up to date, then the outbox and the triggers that report changes to it.
    pub async fn migrate(&self) -> Result<(), sqlx::Error> {
        match self {
            Db::Sqlite(pool) => sqlx::migrate!("migrations/sqlite").run(pool).await?,
            Db::Postgres(pool) => sqlx::migrate!("migrations/postgres").run(pool).await?,
        }
        on!(self, pool => SCHEMA.install(pool).await)
    }

    /// Fills an empty database with a small demonstration; answers whether it was empty.
    pub async fn seed(&self) -> Result<bool, sqlx::Error> {
        let used = r#"SELECT id FROM "user" UNION ALL SELECT id FROM organization LIMIT 1"#;
        if !self.ids(used, []).await?.is_empty() {
            return Ok(false);
        }
        match self {
            Db::Sqlite(pool) => {
                let mut tx = pool.begin().await?;
                sqlx::raw_sql(SEED).execute(&mut *tx).await?;
                tx.commit().await?;
            }
            Db::Postgres(pool) => {
                let mut tx = pool.begin().await?;
                sqlx::raw_sql(SEED).execute(&mut *tx).await?;
                sqlx::raw_sql(SEED_SEQUENCES).execute(&mut *tx).await?;
                tx.commit().await?;
            }
        }
        Ok(true)
    }

    /// The rows that belong to `ids`; `{ids}` in the statement stands for them.
    pub(crate) async fn select<T: Row>(
        &self,
        sql: &str,
        ids: &[i64],
    ) -> Result<Vec<T>, sqlx::Error> {
        let sql = self.dialect().spell(sql);
        on!(self, pool => fetch_rows!(pool, sql, ids))
    }

    /// The ids that a statement with these values finds.
    pub(crate) async fn ids(
        &self,
        sql: &str,
        values: impl IntoIterator<Item = Value> + Send,
    ) -> Result<Vec<i64>, sqlx::Error> {
        let sql = self.dialect().spell(sql);
        on!(self, pool => fetch_ids!(pool, sql, values))
    }

    fn dialect(&self) -> &'static Dialect {
        match self {
            Db::Sqlite(_) => &Dialect::SQLITE,
            Db::Postgres(_) => &Dialect::POSTGRES,
        }
    }
}

/// Values say what they are loaded by: see `#[cached(load)]`.
impl Source for Db {
    type Databases = (Postgres, Sqlite);

    fn pool(&self) -> EitherPool<'_> {
        match self {
            Db::Sqlite(pool) => EitherPool::Sqlite(pool),
            Db::Postgres(pool) => EitherPool::Postgres(pool),
        }
    }
}

async fn connect_sqlite(url: &str) -> Result<Db, String> {
    if url.contains(":memory:") || url.contains("mode=memory") {
        return Err("an in-memory SQLite database is one per connection; name a file".to_owned());
    }
    let options = SqliteConnectOptions::from_str(url)
        .map_err(|error| format!("the database URL cannot be read: {error}"))?
        .create_if_missing(true)
        .journal_mode(SqliteJournalMode::Wal)
        .foreign_keys(true)
        // `INSERT OR REPLACE` deletes a row; only with this does the delete trigger report it.
        .pragma("recursive_triggers", "on")
        .busy_timeout(Duration::from_secs(5));
    let file = options.get_filename().display().to_string();
    try_once(&options)
        .await
        .map_err(|error| format!("cannot open the database {file}: {error}"))?;
    Ok(Db::Sqlite(SqlitePoolOptions::new().acquire_timeout(PATIENCE).connect_lazy_with(options)))
}

async fn connect_postgres(url: &str) -> Result<Db, String> {
    let options = PgConnectOptions::from_str(url)
        .map_err(|error| format!("the database URL cannot be read: {error}"))?;
    let server = format!("{}:{}", options.get_host(), options.get_port());
    try_once(&options).await.map_err(|error| format!("cannot connect to {server}: {error}"))?;
    Ok(Db::Postgres(PgPoolOptions::new().acquire_timeout(PATIENCE).connect_lazy_with(options)))
}

/// Asks once, outside the pool: a pool keeps trying and then says only that it timed out.
async fn try_once(options: &impl ConnectOptions<Connection: Sized>) -> Result<(), String> {
    let attempt = async { options.connect().await?.close().await };
    match tokio::time::timeout(PATIENCE, attempt).await {
        Ok(answer) => answer.map_err(|error| error.to_string()),
        Err(_) => Err(format!("no answer within {} s", PATIENCE.as_secs())),
    }
}
