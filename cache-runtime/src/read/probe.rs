//! Looking a value up: in the near cache, and in the store.

use std::sync::Arc;

use bytes::Bytes;

use crate::cache::Cache;
use crate::engine::Engine;
use crate::local::flight::{Entered, Hurry, Landings, Tick};
use crate::local::near::{Stamp, Tier};
use crate::mechanism::Mechanism;
use crate::model::name;
use crate::observe::event::Event;
use crate::read::answer::{Answer, CacheStatus};
use crate::read::fill::{self, Lead, Turn};
use crate::read::query::{Form, Kind};
use crate::read::refresh;
use crate::read::verify;
use crate::read::{Accept, Fetched};
use crate::store::Read;
use crate::value::entry::{Entry, Unusable};

/// One look at the store, for several keys.
pub(crate) struct Look {
    /// From before it.
    stamp: Option<Stamp>,
    /// After the stamp, before it.
    began: Tick,
    /// From before it, of each key.
    landings: Vec<Landings>,
    /// `None`: the store is away.
    pub(crate) read: Option<Read>,
    /// After it.
    missed: Tick,
}

impl Look {
    pub(crate) async fn at(engine: &Arc<Engine>, keys: &[String]) -> Look {
        let flights = &engine.flights;
        let stamp = engine.near.as_ref().map(|near| near.fence.stamp());
        let began = flights.tick();
        let landings = keys.iter().map(|key| flights.landings(key)).collect();
        let read = engine.read(keys).await;
        Look {
            stamp,
            began,
            landings,
            read,
            missed: flights.tick(),
        }
    }

    /// What was found under the n-th key, if it may answer.
    pub(crate) fn hit<K: Kind<Db>, F: Form<K::Value>, Db: Send + Sync + 'static>(
        &self,
        cache: &Cache<Db>,
        n: usize,
        of: &K::Key,
        key: &str,
        accept: Accept,
    ) -> Option<Fetched<F::Out>> {
        if accept == Accept::Reloaded {
            return None;
        }
        let engine = cache.engine();
        let bytes = self.read.as_ref()?.values.get(n)?.as_ref()?;
        let entry = open::<K, Db>(cache, key, bytes)?;
        let expired = match entry.fresh_for() {
            Err(since) if !K::POLICY.grace.is_zero() && !entry.is_absent() => Some(since),
            // Gone by the clock of who stored it, or as good as: the store's own counts.
            Ok(_) | Err(_) => None,
        };
        if expired.is_some() && accept == Accept::Fresh {
            return None;
        }
        let value = usable(engine, key, F::stored(&entry))?;
        let answer = match expired {
            None => {
                if accept != Accept::Again {
                    self.keep::<K, F, Db>(cache, of, key, &value, &entry);
                }
                verify::store_hit::<K, F, Db>(cache, of, bytes);
                Answer::Hit
            }
            Some(since) => {
                self.reload_in_background::<K, Db>(cache, n, of, key);
                Answer::Stale { since }
            }
        };
        let tier = engine.store.name();
        engine.observer.tell(Event::Hit { key, tier });
        let status = CacheStatus { tier, answer };
        Some(Fetched { value, status })
    }

    pub(crate) fn enter<K: Kind<Db>, Db: Send + Sync + 'static>(
        &self,
        engine: &Engine,
        n: usize,
        key: &str,
        accept: Accept,
        hurry: &Hurry,
    ) -> Entered {
        // What has landed since is nothing that a reload could take.
        let noted = match &self.read {
            Some(_) if accept != Accept::Reloaded => Some(self.landings[n]),
            _ => None,
        };
        engine.flights.enter::<K>(key, noted, hurry)
    }

    /// Whether it missed before the store was asked to store what was loaded, and did.
    pub(crate) fn is_before<V>(&self, loaded: &fill::Loaded<V>) -> bool {
        loaded.stored && loaded.asked > self.missed
    }

    fn reload_in_background<K: Kind<Db>, Db: Send + Sync + 'static>(
        &self,
        cache: &Cache<Db>,
        n: usize,
        of: &K::Key,
        key: &str,
    ) {
        let flights = &cache.engine().flights;
        if flights.failed_lately(key) {
            return;
        }
        let hurry = Hurry::default();
        if let Entered::Lead(ticket, _) = flights.enter::<K>(key, Some(self.landings[n]), &hurry) {
            let token = self.read.as_ref().map(|read| read.token);
            // No claims: the store has a value, so that others wait for nothing.
            let leads = vec![Lead::new(of, key, ticket)];
            fill::start::<K, Db>(cache, leads, token, false, Turn::InTurn(hurry));
        }
    }

    /// Whether what this load has stored is nothing from before the stamp. (It may be from before, and right for a reader who
    /// came before this look.)
    pub(crate) fn may_keep<V>(&self, start: Tick, loaded: &fill::Loaded<V>) -> bool {
        loaded.stored && (start > self.began || self.is_before(loaded))
    }

    pub(crate) fn keep<K: Kind<Db>, F: Form<K::Value>, Db: Send + Sync + 'static>(
        &self,
        cache: &Cache<Db>,
        of: &K::Key,
        key: &str,
        value: &Option<F::Out>,
        entry: &Entry,
    ) {
        // The key is short, and what it is of is not: it would be kept as well.
        if name::is_of_long(key) {
            return;
        }
        refresh::served::<K, Db>(cache, of, key);
        let engine = cache.engine();
        let stamp = match &engine.near {
            Some(near) if !engine.has(Mechanism::NearStamp) => Some(near.fence.stamp()),
            _ => self.stamp,
        };
        let tier = engine.near.as_ref().zip(K::POLICY.near);
        let tier = tier.and_then(|(near, room)| {
            near.tier_or_new::<K, _, _>(K::POLICY.number, K::FORM + F::PLACE, room)
        });
        if let (Some(near), Some(stamp), Ok(fresh)) = (tier, stamp, entry.fresh_for()) {
            let (of, value) = (of.clone(), value.clone());
            near.keep(of, value, key, stamp, entry.size(), fresh);
        }
    }
}

