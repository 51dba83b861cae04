//! What happens in a cache, for tracing, metrics and tests.

use std::time::Duration;

use crate::error::Error;
use crate::model::tag::Tag;

/// One thing that happened.
#[derive(Debug, Clone, Copy)]
#[non_exhaustive]
pub enum Event<'a> {
    /// The near cache or the store had the value (or knew that there is no such row).
    Hit {
        /// The key.
        key: &'a str,
        /// Which of them.
        tier: &'static str,
    },
    /// The store had nothing usable.
    Miss {
        /// The key.
        key: &'a str,
    },
    /// The store had bytes that do not decode: truncated, foreign or of another version. A miss
    /// follows.
    Unreadable {
        /// The key.
        key: &'a str,
        /// What was wrong with them.
        why: &'a str,
    },
    /// A loader is about to run.
    Loading {
        /// The model.
        model: &'static str,
        /// The keys of the ids it was asked for.
        keys: &'a [String],
    },
    /// A loader has ended, with values or an error, or was given up; nothing is stored yet.
    Loaded {
        /// The model.
        model: &'static str,
        /// The keys of the ids it was asked for.
        keys: &'a [String],
    },
    /// A load failed, panicked or took too long; if somebody waits for it, that one is told.
    LoadFailed {
        /// The model.
        model: &'static str,
        /// What happened.
        error: &'a Error,
    },
    /// A loaded value is not stored: it is larger than `max-value`, depends on more than
    /// `max-tags`, or does not come back from its encoding, or not with all that it depends on. Its
    /// readers have it all the same.
    Unstorable {
        /// The model.
        model: &'static str,
        /// The key.
        key: &'a str,
        /// What was wrong with it.
        why: &'a str,
    },
    /// A loaded value comes back from its encoding as another one. Its readers have the one that
    /// comes back: those who load it, and those who find it stored.
    Altered {
        /// The model.
        model: &'static str,
        /// The key.
        key: &'a str,
        /// Where it differs.
        at: &'a str,
    },
    /// A loaded value was offered to the store.
    Filled {
        /// The key.
        key: &'a str,
        /// `false`: refused by a fence, or the store is away.
        stored: bool,
    },
    /// A hit was compared with the source; see [`Verdict`].
    Verified {
        /// The model.
        model: &'static str,
        /// The key.
        key: &'a str,
        /// What had answered: the near cache or the store.
        tier: &'static str,
        /// What came of it.
        verdict: Verdict,
    },
    /// A transaction of [`Cache::begin`](crate::Cache) has committed; nothing is invalidated yet.
    Committed,
    /// Strict values built from these tags are deleted and not stored again before the write that
    /// is about to commit has been delivered.
    Blocked {
        /// The tags.
        tags: &'a [Tag],
    },
    /// Tags were invalidated.
    Invalidated {
        /// The tags.
        tags: &'a [Tag],
    },
    /// Rows of the outbox were delivered, by a commit or by the relay.
    Delivered {
        /// How many.
        rows: usize,
        /// How long ago the transaction of the oldest of them began.
        lag: Duration,
    },
    /// A row of the outbox cannot be a tag of any value (it is empty, too long, or no text): it is
    /// not delivered, and not looked at again.
    DeadLettered {
        /// Its number.
        id: i64,
    },
    /// How much is in the outbox: told every ten seconds or so.
    Backlog {
        /// Rows, roughly: delivered or not.
        rows: u64,
        /// How long ago the transaction began whose row has waited for longest; zero when none
        /// waits.
        waiting: Duration,
    },
    /// The relay has looked, and nothing waits.
    Idle,
    /// The store does not answer: from now on reads go to the source and tags wait in the outbox.
    StoreAway {
        /// What it said last.
        why: &'a str,
    },
    /// The store answers again and everything that waited has been delivered.
    StoreBack,
}

/// What came of comparing a hit with the source, after every report of a write should have been
/// delivered.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Verdict {
    /// The source says the same.
    Consistent,
    /// The source says something else, and what was served is served still: nobody has reported the
    /// change, or not in time.
    Inconsistent,
    /// The source says something else, and what was served is gone; or it could not be told: the
    /// load failed, the store is away, the value does not serialize.
    Undecided,
}

impl Verdict {
    #[cfg(feature = "metrics")]
    pub(crate) fn as_str(self) -> &'static str {
        match self {
            Verdict::Consistent => "consistent",
            Verdict::Inconsistent => "inconsistent",
            Verdict::Undecided => "undecided",
        }
    }
}
