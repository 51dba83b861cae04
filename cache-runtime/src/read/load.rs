//! Where values come from on a miss.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

use crate::boxed::BoxError;
use crate::cache::Cache;
use crate::engine::Engine;
use crate::error::Error;
use crate::model::Cached;
use crate::read;

#[cfg(any(feature = "postgres", feature = "sqlite"))]
pub use within::LoadConnection;
#[cfg(any(feature = "postgres", feature = "sqlite"))]
pub(crate) use within::Within;

/// Loads a cached model from the source of type `Db` (a pool, usually).
///
/// ```ignore
/// impl Load<PgPool> for User {
///     async fn load(cx: &LoadContext<PgPool>, ids: &[i64]) -> Result<Vec<User>, BoxError> {
///         let mut db = cx.acquire(cx.db()).await?;
///         Ok(sqlx::query_as("SELECT * FROM users WHERE id = ANY($1)").bind(ids).fetch_all(&mut *db).await?)
///     }
/// }
/// ```
#[diagnostic::on_unimplemented(
    message = "`{Self}` cannot be loaded from `{Db}`",
    note = "implement `Load<{Db}>` for it: the query that runs on a miss"
)]
pub trait Load<Db>: Cached {
    /// Loads the rows with these ids, in any order; ids without a row are left out, which is stored
    /// as "no such row". One batch loader serves single reads and many.
    ///
    /// # Errors
    /// Whatever the source says; the readers who wait for these ids get it as an [`Error`].
    fn load(
        cx: &LoadContext<Db>,
        ids: &[Self::Id],
    ) -> impl Future<Output = Result<Vec<Self>, BoxError>> + Send;
}

/// Finds the id behind a `lookup` column.
#[diagnostic::on_unimplemented(
    message = "`{Self}` cannot be looked up in `{Db}`",
    note = "it has a `lookup` in cache.toml: implement `Find<{Db}>` for it, the query that finds the id"
)]
pub trait Find<Db>: Load<Db> {
    /// The id of the row whose column has this value, if there is one.
    ///
    /// # Errors
    /// Whatever the source says.
    fn find(
        cx: &LoadContext<Db>,
        by: &Self::Lookup,
    ) -> impl Future<Output = Result<Option<Self::Id>, BoxError>> + Send;
}

/// What a loader may use: the source, and other cached models.
#[derive(Debug)]
pub struct LoadContext<Db> {
    cache: Cache<Db>,
    /// What is loaded.
    model: &'static str,
    reads: Reads,
    ending: Ending,
}

/// How a load ends, as its connections know it.
#[derive(Debug, Clone, Default)]
pub(crate) struct Ending {
    is_cut_short: Arc<AtomicBool>,
    /// How many connections the loader has.
    connections: Arc<AtomicUsize>,
}

impl Ending {
    /// It is given up: what was asked over its connections may never be answered.
    pub(crate) fn cut_short(&self) {
        self.is_cut_short.store(true, Ordering::SeqCst);
    }
}

/// Where other cached models come from.
#[derive(Debug)]
enum Reads {
    /// Through the cache: what is loaded is to fill it.
    Through,
    /// Loaded as well, as what is loaded is to judge the cache.
    Source,
    /// Loaded as well, as this transaction sees them.
    #[cfg(any(feature = "postgres", feature = "sqlite"))]
    Within(Within),
}