/// The near cache for what is read in this form, if something is in it.
#[inline]
pub(crate) fn near<K: Kind<Db>, F: Form<K::Value>, Db: Send + Sync + 'static>(
    cache: &Cache<Db>,
) -> Option<&Tier<K::Key, F::Out>> {
    K::POLICY.near?;
    let near = cache.engine().near.as_ref()?;
    near.tier::<K, _, _>(K::POLICY.number, K::FORM + F::PLACE)
}

/// The value, if it is near.
#[inline]
pub(crate) fn near_hit<K: Kind<Db>, F: Form<K::Value>, Db: Send + Sync + 'static>(
    cache: &Cache<Db>,
    of: &K::Key,
) -> Option<Option<F::Out>> {
    let value = near::<K, F, Db>(cache)?.get(of)?;
    cache.engine().observer.tell_near_hit(|| K::key(of));
    verify::near_hit::<K, F, Db>(cache, of);
    Some(value)
}

/// The stored bytes; `None`: they are a miss.
pub(crate) fn open<K: Kind<Db>, Db: Send + Sync + 'static>(
    cache: &Cache<Db>,
    key: &str,
    bytes: &Bytes,
) -> Option<Entry> {
    let engine = cache.engine();
    let shape = engine.shape::<K, Db>().ok()?;
    usable(engine, key, Entry::open(bytes, shape))
}

fn usable<T>(engine: &Engine, key: &str, stored: Result<T, Unusable>) -> Option<T> {
    match stored {
        Ok(stored) => Some(stored),
        Err(Unusable::Outdated) => None,
        Err(Unusable::Unreadable(why)) => {
            engine.observer.tell(Event::Unreadable { key, why: &why });
            None
        }
    }
}
