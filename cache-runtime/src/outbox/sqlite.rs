//! The outbox on SQLite.

use std::time::Duration;

use sqlx::{AssertSqlSafe, Pool, SqlSafeStr, Sqlite, SqliteConnection};
use sqlx_core::transaction::TransactionManager;

use super::database::{OutboxDatabase, fetch, judged, quoted, stamps};
use super::{BATCH, Installed, Listener, OutboxRow, PURGE_BATCH, Place, Which};
use crate::schema::{ColumnsOf, Schema, Triggers};
use crate::tag::Tag;

/// Seconds since 1970.
const NOW: &str = "(julianday('now') - 2440587.5) * 86400";

impl OutboxDatabase for Sqlite {
    const NEW_IDENTITY: &'static str = "lower(hex(randomblob(16)))";

    fn wanted(schema: &Schema) -> &Triggers {
        &schema.sqlite
    }

    /// `IMMEDIATE` takes the write lock now and waits for it as long as `busy_timeout` says. A
    /// transaction that begins by reading and wants to write later is refused without waiting. As
    /// nobody else writes until it ends, the rows after the last one of now will be its own.
    async fn begin(
        connection: &mut SqliteConnection,
        outbox: &'static str,
        _: i64,
    ) -> Result<i64, sqlx::Error> {
        let begin = AssertSqlSafe("BEGIN IMMEDIATE").into_sql_str();
        <Sqlite as sqlx::Database>::TransactionManager::begin(connection, Some(begin)).await?;
        let sql = format!("SELECT coalesce(max(id), 0) FROM {}", quoted(outbox));
        sqlx::query_scalar(AssertSqlSafe(sql))
            .fetch_one(connection)
            .await
    }

    async fn rows(
        connection: &mut SqliteConnection,
        outbox: &'static str,
        which: Which,
        after: Place,
    ) -> Result<Vec<OutboxRow>, sqlx::Error> {
        let (which, values) = match which {
            Which::Waiting => ("delivered_at IS NULL".to_owned(), vec![after.id]),
            Which::Own { mark } => ("delivered_at IS NULL".to_owned(), vec![after.id.max(mark)]),
            Which::Elsewhere { here, within } => (
                format!("delivered_to <> $2 AND delivered_at >= {NOW} - $3 / 1000.0"),
                vec![after.id, here, within.as_millis() as i64],
            ),
        };
        // Any column may hold a value of any type.
        let sql = format!(
            "SELECT 0, id,
               CASE WHEN typeof(tag) = 'text' AND length(CAST(tag AS BLOB)) <= {longest} THEN CAST(tag AS BLOB) END,
               coalesce(CAST({NOW} - created_at AS REAL), 0.0)
             FROM {outbox} WHERE {which} AND id > $1 ORDER BY id LIMIT {BATCH}",
            longest = Tag::LONGEST,
            outbox = quoted(outbox),
        );
        fetch::<Sqlite>(connection, AssertSqlSafe(sql).into_sql_str(), &values).await
    }

    async fn report(
        connection: &mut SqliteConnection,
        outbox: &'static str,
        tags: Vec<Tag>,
    ) -> Result<(), sqlx::Error> {
        let outbox = quoted(outbox);
        let sql = format!("INSERT INTO {outbox} (tag) SELECT value FROM json_each($1)");
        let tags: Vec<&str> = tags.iter().map(Tag::as_str).collect();
        let tags = serde_json::Value::from(tags).to_string();
        let query = sqlx::query(AssertSqlSafe(sql)).bind(tags);
        query.execute(connection).await.map(drop)
    }

    async fn mark_delivered(
        connection: &mut SqliteConnection,
        outbox: &'static str,
        ids: Vec<i64>,
        to: i64,
    ) -> Result<(), sqlx::Error> {
        let sql = format!(
            "UPDATE {} SET delivered_at = {NOW}, delivered_to = $2 WHERE id IN (SELECT value FROM json_each($1))",
            quoted(outbox)
        );
        let ids = serde_json::Value::from(ids).to_string();
        let query = sqlx::query(AssertSqlSafe(sql)).bind(ids).bind(to);
        query.execute(connection).await.map(drop)
    }

