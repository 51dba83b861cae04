//! The set-up on SQLite: one transaction, as there is one writer at a time anyway, and triggers are
//! made in no time.

use std::collections::HashMap;

use sqlx::{AssertSqlSafe, Connection, Sqlite, SqliteConnection};

use crate::model::schema::{ColumnsOf, ExactColumn, Schema, Trigger};
use crate::outbox::Installed;
use crate::outbox::database::{OutboxDatabase, fingerprints, quoted};
use crate::outbox::set_up::{refusal, run};

pub(super) async fn install(
    connection: &mut SqliteConnection,
    schema: &'static Schema,
    triggers: bool,
) -> Result<(), sqlx::Error> {
    let is_right = |installed| matches!(installed, Installed::Right { .. });
    if is_right(Sqlite::installed(connection, schema, triggers).await?) {
        return Ok(());
    }
    let mut tx = connection.begin_with("BEGIN IMMEDIATE").await?;
    // Another process may have been quicker.
    if !is_right(Sqlite::installed(&mut tx, schema, triggers).await?) {
        let statements = statements(&mut tx, schema, triggers).await?;
        run::<Sqlite>(&mut tx, statements).await?;
    }
    tx.commit().await
}

pub(super) async fn uninstall(
    connection: &mut SqliteConnection,
    schema: &'static Schema,
) -> Result<(), sqlx::Error> {
    let mut tx = connection.begin_with("BEGIN IMMEDIATE").await?;
    let removal = removal(&mut tx, schema).await?;
    run::<Sqlite>(&mut tx, removal).await?;
    let tables = [schema.outbox.to_owned(), fingerprints(schema)];
    let drops = tables.map(|table| format!("DROP TABLE IF EXISTS {}", quoted(&table)));
    run::<Sqlite>(&mut tx, drops).await?;
    tx.commit().await
}

pub(super) async fn statements(
    connection: &mut SqliteConnection,
    schema: &'static Schema,
    triggers: bool,
) -> Result<Vec<String>, sqlx::Error> {
    let wanted = &schema.sqlite;
    let mut statements: Vec<String> = wanted.outbox.iter().map(ToString::to_string).collect();
    if triggers {
        run::<Sqlite>(connection, wanted.checks).await?;
        refuse_collations(connection, wanted.exact).await?;
        refuse_types(connection, wanted.types).await?;
        statements.extend(removal(connection, schema).await?);
        for table in wanted.tables {
            for trigger in table.triggers {
                statements.push(made(connection, trigger).await?);
            }
        }
    }
    statements.extend(schema.fingerprinted::<Sqlite>());
    Ok(statements)
}

/// Whether each trigger is there, and says what it would say if it were made now: columns may have
/// come since.
pub(super) async fn are_right(
    connection: &mut SqliteConnection,
    schema: &'static Schema,
) -> Result<bool, sqlx::Error> {
    let sql = "SELECT name, tbl_name, sql FROM sqlite_master WHERE type = 'trigger' AND instr(sql, $1) > 0";
    let found: Vec<(String, String, String)> =
        sqlx::query_as(sql).bind(writes(schema)).fetch_all(&mut *connection).await?;
    let found: HashMap<String, (String, String)> =
        found.into_iter().map(|(name, table, sql)| (name, (table, sql))).collect();
    for table in schema.sqlite.tables {
        for trigger in table.triggers {
            let Some((of, sql)) = found.get(trigger.name) else {
                return Ok(false);
            };
            // Names of tables are the same in any case.
            if !of.eq_ignore_ascii_case(table.name) || *sql != made(connection, trigger).await? {
                return Ok(false);
            }
        }
    }
    Ok(true)
}

/// The statement that makes a trigger, with the columns that the table has.
async fn made(connection: &mut SqliteConnection, trigger: &Trigger) -> Result<String, sqlx::Error> {
    if !is_here(trigger.sql) {
        return Err(refusal(
            "a trigger of SQLite cannot write into another database: the tables of cache.toml must be in the outbox's own",
        ));
    }
    let Some(ColumnsOf { table, ignores }) = &trigger.columns_of else {
        return Ok(trigger.sql.to_owned());
    };
    // With those that are generated, which `table_info` leaves out. Hidden ones (1) are arguments
    // of virtual tables.
    let sql = "SELECT name FROM pragma_table_xinfo($1) WHERE hidden <> 1 ORDER BY cid";
    let mut columns: Vec<String> =
        sqlx::query_scalar(sql).bind(*table).fetch_all(connection).await?;
    columns.retain(|column| !ignores.contains(&column.as_str()));
    // Their types count as well: 1 and 1.0 are equal, and have two texts. As rows, since a thousand
    // `OR`s nest too deep.
    let image = |row: &str, collation: &str| {
        let columns = columns.iter().map(|column| {
            let column = format!("{row}.\"{}\"", column.replace('"', "\"\""));
            format!("{column}{collation}, typeof({column})")
        });
        columns.collect::<Vec<_>>().join(", ")
    };
    let sql = trigger.sql.replace("{old}", &image("OLD", " COLLATE BINARY"));
    Ok(sql.replace("{new}", &image("NEW", "")))
}

