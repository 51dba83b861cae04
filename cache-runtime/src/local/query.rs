//! What this process knows of each query: who loads, what is near, what was served lately.

use std::any::{Any, TypeId, type_name};
use std::sync::{Arc, OnceLock};

use crate::error::Error;
use crate::local::flight::Flights;
use crate::local::near::{Key, Tier};
use crate::local::recent::RecentlyServed;
use crate::value::json::Json;

/// What this process knows of one query, whose answers are `V`s by their `K`s.
pub(crate) struct Local<K, V> {
    /// The shape of its values: see [`crate::value::shape`].
    pub(crate) shape: u64,
    pub(crate) flights: Arc<Flights<V>>,
    /// Those of readers whom no cache may answer: they share loads among themselves.
    pub(crate) bypasses: Arc<Flights<V>>,
    /// The near cache of decoded values; made when something is put into it.
    pub(crate) decoded: OnceLock<Tier<K, Arc<V>>>,
    /// The near cache of their JSON.
    pub(crate) json: OnceLock<Tier<K, Json>>,
    /// For `on-write = "refresh"`.
    pub(crate) recent: OnceLock<RecentlyServed<K>>,
}

/// How many queries a model has: its values by id, and its ids by lookup.
pub(crate) const QUERIES: usize = 2;

/// The place of a query.
#[derive(Clone, Copy)]
pub(crate) struct Place {
    /// Of the model or the list.
    pub(crate) number: usize,
    pub(crate) query: usize,
}

/// The queries of all models and lists, each with a place that is found by two numbers.
pub(crate) struct Locals(Box<[[OnceLock<Registered>; QUERIES]]>);

/// A query, and of which struct it is. Its types are known to who asks, and not here.
struct Registered {
    row: TypeId,
    row_name: &'static str,
    local: Box<dyn Any + Send + Sync>,
}

impl Locals {
    pub(crate) fn new(numbers: usize) -> Locals {
        Locals((0..numbers).map(|_| Default::default()).collect())
    }

    /// The query that has this place, if it was asked before.
    #[inline]
    pub(crate) fn known<K: Key, V: Send + Sync + 'static>(
        &self,
        Place { number, query }: Place,
    ) -> Option<&Local<K, V>> {
        let place = self.0.get(number)?.get(query)?;
        place.get()?.local.downcast_ref()
    }

    /// The same; begins to know it if it was not asked before. Its `shape` is then found out.
    ///
    /// # Errors
    /// When another struct of the model is read in this way. Each would take what the other has
    /// stored for an older version's, and every read in turn would be a miss.
    pub(crate) fn of<T: 'static, K: Key, V: Send + Sync + 'static>(
        &self,
        model: &'static str,
        Place { number, query }: Place,
        shape: impl FnOnce() -> u64,
    ) -> Result<&Local<K, V>, Error> {
        let (row, row_name) = (TypeId::of::<T>(), type_name::<T>());
        let registered = self.0[number][query].get_or_init(|| Registered {
            row,
            row_name,
            local: Box::new(Local::<K, V> {
                shape: shape(),
                flights: Flights::new(),
                bypasses: Flights::new(),
                decoded: OnceLock::new(),
                json: OnceLock::new(),
                recent: OnceLock::new(),
            }),
        });
        let local = registered.local.downcast_ref();
        local.filter(|_| registered.row == row).ok_or_else(|| {
            let first = registered.row_name;
            Error::misuse(format!(
                "`{first}` and `{row_name}` are both read as the value of `[model.{model}]`: they have one key, and each would make the other's reads misses\n\
                 help: read one of them; what another value embeds may be a struct with `#[cached(projection = \"{model}\")]`, which has no key"
            ))
        })
    }
}
