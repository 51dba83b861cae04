//! PostgreSQL: one function per model, and four statement-level triggers that call it. A write
//! costs one insert-select, however many rows it changes.

pub(super) mod types;

use super::sql::{literal, quoted, quoted_table, tag_expression};
use super::watched::Watched;
use super::{LONGEST_OPERATION, Table, Trigger, trigger_name};
use crate::answers::{ListReport, TagColumns};
use crate::names::snake;
use crate::once::each_once;

/// The transition tables. The name is what an error says when a migration took away a column.
const OLD: &str = "cache_toml_old";
const NEW: &str = "cache_toml_new";

/// What PostgreSQL shows of the statement that fails then.
const HELP: &str = "Is a column missing? Then a migration took it away: run SCHEMA.install of a cache.toml that fits";

/// Fixes each setting that changes a type's text, so that a tag says the same whoever writes.
const SETTINGS: &str = "SET TimeZone = 'UTC' SET DateStyle = 'ISO' SET IntervalStyle = 'postgres'
SET extra_float_digits = 1 SET bytea_output = 'hex' SET lc_monetary = 'C' SET xmlbinary = 'base64'
SET quote_all_identifiers = off";

pub(super) fn table(outbox: &str, model: &Watched<'_>) -> Table {
    Table {
        name: model.model.table.clone(),
        function: vec![function(model, outbox), search_path(model, outbox)],
        triggers: triggers(model, outbox).collect(),
    }
}

/// `PERFORM`, so that `psql` shows no empty tables.
pub(super) fn check(model: &Watched<'_>) -> String {
    let check = model.check().replacen("SELECT", "PERFORM", 1);
    format!("DO $cache$\nBEGIN\n  {check};\nEND\n$cache$")
}

/// `writer` tells the rows of a transaction of the cache, which delivers them itself, from those of
/// all others, which have 0. `xact` is the transaction, so that who has looked once finds what has
/// come since. The stamp has a key, as a publication `FOR ALL TABLES` asks for one. An unlogged
/// table is empty after a crash, on a standby that was promoted and in a restored backup
/// (<https://www.postgresql.org/docs/current/sql-createtable.html>), which may all lack what was
/// committed last: so what is in it tells one life of the database from another.
pub(super) fn outbox(outbox: &str) -> Vec<String> {
    let [table, waiting, own, delivered, stamp, life] =
        ["", "_waiting", "_own", "_delivered", "_stamp", "_life"]
            .map(|suffix| quoted(&format!("{outbox}{suffix}")));
    vec![
        format!(
            "CREATE TABLE IF NOT EXISTS {table} (
  id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  tag text NOT NULL,
  writer bigint NOT NULL DEFAULT coalesce(nullif(current_setting('cache.writer', true), ''), '0')::bigint,
  xact xid8 NOT NULL DEFAULT pg_current_xact_id(),
  created_at timestamptz NOT NULL DEFAULT now(),
  delivered_at timestamptz,
  delivered_to bigint
)"
        ),
        // `CREATE INDEX IF NOT EXISTS` would lock the table against writers, whether the index
        // exists or not.
        format!(
            "DO $cache$
DECLARE
  here text := quote_ident(current_schema()) || '.';
BEGIN
  IF to_regclass(here || '{waiting}') IS NULL THEN
    CREATE INDEX {waiting} ON {table} (xact, id) WHERE delivered_at IS NULL;
  END IF;
  IF to_regclass(here || '{own}') IS NULL THEN
    CREATE INDEX {own} ON {table} (writer, id) WHERE writer <> 0;
  END IF;
  IF to_regclass(here || '{delivered}') IS NULL THEN
    CREATE INDEX {delivered} ON {table} (delivered_at) WHERE delivered_at IS NOT NULL;
  END IF;
END
$cache$"
        ),
        format!(
            "CREATE TABLE IF NOT EXISTS {stamp} (
  id integer PRIMARY KEY DEFAULT 1 CHECK (id = 1), stamp text NOT NULL, identity text NOT NULL
)"
        ),
        format!(
            "CREATE UNLOGGED TABLE IF NOT EXISTS {life} (
  id integer PRIMARY KEY DEFAULT 1 CHECK (id = 1),
  life text NOT NULL DEFAULT md5(random()::text || clock_timestamp())
)"
        ),
    ]
}

