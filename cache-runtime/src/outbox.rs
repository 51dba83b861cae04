//! The outbox: the table into which the triggers write tags, in the writer's own transaction.

#[cfg(any(feature = "postgres", feature = "sqlite"))]
pub(crate) mod connection;
#[cfg(any(feature = "postgres", feature = "sqlite"))]
pub(crate) mod database;
#[cfg(any(feature = "postgres", feature = "sqlite"))]
mod manager;
#[cfg(any(feature = "postgres", feature = "sqlite"))]
pub(crate) mod open;
#[cfg(feature = "postgres")]
mod postgres;
#[cfg(any(feature = "postgres", feature = "sqlite"))]
mod set_up;
#[cfg(feature = "sqlite")]
mod sqlite;
#[cfg(any(feature = "postgres", feature = "sqlite"))]
pub(crate) mod table;

use std::time::Duration;

use crate::boxed::{BoxError, BoxFuture};
use crate::model::column::Dialect;
use crate::model::tag::Tag;

/// One report of a write.
#[derive(Debug, Clone)]
pub struct OutboxRow {
    /// Where it stands among the rows.
    pub cursor: Cursor,
    /// What changed; `None` where the text cannot be a tag of any value.
    pub tag: Option<Tag>,
    /// How long ago its transaction began.
    pub age: Duration,
}

/// A position in the order in which rows are taken: the transaction, and the row's number.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Cursor {
    /// 0 where transactions have no number.
    pub transaction: i64,
    /// The number.
    pub id: i64,
}

impl Cursor {
    /// Before every row.
    pub(crate) const FIRST: Cursor = Cursor { transaction: 0, id: i64::MIN };
}

/// What a look at the outbox could see. Rows that come to light later are of transactions that were
/// under way, or not begun, so that the next look need not pass by all that was delivered before.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Seen {
    /// Transactions from this number on had not begun.
    pub before: i64,
    /// Of those before, these were under way.
    pub under_way: Vec<i64>,
}

/// Which rows of the outbox, of those that are committed.
#[derive(Debug, Clone)]
pub enum RowFilter {
    /// Those that nobody has delivered.
    Waiting {
        /// Only what has come to light since.
        since: Option<Seen>,
    },
    /// What a transaction has written, but for what was delivered to here already; `mark` is what
    /// it noted when it began.
    Own {
        /// On PostgreSQL the number of the writer, on SQLite that of the last row before it.
        mark: i64,
        /// [`Store::place`](crate::Store::place)
        here: i64,
    },
    /// Those that were delivered to another place than this, not longer ago than that.
    DeliveredElsewhere {
        /// [`Store::place`](crate::Store::place)
        here: i64,
        /// At most so long ago.
        within: Duration,
    },
}

/// What one step of a purge has deleted.
#[derive(Debug, Clone, Copy)]
pub struct Purged {
    /// How many rows.
    pub rows: usize,
    /// When the last of them was delivered, in microseconds of the database's time; where that need
    /// not be known, 0.
    pub until: i64,
}

/// How much is in the outbox.
#[derive(Debug, Clone, Copy)]
pub struct Backlog {
    /// Rows, roughly: delivered or not.
    pub rows: u64,
    /// How long ago the transaction began whose row has waited for longest.
    pub waiting: Option<Duration>,
}

/// What is installed in a database.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Installed {
    /// What is to be; `identity` is of this installation.
    Right {
        /// Another one after every change, and in every other database.
        identity: String,
    },
    /// Nothing.
    Nothing,
    /// Something else: triggers of another `cache.toml`, or not all of them.
    Other,
    /// It is right, and of no use, for this reason.
    Useless(String),
}

/// How many rows one step of a delivery takes.
pub(crate) const BATCH: usize = 5000;

/// How many rows one step of a purge deletes.
pub(crate) const PURGE_BATCH: usize = 1000;

/// The outbox table of a database whose writes are reported.
pub(crate) trait Outbox: Send + Sync {
    /// The database.
    fn dialect(&self) -> Dialect;

    /// Takes a connection for a pass over the table.
    fn connect(&self) -> BoxFuture<'_, Result<Box<dyn OutboxConnection>, BoxError>>;

    /// Begins to listen for rows, if the database tells of them. A writer that delivers its own
    /// rows makes no noise.
    fn listen(&self) -> BoxFuture<'_, Result<Option<Box<dyn Listener>>, BoxError>>;
}

/// A connection to the database, with the table.
pub(crate) trait OutboxConnection: Send {
    /// What is installed.
    fn installed(&mut self) -> BoxFuture<'_, Result<Installed, BoxError>>;

    /// The lookups (`user#email`) for which this database may call two texts equal.
    fn spellings(&mut self) -> BoxFuture<'_, Result<Vec<String>, BoxError>>;

    /// Which column has a type that will not do, if any has.
    fn types(&mut self) -> BoxFuture<'_, Result<Option<String>, BoxError>>;

    /// Does all that is done to the outbox once, and undoes it; says what is not possible, if
    /// anything is. Better now than when rows wait.
    fn try_out(&mut self) -> BoxFuture<'_, Result<Option<String>, BoxError>>;

    /// What a look that begins now sees at least; `None` where that need not be known.
    fn seen(&mut self) -> BoxFuture<'_, Result<Option<Seen>, BoxError>>;

    /// The first [`BATCH`] of these rows after this place, in order.
    fn rows<'a>(
        &'a mut self,
        filter: &'a RowFilter,
        after: Cursor,
    ) -> BoxFuture<'a, Result<Vec<OutboxRow>, BoxError>>;

    /// Reports these, as a write would.
    fn report(&mut self, tags: Vec<Tag>) -> BoxFuture<'_, Result<(), BoxError>>;

    /// Marks rows as delivered to this place. A row that somebody else is marking may be left to
    /// them.
    fn mark_delivered(&mut self, ids: Vec<i64>, to: i64) -> BoxFuture<'_, Result<(), BoxError>>;

    /// Deletes up to [`PURGE_BATCH`] rows that were delivered longer ago than this, and not before
    /// that time, the oldest first.
    fn purge(&mut self, retention: Duration, after: i64)
    -> BoxFuture<'_, Result<Purged, BoxError>>;

    /// How much there is; and for how long it has waited, if that is not known.
    fn backlog(&mut self, waiting: bool) -> BoxFuture<'_, Result<Backlog, BoxError>>;
}

/// Hears of rows that somebody has committed.
pub trait Listener: Send + Sync {
    /// Waits for the next.
    fn heard(&mut self) -> BoxFuture<'_, Result<(), BoxError>>;
}
