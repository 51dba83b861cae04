//! All that is done to the outbox, done once and undone: better to know now than when rows wait.

use std::time::Duration;

use sqlx::{PgConnection, Postgres};

use super::life::{begin_life, grants};
use crate::model::schema::Schema;
use crate::model::tag::Tag;
use crate::outbox::database::OutboxDatabase;
use crate::outbox::manager;
use crate::outbox::{Cursor, RowFilter};

/// See [`OutboxDatabase::try_out`].
pub(super) async fn try_out(
    connection: &mut PgConnection,
    schema: &'static Schema,
) -> Result<Option<String>, sqlx::Error> {
    let (outbox, writer) = (schema.outbox, fastrand::i64(1..));
    Postgres::begin(connection, outbox, writer).await?;
    let tried = match begin_life(connection, schema).await {
        Ok(()) => tried_out(connection, outbox, writer).await,
        Err(error) => Err(error),
    };
    manager::rollback::<Postgres>(connection).await?;
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

/// Writes a row, reads it, marks it and purges, as it is done later.
async fn tried_out(
    connection: &mut PgConnection,
    outbox: &'static str,
    writer: i64,
) -> Result<Option<String>, sqlx::Error> {
    let own = RowFilter::Own { mark: writer, here: 0 };
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