/// Removes what writes into this outbox and is not of these tables: what an older file had.
pub(super) fn removal(outbox: &str, tables: &[Table]) -> String {
    let mut wanted: Vec<String> = Vec::new();
    for table in tables {
        let of = literal(&quoted_table(&table.name));
        wanted.extend(
            table.triggers.iter().map(|trigger| format!("({}, {of})", literal(&trigger.name))),
        );
    }
    // An empty list is none of SQL's.
    wanted.push("(NULL, NULL)".to_owned());
    format!(
        "DO $cache$
DECLARE
  report record;
  it record;
BEGIN
  FOR report IN
    SELECT oid FROM pg_proc
    WHERE pronamespace = (SELECT oid FROM pg_namespace WHERE nspname = current_schema())
      AND prorettype = 'trigger'::regtype
      AND strpos(prosrc, 'INSERT INTO {outbox} (tag)') > 0
  LOOP
    FOR it IN
      SELECT tgname, tgrelid::regclass AS tab FROM pg_trigger
      WHERE tgfoid = report.oid AND NOT EXISTS (
        SELECT FROM (VALUES
          {wanted}
        ) AS wanted(name, of) WHERE wanted.name = tgname AND to_regclass(wanted.of) = tgrelid)
    LOOP
      EXECUTE format('DROP TRIGGER %I ON %s', it.tgname, it.tab);
    END LOOP;
    IF NOT EXISTS (SELECT FROM pg_trigger WHERE tgfoid = report.oid) THEN
      EXECUTE format('DROP FUNCTION %s', report.oid::regprocedure);
    END IF;
  END LOOP;
END
$cache$",
        outbox = quoted(outbox),
        wanted = wanted.join(",\n          "),
    )
}

fn function_name(model: &Watched<'_>, outbox: &str) -> String {
    quoted(&format!("{outbox}_{}", snake(&model.model.name)))
}

/// It runs as the one who installed it, as the writer may have no right to the outbox. A writer
/// that delivers its own rows wakes nobody: commits that notify wait for each other. Nor is anybody
/// woken where transactions may be prepared, which one that notifies cannot be.
fn function(model: &Watched<'_>, outbox: &str) -> String {
    let all = |rows: &str| {
        let tags: Vec<&TagColumns> = model.tags().collect();
        let of_row =
            (!tags.is_empty()).then(|| select_tags(&tags, &values(&columns_of(&tags), rows)));
        let of_lists =
            model.lists.iter().map(|list| select_tags(&[&list.tag], &listed(list, rows)));
        union(of_row.into_iter().chain(of_lists))
    };
    format!(
        "CREATE OR REPLACE FUNCTION {function}() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER
{SETTINGS} AS $cache$
BEGIN
  IF TG_OP = 'INSERT' THEN
    INSERT INTO {outbox} (tag) -- {HELP}{inserted};
  ELSIF TG_OP = 'DELETE' THEN
    INSERT INTO {outbox} (tag) -- {HELP}{deleted};
  ELSIF TG_OP = 'UPDATE' THEN
    INSERT INTO {outbox} (tag) -- {HELP}{updated};
  ELSE
    INSERT INTO {outbox} (tag) VALUES ('{name}#*');
  END IF;
  IF FOUND AND coalesce(current_setting('cache.writer', true), '') = ''
    AND current_setting('max_prepared_transactions') = '0' THEN
    PERFORM pg_notify('{channel}', '');
  END IF;
  RETURN NULL;
END
$cache$",
        function = function_name(model, outbox),
        outbox = quoted(outbox),
        inserted = all(NEW),
        deleted = all(OLD),
        updated = updated(model),
        name = model.model.name,
        channel = outbox,
    )
}

/// The function finds the outbox that is here, and nobody's temporary table of that name.
fn search_path(model: &Watched<'_>, outbox: &str) -> String {
    format!(
        "DO $cache$
BEGIN
  EXECUTE format('ALTER FUNCTION {}() SET search_path = %I, pg_temp', current_schema());
END
$cache$",
        function_name(model, outbox)
    )
}

