//! The triggers of any `cache.toml`, in SQLite.

use std::collections::BTreeSet;

use cache_schema::{Change, Dialect, Model, Report, Schema};
use sqlx::{AssertSqlSafe, Connection, Row, SqliteConnection};

/// Reads a text as `cache.toml`, and installs its triggers for tables that have
/// the columns it names. They are what SQLite takes, and a row that comes,
/// changes and goes reports what [`Schema::reports`] says.
pub fn triggers(data: &[u8]) {
    let text = String::from_utf8_lossy(data);
    let Ok(schema) = Schema::parse("cache.toml", &text) else {
        return;
    };
    if !is_for_sqlite(&schema) {
        return;
    }
    let runtime = tokio::runtime::Builder::new_current_thread()
        .build()
        .expect("it has no driver, so nothing can fail");
    runtime.block_on(async {
        let mut database = Database {
            connection: SqliteConnection::connect("sqlite::memory:")
                .await
                .expect("memory is always there"),
            outbox: &schema.settings.outbox.table,
        };
        database.run(&install(&schema)).await;
        for model in rows(&schema) {
            database.write(&schema, model).await;
        }
    });
}

/// Whether SQLite can have such tables. It takes names for one that PostgreSQL does not, and some
/// for its own; and another database would have to be attached.
fn is_for_sqlite(schema: &Schema) -> bool {
    let outbox = &schema.settings.outbox.table;
    let own = ["", "_waiting", "_delivered", "_stamp"].map(|suffix| format!("{outbox}{suffix}"));
    let tables = rows(schema).map(|model| model.table.clone());
    let mut names: Vec<String> = tables.chain(own).map(|name| name.to_lowercase()).collect();
    let is_usable = |name: &String| !name.contains('.') && !name.starts_with("sqlite_");
    let all = names.len();
    names.retain(is_usable);
    names.sort_unstable();
    names.dedup();
    names.len() == all
}

/// The models with a table of their own.
fn rows(schema: &Schema) -> impl Iterator<Item = &Model> {
    schema.models().filter(|model| model.of.is_none())
}

const NOT_NAMED: &str = "something else";

/// Each once, as SQLite sees it.
fn columns(schema: &Schema, model: &Model) -> Vec<String> {
    let references = model.references.iter().flat_map(|it| &it.columns);
    let named = model.id.iter().chain(references).chain(&model.ignores);
    let mut seen = BTreeSet::new();
    let mut columns: Vec<String> = named.cloned().collect();
    columns.extend(schema.link_columns(&model.name));
    columns.push(NOT_NAMED.to_owned());
    columns.retain(|column| seen.insert(column.to_lowercase()));
    columns
}

fn list(columns: &[String]) -> String {
    let quoted: Vec<String> = columns.iter().map(|it| format!("\"{it}\"")).collect();
    quoted.join(", ")
}

/// The tables, the outbox and the triggers.
fn install(schema: &Schema) -> String {
    let triggers = schema.triggers(Dialect::Sqlite);
    let tables = rows(schema).map(|model| {
        let columns = list(&columns(schema, model));
        format!("CREATE TABLE \"{}\" ({columns})", model.table)
    });
    let reports = triggers.tables.iter().flat_map(|table| &table.triggers);
    let reports = reports.map(|trigger| {
        let Some(of) = &trigger.columns_of else {
            return trigger.sql.clone();
        };
        let model = rows(schema).find(|model| model.table == of.table);
        let mut columns = columns(schema, model.expect("a table of the schema"));
        columns.retain(|column| !of.ignores.contains(column));
        let image = |row: &str| {
            let columns = columns.iter().map(|column| format!("{row}.\"{column}\""));
            columns.collect::<Vec<_>>().join(", ")
        };
        trigger.sql.replace("{old}", &image("OLD")).replace("{new}", &image("NEW"))
    });
    let all = tables.chain(triggers.outbox.iter().cloned());
    let all = all.chain(triggers.checks.iter().cloned());
    all.chain(reports).collect::<Vec<_>>().join(";\n")
}

struct Database<'a> {
    connection: SqliteConnection,
    outbox: &'a str,
}

impl Database<'_> {
    /// A row comes, changes in a column that the schema does not name, and goes.
    async fn write(&mut self, schema: &Schema, model: &Model) {
        let (table, columns) = (&model.table, columns(schema, model));
        let reports = schema.reports(&model.name);
        let all = tags(&reports);
        let of_any_change = tags(reports.iter().filter(|report| report.on == Change::Row));
        let values = vec!["7"; columns.len()].join(", ");
        for (write, tags) in [
            (format!("INSERT INTO \"{table}\" VALUES ({values})"), &all),
            (format!("UPDATE \"{table}\" SET \"{NOT_NAMED}\" = 8"), &of_any_change),
            (format!("DELETE FROM \"{table}\""), &all),
        ] {
            let outbox = format!("DELETE FROM \"{}\" RETURNING tag", self.outbox);
            let reported = self.run(&format!("{write}; {outbox}")).await;
            assert_eq!(reported, *tags, "reported for {write}");
        }
    }

    /// Runs statements; returns the texts that they answer.
    async fn run(&mut self, sql: &str) -> BTreeSet<String> {
        let ran = sqlx::raw_sql(AssertSqlSafe(sql)).fetch_all(&mut self.connection).await;
        match ran {
            Ok(rows) => rows.iter().map(|row| row.get(0)).collect(),
            Err(error) => panic!("{error}, in: {sql}"),
        }
    }
}

/// Of a row that has 7 in every column.
fn tags<'a>(reports: impl IntoIterator<Item = &'a Report>) -> BTreeSet<String> {
    let tag = |report: &Report| {
        let values = vec!["7"; report.tag.columns.len()].join(",");
        format!("{}={values}", report.tag)
    };
    reports.into_iter().map(tag).collect()
}
