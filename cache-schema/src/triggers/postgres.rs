//! PostgreSQL: one function per model, and four statement-level triggers that call it. A write costs one
//! insert-select, however many rows it changes.

use super::{Statement, Watched, quoted, quoted_table, tag_expression};
use crate::answers::TagColumns;
use crate::names::snake;

/// The operation that makes the longest name of a trigger.
pub(crate) const LONGEST_OPERATION: &str = "truncate";

pub(super) fn statements(outbox: &str, model: &Watched<'_>) -> Vec<Statement> {
    let function = [function(model, outbox), search_path(model, outbox)];
    function
        .into_iter()
        .chain(triggers(model, outbox))
        .map(Statement::new)
        .collect()
}

/// `writer` tells the rows of a transaction of the cache, which delivers them itself, from those of
/// all others, which have 0.
pub(super) fn outbox(outbox: &str) -> Vec<String> {
    let [table, index, delivered, stamp] =
        ["", "_waiting", "_delivered", "_stamp"].map(|suffix| quoted(&format!("{outbox}{suffix}")));
    vec![
        format!(
            "CREATE TABLE IF NOT EXISTS {table} (
  id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  tag text NOT NULL,
  writer bigint NOT NULL DEFAULT coalesce(nullif(current_setting('cache.writer', true), ''), '0')::bigint,
  created_at timestamptz NOT NULL DEFAULT now(),
  delivered_at timestamptz,
  delivered_to bigint
)"
        ),
        format!(
            "CREATE INDEX IF NOT EXISTS {index} ON {table} (writer, id) WHERE delivered_at IS NULL"
        ),
        format!(
            "CREATE INDEX IF NOT EXISTS {delivered} ON {table} (delivered_at) WHERE delivered_at IS NOT NULL"
        ),
        format!(
            "CREATE TABLE IF NOT EXISTS {stamp} (stamp text NOT NULL, identity text NOT NULL)"
        ),
    ]
}

/// Removes every trigger and function that writes into this outbox, also of models that the file no
/// longer has.
pub(super) fn removal(outbox: &str) -> String {
    format!(
        "DO $cache$
DECLARE
  report record;
  it record;
BEGIN
  FOR report IN
    SELECT oid FROM pg_proc
    WHERE pronamespace = current_schema()::regnamespace AND prorettype = 'trigger'::regtype
      AND strpos(prosrc, 'INSERT INTO {outbox} (tag)') > 0
  LOOP
    FOR it IN SELECT tgname, tgrelid::regclass AS tab FROM pg_trigger WHERE tgfoid = report.oid LOOP
      EXECUTE format('DROP TRIGGER %I ON %s', it.tgname, it.tab);
    END LOOP;
    EXECUTE format('DROP FUNCTION %s', report.oid::regprocedure);
  END LOOP;
END
$cache$",
        outbox = quoted(outbox)
    )
}

fn function_name(model: &Watched<'_>, outbox: &str) -> String {
    quoted(&format!("{outbox}_{}", snake(&model.model.name)))
}

/// It runs as the one who installed it, as the writer may have no right to the outbox. A writer that
/// delivers its own rows wakes nobody: commits that notify wait for each other.
fn function(model: &Watched<'_>, outbox: &str) -> String {
    let tags: Vec<&TagColumns> = model.tags().collect();
    let columns = columns_of(&tags);
    let all = |rows: &str| select_tags(&tags, &values(&columns, rows));
    format!(
        "CREATE FUNCTION {function}() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER AS $cache$
BEGIN
  IF TG_OP = 'INSERT' THEN
    INSERT INTO {outbox} (tag){inserted};
  ELSIF TG_OP = 'DELETE' THEN
    INSERT INTO {outbox} (tag){deleted};
  ELSIF TG_OP = 'UPDATE' THEN
    INSERT INTO {outbox} (tag){updated};
  ELSE
    INSERT INTO {outbox} (tag) VALUES ('{name}#*');
  END IF;
  IF FOUND AND coalesce(current_setting('cache.writer', true), '') = '' THEN
    PERFORM pg_notify('{channel}', '');
  END IF;
  RETURN NULL;
END
$cache$",
        function = function_name(model, outbox),
        outbox = quoted(outbox),
        inserted = all("new_rows"),
        deleted = all("old_rows"),
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

/// The tags of an update. `UNION` lets each kind of report have rows of its own.
fn updated(model: &Watched<'_>) -> String {
    let row: Vec<&TagColumns> = model.row.iter().collect();
    let link: Vec<&TagColumns> = model.link.iter().collect();
    let mut selects = Vec::new();
    if !row.is_empty() {
        let columns = columns_of(&row);
        let rows = if model.model.ignores.is_empty() {
            format!(
                "{} UNION ALL {}",
                values(&columns, "old_rows"),
                values(&columns, "new_rows")
            )
        } else {
            let whole = |rows: &str| {
                let ignores = model.model.ignores.join(",");
                // As text, because as jsonb 1.0 and 1.00 are equal. The alias cannot be a column.
                let row =
                    format!("(to_jsonb({rows}.*) - '{{{ignores}}}'::text[])::text AS \"the row\"");
                format!("SELECT {}, {row} FROM {rows}", list(&columns, rows))
            };
            changed(&whole("old_rows"), &whole("new_rows"))
        };
        selects.push(select_tags(&row, &rows));
    }
    if !link.is_empty() {
        let columns: Vec<&String> = model.link_columns.iter().collect();
        let rows = changed(&values(&columns, "old_rows"), &values(&columns, "new_rows"));
        selects.push(select_tags(&link, &rows));
    }
    selects.join("\n    UNION")
}

/// The rows that are only in one of the two.
fn changed(old: &str, new: &str) -> String {
    format!("({old} EXCEPT {new}) UNION ALL ({new} EXCEPT {old})")
}

fn select_tags(tags: &[&TagColumns], rows: &str) -> String {
    let tags: Vec<String> = tags
        .iter()
        .map(|tag| format!("({})", tag_expression(tag, "r")))
        .collect();
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

/// Qualified, because a bare column may have the name of one of plpgsql's variables, such as `found`.
fn list(columns: &[&String], rows: &str) -> String {
    let columns = columns
        .iter()
        .map(|column| format!("{rows}.{}::text", quoted(column)));
    columns.collect::<Vec<_>>().join(", ")
}

/// The columns of the tags, each once.
fn columns_of<'a>(tags: &[&'a TagColumns]) -> Vec<&'a String> {
    let mut columns = Vec::new();
    for column in tags.iter().flat_map(|tag| &tag.columns) {
        if !columns.contains(&column) {
            columns.push(column);
        }
    }
    columns
}

fn triggers(model: &Watched<'_>, outbox: &str) -> impl Iterator<Item = String> {
    let (table, function) = (
        quoted_table(&model.model.table),
        function_name(model, outbox),
    );
    let operations = [
        ("insert", "REFERENCING NEW TABLE AS new_rows "),
        ("delete", "REFERENCING OLD TABLE AS old_rows "),
        (
            "update",
            "REFERENCING OLD TABLE AS old_rows NEW TABLE AS new_rows ",
        ),
        (LONGEST_OPERATION, ""),
    ];
    operations.into_iter().map(move |(operation, rows)| {
        let trigger = model.trigger(outbox, operation);
        let event = operation.to_uppercase();
        format!(
            "CREATE TRIGGER {trigger} AFTER {event} ON {table}\n\
             {rows}FOR EACH STATEMENT EXECUTE FUNCTION {function}()"
        )
    })
}
