//! What a cache says happens in it.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};

use cache_runtime::Event;

use super::log::Log;
use super::pauses::Pauses;
use super::points::Points;
use crate::record::Point;

/// Observes one cache.
#[derive(Debug)]
pub(super) struct Watch {
    log: Arc<Log>,
    points: Arc<Points>,
    /// How often its store went away,
    went: AtomicU64,
    /// and is to come back. A counter: of two events on different
    /// threads, the earlier may be told later.
    away: AtomicU64,
    /// How many values were stored.
    stored: AtomicU64,
    /// Commits under way.
    committing: AtomicUsize,
}

/// Since when the store is in use without a break.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct InUse {
    went: u64,
}

impl Watch {
    pub(super) fn new(log: Arc<Log>, points: Arc<Points>) -> Watch {
        Watch {
            log,
            points,
            went: AtomicU64::new(0),
            away: AtomicU64::new(0),
            stored: AtomicU64::new(0),
            committing: AtomicUsize::new(0),
        }
    }

    pub(super) fn see(&self, event: &Event<'_>) {
        match event {
            Event::StoreAway { .. } => {
                self.went.fetch_add(1, Ordering::SeqCst);
                self.away.fetch_add(1, Ordering::SeqCst);
            }
            // At the start it comes without having gone.
            Event::StoreBack => {
                let _ = self
                    .away
                    .fetch_update(Ordering::SeqCst, Ordering::SeqCst, |away| away.checked_sub(1));
            }
            Event::Filled { stored: true, .. } => {
                self.stored.fetch_add(1, Ordering::SeqCst);
            }
            Event::Blocked { .. } => self.points.reach(Point::Blocked, &self.log),
            Event::Committed => self.points.reach(Point::Committed, &self.log),
            Event::Loaded { .. } => self.points.reach(Point::Loaded, &self.log),
            Event::Invalidated { .. } if self.committing.load(Ordering::SeqCst) == 0 => {
                self.points.reach(Point::Relayed, &self.log);
            }
            _ => {}
        }
        Pauses.at(event);
    }

    /// Whether the store is in use, and since when.
    pub(super) fn store(&self) -> Option<InUse> {
        let went = self.went.load(Ordering::SeqCst);
        (self.away.load(Ordering::SeqCst) == 0).then_some(InUse { went })
    }

    pub(super) fn in_use(&self) -> bool {
        self.store().is_some()
    }

    pub(super) fn stored(&self) -> u64 {
        self.stored.load(Ordering::SeqCst)
    }

    /// A commit is under way until this is dropped, as its writer may hang up.
    pub(super) fn commit_begins(&self) -> Committing<'_> {
        self.committing.fetch_add(1, Ordering::SeqCst);
        Committing(self)
    }
}

#[derive(Debug)]
pub(super) struct Committing<'w>(&'w Watch);

impl Drop for Committing<'_> {
    fn drop(&mut self) {
        self.0.committing.fetch_sub(1, Ordering::SeqCst);
    }
}
