//! What is installed, and whether it is of use.

use sqlx::postgres::PgRow;
use sqlx::{AssertSqlSafe, FromRow, PgConnection, Postgres, Row};

use super::changes::triggers_of;
use super::life::{begin_life, grants, lives};
use crate::model::schema::Schema;
use crate::outbox::Installed;
use crate::outbox::database::{fingerprints, quoted};

/// See [`OutboxDatabase::installed`](crate::outbox::database::OutboxDatabase::installed).
pub(super) async fn installed(
    connection: &mut PgConnection,
    schema: &'static Schema,
    triggers: bool,
) -> Result<Installed, sqlx::Error> {
    let (fingerprints, lives) = (quoted(&fingerprints(schema)), quoted(&lives(schema)));
    let exists = "SELECT to_regclass($1) IS NOT NULL AND to_regclass($2) IS NOT NULL AND to_regclass($3) IS NOT NULL";
    let exists: bool = sqlx::query_scalar(exists)
        .bind(&fingerprints)
        .bind(quoted(schema.outbox))
        .bind(&lives)
        .fetch_one(&mut *connection)
        .await?;
    if !exists {
        return Ok(Installed::Nothing);
    }
    let mut found = look(connection, schema).await;
    if let Ok(Found { fingerprint: Some(_), identity: None, .. }) = found {
        // It has no life. Who comes first begins one.
        found = match begin_life(connection, schema).await {
            Ok(()) => look(connection, schema).await,
            Err(error) => Err(error),
        };
    }
    match found {
        Err(sqlx::Error::Database(error)) if error.code().is_some_and(|it| it == "42501") => {
            Ok(Installed::Useless(format!(
                "this role may not see what is installed: {}\nhelp: {}",
                error.message(),
                grants(schema.outbox)
            )))
        }
        found => Ok(judged(schema, triggers, found?)),
    }
}

async fn look(
    connection: &mut PgConnection,
    schema: &'static Schema,
) -> Result<Found, sqlx::Error> {
    let (fingerprints, lives) = (quoted(&fingerprints(schema)), quoted(&lives(schema)));
    let (names, tables) = triggers_of(schema.postgres.tables);
    // A dump has the life in it: restored in place of what is there, it is in another table. (An
    // upgrade keeps its number.) A migration that makes a table anew loses its triggers, or leaves
    // them to the old one that it put out of the way; a restore may have disabled them.
    let sql = format!(
        "SELECT (SELECT stamp FROM {fingerprints}),
           (SELECT md5(identity || (SELECT oid FROM pg_database WHERE datname = current_database()) || lived.tableoid || life)
            FROM {fingerprints}, {lives} AS lived),
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
    sqlx::query_as(AssertSqlSafe(sql))
        .bind(quoted(schema.outbox))
        .bind(&names)
        .bind(&tables)
        .fetch_one(connection)
        .await
}

fn judged(schema: &'static Schema, triggers: bool, found: Found) -> Installed {
    let Found { fingerprint, identity, triggers: count, is_filtered, subscribed } = found;
    if is_filtered {
        return Installed::Useless(format!(
            "row-level security hides rows of \"{}\" from this role, so that writes would go unnoticed\n\
             help: `ALTER TABLE {} DISABLE ROW LEVEL SECURITY`, or give the role BYPASSRLS",
            schema.outbox,
            quoted(schema.outbox)
        ));
    }
    if let Some(table) = subscribed.filter(|_| triggers) {
        return Installed::Useless(format!(
            "{table} is filled by a logical replication subscription, which fires no statement triggers: its changes \
             would go unnoticed\n\
             help: let the cache use the database that publishes it, or leave the table out of cache.toml"
        ));
    }
    let wanted: usize = schema.postgres.tables.iter().map(|it| it.triggers.len()).sum();
    let is_complete = triggers.then_some(count as usize == wanted);
    schema.judged::<Postgres>(fingerprint.zip(identity), is_complete)
}

/// What is installed.
struct Found {
    fingerprint: Option<String>,
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
            fingerprint: row.try_get(0)?,
            identity: row.try_get(1)?,
            triggers: row.try_get(2)?,
            is_filtered: row.try_get(3)?,
            subscribed: row.try_get(4)?,
        })
    }
}
