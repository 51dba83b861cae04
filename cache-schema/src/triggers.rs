//! The SQL that makes a database report its changes: an outbox table, and triggers that write into it
//! the tags of every row that changes, in the writer's own transaction.

mod postgres;
mod sqlite;

use std::collections::BTreeSet;

pub(crate) use postgres::LONGEST_OPERATION;

use crate::answers::{Change, TagColumns};
use crate::names::snake;
use crate::schema::{Model, Schema};
use crate::source::fnv;

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
    pub stamp: String,
    /// Make the outbox, and a table `{outbox}_stamp (stamp, identity)` that is to say which triggers
    /// are installed, and which installation this is.
    pub outbox: Vec<String>,
    /// Fail where the database does not have what the file names.
    pub checks: Vec<String>,
    /// Fail where a column has a type that will not do. They look at the catalog only, and take no lock.
    pub types: Vec<String>,
    /// The tables whose changes are reported. One after the other, each in a transaction of its own.
    pub tables: Vec<Table>,
    /// Removes the triggers that another version of the file has left. Empty on SQLite, where no SQL can: drop
    /// the triggers whose own text has `INSERT INTO "{outbox}" (tag)`, and that are not of this file.
    pub removal: String,
    /// The columns whose text is in tags: two values that the database calls equal must have the same.
    pub exact: Vec<ExactColumn>,
    /// Answers the lookups (`user#email`) for which the database may call two texts equal.
    pub spellings: String,
}

/// A table whose changes are reported.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Table {
    /// Its name, as in the file.
    pub name: String,
    /// PostgreSQL only: what makes the function that its triggers call, or puts this one in its place.
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
    /// SQLite, models with `ignores` only: replace `{old}` and `{new}` in `sql` by the columns of the table
    /// without the ignored ones. Only the database knows them.
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

impl Schema {
    /// Renders the outbox and the triggers.
    pub fn triggers(&self, dialect: Dialect) -> Triggers {
        let outbox = &self.settings.outbox.table;
        let watched = self
            .models
            .iter()
            .filter_map(|model| Watched::new(self, model));
        let exact: Vec<ExactColumn> = watched.clone().flat_map(|it| it.exact()).collect();
        let lookups: Vec<(String, ExactColumn)> =
            watched.clone().flat_map(|it| it.lookups()).collect();
        let checks: Vec<String> = watched
            .clone()
            .map(|model| match dialect {
                // So that `psql` shows no empty tables.
                Dialect::Postgres => {
                    let check = model.check().replacen("SELECT", "PERFORM", 1);
                    format!("DO $cache$\nBEGIN\n  {check};\nEND\n$cache$")
                }
                Dialect::Sqlite => model.check(),
            })
            .collect();
        let tables: Vec<Table> = watched
            .clone()
            .map(|model| match dialect {
                Dialect::Postgres => postgres::table(outbox, &model),
                Dialect::Sqlite => sqlite::table(outbox, &model),
            })
            .collect();
        let mut types = Vec::new();
        let (outbox, removal, spellings) = match dialect {
            Dialect::Postgres => {
                types = postgres::types(&exact, watched);
                let removal = postgres::removal(outbox, &tables);
                (
                    postgres::outbox(outbox),
                    removal,
                    postgres::spellings(&lookups),
                )
            }
            Dialect::Sqlite => (
                sqlite::outbox(outbox),
                String::new(),
                sqlite::spellings(&lookups),
            ),
        };
        Triggers {
            stamp: stamp(&outbox, &checks, &tables),
            outbox,
            checks,
            types,
            tables,
            removal,
            exact,
            spellings,
        }
    }
}

/// A model whose changes are reported.
#[derive(Clone)]
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
    fn check(&self) -> String {
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
        format!("SELECT {} FROM {table} r WHERE 1 = 0", columns.join(", "))
    }

    /// The columns of its tags, but for those of lookups: those may be spelt in several ways.
    fn exact(&self) -> Vec<ExactColumn> {
        let of_tags = self.tags().flat_map(|tag| &tag.columns);
        let mut columns: Vec<&String> = Vec::new();
        for column in of_tags {
            let is_id = self.model.id.contains(column);
            let mut references = self.model.references.iter();
            let is_reference = references.any(|it| it.columns.contains(column));
            if (is_id || is_reference) && !columns.contains(&column) {
                columns.push(column);
            }
        }
        let exact = columns.into_iter().map(|column| ExactColumn {
            what: match self.model.id.contains(column) {
                true => format!("the id of {}", self.model.name),
                false => format!("a reference of {}", self.model.name),
            },
            table: self.model.table.clone(),
            column: column.clone(),
        });
        exact.collect()
    }

    /// Its lookups, each with the beginning of its tags.
    fn lookups(&self) -> Vec<(String, ExactColumn)> {
        let lookups = self.model.cached.iter().flat_map(|it| &it.lookups);
        let lookup = |column: &String| {
            let tag = TagColumns {
                model: self.model.name.clone(),
                columns: vec![column.clone()],
            };
            let column = ExactColumn {
                what: format!("a lookup of {}", self.model.name),
                table: self.model.table.clone(),
                column: column.clone(),
            };
            (tag.to_string(), column)
        };
        lookups.map(|it| lookup(&it.column)).collect()
    }

    fn tags(&self) -> impl Iterator<Item = &TagColumns> + Clone {
        self.row.iter().chain(&self.link)
    }

    /// The name of the trigger for this operation. Operations are one word, so that the names of
    /// two models' triggers never meet.
    fn trigger(&self, outbox: &str, operation: &str) -> String {
        format!("{outbox}_{}_{operation}", snake(&self.model.name))
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

/// `it's` → `'it''s'`
fn literal(text: &str) -> String {
    format!("'{}'", text.replace('\'', "''"))
}

fn stamp(outbox: &[String], checks: &[String], tables: &[Table]) -> String {
    let mut texts: Vec<&str> = outbox.iter().chain(checks).map(String::as_str).collect();
    for table in tables {
        texts.extend(table.function.iter().map(String::as_str));
        for trigger in &table.triggers {
            texts.push(&trigger.sql);
            if let Some(columns) = &trigger.columns_of {
                texts.push(&columns.table);
                texts.extend(columns.ignores.iter().map(String::as_str));
            }
        }
    }
    format!("{:016x}", fnv(texts))
}
