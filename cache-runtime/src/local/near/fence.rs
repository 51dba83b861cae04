//! The fence of the near caches: which of the values kept in this process may be served.
//!
//! A near value carries a **generation**: how many invalidations this process had been told of
//! *before* the value was read from the store. Whoever is told that a key is no longer valid raises
//! the fence of that key to the new count, and never looks for the value itself. A value is served
//! as long as the fence of its key is not above its generation. So it does not matter which of the
//! two comes first, the message or the value's insertion: the interleaving
//!
//! > read the old value from the store · the message arrives · insert the old value
//!
//! inserts a value that is dead already. ("Get or insert with" of the usual caches serves it for
//! ever.)
//!
//! Keys share fences by hash, which costs a needless look at the store now and then.
//!
//! And nothing is served unless the store was heard of within `near.max-staleness`: it answered a
//! question that was asked no longer ago, and everything that it had to tell before that answer has
//! been taken in.

use std::fmt;
use std::hash::{BuildHasher, RandomState};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{PoisonError, RwLock};
use std::time::Duration;

use crate::mechanism::{Mechanism, Mechanisms};

/// How many fences there are: half a megabyte.
const FENCES: usize = 1 << FENCE_BITS;
const FENCE_BITS: u32 = 16;

/// How far a coarse clock may be behind.
const TICK: Duration = Duration::from_millis(10);

/// Says which values may be served from the near caches; told by a store which may not.
#[derive(Debug)]
pub(crate) struct NearFence {
    fences: Box<[AtomicU64]>,
    /// All values with an older generation are dead.
    floor: AtomicU64,
    /// How many invalidations this was told of.
    told: AtomicU64,
    /// Until then, by the coarse clock, values may be served.
    trusted_until: AtomicU64,
    max_staleness: Duration,
    hasher: RandomState,
    followers: RwLock<Vec<Follower>>,
    mechanisms: Mechanisms,
}

/// Called with every key that is invalidated.
struct Follower(Box<dyn Fn(&str) + Send + Sync>);

/// How many invalidations had been told of at one moment.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Generation(u64);

/// What says of a near value whether it may still be served. Small, as a hit copies it.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Validity {
    /// The generation, and in the lowest bits which fence.
    generation_and_fence: u64,
    until: Sixteenths,
}

impl NearFence {
    pub(crate) fn new(max_staleness: Duration) -> NearFence {
        NearFence {
            fences: (0..FENCES).map(|_| AtomicU64::new(0)).collect(),
            floor: AtomicU64::new(0),
            told: AtomicU64::new(0),
            trusted_until: AtomicU64::new(0),
            max_staleness,
            hasher: RandomState::new(),
            followers: RwLock::default(),
            mechanisms: Mechanisms::default(),
        }
    }

    pub(crate) fn with(self, mechanisms: Mechanisms) -> NearFence {
        NearFence { mechanisms, ..self }
    }

    /// The value under this key is no longer valid: it was invalidated.
    pub(crate) fn invalidated(&self, key: &str) {
        self.evicted(key);
        for Follower(follow) in &*self.followers.read().unwrap_or_else(PoisonError::into_inner) {
            follow(key);
        }
    }

    /// The value under this key has left the store though it is valid, so that nobody would tell
    /// when it is so no longer.
    pub(crate) fn evicted(&self, key: &str) {
        let told = self.told.fetch_add(1, Ordering::SeqCst) + 1;
        self.fences[self.fence(key)].fetch_max(told, Ordering::SeqCst);
    }

    pub(crate) fn follow(&self, follow: impl Fn(&str) + Send + Sync + 'static) {
        let follower = Follower(Box::new(follow));
        self.followers.write().unwrap_or_else(PoisonError::into_inner).push(follower);
    }

    /// Nothing is, or it is not known what: a message was lost, or may have been.
    pub(crate) fn forget_all(&self) {
        let told = self.told.fetch_add(1, Ordering::SeqCst) + 1;
        self.floor.fetch_max(told, Ordering::SeqCst);
    }

    /// Messages were lost: all may be invalid.
    #[cfg(feature = "redis")]
    pub(crate) fn lost(&self) {
        if self.mechanisms.has(Mechanism::Chain) {
            self.forget_all();
        }
    }

    /// The store has answered what it was asked at this moment.
    pub(crate) fn trust(&self, asked: Moment) {
        let life = match self.mechanisms.has(Mechanism::Trust) {
            true => self.max_staleness.saturating_sub(TICK),
            false => Duration::from_secs(3600),
        };
        self.trusted_until.fetch_max(asked.after(life).0, Ordering::SeqCst);
    }

    pub(crate) fn max_staleness(&self) -> Duration {
        self.max_staleness
    }

    /// To be taken before the store is read.
    pub(crate) fn generation(&self) -> Generation {
        Generation(self.told.load(Ordering::SeqCst))
    }

    /// Of a value that was read after this generation and is fresh for so long.
    pub(crate) fn validity(&self, key: &str, generation: Generation, fresh: Duration) -> Validity {
        Validity {
            generation_and_fence: generation.0 << FENCE_BITS | self.fence(key) as u64,
            until: Moment::now().after(fresh).sixteenths(),
        }
    }

    #[inline]
    pub(crate) fn allows(&self, validity: &Validity) -> bool {
        let now = Moment::now();
        let generation = validity.generation_and_fence >> FENCE_BITS;
        let fence = validity.generation_and_fence as usize % FENCES;
        now.sixteenths() < validity.until
            && now.0 < self.trusted_until.load(Ordering::Acquire)
            && self.fences[fence].load(Ordering::Acquire) <= generation
            && self.floor.load(Ordering::Acquire) <= generation
    }

    fn fence(&self, key: &str) -> usize {
        self.hasher.hash_one(key) as usize % FENCES
    }
}

/// A reading of the system's coarse clock, which costs a tenth of that of the exact one.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Moment(u64);

/// Of a second, by that clock.
#[derive(Debug, Clone, Copy, PartialEq, PartialOrd)]
struct Sixteenths(u32);

impl Moment {
    #[inline]
    pub(crate) fn now() -> Moment {
        Moment(coarsetime::Instant::now().as_ticks())
    }

    fn after(self, duration: Duration) -> Moment {
        let ticks = coarsetime::Duration::from(duration).as_ticks();
        Moment(self.0.saturating_add(ticks))
    }

    /// Its ticks are so many parts of a second as fit 32 bits.
    #[inline]
    fn sixteenths(self) -> Sixteenths {
        Sixteenths((self.0 >> 28) as u32)
    }
}

impl fmt::Debug for Follower {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Follower")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const LONG: Duration = Duration::from_secs(60);

    fn trusted() -> NearFence {
        let fence = NearFence::new(LONG);
        fence.trust(Moment::now());
        fence
    }

    #[test]
    fn a_message_between_the_read_and_the_insertion_wins() {
        let fence = trusted();
        let generation = fence.generation();
        fence.invalidated("plio_1");
        let [one, two] =
            ["plio_1", "plio_2"].map(|key| fence.allows(&fence.validity(key, generation, LONG)));
        assert_eq!((one, two), (false, true));
        let later = fence.validity("plio_1", fence.generation(), LONG);
        assert!(fence.allows(&later));
        fence.forget_all();
        assert!(!fence.allows(&later));
    }

    #[test]
    fn nothing_is_served_unless_the_store_was_heard_of_lately() {
        let fence = NearFence::new(LONG);
        let value = fence.validity("plio_1", fence.generation(), LONG);
        assert!(!fence.allows(&value));
        fence.trust(Moment::now());
        assert!(fence.allows(&value));
    }
}
