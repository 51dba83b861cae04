//! What a reader is answered, and how that was come by.

use std::fmt;
use std::time::Duration;

use crate::local::near;

/// A value and how it was come by.
#[derive(Debug)]
pub struct Fetched<V> {
    /// The value; `None` when there is no such row.
    pub value: Option<V>,
    /// For the `Cache-Status` header.
    pub status: CacheStatus,
}

impl<V> Fetched<V> {
    pub(crate) fn near(value: Option<V>) -> Fetched<V> {
        let status = CacheStatus { tier: near::NAME, answer: Answer::Hit };
        Fetched { value, status }
    }
}

/// How a read was answered. Its `Display` is a member of the `Cache-Status` header, RFC 9211
/// (<https://www.rfc-editor.org/rfc/rfc9211>): `near; hit`, `redis; hit`, `redis; hit; ttl=-3`
/// (expired), `redis; fwd=miss; stored`, `redis; fwd=miss; stored; collapsed`, `redis; fwd=bypass`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct CacheStatus {
    /// `near`, or the store's name: `redis`, `memory`.
    pub tier: &'static str,
    /// What it did.
    pub answer: Answer,
}

/// What the cache did for a read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Answer {
    /// It had the value.
    Hit,
    /// It had the value, expired; it is loaded anew in the background, unless that failed a moment
    /// ago.
    Stale {
        /// For how long.
        since: Duration,
    },
    /// The value was loaded.
    Miss {
        /// And is stored now: no fence refused it.
        stored: bool,
        /// By another reader's load, which this one waited for.
        collapsed: bool,
    },
    /// The value was loaded and not stored: the store is away, or what it has may be from before
    /// what this reader was promised ([`Cache::at_least`](crate::Cache::at_least)).
    Bypass,
}

impl fmt::Display for CacheStatus {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.tier)?;
        match self.answer {
            Answer::Hit => f.write_str("; hit"),
            Answer::Stale { since } => write!(f, "; hit; ttl=-{}", since.as_secs()),
            Answer::Bypass => f.write_str("; fwd=bypass"),
            Answer::Miss { stored, collapsed } => {
                f.write_str("; fwd=miss")?;
                f.write_str(if stored { "; stored" } else { "" })?;
                f.write_str(if collapsed { "; collapsed" } else { "" })
            }
        }
    }
}
