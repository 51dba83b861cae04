//! Stores: where values, fences and indexes live. One protocol, one trait, one conformance suite.
//!
//! The protocol (read, fill, invalidate) is in `docs/ARCHITECTURE.md`. In short: a read that misses
//! carries a token from before the load; a fill is refused when a fence of one of its tags, or the
//! epoch, is newer than that token; an invalidation sets the fences and deletes what the tags
//! index.

#[cfg(feature = "conformance")]
pub mod conformance;
pub(crate) mod consistency;
pub(crate) mod memory;
#[cfg(feature = "redis")]
pub(crate) mod redis;
mod sink;

use std::fmt;
use std::time::Duration;

use bytes::Bytes;

use crate::boxed::BoxError;
pub use crate::boxed::BoxFuture;
use crate::model::tag::Tag;
pub use sink::InvalidationSink;

/// How long a reader waits for a server before it goes to the source, and everybody else with it.
pub(crate) const TIMEOUT: Duration = Duration::from_millis(500);

/// How many fences a store keeps at most: with more it refuses all fills that began before.
pub(crate) const MOST_FENCES: usize = 1 << 15;

/// What a [`Store`]'s operation returns.
pub type Reply<'a, T> = BoxFuture<'a, Result<T, StoreError>>;

/// The moment before a load, on the store's own clock. A fill shows it, and is refused when one of
/// its tags was invalidated since.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Token {
    /// Which life of the store: changes when it may have forgotten fences or invalidations.
    pub epoch: Epoch,
    /// Microseconds of the store's time, advanced by every invalidation and never backwards.
    pub clock: u64,
}

impl Token {
    /// Whether what had been invalidated at the other moment had been at this one: it is the same
    /// one, or a later one of the same epoch.
    pub(crate) fn includes(self, other: Token) -> bool {
        self.epoch == other.epoch && self.clock >= other.clock
    }
}

/// The name of one life of a store: the lineage of the values that it holds (which begins with the
/// database that they are from), and the server that holds it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Epoch(pub [u8; Epoch::LEN]);

impl Epoch {
    /// Bytes in a name.
    pub const LEN: usize = 24;

    /// Bytes of it that name the lineage. A new one voids every value; another server does not,
    /// once it was told what it missed.
    pub const LINEAGE: usize = 14;
}

/// In which state a store was found.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Connected {
    /// It has missed nothing that it was told since it began, or was adopted, so long ago.
    Same(Duration),
    /// It has begun anew: there are no values that could be stale.
    New,
    /// It is another server than before (a replica that was promoted, a restart with older memory),
    /// and holds what that one held so long ago. What was invalidated since has to be again; then
    /// [`Store::adopt`]. Until then no token counts, and whoever connects is told the same.
    Behind(Duration),
}

/// The answer to a read.
#[derive(Debug)]
pub struct Read {
    /// The bytes under each key, in order.
    pub values: Vec<Option<Bytes>>,
    /// Taken no later than the values were: what a load that begins now has to show.
    pub token: Token,
}

/// The answer to a claim.
#[derive(Debug)]
pub struct Claim {
    /// The values, and a token as good as that of a read.
    pub read: Read,
    /// In order: whether it is the claimant who loads. Never for one with a value.
    pub claimed: Vec<bool>,
}

/// A value to be stored.
#[derive(Debug, Clone)]
pub struct Fill {
    /// Under this key.
    pub key: String,
    /// What it was built from.
    pub tags: Vec<Tag>,
    /// The bytes.
    pub value: Bytes,
    /// For how long.
    pub ttl: Duration,
    /// Refused as well while one of its tags is blocked.
    pub strict: bool,
}

