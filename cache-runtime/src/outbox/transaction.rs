//! Transactions whose commit has invalidated when it returns.

use std::fmt;
use std::ops::{Deref, DerefMut};
use std::sync::Arc;

use sqlx::pool::PoolConnection;
use sqlx::{Database, Pool, SqlSafeStr};
use sqlx_core::transaction::TransactionManager;

use super::{Outbox, OutboxConnection, OutboxRow};
use crate::cache::{Builder, Cache};
use crate::engine::Engine;
use crate::error::BoxError;
use crate::schema::Schema;
use crate::store::BoxFuture;

/// What is particular to a database. Implemented for [`sqlx::Postgres`] and [`sqlx::Sqlite`].
pub trait OutboxDatabase: Database {
    /// What opens a transaction that is going to write; `None` for the usual.
    const BEGIN: Option<&'static str>;

    /// The first waiting rows after this id, in order.
    fn waiting(
        connection: &mut Self::Connection,
        outbox: &'static str,
        after: i64,
    ) -> impl Future<Output = Result<Vec<OutboxRow>, sqlx::Error>> + Send;

    /// Marks rows as delivered, but for those that somebody else is marking.
    fn mark_delivered(
        connection: &mut Self::Connection,
        outbox: &'static str,
        ids: Vec<i64>,
    ) -> impl Future<Output = Result<(), sqlx::Error>> + Send;

    /// Creates the outbox and the triggers, or brings them up to date.
    fn install(
        pool: &Pool<Self>,
        schema: &Schema,
    ) -> impl Future<Output = Result<(), sqlx::Error>> + Send;
}

impl Schema {
    /// Creates the outbox and the triggers in this database, or brings them up to date; does nothing
    /// when they are.
    ///
    /// # Errors
    /// When a table of `cache.toml` is missing, or the role may not create triggers.
    pub async fn install<DB: OutboxDatabase>(&self, pool: &Pool<DB>) -> Result<(), sqlx::Error> {
        DB::install(pool, self).await
    }
}

/// The outbox table, reached through a pool.
struct PoolOutbox<DB: Database> {
    pool: Pool<DB>,
    table: &'static str,
}

impl<DB: OutboxDatabase> Outbox for PoolOutbox<DB> {
    fn table(&self) -> &'static str {
        self.table
    }

    fn connect(&self) -> BoxFuture<'_, Result<Box<dyn OutboxConnection>, BoxError>> {
        Box::pin(async {
            let connection = self.pool.acquire().await?;
            let table = self.table;
            Ok(Box::new(TableConnection { connection, table }) as Box<dyn OutboxConnection>)
        })
    }
}

/// A connection, with the table.
struct TableConnection<DB: Database> {
    connection: PoolConnection<DB>,
    table: &'static str,
}

impl<DB: OutboxDatabase> OutboxConnection for TableConnection<DB> {
    fn waiting(&mut self, after: i64) -> BoxFuture<'_, Result<Vec<OutboxRow>, BoxError>> {
        Box::pin(async move { Ok(DB::waiting(&mut self.connection, self.table, after).await?) })
    }

    fn mark_delivered(&mut self, ids: Vec<i64>) -> BoxFuture<'_, Result<(), BoxError>> {
        Box::pin(async { Ok(DB::mark_delivered(&mut self.connection, self.table, ids).await?) })
    }
}

impl<Db: Send + Sync + 'static> Builder<Db> {
    /// The database whose writes are reported, by the triggers of [`Schema::install`].
    #[must_use]
    pub fn outbox<DB: OutboxDatabase>(self, pool: &Pool<DB>) -> Self {
        let table = self.schema.outbox;
        self.reports(Arc::new(PoolOutbox {
            pool: pool.clone(),
            table,
        }))
    }
}

impl<Db: Send + Sync + 'static> Cache<Db> {
    /// Begins a transaction on this pool, the one given to [`Builder::outbox`].
    ///
    /// # Errors
    /// When the database cannot be reached, or the cache was built without an outbox.
    pub async fn begin_on<DB: OutboxDatabase>(
        &self,
        pool: &Pool<DB>,
    ) -> Result<Transaction<DB>, sqlx::Error> {
        let engine = self.engine().clone();
        let Some(table) = engine.outbox.as_ref().map(|outbox| outbox.table()) else {
            let why = "this cache was built without an outbox: call `outbox(&pool)` on its builder";
            return Err(sqlx::Error::Configuration(why.into()));
        };
        let outbox = TableConnection {
            connection: pool.acquire().await?,
            table,
        };
        // Open from before it begins: dropped halfway, it may have begun.
        let mut transaction = Transaction {
            outbox,
            open: true,
            engine,
        };
        let begin = DB::BEGIN.map(SqlSafeStr::into_sql_str);
        DB::TransactionManager::begin(&mut transaction, begin).await?;
        Ok(transaction)
    }
}

