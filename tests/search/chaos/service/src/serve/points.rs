//! Where this process stands still when it is told to.

use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};

use crate::record::{Point, Record};

use super::log::Log;

#[derive(Debug, Default)]
pub(super) struct Points {
    state: Mutex<State>,
    changed: Condvar,
}

#[derive(Debug, Default)]
struct State {
    /// The next that comes there stands still.
    armed: Option<Point>,
    standing: bool,
}

impl Points {
    pub(super) fn stand_at(&self, point: Point) {
        self.state().armed = Some(point);
    }

    /// Forgets the point, or lets go who stands there.
    pub(super) fn go_on(&self) {
        *self.state() = State::default();
        self.changed.notify_all();
    }

    /// Writers through the cache pause, so that who tells the store something is the relay.
    pub(super) fn is_for_the_relay(&self) -> bool {
        self.state().armed == Some(Point::Relayed)
    }

    /// Called where the point is: blocks, if somebody is to stand still there.
    pub(super) fn reach(&self, point: Point, log: &Log) {
        let mut state = self.state();
        if state.armed != Some(point) {
            return;
        }
        *state = State { armed: None, standing: true };
        log.tell(|_| Record::Reached(point));
        tokio::task::block_in_place(|| {
            let standing = self.changed.wait_while(state, |state| state.standing);
            drop(standing.unwrap_or_else(PoisonError::into_inner));
        });
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
