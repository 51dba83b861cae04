//! SQLite: row-level triggers.

use super::sql::{literal, quoted, tag_expression};
use super::watched::Watched;
use super::{ColumnsOf, ExactColumn, Table, Trigger, trigger_name};
use crate::answers::{ListReport, TagColumns};
use crate::schema::Constant;

pub(super) fn table(outbox: &str, model: &Watched<'_>) -> Table {
    Table {
        name: model.model.table.clone(),
        function: Vec::new(),
        triggers: Reports::new(model, outbox).triggers(),
    }
}

/// Which texts a column calls equal depends on its collation, which may be the program's own. Of a
/// lookup it is not asked. Of a list's key it is whether its table has any, and whether its type
/// changes what is compared with it: otherwise each report would reach all lists.
pub(super) fn spellings(
    lookups: &[(String, ExactColumn)],
    keys: &[(String, ExactColumn)],
) -> String {
    let lookups = lookups.iter().map(|(tag, _)| format!("SELECT {} AS tag", literal(tag)));
    let keys = keys.iter().map(|(tag, column)| {
        let (database, table) = database_of(&column.table);
        let schema = database.map_or(String::new(), |database| format!("{}.", quoted(database)));
        format!(
            "SELECT {} WHERE NOT EXISTS (SELECT 1 FROM {schema}sqlite_schema WHERE type = 'table' \
             AND lower(name) = {} AND sql NOT LIKE '%collate%') OR EXISTS ({} AND NOT ({IS_TEXT} OR {IS_EXACT}))",
            literal(tag),
            literal(&table.to_lowercase()),
            typed((database, table), &column.column, "1"),
        )
    });
    lookups.chain(keys).collect::<Vec<_>>().join(" UNION ALL ")
}

/// See <https://www.sqlite.org/datatype3.html#determination_of_column_affinity>.
const IS_TEXT: &str =
    "type NOT LIKE '%INT%' AND (type LIKE '%CHAR%' OR type LIKE '%CLOB%' OR type LIKE '%TEXT%')";

/// What holds one text for each value, as it is compared.
const IS_EXACT: &str = "type LIKE '%INT%' OR type LIKE 'BOOL%'";

/// Asks for the type of a column.
fn typed((schema, table): (Option<&str>, &str), column: &str, what: &str) -> String {
    let schema = schema.map_or(String::new(), |schema| format!(", {}", literal(schema)));
    format!(
        "SELECT {what} FROM pragma_table_xinfo({}{schema}) WHERE lower(name) = {}",
        literal(table),
        literal(&column.to_lowercase())
    )
}

/// `main.plio` → its database and its name.
fn database_of(table: &str) -> (Option<&str>, &str) {
    table.split_once('.').map_or((None, table), |(schema, table)| (Some(schema), table))
}

/// Answers a sentence for each condition that a trigger would judge in another way than a query: in
/// a trigger a column does not make a number of a text that is compared with it, nor the other way
/// round.
pub(super) fn refusals(watched: &[Watched<'_>]) -> Vec<String> {
    let conditions = watched.iter().flat_map(|it| it.lists.iter().map(move |list| (it, list)));
    let conditions = conditions
        .flat_map(|(it, list)| list.conditions.iter().map(move |condition| (it, list, condition)));
    let refusals = conditions.filter_map(|(it, list, condition)| {
        let table = &it.model.table;
        let (when, why) = match &condition.constant {
            Constant::Null(_) => return None,
            Constant::Integer(_) | Constant::Bool(_) => {
                (IS_TEXT.to_owned(), "holds texts: write the constant as a text")
            }
            Constant::Text(text) if text.trim().parse::<f64>().is_err() => return None,
            Constant::Text(_) => (
                format!("NOT ({IS_TEXT}) AND type NOT LIKE '%BLOB%' AND type <> ''"),
                "holds numbers: write the constant as a number",
            ),
        };
        let sentence =
            format!("a condition of the list {}: {table}.{} {why}", list.name(), condition.column);
        let typed = typed(database_of(table), &condition.column, &literal(&sentence));
        Some(format!("{typed} AND ({when})"))
    });
    refusals.collect()
}

/// Times are seconds since 1970. `AUTOINCREMENT`, so that a transaction's own rows are those after
/// the last one that it found.
pub(super) fn outbox(outbox: &str) -> Vec<String> {
    let [table, index, delivered, stamp] =
        ["", "_waiting", "_delivered", "_stamp"].map(|suffix| quoted(&format!("{outbox}{suffix}")));
    vec![
        format!(
            "CREATE TABLE IF NOT EXISTS {table} (
  id INTEGER PRIMARY KEY AUTOINCREMENT,
  tag TEXT NOT NULL,
  created_at REAL NOT NULL DEFAULT ((julianday('now') - 2440587.5) * 86400),
  delivered_at REAL,
  delivered_to INTEGER
)"
        ),
        format!("CREATE INDEX IF NOT EXISTS {index} ON {table} (id) WHERE delivered_at IS NULL"),
        format!(
            "CREATE INDEX IF NOT EXISTS {delivered} ON {table} (delivered_at) WHERE delivered_at IS NOT NULL"
        ),
        format!("CREATE TABLE IF NOT EXISTS {stamp} (stamp TEXT NOT NULL, identity TEXT NOT NULL)"),
    ]
}

