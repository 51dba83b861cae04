//! The outbox on PostgreSQL.

mod set_up;

use std::time::Duration;

use sqlx::postgres::{PgListener, PgRow};
use sqlx::{AssertSqlSafe, FromRow, PgConnection, Pool, Postgres, Row, SqlSafeStr};
use sqlx_core::transaction::TransactionManager;

use super::connection::pool_of_one;
use super::database::{OutboxDatabase, backlog, fetch, quoted, stamps};
use super::set_up::run;
use super::{
    BATCH, Backlog, Cursor, Installed, Listener, OutboxRow, PURGE_BATCH, Purged, RowFilter, Seen,
};
use crate::boxed::{BoxError, BoxFuture};
use crate::model::schema::{Schema, Triggers};
use crate::model::tag::Tag;

/// Taken while triggers are installed, so that two processes that start at once do not trip over
/// each other. The bytes of "cache.to".
const INSTALL_LOCK: i64 = 0x6361_6368_652e_746f;

impl OutboxDatabase for Postgres {
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
        <Postgres as sqlx::Database>::TransactionManager::begin(connection, Some(begin)).await?;
        Ok(writer)
    }

    async fn rows(
        connection: &mut PgConnection,
        outbox: &'static str,
        filter: &RowFilter,
        after: Cursor,
    ) -> Result<Vec<OutboxRow>, sqlx::Error> {
        // An infinite time cannot be subtracted, but its seconds can.
        let select = format!(
            "SELECT xact::text::bigint AS transaction, id,
               CASE WHEN octet_length(tag) <= {longest} THEN convert_to(tag, {encoding}) END AS tag,
               extract(epoch FROM clock_timestamp())::float8 - extract(epoch FROM created_at)::float8 AS age
             FROM {outbox}",
            longest = Tag::LONGEST,
            // A database of no encoding has none to convert from.
            encoding = "CASE getdatabaseencoding() WHEN 'SQL_ASCII' THEN 'SQL_ASCII' ELSE 'UTF8' END",
            outbox = quoted(outbox),
        );
        // Casts by way of text, as `xid8` has no other.
        let place = "(xact, id) > ($1::bigint::text::xid8, $2)";
        let order = format!("ORDER BY xact, id LIMIT {BATCH}");
        let query = |sql: String| sqlx::query(AssertSqlSafe(sql));
        let query = match filter {
            RowFilter::Waiting { since } => {
                let from = match since {
                    Some(seen) if after.transaction < seen.before => (seen.before, i64::MIN),
                    _ => (after.transaction, after.id),
                };
                let waiting = format!("{select} WHERE delivered_at IS NULL");
                match since {
                    // Two ranges of the index. What lies between was delivered, and may be a million dead entries that an old
                    // snapshot keeps. (The planner may go through the whole index for transactions of which there are none.)
                    Some(Seen { under_way, .. }) if !under_way.is_empty() => query(format!(
                        "({waiting} AND {place} {order})
                         UNION ALL
                         ({waiting} AND xact = ANY($3::bigint[]::text[]::xid8[])
                            AND (xact, id) > ($4::bigint::text::xid8, $5) {order})
                         ORDER BY 1, 2 LIMIT {BATCH}"
                    ))
                    .bind(from.0)
                    .bind(from.1)
                    .bind(under_way)
                    .bind(after.transaction)
                    .bind(after.id),
                    _ => query(format!("{waiting} AND {place} {order}"))
                        .bind(from.0)
                        .bind(from.1),
                }
            }
            // That the writer is not 0 says to the planner, which does not know the parameter, that this index will do.
            RowFilter::Own { mark, here } => query(format!(
                "{select} WHERE writer = $1 AND writer <> 0 AND id > $2 AND (delivered_at IS NULL OR delivered_to <> $3)
                 ORDER BY id LIMIT {BATCH}"
            ))
            .bind(mark)
            .bind(after.id)
            .bind(here),
            RowFilter::DeliveredElsewhere { here, within } => query(format!(
                "{select} WHERE delivered_to <> $3 AND delivered_at >= now() - $4 * interval '1 ms' AND {place} {order}"
            ))
            .bind(after.transaction)
            .bind(after.id)
            .bind(here)
            .bind(within.as_millis() as i64),
        };
        fetch::<Postgres>(connection, query).await
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
        // reason to wait for the disk. Not `IS NULL`: the index of what waits looks small, and may have a million dead
        // entries. A join, as `= ANY($1)` may be planned as one comparison of every row with every number.
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
        // What was purged before is passed by: an old snapshot may keep a million dead entries of it.
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
        let query = sqlx::query_as(AssertSqlSafe(sql))
            .bind(&outbox)
            .bind(waiting);
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
        let (stamps, lives) = (quoted(&stamps(schema)), quoted(&lives(schema)));
        let exists = "SELECT to_regclass($1) IS NOT NULL AND to_regclass($2) IS NOT NULL AND to_regclass($3) IS NOT NULL";
        let exists: bool = sqlx::query_scalar(exists)
            .bind(&stamps)
            .bind(quoted(schema.outbox))
            .bind(&lives)
            .fetch_one(&mut *connection)
            .await?;
        if !exists {
            return Ok(Installed::Nothing);
        }
        let (names, tables) = set_up::triggers_of(schema.postgres.tables);
        // A dump has the life in it: restored in place of what is there, it is in another table. (An upgrade keeps its number.)
        // A migration that makes a table anew loses its triggers, or leaves them to the old one that it
        // put out of the way; a restore may have disabled them.
        let sql = format!(
            "SELECT (SELECT stamp FROM {stamps}),
               (SELECT md5(identity || (SELECT oid FROM pg_database WHERE datname = current_database()) || lived.tableoid || life)
                FROM {stamps}, {lives} AS lived),
               (SELECT count(*) FROM pg_trigger AS report
                JOIN pg_proc ON pg_proc.oid = report.tgfoid
                JOIN pg_class ON pg_class.oid = to_regclass($1)
                JOIN unnest($2, $3) AS wanted(name, of)
                  ON report.tgname = wanted.name AND report.tgrelid = to_regclass(wanted.of)
                WHERE report.tgenabled IN ('O', 'A')
                  AND pg_proc.pronamespace = pg_class.relnamespace),
               row_security_active(to_regclass($1)),
               (SELECT min(srrelid::regclass::text) FROM pg_subscription_rel
                WHERE srrelid IN (SELECT to_regclass(of) FROM unnest($3) AS of))"
        );
        let look = async |connection: &mut PgConnection| -> Result<Found, sqlx::Error> {
            sqlx::query_as(AssertSqlSafe(sql.as_str()))
                .bind(quoted(schema.outbox))
                .bind(&names)
                .bind(&tables)
                .fetch_one(connection)
                .await
        };
        let mut found = look(connection).await;
        if let Ok(Found {
            stamp: Some(_),
            identity: None,
            ..
        }) = found
        {
            // It has no life. Who comes first begins one.
            found = match begin_life(connection, schema).await {
                Ok(()) => look(connection).await,
                Err(error) => Err(error),
            };
        }
        let found = match found {
            Err(sqlx::Error::Database(error)) if error.code().is_some_and(|it| it == "42501") => {
                return Ok(Installed::Useless(format!(
                    "this role may not see what is installed: {}\nhelp: {}",
                    error.message(),
                    grants(schema.outbox)
                )));
            }
            found => found?,
        };
        let Found {
            stamp,
            identity,
            triggers: count,
            is_filtered,
            subscribed,
        } = found;
        if is_filtered {
            return Ok(Installed::Useless(format!(
                "row-level security hides rows of \"{}\" from this role, so that writes would go unnoticed\n\
                 help: `ALTER TABLE {} DISABLE ROW LEVEL SECURITY`, or give the role BYPASSRLS",
                schema.outbox,
                quoted(schema.outbox)
            )));
        }
        if let Some(table) = subscribed.filter(|_| triggers) {
            return Ok(Installed::Useless(format!(
                "{table} is filled by a logical replication subscription, which fires no statement triggers: its changes \
                 would go unnoticed\n\
                 help: let the cache use the database that publishes it, or leave the table out of cache.toml"
            )));
        }
        let is_complete = triggers.then_some(count as usize == names.len());
        Ok(schema.judged::<Postgres>(stamp.zip(identity), is_complete))
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
        let (outbox, writer) = (schema.outbox, fastrand::i64(1..));
        Self::begin(connection, outbox, writer).await?;
        let tried = match begin_life(connection, schema).await {
            Ok(()) => tried_out(connection, outbox, writer).await,
            Err(error) => Err(error),
        };
        <Postgres as sqlx::Database>::TransactionManager::rollback(connection).await?;
        match tried {
            // What is not allowed, or not there; everything else may be another time.
            Err(sqlx::Error::Database(error))
                if error.code().is_some_and(|code| code.starts_with("42")) =>
            {
                Ok(Some(match error.code().as_deref() {
                    Some("42501") => format!("{}\nhelp: {}", error.message(), grants(outbox)),
                    _ => format!(
                        "{}\nhelp: if it was made by another version of this crate, `SCHEMA.uninstall(&pool)`, then `SCHEMA.install(&pool)`",
                        error.message()
                    ),
                }))
            }
            tried => tried,
        }
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
        Ok(statements.chain(schema.stamped::<Postgres>()).collect())
    }

    async fn undo(connection: &mut PgConnection) -> Result<(), sqlx::Error> {
        <Postgres as sqlx::Database>::TransactionManager::rollback(connection).await
    }

    async fn listen(
        pool: &Pool<Postgres>,
        outbox: &'static str,
    ) -> Result<Option<Box<dyn Listener>>, sqlx::Error> {
        // Of a pool of its own, as it gives its connection back when it is dropped, and waits for an answer to that.
        let mut listener = PgListener::connect_with(&pool_of_one(pool)).await?;
        listener.listen(outbox).await?;
        Ok(Some(Box::new(listener)))
    }
}