/// The tags of an update.
fn updated(model: &Watched<'_>) -> String {
    let row: Vec<&TagColumns> = model.row.iter().collect();
    let link: Vec<&TagColumns> = model.link.iter().collect();
    let mut selects = Vec::new();
    if !row.is_empty() {
        let columns = columns_of(&row);
        let rows = if model.model.ignores.is_empty() {
            format!("{} UNION ALL {}", values(&columns, OLD), values(&columns, NEW))
        } else {
            let whole = |rows: &str| {
                let ignores = model.model.ignores.iter();
                let ignores: Vec<String> =
                    ignores.map(|column| format!("\"{column}\":null")).collect();
                // The row as its types write it, with nothing where it does not count: JSON is only
                // how that is said. The alias cannot be a column.
                let row = format!(
                    "jsonb_populate_record({rows}, '{{{}}}')::text COLLATE \"C\" AS \"the row\"",
                    ignores.join(",")
                );
                format!("SELECT {}, {row} FROM {rows}", list(&columns, rows))
            };
            changed(&whole(OLD), &whole(NEW))
        };
        selects.push(select_tags(&row, &rows));
    }
    if !link.is_empty() {
        let columns: Vec<&String> = model.link_columns.iter().collect();
        let rows = changed(&values(&columns, OLD), &values(&columns, NEW));
        selects.push(select_tags(&link, &rows));
    }
    union(selects.into_iter().chain(model.lists.iter().map(moved)))
}

/// Each kind of report has rows of its own.
fn union(selects: impl Iterator<Item = String>) -> String {
    selects.collect::<Vec<_>>().join("\n    UNION")
}

/// The tags of rows that an update brings into a list, takes from it, or moves in it. A row that is
/// in none before and after is in neither of the two.
fn moved(list: &ListReport<'_>) -> String {
    select_tags(&[&list.tag], &changed(&listed(list, OLD), &listed(list, NEW)))
}

/// The rows that are in a list.
fn listed(list: &ListReport<'_>, rows: &str) -> String {
    let only = list.is_met(rows).map_or(String::new(), |it| format!(" WHERE {it}"));
    format!("{}{only}", values(&list.columns, rows))
}

/// The rows that are only in one of the two.
fn changed(old: &str, new: &str) -> String {
    format!("({old} EXCEPT {new}) UNION ALL ({new} EXCEPT {old})")
}

fn select_tags(tags: &[&TagColumns], rows: &str) -> String {
    let tags: Vec<String> =
        tags.iter().map(|tag| format!("({})", tag_expression(tag, "r", |text| text))).collect();
    format!(
        "
    SELECT DISTINCT t.tag
    FROM ({rows}) AS r
    CROSS JOIN LATERAL (VALUES {}) AS t(tag)
    WHERE t.tag IS NOT NULL",
        tags.join(", ")
    )
}

/// The columns as text: what tags are made of, and exact where types are lenient when they compare.
fn values(columns: &[&String], rows: &str) -> String {
    format!("SELECT {} FROM {rows}", list(columns, rows))
}

/// Byte by byte, as a tag is: a collation of one column would make texts of others equal, or clash
/// with theirs. Qualified, because a bare column may have the name of one of plpgsql's variables,
/// such as `found`.
fn list(columns: &[&String], rows: &str) -> String {
    let columns =
        columns.iter().map(|column| format!("{rows}.{}::text COLLATE \"C\"", quoted(column)));
    columns.collect::<Vec<_>>().join(", ")
}

/// The columns of the tags, each once.
fn columns_of<'a>(tags: &[&'a TagColumns]) -> Vec<&'a String> {
    each_once(tags.iter().flat_map(|tag| &tag.columns))
}

fn triggers(model: &Watched<'_>, outbox: &str) -> impl Iterator<Item = Trigger> {
    let (table, function) = (quoted_table(&model.model.table), function_name(model, outbox));
    let operations = [
        ("insert", format!("REFERENCING NEW TABLE AS {NEW} ")),
        ("delete", format!("REFERENCING OLD TABLE AS {OLD} ")),
        ("update", format!("REFERENCING OLD TABLE AS {OLD} NEW TABLE AS {NEW} ")),
        (LONGEST_OPERATION, String::new()),
    ];
    operations.into_iter().map(move |(operation, rows)| {
        let name = trigger_name(outbox, &model.model.name, operation);
        let event = operation.to_uppercase();
        let sql = format!(
            "CREATE OR REPLACE TRIGGER {} AFTER {event} ON {table}\n\
             {rows}FOR EACH STATEMENT EXECUTE FUNCTION {function}()",
            quoted(&name)
        );
        Trigger { name, sql, columns_of: None }
    })
}