/// A table, and its triggers as they are put together.
struct Reports<'a> {
    watched: &'a Watched<'a>,
    outbox: &'a str,
    /// A trigger lives in its table's database; inside it names are bare.
    database: Option<String>,
    table: String,
}

impl<'a> Reports<'a> {
    fn new(watched: &'a Watched<'a>, outbox: &'a str) -> Self {
        let (database, table) = database_of(&watched.model.table);
        Self { watched, outbox, database: database.map(quoted), table: quoted(table) }
    }

    fn triggers(&self) -> Vec<Trigger> {
        let mut triggers: Vec<Trigger> = self.rows_in_the_way().into();
        triggers.extend(self.rows_that_come_and_go());
        triggers.extend(self.changed_rows());
        triggers.extend(self.moved_rows());
        triggers.extend(self.moved_in_lists());
        triggers
    }

    /// `INSERT OR REPLACE` and `UPDATE OR REPLACE` delete the row that is in the way of the new one
    /// without firing its delete trigger (unless `recursive_triggers` is on). So its tags are read
    /// before: of the row that has the new one's id, or one of its lookups, and is another than the
    /// one that is updated.
    fn rows_in_the_way(&self) -> [Trigger; 2] {
        let (table, model) = (&self.table, self.watched.model);
        let same = |column: &String| format!("{table}.{column} = NEW.{column}");
        let id: Vec<String> = model.id.iter().map(|column| quoted(column)).collect();
        let lookups = self.watched.lookups.iter().map(|column| quoted(column));
        let lookups: Vec<String> = lookups.collect();

        let same_id = id.iter().map(same).collect::<Vec<_>>().join(" AND ");
        let in_the_way: Vec<String> =
            [same_id].into_iter().chain(lookups.iter().map(same)).collect();
        let in_the_way = format!("({})", in_the_way.join(" OR "));
        let updated = id.iter().map(|id| format!("{table}.{id} IS OLD.{id}"));
        let another = format!("NOT ({})", updated.collect::<Vec<_>>().join(" AND "));
        let tags = |rows: &[&str]| {
            let select = |tag: &TagColumns, listed: Option<String>| {
                let rows: Vec<&str> = rows.iter().copied().chain(listed.as_deref()).collect();
                format!("{} FROM {table} WHERE {}", select(tag, table), rows.join(" AND "))
            };
            let of_rows = self.watched.tags().map(|tag| select(tag, None));
            let lists = self.watched.lists.iter();
            union(of_rows.chain(lists.map(|list| select(&list.tag, list.is_met(table)))))
        };

        let moved = when_moved(&[id, lookups].concat(), "NEW.{} IS NOT NULL AND ");
        [
            self.create("replace", "BEFORE INSERT", "", &tags(&[&in_the_way])),
            self.create("overwrite", "BEFORE UPDATE", &moved, &tags(&[&in_the_way, &another])),
        ]
    }

    fn rows_that_come_and_go(&self) -> [Trigger; 2] {
        let tags = |row| {
            let of_row = self.watched.tags().map(|tag| select(tag, row));
            let of_lists = self.watched.lists.iter().map(|list| {
                let only = list.is_met(row).map_or(String::new(), |it| format!(" WHERE {it}"));
                format!("{}{only}", select(&list.tag, row))
            });
            union(of_row.chain(of_lists))
        };
        [
            self.create("insert", "AFTER INSERT", "", &tags("NEW")),
            self.create("delete", "AFTER DELETE", "", &tags("OLD")),
        ]
    }

