//! The near cache: decoded values in this process, by their ids. What may be served is decided by the [`fence`].

pub(crate) mod fence;

use std::any::Any;
use std::fmt;
use std::hash::Hash;
use std::marker::PhantomData;
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use quick_cache::Weighter;
use quick_cache::sync::Cache;

pub use fence::NearFence;
pub(crate) use fence::{Moment, Stamp};

use crate::mechanism::Mechanisms;
use crate::model::Room;
use fence::Validity;

/// The tier's name, as in `Cache-Status`.
pub(crate) const NAME: &str = "near";

/// How long a value is kept near at the most, however long it is fresh. The store knows the edges of a value for so long
/// after the value has expired there, so that clocks need not agree.
pub(crate) const LIFE: Duration = Duration::from_secs(60);

/// What a value takes beside its bytes and its key, roughly.
const OVERHEAD: usize = 96;

/// What "no such row" may take of a model's room: strangers may ask for any number of rows that are not there, and are not to push out
/// what is read.
const ABSENT_SHARE: usize = 8;

/// The near caches of all models.
pub(crate) struct Near {
    pub(crate) fence: Arc<NearFence>,
    /// Of each model, one for each form in which it is read.
    tiers: Box<[[AnyPlace; FORMS]]>,
    in_use: Box<[[AnyPlace; FORMS]]>,
}

/// For something of a type that only whoever reads knows.
pub(crate) type AnyPlace = OnceLock<Box<dyn Any + Send + Sync>>;

/// A tier, and of what it is: two structs may have ids of one type, and JSON has one type for all.
struct OfKind<Of, T>(T, PhantomData<fn() -> Of>);

/// In how many forms a model can be kept: values, their JSON, and the ids behind lookups.
pub(crate) const FORMS: usize = 3;

impl Near {
    pub(crate) fn new(models: usize, max_staleness: Duration, mechanisms: Mechanisms) -> Near {
        Near {
            fence: Arc::new(NearFence::new(max_staleness).with(mechanisms)),
            tiers: (0..models).map(|_| Default::default()).collect(),
            in_use: (0..models).map(|_| Default::default()).collect(),
        }
    }

    /// See [`crate::read::refresh`].
    pub(crate) fn in_use(&self, number: usize, form: usize) -> Option<&AnyPlace> {
        self.in_use.get(number)?.get(form)
    }

    /// The near cache of what is read in this way, if something is in it. None for another struct that has the number.
    #[inline]
    pub(crate) fn tier<Of: 'static, K: Key, V: Clone + Send + Sync + 'static>(
        &self,
        number: usize,
        form: usize,
    ) -> Option<&Tier<K, V>> {
        let tier = self.tiers.get(number)?.get(form)?.get()?;
        let OfKind(tier, _) = tier.downcast_ref::<OfKind<Of, Tier<K, V>>>()?;
        Some(tier)
    }

    /// The same, to put something into it.
    pub(crate) fn tier_or_new<Of: 'static, K: Key, V: Clone + Send + Sync + 'static>(
        &self,
        number: usize,
        form: usize,
        room: Room,
    ) -> Option<&Tier<K, V>> {
        self.tiers.get(number)?.get(form)?.get_or_init(|| {
            let tier = Tier::<K, V>::new(room, self.fence.clone());
            Box::new(OfKind::<Of, _>(tier, PhantomData))
        });
        self.tier::<Of, K, V>(number, form)
    }
}

/// What a value is kept by.
pub(crate) trait Key: Eq + Hash + Clone + Send + Sync + 'static {}

impl<K: Eq + Hash + Clone + Send + Sync + 'static> Key for K {}

/// The near cache of one model in one form.
pub(crate) struct Tier<K, V> {
    values: Cache<K, Kept<V>, Weight>,
    absent: Cache<K, Kept<V>, Weight>,
    room: Room,
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
    fn new(room: Room, fence: Arc<NearFence>) -> Tier<K, V> {
        let (all, average) = match room {
            Room::Entries(entries) => (entries, 1),
            // A guess, by which the cache decides on the number of its shards: no value larger than one is kept.
            Room::Bytes(bytes) => (bytes, 1 << 14),
        };
        let cache = |room: usize| {
            let (values, weight) = ((room / average).max(1), room.max(1));
            Cache::with_weighter(values, weight as u64, Weight)
        };
        Tier {
            values: cache(all - all / ABSENT_SHARE),
            absent: cache(all / ABSENT_SHARE),
            room,
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

    /// Keeps a value that was read after the stamp, takes so many bytes, and is fresh for so long.
    pub(crate) fn keep(
        &self,
        of: K,
        value: Option<V>,
        key: &str,
        stamp: Stamp,
        bytes: usize,
        fresh: Duration,
    ) {
        let kept = Kept {
            value,
            validity: self.fence.validity(key, stamp, fresh.min(LIFE)),
            weight: match self.room {
                Room::Entries(_) => 1,
                Room::Bytes(_) => (bytes + key.len() + OVERHEAD) as u64,
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

impl fmt::Debug for Near {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Near").finish_non_exhaustive()
    }
}
