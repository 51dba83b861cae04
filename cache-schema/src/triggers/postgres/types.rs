//! Which types will do for ids, references and ignored columns, and which lookups have several
//! spellings.

use crate::schema::Constant;
use crate::triggers::ExactColumn;
use crate::triggers::sql::{literal, quoted_table};
use crate::triggers::watched::Watched;

/// The types whose equal values have the same text, under the settings of the functions: of what we
/// know of. (`numeric` has, when it has a scale.)
const ONE_TEXT: &str = "typname IN ('bool', 'int2', 'int4', 'int8', 'oid', 'uuid', 'char', 'name', 'bytea', 'bit', 'varbit',
        'date', 'time', 'timestamp', 'timestamptz', 'macaddr', 'macaddr8')
      OR typname = 'numeric' AND base.typmod <> -1";

/// Of these, those that a text or a number, bound for the column, is spelt for in one way: `uuid`
/// takes several.
const ONE_SPELLING: &str = "typname IN ('int2', 'int4', 'int8', 'name')";

/// A domain with a condition, its own or that of one it is made of.
const IS_CONDITIONAL: &str = "EXISTS (SELECT FROM pg_type AS t WHERE t.oid = a.atttypid AND t.typtype = 'd' AND (t.typnotnull
      OR EXISTS (SELECT FROM pg_constraint WHERE contypid = t.oid)
      OR EXISTS (SELECT FROM pg_type AS base WHERE base.oid = t.typbasetype AND base.typtype = 'd')))";

/// Whether the column `a` of `pg_attribute` has one of these types, is an enum, or a text whose
/// collation tells different ones apart. Of a domain, its base counts.
fn is_of(types: &str) -> String {
    format!(
        "EXISTS (
    WITH RECURSIVE base(type, typmod) AS (
      SELECT a.atttypid, a.atttypmod
      UNION ALL SELECT typbasetype, typtypmod FROM base JOIN pg_type ON oid = type WHERE typtype = 'd'
    )
    SELECT FROM base JOIN pg_type ON pg_type.oid = base.type
    WHERE typtype = 'e' OR typnamespace = 'pg_catalog'::regnamespace AND (
      {types}
      OR typname IN ('text', 'varchar') AND NOT EXISTS (
        SELECT FROM pg_collation WHERE oid = a.attcollation AND NOT collisdeterministic)))"
    )
}

/// Refuses ids and references whose equal values have several texts, and ignored columns that
/// cannot be compared without.
pub(crate) fn checks(exact: &[ExactColumn], watched: &[Watched<'_>]) -> Vec<String> {
    let exact = exact.iter().map(|it| row(&it.what, &it.table, &it.column));
    let exact = refuse(
        exact.collect(),
        &format!("NOT {}", is_of(ONE_TEXT)),
        "two of its values may be equal and have different texts, \
         so that a write of the one would not reach what was read by the other",
        "use a type with one text for each value, \
         such as text, bigint, uuid or numeric with a scale",
    );
    let ignored = watched.iter().filter(|it| !it.row.is_empty()).flat_map(|it| {
        let what = format!("an ignored column of {}", it.model.name);
        let ignores = it.model.ignores.iter();
        ignores.map(move |column| row(&what, &it.model.table, column))
    });
    let ignored = refuse(
        ignored.collect(),
        IS_CONDITIONAL,
        "a domain with a condition cannot be ignored, as it is compared without its value",
        "put the condition on the column instead of the domain, or take it out of `ignores`",
    );
    let conditions = |wanted: fn(&Constant) -> bool| {
        let of_model = watched.iter().flat_map(move |it| {
            let conditions = it.lists.iter().flat_map(|list| {
                let what = format!("a condition of the list {}", list.name());
                list.conditions.iter().map(move |it| (what.clone(), it))
            });
            let conditions = conditions.filter(move |(_, it)| wanted(&it.constant));
            conditions.map(|(what, condition)| row(&what, &it.model.table, &condition.column))
        });
        of_model.collect::<Vec<String>>()
    };
    let elsewhere = refuse(
        conditions(|constant| !matches!(constant, Constant::Null(_))),
        IS_ELSEWHERE,
        "the type is of a schema that the triggers do not look into, so that they would compare it in another way",
        "move the extension into the schema of the outbox with ALTER EXTENSION, or compare another column",
    );
    let zoned = refuse(
        conditions(|constant| matches!(constant, Constant::Text(_))),
        "format_type(a.atttypid, NULL) IN ('timestamp with time zone', 'time with time zone')",
        "what the text of a time means depends on the time zone of who asks",
        "compare with { null = true } or { null = false }, or another column",
    );
    exact.into_iter().chain(ignored).chain(elsewhere).chain(zoned).collect()
}

/// A type with operators of its own that are neither PostgreSQL's nor in the schema of the outbox.
const IS_ELSEWHERE: &str = "EXISTS (
    WITH RECURSIVE base(type) AS (
      SELECT a.atttypid UNION ALL SELECT typbasetype FROM base JOIN pg_type ON oid = type WHERE typtype = 'd'
    )
    SELECT FROM base JOIN pg_type ON pg_type.oid = base.type
    JOIN pg_namespace ON pg_namespace.oid = typnamespace
    WHERE typtype NOT IN ('d', 'e') AND nspname NOT IN ('pg_catalog', current_schema()))";

/// Fails where one of these columns is as `when` says.
fn refuse(columns: Vec<String>, when: &str, why: &str, hint: &str) -> Option<String> {
    (!columns.is_empty()).then(|| {
        format!(
            "DO $cache$
DECLARE
  it record;
BEGIN
  FOR it IN
    SELECT what, tab, col, format_type(a.atttypid, a.atttypmod) AS type
    FROM (VALUES
      {}
    ) AS columns(what, tab, col)
    JOIN pg_attribute AS a ON a.attrelid = to_regclass(tab) AND a.attname = col
    WHERE {when}
  LOOP
    RAISE EXCEPTION '%, %.%, has type %: {why}', it.what, it.tab, it.col, it.type USING HINT = '{hint}';
  END LOOP;
END
$cache$",
            columns.join(",\n      ")
        )
    })
}

/// A row of `VALUES`: what a column is, its table and its name.
fn row(what: &str, table: &str, column: &str) -> String {
    let table = literal(&quoted_table(table));
    format!("({}, {table}, {})", literal(what), literal(column))
}

/// Answers the lookups whose equal values may have several texts (`citext`, a collation that does
/// not mind case).
pub(crate) fn spellings(lookups: &[(String, ExactColumn)]) -> String {
    let lookups = lookups.iter();
    let lookups: Vec<String> = lookups.map(|(tag, it)| row(tag, &it.table, &it.column)).collect();
    match lookups.is_empty() {
        true => String::new(),
        false => format!(
            "SELECT tag FROM (VALUES
  {}
) AS lookups(tag, tab, col)
JOIN pg_attribute AS a ON a.attrelid = to_regclass(tab) AND a.attname = col
WHERE NOT {}",
            lookups.join(",\n  "),
            is_of(ONE_SPELLING)
        ),
    }
}
