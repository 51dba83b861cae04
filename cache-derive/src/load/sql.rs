//! The statements. `{keys}` stands for a table `k` of what is asked for, which every database
//! writes in its own way: `n` says which of it, `k1`, `k2` … are its columns. `{columns}` and
//! `{joins}` are those of the struct whose rows are read.
//!
//! All names are identifiers, and quoted; constants are literals.

use cache_schema::{Direction, Hop, Model, Schema};
use syn::{Error, LitStr};

use crate::ast::Struct;
use crate::attr::Condition;

/// `user` → `"user"`; whatever is in a name, it is one.
pub(super) fn quoted(name: &str) -> String {
    format!("\"{}\"", name.replace('"', "\"\""))
}

/// The table of a model.
pub(crate) fn table_of(schema: &Schema, model: &str) -> String {
    schema.model(model).map(table).unwrap_or_default()
}

/// `public.plio` → `"public"."plio"`
fn table(model: &Model) -> String {
    model.table.split('.').map(quoted).collect::<Vec<_>>().join(".")
}

/// `t."id" = k.k1 AND …`
fn equal(columns: &[String], alias: &str, others: &[String]) -> String {
    let pairs = columns.iter().zip(others);
    let pairs = pairs.map(|(column, other)| format!("{alias}.{} = {other}", quoted(column)));
    pairs.collect::<Vec<_>>().join(" AND ")
}

fn of_keys(columns: usize) -> Vec<String> {
    (1..=columns).map(|at| format!("k.k{at}")).collect()
}

/// `t."id"`, …
pub(crate) fn of_alias(alias: &str, columns: &[String]) -> Vec<String> {
    columns.iter().map(|column| format!("{alias}.{}", quoted(column))).collect()
}

/// The rows with these ids.
pub(super) fn by_id(model: &Model) -> String {
    let on = equal(&model.id, "t", &of_keys(model.id.len()));
    format!("SELECT k.n, {{columns}} FROM {{keys}} JOIN {} AS t ON {on}{{joins}}", table(model))
}

/// The id of the row with this lookup; if there are several, the first.
pub(super) fn by_lookup(row: &Struct, model: &Model, column: &str) -> String {
    let id = of_alias("t", &model.id).join(", ");
    let on = equal(&[column.to_owned()], "t", &of_keys(1));
    let filter = filter(&row.filter, "AND");
    format!(
        "SELECT k.n, {id} FROM {{keys}} JOIN {} AS t ON {on}{filter} ORDER BY {id}",
        table(model)
    )
}

/// From the keys, which are ids of the model, to the rows at the end of the way, `t`.
pub(super) fn along(schema: &Schema, model: &Model, way: &[Hop]) -> String {
    let mut sql = "FROM {keys}".to_owned();
    let mut before: (String, &Model) = (String::new(), model);
    for (at, hop) in way.iter().enumerate() {
        let Some(next) = schema.model(&hop.to) else {
            continue;
        };
        let alias = match at + 1 == way.len() {
            true => "t".to_owned(),
            false => format!("j{}", at + 1),
        };
        let (from, of) = &before;
        let on = match (hop.direction, at) {
            (Direction::Reverse, 0) => equal(&hop.columns, &alias, &of_keys(of.id.len())),
            (Direction::Reverse, _) => equal(&hop.columns, &alias, &of_alias(from, &of.id)),
            (Direction::Forward, 0) => {
                let own = equal(&of.id, "p", &of_keys(of.id.len()));
                sql += &format!(" JOIN {} AS p ON {own}", table(of));
                equal(&next.id, &alias, &of_alias("p", &hop.columns))
            }
            (Direction::Forward, _) => equal(&next.id, &alias, &of_alias(from, &hop.columns)),
        };
        sql += &format!(" JOIN {} AS {alias} ON {on}", table(next));
        before = (alias, next);
    }
    sql
}

/// From a row, `t`, to that whose column it has: each hop along a reference. Where that row is not
/// there, its column is NULL, which a field that is no `Option` refuses.
pub(super) fn join(schema: &Schema, way: &[Hop], alias: &str) -> String {
    let mut sql = String::new();
    let mut from = "t".to_owned();
    for (at, hop) in way.iter().enumerate() {
        let Some(next) = schema.model(&hop.to) else {
            continue;
        };
        let to = match at + 1 == way.len() {
            true => alias.to_owned(),
            false => format!("{alias}_{}", at + 1),
        };
        let on = equal(&next.id, &to, &of_alias(&from, &hop.columns));
        sql += &format!(" LEFT JOIN {} AS {to} ON {on}", table(next));
        from = to;
    }
    sql
}

/// Conditions on the columns of `t`, after others. Nothing that is replaced comes after them: a
/// text may look like it.
pub(super) fn filter(conditions: &[Condition], before: &str) -> String {
    let all: Vec<String> = conditions.iter().map(|it| it.is.sql("t")).collect();
    match all.is_empty() {
        true => String::new(),
        false => format!(" {before} {}", all.join(" AND ")),
    }
}

/// The columns of an order, each with whether it descends.
pub(super) fn order(written: Option<&LitStr>) -> Result<Vec<(String, bool)>, Error> {
    let Some(written) = written else {
        return Ok(Vec::new());
    };
    let text = written.value();
    let columns = text.split(',').map(|column| {
        let column = column.trim();
        let (name, descends) = match column.strip_prefix('-') {
            Some(name) => (name, true),
            None => (column, false),
        };
        let is_letter = |c: char| c.is_ascii_alphanumeric() || c == '_';
        let is_name = !name.is_empty()
            && !name.starts_with(|c: char| c.is_ascii_digit())
            && name.chars().all(is_letter);
        match is_name {
            true => Ok((name.to_owned(), descends)),
            false => Err(Error::new(
                written.span(),
                format!(
                    "`{column}` is no column to order by\n\
                     help: write columns of the rows, with `-` before those that descend: order_by = \"-created_at, id\""
                ),
            )),
        }
    });
    columns.collect()
}

/// In this order, and rows that it does not tell apart by their id.
pub(super) fn ordered_by_id(order: &[(String, bool)], of: &Model) -> String {
    let by_id = of.id.iter().filter(|id| !order.iter().any(|(column, _)| column == *id));
    let by_id = by_id.map(|id| (id.clone(), false));
    ordered(&order.iter().cloned().chain(by_id).collect::<Vec<_>>())
}

/// In this order. Where NULLs go, the databases differ: here as in PostgreSQL.
pub(crate) fn ordered(order: &[(String, bool)]) -> String {
    let columns = order.iter().map(|(column, descends)| {
        let how = if *descends { "DESC NULLS FIRST" } else { "ASC NULLS LAST" };
        format!("t.{} {how}", quoted(column))
    });
    format!("ORDER BY {}", columns.collect::<Vec<_>>().join(", "))
}

/// How many rows a statement answers for each key, and in which order.
pub(super) enum End {
    /// The one that a reference leads to.
    One,
    /// All of them.
    All(String),
    /// The first of them: the others are not even read.
    First(String),
}

impl End {
    /// The statement that selects this.
    pub(super) fn of(&self, columns: &str, from: &str) -> String {
        match self {
            End::One => format!("SELECT k.n, {columns} {from}"),
            End::All(order) => format!("SELECT k.n, {columns} {from} {order}"),
            End::First(order) => format!(
                "SELECT * FROM (SELECT k.n, {columns}, row_number() OVER (PARTITION BY k.n {order}) AS \"of k\" {from}) AS of_keys \
                 WHERE of_keys.\"of k\" = 1"
            ),
        }
    }
}
