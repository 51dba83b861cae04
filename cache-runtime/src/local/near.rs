//! The near cache: decoded values in this process, by their ids. What may be served is decided by
//! the [`fence`].

pub(crate) mod fence;

use std::hash::Hash;
use std::sync::Arc;
use std::time::Duration;

use quick_cache::Weighter;
use quick_cache::sync::Cache;

pub(crate) use fence::{Generation, Moment, NearFence};

use crate::model::Capacity;
use fence::Validity;

/// The tier's name, as in `Cache-Status`.
pub(crate) const NAME: &str = "near";

/// How long a value is kept near at the most, however long it is fresh. The store knows the edges
/// of a value for so long after the value has expired there, so that clocks need not agree.
pub(crate) const LIFE: Duration = Duration::from_secs(60);

/// What a value takes beside its bytes and its key, roughly.
const OVERHEAD: usize = 96;

/// What "no such row" may take of a model's capacity: strangers may ask for any number of rows that
/// are not there, and are not to push out what is read.
const ABSENT_SHARE: usize = 8;

/// What a value is kept by.
pub(crate) trait Key: Eq + Hash + Clone + Send + Sync + 'static {}

impl<K: Eq + Hash + Clone + Send + Sync + 'static> Key for K {}

/// The near cache of one query in one representation.
pub(crate) struct Tier<K, V> {
    values: Cache<K, Kept<V>, Weight>,
    absent: Cache<K, Kept<V>, Weight>,
    capacity: Capacity,
    fence: Arc<NearFence>,
}

#[derive(Clone)]
pub(crate) struct Kept<V> {
    pub(crate) value: Option<V>,
    /// Another one when it was kept anew after it was invalidated.
    pub(crate) validity: Validity,
    weight: u64,
}

impl<K: Key, V: Clone> Tier<K, V> {
    pub(crate) fn new(capacity: Capacity, fence: Arc<NearFence>) -> Tier<K, V> {
        let (all, average) = match capacity {
            Capacity::Entries(entries) => (entries, 1),
            // A guess, by which the cache decides on the number of its shards: no value larger than
            // one is kept.
            Capacity::Bytes(bytes) => (bytes, 1 << 14),
        };
        let cache = |capacity: usize| {
            let (values, weight) = ((capacity / average).max(1), capacity.max(1));
            Cache::with_weighter(values, weight as u64, Weight)
        };
        Tier {
            values: cache(all - all / ABSENT_SHARE),
            absent: cache(all / ABSENT_SHARE),
            capacity,
            fence,
        }
    }

    /// The value, if it is here and may be served; `Some(None)`: there is no such row.
    #[inline]
    pub(crate) fn get(&self, of: &K) -> Option<Option<V>> {
        self.kept(of).map(|kept| kept.value)
    }

    /// The same, with what says of it whether it may be served.
    #[inline]
    pub(crate) fn kept(&self, of: &K) -> Option<Kept<V>> {
        let allowed = |kept: &Kept<V>| self.fence.allows(&kept.validity);
        match self.values.get(of).filter(allowed) {
            Some(kept) => Some(kept),
            None => self.absent.get(of).filter(allowed),
        }
    }

    /// Keeps a value that was read after the generation, takes so many bytes, and is fresh for so
    /// long.
    pub(crate) fn keep(
        &self,
        of: K,
        value: Option<V>,
        key: &str,
        generation: Generation,
        bytes: usize,
        fresh: Duration,
    ) {
        let kept = Kept {
            value,
            validity: self.fence.validity(key, generation, fresh.min(LIFE)),
            weight: match self.capacity {
                Capacity::Entries(_) => 1,
                Capacity::Bytes(_) => (bytes + key.len() + OVERHEAD) as u64,
            },
        };
        match kept.value {
            Some(_) => self.values.insert(of, kept),
            None => self.absent.insert(of, kept),
        }
    }
}

#[derive(Clone)]
struct Weight;

impl<K, V> Weighter<K, Kept<V>> for Weight {
    fn weight(&self, _: &K, kept: &Kept<V>) -> u64 {
        kept.weight
    }
}
