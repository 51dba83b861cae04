//! The cache as a service holds it.

use std::fmt;
use std::sync::{Arc, Weak};

use crate::engine::{Engine, relay, tasks};
use crate::error::Error;
use crate::local::near::Near;
use crate::mechanism::Mechanisms;
use crate::model::schema::Schema;
use crate::observe::event::{Event, Observer};
use crate::outbox::Outbox;
use crate::read;
use crate::read::load::Load;
use crate::store::Store;
use crate::store::memory::MemoryStore;

/// A read-through cache in front of a source of type `Db`. Cheap to clone.
///
/// Reads are the functions that `#[derive(Cached)]` puts on the models, such as `Plio::get(&cache,
/// 1)`. Writes go through [`begin`](Cache::begin), or through anything else that the database's
/// triggers see.
pub struct Cache<Db>(Arc<Inner<Db>>);

struct Inner<Db> {
    db: Db,
    engine: Arc<Engine>,
}

/// One that lets the cache end.
pub(crate) struct WeakCache<Db>(Weak<Inner<Db>>);

impl<Db> WeakCache<Db> {
    pub(crate) fn upgrade(&self) -> Option<Cache<Db>> {
        self.0.upgrade().map(Cache)
    }
}

impl<Db> Clone for Cache<Db> {
    fn clone(&self) -> Self {
        Cache(self.0.clone())
    }
}

impl<Db> fmt::Debug for Cache<Db> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Cache")
            .field("store", &self.0.engine.store.name())
            .finish_non_exhaustive()
    }
}

impl<Db: Send + Sync + 'static> Cache<Db> {
    /// A cache in front of `db`, with what `cache_runtime::schema!()` says.
    pub fn builder(db: Db, schema: &'static Schema) -> Builder<Db> {
        Builder {
            db,
            schema,
            store: None,
            outbox: None,
            relay: true,
            near: true,
            observer: Observer::default(),
            mechanisms: Mechanisms::default(),
        }
    }

    /// The source.
    pub fn db(&self) -> &Db {
        &self.0.db
    }

    /// Delivers every outbox row that waits, such as those of statements that another program ran.
    /// Returns how many.
    ///
    /// # Errors
    /// When the outbox cannot be read, or the store is away; the rows then go on waiting.
    pub async fn drain(&self) -> Result<usize, Error> {
        tasks::is_in_runtime()?;
        self.0.engine.drain().await
    }

    /// Forgets everything that is stored, in this process and in all others: after the database was
    /// restored, or written to with its triggers disabled.
    ///
    /// # Errors
    /// When the outbox cannot be written; or when the store is away, which then forgets everything on its way back.
    pub async fn clear(&self) -> Result<(), Error> {
        tasks::is_in_runtime()?;
        self.0.engine.clear().await
    }

    /// Invalidates what is built from the row with this id, in all processes, as if it had been written to; then loads its value and
    /// stores it, for readers to come. After a write that nobody reported, or to warm a cache up.
    ///
    /// # Errors
    /// When it could not be loaded; or when the outbox cannot be written, or, without one, the store be reached.
    pub async fn refresh<T: Load<Db>>(&self, id: T::Id) -> Result<(), Error> {
        self.refresh_many::<T>(std::slice::from_ref(&id)).await
    }

    /// As [`refresh`](Self::refresh), in one load.
    ///
    /// # Errors
    /// As there.
    pub async fn refresh_many<T: Load<Db>>(&self, ids: &[T::Id]) -> Result<(), Error> {
        read::reload::<T, Db>(self, ids).await
    }

    pub(crate) fn downgrade(&self) -> WeakCache<Db> {
        WeakCache(Arc::downgrade(&self.0))
    }

    #[inline]
    pub(crate) fn engine(&self) -> &Arc<Engine> {
        &self.0.engine
    }
}

/// Sets up a [`Cache`].
pub struct Builder<Db> {
    db: Db,
    pub(crate) schema: &'static Schema,
    store: Option<Arc<dyn Store>>,
    outbox: Option<Arc<dyn Outbox>>,
    relay: bool,
    near: bool,
    observer: Observer,
    mechanisms: Mechanisms,
}

impl<Db> fmt::Debug for Builder<Db> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Builder").finish_non_exhaustive()
    }
}

impl<Db: Send + Sync + 'static> Builder<Db> {
    /// Where the values live; a [`MemoryStore`] when not said.
    #[must_use]
    pub fn store(mut self, store: impl Store) -> Self {
        self.store = Some(Arc::new(store));
        self
    }

    #[cfg(any(feature = "postgres", feature = "sqlite"))]
    pub(crate) fn reports(mut self, outbox: Arc<dyn Outbox>) -> Self {
        self.outbox = Some(outbox);
        self
    }

    /// Whether this process relays what others write to the database; it does when not said. Leave it on: by it a process also
    /// notices that the triggers are no longer right, or that Redis was given another server's memory. With none in the service, what
    /// `psql` writes waits for a [`drain`](Cache::drain) or for the `ttl`.
    #[must_use]
    pub fn relay(mut self, relay: bool) -> Self {
        self.relay = relay;
        self
    }

    /// Whether this process keeps values near, where `cache.toml` says so, and hears of what others invalidate; it does when not
    /// said. Without it nothing is refreshed on write here either.
    #[must_use]
    pub fn near(mut self, near: bool) -> Self {
        self.near = near;
        self
    }

    /// Switches a mechanism off, so that what is stale may be served.
    #[cfg(feature = "mechanisms")]
    #[doc(hidden)]
    #[must_use]
    pub fn without(mut self, mechanism: crate::mechanism::Mechanism) -> Self {
        self.mechanisms.off = Some(mechanism);
        self
    }

    /// Calls `observe` for everything that happens, synchronously, where it happens.
    #[must_use]
    pub fn on_event(mut self, observe: impl Fn(&Event<'_>) + Send + Sync + 'static) -> Self {
        self.observer = Observer::new(observe);
        self
    }

    /// Connects the store, delivers what waits in the outbox, and starts the relay.
    ///
    /// While the store or the database is away, that is no error: reads go to the source, and the
    /// cache goes on trying in the background.
    ///
    /// # Errors
    /// When the database does not have the triggers that `cache.toml` renders (`is_set_up`). Outside of a Tokio runtime; or, in a
    /// debug build, when another `cache.toml` has appeared since, which cargo does not notice (`is_misuse`).
    pub async fn build(self) -> Result<Cache<Db>, Error> {
        tasks::is_in_runtime()?;
        self.schema.is_of_nearest()?;
        let store = self
            .store
            .unwrap_or_else(|| Arc::new(MemoryStore::new(self.schema)));
        let max_staleness = self.schema.max_staleness.filter(|_| self.near);
        let near = max_staleness.map(|it| Near::new(self.schema.models, it, self.mechanisms));
        let engine = Engine::start(
            store,
            self.outbox,
            self.schema,
            near,
            self.observer,
            self.mechanisms,
        )
        .await?;
        if self.relay {
            relay::start(&engine);
        }
        Ok(Cache(Arc::new(Inner {
            db: self.db,
            engine,
        })))
    }
}
