//! The SQL that makes a database report its changes: an outbox table, and triggers that write into
//! it the tags of every row that changes, in the writer's own transaction.

mod postgres;
mod render;
mod sql;
mod sqlite;
mod watched;

use crate::names::snake;

/// Whose SQL.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Dialect {
    /// PostgreSQL 14 or later: statement-level triggers with transition tables.
    Postgres,
    /// SQLite 3.38 or later: row-level triggers.
    Sqlite,
}

/// The statements that install the outbox and the triggers.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Triggers {
    /// Changes whenever any statement changes: a hash of all of them, in hex.
    pub fingerprint: String,
    /// Make the outbox, and a table `{outbox}_stamp (stamp, identity)` that is to say which
    /// triggers are installed, and which installation this is.
    pub outbox: Vec<String>,
    /// Fail where the database does not have what the file names.
    pub checks: Vec<String>,
    /// Fail where a column has a type that will not do; on SQLite, answer a sentence each that says
    /// why. They ask the catalog, without a lock.
    pub types: Vec<String>,
    /// The tables whose changes are reported. One after the other, each in its own transaction.
    pub tables: Vec<Table>,
    /// Removes the triggers that another version of the file has left. Empty on SQLite, where no
    /// SQL can: drop the triggers whose own text has `INSERT INTO "{outbox}" (tag)`, and that are
    /// not of this file.
    pub removal: String,
    /// The columns whose text is in tags: values that the database calls equal must have the same.
    pub exact: Vec<ExactColumn>,
    /// Answers the lookups (`user#email`) for which the database may call two texts equal.
    pub spellings: String,
}

/// A table whose changes are reported.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Table {
    /// Its name, as in the file.
    pub name: String,
    /// PostgreSQL only: what makes the function that its triggers call, or replaces it.
    pub function: Vec<String>,
    /// What calls it; on SQLite, what reports.
    pub triggers: Vec<Trigger>,
}

/// A trigger.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Trigger {
    /// Its name.
    pub name: String,
    /// The statement that makes it, without a final semicolon.
    pub sql: String,
    /// SQLite, models with `ignores` only: replace `{old}` and `{new}` in `sql` by the columns of
    /// the table without the ignored ones. Only the database knows them.
    pub columns_of: Option<ColumnsOf>,
}

/// The columns of a table without some of them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ColumnsOf {
    /// The table, as in the file.
    pub table: String,
    /// The columns to leave out.
    pub ignores: Vec<String>,
}

/// A column whose text is in tags.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ExactColumn {
    /// What it is: `the id of user`, `a reference of post`.
    pub what: String,
    /// The table, as in the file.
    pub table: String,
    /// The column.
    pub column: String,
}

/// The operation that makes the longest name of a trigger.
pub(crate) const LONGEST_OPERATION: &str = "truncate";

/// The name of a model's trigger for this operation. Operations are one word, so that the names of
/// two models' triggers never meet.
pub(crate) fn trigger_name(outbox: &str, model: &str, operation: &str) -> String {
    format!("{outbox}_{}_{operation}", snake(model))
}
