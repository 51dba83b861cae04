//! How a cache is put together.

use std::any::Any;
use std::fmt;
use std::sync::Arc;

#[cfg(any(feature = "postgres", feature = "sqlite"))]
use sqlx::Pool;

use crate::cache::Cache;
use crate::engine::Engine;
use crate::engine::gate::Gate;
use crate::engine::tasks::is_in_runtime;
use crate::error::Error;
use crate::local::near::NearFence;
use crate::mechanism::Mechanisms;
use crate::model::schema::Schema;
use crate::observe::event::Event;
use crate::observe::observer::Observer;
use crate::outbox::Outbox;
#[cfg(any(feature = "postgres", feature = "sqlite"))]
use crate::outbox::database::OutboxDatabase;
#[cfg(any(feature = "postgres", feature = "sqlite"))]
use crate::outbox::table::OwnOutbox;
use crate::store::Store;
use crate::store::memory::MemoryStore;

const NO_OUTBOX: &str = "it is not said which database reports writes, so that nothing would be invalidated\n\
    help: call `.outbox(&pool)` on the builder; a source that is itself a `PgPool` or `SqlitePool` needs no such call (with the feature `postgres`, or `sqlite`)\n\
    help: where values are right until their `ttl` is over, call `.without_outbox()`";

/// Sets up a [`Cache`].
pub struct Builder<Db> {
    db: Db,
    schema: &'static Schema,
    store: Option<Arc<dyn Store>>,
    reports: Reports,
    relay: bool,
    near: bool,
    observer: Observer,
    mechanisms: Mechanisms,
}

/// Who reports writes.
enum Reports {
    /// The source, if it is a pool.
    Source,
    #[cfg(any(feature = "postgres", feature = "sqlite"))]
    Outbox(Arc<dyn Outbox>),
    Nobody,
}

impl<Db> fmt::Debug for Builder<Db> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Builder").finish_non_exhaustive()
    }
}

impl<Db: Send + Sync + 'static> Cache<Db> {
    /// A cache in front of `db`, with what `cache_runtime::schema!()` says.
    ///
    /// Where `db` is a `sqlx::PgPool` or a `sqlx::SqlitePool`, that database reports its writes, by
    /// the triggers of [`Schema::install`](crate::Schema::install). For another source, such as a
    /// struct with the pool in it, call [`outbox`](Builder::outbox).
    ///
    /// ```
    /// # use blog::SCHEMA; use cache_runtime::Cache;
    /// # #[tokio::main]
    /// # async fn main() -> Result<(), cache_runtime::BoxError> {
    /// # let pool = blog::database().await?;
    /// # SCHEMA.install(&pool).await?;
    /// let cache = Cache::builder(pool, &SCHEMA).build().await?;
    /// # Ok(()) }
    /// ```
    pub fn builder(db: Db, schema: &'static Schema) -> Builder<Db> {
        Builder {
            db,
            schema,
            store: None,
            reports: Reports::Source,
            relay: true,
            near: true,
            observer: Observer::default(),
            mechanisms: Mechanisms::default(),
        }
    }
}

