//! The outbox on SQLite.

mod set_up;

use std::time::Duration;

use sqlx::{AssertSqlSafe, Pool, SqlSafeStr, Sqlite, SqliteConnection};

use super::database::{OutboxDatabase, backlog, fetch, fingerprints, quoted};
use super::manager;
use super::{
    BATCH, Backlog, Cursor, Installed, Listener, OutboxRow, PURGE_BATCH, Purged, RowFilter, Seen,
};
use crate::model::column::Dialect;
use crate::model::schema::{Schema, Triggers};
use crate::model::tag::Tag;

/// Seconds since 1970.
const NOW: &str = "(julianday('now') - 2440587.5) * 86400";

impl OutboxDatabase for Sqlite {
    const DIALECT: Dialect = Dialect::Sqlite;

    const IS_SERVER: bool = false;

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
        manager::begin::<Sqlite>(connection, begin).await?;
        let sql = format!("SELECT coalesce(max(id), 0) FROM {}", quoted(outbox));
        sqlx::query_scalar(AssertSqlSafe(sql)).fetch_one(connection).await
    }

    async fn rows(
        connection: &mut SqliteConnection,
        outbox: &'static str,
        filter: &RowFilter,
        after: Cursor,
    ) -> Result<Vec<OutboxRow>, sqlx::Error> {
        let (which, values) = match filter {
            RowFilter::Waiting { .. } => ("delivered_at IS NULL".to_owned(), vec![after.id]),
            RowFilter::Own { mark, here } => (
                "(delivered_at IS NULL OR delivered_to <> $2)".to_owned(),
                vec![after.id.max(*mark), *here],
            ),
            RowFilter::DeliveredElsewhere { here, within } => (
                format!("delivered_to <> $2 AND delivered_at >= {NOW} - $3 / 1000.0"),
                vec![after.id, *here, within.as_millis() as i64],
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
        let query = values
            .into_iter()
            .fold(sqlx::query(AssertSqlSafe(sql)), |query, value| query.bind(value));
        fetch::<Sqlite>(connection, query).await
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
            "UPDATE {} SET delivered_at = {NOW}, delivered_to = $2
             WHERE delivered_at IS NULL AND id IN (SELECT value FROM json_each($1))",
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
        _: i64,
    ) -> Result<Purged, sqlx::Error> {
        let outbox = quoted(outbox);
        let sql = format!(
            "DELETE FROM {outbox} WHERE id IN (
               SELECT id FROM {outbox} WHERE delivered_at < {NOW} - $1 / 1000.0
               ORDER BY delivered_at LIMIT {PURGE_BATCH})"
        );
        let query = sqlx::query(AssertSqlSafe(sql)).bind(retention.as_millis() as i64);
        let rows = query.execute(connection).await?.rows_affected() as usize;
        Ok(Purged { rows, until: 0 })
    }

    async fn backlog(
        connection: &mut SqliteConnection,
        outbox: &'static str,
        waiting: bool,
    ) -> Result<Backlog, sqlx::Error> {
        let outbox = quoted(outbox);
        // Without a look at every row.
        let sql = format!(
            "SELECT coalesce(max(id) - min(id) + 1, 0),
               (SELECT CAST({NOW} - created_at AS REAL) FROM {outbox} WHERE delivered_at IS NULL AND $1 ORDER BY id LIMIT 1)
             FROM {outbox}"
        );
        let query = sqlx::query_as(AssertSqlSafe(sql)).bind(waiting);
        query.fetch_one(connection).await.map(backlog)
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
        let fingerprints = fingerprints(schema);
        let sql = "SELECT count(*) FROM sqlite_master WHERE type = 'table' AND name IN ($1, $2)";
        let tables: i64 = sqlx::query_scalar(sql)
            .bind(&fingerprints)
            .bind(schema.outbox)
            .fetch_one(&mut *connection)
            .await?;
        if tables < 2 {
            return Ok(Installed::Nothing);
        }
        let sql = format!("SELECT stamp, identity FROM {}", quoted(&fingerprints));
        let found: Option<(String, String)> =
            sqlx::query_as(AssertSqlSafe(sql)).fetch_optional(&mut *connection).await?;
        let are_right = match triggers {
            true => Some(set_up::are_right(connection, schema).await?),
            false => None,
        };
        Ok(schema.judged::<Sqlite>(found, are_right))
    }

    async fn spellings(
        connection: &mut SqliteConnection,
        schema: &'static Schema,
    ) -> Result<Vec<String>, sqlx::Error> {
        match schema.sqlite.spellings {
            "" => Ok(Vec::new()),
            sql => sqlx::query_scalar(sql).fetch_all(connection).await,
        }
    }

    /// A column that is made anew loses its triggers, and is looked at when those are.
    async fn types(
        _: &mut SqliteConnection,
        _: &'static Schema,
    ) -> Result<Option<String>, sqlx::Error> {
        Ok(None)
    }

    /// There are no roles: who may read and write the file may do everything in it.
    async fn try_out(
        _: &mut SqliteConnection,
        _: &'static Schema,
    ) -> Result<Option<String>, sqlx::Error> {
        Ok(None)
    }

    /// An index has no entries but of rows that are there.
    async fn seen(_: &mut SqliteConnection) -> Result<Option<Seen>, sqlx::Error> {
        Ok(None)
    }

    async fn install(
        connection: &mut SqliteConnection,
        schema: &'static Schema,
        triggers: bool,
    ) -> Result<(), sqlx::Error> {
        set_up::install(connection, schema, triggers).await
    }

    async fn uninstall(
        connection: &mut SqliteConnection,
        schema: &'static Schema,
    ) -> Result<(), sqlx::Error> {
        set_up::uninstall(connection, schema).await
    }

    async fn statements(
        connection: &mut SqliteConnection,
        schema: &'static Schema,
    ) -> Result<Vec<String>, sqlx::Error> {
        set_up::statements(connection, schema, true).await
    }

    /// SQLite itself may have undone the transaction (a full disk, an error of it), and sqlx does
    /// not know that. So there is another one then, to be rolled back: closing the connection would
    /// be the end of an in-memory database.
    async fn undo(connection: &mut SqliteConnection) -> Result<(), sqlx::Error> {
        if manager::rollback::<Sqlite>(connection).await.is_err() {
            sqlx::raw_sql("BEGIN").execute(&mut *connection).await?;
            manager::rollback::<Sqlite>(connection).await?;
        }
        Ok(())
    }

    async fn listen(
        _: &Pool<Sqlite>,
        _: &'static str,
    ) -> Result<Option<Box<dyn Listener>>, sqlx::Error> {
        Ok(None)
    }
}