/// A column does not compare in a trigger as it does in a query, where its type is another than
/// that of what it is compared with.
async fn refuse_types(
    connection: &mut SqliteConnection,
    questions: &[&'static str],
) -> Result<(), sqlx::Error> {
    for question in questions {
        let why: Option<String> =
            sqlx::query_scalar(*question).fetch_optional(&mut *connection).await?;
        if let Some(why) = why {
            return Err(refusal(&why));
        }
    }
    Ok(())
}

/// Tags compare texts byte by byte, so that a column which does not would have values that are
/// equal and have two tags.
async fn refuse_collations(
    connection: &mut SqliteConnection,
    columns: &[ExactColumn],
) -> Result<(), sqlx::Error> {
    const INDEX: &str = "cache_outbox_collation";
    // Only an index tells the collation of a column. This one has no entries, and is undone.
    let mut tx = connection.begin().await?;
    for ExactColumn { what, table, column } in columns {
        // Mostly no column has one, and the index takes a look at every row.
        let sql = "SELECT count(*) FROM sqlite_master WHERE type = 'table' AND name = $1 COLLATE NOCASE AND sql LIKE '%COLLATE%'";
        let has_any: i64 = sqlx::query_scalar(sql).bind(*table).fetch_one(&mut *tx).await?;
        if has_any == 0 {
            continue;
        }
        let index = format!(
            "CREATE INDEX \"{INDEX}\" ON {} (\"{column}\") WHERE \"{column}\" IS NULL AND \"{column}\" IS NOT NULL",
            quoted(table)
        );
        run::<Sqlite>(&mut tx, [index]).await?;
        let sql = "SELECT coll FROM pragma_index_xinfo($1) WHERE seqno = 0";
        let collation: Option<String> =
            sqlx::query_scalar(sql).bind(INDEX).fetch_optional(&mut *tx).await?;
        run::<Sqlite>(&mut tx, [format!("DROP INDEX \"{INDEX}\"")]).await?;
        if let Some(collation) = collation.filter(|it| !it.eq_ignore_ascii_case("BINARY")) {
            return Err(refusal(&format!(
                "{what}, {table}.{column}, has the collation {collation}: two of its values may be equal and have different \
                 texts, so that a write of the one would not reach what was read by the other\n\
                 help: take `COLLATE {collation}` off the column, and compare with it where it is wanted"
            )));
        }
    }
    tx.rollback().await
}

/// The statements that remove the triggers that write into this outbox, of any version of the file.
async fn removal(
    connection: &mut SqliteConnection,
    schema: &Schema,
) -> Result<Vec<String>, sqlx::Error> {
    let databases: Vec<String> = sqlx::query_scalar("SELECT name FROM pragma_database_list")
        .fetch_all(&mut *connection)
        .await?;
    // First those of this file, whatever is there: the text of a migration may be run at any time.
    let own = schema.sqlite.tables.iter().flat_map(|table| table.triggers);
    let mut drops: Vec<String> = own
        .map(|trigger| format!("DROP TRIGGER IF EXISTS \"main\".\"{}\"", trigger.name))
        .collect();
    for database in databases {
        let database = quoted(&database);
        let sql = format!(
            "SELECT 'DROP TRIGGER IF EXISTS {database}.\"' || name || '\"' FROM {database}.sqlite_master
             WHERE type = 'trigger' AND instr(sql, $1) > 0"
        );
        let found: Vec<String> = sqlx::query_scalar(AssertSqlSafe(sql))
            .bind(writes(schema))
            .fetch_all(&mut *connection)
            .await?;
        for drop in found {
            if !drops.contains(&drop) {
                drops.push(drop);
            }
        }
    }
    Ok(drops)
}

/// By this the triggers of any version of the file are known.
fn writes(schema: &Schema) -> String {
    format!("INSERT INTO {} (tag)", quoted(schema.outbox))
}

/// Whether this `CREATE TRIGGER` is for a table beside the outbox, in no attached database.
fn is_here(sql: &str) -> bool {
    let name = sql.strip_prefix("CREATE TRIGGER \"").unwrap_or_default();
    name.split_once('"').is_some_and(|(_, rest)| rest.starts_with(' '))
}
