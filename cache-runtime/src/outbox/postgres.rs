//! The outbox on PostgreSQL.

use std::time::Duration;

use sqlx::postgres::PgListener;
use sqlx::{AssertSqlSafe, PgConnection, Pool, Postgres, SqlSafeStr};
use sqlx_core::transaction::TransactionManager;

use super::database::{OutboxDatabase, fetch, judged, quoted, stamps};
use super::{BATCH, Installed, Listener, OutboxRow, PURGE_BATCH, Place, Which};
use crate::error::BoxError;
use crate::schema::{Schema, Triggers};
use crate::store::BoxFuture;
use crate::tag::Tag;

/// Taken while triggers are installed, so that two processes that start at once do not trip over
/// each other. The bytes of "cache.to".
const INSTALL_LOCK: i64 = 0x6361_6368_652e_746f;

impl OutboxDatabase for Postgres {
    const NEW_IDENTITY: &'static str = "md5(random()::text || clock_timestamp())";

    fn wanted(schema: &Schema) -> &Triggers {
        &schema.postgres
    }

    /// One round trip: the triggers and the outbox read the setting.
    async fn begin(
        connection: &mut PgConnection,
        _: &'static str,
        writer: i64,
    ) -> Result<i64, sqlx::Error> {
        let begin = format!("BEGIN; SET LOCAL cache.writer = '{writer}'");
        let begin = AssertSqlSafe(begin).into_sql_str();
        <Postgres as sqlx::Database>::TransactionManager::begin(connection, Some(begin)).await?;
        Ok(writer)
    }

    async fn rows(
        connection: &mut PgConnection,
        outbox: &'static str,
        which: Which,
        after: Place,
    ) -> Result<Vec<OutboxRow>, sqlx::Error> {
        let mut values = vec![after.writer, after.id];
        let which = match which {
            Which::Waiting => "delivered_at IS NULL",
            Which::Own { mark } => {
                values.push(mark);
                "delivered_at IS NULL AND writer = $3"
            }
            Which::Elsewhere { here, within } => {
                values.extend([here, within.as_millis() as i64]);
                "delivered_to <> $3 AND delivered_at >= now() - $4 * interval '1 ms'"
            }
        };
        // An infinite time cannot be subtracted, but its seconds can.
        let sql = format!(
            "SELECT writer, id, CASE WHEN octet_length(tag) <= {longest} THEN convert_to(tag, {encoding}) END,
               extract(epoch FROM clock_timestamp())::float8 - extract(epoch FROM created_at)::float8
             FROM {outbox} WHERE {which} AND (writer, id) > ($1, $2)
             ORDER BY writer, id LIMIT {BATCH}",
            longest = Tag::LONGEST,
            // A database of no encoding has none to convert from.
            encoding = "CASE getdatabaseencoding() WHEN 'SQL_ASCII' THEN 'SQL_ASCII' ELSE 'UTF8' END",
            outbox = quoted(outbox),
        );
        fetch::<Postgres>(connection, AssertSqlSafe(sql).into_sql_str(), &values).await
    }

    async fn report(
        connection: &mut PgConnection,
        outbox: &'static str,
        tags: Vec<Tag>,
    ) -> Result<(), sqlx::Error> {
        let sql = format!("INSERT INTO {} (tag) SELECT unnest($1)", quoted(outbox));
        let tags: Vec<&str> = tags.iter().map(Tag::as_str).collect();
        let query = sqlx::query(AssertSqlSafe(sql)).bind(tags);
        query.execute(connection).await.map(drop)
    }

    async fn mark_delivered(
        connection: &mut PgConnection,
        outbox: &'static str,
        ids: Vec<i64>,
        to: i64,
    ) -> Result<(), sqlx::Error> {
        let outbox = quoted(outbox);
        // Two processes may deliver the same rows and mark them in different orders: without SKIP
        // LOCKED that is a deadlock. A mark that is lost means that the row is delivered again: no
        // reason to wait for the disk. A join, as `= ANY($1)` may be planned as one comparison of every
        // row with every number.
        let sql = format!(
            "UPDATE {outbox} SET delivered_at = now(), delivered_to = $2
             FROM (SELECT set_config('synchronous_commit', 'off', true)) AS hurry
             WHERE id IN (SELECT it.id FROM unnest($1) AS own(id) JOIN {outbox} AS it ON it.id = own.id
                          WHERE it.delivered_at IS NULL FOR UPDATE OF it SKIP LOCKED)"
        );
        let query = sqlx::query(AssertSqlSafe(sql)).bind(ids).bind(to);
        query.execute(connection).await.map(drop)
    }