impl<DB: OutboxDatabase> Cache<Pool<DB>> {
    /// Begins a transaction: the one thing that a write does with the cache, besides committing it.
    ///
    /// # Errors
    /// As [`begin_on`](Cache::begin_on).
    pub async fn begin(&self) -> Result<Transaction<DB>, sqlx::Error> {
        self.begin_on(self.db()).await
    }
}

/// A database transaction; it dereferences to the connection: `query.execute(&mut *tx)`.
///
/// Dropped without [`commit`](Self::commit), it is rolled back, and nothing is invalidated.
pub struct Transaction<DB: OutboxDatabase> {
    outbox: TableConnection<DB>,
    open: bool,
    engine: Arc<Engine>,
}

impl<DB: OutboxDatabase> Transaction<DB> {
    /// Commits, and delivers what waits in the outbox: what was built from the rows that it wrote is
    /// invalidated when this returns; while the store is away, before the store serves again.
    ///
    /// # Errors
    /// When the database did not commit. A store that is away is no error.
    pub async fn commit(self) -> Result<(), sqlx::Error> {
        // A task of its own: a handler that is dropped halfway (its client hung up) must not leave
        // a commit without its invalidation.
        match tokio::spawn(self.commit_and_deliver()).await {
            Ok(done) => done,
            Err(error) => match error.try_into_panic() {
                Ok(panic) => std::panic::resume_unwind(panic),
                Err(cancelled) => Err(sqlx::Error::Io(std::io::Error::other(cancelled))),
            },
        }
    }

    async fn commit_and_deliver(mut self) -> Result<(), sqlx::Error> {
        let committed = DB::TransactionManager::commit(&mut self).await;
        self.open = false;
        if committed.is_err() {
            DB::TransactionManager::start_rollback(&mut self);
        }
        // Also after an error: the connection may have broken when the database had committed.
        // On this connection: under load there may be no other for a long time.
        self.engine.deliver_commit(&mut self.outbox).await;
        committed
    }

    /// Undoes everything since `begin`.
    ///
    /// # Errors
    /// When the database cannot be reached; it then rolls back by itself.
    pub async fn rollback(mut self) -> Result<(), sqlx::Error> {
        DB::TransactionManager::rollback(&mut self).await?;
        self.open = false;
        Ok(())
    }
}

impl<DB: OutboxDatabase> Drop for Transaction<DB> {
    fn drop(&mut self) {
        if self.open {
            // Queued, and done before the pool hands the connection out again.
            DB::TransactionManager::start_rollback(self);
        }
    }
}

impl<DB: OutboxDatabase> Deref for Transaction<DB> {
    type Target = DB::Connection;
    fn deref(&self) -> &DB::Connection {
        &self.outbox.connection
    }
}

impl<DB: OutboxDatabase> DerefMut for Transaction<DB> {
    fn deref_mut(&mut self) -> &mut DB::Connection {
        &mut self.outbox.connection
    }
}

impl<DB: OutboxDatabase> fmt::Debug for Transaction<DB> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Transaction").finish_non_exhaustive()
    }
}

/// `"schema"."table"`.
pub(crate) fn quoted(table: &str) -> String {
    let parts: Vec<String> = table.split('.').map(|part| format!("\"{part}\"")).collect();
    parts.join(".")
}

/// Runs one of the schema's statements; says what an error means here.
pub(crate) async fn install<DB: Database>(
    connection: &mut DB::Connection,
    sql: &str,
) -> Result<(), sqlx::Error>
where
    for<'c> &'c mut DB::Connection: sqlx::Executor<'c, Database = DB>,
{
    let done = sqlx::raw_sql(sqlx::AssertSqlSafe(sql))
        .execute(connection)
        .await;
    done.map(drop).map_err(|error| {
        let what = sql.lines().next().unwrap_or_default();
        let help =
            "run the migrations before `install`, or correct cache.toml; nothing was installed";
        let why =
            format!("cache.toml does not fit this database: {error}, in: {what}\nhelp: {help}");
        sqlx::Error::Configuration(why.into())
    })
}
