//! What `cache_runtime::schema!()` makes of `cache.toml` at compile time.

use std::any::type_name;
use std::path::Path;
use std::time::Duration;

use crate::error::Error;
use crate::model::{File, Rows};

#[cfg(any(feature = "postgres", feature = "sqlite"))]
use crate::model::tag::Tag;

/// Everything in `cache.toml` that is not about one struct. Made by `cache_runtime::schema!()`.
#[derive(Debug, Clone, Copy)]
pub struct Schema {
    /// The file.
    pub file: File,
    /// In debug builds: where another file would have been taken instead, had it been there.
    pub nearer: &'static [&'static str],
    /// Put before every key of the store.
    pub prefix: &'static str,
    /// The longest load whose result may still be stored: the life of a fence.
    pub max_load: Duration,
    /// The longest from the block to the commit of a write that strict values are built from.
    pub max_commit: Duration,
    /// How many loads run at once.
    pub max_loads: usize,
    /// How many models and lists there are.
    pub models: usize,
    /// For how long a near cache may be wrong when the network is cut; none, when no model is near,
    /// nor refreshed on write.
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

impl Schema {
    /// An error if this struct is of another file.
    pub(crate) fn admit<T: Rows>(&self) -> Result<(), Error> {
        let (of, name) = (T::FILE, type_name::<T>());
        if of.hash == self.file.hash {
            return Ok(());
        }
        Err(Error::misuse(format!(
            "`{name}` was compiled with `{}` of package `{}`, and this cache's `schema!()` with another file, `{}` of package `{}`: a \
             write would not reach it\n\
             help: read it through the cache of its own schema; or let both crates have the file of their workspace",
            of.name, of.package, self.file.name, self.file.package
        )))
    }

    /// An error if another file would be taken by now. Cargo does not see that a file appears where
    /// there was none.
    pub(crate) fn is_of_nearest(&self) -> Result<(), Error> {
        match self.nearer.iter().find(|place| Path::new(place).is_file()) {
            None => Ok(()),
            Some(place) => Err(Error::misuse(format!(
                "`{place}` has appeared since this was compiled, and comes before `{}`\n\
                 help: touch a source file of the crate and build again: cargo does not notice by itself; or remove it",
                self.file.name
            ))),
        }
    }
}

#[cfg(any(feature = "postgres", feature = "sqlite"))]
impl Schema {
    /// Whether a strict value may be built from what this tag stands for.
    pub(crate) fn is_strict(&self, tag: &Tag) -> bool {
        // A list has its own name before that of the model: `likes:favorite#user_id`.
        let is_of = |columns: &str, model: &str| {
            let of = columns.split_once('#').map_or(columns, |(of, _)| of);
            of == model || of.rsplit_once(':').is_some_and(|(_, step)| step == model)
        };
        match tag.whole_model().or(tag.model_of_some_row()) {
            Some(model) => self.strict.iter().any(|columns| is_of(columns, model)),
            None => tag.columns().is_some_and(|columns| self.strict.contains(&columns)),
        }
    }
}

/// The statements that make a database report its writes, rendered from `cache.toml`.
#[derive(Debug, Clone, Copy)]
pub struct Triggers {
    /// Changes when a statement does.
    pub fingerprint: &'static str,
    /// Make the outbox, and the table that says which triggers are installed.
    pub outbox: &'static [&'static str],
    /// Fail where the database does not have what `cache.toml` names.
    pub checks: &'static [&'static str],
    /// Fail where a column has a type that will not do, or, on SQLite, say why; they take no lock.
    pub types: &'static [&'static str],
    /// The tables whose changes are reported.
    pub tables: &'static [Table],
    /// Removes the triggers that another version of `cache.toml` has left; empty on SQLite, where
    /// no SQL can.
    pub removal: &'static str,
    /// The columns whose text is in tags.
    pub exact: &'static [ExactColumn],
    /// Answers the lookups for which the database may call two texts equal; empty when there are
    /// none.
    pub spellings: &'static str,
}

/// A table whose changes are reported.
#[derive(Debug)]
pub struct Table {
    /// Its name, as in `cache.toml`.
    pub name: &'static str,
    /// PostgreSQL only: the function that its triggers call.
    pub function: &'static [&'static str],
    /// Its triggers.
    pub triggers: &'static [Trigger],
}

/// One of them.
#[derive(Debug)]
pub struct Trigger {
    /// Its name.
    pub name: &'static str,
    /// The SQL; with `columns_of`, `{old}` and `{new}` in it stand for lists of columns.
    pub sql: &'static str,
    /// Which columns: those of this table but for the ignored. (SQLite has no way to say "but
    /// for".)
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

/// A column of which two values that the database calls equal must have the same text.
#[derive(Debug)]
pub struct ExactColumn {
    /// What it is: `the id of user`.
    pub what: &'static str,
    /// The table, as in `cache.toml`.
    pub table: &'static str,
    /// The column.
    pub column: &'static str,
}
