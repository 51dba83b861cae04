//! Warnings that stay true are repeated, and not for every request.

use std::collections::HashMap;
use std::sync::Mutex;
use std::time::{Duration, Instant};

use crate::lock::locked;

/// How often one is repeated.
const EVERY: Duration = Duration::from_secs(30);

/// When each was last said.
#[derive(Debug, Default)]
pub(crate) struct Said(Mutex<HashMap<(&'static str, &'static str), Instant>>);

impl Said {
    /// Whether it is time to say this of that.
    pub(crate) fn is_time(&self, what: &'static str, of: &'static str) -> bool {
        let now = Instant::now();
        let mut said = locked(&self.0);
        let is_time = |last: &Instant| now.duration_since(*last) > EVERY;
        let due = said.get(&(what, of)).is_none_or(is_time);
        if due {
            said.insert((what, of), now);
        }
        due
    }
}
