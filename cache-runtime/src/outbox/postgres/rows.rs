//! Rows of the outbox, in the order of their transactions.

use sqlx::{AssertSqlSafe, PgConnection, Postgres};

use crate::model::tag::Tag;
use crate::outbox::database::{fetch, quoted};
use crate::outbox::{BATCH, Cursor, OutboxRow, RowFilter, Seen};

/// See [`OutboxDatabase::rows`](crate::outbox::database::OutboxDatabase::rows).
pub(super) async fn rows(
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
                // Two ranges of the index. What lies between was delivered, and may be a million
                // dead entries that an old snapshot keeps. (The planner may go through the whole
                // index for transactions of which there are none.)
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
        // That the writer is not 0 says to the planner, which does not know the parameter, that
        // this index will do.
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
