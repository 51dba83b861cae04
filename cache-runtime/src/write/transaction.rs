//! Transactions whose commit has invalidated when it returns.

use std::fmt;
use std::ops::{Deref, DerefMut};

use sqlx::Pool;

use crate::cache::Cache;
use crate::engine::tasks::is_in_runtime;
use crate::error::Error;
use crate::model::tag::Tags;
use crate::model::{Reported, Rows};
use crate::outbox::database::OutboxDatabase;
use crate::outbox::open::OpenTransaction;
use crate::write::error::CommitError;

impl<Db: Send + Sync + 'static> Cache<Db> {
    /// Begins a transaction on this pool: that of the outbox.
    ///
    /// ```
    /// # #[tokio::main]
    /// # async fn main() -> Result<(), cache_runtime::BoxError> {
    /// # let cache = blog::cache().await?;
    /// let tx = cache.begin_on(cache.db()).await?;
    /// # tx.rollback().await?;
    /// # Ok(()) }
    /// ```
    ///
    /// # Errors
    /// When the database cannot be reached, or the cache was built without an outbox.
    pub async fn begin_on<DB: OutboxDatabase>(
        &self,
        pool: &Pool<DB>,
    ) -> Result<Transaction<DB, Db>, sqlx::Error> {
        if self.engine().delivery.outbox().is_none() {
            let why = "this cache was built `without_outbox`: nothing would be invalidated\n\
                       help: leave that out, or call `outbox(&pool)` on its builder";
            return Err(sqlx::Error::Configuration(why.into()));
        }
        is_in_runtime().map_err(|misuse| sqlx::Error::Configuration(misuse.into()))?;
        // 0 is nobody.
        let writer = fastrand::i64(1..);
        let (open, mark) = OpenTransaction::begin(pool, self.schema(), writer).await?;
        Ok(Transaction {
            open: Some(open),
            mark,
            writer,
            reports: Tags::of(DB::DIALECT),
            misuse: None,
            may_be_aborted: false,
            cache: self.clone(),
        })
    }
}

impl<DB: OutboxDatabase> Cache<Pool<DB>> {
    /// Begins a transaction: the one thing that a write does with the cache, besides committing it.
    ///
    /// ```
    /// # #[tokio::main]
    /// # async fn main() -> Result<(), cache_runtime::BoxError> {
    /// # let cache = blog::cache().await?;
    /// let mut tx = cache.begin().await?;
    /// let sql = "UPDATE author SET name = 'Ada Lovelace' WHERE id = 1";
    /// sqlx::query(sql).execute(&mut *tx).await?;
    /// tx.commit().await?;
    /// # Ok(()) }
    /// ```
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
pub struct Transaction<DB: OutboxDatabase, Db = Pool<DB>> {
    /// `None` only while a loader has it.
    pub(super) open: Option<OpenTransaction<DB>>,
    /// What its own rows are found by: see [`RowFilter::Own`](crate::outbox::RowFilter::Own).
    pub(super) mark: i64,
    pub(super) writer: i64,
    /// What is reported without triggers; written before the commit.
    pub(super) reports: Tags,
    /// Something was reported that is not of this cache's file: it cannot be committed.
    pub(super) misuse: Option<Error>,
    /// A read within it failed. PostgreSQL then undoes the transaction, and says so to the next
    /// statement, but takes `COMMIT` for `ROLLBACK` without an error.
    pub(super) may_be_aborted: bool,
    pub(super) cache: Cache<Db>,
}

impl<DB: OutboxDatabase, Db: Send + Sync + 'static> Transaction<DB, Db> {
    /// Reports, without a trigger, that a row was created.
    ///
    /// ```
    /// # use blog::Comment;
    /// # #[tokio::main]
    /// # async fn main() -> Result<(), cache_runtime::BoxError> {
    /// # let cache = blog::cache().await?;
    /// let comment = Comment { id: 1, post_id: 1, text: "First!".to_owned() };
    /// let mut tx = cache.begin().await?;
    /// let insert = sqlx::query("INSERT INTO comment (id, post_id, text) VALUES ($1, $2, $3)");
    /// insert.bind(comment.id).bind(comment.post_id).bind(&comment.text).execute(&mut *tx).await?;
    /// tx.created(&comment);
    /// tx.commit().await?;
    /// # Ok(()) }
    /// ```
    pub fn created<T: Reported>(&mut self, row: &T) {
        self.admit::<T>();
        row.row_tags(&mut self.reports);
        row.link_tags(&mut self.reports);
    }

    /// Reports, without a trigger, that a row was deleted.
    pub fn deleted<T: Reported>(&mut self, row: &T) {
        self.created(row);
    }

    /// Reports, without a trigger, that a row was changed: its images from before and after.
    ///
    /// ```
    /// # use blog::{Author, SCHEMA}; use cache_runtime::Cache;
    /// # #[tokio::main]
    /// # async fn main() -> Result<(), cache_runtime::BoxError> {
    /// # let pool = blog::database().await?;
    /// SCHEMA.install_outbox(&pool).await?;
    /// let cache = Cache::builder(pool.clone(), &SCHEMA).outbox_without_triggers(&pool).build().await?;
    /// let old = Author { id: 1, name: "Ada".to_owned() };
    /// let new = Author { name: "Ada Lovelace".to_owned(), ..old.clone() };
    /// let mut tx = cache.begin().await?;
    /// let update = sqlx::query("UPDATE author SET name = $1 WHERE id = $2");
    /// update.bind(&new.name).bind(new.id).execute(&mut *tx).await?;
    /// tx.changed(&old, &new);
    /// tx.commit().await?;
    /// # Ok(()) }
    /// ```
    pub fn changed<T: Reported>(&mut self, old: &T, new: &T) {
        self.admit::<T>();
        for row in [old, new] {
            row.row_tags(&mut self.reports);
            if new.moved(old) {
                row.link_tags(&mut self.reports);
            }
        }
    }

    fn admit<T: Rows>(&mut self) {
        let admitted = self.cache.schema().admit::<T>();
        self.misuse = self.misuse.take().or(admitted.err());
    }
}

/// A loader has given the connection away.
pub(super) fn lost() -> CommitError {
    CommitError::misuse(Error::misuse(
        "a loader kept the transaction's connection; it is rolled back",
    ))
}

const LENT: &str = "a loader gave the transaction's connection to a task that outlives it";

impl<DB: OutboxDatabase, Db> Deref for Transaction<DB, Db> {
    type Target = DB::Connection;

    /// # Panics
    /// When a loader, in [`get`](Transaction::get), gave the connection to a task that outlives it.
    fn deref(&self) -> &DB::Connection {
        self.open.as_ref().expect(LENT).connection()
    }
}

impl<DB: OutboxDatabase, Db> DerefMut for Transaction<DB, Db> {
    fn deref_mut(&mut self) -> &mut DB::Connection {
        self.open.as_mut().expect(LENT).connection_mut()
    }
}

impl<DB: OutboxDatabase, Db> fmt::Debug for Transaction<DB, Db> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Transaction").finish_non_exhaustive()
    }
}
