//! Transactions whose commit has invalidated when it returns.

use std::fmt;
use std::ops::{Deref, DerefMut};
use std::sync::Arc;

use sqlx::{Database, Pool};

use super::{Outbox, OutboxRow};
use crate::cache::{Builder, Cache};
use crate::engine::Engine;
use crate::error::BoxError;
use crate::schema::Schema;
use crate::store::BoxFuture;

/// What is particular to a database. Implemented for [`sqlx::Postgres`] and [`sqlx::Sqlite`].
pub trait OutboxDatabase: Database {
    /// Opens a transaction that is going to write.
    fn begin(
        pool: &Pool<Self>,
    ) -> impl Future<Output = Result<sqlx::Transaction<'static, Self>, sqlx::Error>> + Send;

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

/// The outbox table of a database.
pub(crate) struct PoolOutbox<DB: Database> {
    pool: Pool<DB>,
    table: &'static str,
}

impl<DB: OutboxDatabase> Outbox for PoolOutbox<DB> {
    fn waiting(&self, after: i64) -> BoxFuture<'_, Result<Vec<OutboxRow>, BoxError>> {
        Box::pin(async move {
            let mut connection = self.pool.acquire().await?;
            Ok(DB::waiting(&mut connection, self.table, after).await?)
        })
    }

    fn mark_delivered(&self, ids: Vec<i64>) -> BoxFuture<'_, Result<(), BoxError>> {
        Box::pin(async {
            let mut connection = self.pool.acquire().await?;
            Ok(DB::mark_delivered(&mut connection, self.table, ids).await?)
        })
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
        if self.engine().outbox.is_none() {
            let why = "this cache was built without an outbox: call `outbox(&pool)` on its builder";
            return Err(sqlx::Error::Configuration(why.into()));
        }
        let inner = DB::begin(pool).await?;
        Ok(Transaction {
            inner,
            engine: self.engine().clone(),
        })
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
    inner: sqlx::Transaction<'static, DB>,
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

    async fn commit_and_deliver(self) -> Result<(), sqlx::Error> {
        let committed = self.inner.commit().await;
        // Also after an error: the connection may have broken when the database had committed.
        self.engine.deliver_commit().await;
        committed
    }

    /// Undoes everything since `begin`.
    ///
    /// # Errors
    /// When the database cannot be reached; it then rolls back by itself.
    pub async fn rollback(self) -> Result<(), sqlx::Error> {
        self.inner.rollback().await
    }
}

impl<DB: OutboxDatabase> Deref for Transaction<DB> {
    type Target = DB::Connection;
    fn deref(&self) -> &DB::Connection {
        &self.inner
    }
}

impl<DB: OutboxDatabase> DerefMut for Transaction<DB> {
    fn deref_mut(&mut self) -> &mut DB::Connection {
        &mut self.inner
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
