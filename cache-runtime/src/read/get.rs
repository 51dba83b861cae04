//! What a service calls: the getters of the cache.

use std::slice::from_ref;
use std::sync::Arc;

use crate::cache::Cache;
use crate::engine::tasks::is_in_runtime;
use crate::error::Error;
use crate::model::{Cached, Codec};
use crate::read::answer::Fetched;
use crate::read::load::{Find, Load};
use crate::read::mode::CacheMode;
use crate::read::query::{ById, IdByLookup, Query};
use crate::read::representation::{AsJson, Decoded, Representation};
use crate::read::{probe, refresh, round};
use crate::value::json::Json;

/// What the functions that `#[derive(Cached)]` makes are for one struct, for code that is generic
/// over what it reads.
impl<Db: Send + Sync + 'static> Cache<Db> {
    /// The value of the row with this id, through the cache; `None` when there is none.
    ///
    /// ```
    /// # use blog::Post;
    /// # #[tokio::main]
    /// # async fn main() -> Result<(), cache_runtime::BoxError> {
    /// # let cache = blog::cache().await?;
    /// let post = cache.get::<Post>(1).await?.ok_or("no such post")?;
    /// assert_eq!(post.title, "On engines");
    /// # Ok(()) }
    /// ```
    ///
    /// # Errors
    /// When it had to be loaded and could not be.
    pub async fn get<T: Load<Db>>(&self, id: T::Id) -> Result<Option<Arc<T>>, Error> {
        match probe::near::<ById<T, Db>, Decoded>(self, &id) {
            Some(value) => Ok(value),
            // Boxed: the future of a near hit is to be small.
            None => {
                let fetched = Box::pin(far_one::<ById<T, Db>, Decoded>(self, id)).await?;
                Ok(fetched.value)
            }
        }
    }

    /// The values of the rows with these ids, at their positions.
    ///
    /// ```
    /// # use blog::Post;
    /// # #[tokio::main]
    /// # async fn main() -> Result<(), cache_runtime::BoxError> {
    /// # let cache = blog::cache().await?;
    /// let posts = cache.get_many::<Post>(&[2, 404, 1]).await?;
    /// let titles: Vec<Option<&str>> =
    ///     posts.iter().map(|post| Some(&*post.as_ref()?.title)).collect();
    /// assert_eq!(titles, [Some("On looms"), None, Some("On engines")]);
    /// # Ok(()) }
    /// ```
    ///
    /// # Errors
    /// As [`get`](Self::get).
    pub async fn get_many<T: Load<Db>>(&self, ids: &[T::Id]) -> Result<Vec<Option<Arc<T>>>, Error> {
        let fetched = self.fetch_many(ids).await?;
        Ok(fetched.into_iter().map(|fetched| fetched.value).collect())
    }

    /// The value of the row that a lookup column names.
    ///
    /// ```
    /// # use blog::{Post, PostLookup};
    /// # #[tokio::main]
    /// # async fn main() -> Result<(), cache_runtime::BoxError> {
    /// # let cache = blog::cache().await?;
    /// let by = PostLookup::Slug("looms".to_owned());
    /// let post = cache.get_by::<Post>(by).await?.ok_or("no such post")?;
    /// assert_eq!(post.id, 2);
    /// # Ok(()) }
    /// ```
    ///
    /// # Errors
    /// As [`get`](Self::get).
    pub async fn get_by<T: Find<Db>>(&self, by: T::Lookup) -> Result<Option<Arc<T>>, Error> {
        Ok(self.fetch_by(by).await?.value)
    }

    /// As [`get`](Self::get), and how it was come by.
    ///
    /// ```
    /// # use blog::Post;
    /// # #[tokio::main]
    /// # async fn main() -> Result<(), cache_runtime::BoxError> {
    /// # let cache = blog::cache().await?;
    /// let first = cache.fetch::<Post>(1).await?;
    /// assert_eq!(first.status.to_string(), "memory; fwd=miss; stored");
    /// let again = cache.fetch::<Post>(1).await?;
    /// assert_eq!(again.status.to_string(), "memory; hit");
    /// # Ok(()) }
    /// ```
    ///
    /// # Errors
    /// As there.
    pub async fn fetch<T: Load<Db>>(&self, id: T::Id) -> Result<Fetched<Arc<T>>, Error> {
        one::<ById<T, Db>, Decoded>(self, id).await
    }

    /// As [`get_many`](Self::get_many), and how each was come by.
    ///
    /// ```
    /// # use blog::Post;
    /// # #[tokio::main]
    /// # async fn main() -> Result<(), cache_runtime::BoxError> {
    /// # let cache = blog::cache().await?;
    /// for fetched in cache.fetch_many::<Post>(&[1, 2]).await? {
    ///     println!("{}: {:?}", fetched.status, fetched.value);
    /// }
    /// # Ok(()) }
    /// ```
    ///
    /// # Errors
    /// As [`get`](Self::get).
    pub async fn fetch_many<T: Load<Db>>(
        &self,
        ids: &[T::Id],
    ) -> Result<Vec<Fetched<Arc<T>>>, Error> {
        many::<ById<T, Db>, Decoded>(self, ids, CacheMode::Default).await
    }

    /// As [`get_by`](Self::get_by), and how it was come by.
    ///
    /// Two steps, each cached: column → id → value. A row that changes its column between the two
    /// is answered as one that still had it.
    ///
    /// ```
    /// # use blog::{Post, PostLookup};
    /// # #[tokio::main]
    /// # async fn main() -> Result<(), cache_runtime::BoxError> {
    /// # let cache = blog::cache().await?;
    /// let by = PostLookup::Slug("looms".to_owned());
    /// let fetched = cache.fetch_by::<Post>(by).await?;
    /// println!("{}: {:?}", fetched.status, fetched.value);
    /// # Ok(()) }
    /// ```
    ///
    /// # Errors
    /// As [`get`](Self::get).
    pub async fn fetch_by<T: Find<Db>>(&self, by: T::Lookup) -> Result<Fetched<Arc<T>>, Error> {
        through_lookup::<T, Decoded, Db>(self, by).await
    }

    /// The JSON of the row with this id, as it is stored but for what is `#[cached(hidden)]`, and
    /// how it was come by. It does not compile where values are stored in another codec.
    ///
    /// ```
    /// # use blog::Post;
    /// # #[tokio::main]
    /// # async fn main() -> Result<(), cache_runtime::BoxError> {
    /// # let cache = blog::cache().await?;
    /// let json = cache.fetch_json::<Post>(1).await?.value.ok_or("no such post")?;
    /// assert!(json.bytes().starts_with(br#"{"id":1,"#));
    /// # Ok(()) }
    /// ```
    ///
    /// # Errors
    /// As [`get`](Self::get).
    pub async fn fetch_json<T: Load<Db>>(&self, id: T::Id) -> Result<Fetched<Json>, Error> {
        const { is_json::<T>() };
        one::<ById<T, Db>, AsJson>(self, id).await
    }

    /// The JSON of the rows with these ids, at their positions, and how each was come by.
    ///
    /// ```
    /// # use blog::Post;
    /// # #[tokio::main]
    /// # async fn main() -> Result<(), cache_runtime::BoxError> {
    /// # let cache = blog::cache().await?;
    /// let all = cache.fetch_json_many::<Post>(&[1, 404]).await?;
    /// assert!(all[0].value.is_some() && all[1].value.is_none());
    /// # Ok(()) }
    /// ```
    ///
    /// # Errors
    /// As [`get`](Self::get).
    pub async fn fetch_json_many<T: Load<Db>>(
        &self,
        ids: &[T::Id],
    ) -> Result<Vec<Fetched<Json>>, Error> {
        const { is_json::<T>() };
        many::<ById<T, Db>, AsJson>(self, ids, CacheMode::Default).await
    }

    /// The JSON of the row that a lookup column names, as [`fetch_by`](Self::fetch_by).
    ///
    /// ```
    /// # use blog::{Post, PostLookup};
    /// # #[tokio::main]
    /// # async fn main() -> Result<(), cache_runtime::BoxError> {
    /// # let cache = blog::cache().await?;
    /// let by = PostLookup::Slug("looms".to_owned());
    /// let json = cache.fetch_json_by::<Post>(by).await?.value.ok_or("no such post")?;
    /// println!("{}", json.etag());
    /// # Ok(()) }
    /// ```
    ///
    /// # Errors
    /// As [`get`](Self::get).
    pub async fn fetch_json_by<T: Find<Db>>(&self, by: T::Lookup) -> Result<Fetched<Json>, Error> {
        const { is_json::<T>() };
        through_lookup::<T, AsJson, Db>(self, by).await
    }

    /// Invalidates what is built from the row with this id, in all processes, as if it had been
    /// written to. After a write that nobody reported.
    ///
    /// ```
    /// # use blog::Post;
    /// # #[tokio::main]
    /// # async fn main() -> Result<(), cache_runtime::BoxError> {
    /// # let cache = blog::cache().await?;
    /// cache.invalidate::<Post>(1).await?;
    /// assert_eq!(cache.fetch::<Post>(1).await?.status.to_string(), "memory; fwd=miss; stored");
    /// # Ok(()) }
    /// ```
    ///
    /// # Errors
    /// When the outbox cannot be written, or, without one, the store be reached.
    pub async fn invalidate<T: Load<Db>>(&self, id: T::Id) -> Result<(), Error> {
        self.invalidate_many::<T>(from_ref(&id)).await
    }

    /// As [`invalidate`](Self::invalidate), of several rows at once.
    ///
    /// ```
    /// # use blog::Post;
    /// # #[tokio::main]
    /// # async fn main() -> Result<(), cache_runtime::BoxError> {
    /// # let cache = blog::cache().await?;
    /// cache.invalidate_many::<Post>(&[1, 2]).await?;
    /// # Ok(()) }
    /// ```
    ///
    /// # Errors
    /// As there.
    pub async fn invalidate_many<T: Load<Db>>(&self, ids: &[T::Id]) -> Result<(), Error> {
        is_in_runtime()?;
        self.schema().admit::<T>()?;
        let mut tags = self.tags();
        ids.iter().for_each(|id| T::id_tag(id, &mut tags));
        self.engine().delivery.report(tags.finish()).await
    }

    /// Invalidates what is built from the row with this id, as [`invalidate`](Self::invalidate);
    /// then loads its value and stores it, for readers to come. To warm a cache up as well.
    ///
    /// ```
    /// # use blog::Post;
    /// # #[tokio::main]
    /// # async fn main() -> Result<(), cache_runtime::BoxError> {
    /// # let cache = blog::cache().await?;
    /// cache.refresh::<Post>(1).await?;
    /// assert_eq!(cache.fetch::<Post>(1).await?.status.to_string(), "memory; hit");
    /// # Ok(()) }
    /// ```
    ///
    /// # Errors
    /// As there; or when it could not be loaded.
    pub async fn refresh<T: Load<Db>>(&self, id: T::Id) -> Result<(), Error> {
        self.refresh_many::<T>(from_ref(&id)).await
    }

    /// As [`refresh`](Self::refresh), in one load.
    ///
    /// ```
    /// # use blog::Post;
    /// # #[tokio::main]
    /// # async fn main() -> Result<(), cache_runtime::BoxError> {
    /// # let cache = blog::cache().await?;
    /// cache.refresh_many::<Post>(&[1, 2]).await?;
    /// # Ok(()) }
    /// ```
    ///
    /// # Errors
    /// As there.
    pub async fn refresh_many<T: Load<Db>>(&self, ids: &[T::Id]) -> Result<(), Error> {
        self.invalidate_many::<T>(ids).await?;
        let reloaded = many::<ById<T, Db>, Decoded>(self, ids, CacheMode::Reload);
        reloaded.await.map(drop)
    }
}

