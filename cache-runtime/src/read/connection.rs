//! The connection of a loader: one of the pool's, or that of the transaction which it loads for.

use std::fmt;
use std::ops::{Deref, DerefMut};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use sqlx::Pool;
use sqlx::pool::PoolConnection;
use tokio::sync::{Mutex, OwnedMutexGuard};

use crate::cache::Cache;
use crate::error::Error;
use crate::outbox::database::OutboxDatabase;
use crate::outbox::open::OpenTransaction;
use crate::read::load::{Ending, LoadContext, Reads, Within};

/// How long a loader waits for the transaction's one connection.
const PATIENCE: Duration = Duration::from_secs(5);

impl Within {
    /// Lends this one to a loader.
    pub(crate) fn new<DB: OutboxDatabase>(
        connection: Arc<Mutex<Option<OpenTransaction<DB>>>>,
    ) -> Within {
        Within { connection, used: AtomicBool::new(false) }
    }
}

impl<Db: Send + Sync + 'static> LoadContext<Db> {
    pub(crate) fn within(cache: Cache<Db>, model: &'static str, within: Within) -> LoadContext<Db> {
        LoadContext::that_reads(cache, model, Reads::Within(within))
    }

    fn transaction(&self) -> Option<&Within> {
        match &self.reads {
            Reads::Within(within) => Some(within),
            Reads::Through | Reads::Source => None,
        }
    }

    /// A connection for the loader's statements: one of the pool's, or, in a load within a
    /// transaction of this database, the transaction's. A loader has but one: it drops it before it
    /// reads on through this context, or takes another.
    ///
    /// # Errors
    /// When there is none to be had, or the loader has one.
    pub async fn acquire<DB: OutboxDatabase>(
        &self,
        pool: &Pool<DB>,
    ) -> Result<LoadConnection<DB>, sqlx::Error> {
        let lent = self.transaction().and_then(|within| {
            let connection = within.connection.clone();
            let connection =
                Arc::downcast::<Mutex<Option<OpenTransaction<DB>>>>(connection).ok()?;
            Some((within, connection))
        });
        let Some((within, connection)) = lent else {
            let counted = Counted::new(&self.ending, self.model)?;
            let connection = pool.acquire().await?;
            return Ok(LoadConnection(Kind::Pool(connection, counted)));
        };
        within.used.store(true, Ordering::Relaxed);
        let lock = Mutex::lock_owned(connection);
        let Ok(lock) = tokio::time::timeout(PATIENCE, lock).await else {
            let why = "the loader has the transaction's connection already: drop it before it is acquired again";
            return Err(sqlx::Error::Configuration(why.into()));
        };
        match lock.is_some() {
            true => Ok(LoadConnection(Kind::Transaction(lock))),
            false => Err(sqlx::Error::Configuration("the transaction is over".into())),
        }
    }

    /// An error if a load within a transaction has read from elsewhere.
    pub(crate) fn was_used(&self, model: &'static str, needless: bool) -> Result<(), Error> {
        let used = |within: &Within| within.used.load(Ordering::Relaxed);
        if needless || self.transaction().is_none_or(used) {
            return Ok(());
        }
        let why = "within a transaction it must take its connection from `cx.acquire(&pool)`";
        Err(Error::load(model, why.into()))
    }
}

/// A connection that dereferences to the database's: `query.fetch_all(&mut *connection)`.
pub struct LoadConnection<DB: OutboxDatabase>(Kind<DB>);

enum Kind<DB: OutboxDatabase> {
    Pool(PoolConnection<DB>, Counted),
    /// Never empty.
    Transaction(OwnedMutexGuard<Option<OpenTransaction<DB>>>),
}

/// A loader's connection, as long as it has it.
struct Counted(Ending);

impl Counted {
    fn new(ending: &Ending, model: &'static str) -> Result<Counted, sqlx::Error> {
        let counted = Counted(ending.clone());
        match ending.connections.fetch_add(1, Ordering::SeqCst) {
            0 => Ok(counted),
            _ => {
                let why = format!(
                    "the loader of `{model}` has a connection already: with many such, each waits for the others\n\
                     help: drop it before another is acquired"
                );
                Err(sqlx::Error::Configuration(why.into()))
            }
        }
    }
}

impl Drop for Counted {
    fn drop(&mut self) {
        self.0.connections.fetch_sub(1, Ordering::SeqCst);
    }
}

impl<DB: OutboxDatabase> Drop for LoadConnection<DB> {
    fn drop(&mut self) {
        if let Kind::Pool(connection, Counted(ending)) = &mut self.0
            && DB::IS_SERVER
            && ending.is_cut_short()
        {
            // A pool would wait for the answer.
            connection.close_on_drop();
        }
    }
}

impl<DB: OutboxDatabase> LoadConnection<DB> {
    /// Whether it is that of the transaction which the load is within.
    pub(super) fn is_of_transaction(&self) -> bool {
        matches!(self.0, Kind::Transaction(_))
    }
}

const FULL: &str = "checked when it was acquired";

impl<DB: OutboxDatabase> Deref for LoadConnection<DB> {
    type Target = DB::Connection;

    fn deref(&self) -> &DB::Connection {
        match &self.0 {
            Kind::Pool(connection, _) => connection,
            Kind::Transaction(open) => open.as_ref().expect(FULL).connection(),
        }
    }
}

impl<DB: OutboxDatabase> DerefMut for LoadConnection<DB> {
    fn deref_mut(&mut self) -> &mut DB::Connection {
        match &mut self.0 {
            Kind::Pool(connection, _) => connection,
            Kind::Transaction(open) => open.as_mut().expect(FULL).connection_mut(),
        }
    }
}

impl<DB: OutboxDatabase> fmt::Debug for LoadConnection<DB> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("LoadConnection").finish_non_exhaustive()
    }
}