impl<Db: Send + Sync + 'static> Builder<Db> {
    /// Where the values live; a [`MemoryStore`] when not said.
    ///
    /// ```
    /// # use blog::SCHEMA; use cache_runtime::{Cache, MemoryStore};
    /// # #[tokio::main]
    /// # async fn main() -> Result<(), cache_runtime::BoxError> {
    /// # let pool = blog::database().await?;
    /// # SCHEMA.install(&pool).await?;
    /// let store = MemoryStore::new(&SCHEMA).capacity(256 << 20);
    /// let cache = Cache::builder(pool, &SCHEMA).store(store).build().await?;
    /// # Ok(()) }
    /// ```
    #[must_use]
    pub fn store(mut self, store: impl Store) -> Self {
        self.store = Some(Arc::new(store));
        self
    }

    /// Nothing is reported, and nothing invalidated but by [`Cache::invalidate`],
    /// [`Cache::refresh`] and [`Cache::clear`]: for a source whose values are right until their
    /// `ttl` is over.
    ///
    /// ```
    /// # use blog::SCHEMA; use cache_runtime::Cache;
    /// # #[tokio::main]
    /// # async fn main() -> Result<(), cache_runtime::BoxError> {
    /// # let pool = blog::database().await?;
    /// # SCHEMA.install(&pool).await?;
    /// let cache = Cache::builder(pool, &SCHEMA).without_outbox().build().await?;
    /// // So there are no transactions that would invalidate.
    /// assert!(cache.begin().await.is_err());
    /// # Ok(()) }
    /// ```
    #[must_use]
    pub fn without_outbox(mut self) -> Self {
        self.reports = Reports::Nobody;
        self
    }

    /// Whether this process relays what others write to the database; it does when not said. Leave
    /// it on: by it a process also notices that the triggers are no longer right, or that Redis was
    /// given another server's memory. With none in the service, what `psql` writes waits for a
    /// [`deliver_pending`](Cache::deliver_pending) or for the `ttl`.
    ///
    /// ```
    /// # use blog::SCHEMA; use cache_runtime::Cache;
    /// # #[tokio::main]
    /// # async fn main() -> Result<(), cache_runtime::BoxError> {
    /// # let pool = blog::database().await?;
    /// # SCHEMA.install(&pool).await?;
    /// let cache = Cache::builder(pool, &SCHEMA).relay(false).build().await?;
    /// # Ok(()) }
    /// ```
    #[must_use]
    pub fn relay(mut self, relay: bool) -> Self {
        self.relay = relay;
        self
    }

    /// Whether this process keeps values near, where `cache.toml` says so, and hears of what others
    /// invalidate; it does when not said. Without it nothing is refreshed on write here either.
    ///
    /// ```
    /// # use blog::SCHEMA; use cache_runtime::Cache;
    /// # #[tokio::main]
    /// # async fn main() -> Result<(), cache_runtime::BoxError> {
    /// # let pool = blog::database().await?;
    /// # SCHEMA.install(&pool).await?;
    /// let cache = Cache::builder(pool, &SCHEMA).near(false).build().await?;
    /// # Ok(()) }
    /// ```
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
    ///
    /// ```
    /// # use blog::SCHEMA; use cache_runtime::{Cache, Event};
    /// # #[tokio::main]
    /// # async fn main() -> Result<(), cache_runtime::BoxError> {
    /// # let pool = blog::database().await?;
    /// # SCHEMA.install(&pool).await?;
    /// let cache = Cache::builder(pool, &SCHEMA)
    ///     .on_event(|event| match event {
    ///         Event::Hit { key, tier } => println!("{tier} has {key}"),
    ///         Event::Miss { key } => println!("nobody has {key}"),
    ///         _ => {}
    ///     })
    ///     .build()
    ///     .await?;
    /// # Ok(()) }
    /// ```
    #[must_use]
    pub fn on_event(mut self, observe: impl Fn(&Event<'_>) + Send + Sync + 'static) -> Self {
        self.observer = Observer::new(observe);
        self
    }

    /// Connects the store, delivers what waits in the outbox, and starts the tasks: the relay, the
    /// way back of a store that is away, the listening for what others invalidate.
    ///
    /// While the store or the database is away, that is no error: reads go to the source, and the
    /// cache goes on trying in the background.
    ///
    /// ```
    /// # use blog::SCHEMA; use cache_runtime::Cache;
    /// # #[tokio::main]
    /// # async fn main() -> Result<(), cache_runtime::BoxError> {
    /// # let pool = blog::database().await?;
    /// // The triggers are not installed.
    /// let error = Cache::builder(pool, &SCHEMA).build().await.expect_err("nothing would be reported");
    /// assert!(error.is_set_up());
    /// # Ok(()) }
    /// ```
    ///
    /// # Errors
    /// When the database does not have the triggers that `cache.toml` renders (`is_set_up`). When
    /// it is not said which database reports writes; outside of a Tokio runtime; or, in a debug
    /// build, when another `cache.toml` has appeared since, which cargo does not notice
    /// (`is_misuse`).
    pub async fn build(self) -> Result<Cache<Db>, Error> {
        is_in_runtime()?;
        self.schema.is_of_nearest()?;
        let schema = self.schema;
        let outbox = match self.reports {
            Reports::Source => {
                Some(of_source(&self.db, schema).ok_or_else(|| Error::misuse(NO_OUTBOX))?)
            }
            #[cfg(any(feature = "postgres", feature = "sqlite"))]
            Reports::Outbox(outbox) => Some(outbox),
            Reports::Nobody => None,
        };
        let store = self.store.unwrap_or_else(|| Arc::new(MemoryStore::new(schema)));
        let max_staleness = schema.max_staleness.filter(|_| self.near);
        let near = max_staleness.map(|it| Arc::new(NearFence::new(it).with(self.mechanisms)));
        let gate = Gate::new(store, near, self.observer, self.mechanisms);
        let engine = Engine::start(gate, outbox, schema, self.relay).await?;
        Ok(Cache::new(self.db, schema, engine))
    }
}

