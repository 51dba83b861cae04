//! Where values come from on a miss.

use std::sync::Arc;

use crate::cache::Cache;
use crate::error::{BoxError, Error};
use crate::model::Cached;
use crate::read;

/// Loads a cached model from the source of type `Db` (a pool, usually).
///
/// ```ignore
/// impl Load<PgPool> for User {
///     async fn load(cx: &LoadContext<PgPool>, ids: &[i64]) -> Result<Vec<User>, BoxError> {
///         Ok(sqlx::query_as("SELECT * FROM users WHERE id = ANY($1)").bind(ids).fetch_all(cx.db()).await?)
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
pub struct LoadContext<Db>(pub(crate) Cache<Db>);

impl<Db: Send + Sync + 'static> LoadContext<Db> {
    /// The source.
    pub fn db(&self) -> &Db {
        self.0.db()
    }

    /// Another cached model's value, through the cache.
    ///
    /// The loaded value must embed it (its tags count as the loaded value's own).
    ///
    /// # Errors
    /// As [`get_many`](Self::get_many).
    pub async fn get<T: Load<Db>>(&self, id: T::Id) -> Result<Option<Arc<T>>, Error> {
        read::get(&self.0, id).await
    }

    /// Other cached models' values, through the cache, at the positions of their ids.
    ///
    /// # Errors
    /// When one of them could not be loaded.
    pub async fn get_many<T: Load<Db>>(&self, ids: &[T::Id]) -> Result<Vec<Option<Arc<T>>>, Error> {
        read::get_many(&self.0, ids).await
    }
}
