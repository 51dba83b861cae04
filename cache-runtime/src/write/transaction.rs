//! Transactions whose commit has invalidated when it returns.

use std::fmt;
use std::io;
use std::ops::{Deref, DerefMut};
use std::sync::Arc;
use std::time::{Duration, Instant};

use sqlx::Pool;
use sqlx_core::transaction::TransactionManager;
use tokio::sync::Mutex;

use crate::cache::{Builder, Cache};
use crate::engine::tasks;
use crate::error::Error;
use crate::model::tag::{Tag, Tags};
use crate::model::{Reported, Rows};
use crate::observe::event::Event;
use crate::outbox::connection::{Held, Own, within};
use crate::outbox::database::{OutboxDatabase, OwnOutbox, TableConnection};
use crate::outbox::{Place, Which};
use crate::read;
use crate::read::load::{Find, Load, LoadContext, Within};

/// How long a commit may take until it is not known whether there was one.
const COMMIT_PATIENCE: Duration = Duration::from_secs(60);

/// How long it may take to undo what was not committed, until the connection is given up.
const UNDO_PATIENCE: Duration = Duration::from_secs(5);

impl<Db: Send + Sync + 'static> Builder<Db> {
    /// The database whose writes are reported, by the triggers of [`Schema::install`](crate::Schema::install).
    #[must_use]
    pub fn outbox<DB: OutboxDatabase>(self, pool: &Pool<DB>) -> Self {
        self.outbox_in(pool, true)
    }

    /// The database whose writes are reported by who writes, with [`Transaction::changed`] and its
    /// like, into the outbox of [`Schema::install_outbox`](crate::Schema::install_outbox).
    #[must_use]
    pub fn outbox_without_triggers<DB: OutboxDatabase>(self, pool: &Pool<DB>) -> Self {
        self.outbox_in(pool, false)
    }

    fn outbox_in<DB: OutboxDatabase>(self, pool: &Pool<DB>, triggers: bool) -> Self {
        let schema = self.schema;
        self.reports(Arc::new(OwnOutbox {
            own: Own::new(pool),
            schema,
            triggers,
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
    ) -> Result<Transaction<DB, Db>, sqlx::Error> {
        if self.engine().outbox.is_none() {
            let why = "this cache was built without an outbox: call `outbox(&pool)` on its builder";
            return Err(sqlx::Error::Configuration(why.into()));
        }
        tasks::is_in_runtime().map_err(|misuse| sqlx::Error::Configuration(misuse.into()))?;
        let schema = self.engine().schema;
        // 0 is nobody.
        let writer = fastrand::i64(1..);
        let mut open = Open {
            table: Some(TableConnection {
                connection: Held::of_pool(pool.acquire().await?),
                schema,
                triggers: true,
            }),
            state: State::Beginning,
        };
        let mark = DB::begin(open.connection_mut(), schema.outbox, writer).await?;
        open.state = State::Open;
        Ok(Transaction {
            open: Some(open),
            mark,
            writer,
            reports: Tags::default(),
            misuse: None,
            may_be_aborted: false,
            cache: self.clone(),
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
pub struct Transaction<DB: OutboxDatabase, Db = Pool<DB>> {
    /// `None` only while a loader has it.
    open: Option<Open<DB>>,
    /// What its own rows are found by: see [`Which::Own`].
    mark: i64,
    writer: i64,
    /// What is reported without triggers; written before the commit.
    reports: Tags,
    /// Something was reported that is not of this cache's file: it cannot be committed.
    misuse: Option<Error>,
    /// A read within it failed. PostgreSQL then undoes the transaction, and says so to the next statement, but
    /// takes `COMMIT` for `ROLLBACK` without an error.
    may_be_aborted: bool,
    cache: Cache<Db>,
}

/// A connection with a transaction on it.
pub(crate) struct Open<DB: OutboxDatabase> {
    /// `None` only while it is dropped.
    table: Option<TableConnection<DB>>,
    state: State,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum State {
    /// Whether it has begun is not known.
    Beginning,
    Open,
    Over,
}

impl<DB: OutboxDatabase> Open<DB> {
    fn table(&mut self) -> &mut TableConnection<DB> {
        self.table.as_mut().expect(OPEN)
    }

    pub(crate) fn connection(&self) -> &DB::Connection {
        &self.table.as_ref().expect(OPEN).connection
    }

    pub(crate) fn connection_mut(&mut self) -> &mut DB::Connection {
        &mut self.table().connection
    }
}

const OPEN: &str = "it goes away when it is dropped";

impl<DB: OutboxDatabase> Drop for Open<DB> {
    fn drop(&mut self) {
        let Some(TableConnection { mut connection, .. }) = self.table.take() else {
            return;
        };
        match self.state {
            // sqlx, which does not know of the transaction yet, would not end it. (On SQLite it does, and closing the connection would be
            // the end of an in-memory database.)
            State::Beginning if DB::IS_SERVER => connection.close(),
            // A handler may have been dropped while it waited for an answer that never comes.
            State::Beginning | State::Open => connection.roll_back(),
            State::Over => {}
        }
    }
}

/// Where a transaction has lent its connection to a loader, and gets it back from, however the load ends.
struct Lent<'t, DB: OutboxDatabase, Db> {
    transaction: &'t mut Transaction<DB, Db>,
    connection: Arc<Mutex<Option<Open<DB>>>>,
    has_failed: bool,
}

impl<DB: OutboxDatabase, Db> Lent<'_, DB, Db> {
    /// The load has ended well.
    fn served(mut self) {
        self.has_failed = false;
    }
}

impl<DB: OutboxDatabase, Db> Drop for Lent<'_, DB, Db> {
    fn drop(&mut self) {
        // Locked only if the loader gave it to a task that outlives it; that task's end rolls back.
        if let Ok(mut connection) = self.connection.try_lock() {
            self.transaction.open = connection.take();
        }
        self.transaction.may_be_aborted |= self.has_failed;
    }
}

impl<DB: OutboxDatabase, Db: Send + Sync + 'static> Transaction<DB, Db> {
    /// Commits, and delivers what it wrote to the outbox: what was built from the rows that it wrote is
    /// invalidated when this returns; while the store is away, before the store serves again.
    ///
    /// # Errors
    /// When the database did not commit. A store that is away is no error, unless what was written
    /// is in strict values: then nothing is committed, as others may go on reading from the store.
    pub async fn commit(self) -> Result<(), sqlx::Error> {
        // A task of its own: a handler that is dropped halfway (its client hung up) must not leave
        // a commit without its invalidation.
        match tokio::spawn(self.commit_and_deliver()).await {
            Ok(done) => done,
            Err(error) => match error.try_into_panic() {
                Ok(panic) => std::panic::resume_unwind(panic),
                Err(cancelled) => Err(sqlx::Error::Io(io::Error::other(cancelled))),
            },
        }
    }

    async fn commit_and_deliver(mut self) -> Result<(), sqlx::Error> {
        if self.open.is_none() {
            return Err(lost());
        }
        if self.may_be_aborted {
            DB::settle(&mut self).await?;
        }
        if let Some(misuse) = self.misuse.take() {
            return Err(sqlx::Error::Configuration(misuse.into()));
        }
        let reports = std::mem::take(&mut self.reports).finish();
        if !reports.is_empty() {
            let outbox = self.cache.engine().schema.outbox;
            DB::report(&mut self, outbox, reports).await?;
        }
        let blocked = self.block().await?;
        let engine = self.cache.engine().clone();
        let Some(open) = &mut self.open else {
            return Err(lost());
        };
        let committing = DB::TransactionManager::commit(open.connection_mut());
        let committed = within(COMMIT_PATIENCE, committing).await;
        open.state = State::Over;
        let table = open.table();
        table.connection.was_used(&committed);
        match &committed {
            Ok(()) => engine.observer.tell(Event::Committed),
            Err(_) => table.connection.undo(UNDO_PATIENCE).await,
        }
        // Also after an error: the connection may have broken when the database had committed.
        // On this connection: under load there may be no other for a long time.
        let delivered = engine.deliver_commit(table, self.mark).await;
        // Otherwise the block lasts until its time is over.
        if delivered {
            engine.unblock(self.writer, &blocked).await;
        }
        committed
    }

    /// What strict values are built from is blocked before it is committed: until the commit is
    /// delivered they are read from the source. Returns what is blocked.
    ///
    /// The block lasts for `max-commit`. To commit within it, PostgreSQL waits for `COMMIT` no longer than
    /// half of that, from before the block, even when this process is frozen and its clock with it; the
    /// other half is for the commit itself.
    async fn block(&mut self) -> Result<Vec<Tag>, sqlx::Error> {
        let schema = self.cache.engine().schema;
        if schema.strict.is_empty() {
            return Ok(Vec::new());
        }
        DB::settle(self).await?;
        let mut tags = self.own_tags().await?;
        tags.retain(|tag| schema.is_strict(tag));
        if tags.is_empty() {
            return Ok(tags);
        }
        let (began, half) = (Instant::now(), schema.max_commit / 2);
        DB::bound_silence(self, half).await?;
        let engine = self.cache.engine().clone();
        let blocked = engine.block(self.writer, &tags).await;
        if blocked.is_ok() && began.elapsed() < half {
            return Ok(tags);
        }
        engine.unblock(self.writer, &tags).await;
        let why = "not committed: it took too long to block the strict values (max-commit)";
        let late = io::Error::new(io::ErrorKind::TimedOut, why);
        Err(sqlx::Error::Io(
            blocked.err().map_or(late, io::Error::other),
        ))
    }

    /// What the transaction has reported so far.
    async fn own_tags(&mut self) -> Result<Vec<Tag>, sqlx::Error> {
        let outbox = self.cache.engine().schema.outbox;
        let (mark, here) = (self.mark, self.cache.engine().store.place());
        let own = Which::Own { mark, here };
        let (mut tags, mut after) = (Vec::new(), Place::FIRST);
        loop {
            let rows = DB::rows(self, outbox, &own, after).await?;
            let Some(last) = rows.last() else {
                return Ok(tags);
            };
            after = last.place;
            tags.extend(rows.into_iter().filter_map(|row| row.tag));
        }
    }

    /// Undoes everything since `begin`.
    ///
    /// # Errors
    /// When the database cannot be reached; it then rolls back by itself.
    pub async fn rollback(mut self) -> Result<(), sqlx::Error> {
        let open = self.open.as_mut().ok_or_else(lost)?;
        DB::TransactionManager::rollback(open.connection_mut()).await?;
        open.state = State::Over;
        Ok(())
    }

    /// The value of this id as the transaction sees it, with what it has written so far. Neither reads the
    /// cache nor fills it.
    ///
    /// # Errors
    /// When it cannot be loaded; or when its loader reads from elsewhere than
    /// [`LoadContext::acquire`] says, which is where the transaction is.
    pub async fn get<T: Load<Db>>(&mut self, id: T::Id) -> Result<Option<Arc<T>>, Error> {
        let mut values = self.get_many::<T>(std::slice::from_ref(&id)).await?;
        Ok(values.swap_remove(0))
    }

    /// Likewise the values of these ids, at their positions.
    ///
    /// # Errors
    /// As [`get`](Self::get).
    pub async fn get_many<T: Load<Db>>(
        &mut self,
        ids: &[T::Id],
    ) -> Result<Vec<Option<Arc<T>>>, Error> {
        let (lent, cx) = self.lend::<T>()?;
        let values = read::load_uncached::<T, Db>(&cx, ids).await?;
        cx.was_used(T::MODEL, ids.is_empty())?;
        lent.served();
        Ok(values)
    }

    /// Likewise the value that a lookup column names.
    ///
    /// # Errors
    /// As [`get`](Self::get).
    pub async fn get_by<T: Find<Db>>(&mut self, by: T::Lookup) -> Result<Option<Arc<T>>, Error> {
        let (lent, cx) = self.lend::<T>()?;
        let found = T::find(&cx, &by).await;
        let found = found.map_err(|error| Error::load(T::MODEL, error))?;
        cx.was_used(T::MODEL, false)?;
        lent.served();
        match found {
            Some(id) => self.get::<T>(id).await,
            None => Ok(None),
        }
    }

    fn lend<T: Rows>(&mut self) -> Result<(Lent<'_, DB, Db>, LoadContext<Db>), Error> {
        self.cache.engine().schema.admit::<T>()?;
        if self.open.is_none() {
            return Err(Error::outbox(lost().into()));
        }
        let connection = Arc::new(Mutex::new(self.open.take()));
        let within = Within::new(connection.clone());
        let cx = LoadContext::within(self.cache.clone(), T::MODEL, within);
        let lent = Lent {
            transaction: self,
            connection,
            // Until it has served: it may be dropped halfway.
            has_failed: true,
        };
        Ok((lent, cx))
    }

    /// Reports, without a trigger, that a row was created.
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
        let admitted = self.cache.engine().schema.admit::<T>();
        self.misuse = self.misuse.take().or(admitted.err());
    }
}

/// A loader has given the connection away.
fn lost() -> sqlx::Error {
    sqlx::Error::Io(io::Error::other(
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
