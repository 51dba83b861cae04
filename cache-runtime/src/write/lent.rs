//! Reads within a transaction: its connection is lent to the loader.

use std::sync::Arc;

use tokio::sync::Mutex;

use crate::boxed::BoxError;
use crate::error::Error;
use crate::model::Rows;
use crate::model::list::Part;
use crate::outbox::database::OutboxDatabase;
use crate::outbox::open::OpenTransaction;
use crate::read::list::ids::{IdOf, LoadList};
use crate::read::load::{Find, Load, LoadContext, Within};
use crate::read::nested::load_uncached;
use crate::read::reader::Reader;
use crate::write::transaction::{Transaction, lost};

/// Where a transaction has lent its connection to a loader, and gets it back from, however the load
/// ends.
struct Lent<'t, DB: OutboxDatabase, Db> {
    transaction: &'t mut Transaction<DB, Db>,
    connection: Arc<Mutex<Option<OpenTransaction<DB>>>>,
    has_failed: bool,
}

impl<DB: OutboxDatabase, Db> Lent<'_, DB, Db> {
    /// The load has ended well.
    fn served(mut self) {
        self.has_failed = false;
    }
}

impl<DB: OutboxDatabase, Db> Drop for Lent<'_, DB, Db> {
    fn drop(&mut self) {
        // Locked only if the loader gave it to a task that outlives it; that task's end rolls back.
        if let Ok(mut connection) = self.connection.try_lock() {
            self.transaction.open = connection.take();
        }
        self.transaction.may_be_aborted |= self.has_failed;
    }
}

impl<DB: OutboxDatabase, Db: Send + Sync + 'static> Transaction<DB, Db> {
    /// The value of this id as the transaction sees it, with what it has written so far. Neither
    /// reads the cache nor fills it.
    ///
    /// ```
    /// # use blog::Post;
    /// # #[tokio::main]
    /// # async fn main() -> Result<(), cache_runtime::BoxError> {
    /// # let cache = blog::cache().await?;
    /// let mut tx = cache.begin().await?;
    /// let sql = "UPDATE post SET title = 'On wheels' WHERE id = 1";
    /// sqlx::query(sql).execute(&mut *tx).await?;
    /// let post = Post::get(&mut tx, 1).await?.ok_or("no such post")?;
    /// assert_eq!(post.title, "On wheels");
    /// tx.rollback().await?;
    /// # Ok(()) }
    /// ```
    ///
    /// # Errors
    /// When it cannot be loaded; or when its loader reads from elsewhere than
    /// [`LoadContext::acquire`] says, which is where the transaction is.
    pub async fn get<T: Load<Db>>(&mut self, id: T::Id) -> Result<Option<Arc<T>>, Error> {
        let mut values = self.get_many::<T>(std::slice::from_ref(&id)).await?;
        Ok(values.swap_remove(0))
    }

    /// Likewise the values of these ids, at their positions.
    ///
    /// # Errors
    /// As [`get`](Self::get).
    pub async fn get_many<T: Load<Db>>(
        &mut self,
        ids: &[T::Id],
    ) -> Result<Vec<Option<Arc<T>>>, Error> {
        let (lent, cx) = self.lend::<T>()?;
        let values = load_uncached::<T, Db>(&cx, ids).await?;
        cx.was_used(T::MODEL, ids.is_empty())?;
        lent.served();
        Ok(values)
    }

    /// Likewise the value that a lookup column names.
    ///
    /// # Errors
    /// As [`get`](Self::get).
    pub async fn get_by<T: Find<Db>>(&mut self, by: T::Lookup) -> Result<Option<Arc<T>>, Error> {
        let (lent, cx) = self.lend::<T>()?;
        let found = T::find(&cx, &by).await;
        let found = found.map_err(|error| Error::load(T::MODEL, error))?;
        cx.was_used(T::MODEL, false)?;
        lent.served();
        match found {
            Some(id) => self.get::<T>(id).await,
            None => Ok(None),
        }
    }

    /// Asks for something of a list, as the transaction sees it.
    async fn of_list<L: LoadList<Db>, T, F>(
        &mut self,
        list: L,
        ask: impl FnOnce(Arc<LoadContext<Db>>, L) -> F,
    ) -> Result<T, Error>
    where
        F: Future<Output = Result<T, BoxError>>,
    {
        let (lent, cx) = self.lend::<L::Of>()?;
        let cx = Arc::new(cx);
        let found = ask(cx.clone(), list).await;
        let found = found.map_err(|error| Error::load(L::NAME, error))?;
        cx.was_used(L::NAME, false)?;
        lent.served();
        Ok(found)
    }

    fn lend<T: Rows>(&mut self) -> Result<(Lent<'_, DB, Db>, LoadContext<Db>), Error> {
        self.cache.schema().admit::<T>()?;
        let open = self.open.take();
        if open.is_none() {
            return Err(Error::outbox(lost().into()));
        }
        let connection = Arc::new(Mutex::new(open));
        let within = Within::new(connection.clone());
        let cx = LoadContext::within(self.cache.clone(), T::MODEL, within);
        let lent = Lent {
            transaction: self,
            connection,
            // Until it has served: it may be dropped halfway.
            has_failed: true,
        };
        Ok((lent, cx))
    }
}

impl<DB: OutboxDatabase, Db: Send + Sync + 'static> Reader for &mut Transaction<DB, Db> {
    type Source = Db;

    fn get<T: Load<Db>>(
        self,
        id: T::Id,
    ) -> impl Future<Output = Result<Option<Arc<T>>, Error>> + Send {
        Transaction::get(self, id)
    }

    fn get_many<T: Load<Db>>(
        self,
        ids: &[T::Id],
    ) -> impl Future<Output = Result<Vec<Option<Arc<T>>>, Error>> + Send {
        Transaction::get_many(self, ids)
    }

    fn get_by<T: Find<Db>>(
        self,
        by: T::Lookup,
    ) -> impl Future<Output = Result<Option<Arc<T>>, Error>> + Send {
        Transaction::get_by(self, by)
    }

    async fn list<L: LoadList<Db, Of: Load<Db>>>(
        self,
        list: L,
        part: Part<IdOf<L>>,
    ) -> Result<Vec<Arc<L::Of>>, Error> {
        let ids = Reader::list_ids(&mut *self, list, part).await?;
        let values = self.get_many::<L::Of>(&ids).await?;
        Ok(values.into_iter().flatten().collect())
    }

    async fn list_ids<L: LoadList<Db>>(
        self,
        list: L,
        part: Part<IdOf<L>>,
    ) -> Result<Vec<IdOf<L>>, Error> {
        let found = self.of_list(list, |cx, list| async move { list.ids(&cx, part).await });
        found.await?.ok_or_else(|| Error::not_listed(L::NAME))
    }

    async fn list_count<L: LoadList<Db>>(self, list: L) -> Result<usize, Error> {
        self.of_list(list, |cx, list| async move { list.count(&cx).await }).await
    }
}