    async fn purge(
        connection: &mut SqliteConnection,
        outbox: &'static str,
        retention: Duration,
    ) -> Result<u64, sqlx::Error> {
        let outbox = quoted(outbox);
        let sql = format!(
            "DELETE FROM {outbox} WHERE id IN (
               SELECT id FROM {outbox} WHERE delivered_at < {NOW} - $1 / 1000.0
               ORDER BY delivered_at LIMIT {PURGE_BATCH})"
        );
        let query = sqlx::query(AssertSqlSafe(sql)).bind(retention.as_millis() as i64);
        Ok(query.execute(connection).await?.rows_affected())
    }

    /// Nothing that it puts off writes.
    async fn settle(_: &mut SqliteConnection) -> Result<(), sqlx::Error> {
        Ok(())
    }

    /// It cannot: its transactions live in the process that began them.
    async fn bound_silence(_: &mut SqliteConnection, _: Duration) -> Result<(), sqlx::Error> {
        Ok(())
    }

    async fn installed(
        connection: &mut SqliteConnection,
        schema: &'static Schema,
        triggers: bool,
    ) -> Result<Installed, sqlx::Error> {
        let stamps = stamps(schema);
        let sql = "SELECT count(*) FROM sqlite_master WHERE type = 'table' AND name IN ($1, $2)";
        let tables: i64 = sqlx::query_scalar(sql)
            .bind(&stamps)
            .bind(schema.outbox)
            .fetch_one(&mut *connection)
            .await?;
        if tables < 2 {
            return Ok(Installed::Nothing);
        }
        let names = schema.sqlite.names.iter();
        let names: serde_json::Value = names
            .map(|(name, table)| serde_json::json!([name, table]))
            .collect();
        let names = names.to_string();
        // Names of tables are the same in any case.
        let sql = format!(
            "SELECT stamp, identity,
               (SELECT count(*) FROM sqlite_master AS report JOIN json_each($1) AS wanted
                  ON report.name = json_extract(wanted.value, '$[0]')
                 AND report.tbl_name = json_extract(wanted.value, '$[1]') COLLATE NOCASE
                WHERE report.type = 'trigger')
             FROM {}",
            quoted(&stamps)
        );
        let found: Option<(String, String, i64)> = sqlx::query_as(AssertSqlSafe(sql))
            .bind(names)
            .fetch_optional(connection)
            .await?;
        Ok(judged(found, &schema.sqlite, triggers))
    }

    async fn begin_set_up(
        pool: &Pool<Sqlite>,
    ) -> Result<sqlx::Transaction<'static, Sqlite>, sqlx::Error> {
        pool.begin_with("BEGIN IMMEDIATE").await
    }

    async fn removal(
        connection: &mut SqliteConnection,
        schema: &Schema,
    ) -> Result<Vec<String>, sqlx::Error> {
        let databases: Vec<String> = sqlx::query_scalar("SELECT name FROM pragma_database_list")
            .fetch_all(&mut *connection)
            .await?;
        // First those of this file, whatever is there: the text of a migration may be run at any time.
        let own = schema.sqlite.names.iter();
        let mut drops: Vec<String> = own
            .map(|(name, _)| format!("DROP TRIGGER IF EXISTS \"main\".\"{name}\""))
            .collect();
        for database in databases {
            let database = quoted(&database);
            let sql = format!(
                "SELECT 'DROP TRIGGER IF EXISTS {database}.\"' || name || '\"' FROM {database}.sqlite_master
                 WHERE type = 'trigger' AND instr(sql, $1) > 0"
            );
            let found: Vec<String> = sqlx::query_scalar(AssertSqlSafe(sql))
                .bind(format!("INSERT INTO {} (tag)", quoted(schema.outbox)))
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

    async fn triggers(
        connection: &mut SqliteConnection,
        schema: &Schema,
    ) -> Result<Vec<String>, sqlx::Error> {
        let mut statements = Vec::new();
        for statement in schema.sqlite.statements {
            if statement.sql.starts_with("CREATE TRIGGER") && !is_here(statement.sql) {
                let why = "a trigger of SQLite cannot write into another database: the tables of cache.toml must be in the outbox's own";
                return Err(sqlx::Error::Configuration(why.into()));
            }
            statements.push(match &statement.columns_of {
                Some(columns_of) => {
                    let columns = columns(connection, columns_of).await?;
                    statement.sql.replace("{columns}", &columns)
                }
                None => statement.sql.to_owned(),
            });
        }
        Ok(statements)
    }

    /// The same ones: an in-memory database has no others.
    fn own_connections(pool: &Pool<Sqlite>) -> Pool<Sqlite> {
        pool.clone()
    }

    async fn listen(
        _: &Pool<Sqlite>,
        _: &'static str,
    ) -> Result<Option<Box<dyn Listener>>, sqlx::Error> {
        Ok(None)
    }
}

async fn columns(
    connection: &mut SqliteConnection,
    columns_of: &ColumnsOf,
) -> Result<String, sqlx::Error> {
    let names: Vec<String> = sqlx::query_scalar("SELECT name FROM pragma_table_info($1)")
        .bind(columns_of.table)
        .fetch_all(connection)
        .await?;
    let counted = names
        .iter()
        .filter(|name| !columns_of.ignores.contains(&name.as_str()));
    Ok(counted
        .map(|name| format!("\"{name}\""))
        .collect::<Vec<_>>()
        .join(", "))
}

/// Whether this `CREATE TRIGGER` is for a table beside the outbox, in no attached database.
fn is_here(sql: &str) -> bool {
    let name = sql.strip_prefix("CREATE TRIGGER \"").unwrap_or_default();
    name.split_once('"')
        .is_some_and(|(_, rest)| rest.starts_with(' '))
}
