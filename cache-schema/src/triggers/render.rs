//! All the statements of a schema.

use super::postgres::types;
use super::watched::Watched;
use super::{Dialect, ExactColumn, Table, Triggers, postgres, sqlite};
use crate::schema::Schema;
use crate::source::fnv;

impl Schema {
    /// Renders the outbox and the triggers.
    pub fn triggers(&self, dialect: Dialect) -> Triggers {
        let outbox = &self.settings.outbox.table;
        let watched = self.models().filter_map(|model| Watched::new(self, model));
        let watched: Vec<Watched<'_>> = watched.collect();
        let exact: Vec<ExactColumn> = watched.iter().flat_map(Watched::exact).collect();
        let lookups: Vec<(String, ExactColumn)> =
            watched.iter().flat_map(Watched::lookups).collect();
        let keys: Vec<(String, ExactColumn)> =
            watched.iter().flat_map(Watched::keys_of_lists).collect();
        let checks = watched.iter().map(|model| match dialect {
            Dialect::Postgres => postgres::check(model),
            Dialect::Sqlite => model.check(),
        });
        let checks: Vec<String> = checks.collect();
        let tables = watched.iter().map(|model| match dialect {
            Dialect::Postgres => postgres::table(outbox, model),
            Dialect::Sqlite => sqlite::table(outbox, model),
        });
        let tables: Vec<Table> = tables.collect();
        let (outbox, types, removal, spellings) = match dialect {
            Dialect::Postgres => (
                postgres::outbox(outbox),
                types::checks(&exact, &watched),
                postgres::removal(outbox, &tables),
                types::spellings(&[lookups, keys].concat()),
            ),
            Dialect::Sqlite => (
                sqlite::outbox(outbox),
                sqlite::refusals(&watched),
                String::new(),
                sqlite::spellings(&lookups, &keys),
            ),
        };
        Triggers {
            fingerprint: fingerprint(&outbox, &checks, &tables),
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

fn fingerprint(outbox: &[String], checks: &[String], tables: &[Table]) -> String {
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
