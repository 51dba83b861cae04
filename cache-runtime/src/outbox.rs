//! The outbox: the table into which the triggers write tags, in the writer's own transaction.

#[cfg(feature = "postgres")]
mod postgres;
#[cfg(feature = "sqlite")]
mod sqlite;
#[cfg(any(feature = "postgres", feature = "sqlite"))]
pub(crate) mod transaction;

use crate::error::BoxError;
use crate::store::BoxFuture;
use crate::tag::Tag;

/// One report of a write.
#[derive(Debug, Clone)]
pub struct OutboxRow {
    /// Its number in the table.
    pub id: i64,
    /// What changed.
    pub tag: Tag,
}

/// How many rows one step of a delivery takes.
pub(crate) const BATCH: usize = 1000;

/// The outbox table of a database whose writes are reported by triggers.
pub(crate) trait Outbox: Send + Sync {
    /// Its name.
    #[cfg(any(feature = "postgres", feature = "sqlite"))]
    fn table(&self) -> &'static str;

    /// Takes a connection for a pass over the table.
    fn connect(&self) -> BoxFuture<'_, Result<Box<dyn OutboxConnection>, BoxError>>;
}

/// A connection to the database, with the table.
pub(crate) trait OutboxConnection: Send {
    /// The first [`BATCH`] rows after this id that are committed and not delivered, in order.
    fn waiting(&mut self, after: i64) -> BoxFuture<'_, Result<Vec<OutboxRow>, BoxError>>;

    /// Marks rows as delivered. A row that somebody else is marking may be left to them.
    fn mark_delivered(&mut self, ids: Vec<i64>) -> BoxFuture<'_, Result<(), BoxError>>;
}