/// Stops the build: every read of such JSON would be a miss.
pub(super) const fn is_json<T: Cached>() {
    let is_json = matches!(T::POLICY.codec, Codec::Json);
    assert!(is_json, "the JSON of a value is only stored with `codec = \"json\"` in cache.toml");
}

async fn through_lookup<T: Find<Db>, R: Representation<T>, Db: Send + Sync + 'static>(
    cache: &Cache<Db>,
    by: T::Lookup,
) -> Result<Fetched<R::Out>, Error> {
    let found = one::<IdByLookup<T, Db>, Decoded>(cache, by).await?;
    match found.value {
        Some(id) => one::<ById<T, Db>, R>(cache, T::Id::clone(&id)).await,
        None => Ok(Fetched { value: None, status: found.status }),
    }
}

pub(super) async fn one<Q: Query, R: Representation<Q::Value>>(
    cache: &Cache<Q::Source>,
    of: Q::Key,
) -> Result<Fetched<R::Out>, Error> {
    match probe::near::<Q, R>(cache, &of) {
        Some(value) => Ok(Fetched::near(value)),
        None => Box::pin(far_one::<Q, R>(cache, of)).await,
    }
}

async fn far_one<Q: Query, R: Representation<Q::Value>>(
    cache: &Cache<Q::Source>,
    of: Q::Key,
) -> Result<Fetched<R::Out>, Error> {
    refresh::follow::<Q>(cache);
    round::far_one::<Q, R>(cache, of).await
}

/// The answers at the positions of their keys.
pub(super) async fn many<Q: Query, R: Representation<Q::Value>>(
    cache: &Cache<Q::Source>,
    of: &[Q::Key],
    mode: CacheMode,
) -> Result<Vec<Fetched<R::Out>>, Error> {
    refresh::follow::<Q>(cache);
    round::many::<Q, R>(cache, of, mode).await
}
