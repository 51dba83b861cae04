//! Where values come from on a miss.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

use crate::boxed::BoxError;
use crate::cache::Cache;
use crate::model::Cached;

/// Loads a cached model from the source of type `Db` (a pool, usually).
///
/// ```ignore
/// impl Load<PgPool> for User {
///     async fn load(cx: &LoadContext<PgPool>, ids: &[i64]) -> Result<Vec<User>, BoxError> {
///         let mut db = cx.acquire(cx.db()).await?;
///         Ok(sqlx::query_as("SELECT * FROM users WHERE id = ANY($1)").bind(ids).fetch_all(&mut *db).await?)
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
    /// Whatever the source says; the readers who wait for these ids get it as an
    /// [`Error`](crate::Error).
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
pub struct LoadContext<Db> {
    pub(super) cache: Cache<Db>,
    /// What is loaded.
    pub(super) model: &'static str,
    pub(super) reads: Reads,
    pub(super) ending: Ending,
}

/// How a load ends, as its connections know it.
#[derive(Debug, Clone, Default)]
pub(crate) struct Ending {
    is_cut_short: Arc<AtomicBool>,
    /// How many connections the loader has.
    pub(super) connections: Arc<AtomicUsize>,
}

impl Ending {
    /// It is given up: what was asked over its connections may never be answered.
    pub(crate) fn cut_short(&self) {
        self.is_cut_short.store(true, Ordering::SeqCst);
    }

    #[cfg(any(feature = "postgres", feature = "sqlite"))]
    pub(super) fn is_cut_short(&self) -> bool {
        self.is_cut_short.load(Ordering::SeqCst)
    }
}

/// Where other cached models come from.
#[derive(Debug)]
pub(super) enum Reads {
    /// Through the cache: what is loaded is to fill it.
    Through,
    /// Loaded as well, as what is loaded is to judge the cache.
    Source,
    /// Loaded as well, as this transaction sees them.
    #[cfg(any(feature = "postgres", feature = "sqlite"))]
    Within(Within),
}

/// A transaction's connection, of whichever database: see [`super::connection`].
#[cfg(any(feature = "postgres", feature = "sqlite"))]
pub(crate) struct Within {
    pub(super) connection: Arc<dyn std::any::Any + Send + Sync>,
    /// Whether the loader has taken it.
    pub(super) used: AtomicBool,
}

#[cfg(any(feature = "postgres", feature = "sqlite"))]
impl std::fmt::Debug for Within {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("a transaction")
    }
}

impl<Db: Send + Sync + 'static> LoadContext<Db> {
    /// To fill the cache.
    pub(crate) fn new(cache: Cache<Db>, model: &'static str) -> LoadContext<Db> {
        LoadContext::that_reads(cache, model, Reads::Through)
    }

    /// To see what the source says, whatever the cache does.
    pub(crate) fn of_source(cache: Cache<Db>, model: &'static str) -> LoadContext<Db> {
        LoadContext::that_reads(cache, model, Reads::Source)
    }

    pub(super) fn that_reads(
        cache: Cache<Db>,
        model: &'static str,
        reads: Reads,
    ) -> LoadContext<Db> {
        LoadContext { cache, model, reads, ending: Ending::default() }
    }

    /// For a loader of its own, which has its own connection: two may run beside each other.
    pub(super) fn for_another(&self, model: &'static str) -> LoadContext<Db> {
        let mut cx = LoadContext::of_source(self.cache.clone(), model);
        cx.ending.is_cut_short = self.ending.is_cut_short.clone();
        cx
    }

    pub(crate) fn ending(&self) -> Ending {
        self.ending.clone()
    }

    pub(crate) fn cache(&self) -> &Cache<Db> {
        &self.cache
    }

    /// The source. A loader that takes its connections from [`acquire`](Self::acquire) serves
    /// transactions as well.
    pub fn db(&self) -> &Db {
        self.cache.db()
    }
}
