//! Plain SQL on connections of their own, which know nothing of a cache.

use std::time::Duration;

use example_app::Db;
use sqlx::postgres::PgPoolOptions;
use sqlx::sqlite::{SqliteConnectOptions, SqlitePoolOptions};
use sqlx::{AssertSqlSafe, PgPool, Postgres, Sqlite, SqlitePool};

/// The same on either database.
macro_rules! either {
    ($self:expr, $it:ident => $told:expr) => {
        match $self {
            Self::Sqlite($it) => $told,
            Self::Postgres($it) => $told,
        }
    };
}

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
            let options =
                options.busy_timeout(Duration::from_secs(10)).pragma("recursive_triggers", "on");
            let pool = SqlitePoolOptions::new().max_connections(4).connect_with(options).await;
            Self::Sqlite(pool.unwrap_or_else(|error| panic!("{url}: {error}")))
        }
    }

    /// Runs any number of statements.
    pub async fn run(&self, sql: impl Into<String>) {
        let sql = sql.into();
        let text = AssertSqlSafe(sql.clone());
        let done = either!(self, pool => sqlx::raw_sql(text).execute(pool).await.map(drop));
        done.unwrap_or_else(|error| panic!("{sql}: {error}"));
    }

    /// The numbers in the first column.
    pub async fn numbers(&self, sql: impl Into<String>) -> Vec<i64> {
        let sql = sql.into();
        let text = AssertSqlSafe(sql.clone());
        let rows = either!(self, pool => sqlx::query_scalar(text).fetch_all(pool).await);
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
        let rows = either!(self, pool => sqlx::query_as(text).fetch_all(pool).await);
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
        either!(self, pool => pool.close().await);
    }
}

/// A transaction on either database.
macro_rules! transaction {
    ($(#[$doc:meta])* $name:ident, $sqlite:ty, $postgres:ty) => {
        $(#[$doc])*
        pub enum $name {
            Sqlite($sqlite),
            Postgres($postgres),
        }

        impl $name {
            pub async fn run(&mut self, sql: impl Into<String>) {
                let sql = sql.into();
                let text = AssertSqlSafe(sql.clone());
                let done = either!(self, tx => sqlx::raw_sql(text).execute(&mut **tx).await.map(drop));
                done.unwrap_or_else(|error| panic!("{sql}: {error}"));
            }

            pub async fn commit(self) {
                either!(self, tx => tx.commit().await).expect("committed");
            }

            pub async fn rollback(self) {
                either!(self, tx => tx.rollback().await).expect("rolled back");
            }
        }
    };
}

transaction!(
    /// On a connection that knows nothing of a cache.
    SqlTransaction,
    sqlx::Transaction<'static, Sqlite>,
    sqlx::Transaction<'static, Postgres>
);

transaction!(
    /// Of the cache, as the example's handlers begin it.
    Transaction,
    cache_runtime::Transaction<Sqlite, Db>,
    cache_runtime::Transaction<Postgres, Db>
);
