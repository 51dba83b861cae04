//! What values are read from, for code that does not mind which it is.

use std::sync::Arc;

use crate::cache::Cache;
use crate::error::Error;
use crate::model::list::Part;
use crate::read::list::ids::{IdOf, LoadList};
use crate::read::list::parts;
use crate::read::load::{Find, Load};

/// Where values are read from: a `&Cache`, or a `&mut Transaction`, which sees what it has written.
/// The functions that `#[derive(Cached)]` puts on the models take either.
#[diagnostic::on_unimplemented(
    message = "values are not read from `{Self}`",
    note = "pass `&cache`, or `&mut tx` within a transaction (`&mut *tx` where `tx` is a `&mut Transaction`)"
)]
///
/// ```
/// # use blog::Post; use cache_runtime::{Error, Load, Reader};
/// # #[tokio::main]
/// # async fn main() -> Result<(), cache_runtime::BoxError> {
/// # let cache = blog::cache().await?;
/// async fn title<R: Reader>(reader: R) -> Result<Option<String>, Error>
/// where
///     Post: Load<R::Source>,
/// {
///     Ok(Post::get(reader, 1).await?.map(|post| post.title.clone()))
/// }
///
/// assert_eq!(title(&cache).await?.as_deref(), Some("On engines"));
/// let mut tx = cache.begin().await?;
/// assert_eq!(title(&mut tx).await?.as_deref(), Some("On engines"));
/// # Ok(()) }
/// ```
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

    /// These values of a list, in order.
    ///
    /// # Errors
    /// As [`get`](Self::get); or when there is no such id in the list that they could come after.
    fn list<L: LoadList<Self::Source, Of: Load<Self::Source>>>(
        self,
        list: L,
        part: Part<IdOf<L>>,
    ) -> impl Future<Output = Result<Vec<Arc<L::Of>>, Error>> + Send;

    /// These ids of a list, in order.
    ///
    /// # Errors
    /// As [`list`](Self::list).
    fn list_ids<L: LoadList<Self::Source>>(
        self,
        list: L,
        part: Part<IdOf<L>>,
    ) -> impl Future<Output = Result<Vec<IdOf<L>>, Error>> + Send;

    /// How many there are in a list.
    ///
    /// # Errors
    /// As [`get`](Self::get).
    fn list_count<L: LoadList<Self::Source>>(
        self,
        list: L,
    ) -> impl Future<Output = Result<usize, Error>> + Send;
}

/// A reader that is a cache.
#[diagnostic::on_unimplemented(
    message = "`{Self}` is no cache, so that nothing is stored of what it reads",
    note = "pass `&cache`; within a transaction read `page`, and encode it"
)]
pub trait CacheReader: Reader {
    /// The cache.
    fn cache(&self) -> &Cache<Self::Source>;
}

/// Readers, by how each comes to a cache.
macro_rules! readers {
    ($($reader:ty),*) => {$(
        impl<Db: Send + Sync + 'static> Reader for $reader {
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

            async fn list<L: LoadList<Db, Of: Load<Db>>>(
                self,
                list: L,
                part: Part<IdOf<L>>,
            ) -> Result<Vec<Arc<L::Of>>, Error> {
                parts::values(self, &list, part).await
            }

            async fn list_ids<L: LoadList<Db>>(
                self,
                list: L,
                part: Part<IdOf<L>>,
            ) -> Result<Vec<IdOf<L>>, Error> {
                Ok(parts::ids(self, &list, part).await?.0)
            }

            async fn list_count<L: LoadList<Db>>(self, list: L) -> Result<usize, Error> {
                parts::count(self, &list).await
            }
        }

        impl<Db: Send + Sync + 'static> CacheReader for $reader {
            fn cache(&self) -> &Cache<Db> {
                self
            }
        }
    )*};
}
readers!(&Cache<Db>, &&Cache<Db>, &Arc<Cache<Db>>);