    async fn purge(
        connection: &mut PgConnection,
        outbox: &'static str,
        retention: Duration,
    ) -> Result<u64, sqlx::Error> {
        let outbox = quoted(outbox);
        let sql = format!(
            "DELETE FROM {outbox} WHERE id IN (
               SELECT id FROM {outbox} WHERE delivered_at < now() - $1 * interval '1 ms'
               ORDER BY delivered_at LIMIT {PURGE_BATCH} FOR UPDATE SKIP LOCKED)"
        );
        let query = sqlx::query(AssertSqlSafe(sql)).bind(retention.as_millis() as i64);
        Ok(query.execute(connection).await?.rows_affected())
    }

    async fn settle(connection: &mut PgConnection) -> Result<(), sqlx::Error> {
        let query = sqlx::raw_sql("SET CONSTRAINTS ALL IMMEDIATE");
        query.execute(connection).await.map(drop)
    }

    async fn bound_silence(
        connection: &mut PgConnection,
        silence: Duration,
    ) -> Result<(), sqlx::Error> {
        let ms = silence.as_millis().max(1);
        let sql = format!("SET LOCAL idle_in_transaction_session_timeout = {ms}");
        let query = sqlx::raw_sql(AssertSqlSafe(sql));
        query.execute(connection).await.map(drop)
    }

    async fn installed(
        connection: &mut PgConnection,
        schema: &'static Schema,
        triggers: bool,
    ) -> Result<Installed, sqlx::Error> {
        let stamps = quoted(&stamps(schema));
        let exists = "SELECT to_regclass($1) IS NOT NULL AND to_regclass($2) IS NOT NULL";
        let exists: bool = sqlx::query_scalar(exists)
            .bind(&stamps)
            .bind(quoted(schema.outbox))
            .fetch_one(&mut *connection)
            .await?;
        if !exists {
            return Ok(Installed::Nothing);
        }
        // A migration that makes a table anew loses its triggers, or leaves them to the old one that it
        // put out of the way; a restore may have disabled them.
        let sql = format!(
            "SELECT stamp, md5(identity || (SELECT oid FROM pg_database WHERE datname = current_database())),
               (SELECT count(*) FROM pg_trigger AS report
                JOIN pg_proc ON pg_proc.oid = report.tgfoid
                JOIN pg_class ON pg_class.oid = to_regclass($1)
                JOIN unnest($2, $3) AS wanted(name, of)
                  ON report.tgname = wanted.name AND report.tgrelid = to_regclass(wanted.of)
                WHERE report.tgenabled IN ('O', 'A')
                  AND pg_proc.pronamespace = pg_class.relnamespace)
             FROM {stamps}"
        );
        let triggers_of = schema.postgres.names.iter();
        let (names, tables): (Vec<&str>, Vec<String>) = triggers_of
            .map(|(name, table)| (*name, quoted(table)))
            .unzip();
        let found: Option<(String, String, i64)> = sqlx::query_as(AssertSqlSafe(sql))
            .bind(quoted(schema.outbox))
            .bind(names)
            .bind(tables)
            .fetch_optional(connection)
            .await?;
        Ok(judged(found, &schema.postgres, triggers))
    }

    async fn begin_set_up(
        pool: &Pool<Postgres>,
    ) -> Result<sqlx::Transaction<'static, Postgres>, sqlx::Error> {
        let mut tx = pool.begin().await?;
        sqlx::query("SELECT pg_advisory_xact_lock($1)")
            .bind(INSTALL_LOCK)
            .execute(&mut *tx)
            .await?;
        // `IF NOT EXISTS` says "skipping" at NOTICE, which sqlx logs.
        sqlx::query("SET LOCAL client_min_messages = warning")
            .execute(&mut *tx)
            .await?;
        Ok(tx)
    }

    async fn removal(_: &mut PgConnection, schema: &Schema) -> Result<Vec<String>, sqlx::Error> {
        Ok(vec![schema.postgres.removal.to_owned()])
    }

    async fn triggers(_: &mut PgConnection, schema: &Schema) -> Result<Vec<String>, sqlx::Error> {
        let statements = schema.postgres.statements.iter();
        Ok(statements
            .map(|statement| statement.sql.to_owned())
            .collect())
    }

    fn own_connections(pool: &Pool<Postgres>) -> Pool<Postgres> {
        // With what the service does to a new connection, such as setting a search_path.
        pool.options()
            .clone()
            .min_connections(0)
            .max_connections(2)
            .connect_lazy_with(pool.connect_options().as_ref().clone())
    }

    async fn listen(
        pool: &Pool<Postgres>,
        outbox: &'static str,
    ) -> Result<Option<Box<dyn Listener>>, sqlx::Error> {
        let mut listener = PgListener::connect_with(pool).await?;
        listener.listen(outbox).await?;
        Ok(Some(Box::new(listener)))
    }
}

impl Listener for PgListener {
    fn heard(&mut self) -> BoxFuture<'_, Result<(), BoxError>> {
        Box::pin(async {
            self.recv().await?;
            // All that has come meanwhile is one reason to look.
            while self.next_buffered().is_some() {}
            Ok(())
        })
    }
}
