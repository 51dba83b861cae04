//! One clock for all processes, which nobody can set.

use std::time::Duration;

use rustix::time::{ClockId, clock_gettime};

/// Nanoseconds since the machine was started.
pub type Nanos = u64;

pub fn now() -> Nanos {
    let time = clock_gettime(ClockId::Monotonic);
    time.tv_sec as u64 * 1_000_000_000 + time.tv_nsec as u64
}

pub fn nanos(duration: Duration) -> Nanos {
    duration.as_nanos() as u64
}

/// As milliseconds.
pub fn ms(nanos: Nanos) -> f64 {
    nanos as f64 / 1e6
}
