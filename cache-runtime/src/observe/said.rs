//! Warnings that stay true are repeated, and not for every request.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

/// How often one is repeated.
const EVERY: Duration = Duration::from_secs(30);

/// When each was last said.
#[derive(Debug, Default)]
pub(crate) struct Said(Mutex<HashMap<(&'static str, &'static str), Instant>>);

impl Said {
    /// Whether it is time to say this of that.
    pub(crate) fn is_time(&self, what: &'static str, of: &'static str) -> bool {
        let now = Instant::now();
        let mut said = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let is_time = |last: &Instant| now.duration_since(*last) > EVERY;
        let due = said.get(&(what, of)).is_none_or(is_time);
        if due {
            said.insert((what, of), now);
        }
        due
    }
}
