//! The outbox on SQLite.

use sqlx::{AssertSqlSafe, Pool, Row, Sqlite};

use super::transaction::{OutboxDatabase, install, quoted};
use super::{BATCH, OutboxRow};
use crate::schema::{ColumnsOf, Schema};
use crate::tag::Tag;

impl OutboxDatabase for Sqlite {
    /// `IMMEDIATE` takes the write lock now and waits for it as long as `busy_timeout` says. A
    /// transaction that begins by reading and wants to write later is refused without waiting.
    const BEGIN: Option<&'static str> = Some("BEGIN IMMEDIATE");

    async fn waiting(
        connection: &mut sqlx::SqliteConnection,
        outbox: &'static str,
        after: i64,
    ) -> Result<Vec<OutboxRow>, sqlx::Error> {
        let sql = format!(
            "SELECT id, tag FROM {} WHERE delivered_at IS NULL AND id > $1 ORDER BY id LIMIT {BATCH}",
            quoted(outbox)
        );
        let rows = sqlx::query(AssertSqlSafe(sql))
            .bind(after)
            .fetch_all(connection)
            .await?;
        let row = |row: &sqlx::sqlite::SqliteRow| -> Result<OutboxRow, sqlx::Error> {
            Ok(OutboxRow {
                id: row.try_get(0)?,
                tag: Tag::from_text(row.try_get::<String, _>(1)?),
            })
        };
        rows.iter().map(row).collect()
    }

    async fn mark_delivered(
        connection: &mut sqlx::SqliteConnection,
        outbox: &'static str,
        ids: Vec<i64>,
    ) -> Result<(), sqlx::Error> {
        let sql = format!(
            "UPDATE {} SET delivered_at = unixepoch() WHERE id IN (SELECT value FROM json_each($1))",
            quoted(outbox)
        );
        let ids = serde_json::Value::from(ids).to_string();
        sqlx::query(AssertSqlSafe(sql))
            .bind(ids)
            .execute(connection)
            .await?;
        Ok(())
    }

    /// Unlike PostgreSQL, SQLite drops and creates a trigger in no time and blocks nobody for it, so
    /// there is no need to know whether it is the same.
    async fn install(pool: &Pool<Sqlite>, schema: &Schema) -> Result<(), sqlx::Error> {
        let mut tx = pool.begin_with("BEGIN IMMEDIATE").await?;
        for statement in schema.sqlite.statements {
            let mut sql = statement.sql.to_owned();
            if let Some(columns_of) = &statement.columns_of {
                sql = sql.replace("{columns}", &columns(&mut tx, columns_of).await?);
            }
            install::<Sqlite>(&mut tx, &sql).await?;
        }
        tx.commit().await
    }
}

async fn columns(
    connection: &mut sqlx::SqliteConnection,
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
