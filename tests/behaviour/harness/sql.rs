//! Plain SQL on connections of their own, which know nothing of a cache.

use sqlx::postgres::PgPoolOptions;
use sqlx::sqlite::{SqliteConnectOptions, SqlitePoolOptions};
use sqlx::{AssertSqlSafe, PgPool, Postgres, Sqlite, SqlitePool};
use std::time::Duration;

/// Like `psql` or `sqlite3` on the story's database.
#[derive(Clone)]
pub enum Sql {
    Sqlite(SqlitePool),
    Postgres(PgPool),
}

impl Sql {
    pub async fn connect(url: &str) -> Self {
        if url.starts_with("postgres") {
            let pool = PgPoolOptions::new().max_connections(4).connect(url).await;
            Self::Postgres(pool.unwrap_or_else(|error| panic!("{url}: {error}")))
        } else {
            let options: SqliteConnectOptions = url.parse().expect("an address");
            let options = options
                .busy_timeout(Duration::from_secs(10))
                .pragma("recursive_triggers", "on");
            let pool = SqlitePoolOptions::new()
                .max_connections(4)
                .connect_with(options)
                .await;
            Self::Sqlite(pool.unwrap_or_else(|error| panic!("{url}: {error}")))
        }
    }

    /// Runs any number of statements.
    pub async fn run(&self, sql: impl Into<String>) {
        let sql = sql.into();
        let text = AssertSqlSafe(sql.clone());
        let done = match self {
            Self::Sqlite(pool) => sqlx::raw_sql(text).execute(pool).await.map(|_| ()),
            Self::Postgres(pool) => sqlx::raw_sql(text).execute(pool).await.map(|_| ()),
        };
        done.unwrap_or_else(|error| panic!("{sql}: {error}"));
    }

    /// The numbers in the first column.
    pub async fn numbers(&self, sql: impl Into<String>) -> Vec<i64> {
        let sql = sql.into();
        let text = AssertSqlSafe(sql.clone());
        let rows = match self {
            Self::Sqlite(pool) => sqlx::query_scalar(text).fetch_all(pool).await,
            Self::Postgres(pool) => sqlx::query_scalar(text).fetch_all(pool).await,
        };
        rows.unwrap_or_else(|error| panic!("{sql}: {error}"))
    }

    /// The one number that this answers.
    pub async fn number(&self, sql: impl Into<String>) -> i64 {
        let sql = sql.into();
        let numbers = self.numbers(sql.clone()).await;
        assert!(numbers.len() == 1, "{sql}: {} rows", numbers.len());
        numbers[0]
    }

    /// The rows of two text columns.
    pub async fn pairs(&self, sql: impl Into<String>) -> Vec<(String, String)> {
        let sql = sql.into();
        let text = AssertSqlSafe(sql.clone());
        let rows = match self {
            Self::Sqlite(pool) => sqlx::query_as(text).fetch_all(pool).await,
            Self::Postgres(pool) => sqlx::query_as(text).fetch_all(pool).await,
        };
        rows.unwrap_or_else(|error| panic!("{sql}: {error}"))
    }

    /// A transaction that nobody but the database knows of.
    pub async fn begin(&self) -> SqlTransaction {
        match self {
            Self::Sqlite(pool) => {
                SqlTransaction::Sqlite(pool.begin().await.expect("a transaction"))
            }
            Self::Postgres(pool) => {
                SqlTransaction::Postgres(pool.begin().await.expect("a transaction"))
            }
        }
    }

    pub fn is_postgres(&self) -> bool {
        matches!(self, Self::Postgres(_))
    }

    pub async fn close(&self) {
        match self {
            Self::Sqlite(pool) => pool.close().await,
            Self::Postgres(pool) => pool.close().await,
        }
    }
}

/// A transaction on a connection that knows nothing of a cache.
pub enum SqlTransaction {
    Sqlite(sqlx::Transaction<'static, Sqlite>),
    Postgres(sqlx::Transaction<'static, Postgres>),
}

impl SqlTransaction {
    pub async fn run(&mut self, sql: impl Into<String>) {
        let sql = sql.into();
        let text = AssertSqlSafe(sql.clone());
        let done = match self {
            Self::Sqlite(tx) => sqlx::raw_sql(text).execute(&mut **tx).await.map(|_| ()),
            Self::Postgres(tx) => sqlx::raw_sql(text).execute(&mut **tx).await.map(|_| ()),
        };
        done.unwrap_or_else(|error| panic!("{sql}: {error}"));
    }

    pub async fn commit(self) {
        match self {
            Self::Sqlite(tx) => tx.commit().await,
            Self::Postgres(tx) => tx.commit().await,
        }
        .expect("committed");
    }

    pub async fn rollback(self) {
        match self {
            Self::Sqlite(tx) => tx.rollback().await,
            Self::Postgres(tx) => tx.rollback().await,
        }
        .expect("rolled back");
    }
}
