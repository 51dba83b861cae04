//! Single-flight: of the readers in this process that miss a key at once, one loads it.
//!
//! The subtle part is whom a load may serve: never a reader who came after an invalidation that the
//! load began before. So a reader takes the outcome of a flight only if
//!
//! - the load **started after the reader came**: what was invalidated before that was committed
//!   before this load began; or
//! - the fill was stored, and **asked for after the reader missed**: when the store judged the
//!   fence, everything that was invalidated before the miss had set its fence. (While the store is
//!   away, invalidations wait and set none; but it is not asked again before they have.)
//!
//! "Stored" alone is not enough: between the store's answer and the flight's end a write may commit
//! and invalidate, and a reader may come after it, miss, and find this flight still in the air.
//!
//! Otherwise the reader starts over, together with the others of its kind: they find each other in
//! a new flight, which started after all of them came, so nobody starts over twice.
//!
//! The other interleaving to prevent: reader A misses, then reader B loads and stores, then
//! A, finding no flight, would load again. Each flight that has stored something advances a counter
//! that A noted before its read; A sees that it changed and reads again instead.

use std::collections::HashMap;
use std::hash::{BuildHasher, RandomState};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use tokio::sync::watch;

use crate::error::Error;
use crate::lock::locked;
use crate::value::entry::Entry;

/// How many counters of completions there are; keys share them by hash, which costs a needless read
/// now and then.
const SLOTS: usize = 256;

/// How long a source that failed is left alone by loads that nobody waits for.
const REST: Duration = Duration::from_secs(1);

/// A finished load, as all who waited for it see it.
pub(crate) enum Outcome<V> {
    Loaded(Loaded<V>),
    Failed(Error),
}

/// What was loaded: by this process, or by another one that has stored it meanwhile.
pub(crate) struct Loaded<V> {
    /// `None`: there is no such row.
    pub(crate) value: Option<Arc<V>>,
    /// As it was offered to the store, if it was.
    pub(crate) entry: Option<Entry>,
    /// Whether the store has taken it.
    pub(crate) stored: bool,
    /// Before the store was asked to.
    pub(crate) asked: Tick,
}

impl<V> Loaded<V> {
    /// Whether it was stored, and the store asked to only after this moment.
    pub(crate) fn is_stored_after(&self, moment: Tick) -> bool {
        self.stored && self.asked > moment
    }
}

/// The flights of one query.
pub(crate) struct Flights<V> {
    ticks: AtomicU64,
    completions: [AtomicU64; SLOTS],
    /// When a load of a key of the slot last failed, in milliseconds since `began`; 0: never.
    failures: [AtomicU64; SLOTS],
    began: Instant,
    hasher: RandomState,
    flying: Mutex<HashMap<String, Flight<V>>>,
}

/// A moment in the order of one query's reads and loads.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Tick(u64);

/// How many flights of a key's slot have stored something.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) struct Completions(u64);

/// A flight as seen by those who wait for it.
pub(crate) struct Flight<V> {
    /// Before its load began.
    pub(crate) start: Tick,
    outcome: watch::Receiver<Option<Arc<Outcome<V>>>>,
    hurry: Hurry,
}

impl<V> Clone for Flight<V> {
    fn clone(&self) -> Self {
        Flight { start: self.start, outcome: self.outcome.clone(), hurry: self.hurry.clone() }
    }
}

/// Tells the loads of some flights not to wait for their turn.
#[derive(Clone)]
pub(crate) struct Hurry(Arc<watch::Sender<bool>>);

impl Default for Hurry {
    fn default() -> Self {
        Hurry(Arc::new(watch::Sender::new(false)))
    }
}

impl Hurry {
    /// Returns when they are told, or were.
    pub(crate) async fn told(&self) {
        // Its sender is here.
        let _ = self.0.subscribe().wait_for(|told| *told).await;
    }
}

/// The flight's end: the one who loads holds it. Dropped without an outcome, the waiting start
/// over.
pub(crate) struct FlightGuard<V> {
    flights: Arc<Flights<V>>,
    key: String,
    outcome: watch::Sender<Option<Arc<Outcome<V>>>>,
}

/// What a reader that missed is to do.
pub(crate) enum Entered<V> {
    /// Load, then complete the flight; and wait for it like everybody.
    Lead(FlightGuard<V>, Flight<V>),
    /// Wait: somebody loads.
    Join(Flight<V>),
    /// Read the store again: somebody stored since.
    ReadAgain,
}

impl<V> Flights<V> {
    pub(crate) fn new() -> Arc<Flights<V>> {
        Arc::new(Flights {
            ticks: AtomicU64::new(0),
            completions: [const { AtomicU64::new(0) }; SLOTS],
            failures: [const { AtomicU64::new(0) }; SLOTS],
            began: Instant::now(),
            hasher: RandomState::new(),
            flying: Mutex::default(),
        })
    }

    /// Now.
    pub(crate) fn tick(&self) -> Tick {
        Tick(self.ticks.fetch_add(1, Ordering::SeqCst))
    }

    /// Notes how many flights have stored something. Before the read that [`enter`](Self::enter)
    /// follows.
    pub(crate) fn completions(&self, key: &str) -> Completions {
        Completions(self.completions[self.slot(key)].load(Ordering::SeqCst))
    }

    fn slot(&self, key: &str) -> usize {
        self.hasher.hash_one(key) as usize % SLOTS
    }

    /// A load has failed.
    fn failed(&self, key: &str) {
        self.failures[self.slot(key)].store(self.millis(), Ordering::Relaxed);
    }

