//! What a service calls: the getters of the cache.

use std::slice::from_ref;
use std::sync::Arc;

use crate::cache::Cache;
use crate::engine::tasks::is_in_runtime;
use crate::error::Error;
use crate::model::tag::Tags;
use crate::model::{Cached, Codec};
use crate::read::answer::Fetched;
use crate::read::load::{Find, Load};
use crate::read::mode::CacheMode;
use crate::read::query::{ById, IdByLookup, Query};
use crate::read::representation::{AsJson, Decoded, Representation};
use crate::read::{probe, refresh, round};
use crate::value::json::Json;

/// Where values are read from: a `&Cache`, or a `&mut Transaction`, which sees what it has written. The
/// functions that `#[derive(Cached)]` puts on the models take either.
#[diagnostic::on_unimplemented(
    message = "values are not read from `{Self}`",
    note = "pass `&cache`, or `&mut tx` within a transaction"
)]
pub trait Reader: Sized + Send {
    /// The cache's source.
    type Source: Send + Sync + 'static;

    /// The value of the row with this id; `None` when there is none.
    ///
    /// # Errors
    /// When it had to be loaded and could not be.
    fn get<T: Load<Self::Source>>(
        self,
        id: T::Id,
    ) -> impl Future<Output = Result<Option<Arc<T>>, Error>> + Send;

    /// The values of the rows with these ids, at their positions.
    ///
    /// # Errors
    /// As [`get`](Self::get).
    fn get_many<T: Load<Self::Source>>(
        self,
        ids: &[T::Id],
    ) -> impl Future<Output = Result<Vec<Option<Arc<T>>>, Error>> + Send;

    /// The value of the row that a lookup column names.
    ///
    /// # Errors
    /// As [`get`](Self::get).
    fn get_by<T: Find<Self::Source>>(
        self,
        by: T::Lookup,
    ) -> impl Future<Output = Result<Option<Arc<T>>, Error>> + Send;
}

impl<Db: Send + Sync + 'static> Reader for &Cache<Db> {
    type Source = Db;

    fn get<T: Load<Db>>(
        self,
        id: T::Id,
    ) -> impl Future<Output = Result<Option<Arc<T>>, Error>> + Send {
        Cache::get(self, id)
    }

    fn get_many<T: Load<Db>>(
        self,
        ids: &[T::Id],
    ) -> impl Future<Output = Result<Vec<Option<Arc<T>>>, Error>> + Send {
        Cache::get_many(self, ids)
    }

    fn get_by<T: Find<Db>>(
        self,
        by: T::Lookup,
    ) -> impl Future<Output = Result<Option<Arc<T>>, Error>> + Send {
        Cache::get_by(self, by)
    }
}

/// What the functions that `#[derive(Cached)]` makes are for one struct, for code that is generic over what it reads.
impl<Db: Send + Sync + 'static> Cache<Db> {
    /// The value of the row with this id, through the cache; `None` when there is none.
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
    /// # Errors
    /// As [`get`](Self::get).
    pub async fn get_many<T: Load<Db>>(&self, ids: &[T::Id]) -> Result<Vec<Option<Arc<T>>>, Error> {
        let fetched = self.fetch_many(ids).await?;
        Ok(fetched.into_iter().map(|fetched| fetched.value).collect())
    }

    /// The value of the row that a lookup column names.
    ///
    /// # Errors
    /// As [`get`](Self::get).
    pub async fn get_by<T: Find<Db>>(&self, by: T::Lookup) -> Result<Option<Arc<T>>, Error> {
        Ok(self.fetch_by(by).await?.value)
    }

    /// As [`get`](Self::get), and how it was come by.
    ///
    /// # Errors
    /// As there.
    pub async fn fetch<T: Load<Db>>(&self, id: T::Id) -> Result<Fetched<Arc<T>>, Error> {
        one::<ById<T, Db>, Decoded>(self, id).await
    }

    /// As [`get_many`](Self::get_many), and how each was come by.
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
    /// Two steps, each cached: column → id → value. A row that changes its column between the two is
    /// answered as one that still had it.
    ///
    /// # Errors
    /// As [`get`](Self::get).
    pub async fn fetch_by<T: Find<Db>>(&self, by: T::Lookup) -> Result<Fetched<Arc<T>>, Error> {
        through_lookup::<T, Decoded, Db>(self, by).await
    }

    /// The JSON of the row with this id, as it is stored, and how it was come by. It does not compile
    /// where values are stored in another codec.
    ///
    /// # Errors
    /// As [`get`](Self::get).
    pub async fn fetch_json<T: Load<Db>>(&self, id: T::Id) -> Result<Fetched<Json>, Error> {
        const { is_json::<T>() };
        one::<ById<T, Db>, AsJson>(self, id).await
    }

    /// The JSON of the rows with these ids, at their positions, and how each was come by.
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
    /// # Errors
    /// As [`get`](Self::get).
    pub async fn fetch_json_by<T: Find<Db>>(&self, by: T::Lookup) -> Result<Fetched<Json>, Error> {
        const { is_json::<T>() };
        through_lookup::<T, AsJson, Db>(self, by).await
    }

    /// Invalidates what is built from the row with this id, in all processes, as if it had been
    /// written to. After a write that nobody reported.
    ///
    /// # Errors
    /// When the outbox cannot be written, or, without one, the store be reached.
    pub async fn invalidate<T: Load<Db>>(&self, id: T::Id) -> Result<(), Error> {
        self.invalidate_many::<T>(from_ref(&id)).await
    }

    /// As [`invalidate`](Self::invalidate), of several rows at once.
    ///
    /// # Errors
    /// As there.
    pub async fn invalidate_many<T: Load<Db>>(&self, ids: &[T::Id]) -> Result<(), Error> {
        is_in_runtime()?;
        ById::<T, Db>::local(self)?;
        let mut tags = Tags::default();
        ids.iter().for_each(|id| T::id_tag(id, &mut tags));
        self.engine().delivery.report(tags.finish()).await
    }

    /// Invalidates what is built from the row with this id, as [`invalidate`](Self::invalidate); then
    /// loads its value and stores it, for readers to come. To warm a cache up as well.
    ///
    /// # Errors
    /// As there; or when it could not be loaded.
    pub async fn refresh<T: Load<Db>>(&self, id: T::Id) -> Result<(), Error> {
        self.refresh_many::<T>(from_ref(&id)).await
    }

    /// As [`refresh`](Self::refresh), in one load.
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
const fn is_json<T: Cached>() {
    let is_json = matches!(T::POLICY.codec, Codec::Json);
    assert!(
        is_json,
        "the JSON of a value is only stored with `codec = \"json\"` in cache.toml"
    );
}

async fn through_lookup<T: Find<Db>, R: Representation<T>, Db: Send + Sync + 'static>(
    cache: &Cache<Db>,
    by: T::Lookup,
) -> Result<Fetched<R::Out>, Error> {
    let found = one::<IdByLookup<T, Db>, Decoded>(cache, by).await?;
    match found.value {
        Some(id) => one::<ById<T, Db>, R>(cache, T::Id::clone(&id)).await,
        None => Ok(Fetched {
            value: None,
            status: found.status,
        }),
    }
}

async fn one<Q: Query, R: Representation<Q::Value>>(
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