/// The outbox of a source that is a pool.
fn of_source(db: &dyn Any, schema: &'static Schema) -> Option<Arc<dyn Outbox>> {
    #[cfg(feature = "postgres")]
    if let Some(pool) = db.downcast_ref::<sqlx::PgPool>() {
        return Some(OwnOutbox::of(pool, schema, true));
    }
    #[cfg(feature = "sqlite")]
    if let Some(pool) = db.downcast_ref::<sqlx::SqlitePool>() {
        return Some(OwnOutbox::of(pool, schema, true));
    }
    let _ = (db, schema);
    None
}

#[cfg(any(feature = "postgres", feature = "sqlite"))]
impl<Db: Send + Sync + 'static> Builder<Db> {
    /// The database whose writes are reported, by the triggers of
    /// [`Schema::install`](crate::Schema::install). Not needed where the source is the pool.
    ///
    /// ```
    /// # use blog::SCHEMA; use cache_runtime::Cache; use sqlx::SqlitePool;
    /// # #[tokio::main]
    /// # async fn main() -> Result<(), cache_runtime::BoxError> {
    /// # let pool = blog::database().await?;
    /// # SCHEMA.install(&pool).await?;
    /// struct App {
    ///     pool: SqlitePool,
    /// }
    ///
    /// let app = App { pool: pool.clone() };
    /// let cache = Cache::builder(app, &SCHEMA).outbox(&pool).build().await?;
    /// let tx = cache.begin_on(&cache.db().pool).await?;
    /// # tx.rollback().await?;
    /// # Ok(()) }
    /// ```
    #[must_use]
    pub fn outbox<DB: OutboxDatabase>(mut self, pool: &Pool<DB>) -> Self {
        self.reports = Reports::Outbox(OwnOutbox::of(pool, self.schema, true));
        self
    }

    /// The database whose writes are reported by who writes, with
    /// [`Transaction::changed`](crate::Transaction::changed) and its like, into the outbox of
    /// [`Schema::install_outbox`](crate::Schema::install_outbox).
    ///
    /// ```
    /// # use blog::SCHEMA; use cache_runtime::Cache;
    /// # #[tokio::main]
    /// # async fn main() -> Result<(), cache_runtime::BoxError> {
    /// # let pool = blog::database().await?;
    /// SCHEMA.install_outbox(&pool).await?;
    /// let cache = Cache::builder(pool.clone(), &SCHEMA).outbox_without_triggers(&pool).build().await?;
    /// # Ok(()) }
    /// ```
    #[must_use]
    pub fn outbox_without_triggers<DB: OutboxDatabase>(mut self, pool: &Pool<DB>) -> Self {
        self.reports = Reports::Outbox(OwnOutbox::of(pool, self.schema, false));
        self
    }
}
