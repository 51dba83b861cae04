//! The cache as a service holds it.

use std::fmt;
use std::sync::{Arc, Weak};

use tokio::sync::Semaphore;

use crate::engine::Engine;
use crate::engine::tasks::is_in_runtime;
use crate::error::Error;
use crate::local::query::Locals;
use crate::mechanism::Mechanism;
use crate::model::schema::Schema;
use crate::model::tag::Tags;
use crate::observe::observer::Observer;

/// How many hits are being verified at once in a cache, at most; while there are so many, others
/// are not sampled.
const VERIFICATIONS: usize = 16;

/// A read-through cache in front of a source of type `Db`. Cheap to clone.
///
/// Reads are the functions that `#[derive(Cached)]` puts on the models, such as `Plio::get(&cache,
/// 1)`. Writes go through [`begin`](Cache::begin), or through anything else that the database's
/// triggers see.
///
/// ```
/// # use blog::{Post, SCHEMA}; use cache_runtime::Cache;
/// # #[tokio::main]
/// # async fn main() -> Result<(), cache_runtime::BoxError> {
/// # let pool = blog::database().await?;
/// # SCHEMA.install(&pool).await?;
/// let cache = Cache::builder(pool, &SCHEMA).build().await?;
/// let post = Post::get(&cache, 1).await?.ok_or("no such post")?;
/// assert_eq!(post.author.name, "Ada");
///
/// let mut tx = cache.begin().await?;
/// let sql = "UPDATE author SET name = 'Ada Lovelace' WHERE id = 1";
/// sqlx::query(sql).execute(&mut *tx).await?;
/// tx.commit().await?;
///
/// let post = Post::get(&cache, 1).await?.ok_or("no such post")?;
/// assert_eq!(post.author.name, "Ada Lovelace");
/// # Ok(()) }
/// ```
pub struct Cache<Db>(Arc<Inner<Db>>);

struct Inner<Db> {
    db: Db,
    schema: &'static Schema,
    engine: Engine,
    locals: Locals,
    /// The turns of loads.
    loads: Arc<Semaphore>,
    /// The turns of verifications.
    verifications: Arc<Semaphore>,
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
        f.debug_struct("Cache").field("store", &self.0.engine.gate.tier()).finish_non_exhaustive()
    }
}

impl<Db: Send + Sync + 'static> Cache<Db> {
    pub(crate) fn new(db: Db, schema: &'static Schema, engine: Engine) -> Cache<Db> {
        Cache(Arc::new(Inner {
            db,
            schema,
            engine,
            locals: Locals::new(schema.models),
            loads: Arc::new(Semaphore::new(schema.max_loads)),
            verifications: Arc::new(Semaphore::new(VERIFICATIONS)),
        }))
    }

    /// The source.
    ///
    /// ```
    /// # #[tokio::main]
    /// # async fn main() -> Result<(), cache_runtime::BoxError> {
    /// # let cache = blog::cache().await?;
    /// let posts: i64 = sqlx::query_scalar("SELECT count(*) FROM post").fetch_one(cache.db()).await?;
    /// assert_eq!(posts, 2);
    /// # Ok(()) }
    /// ```
    pub fn db(&self) -> &Db {
        &self.0.db
    }

    /// Delivers every row of the outbox that waits, such as those of statements that another
    /// program ran. Returns how many.
    ///
    /// ```
    /// # use blog::Post;
    /// # #[tokio::main]
    /// # async fn main() -> Result<(), cache_runtime::BoxError> {
    /// # let cache = blog::cache().await?;
    /// // Nobody has told the cache of this; the trigger has noted it.
    /// let sql = "UPDATE post SET title = 'On wheels' WHERE id = 1";
    /// sqlx::query(sql).execute(cache.db()).await?;
    /// cache.deliver_pending().await?;
    /// let post = Post::get(&cache, 1).await?.ok_or("no such post")?;
    /// assert_eq!(post.title, "On wheels");
    /// # Ok(()) }
    /// ```
    ///
    /// # Errors
    /// When the outbox cannot be read, or the store is away; the rows then go on waiting.
    pub async fn deliver_pending(&self) -> Result<usize, Error> {
        is_in_runtime()?;
        self.0.engine.deliver_pending().await
    }

    /// Forgets everything that is stored, in this process and in all others: after the database was
    /// restored, or written to with its triggers disabled.
    ///
    /// ```
    /// # use blog::Post;
    /// # #[tokio::main]
    /// # async fn main() -> Result<(), cache_runtime::BoxError> {
    /// # let cache = blog::cache().await?;
    /// cache.clear().await?;
    /// assert_eq!(Post::fetch(&cache, 1).await?.status.to_string(), "memory; fwd=miss; stored");
    /// # Ok(()) }
    /// ```
    ///
    /// # Errors
    /// When the outbox cannot be written; or when the store is away, which then forgets everything
    /// on its way back.
    pub async fn clear(&self) -> Result<(), Error> {
        is_in_runtime()?;
        self.0.engine.clear().await
    }

    /// Waits until every commit that was begun has been delivered (or its rows wait in the outbox,
    /// as the store is away); then ends what the cache does in the background: the relay, the way
    /// back of a store that is away, the listening for what others invalidate, refresh-ahead.
    /// Returns when they have come to the end of what they were at, which may take a minute if the
    /// database does not answer. May be called any number of times.
    ///
    /// To be called when the service has answered its last request. (A cache that is merely dropped
    /// ends its tasks as well, but nobody waits for them.) Reads go on to be answered: from the
    /// near cache for `near.max-staleness` at most, and from a store that goes away later only
    /// after a [`deliver_pending`](Self::deliver_pending).
    ///
    /// ```
    /// # #[tokio::main]
    /// # async fn main() -> Result<(), cache_runtime::BoxError> {
    /// # let cache = blog::cache().await?;
    /// // The service has answered its last request.
    /// cache.shutdown().await;
    /// # Ok(()) }
    /// ```
    pub async fn shutdown(&self) {
        self.0.engine.shut_down().await;
    }

    pub(crate) fn downgrade(&self) -> WeakCache<Db> {
        WeakCache(Arc::downgrade(&self.0))
    }

    pub(crate) fn schema(&self) -> &'static Schema {
        self.0.schema
    }

    #[inline]
    pub(crate) fn engine(&self) -> &Engine {
        &self.0.engine
    }

    /// No tags yet, for the database that reports writes.
    pub(crate) fn tags(&self) -> Tags {
        Tags::of(self.0.engine.delivery.dialect())
    }

    #[inline]
    pub(crate) fn observer(&self) -> &Observer {
        &self.0.engine.gate.observer
    }

    /// Whether this is on: always, but for tests.
    pub(crate) fn has(&self, mechanism: Mechanism) -> bool {
        self.0.engine.gate.has(mechanism)
    }

    #[inline]
    pub(crate) fn locals(&self) -> &Locals {
        &self.0.locals
    }

    pub(crate) fn loads(&self) -> &Arc<Semaphore> {
        &self.0.loads
    }

    pub(crate) fn verifications(&self) -> &Arc<Semaphore> {
        &self.0.verifications
    }
}
