//! Whether the store may be used, and the way back after it was away.
//!
//! | phase | reads | commits |
//! | --- | --- | --- |
//! | away | from the source | leave their tags in the outbox |
//! | catching up | from the source | deliver their tags |
//! | in use | from the store | deliver their tags |
//!
//! Coming back goes through *catching up*: connect, deliver everything that waits in the outbox,
//! then serve. A commit that saw *away* had committed before it looked, so its tags are in the
//! outbox before the catching up begins to read it; a commit that comes later delivers by itself. A
//! failure meanwhile goes back to *away*, and the catching up starts over. So nobody reads the store
//! again before every invalidation that it missed has been applied.

use std::sync::atomic::{AtomicU8, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};

const AWAY: u8 = 0;
const CATCHING_UP: u8 = 1;
const IN_USE: u8 = 2;

#[derive(Default)]
pub(crate) struct Health {
    /// Written under the lock only; read without it on every read of the cache.
    phase: AtomicU8,
    /// Whether somebody is on the way back.
    recovering: Mutex<bool>,
}

impl Health {
    /// Whether reads may be answered from the store.
    pub(crate) fn serves(&self) -> bool {
        self.phase.load(Ordering::SeqCst) == IN_USE
    }

    /// Whether an invalidation may be sent to the store.
    pub(crate) fn accepts_invalidations(&self) -> bool {
        self.phase.load(Ordering::SeqCst) != AWAY
    }

    /// The store failed. Whether the caller is the one to bring it back.
    pub(crate) fn failed(&self) -> bool {
        let mut recovering = self.recovering();
        self.phase.store(AWAY, Ordering::SeqCst);
        !std::mem::replace(&mut *recovering, true)
    }

    /// Connected: from here on commits deliver by themselves.
    pub(crate) fn catch_up(&self) {
        let _recovering = self.recovering();
        self.phase.store(CATCHING_UP, Ordering::SeqCst);
    }

    /// Everything that waited is delivered; `false` when the store failed meanwhile.
    pub(crate) fn caught_up(&self) -> bool {
        let mut recovering = self.recovering();
        let caught_up = self.phase.load(Ordering::SeqCst) == CATCHING_UP;
        if caught_up {
            self.phase.store(IN_USE, Ordering::SeqCst);
            *recovering = false;
        }
        caught_up
    }

    /// Nothing panics while it holds the lock.
    fn recovering(&self) -> MutexGuard<'_, bool> {
        self.recovering
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
    }
}
