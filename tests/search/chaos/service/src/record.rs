//! What the processes of the service tell the conductor, one JSON text a line.

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::clock::Nanos;
use crate::models::ACCOUNTS_OF_A_LINE;

/// The number of a process; one that is started in another's place has a new one.
pub type ProcessId = u32;

/// Whose store it is: the processes of a line share one. All lines read and write the same rows of
/// the same database, in front of which each has its own values, on the same Redis server.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum Line {
    Main,
    /// In another logical database of the server.
    Database,
    /// With another `prefix`, in the same logical database.
    Prefix,
}

impl Line {
    pub const ALL: [Line; 3] = [Line::Main, Line::Database, Line::Prefix];

    /// The logical database that its values are in.
    pub fn database(self) -> u32 {
        match self {
            Line::Main | Line::Prefix => 0,
            Line::Database => 1,
        }
    }

    /// One of the accounts that this line writes to.
    pub fn account(self) -> i64 {
        self as i64 * ACCOUNTS_OF_A_LINE + fastrand::i64(0..ACCOUNTS_OF_A_LINE)
    }
}

/// A row with a version. Every write to it raises the version by one, so
/// the versions are in the order of the commits.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Register {
    pub model: Model,
    pub id: i64,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum Model {
    Author,
    Book,
    Review,
    Page,
    /// Strict, and written to through the cache only: by one line, as no other can block for it.
    Account,
    /// What lists of tickets say of it.
    Queue,
    /// The same, of what is listed over a path.
    Desk,
}

impl Model {
    pub fn register(self, id: i64) -> Register {
        Register { model: self, id }
    }
}

impl Register {
    /// The line in which it is strict.
    pub fn is_strict_in(self) -> Option<Line> {
        let line = usize::try_from(self.id / ACCOUNTS_OF_A_LINE).ok()?;
        let line = Line::ALL.get(line).copied();
        line.filter(|_| self.model == Model::Account)
    }
}

impl fmt::Display for Register {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:?} {}", self.model, self.id)
    }
}

/// The version of what there never was, such as a list of which a part is of another moment.
pub const TORN: i64 = i64::MIN;

/// Who answered a read, as in `Cache-Status`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Tier {
    /// The near cache.
    Near,
    /// The store.
    Far,
    /// The store, with a value that has expired.
    Stale,
    /// The source: this reader's own load.
    Miss,
    /// The source: another reader's load.
    Collapsed,
    /// The source, as the store is away.
    Bypass,
    /// The database, without a cache.
    Database,
    /// Any of them but near, and but the last one: who reads ids of a list does not hear which.
    List,
    /// Near, or any of those.
    NearList,
}

/// What a read saw of one row.
#[derive(Debug, Clone, Copy, Serialize, Deserialize)]
pub struct Sight {
    pub register: Register,
    /// -1: there was no such row, although there always is.
    pub version: i64,
    /// A load that began after the read did has read it from the database, if anything was loaded.
    pub direct: bool,
    /// The reader has shown the token of the commit that wrote this version.
    #[serde(default)]
    pub promised: Option<i64>,
}

/// How a write was made.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum Way {
    /// `begin` and `commit`.
    Cache,
    /// By a program that knows nothing of the cache.
    Plain,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum Outcome {
    /// Committed; and the store was in use all the while, so that
    /// it was told when `commit` returned.
    Applied,
    /// Committed.
    Committed,
    /// An error: it may or may not have been committed.
    Unknown,
}

/// Where a process can be told to stand still.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub enum Point {
    /// Before a strict commit, when it is blocked.
    Blocked,
    /// Between a commit and its invalidation.
    Committed,
    /// With a value that was loaded and is not stored yet.
    Loaded,
    /// When the store was told what others wrote, and the outbox was not told so yet.
    Relayed,
}

#[derive(Debug, Serialize, Deserialize)]
pub enum Record {
    /// It is built, and about to read and write.
    Ready,
    /// Whether its stores are in use.
    InUse(bool),
    /// What it has stored so far.
    Stored(Stored),
    /// It stands still there.
    Reached(Point),
    Read {
        start: Nanos,
        end: Nanos,
        tier: Tier,
        seen: Vec<Sight>,
    },
    /// COMMIT is about to be sent.
    Committing {
        start: Nanos,
        way: Way,
        written: Vec<(Register, i64)>,
    },
    /// It has returned.
    Committed {
        start: Nanos,
        end: Nanos,
        way: Way,
        outcome: Outcome,
        written: Vec<(Register, i64)>,
    },
    /// A read that ended with an error.
    ReadFailed(String),
    /// A write that did not come to its commit.
    WriteFailed(String),
    /// Everything that ended before has been told.
    Mark(Nanos),
}

/// How many values a process has stored.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Stored {
    pub values: u64,
    pub strict: u64,
}

/// What a process is started with.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Orders {
    pub process: ProcessId,
    pub line: Line,
    pub database: String,
    pub redis: String,
    pub reads_per_second: u32,
    pub seed: u64,
    /// A mechanism that is off.
    pub without: Option<String>,
}

/// What it is told while it runs.
#[derive(Debug, Clone, Copy, Serialize, Deserialize)]
pub enum Command {
    StandAt(Point),
    GoOn,
    /// Reads go over all pages, or over the few that are often written to.
    Widely(bool),
}
