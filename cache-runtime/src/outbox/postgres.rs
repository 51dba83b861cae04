//! The outbox on PostgreSQL.

use sqlx::{AssertSqlSafe, Pool, Postgres, Row};

use super::transaction::{OutboxDatabase, install, quoted};
use super::{BATCH, OutboxRow};
use crate::schema::Schema;
use crate::tag::Tag;

/// Taken while triggers are installed, so that two processes that start at once do not trip over
/// each other. The bytes of "cache.to".
const INSTALL_LOCK: i64 = 0x6361_6368_652e_746f;

impl OutboxDatabase for Postgres {
    const BEGIN: Option<&'static str> = None;

    async fn waiting(
        connection: &mut sqlx::PgConnection,
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
        let row = |row: &sqlx::postgres::PgRow| -> Result<OutboxRow, sqlx::Error> {
            Ok(OutboxRow {
                id: row.try_get(0)?,
                tag: Tag::from_text(row.try_get::<String, _>(1)?),
            })
        };
        rows.iter().map(row).collect()
    }

    async fn mark_delivered(
        connection: &mut sqlx::PgConnection,
        outbox: &'static str,
        ids: Vec<i64>,
    ) -> Result<(), sqlx::Error> {
        let outbox = quoted(outbox);
        // Two processes may deliver the same rows and mark them in different orders: without SKIP
        // LOCKED that is a deadlock.
        let sql = format!(
            "UPDATE {outbox} SET delivered_at = now() WHERE id IN
               (SELECT id FROM {outbox} WHERE id = ANY($1) AND delivered_at IS NULL
                FOR UPDATE SKIP LOCKED)"
        );
        sqlx::query(AssertSqlSafe(sql))
            .bind(ids)
            .execute(connection)
            .await?;
        Ok(())
    }

    async fn install(pool: &Pool<Postgres>, schema: &Schema) -> Result<(), sqlx::Error> {
        let stamps = quoted(&format!("{}_stamp", schema.outbox));
        let mut tx = pool.begin().await?;
        sqlx::query("SELECT pg_advisory_xact_lock($1)")
            .bind(INSTALL_LOCK)
            .execute(&mut *tx)
            .await?;
        // `IF NOT EXISTS` says "skipping" at NOTICE, which sqlx logs.
        sqlx::query("SET LOCAL client_min_messages = warning")
            .execute(&mut *tx)
            .await?;
        let table = format!("CREATE TABLE IF NOT EXISTS {stamps} (stamp text NOT NULL)");
        sqlx::query(AssertSqlSafe(table)).execute(&mut *tx).await?;
        let sql = format!("SELECT stamp FROM {stamps}");
        let stamp: Option<String> = sqlx::query_scalar(AssertSqlSafe(sql))
            .fetch_optional(&mut *tx)
            .await?;
        let complete = has_triggers(&mut tx, schema).await?;
        // The same statements again would be harmless, but they lock the tables for a moment.
        if !complete || stamp.as_deref() != Some(schema.postgres.stamp) {
            for statement in schema.postgres.statements {
                install::<Postgres>(&mut tx, statement.sql).await?;
            }
            let delete = format!("DELETE FROM {stamps}");
            sqlx::query(AssertSqlSafe(delete)).execute(&mut *tx).await?;
            let insert = format!("INSERT INTO {stamps} VALUES ($1)");
            sqlx::query(AssertSqlSafe(insert))
                .bind(schema.postgres.stamp)
                .execute(&mut *tx)
                .await?;
        }
        tx.commit().await
    }
}

/// Whether every trigger is there and enabled. A migration that makes a table anew loses them.
async fn has_triggers(
    connection: &mut sqlx::PgConnection,
    schema: &Schema,
) -> Result<bool, sqlx::Error> {
    let statements = schema.postgres.statements.iter();
    let names: Vec<&str> = statements
        .filter_map(|statement| {
            statement
                .sql
                .strip_prefix("CREATE TRIGGER \"")?
                .split('"')
                .next()
        })
        .collect();
    let sql = "SELECT count(*) FROM pg_trigger WHERE tgenabled IN ('O', 'A') AND tgname = ANY($1)";
    let enabled: i64 = sqlx::query_scalar(sql)
        .bind(&names)
        .fetch_one(connection)
        .await?;
    Ok(enabled as usize == names.len())
}
