//! What `cache_runtime::schema!()` makes of `cache.toml` at compile time.

use std::time::Duration;

/// Everything in `cache.toml` that is not about one struct. Made by `cache_runtime::schema!()`.
#[derive(Debug)]
pub struct Schema {
    /// Put before every key of the store.
    pub prefix: &'static str,
    /// The longest load whose result may still be stored: the life of a fence.
    pub max_load: Duration,
    /// The table that the triggers write to.
    pub outbox: &'static str,
    /// The outbox and triggers for PostgreSQL.
    pub postgres: Triggers,
    /// The outbox and triggers for SQLite.
    pub sqlite: Triggers,
}

/// The statements that make a database report its writes, rendered from `cache.toml`.
#[derive(Debug)]
pub struct Triggers {
    /// Changes when a statement does.
    pub stamp: &'static str,
    /// In order; each may be run again.
    pub statements: &'static [Statement],
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
