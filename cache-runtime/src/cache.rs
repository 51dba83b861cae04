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
use crate::store::consistency::ConsistencyToken;

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
pub struct Cache<Db> {
    inner: Arc<Inner<Db>>,
    /// What is read through this handle is from no earlier moment.
    at_least: Option<ConsistencyToken>,
}

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
        self.0.upgrade().map(Cache::of)
    }
}

impl<Db> Clone for Cache<Db> {
    fn clone(&self) -> Self {
        Cache { inner: self.inner.clone(), at_least: self.at_least }
    }
}

impl<Db> Cache<Db> {
    /// A handle that promises nothing in particular.
    fn of(inner: Arc<Inner<Db>>) -> Cache<Db> {
        Cache { inner, at_least: None }
    }
}

impl<Db> fmt::Debug for Cache<Db> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Cache")
            .field("store", &self.inner.engine.gate.tier())
            .finish_non_exhaustive()
    }
}

impl<Db: Send + Sync + 'static> Cache<Db> {
    pub(crate) fn new(db: Db, schema: &'static Schema, engine: Engine) -> Cache<Db> {
        Cache::of(Arc::new(Inner {
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
        &self.inner.db
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
        self.inner.engine.deliver_pending().await
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
        self.inner.engine.clear().await
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
        self.inner.engine.shut_down().await;
    }

    /// A handle whose reads are never answered from before the commit that returned this token,
    /// whichever process it was made in: "read your writes" behind a load balancer. It is as cheap
    /// as a clone.
    ///
    /// A process answers from near once it has heard of the commit, and from the store if that has
    /// been told of it, which is nearly always so. What the two cannot promise is loaded from the
    /// source, and is stored nowhere (`fwd=bypass` in `Cache-Status`):
    ///
    /// - The store was away when the commit was made: the token is `undelivered`.
    /// - The store has begun anew since, or is on another server.
    /// - The store is away now.
    /// - Each process has a store of its own, in memory, and the commit was made in another one.
    ///
    /// So show a token for some seconds after a write, not for ever. Called on such a handle, it
    /// keeps both promises.
    ///
    /// ```
    /// # use blog::Post; use cache_runtime::ConsistencyToken;
    /// # #[tokio::main]
    /// # async fn main() -> Result<(), cache_runtime::BoxError> {
    /// # let cache = blog::cache().await?;
    /// let mut tx = cache.begin().await?;
    /// sqlx::query("UPDATE post SET title = 'On wheels' WHERE id = 1").execute(&mut *tx).await?;
    /// let cookie = tx.commit().await?.to_string();
    ///
    /// // The next request of this client, in any process:
    /// let token: ConsistencyToken = cookie.parse()?;
    /// let post = Post::get(&cache.at_least(token), 1).await?.ok_or("no such post")?;
    /// assert_eq!(post.title, "On wheels");
    /// # Ok(()) }
    /// ```
    #[must_use]
    pub fn at_least(&self, token: ConsistencyToken) -> Cache<Db> {
        let token = self.at_least.map_or(token, |before| before.and(token));
        Cache { inner: self.inner.clone(), at_least: Some(token) }
    }

    /// A handle that promises nothing in particular: for what is done for all readers.
    pub(crate) fn plain(&self) -> Cache<Db> {
        Cache::of(self.inner.clone())
    }

    /// What is read through this handle is from no earlier moment.
    #[inline]
    pub(crate) fn promised(&self) -> Option<ConsistencyToken> {
        self.at_least
    }

    pub(crate) fn downgrade(&self) -> WeakCache<Db> {
        WeakCache(Arc::downgrade(&self.inner))
    }

    pub(crate) fn schema(&self) -> &'static Schema {
        self.inner.schema
    }

    #[inline]
    pub(crate) fn engine(&self) -> &Engine {
        &self.inner.engine
    }

    /// No tags yet, for the database that reports writes.
    pub(crate) fn tags(&self) -> Tags {
        Tags::of(self.inner.engine.delivery.dialect())
    }

    #[inline]
    pub(crate) fn observer(&self) -> &Observer {
        &self.inner.engine.gate.observer
    }

    /// Whether this is on: always, but for tests.
    pub(crate) fn has(&self, mechanism: Mechanism) -> bool {
        self.inner.engine.gate.has(mechanism)
    }

    #[inline]
    pub(crate) fn locals(&self) -> &Locals {
        &self.inner.locals
    }

    pub(crate) fn loads(&self) -> &Arc<Semaphore> {
        &self.inner.loads
    }

    pub(crate) fn verifications(&self) -> &Arc<Semaphore> {
        &self.inner.verifications
    }
}
