//! The SQL that makes a database report its changes: an outbox table, and triggers that write into it
//! the tags of every row that changes, in the writer's own transaction.

mod postgres;
mod sqlite;

use std::collections::BTreeSet;

pub(crate) use postgres::LONGEST_OPERATION;

use crate::answers::{Change, TagColumns};
use crate::names::snake;
use crate::schema::{Model, Schema};

/// Whose SQL.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Dialect {
    /// PostgreSQL 13 or later: statement-level triggers with transition tables.
    Postgres,
    /// SQLite 3.38 or later: row-level triggers.
    Sqlite,
}

/// The statements that install the outbox and the triggers. Run them in one transaction, in order.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Triggers {
    /// Changes whenever any statement changes: a hash of all of them, in hex.
    pub stamp: String,
    /// Make the outbox, and a table `{outbox}_stamp (stamp, identity)` that is to say which triggers
    /// are installed, and which installation this is.
    pub outbox: Vec<String>,
    /// Removes the triggers of any version of the file. Empty on SQLite, where no SQL can: drop the
    /// triggers whose own text has `INSERT INTO "{outbox}" (tag)`.
    pub removal: String,
    /// Check the columns, and make the triggers.
    pub statements: Vec<Statement>,
    /// The names of the triggers and their tables, of those in the outbox's own database.
    pub names: Vec<(String, String)>,
}

/// One SQL statement.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Statement {
    /// The text, without a final semicolon.
    pub sql: String,
    /// SQLite, models with `ignores` only: replace `{columns}` in `sql` by the comma-separated, quoted
    /// columns of the table without the ignored ones. Only the database knows the columns.
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

impl Schema {
    /// Renders the outbox and the triggers.
    pub fn triggers(&self, dialect: Dialect) -> Triggers {
        let outbox = &self.settings.outbox.table;
        let watched = self
            .models
            .iter()
            .filter_map(|model| Watched::new(self, model));
        // First, as a trigger on a column that is not there breaks the writes of others.
        let mut statements: Vec<Statement> = watched.clone().map(|model| model.check()).collect();
        let mut names = Vec::new();
        for model in watched {
            let made = match dialect {
                Dialect::Postgres => postgres::statements(outbox, &model),
                Dialect::Sqlite => sqlite::statements(outbox, &model),
            };
            let triggers = made.iter().filter_map(Statement::trigger);
            names.extend(triggers.map(|name| (name, model.model.table.clone())));
            statements.extend(made);
        }
        let (outbox, removal) = match dialect {
            Dialect::Postgres => (postgres::outbox(outbox), postgres::removal(outbox)),
            Dialect::Sqlite => (sqlite::outbox(outbox), String::new()),
        };
        Triggers {
            stamp: stamp(&outbox, &statements),
            names,
            outbox,
            removal,
            statements,
        }
    }
}

impl Statement {
    fn new(sql: String) -> Self {
        Self {
            sql,
            columns_of: None,
        }
    }

    /// The name of the trigger that this makes, unless that is in another database.
    fn trigger(&self) -> Option<String> {
        let (name, rest) = self
            .sql
            .strip_prefix("CREATE TRIGGER \"")?
            .split_once('"')?;
        rest.starts_with(' ').then(|| name.to_owned())
    }
}

/// A model whose changes are reported.
struct Watched<'a> {
    model: &'a Model,
    /// Tags of any change that is not ignored.
    row: Vec<TagColumns>,
    /// Tags of inserts, deletes and changes of link columns.
    link: Vec<TagColumns>,
    link_columns: Vec<String>,
}

impl<'a> Watched<'a> {
    fn new(schema: &Schema, model: &'a Model) -> Option<Self> {
        let reports = schema.reports(&model.name);
        let on = |change: Change| {
            reports
                .iter()
                .filter(|report| report.on == change)
                .map(|report| report.tag.clone())
                .collect()
        };
        (!reports.is_empty()).then(|| Self {
            model,
            row: on(Change::Row),
            link: on(Change::Link),
            link_columns: schema.link_columns(&model.name),
        })
    }

    /// A statement that fails where the table lacks a column that the file names.
    fn check(&self) -> Statement {
        let references = self
            .model
            .references
            .iter()
            .flat_map(|reference| &reference.columns);
        let columns = self
            .link_columns
            .iter()
            .chain(references)
            .chain(&self.model.ignores);
        // Sorted, each once; qualified, as SQLite takes an unknown quoted name alone for a string.
        let columns: BTreeSet<String> = columns
            .map(|column| format!("r.{}", quoted(column)))
            .collect();
        let columns: Vec<String> = columns.into_iter().collect();
        let table = quoted_table(&self.model.table);
        Statement::new(format!(
            "SELECT {} FROM {table} r WHERE 1 = 0",
            columns.join(", ")
        ))
    }

    fn tags(&self) -> impl Iterator<Item = &TagColumns> + Clone {
        self.row.iter().chain(&self.link)
    }

    /// The quoted name of the trigger for this operation. Operations are one word, so that the names of
    /// two models' triggers never meet.
    fn trigger(&self, outbox: &str, operation: &str) -> String {
        quoted(&format!("{outbox}_{}_{operation}", snake(&self.model.name)))
    }
}

/// `user` → `"user"`
fn quoted(identifier: &str) -> String {
    format!("\"{identifier}\"")
}

/// `public.plio` → `"public"."plio"`
fn quoted_table(table: &str) -> String {
    table.split('.').map(quoted).collect::<Vec<_>>().join(".")
}

/// The SQL expression of a tag: `'video#tenant,id=' || r."tenant" || ',' || r."id"`. It is null if any of
/// the columns is.
fn tag_expression(tag: &TagColumns, row: &str) -> String {
    let values: Vec<String> = tag
        .columns
        .iter()
        .map(|column| format!("{row}.{}", quoted(column)))
        .collect();
    format!("'{tag}=' || {}", values.join(" || ',' || "))
}

/// FNV-1a, which is the same in every build, unlike the standard library's hasher.
fn stamp(outbox: &[String], statements: &[Statement]) -> String {
    let mut hash: u64 = 0xcbf2_9ce4_8422_2325;
    let mut write = |text: &str| {
        // The zero byte ends each text, so that moving text between neighbours changes the hash.
        for byte in text.bytes().chain([0]) {
            hash = (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3);
        }
    };
    outbox.iter().for_each(|sql| write(sql));
    for statement in statements {
        write(&statement.sql);
        if let Some(columns) = &statement.columns_of {
            write(&columns.table);
            write(&columns.ignores.join(","));
        }
    }
    format!("{hash:016x}")
}
