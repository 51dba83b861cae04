//! A look for values: in the near cache, and in the store.

use std::borrow::Cow;

use crate::cache::Cache;
use crate::local::flight::{Completions, Entered, Hurry, Loaded, Tick};
use crate::local::near::{Generation, Tier};
use crate::local::query::Local;
use crate::mechanism::Mechanism;
use crate::model::name;
use crate::observe::event::Event;
use crate::read::answer::{Answer, CacheStatus, Fetched};
use crate::read::job::{self, How, LoadJob};
use crate::read::mode::CacheMode;
use crate::read::query::Query;
use crate::read::representation::Representation;
use crate::read::stored::{open, usable};
use crate::read::turn::Turn;
use crate::read::verify;
use crate::store::consistency::ConsistencyToken;
use crate::store::{Read, Token};
use crate::value::entry::Entry;

/// The value, if it is near.
#[inline]
pub(crate) fn near<Q: Query, R: Representation<Q::Value>>(
    cache: &Cache<Q::Source>,
    of: &Q::Key,
) -> Option<Option<R::Out>> {
    Q::POLICY.near?;
    // First this, then the look: what is near from before the promised moment may not be served any
    // more by then. The other way round, the old value could be taken, then the message come, and
    // then the moment be found to have been heard of.
    if let Some(promised) = cache.promised()
        && !cache.engine().gate.has_heard(promised)
    {
        return None;
    }
    let value = R::tier(Q::known(cache)?).get()?.get(of)?;
    cache.observer().tell_near_hit(|| Q::key(of));
    verify::near_hit::<Q, R>(cache, of);
    Some(value)
}

/// One look at the store, for several keys.
pub(super) struct Probe<'a, Q: Query> {
    cache: &'a Cache<Q::Source>,
    local: &'a Local<Q::Key, Q::Value>,
    pub(super) keys: Cow<'a, [String]>,
    // The rest in the order in which it was taken.
    /// Of the near cache, if there is one.
    generation: Option<Generation>,
    began: Tick,
    /// Of each key.
    completions: Vec<Completions>,
    /// `None`: the store is away.
    read: Option<Read>,
    missed: Tick,
}

impl<'a, Q: Query> Probe<'a, Q> {
    pub(super) async fn of(
        cache: &'a Cache<Q::Source>,
        local: &'a Local<Q::Key, Q::Value>,
        keys: Cow<'a, [String]>,
    ) -> Probe<'a, Q> {
        let (gate, flights) = (&cache.engine().gate, &local.flights);
        let generation = gate.near().map(|near| near.generation());
        let began = flights.tick();
        let completions = keys.iter().map(|key| flights.completions(key)).collect();
        let read = gate.read(&keys).await;
        Probe { cache, local, keys, generation, began, completions, read, missed: flights.tick() }
    }

    /// One that finds nothing, as if the store were away.
    pub(super) fn of_nothing(
        cache: &'a Cache<Q::Source>,
        local: &'a Local<Q::Key, Q::Value>,
        keys: Cow<'a, [String]>,
    ) -> Probe<'a, Q> {
        let now = local.bypasses.tick();
        let completions = Vec::new();
        Probe {
            cache,
            local,
            keys,
            generation: None,
            began: now,
            completions,
            read: None,
            missed: now,
        }
    }

    /// Whether the store's answer is from after this.
    pub(super) fn is_after(&self, promised: ConsistencyToken) -> bool {
        self.token().is_some_and(|said| promised.is_before(said))
    }

    /// What a load that begins now has to show; `None`: the store is away.
    pub(super) fn token(&self) -> Option<Token> {
        self.read.as_ref().map(|read| read.token)
    }

    pub(super) fn key(&self, n: usize) -> &str {
        &self.keys[n]
    }

    /// How many flights of the n-th key had stored something; `None`: the store is away.
    pub(super) fn completions(&self, n: usize) -> Option<Completions> {
        self.read.as_ref().map(|_| self.completions[n])
    }

    /// What was found under the n-th key, if it may answer.
    pub(super) fn hit<R: Representation<Q::Value>>(
        &self,
        n: usize,
        of: &Q::Key,
        mode: CacheMode,
    ) -> Option<Fetched<R::Out>> {
        if mode == CacheMode::Reload {
            return None;
        }
        let key = self.key(n);
        let bytes = self.read.as_ref()?.values.get(n)?.as_ref()?;
        let entry = open(self.cache, self.local.shape, key, bytes)?;
        let expired = match entry.fresh_for() {
            Err(since) if !Q::POLICY.grace.is_zero() && !entry.is_absent() => Some(since),
            // Gone by the clock of who stored it, or as good as: the store's own counts.
            Ok(_) | Err(_) => None,
        };
        if expired.is_some() && mode == CacheMode::Nested {
            return None;
        }
        let value = usable(self.cache, key, R::stored(&entry))?;
        let answer = match expired {
            None => {
                if mode != CacheMode::RefreshAhead {
                    self.keep::<R>(n, of, &value, &entry);
                }
                verify::store_hit::<Q, R>(self.cache, of, bytes);
                Answer::Hit
            }
            Some(since) => {
                self.reload_in_background(n, of);
                Answer::Stale { since }
            }
        };
        let tier = self.cache.engine().gate.tier();
        self.cache.observer().tell(Event::Hit { key, tier });
        let status = CacheStatus { tier, answer };
        Some(Fetched { value, status })
    }

    /// Whether it missed before the store was asked to store what was loaded, and did.
    pub(super) fn is_before(&self, loaded: &Loaded<Q::Value>) -> bool {
        loaded.is_stored_after(self.missed)
    }

    /// The expired value answers; this is for the next readers.
    fn reload_in_background(&self, n: usize, of: &Q::Key) {
        let (flights, key) = (&self.local.flights, self.key(n));
        if flights.failed_lately(key) {
            return;
        }
        let hurry = Hurry::default();
        let entered = flights.enter(key, Some(self.completions[n]), &hurry);
        if let Entered::Lead(flight, _) = entered {
            let job = LoadJob::<Q>::new(of, key, flight);
            let how = How {
                token: self.token(),
                // The store has a value, so that others wait for nothing.
                claims: false,
                bypasses: false,
                turn: Turn::InTurn(hurry),
            };
            job::start(self.cache, vec![job], how);
        }
    }

    /// Whether what this load has stored is nothing from before the generation. (It may be from
    /// before, and right for a reader who came before this look.)
    pub(super) fn may_keep(&self, start: Tick, loaded: &Loaded<Q::Value>) -> bool {
        loaded.stored && (start > self.began || self.is_before(loaded))
    }

    /// Keeps a value near.
    pub(super) fn keep<R: Representation<Q::Value>>(
        &self,
        n: usize,
        of: &Q::Key,
        value: &Option<R::Out>,
        entry: &Entry,
    ) {
        let key = self.key(n);
        // The key is short, and what it is of is not: it would be kept as well.
        if name::is_of_long(key) {
            return;
        }
        if let Some(recent) = self.local.recent.get() {
            recent.served(key, of);
        }
        let (Some(fence), Some(capacity)) = (self.cache.engine().gate.near(), Q::POLICY.near)
        else {
            return;
        };
        let generation = match self.cache.has(Mechanism::NearGeneration) {
            true => self.generation,
            false => Some(fence.generation()),
        };
        if let (Some(generation), Ok(fresh)) = (generation, entry.fresh_for()) {
            let tier = R::tier(self.local).get_or_init(|| Tier::new(capacity, fence.clone()));
            let (of, value) = (of.clone(), value.clone());
            tier.keep(of, value, key, generation, entry.size(), fresh);
        }
    }
}