impl<Db: Send + Sync + 'static> LoadContext<Db> {
    /// To fill the cache.
    pub(crate) fn new(cache: Cache<Db>, model: &'static str) -> LoadContext<Db> {
        LoadContext::that_reads(cache, model, Reads::Through)
    }

    /// To see what the source says, whatever the cache does.
    pub(crate) fn of_source(cache: Cache<Db>, model: &'static str) -> LoadContext<Db> {
        LoadContext::that_reads(cache, model, Reads::Source)
    }

    fn that_reads(cache: Cache<Db>, model: &'static str, reads: Reads) -> LoadContext<Db> {
        LoadContext {
            cache,
            model,
            reads,
            ending: Ending::default(),
        }
    }

    /// For a loader of its own, which has its own connection: two may run beside each other.
    fn nested(&self, model: &'static str) -> LoadContext<Db> {
        let mut cx = LoadContext::of_source(self.cache.clone(), model);
        cx.ending.is_cut_short = self.ending.is_cut_short.clone();
        cx
    }

    pub(crate) fn ending(&self) -> Ending {
        self.ending.clone()
    }

    pub(crate) fn engine(&self) -> &Engine {
        self.cache.engine()
    }

    /// The source. A loader that takes its connections from [`acquire`](Self::acquire) serves
    /// transactions as well.
    pub fn db(&self) -> &Db {
        self.cache.db()
    }

    /// Another cached model's value, through the cache.
    ///
    /// The loaded value must embed it (its tags count as the loaded value's own).
    ///
    /// # Errors
    /// As [`get_many`](Self::get_many).
    pub async fn get<T: Load<Db>>(&self, id: T::Id) -> Result<Option<Arc<T>>, Error> {
        let mut values = self.get_many::<T>(std::slice::from_ref(&id)).await?;
        Ok(values.swap_remove(0))
    }

    /// Other cached models' values, through the cache, at the positions of their ids. Within a
    /// transaction they are loaded, as the transaction sees them; for `verify` as well.
    ///
    /// # Errors
    /// When one of them could not be loaded.
    pub async fn get_many<T: Load<Db>>(&self, ids: &[T::Id]) -> Result<Vec<Option<Arc<T>>>, Error> {
        #[cfg(any(feature = "postgres", feature = "sqlite"))]
        if let Reads::Within(_) = self.reads {
            return read::load_uncached::<T, Db>(self, ids).await;
        }
        if self.ending.connections.load(Ordering::SeqCst) > 0 {
            let why = format!(
                "the loader of `{}` has a connection while it reads `{}` through the cache, whose loader may need one: with many such, \
                 each waits for the others\nhelp: drop the connection before `cx.get`",
                self.model,
                T::MODEL
            );
            return Err(Error::load(T::MODEL, why.into()));
        }
        if let Reads::Source = self.reads {
            return read::load_uncached::<T, Db>(&self.nested(T::MODEL), ids).await;
        }
        read::nested(&self.cache, ids).await
    }
}

/// Loads that see a transaction.
#[cfg(any(feature = "postgres", feature = "sqlite"))]
mod within {
    use std::any::Any;
    use std::fmt;
    use std::ops::{Deref, DerefMut};
    use std::sync::Arc;
    use std::sync::atomic::{AtomicBool, Ordering};
    use std::time::Duration;

    use sqlx::Pool;
    use sqlx::pool::PoolConnection;
    use tokio::sync::{Mutex, OwnedMutexGuard};

    use super::{Ending, LoadContext, Reads};
    use crate::cache::Cache;
    use crate::error::Error;
    use crate::outbox::database::OutboxDatabase;
    use crate::write::transaction::Open;

    /// How long a loader waits for the transaction's one connection.
    const PATIENCE: Duration = Duration::from_secs(5);

    /// A transaction's connection, of whichever database: a `Mutex<Option<Open<DB>>>`.
    pub(crate) struct Within {
        connection: Arc<dyn Any + Send + Sync>,
        used: AtomicBool,
    }

    impl Within {
        pub(crate) fn new<DB: OutboxDatabase>(connection: Arc<Mutex<Option<Open<DB>>>>) -> Within {
            Within {
                connection,
                used: AtomicBool::new(false),
            }
        }
    }

    impl<Db: Send + Sync + 'static> LoadContext<Db> {
        pub(crate) fn within(
            cache: Cache<Db>,
            model: &'static str,
            within: Within,
        ) -> LoadContext<Db> {
            LoadContext::that_reads(cache, model, Reads::Within(within))
        }

        fn transaction(&self) -> Option<&Within> {
            match &self.reads {
                Reads::Within(within) => Some(within),
                Reads::Through | Reads::Source => None,
            }
        }

        /// A connection for the loader's statements: one of the pool's, or, in a load within a
        /// transaction of this database, the transaction's. A loader has but one: it drops it before it reads
        /// on through this context, or takes another.
        ///
        /// # Errors
        /// When there is none to be had, or the loader has one.
        pub async fn acquire<DB: OutboxDatabase>(
            &self,
            pool: &Pool<DB>,
        ) -> Result<LoadConnection<DB>, sqlx::Error> {
            let lent = self.transaction().and_then(|within| {
                let connection = within.connection.clone();
                let connection = Arc::downcast::<Mutex<Option<Open<DB>>>>(connection).ok()?;
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

    impl fmt::Debug for Within {
        fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            f.write_str("a transaction")
        }
    }

    /// A connection that dereferences to the database's: `query.fetch_all(&mut *connection)`.
    pub struct LoadConnection<DB: OutboxDatabase>(Kind<DB>);

    enum Kind<DB: OutboxDatabase> {
        Pool(PoolConnection<DB>, Counted),
        /// Never empty.
        Transaction(OwnedMutexGuard<Option<Open<DB>>>),
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
                && ending.is_cut_short.load(Ordering::SeqCst)
            {
                // A pool would wait for the answer.
                connection.close_on_drop();
            }
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
}
