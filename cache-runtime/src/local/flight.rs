//! Single-flight: of the readers in this process that miss a key at once, one loads it.
//!
//! The subtle part is whom a load may serve: never a reader who came after an invalidation that the
//! load began before. So a reader takes the outcome of a flight only if
//!
//! - the load **started after the reader came**: what was invalidated before that was committed
//!   before this load began; or
//! - the fill was stored, and **asked for after the reader missed**: when the store judged the fence,
//!   everything that was invalidated before the miss had set its fence. (While the store is away, invalidations wait
//!   and set none; but it is not asked again before they have.)
//!
//! "Stored" alone is not enough: between the store's answer and the landing a write may commit and
//! invalidate, and a reader may come after it, miss, and find this flight still in the air.
//!
//! Otherwise the reader starts over, together with the others of its kind: they find each other in a
//! new flight, which started after all of them came, so nobody starts over twice.
//!
//! The other interleaving to prevent: reader A misses, then reader B loads, stores and lands, then
//! A, finding no flight, would load again. Each landing advances a counter that A noted before its
//! read; A sees that it changed and reads again instead.

use std::any::{Any, TypeId};
use std::collections::HashMap;
use std::hash::{BuildHasher, RandomState};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use tokio::sync::watch;

/// How many counters of landings there are; keys share them by hash, which costs a needless read now
/// and then.
const LANDING_SLOTS: usize = 256;

/// How long a source that failed is left alone by loads that nobody waits for.
const REST: Duration = Duration::from_secs(1);

type Key = (TypeId, String);
type Outcome = Option<Arc<dyn Any + Send + Sync>>;

/// The flights of one process.
pub(crate) struct Flights {
    ticks: AtomicU64,
    landings: [AtomicU64; LANDING_SLOTS],
    /// When a load of a key of the slot last failed, in milliseconds since `began`; 0: never.
    failures: [AtomicU64; LANDING_SLOTS],
    began: Instant,
    hasher: RandomState,
    flying: Mutex<HashMap<Key, Flight>>,
}

/// A moment in the order of this process.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Tick(u64);

/// How many flights of a key's slot had landed.
#[derive(Clone, Copy)]
pub(crate) struct Landings(u64);

/// A flight as seen by those who wait for it.
#[derive(Clone)]
pub(crate) struct Flight {
    /// Before its load began.
    pub(crate) start: Tick,
    outcome: watch::Receiver<Outcome>,
    hurry: Hurry,
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

/// The flight's end: the one who loads holds it. Dropped without an outcome, the waiting start over.
pub(crate) struct Ticket {
    flights: Arc<Flights>,
    key: Key,
    outcome: watch::Sender<Outcome>,
}

/// What a reader that missed is to do.
pub(crate) enum Entered {
    /// Load, then land the ticket; and wait for the flight like everybody.
    Lead(Ticket, Flight),
    /// Wait: somebody loads.
    Join(Flight),
    /// Read the store again: somebody stored since.
    ReadAgain,
}

impl Flights {
    pub(crate) fn new() -> Arc<Flights> {
        Arc::new(Flights {
            ticks: AtomicU64::new(0),
            landings: [const { AtomicU64::new(0) }; LANDING_SLOTS],
            failures: [const { AtomicU64::new(0) }; LANDING_SLOTS],
            began: Instant::now(),
            hasher: RandomState::new(),
            flying: Mutex::default(),
        })
    }

    /// Now.
    pub(crate) fn tick(&self) -> Tick {
        Tick(self.ticks.fetch_add(1, Ordering::SeqCst))
    }

    /// Notes how many flights have landed. Before the read that [`enter`](Self::enter) follows.
    pub(crate) fn landings(&self, key: &str) -> Landings {
        Landings(self.landing_slot(key).load(Ordering::SeqCst))
    }

    fn landing_slot(&self, key: &str) -> &AtomicU64 {
        &self.landings[self.slot(key)]
    }

    fn slot(&self, key: &str) -> usize {
        self.hasher.hash_one(key) as usize % LANDING_SLOTS
    }