/// A place for values that keeps the protocol; `store::conformance` is the test of that.
pub trait Store: Send + Sync + 'static {
    /// The tier's name, as in `Cache-Status`.
    fn name(&self) -> &'static str;

    /// Whom to tell which values are no longer valid: called once, before the first
    /// [`connect`](Self::connect), and only if there is a near cache.
    ///
    /// What this process invalidates is told before [`invalidate`](Self::invalidate) has returned;
    /// what others do, before a [`read`](Self::read) or a [`claim`](Self::claim) has returned whose
    /// token is from after it, were it a read of nothing. Where a message may have been lost, all
    /// is forgotten.
    ///
    /// A near cache may have a value for a minute after the store has it no more. So for a little
    /// longer than that the store either knows what the value was built from (its *edges*), and
    /// tells when it is invalidated, or it has told that the value was
    /// [`evicted`](InvalidationSink::evicted) when it forgot them. That a value has expired need
    /// not be told by itself.
    fn keep_told(&self, sink: InvalidationSink);

    /// Makes the store usable: called before first use, and again after it was away.
    ///
    /// Begins a new epoch when it holds nothing, or values of another `source`: the identity of a
    /// database. Says when it may have missed invalidations.
    fn connect<'a>(&'a self, source: &'a str) -> Reply<'a, Connected>;

    /// The number of the place that it is in now: of its server, or of this memory. What was
    /// delivered to another place is not known here.
    fn place(&self) -> i64;

    /// Whether it is still where it was connected: whether its server is still who it was.
    fn check(&self) -> Reply<'_, ()>;

    /// After [`Connected::Behind`], and everything that it missed: its values are right.
    fn adopt(&self) -> Reply<'_, ()>;

    /// The values under these keys, and a token.
    fn read<'a>(&'a self, keys: &'a [String]) -> Reply<'a, Read>;

    /// Of these keys: reads those that have a value, and claims, for so long, the others that
    /// nobody else has claimed. Who has claimed a key loads it; everybody else asks again soon. A
    /// claimant who asks again still has its keys, for no longer than before.
    ///
    /// It saves the source repeated loads, and nothing depends on it: a claim may be lost (with an
    /// epoch, a server, a full memory), as fills are judged by their tokens alone. A store of one
    /// process may claim all that is missing, for everybody.
    fn claim<'a>(&'a self, keys: &'a [String], claimant: u64, life: Duration) -> Reply<'a, Claim>;

    /// Gives up this claimant's claims: after a fill, or when there is none to come. Not those of
    /// others, who may have claimed a key since this one's time was over.
    fn release<'a>(&'a self, keys: &'a [String], claimant: u64) -> Reply<'a, ()>;

    /// Stores each value unless one of its tags was invalidated after the token; says which it
    /// stored.
    fn fill<'a>(&'a self, token: Token, fills: &'a [Fill]) -> Reply<'a, Vec<bool>>;

    /// Deletes every value built from one of the tags (none is empty text) and refuses the fills
    /// that began before. Idempotent.
    ///
    /// Returns a moment at which all of it was done. So an answer with a token of the same epoch,
    /// and with no older clock, is from after it, whichever process is answered.
    fn invalidate<'a>(&'a self, tags: &'a [Tag]) -> Reply<'a, Token>;

    /// Begins a new epoch: everything stored is gone, and fills that began before are refused. So
    /// are strict ones until no block from before can last.
    fn clear(&self) -> Reply<'_, ()>;

    /// Throws some of what has expired away, if it does not go by itself; says whether there is no
    /// more. Called now and then, and again at once as long as there is.
    fn tidy(&self) -> Reply<'_, bool> {
        Box::pin(async { Ok(true) })
    }

    /// Refuses strict fills with one of the tags until this writer unblocks them, or for so long.
    /// Several writers may block a tag.
    fn block<'a>(&'a self, writer: i64, tags: &'a [Tag], life: Duration) -> Reply<'a, ()>;

    /// Ends the writer's block. A block that is over by itself is no error.
    fn unblock<'a>(&'a self, writer: i64, tags: &'a [Tag]) -> Reply<'a, ()>;
}

/// Why a store did not do what it was asked.
#[derive(Debug)]
pub struct StoreError {
    away: bool,
    source: BoxError,
}

impl StoreError {
    /// It does not answer (in time), or not as this store should.
    pub fn away(source: impl Into<BoxError>) -> StoreError {
        StoreError { away: true, source: source.into() }
    }

    /// It answers, and refuses this request.
    pub fn refused(source: impl Into<BoxError>) -> StoreError {
        StoreError { away: false, source: source.into() }
    }

    /// Whether the store as a whole is away, rather than this request refused.
    pub fn is_away(&self) -> bool {
        self.away
    }
}

impl fmt::Display for StoreError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.source.fmt(f)
    }
}

impl std::error::Error for StoreError {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        Some(&*self.source)
    }
}