    /// Whether a load has failed that little time ago that nobody should load in the background.
    pub(crate) fn failed_lately(&self, key: &str) -> bool {
        let failed = self.failures[self.slot(key)].load(Ordering::Relaxed);
        failed > 0 && self.millis() - failed < REST.as_millis() as u64
    }

    /// Never 0.
    fn millis(&self) -> u64 {
        self.began.elapsed().as_millis() as u64 + 1
    }

    /// After a miss: joins the flight of this key or starts one, which may be told to hurry.
    /// `noted` is from before the read; `None` when there was no store to read.
    pub(crate) fn enter(
        self: &Arc<Self>,
        key: &str,
        noted: Option<Completions>,
        hurry: &Hurry,
    ) -> Entered<V> {
        let mut flying = locked(&self.flying);
        if let Some(flight) = flying.get(key) {
            return Entered::Join(flight.clone());
        }
        if noted.is_some_and(|noted| noted != self.completions(key)) {
            return Entered::ReadAgain;
        }
        let (sender, outcome) = watch::channel(None);
        let flight = Flight { start: self.tick(), outcome, hurry: hurry.clone() };
        flying.insert(key.to_owned(), flight.clone());
        let guard = FlightGuard { flights: self.clone(), key: key.to_owned(), outcome: sender };
        Entered::Lead(guard, flight)
    }
}

impl<V> Flight<V> {
    /// Does not let it wait for its turn: a load that has one waits for it.
    pub(crate) fn hurry(&self) {
        self.hurry.0.send_replace(true);
    }

    /// The outcome; `None` when there is none.
    pub(crate) async fn outcome(mut self) -> Option<Arc<Outcome<V>>> {
        self.outcome.wait_for(Option::is_some).await.ok()?.clone()
    }
}

impl<V> FlightGuard<V> {
    /// Now.
    pub(crate) fn tick(&self) -> Tick {
        self.flights.tick()
    }

    /// The source failed: it is left alone for a while by loads that nobody waits for.
    pub(crate) fn rest(&self) {
        self.flights.failed(&self.key);
    }

    /// Ends the flight.
    pub(crate) fn complete(self, outcome: Outcome<V>) {
        let flights = &self.flights;
        if matches!(&outcome, Outcome::Loaded(loaded) if loaded.stored) {
            // Before the flight leaves the map: a reader who no longer finds the flight must see
            // that it has stored something.
            flights.completions[flights.slot(&self.key)].fetch_add(1, Ordering::SeqCst);
        }
        // Before the outcome is told: a reader who starts over must not find this flight again.
        locked(&flights.flying).remove(&self.key);
        self.outcome.send_replace(Some(Arc::new(outcome)));
    }
}

impl<V> Drop for FlightGuard<V> {
    fn drop(&mut self) {
        // Its own, as nobody takes off while it flies; completed, there may be another by now.
        if self.outcome.borrow().is_none() {
            locked(&self.flights.flying).remove(&self.key);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn lead(flights: &Arc<Flights<u8>>, noted: Option<Completions>) -> Option<FlightGuard<u8>> {
        match flights.enter("plio_1", noted, &Hurry::default()) {
            Entered::Lead(guard, _) => Some(guard),
            Entered::Join(_) | Entered::ReadAgain => None,
        }
    }

    fn loaded(flights: &Flights<u8>, stored: bool) -> Outcome<u8> {
        Outcome::Loaded(Loaded { value: None, entry: None, stored, asked: flights.tick() })
    }

    #[test]
    fn a_flight_is_joined_until_it_is_complete() {
        let flights = Flights::new();
        let before = flights.tick();
        let Entered::Lead(guard, flight) = flights.enter("plio_1", None, &Hurry::default()) else {
            panic!("nobody flies");
        };
        assert!(before < flight.start && flight.start < flights.tick());
        let joined = flights.enter("plio_1", None, &Hurry::default());
        assert!(matches!(joined, Entered::Join(joined) if joined.start == flight.start));
        let other = flights.enter("plio_2", None, &Hurry::default());
        assert!(matches!(other, Entered::Lead(..)));

        guard.complete(loaded(&flights, false));
        assert!(lead(&flights, None).is_some());
    }

    #[test]
    fn who_missed_before_a_value_was_stored_reads_again() {
        let flights = Flights::new();
        let noted = flights.completions("plio_1");
        let guard = lead(&flights, Some(noted)).expect("nobody flies");
        guard.complete(loaded(&flights, false));
        let guard = lead(&flights, Some(noted)).expect("nothing was stored");
        guard.complete(loaded(&flights, true));

        let entered = flights.enter("plio_1", Some(noted), &Hurry::default());
        assert!(matches!(entered, Entered::ReadAgain));
        let noted = flights.completions("plio_1");
        assert!(lead(&flights, Some(noted)).is_some());
    }

    #[tokio::test]
    async fn a_flight_without_an_end_keeps_nobody() {
        let flights = Flights::<u8>::new();
        let Entered::Lead(guard, flight) = flights.enter("plio_1", None, &Hurry::default()) else {
            panic!("nobody flies");
        };
        drop(guard);
        assert!(flight.outcome().await.is_none());
        assert!(lead(&flights, None).is_some());
    }

    #[test]
    fn only_a_source_that_has_failed_is_left_alone() {
        let flights = Flights::<u8>::new();
        assert!(!flights.failed_lately("plio_1"));
        flights.failed("plio_1");
        assert!(flights.failed_lately("plio_1"));
    }
}
