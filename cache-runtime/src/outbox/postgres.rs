//! The outbox on PostgreSQL.

mod changes;
mod installed;
mod life;
mod rows;
mod set_up;
mod try_out;

use std::time::Duration;

use sqlx::postgres::PgListener;
use sqlx::{AssertSqlSafe, PgConnection, Pool, Postgres, SqlSafeStr};

use super::connection::pool_of_one;
use super::database::{OutboxDatabase, backlog, quoted};
use super::manager;
use super::set_up::run;
use super::{
    Backlog, Cursor, Installed, Listener, OutboxRow, PURGE_BATCH, Purged, RowFilter, Seen,
};
use crate::boxed::{BoxError, BoxFuture};
use crate::model::column::Dialect;
use crate::model::schema::{Schema, Triggers};
use crate::model::tag::Tag;

impl OutboxDatabase for Postgres {
    const DIALECT: Dialect = Dialect::Postgres;

    const IS_SERVER: bool = true;

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
        manager::begin::<Postgres>(connection, begin).await?;
        Ok(writer)
    }

    async fn rows(
        connection: &mut PgConnection,
        outbox: &'static str,
        filter: &RowFilter,
        after: Cursor,
    ) -> Result<Vec<OutboxRow>, sqlx::Error> {
        rows::rows(connection, outbox, filter, after).await
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
        // reason to wait for the disk. Not `IS NULL`: the index of what waits looks small, and may
        // have a million dead entries. A join, as `= ANY($1)` may be planned as one comparison of
        // every row with every number.
        let sql = format!(
            "UPDATE {outbox} SET delivered_at = now(), delivered_to = $2
             FROM (SELECT set_config('synchronous_commit', 'off', true)) AS hurry
             WHERE id IN (SELECT it.id FROM unnest($1) AS own(id) JOIN {outbox} AS it ON it.id = own.id
                          WHERE coalesce(it.delivered_at, '-infinity') = '-infinity' FOR UPDATE OF it SKIP LOCKED)"
        );
        let query = sqlx::query(AssertSqlSafe(sql)).bind(ids).bind(to);
        query.execute(connection).await.map(drop)
    }

    async fn purge(
        connection: &mut PgConnection,
        outbox: &'static str,
        retention: Duration,
        after: i64,
    ) -> Result<Purged, sqlx::Error> {
        let outbox = quoted(outbox);
        // What was purged before is passed by: an old snapshot may keep a million dead entries of
        // it.
        let sql = format!(
            "WITH gone AS (
               DELETE FROM {outbox} WHERE id IN (
                 SELECT id FROM {outbox}
                 WHERE delivered_at < now() - $1 * interval '1 ms' AND delivered_at >= 'epoch'::timestamptz + $2 * interval '1 us'
                 ORDER BY delivered_at LIMIT {PURGE_BATCH} FOR UPDATE SKIP LOCKED)
               RETURNING delivered_at)
             SELECT count(*), coalesce((extract(epoch FROM max(delivered_at)) * 1000000)::bigint, 0) FROM gone"
        );
        let query = sqlx::query_as(AssertSqlSafe(sql));
        let query = query.bind(retention.as_millis() as i64).bind(after);
        let (rows, until): (i64, i64) = query.fetch_one(connection).await?;
        let rows = rows as usize;
        Ok(Purged { rows, until })
    }

    async fn backlog(
        connection: &mut PgConnection,
        outbox: &'static str,
        waiting: bool,
    ) -> Result<Backlog, sqlx::Error> {
        let outbox = quoted(outbox);
        let sql = format!(
            "SELECT pg_stat_get_live_tuples(to_regclass($1)),
               (SELECT extract(epoch FROM clock_timestamp())::float8 - extract(epoch FROM created_at)::float8
                FROM {outbox} WHERE delivered_at IS NULL AND $2 ORDER BY xact, id LIMIT 1)"
        );
        let query = sqlx::query_as(AssertSqlSafe(sql)).bind(&outbox).bind(waiting);
        query.fetch_one(connection).await.map(backlog)
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
        installed::installed(connection, schema, triggers).await
    }

    async fn spellings(
        connection: &mut PgConnection,
        schema: &'static Schema,
    ) -> Result<Vec<String>, sqlx::Error> {
        match schema.postgres.spellings {
            "" => Ok(Vec::new()),
            sql => sqlx::query_scalar(sql).fetch_all(connection).await,
        }
    }

    async fn types(
        connection: &mut PgConnection,
        schema: &'static Schema,
    ) -> Result<Option<String>, sqlx::Error> {
        match run::<Postgres>(connection, schema.postgres.types).await {
            Err(sqlx::Error::Configuration(refusal)) => Ok(Some(refusal.to_string())),
            done => done.map(|()| None),
        }
    }

    async fn try_out(
        connection: &mut PgConnection,
        schema: &'static Schema,
    ) -> Result<Option<String>, sqlx::Error> {
        try_out::try_out(connection, schema).await
    }

    async fn seen(connection: &mut PgConnection) -> Result<Option<Seen>, sqlx::Error> {
        // A prepared transaction is under way as well.
        let sql = "SELECT pg_snapshot_xmax(now)::text::bigint,
                     ARRAY(SELECT pg_snapshot_xip(now)::text::bigint) FROM pg_current_snapshot() AS now";
        let (before, under_way) = sqlx::query_as(sql).fetch_one(connection).await?;
        Ok(Some(Seen { before, under_way }))
    }

    async fn install(
        connection: &mut PgConnection,
        schema: &'static Schema,
        triggers: bool,
    ) -> Result<(), sqlx::Error> {
        set_up::install(connection, schema, triggers).await
    }

    async fn uninstall(
        connection: &mut PgConnection,
        schema: &'static Schema,
    ) -> Result<(), sqlx::Error> {
        set_up::uninstall(connection, schema).await
    }

    async fn statements(
        _: &mut PgConnection,
        schema: &'static Schema,
    ) -> Result<Vec<String>, sqlx::Error> {
        let wanted = &schema.postgres;
        let tables = wanted.tables.iter().flat_map(|table| {
            let triggers = table.triggers.iter().map(|trigger| &trigger.sql);
            table.function.iter().chain(triggers)
        });
        let statements = wanted.outbox.iter().chain(wanted.checks);
        let statements = statements.chain(wanted.types).chain(tables);
        let statements = statements.chain([&wanted.removal]);
        let statements = statements.map(ToString::to_string);
        Ok(statements.chain(schema.fingerprinted::<Postgres>()).collect())
    }

    async fn undo(connection: &mut PgConnection) -> Result<(), sqlx::Error> {
        manager::rollback::<Postgres>(connection).await
    }

    async fn listen(
        pool: &Pool<Postgres>,
        outbox: &'static str,
    ) -> Result<Option<Box<dyn Listener>>, sqlx::Error> {
        // Of a pool of its own, as it gives its connection back when it is dropped, and waits for
        // an answer to that.
        let mut listener = PgListener::connect_with(&pool_of_one(pool)).await?;
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
