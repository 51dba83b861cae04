//! What is in a database beside what is wanted.

use sqlx::PgConnection;

use crate::model::schema::{Schema, Table};
use crate::outbox::database::quoted;

/// What is not as it should be.
#[derive(Debug)]
pub(super) struct Changes {
    /// Triggers that are not wanted.
    pub(super) stale: Vec<Stale>,
    /// Tables, by their number, whose function is not the right one.
    pub(super) functions: Vec<usize>,
    /// Triggers that are missing, by their tables.
    pub(super) triggers: Vec<(usize, Vec<&'static str>)>,
}

/// A trigger of another version of the file, quoted, as its table is.
#[derive(Debug)]
pub(super) struct Stale {
    pub(super) name: String,
    pub(super) table: String,
    pub(super) is_enabled: bool,
}

impl Changes {
    pub(super) fn is_empty(&self) -> bool {
        let is_enabled = |stale: &Stale| stale.is_enabled;
        self.functions.is_empty() && self.triggers.is_empty() && !self.stale.iter().any(is_enabled)
    }
}

/// What is to be changed.
pub(super) async fn changes(
    connection: &mut PgConnection,
    schema: &'static Schema,
) -> Result<Changes, sqlx::Error> {
    let tables = schema.postgres.tables;
    let wanted: Vec<(usize, &Table, &'static str)> = tables
        .iter()
        .enumerate()
        .flat_map(|(n, table)| table.triggers.iter().map(move |it| (n, table, it.name)))
        .collect();
    let (names, of) = triggers_of(tables);
    let functions: Vec<&str> = wanted.iter().map(|(_, table, _)| function(table).0).collect();
    let sql = "SELECT n FROM unnest($1, $2, $3) WITH ORDINALITY AS wanted(name, of, function, n)
         WHERE NOT EXISTS (
           SELECT FROM pg_trigger JOIN pg_proc ON pg_proc.oid = tgfoid
           WHERE tgname = wanted.name AND tgrelid = to_regclass(wanted.of) AND tgenabled IN ('O', 'A')
             AND proname = wanted.function
             AND pronamespace = (SELECT relnamespace FROM pg_class WHERE oid = to_regclass($4)))";
    let missing: Vec<i64> = sqlx::query_scalar(sql)
        .bind(&names)
        .bind(&of)
        .bind(&functions)
        .bind(quoted(schema.outbox))
        .fetch_all(&mut *connection)
        .await?;
    let mut triggers: Vec<(usize, Vec<&'static str>)> = Vec::new();
    for (at, (n, table, name)) in wanted.iter().enumerate() {
        let trigger = table.triggers.iter().find(|it| it.name == *name);
        let Some(trigger) = trigger.filter(|_| missing.contains(&(at as i64 + 1))) else {
            continue;
        };
        match triggers.last_mut() {
            Some((last, all)) if last == n => all.push(trigger.sql),
            _ => triggers.push((*n, vec![trigger.sql])),
        }
    }
    let (functions, sources): (Vec<&str>, Vec<&str>) = tables.iter().map(function).unzip();
    let sql = "SELECT n FROM unnest($1, $2) WITH ORDINALITY AS wanted(name, source, n)
         WHERE NOT EXISTS (
           SELECT FROM pg_proc WHERE proname = wanted.name AND prosrc = wanted.source AND prosecdef
             AND proconfig @> ARRAY['search_path=' || quote_ident(current_schema()) || ', pg_temp']
             AND pronamespace = (SELECT relnamespace FROM pg_class WHERE oid = to_regclass($3)))";
    let functions: Vec<i64> = sqlx::query_scalar(sql)
        .bind(functions)
        .bind(sources)
        .bind(quoted(schema.outbox))
        .fetch_all(&mut *connection)
        .await?;
    Ok(Changes {
        stale: stale(connection, schema, tables).await?,
        functions: functions.iter().map(|n| *n as usize - 1).collect(),
        triggers,
    })
}

/// The names of all triggers, and beside each its table, quoted.
pub(super) fn triggers_of(tables: &[Table]) -> (Vec<&'static str>, Vec<String>) {
    let of = |table: &Table| {
        let (triggers, name) = (table.triggers.iter(), quoted(table.name));
        triggers.map(move |trigger| (trigger.name, name.clone()))
    };
    tables.iter().flat_map(of).unzip()
}

/// The name and the body of a table's function.
pub(super) fn function(table: &Table) -> (&'static str, &'static str) {
    let sql = table.function.first().copied().unwrap_or_default();
    let part = |by: &str| sql.split(by).nth(1).unwrap_or_default();
    (part("\""), part("$cache$"))
}

/// The triggers that write into this outbox, but for those of these tables.
pub(super) async fn stale(
    connection: &mut PgConnection,
    schema: &'static Schema,
    wanted: &[Table],
) -> Result<Vec<Stale>, sqlx::Error> {
    let (names, of) = triggers_of(wanted);
    let sql = "SELECT quote_ident(tgname), tgrelid::regclass::text, tgenabled <> 'D'
         FROM pg_trigger JOIN pg_proc ON pg_proc.oid = tgfoid
         WHERE pronamespace = (SELECT oid FROM pg_namespace WHERE nspname = current_schema()) AND strpos(prosrc, $1) > 0
           AND NOT EXISTS (
             SELECT FROM unnest($2, $3) AS wanted(name, of)
             WHERE wanted.name = tgname AND to_regclass(wanted.of) = tgrelid)
         ORDER BY 2, 1";
    let found: Vec<(String, String, bool)> =
        sqlx::query_as(sql).bind(writes(schema)).bind(names).bind(of).fetch_all(connection).await?;
    let stale =
        found.into_iter().map(|(name, table, is_enabled)| Stale { name, table, is_enabled });
    Ok(stale.collect())
}

/// By this the functions of any version of the file are known.
pub(super) fn writes(schema: &Schema) -> String {
    format!("INSERT INTO {} (tag)", quoted(schema.outbox))
}
