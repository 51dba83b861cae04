//! How a transaction ends.

use std::io;
use std::time::Instant;

use crate::model::tag::{Tag, Tags};
use crate::observe::event::Event;
use crate::outbox::database::OutboxDatabase;
use crate::outbox::{Cursor, RowFilter};
use crate::store::StoreError;
use crate::store::consistency::ConsistencyToken;
use crate::write::error::CommitError;
use crate::write::transaction::{Transaction, lost};

impl<DB: OutboxDatabase, Db: Send + Sync + 'static> Transaction<DB, Db> {
    /// Commits, and delivers what it wrote to the outbox: what was built from the rows that it
    /// wrote is invalidated when this returns; while the store is away, before the store serves
    /// again.
    ///
    /// Returns the moment of that, for readers in other processes: see
    /// [`Cache::at_least`](crate::Cache::at_least).
    ///
    /// ```
    /// # #[tokio::main]
    /// # async fn main() -> Result<(), cache_runtime::BoxError> {
    /// # let cache = blog::cache().await?;
    /// let mut tx = cache.begin().await?;
    /// let sql = "UPDATE author SET name = 'Ada Lovelace' WHERE id = 1";
    /// sqlx::query(sql).execute(&mut *tx).await?;
    /// if let Err(error) = tx.commit().await {
    ///     // Nothing was committed, or, if the database has not answered, it is not known.
    ///     assert!(error.is_database() || error.is_unknown());
    /// }
    /// # Ok(()) }
    /// ```
    ///
    /// # Errors
    /// When the database did not commit. A store that is away is no error, unless what was written
    /// is in strict values: then nothing is committed, as others may go on reading from the store.
    pub async fn commit(self) -> Result<ConsistencyToken, CommitError> {
        // A task of its own: a handler that is dropped halfway (its client hung up) must not leave
        // a commit without its invalidation. Begun here, not there: a shutdown that follows waits
        // for it, though nobody has polled it yet.
        let begun = self.cache.engine().delivery.commits.begin();
        let commit = async move {
            let _begun = begun;
            self.commit_and_deliver().await
        };
        match tokio::spawn(commit).await {
            Ok(done) => done,
            Err(error) => match error.try_into_panic() {
                Ok(panic) => std::panic::resume_unwind(panic),
                Err(cancelled) => {
                    let error = sqlx::Error::Io(io::Error::other(cancelled));
                    Err(CommitError::of_commit(error))
                }
            },
        }
    }

    async fn commit_and_deliver(mut self) -> Result<ConsistencyToken, CommitError> {
        let cache = self.cache.clone();
        let engine = cache.engine();
        engine.tend();
        self.write_reports().await?;
        let blocked = self.block().await?;
        let open = self.open.as_mut().ok_or_else(lost)?;
        let committed = open.commit().await;
        if committed.is_ok() {
            engine.gate.observer.tell(Event::Committed);
        }
        // Also after an error: the connection may have broken when the database had committed.
        // On this connection: under load there may be no other for a long time.
        let delivery = &engine.delivery;
        let delivered = delivery.deliver_commit(open.outbox(), self.mark).await;
        // Otherwise the block lasts until its time is over.
        if delivered.is_some() {
            engine.gate.unblock(self.writer, &blocked).await;
        }
        committed.map_err(CommitError::of_commit)?;
        Ok(delivered.unwrap_or(ConsistencyToken::UNDELIVERED))
    }

    /// Writes what was reported by hand; finds out whether there is something to commit.
    async fn write_reports(&mut self) -> Result<(), CommitError> {
        if self.open.is_none() {
            return Err(lost());
        }
        if self.may_be_aborted {
            DB::settle(self).await.map_err(CommitError::before)?;
        }
        if let Some(misuse) = self.misuse.take() {
            return Err(CommitError::misuse(misuse));
        }
        let reports = std::mem::replace(&mut self.reports, Tags::of(DB::DIALECT)).finish();
        if !reports.is_empty() {
            let outbox = self.cache.schema().outbox;
            let reported = DB::report(self, outbox, reports).await;
            reported.map_err(CommitError::before)?;
        }
        Ok(())
    }

    /// What strict values are built from is blocked before it is committed: until the commit is
    /// delivered they are read from the source. Returns what is blocked.
    ///
    /// The block lasts for `max-commit`. To commit within it, PostgreSQL waits for `COMMIT` no
    /// longer than half of that, from before the block, even when this process is frozen and its
    /// clock with it; the other half is for the commit itself.
    async fn block(&mut self) -> Result<Vec<Tag>, CommitError> {
        let schema = self.cache.schema();
        if schema.strict.is_empty() {
            return Ok(Vec::new());
        }
        let tags = self.own_tags().await.map_err(CommitError::before)?;
        let tags: Vec<Tag> = tags.into_iter().filter(|it| schema.is_strict(it)).collect();
        if tags.is_empty() {
            return Ok(tags);
        }
        let (began, half) = (Instant::now(), schema.max_commit / 2);
        let bounded = DB::bound_silence(self, half).await;
        bounded.map_err(CommitError::before)?;
        let gate = &self.cache.engine().gate;
        let blocked = gate.block(self.writer, &tags, schema.max_commit).await;
        if blocked.is_ok() && began.elapsed() < half {
            return Ok(tags);
        }
        gate.unblock(self.writer, &tags).await;
        let late = || StoreError::refused("it took too long to block them (max-commit)");
        Err(CommitError::refused(blocked.err().unwrap_or_else(late)))
    }

    /// What the transaction has reported so far.
    async fn own_tags(&mut self) -> Result<Vec<Tag>, sqlx::Error> {
        DB::settle(self).await?;
        let (outbox, mark) = (self.cache.schema().outbox, self.mark);
        let here = self.cache.engine().gate.place();
        let own = RowFilter::Own { mark, here };
        let (mut tags, mut after) = (Vec::new(), Cursor::FIRST);
        loop {
            let rows = DB::rows(self, outbox, &own, after).await?;
            let Some(last) = rows.last() else {
                return Ok(tags);
            };
            after = last.cursor;
            tags.extend(rows.into_iter().filter_map(|row| row.tag));
        }
    }

    /// Undoes everything since `begin`.
    ///
    /// ```
    /// # #[tokio::main]
    /// # async fn main() -> Result<(), cache_runtime::BoxError> {
    /// # let cache = blog::cache().await?;
    /// let mut tx = cache.begin().await?;
    /// sqlx::query("DELETE FROM comment").execute(&mut *tx).await?;
    /// tx.rollback().await?;
    /// # Ok(()) }
    /// ```
    ///
    /// # Errors
    /// When the database cannot be reached; it then rolls back by itself.
    pub async fn rollback(mut self) -> Result<(), sqlx::Error> {
        let open = self.open.as_mut().ok_or_else(lost)?;
        open.rollback().await
    }
}
