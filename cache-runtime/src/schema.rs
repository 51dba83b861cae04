//! What `cache_runtime::schema!()` makes of `cache.toml` at compile time.

use std::time::Duration;

#[cfg(any(feature = "postgres", feature = "sqlite"))]
use crate::tag::Tag;

/// Everything in `cache.toml` that is not about one struct. Made by `cache_runtime::schema!()`.
#[derive(Debug, Clone, Copy)]
pub struct Schema {
    /// Put before every key of the store.
    pub prefix: &'static str,
    /// The longest load whose result may still be stored: the life of a fence.
    pub max_load: Duration,
    /// The longest from the block to the commit of a write that strict values are built from.
    pub max_commit: Duration,
    /// How many models there are.
    pub models: usize,
    /// For how long a near cache may be wrong when the network is cut; none, when no model is near, nor refreshed on write.
    pub max_staleness: Option<Duration>,
    /// The tags that strict values are built from: `model#columns`.
    pub strict: &'static [&'static str],
    /// The table that the triggers write to.
    pub outbox: &'static str,
    /// For how long its rows stay after they were delivered.
    pub retention: Duration,
    /// How often the relay looks for rows that nobody has delivered.
    pub poll: Duration,
    /// The outbox and triggers for PostgreSQL.
    pub postgres: Triggers,
    /// The outbox and triggers for SQLite.
    pub sqlite: Triggers,
}

#[cfg(any(feature = "postgres", feature = "sqlite"))]
impl Schema {
    /// Whether a strict value may be built from what this tag stands for.
    pub(crate) fn is_strict(&self, tag: &Tag) -> bool {
        let text = tag.as_str();
        match tag.whole_model() {
            Some(model) => self
                .strict
                .iter()
                .any(|columns| columns.split_once('#').is_some_and(|(it, _)| it == model)),
            None => text
                .split_once('=')
                .is_some_and(|(columns, _)| self.strict.contains(&columns)),
        }
    }
}

/// The statements that make a database report its writes, rendered from `cache.toml`.
#[derive(Debug, Clone, Copy)]
pub struct Triggers {
    /// Changes when a statement does.
    pub stamp: &'static str,
    /// Make the outbox, and the table that says which triggers are installed.
    pub outbox: &'static [&'static str],
    /// Removes the triggers of any version of `cache.toml`; empty on SQLite, where no SQL can.
    pub removal: &'static str,
    /// Check the columns, and make the triggers; in order.
    pub statements: &'static [Statement],
    /// The names of the triggers beside the outbox, and their tables.
    pub names: &'static [(&'static str, &'static str)],
}

/// One of them.
#[derive(Debug)]
pub struct Statement {
    /// The SQL; with `columns_of`, `{columns}` in it stands for a list of columns.
    pub sql: &'static str,
    /// Which columns: those of this table but for the ignored. (SQLite's `UPDATE OF` cannot say "but for".)
    pub columns_of: Option<ColumnsOf>,
}

/// The columns of a table but for the ignored ones.
#[derive(Debug)]
pub struct ColumnsOf {
    /// The table, as in `cache.toml`.
    pub table: &'static str,
    /// What to leave out.
    pub ignores: &'static [&'static str],
}
