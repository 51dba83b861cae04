//! How values are stored.

use std::fmt;
use std::time::Duration;

use crate::source::Position;
use crate::template::KeyTemplate;

/// How the values of a cached model are stored; the defaults of `[cache]` are filled in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Policy {
    /// The key of a value, without the prefix of `[cache]`.
    pub key: KeyTemplate,
    /// The life of a value.
    pub ttl: Duration,
    /// The life is shortened at random by up to this share, in percent.
    pub jitter: u8,
    /// The life of "no such row".
    pub negative_ttl: Duration,
    /// The encoding.
    pub codec: Codec,
    /// What was stored under another version is not served.
    pub version: usize,
    /// How many bytes a stored value has at most.
    pub max_value: usize,
    /// How many tags a stored value has at most.
    pub max_tags: usize,
    /// For how long after its `ttl` a value is still served, while it is loaded anew.
    pub grace: Duration,
    /// How long a load may take; then its readers get an error.
    pub load_timeout: Duration,
    /// How long a process waits for another one that loads the same value; zero: it does not, and
    /// never does when the model is strict.
    pub lease: Duration,
    /// How much of its decoded values each process holds; none: it keeps none.
    pub near: Option<Capacity>,
    /// What becomes of an invalidated value.
    pub on_write: OnWrite,
    /// How many of its hits are compared with the source, out of `u32::MAX`; zero: none.
    pub verify: u32,
    /// Strict also when another strict model is built from it.
    pub consistency: Consistency,
    /// Other unique columns a value can be got by.
    pub lookups: Vec<Lookup>,
}

/// Another unique column a value can be got by.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Lookup {
    /// The column.
    pub column: String,
    /// Its key, such as `plio_by_uuid_{uuid}`, without the prefix of `[cache]`.
    pub key: KeyTemplate,
    /// Where the column stands in `lookup`.
    pub position: Position,
}

/// How a stored value is encoded.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Codec {
    /// `"json"`
    Json,
    /// `"msgpack"`
    Msgpack,
}

/// What a read may show of writes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Consistency {
    /// `"eventual"`: nothing from before a write once its commit has returned to the writer; other
    /// processes may show it until then, and writes from outside until the relay reports them.
    Eventual,
    /// `"strict"`: linearizable with the writes through the cache.
    Strict,
}

/// How much a near cache holds of one model.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Capacity {
    /// `{ entries = … }`: so many values.
    Entries(usize),
    /// `{ bytes = "…" }`: so many bytes, as they are encoded.
    Bytes(usize),
}

/// What a write does to a value that was built from what it changed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum OnWrite {
    /// `"delete"`: the value is gone; the next read loads it.
    Delete,
    /// `"refresh"`: a value that is in use is loaded anew as well, as soon as it is invalidated.
    Refresh,
}

impl fmt::Display for Codec {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Json => "json",
            Self::Msgpack => "msgpack",
        })
    }
}

impl fmt::Display for Consistency {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Eventual => "eventual",
            Self::Strict => "strict",
        })
    }
}

impl fmt::Display for OnWrite {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Delete => "delete",
            Self::Refresh => "refresh",
        })
    }
}
