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

/// How many rows of other transactions a commit, or one step of a drain, takes along.
pub(crate) const BATCH: usize = 1000;

/// What is particular to a database. Implemented for [`sqlx::Postgres`] and [`sqlx::Sqlite`].
pub trait OutboxDatabase: Database {
    /// Opens a transaction that is going to write.
    fn begin(
        pool: &Pool<Self>,
    ) -> impl Future<Output = Result<sqlx::Transaction<'static, Self>, sqlx::Error>> + Send;

    /// The waiting rows that this connection sees: all of its own transaction's, and some of those
    /// that others have committed.
    fn waiting(
        connection: &mut Self::Connection,
        outbox: &'static str,
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
    fn waiting(&self) -> BoxFuture<'_, Result<Vec<OutboxRow>, BoxError>> {
        Box::pin(async {
            let mut connection = self.pool.acquire().await?;
            Ok(DB::waiting(&mut connection, self.table).await?)
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
        let engine = self.engine().clone();
        let Some(outbox) = engine.outbox.clone() else {
            let why = "this cache was built without an outbox: call `outbox(&pool)` on its builder";
            return Err(sqlx::Error::Configuration(why.into()));
        };
        Ok(Transaction {
            inner: DB::begin(pool).await?,
            table: engine.schema.outbox,
            engine,
            outbox,
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
    table: &'static str,
    engine: Arc<Engine>,
    outbox: Arc<dyn Outbox>,
}

impl<DB: OutboxDatabase> Transaction<DB> {
    /// Commits. What was built from the rows that it wrote is invalidated when this returns; while
    /// the store is away, before the store serves again.
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
        // Read inside the transaction: its own rows are known without searching, and the commit is
        // all that separates reading them from delivering them.
        let rows = match self.engine.delivers() {
            true => DB::waiting(&mut self.inner, self.table).await?,
            false => Vec::new(),
        };
        let committed = self.inner.commit().await;
        // What was read is all there was, unless the store was away (it may be back by now, and
        // then nobody else delivers these rows), others left more, or the commit is in doubt.
        let all = (1..BATCH).contains(&rows.len()) && committed.is_ok();
        if committed.is_ok()
            && let Err(error) = self.engine.deliver(&*self.outbox, rows).await
        {
            tracing::debug!(%error, "committed, its tags wait in the outbox");
        }
        if !all
            && self.engine.delivers()
            && let Err(error) = self.engine.drain().await
        {
            tracing::debug!(%error, "outbox not drained");
        }
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
