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

/// A database whose writes are reported by triggers.
pub(crate) trait Outbox: Send + Sync {
    /// Committed rows that are not delivered yet, some at least if there are any.
    fn waiting(&self) -> BoxFuture<'_, Result<Vec<OutboxRow>, BoxError>>;

    /// Marks rows as delivered. A row that somebody else is marking may be left to them.
    fn mark_delivered(&self, ids: Vec<i64>) -> BoxFuture<'_, Result<(), BoxError>>;
}
