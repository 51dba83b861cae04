//! What a service does with a list.

use std::sync::Arc;

use crate::error::Error;
use crate::model::list::{List, Part};
use crate::read::answer::Fetched;
use crate::read::list::ids::{IdOf, LoadList};
use crate::read::list::parts::{invalidate, json};
use crate::read::load::Load;
use crate::read::reader::{CacheReader, Reader};
use crate::value::json::Json;

/// A list, and what it is read from: what a function such as `Plio::plios_of_user(&cache, user)`
/// returns. Nothing is read before one of its own functions is called.
///
/// The ids are cached, in order, and the values are got by them: a change of a value that does not
/// move it leaves the list alone. Beyond the `limit` of `cache.toml` the database is asked.
#[derive(Debug)]
#[must_use = "nothing is read before `page`, `after`, `ids`, `count` or `fetch_json`"]
pub struct Listing<R, L> {
    from: R,
    list: L,
}

/// Made by generated code.
#[doc(hidden)]
pub fn listing<R: Reader, L: List>(from: R, list: L) -> Listing<R, L> {
    Listing { from, list }
}

impl<R: Reader, L: List> Listing<R, L> {
    /// The values from this place on, so many at most; none beyond the end.
    ///
    /// # Errors
    /// When something had to be loaded and could not be.
    pub async fn page(self, offset: usize, limit: usize) -> Result<Vec<Arc<L::Of>>, Error>
    where
        L: LoadList<R::Source>,
        L::Of: Load<R::Source>,
    {
        self.from.list(self.list, Part::Page { offset, limit }).await
    }

    /// The values that come after the one with this id, so many at most: what a reader who scrolls
    /// sees next, whatever was added before.
    ///
    /// # Errors
    /// As [`page`](Self::page); or when there is no such id in the list
    /// ([`is_not_listed`](Error::is_not_listed)): the row was deleted, or is listed no longer.
    pub async fn after(self, id: IdOf<L>, limit: usize) -> Result<Vec<Arc<L::Of>>, Error>
    where
        L: LoadList<R::Source>,
        L::Of: Load<R::Source>,
    {
        self.from.list(self.list, Part::After { id, limit }).await
    }

    /// All ids, in order.
    ///
    /// # Errors
    /// As [`page`](Self::page).
    pub async fn ids(self) -> Result<Vec<IdOf<L>>, Error>
    where
        L: LoadList<R::Source>,
    {
        self.from.list_ids(self.list, Part::Page { offset: 0, limit: usize::MAX }).await
    }

    /// How many there are.
    ///
    /// # Errors
    /// As [`page`](Self::page).
    pub async fn count(self) -> Result<usize, Error>
    where
        L: LoadList<R::Source>,
    {
        self.from.list_count(self.list).await
    }

    /// A page as JSON, an array of the values as they are stored, and how it was come by. Its
    /// entity tag is of all that is in it. It does not compile where values are stored in another
    /// codec.
    ///
    /// # Errors
    /// As [`page`](Self::page).
    pub async fn fetch_json(self, offset: usize, limit: usize) -> Result<Fetched<Json>, Error>
    where
        R: CacheReader,
        L: LoadList<R::Source>,
        L::Of: Load<R::Source>,
    {
        json(self.from.cache(), &self.list, Part::Page { offset, limit }).await
    }

    /// The same of what comes after an id.
    ///
    /// # Errors
    /// As [`after`](Self::after).
    pub async fn fetch_json_after(self, id: IdOf<L>, limit: usize) -> Result<Fetched<Json>, Error>
    where
        R: CacheReader,
        L: LoadList<R::Source>,
        L::Of: Load<R::Source>,
    {
        json(self.from.cache(), &self.list, Part::After { id, limit }).await
    }

    /// Invalidates the list, in all processes, as if a row had moved in it. After a write that
    /// nobody reported.
    ///
    /// # Errors
    /// When the outbox cannot be written, or, without one, the store be reached.
    pub async fn invalidate(self) -> Result<(), Error>
    where
        R: CacheReader,
        L: LoadList<R::Source>,
    {
        invalidate(self.from.cache(), &self.list).await
    }
}
