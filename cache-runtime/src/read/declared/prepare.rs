//! What a service asks for at its start: whether the database has what its loaders name.

use super::list::PrepareLists;
use super::part::Whole;
use super::source::{Declared, Source};
use crate::cache::Cache;
use crate::error::Error;
use crate::read::load::LoadContext;

impl<Db: Source> Cache<Db> {
    /// Prepares the statements of a loader that wrote itself, `#[cached(load)]`: an error where the
    /// database lacks what they name, or (on PostgreSQL) a column is of another type than the
    /// struct's. At the start of a service, after the migrations, so that a mistake does not wait
    /// for the first miss. So with the statements of its lists.
    ///
    /// ```
    /// # use blog::Post;
    /// # #[tokio::main]
    /// # async fn main() -> Result<(), cache_runtime::BoxError> {
    /// # let cache = blog::cache().await?;
    /// cache.prepare::<Post>().await?;
    /// # Ok(()) }
    /// ```
    ///
    /// # Errors
    /// What is missing, and the statement; or when the database cannot be reached.
    pub async fn prepare<T>(&self) -> Result<(), Error>
    where
        T: Declared<Db, Db::Databases> + Whole<Lists: PrepareLists<Db>>,
    {
        self.schema().admit::<T>()?;
        let cx = LoadContext::of_source(self.clone(), T::MODEL);
        let prepared = async {
            <T as Declared<Db, Db::Databases>>::prepare(&cx).await?;
            T::Lists::prepare(&cx).await
        };
        prepared.await.map_err(|error| Error::load(T::MODEL, error))
    }
}
