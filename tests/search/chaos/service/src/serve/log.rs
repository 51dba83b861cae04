//! What this process tells the conductor.

use std::io::{Write, stdout};
use std::sync::{Mutex, PoisonError};

use crate::clock::{Nanos, now};
use crate::record::Record;

/// What was seen and is not told yet. A record is made of the time at which it is noted, under the
/// lock: so when a mark is told, everything that ended before it has been.
#[derive(Debug, Default)]
pub(super) struct Log(Mutex<Vec<u8>>);

impl Log {
    pub(super) fn note(&self, record: impl FnOnce(Nanos) -> Record) {
        self.add(record, false);
    }

    /// Tells it at once. Returns the time that it has.
    pub(super) fn tell(&self, record: impl FnOnce(Nanos) -> Record) -> Nanos {
        self.add(record, true)
    }

    /// Tells all of it.
    pub(super) fn flush(&self) {
        self.tell(Record::Mark);
    }

    fn add(&self, record: impl FnOnce(Nanos) -> Record, at_once: bool) -> Nanos {
        let mut waiting = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let now = now();
        serde_json::to_writer(&mut *waiting, &record(now)).expect("a record has a text");
        waiting.push(b'\n');
        if at_once {
            let told = stdout().write_all(&waiting).and_then(|()| stdout().flush());
            if told.is_err() {
                // The conductor is gone.
                std::process::exit(1);
            }
            waiting.clear();
        }
        now
    }
}