/// What is installed.
struct Found {
    stamp: Option<String>,
    identity: Option<String>,
    /// How many there are.
    triggers: i64,
    /// Rows of the outbox are hidden.
    is_filtered: bool,
    /// A table that is filled by others.
    subscribed: Option<String>,
}

impl FromRow<'_, PgRow> for Found {
    fn from_row(row: &PgRow) -> Result<Found, sqlx::Error> {
        Ok(Found {
            stamp: row.try_get(0)?,
            identity: row.try_get(1)?,
            triggers: row.try_get(2)?,
            is_filtered: row.try_get(3)?,
            subscribed: row.try_get(4)?,
        })
    }
}

/// The table that the database empties when it may have lost commits.
fn lives(schema: &Schema) -> String {
    format!("{}_life", schema.outbox)
}

/// From here on it is another database than it was, unless somebody else has just said so.
async fn begin_life(
    connection: &mut PgConnection,
    schema: &'static Schema,
) -> Result<(), sqlx::Error> {
    let lives = quoted(&lives(schema));
    let sql = format!("INSERT INTO {lives} (id) VALUES (1) ON CONFLICT DO NOTHING");
    let query = sqlx::raw_sql(AssertSqlSafe(sql));
    query.execute(connection).await.map(drop)
}

/// What the role of a service needs.
fn grants(outbox: &str) -> String {
    format!(
        "GRANT SELECT, INSERT, UPDATE, DELETE ON {outbox}, SELECT ON {outbox}_stamp and SELECT, INSERT ON {outbox}_life to the role of the service"
    )
}

/// Writes a row, reads it, marks it and purges, as it is done later.
async fn tried_out(
    connection: &mut PgConnection,
    outbox: &'static str,
    writer: i64,
) -> Result<Option<String>, sqlx::Error> {
    let own = RowFilter::Own {
        mark: writer,
        here: 0,
    };
    Postgres::report(connection, outbox, vec![Tag::from_text("tried#out=")]).await?;
    let rows = Postgres::rows(connection, outbox, &own, Cursor::FIRST).await?;
    let ids: Vec<i64> = rows.iter().map(|row| row.cursor.id).collect();
    Postgres::mark_delivered(connection, outbox, ids.clone(), 0).await?;
    let left = Postgres::rows(connection, outbox, &own, Cursor::FIRST).await?;
    Postgres::purge(connection, outbox, Duration::from_secs(3600), 0).await?;
    let trouble = match (ids.len(), left.len()) {
        (1, 0) => return Ok(None),
        (0, _) => "it cannot read what it writes",
        _ => "what it marks as delivered is not marked",
    };
    Ok(Some(trouble.to_owned()))
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