    /// A load has failed.
    pub(crate) fn failed(&self, key: &str) {
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

    /// After a miss: joins the flight of this key or starts one, which may be told to hurry. `noted` is from before the read;
    /// `None` when there was no store to read.
    pub(crate) fn enter<K: 'static>(
        self: &Arc<Self>,
        key: &str,
        noted: Option<Landings>,
        hurry: &Hurry,
    ) -> Entered {
        let id: Key = (TypeId::of::<K>(), key.to_owned());
        let mut flying = self.flying();
        if let Some(flight) = flying.get(&id) {
            return Entered::Join(flight.clone());
        }
        if noted.is_some_and(|noted| noted.0 != self.landing_slot(key).load(Ordering::SeqCst)) {
            return Entered::ReadAgain;
        }
        let (sender, outcome) = watch::channel(None);
        let flight = Flight {
            start: self.tick(),
            outcome,
            hurry: hurry.clone(),
        };
        flying.insert(id.clone(), flight.clone());
        Entered::Lead(
            Ticket {
                flights: self.clone(),
                key: id,
                outcome: sender,
            },
            flight,
        )
    }

    /// Nothing panics while it holds the lock.
    fn flying(&self) -> MutexGuard<'_, HashMap<Key, Flight>> {
        self.flying.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Flight {
    /// Does not let it wait for its turn: a load that has one waits for it.
    pub(crate) fn hurry(&self) {
        self.hurry.0.send_replace(true);
    }

    /// The outcome; `None` when there is none.
    pub(crate) async fn landed<T: Send + Sync + 'static>(mut self) -> Option<Arc<T>> {
        let outcome = self.outcome.wait_for(Option::is_some).await.ok()?.clone()?;
        outcome.downcast().ok()
    }
}

impl Ticket {
    /// Ends the flight. `stored` when the store now has the value.
    pub(crate) fn land<T: Send + Sync + 'static>(self, stored: bool, outcome: Arc<T>) {
        if stored {
            // Before the flight leaves the map: a reader who no longer finds the flight must see
            // the landing.
            self.flights
                .landing_slot(&self.key.1)
                .fetch_add(1, Ordering::SeqCst);
        }
        // Before the outcome is told: a reader who starts over must not find this flight again.
        self.flights.flying().remove(&self.key);
        self.outcome.send_replace(Some(outcome));
    }
}

impl Drop for Ticket {
    fn drop(&mut self) {
        // Its own, as nobody takes off while it flies; landed, there may be another by now.
        if self.outcome.borrow().is_none() {
            self.flights.flying().remove(&self.key);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn lead(flights: &Arc<Flights>, noted: Option<Landings>) -> Option<Ticket> {
        match flights.enter::<u8>("plio_1", noted, &Hurry::default()) {
            Entered::Lead(ticket, _) => Some(ticket),
            Entered::Join(_) | Entered::ReadAgain => None,
        }
    }

    #[test]
    fn a_flight_is_joined_until_it_lands() {
        let flights = Flights::new();
        let before = flights.tick();
        let Entered::Lead(ticket, flight) = flights.enter::<u8>("plio_1", None, &Hurry::default())
        else {
            panic!("nobody flies");
        };
        assert!(before < flight.start && flight.start < flights.tick());
        let joined = flights.enter::<u8>("plio_1", None, &Hurry::default());
        assert!(matches!(joined, Entered::Join(joined) if joined.start == flight.start));
        // Other values, and the same key in another form.
        let other = flights.enter::<u8>("plio_2", None, &Hurry::default());
        assert!(matches!(other, Entered::Lead(..)));
        let other = flights.enter::<u16>("plio_1", None, &Hurry::default());
        assert!(matches!(other, Entered::Lead(..)));

        ticket.land(false, Arc::new(()));
        assert!(lead(&flights, None).is_some());
    }

    #[test]
    fn who_missed_before_a_value_was_stored_reads_again() {
        let flights = Flights::new();
        let noted = flights.landings("plio_1");
        let ticket = lead(&flights, Some(noted)).expect("nobody flies");
        ticket.land(false, Arc::new(()));
        let ticket = lead(&flights, Some(noted)).expect("nothing was stored");
        ticket.land(true, Arc::new(()));

        let entered = flights.enter::<u8>("plio_1", Some(noted), &Hurry::default());
        assert!(matches!(entered, Entered::ReadAgain));
        let noted = flights.landings("plio_1");
        assert!(lead(&flights, Some(noted)).is_some());
    }

    #[tokio::test]
    async fn a_flight_without_an_end_keeps_nobody() {
        let flights = Flights::new();
        let Entered::Lead(ticket, flight) = flights.enter::<u8>("plio_1", None, &Hurry::default())
        else {
            panic!("nobody flies");
        };
        drop(ticket);
        assert!(flight.landed::<()>().await.is_none());
        assert!(lead(&flights, None).is_some());
    }

    #[test]
    fn only_a_source_that_has_failed_is_left_alone() {
        let flights = Flights::new();
        assert!(!flights.failed_lately("plio_1"));
        flights.failed("plio_1");
        assert!(flights.failed_lately("plio_1"));
    }
}
