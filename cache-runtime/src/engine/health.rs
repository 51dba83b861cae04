//! Whether the store may be used: a circuit breaker
//! (<https://martinfowler.com/bliki/CircuitBreaker.html>) with a phase between open and closed.
//!
//! | phase | circuit | reads | commits |
//! | --- | --- | --- | --- |
//! | away | open | from the source | leave their tags in the outbox |
//! | catching up | half-open | from the source | deliver their tags |
//! | in use | closed | from the store | deliver their tags |
//!
//! Coming back goes through *catching up*: connect, deliver everything that waits in the outbox,
//! then serve. A commit that saw *away* had committed before it looked, so its tags are in the
//! outbox before the catching up begins to read it; a commit that comes later delivers by itself. A
//! failure meanwhile goes back to *away*, and the catching up starts over. So nobody reads the
//! store again before every invalidation that it missed has been applied.

use std::sync::atomic::{AtomicU8, Ordering};

const AWAY: u8 = 0;
const CATCHING_UP: u8 = 1;
const IN_USE: u8 = 2;

/// The phase. A store that was not connected yet is away.
#[derive(Debug, Default)]
pub(crate) struct Health(AtomicU8);

impl Health {
    /// Whether reads may be answered from the store.
    pub(crate) fn serves(&self) -> bool {
        self.0.load(Ordering::SeqCst) == IN_USE
    }

    /// Whether an invalidation may be sent to the store.
    pub(crate) fn accepts_invalidations(&self) -> bool {
        self.0.load(Ordering::SeqCst) != AWAY
    }

    /// The store failed. Whether it was in use until now.
    pub(crate) fn failed(&self) -> bool {
        self.0.swap(AWAY, Ordering::SeqCst) == IN_USE
    }

    /// Connected: from here on commits deliver by themselves. Called by one at a time.
    pub(crate) fn catch_up(&self) {
        self.0.store(CATCHING_UP, Ordering::SeqCst);
    }

    /// Everything that waited is delivered; `false` when the store failed meanwhile.
    pub(crate) fn caught_up(&self) -> bool {
        let phase = &self.0;
        let (from, to) = (CATCHING_UP, IN_USE);
        phase.compare_exchange(from, to, Ordering::SeqCst, Ordering::SeqCst).is_ok()
    }
}
