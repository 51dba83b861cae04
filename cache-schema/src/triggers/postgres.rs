//! PostgreSQL: one function per model, and four statement-level triggers that call it. A write costs one
//! insert-select, however many rows it changes.

use super::{Statement, Watched, quoted, quoted_table, tag_expression};
use crate::answers::TagColumns;
use crate::names::snake;

/// The operation that makes the longest name of a trigger.
pub(crate) const LONGEST_OPERATION: &str = "truncate";

pub(super) fn statements<'a>(
    outbox: &str,
    models: impl Iterator<Item = Watched<'a>>,
) -> Vec<Statement> {
    let mut statements = vec![outbox_table(outbox), waiting_index(outbox)];
    for model in models {
        statements.push(function(&model, outbox));
        statements.extend(triggers(&model, outbox));
    }
    statements.into_iter().map(Statement::new).collect()
}

fn outbox_table(outbox: &str) -> String {
    format!(
        "CREATE TABLE IF NOT EXISTS {} (
  id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  tag text NOT NULL,
  created_at timestamptz NOT NULL DEFAULT now(),
  delivered_at timestamptz
)",
        quoted(outbox)
    )
}

fn waiting_index(outbox: &str) -> String {
    let name = quoted(&format!("{outbox}_waiting"));
    format!(
        "CREATE INDEX IF NOT EXISTS {name} ON {} (id) WHERE delivered_at IS NULL",
        quoted(outbox)
    )
}

fn function_name(model: &Watched<'_>, outbox: &str) -> String {
    quoted(&format!("{outbox}_{}", snake(&model.model.name)))
}

fn function(model: &Watched<'_>, outbox: &str) -> String {
    let tags: Vec<&TagColumns> = model.tags().collect();
    let columns = columns_of(&tags);
    let all = |rows: &str| select_tags(&tags, &values(&columns, rows));
    format!(
        "CREATE OR REPLACE FUNCTION {function}() RETURNS trigger
LANGUAGE plpgsql SET search_path FROM CURRENT AS $cache$
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
  RETURN NULL;
END
$cache$",
        function = function_name(model, outbox),
        outbox = quoted(outbox),
        inserted = all("new_rows"),
        deleted = all("old_rows"),
        updated = updated(model),
        name = model.model.name,
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
    operations.into_iter().flat_map(move |(operation, rows)| {
        let trigger = model.trigger(outbox, operation);
        let event = operation.to_uppercase();
        [
            format!("DROP TRIGGER IF EXISTS {trigger} ON {table}"),
            format!(
                "CREATE TRIGGER {trigger} AFTER {event} ON {table}\n\
                 {rows}FOR EACH STATEMENT EXECUTE FUNCTION {function}()"
            ),
        ]
    })
}