    fn changed_rows(&self) -> Option<Trigger> {
        let model = self.watched.model;
        if self.watched.row.is_empty() {
            return None;
        }
        let tags = tags_of(self.watched.row.iter(), &["OLD", "NEW"]);
        if model.ignores.is_empty() {
            return Some(self.create("update", "AFTER UPDATE", "", &tags));
        }
        let open = self.create("update", "AFTER UPDATE", "\nWHEN ({old}) IS NOT ({new})", &tags);
        let columns_of = ColumnsOf { table: model.table.clone(), ignores: model.ignores.clone() };
        Some(Trigger { columns_of: Some(columns_of), ..open })
    }

    fn moved_rows(&self) -> Option<Trigger> {
        if self.watched.link.is_empty() {
            return None;
        }
        let columns = self.watched.link_columns.iter().map(|column| quoted(column));
        let columns: Vec<String> = columns.collect();
        let tags = tags_of(self.watched.link.iter(), &["OLD", "NEW"]);
        Some(self.create("link", "AFTER UPDATE", &when_moved(&columns, ""), &tags))
    }

    /// Rows that an update brings into a list, takes from it, or moves in it.
    fn moved_in_lists(&self) -> Option<Trigger> {
        let lists = &self.watched.lists;
        let of_list = |list: &ListReport<'_>| {
            let columns: Vec<String> = list.columns.iter().map(|column| quoted(column)).collect();
            let moved = moved(&columns, "");
            [("OLD", "NEW"), ("NEW", "OLD")].map(|(row, other)| {
                let only = match (list.is_met(row), list.is_met(other)) {
                    (Some(here), Some(there)) => {
                        format!("{here} AND ({moved} OR ({there}) IS NOT TRUE)")
                    }
                    _ => format!("({moved})"),
                };
                format!("{} WHERE {only}", select(&list.tag, row))
            })
        };
        let tags = union(lists.iter().flat_map(of_list));
        (!lists.is_empty()).then(|| self.create("list", "AFTER UPDATE", "", &tags))
    }

    fn create(&self, operation: &str, event: &str, when: &str, tags: &str) -> Trigger {
        let name = trigger_name(self.outbox, &self.watched.model.name, operation);
        let trigger = match &self.database {
            Some(database) => format!("{database}.{}", quoted(&name)),
            None => quoted(&name),
        };
        let sql = format!(
            "CREATE TRIGGER {trigger} {event} ON {table} FOR EACH ROW{when}
BEGIN
  INSERT INTO {outbox} (tag) SELECT tag FROM (
    {tags}
  ) WHERE tag IS NOT NULL;
END",
            table = self.table,
            outbox = quoted(self.outbox),
        );
        Trigger { name, sql, columns_of: None }
    }
}

/// The tags of the old or the new row, or of both.
fn tags_of<'a>(tags: impl Iterator<Item = &'a TagColumns> + Clone, rows: &[&str]) -> String {
    union(rows.iter().flat_map(|row| tags.clone().map(move |tag| select(tag, row))))
}

fn select(tag: &TagColumns, row: &str) -> String {
    format!("SELECT {} AS tag", tag_expression(tag, row, text))
}

/// What a column has in a tag. The bytes of a BLOB, such as of a UUID, are no text as they are.
fn text(column: String) -> String {
    format!("iif(typeof({column}) = 'blob', hex({column}), {column})")
}

/// All rows of the selects, each once.
fn union(selects: impl Iterator<Item = String>) -> String {
    selects.collect::<Vec<_>>().join("\n    UNION ")
}

/// Binary, because a column's own collation may take different texts for equal, but tags do not. It
/// is asked row by row, as `UPDATE OF` does not hear of a generated column. Before an update that
/// column is NULL where nothing that it is made from is set, which `only` is for.
fn when_moved(columns: &[String], only: &str) -> String {
    format!("\nWHEN {}", moved(columns, only))
}

fn moved(columns: &[String], only: &str) -> String {
    let moved = columns.iter().map(|column| {
        let only = only.replace("{}", column);
        format!("{only}OLD.{column} COLLATE BINARY IS NOT NEW.{column}")
    });
    moved.collect::<Vec<_>>().join(" OR ")
}
