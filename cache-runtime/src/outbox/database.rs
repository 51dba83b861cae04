//! What is particular to a database.

use std::time::Duration;

use sqlx::query::Query;
use sqlx::{ColumnIndex, Database, Decode, Executor, IntoArguments, Pool, Row, Type};

use super::{Backlog, Cursor, Installed, Listener, OutboxRow, Purged, RowFilter, Seen};
use crate::model::column::Dialect;
use crate::model::schema::{Schema, Triggers};
use crate::model::tag::Tag;

/// Implemented for [`sqlx::Postgres`] and [`sqlx::Sqlite`].
pub trait OutboxDatabase: Database {
    /// Whose texts the triggers write.
    const DIALECT: Dialect;

    /// Whether it is reached over a network. What is in this process always answers, and may be
    /// gone with its last connection.
    const IS_SERVER: bool;

    /// An expression for a text that no other installation has.
    const NEW_IDENTITY: &'static str;

    /// What is to be installed.
    fn wanted(schema: &Schema) -> &Triggers;

    /// Begins a transaction that is going to write, as this writer. Returns what finds its own rows
    /// later.
    fn begin(
        connection: &mut Self::Connection,
        outbox: &'static str,
        writer: i64,
    ) -> impl Future<Output = Result<i64, sqlx::Error>> + Send;

    /// Some of these rows, in the order of their places.
    fn rows(
        connection: &mut Self::Connection,
        outbox: &'static str,
        filter: &RowFilter,
        after: Cursor,
    ) -> impl Future<Output = Result<Vec<OutboxRow>, sqlx::Error>> + Send;

    /// Writes rows, as the triggers do.
    fn report(
        connection: &mut Self::Connection,
        outbox: &'static str,
        tags: Vec<Tag>,
    ) -> impl Future<Output = Result<(), sqlx::Error>> + Send;

    /// Marks rows as delivered to this place, but for those that somebody else is marking.
    fn mark_delivered(
        connection: &mut Self::Connection,
        outbox: &'static str,
        ids: Vec<i64>,
        to: i64,
    ) -> impl Future<Output = Result<(), sqlx::Error>> + Send;

    /// Deletes some of the oldest rows that were delivered longer ago than this, and not before
    /// that time in microseconds.
    fn purge(
        connection: &mut Self::Connection,
        outbox: &'static str,
        retention: Duration,
        after: i64,
    ) -> impl Future<Output = Result<Purged, sqlx::Error>> + Send;

    /// How much there is; and for how long it has waited, if that is to be looked for.
    fn backlog(
        connection: &mut Self::Connection,
        outbox: &'static str,
        waiting: bool,
    ) -> impl Future<Output = Result<Backlog, sqlx::Error>> + Send;

    /// Does now what the open transaction has put off to its commit, as that may write as well.
    fn settle(
        connection: &mut Self::Connection,
    ) -> impl Future<Output = Result<(), sqlx::Error>> + Send;

    /// Makes the database undo the open transaction when it hears nothing for so long, if it can.
    fn bound_silence(
        connection: &mut Self::Connection,
        silence: Duration,
    ) -> impl Future<Output = Result<(), sqlx::Error>> + Send;

    /// What is installed; without `triggers`, only the outbox counts.
    fn installed(
        connection: &mut Self::Connection,
        schema: &'static Schema,
        triggers: bool,
    ) -> impl Future<Output = Result<Installed, sqlx::Error>> + Send;

    /// The lookups for which two texts may be equal.
    fn spellings(
        connection: &mut Self::Connection,
        schema: &'static Schema,
    ) -> impl Future<Output = Result<Vec<String>, sqlx::Error>> + Send;

    /// Which column has a type that will not do.
    fn types(
        connection: &mut Self::Connection,
        schema: &'static Schema,
    ) -> impl Future<Output = Result<Option<String>, sqlx::Error>> + Send;

    /// Does to the outbox what is done to it, and undoes it; says what is not possible.
    fn try_out(
        connection: &mut Self::Connection,
        schema: &'static Schema,
    ) -> impl Future<Output = Result<Option<String>, sqlx::Error>> + Send;

    /// What a look that begins now sees.
    fn seen(
        connection: &mut Self::Connection,
    ) -> impl Future<Output = Result<Option<Seen>, sqlx::Error>> + Send;

    /// Brings the outbox, and the triggers if they are wanted, up to date. Nobody who writes
    /// meanwhile fails for it.
    fn install(
        connection: &mut Self::Connection,
        schema: &'static Schema,
        triggers: bool,
    ) -> impl Future<Output = Result<(), sqlx::Error>> + Send;

    /// Removes the triggers and the outbox.
    fn uninstall(
        connection: &mut Self::Connection,
        schema: &'static Schema,
    ) -> impl Future<Output = Result<(), sqlx::Error>> + Send;

    /// The statements that do what [`install`](Self::install) does, whatever is there.
    fn statements(
        connection: &mut Self::Connection,
        schema: &'static Schema,
    ) -> impl Future<Output = Result<Vec<String>, sqlx::Error>> + Send;

    /// Undoes the transaction that is open, if one is; whatever the database has made of it
    /// already.
    fn undo(
        connection: &mut Self::Connection,
    ) -> impl Future<Output = Result<(), sqlx::Error>> + Send;

    /// Begins to listen for rows of other writers, if the database tells of them.
    fn listen(
        pool: &Pool<Self>,
        outbox: &'static str,
    ) -> impl Future<Output = Result<Option<Box<dyn Listener>>, sqlx::Error>> + Send;
}

/// `"schema"."table"`.
pub(super) fn quoted(table: &str) -> String {
    let parts: Vec<String> = table.split('.').map(|part| format!("\"{part}\"")).collect();
    parts.join(".")
}

/// The table that says what is installed.
pub(super) fn fingerprints(schema: &Schema) -> String {
    format!("{}_stamp", schema.outbox)
}

/// The rows that a query answers as (transaction, id, tag's bytes, age in seconds).
pub(super) async fn fetch<DB: Database>(
    connection: &mut DB::Connection,
    query: Query<'_, DB, DB::Arguments>,
) -> Result<Vec<OutboxRow>, sqlx::Error>
where
    for<'c> &'c mut DB::Connection: Executor<'c, Database = DB>,
    DB::Arguments: IntoArguments<DB>,
    usize: ColumnIndex<DB::Row>,
    for<'v> i64: Decode<'v, DB> + Type<DB>,
    for<'v> f64: Decode<'v, DB> + Type<DB>,
    for<'v> Option<Vec<u8>>: Decode<'v, DB> + Type<DB>,
{
    let rows = query.fetch_all(connection).await?;
    let row = |row: &DB::Row| {
        Ok(OutboxRow {
            cursor: Cursor { transaction: row.try_get(0)?, id: row.try_get(1)? },
            tag: row.try_get::<Option<Vec<u8>>, _>(2)?.and_then(Tag::from_bytes),
            age: age(row.try_get(3)?),
        })
    };
    rows.iter().map(row).collect()
}

/// What a query answers as (rows, age in seconds of the one that has waited longest).
pub(super) fn backlog((rows, waiting): (i64, Option<f64>)) -> Backlog {
    Backlog { rows: rows as u64, waiting: waiting.map(age) }
}

/// A clock that was set back is no reason to stop.
fn age(seconds: f64) -> Duration {
    Duration::try_from_secs_f64(seconds).unwrap_or_default()
}
