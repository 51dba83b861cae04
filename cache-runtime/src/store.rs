//! Stores: where values, fences and indexes live. One protocol, one trait, one conformance suite.
//!
//! The protocol (read, fill, invalidate) is in `docs/ARCHITECTURE.md`. In short: a read that misses
//! carries a token from before the load; a fill is refused when a fence of one of its tags, or the
//! epoch, is newer than that token; an invalidation sets the fences and deletes what the tags index.

#[cfg(feature = "conformance")]
pub mod conformance;
pub(crate) mod memory;
#[cfg(feature = "redis")]
pub(crate) mod redis;

use std::fmt;
use std::pin::Pin;
use std::time::Duration;

use crate::error::BoxError;
use crate::tag::Tag;

/// A boxed future, so that the trait can be used behind a pointer.
pub type BoxFuture<'a, T> = Pin<Box<dyn Future<Output = T> + Send + 'a>>;

/// What a [`Store`]'s operation returns.
pub type Answer<'a, T> = BoxFuture<'a, Result<T, StoreError>>;

/// The moment before a load, on the store's own clock. A fill shows it, and is refused when one of
/// its tags was invalidated since.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Token {
    /// Which life of the store: changes when it may have forgotten fences or invalidations.
    pub epoch: Epoch,
    /// Microseconds of the store's time, advanced by every invalidation and never backwards.
    pub clock: u64,
}

/// The name of one life of a store.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Epoch(pub [u8; Epoch::LEN]);

impl Epoch {
    /// Bytes in a name.
    pub const LEN: usize = 24;
}

/// The answer to a read.
#[derive(Debug)]
pub struct Read {
    /// The bytes under each key, in order.
    pub values: Vec<Option<Vec<u8>>>,
    /// Taken no later than the values were: what a load that begins now has to show.
    pub token: Token,
}

/// A value to be stored.
#[derive(Debug, Clone)]
pub struct Fill {
    /// Under this key.
    pub key: String,
    /// What it was built from.
    pub tags: Vec<Tag>,
    /// The bytes.
    pub value: Vec<u8>,
    /// For how long.
    pub ttl: Duration,
}

/// A place for values that keeps the protocol; `store::conformance` is the test of that.
pub trait Store: Send + Sync + 'static {
    /// The tier's name, as in `Cache-Status`.
    fn name(&self) -> &'static str;

    /// Makes the store usable: called before first use, and again after it was away.
    ///
    /// Begins a new epoch when the store may have forgotten an invalidation since it was last used
    /// (another server, a restart, a restored snapshot).
    fn connect(&self) -> Answer<'_, ()>;

    /// The values under these keys, and a token.
    fn read<'a>(&'a self, keys: &'a [String]) -> Answer<'a, Read>;

    /// Stores each value unless one of its tags was invalidated after the token; says which it stored.
    fn fill<'a>(&'a self, token: Token, fills: &'a [Fill]) -> Answer<'a, Vec<bool>>;

    /// Deletes every value built from one of the tags (none is empty text) and refuses the fills that began before.
    /// Idempotent.
    fn invalidate<'a>(&'a self, tags: &'a [Tag]) -> Answer<'a, ()>;

    /// Begins a new epoch: everything stored is gone, and fills that began before are refused.
    fn clear(&self) -> Answer<'_, ()>;
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
        StoreError {
            away: true,
            source: source.into(),
        }
    }

    /// It answers, and refuses this request.
    pub fn refused(source: impl Into<BoxError>) -> StoreError {
        StoreError {
            away: false,
            source: source.into(),
        }
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
