//! The set-up on PostgreSQL, beside a service that goes on reading and writing.
//!
//! Putting another body into a function takes no lock on its table. Making a trigger, or disabling
//! one, waits for those who write, and they for it, but not for those who read; so does each table,
//! in a transaction of its own that gives up after a tenth of a second and comes again. Only
//! dropping a trigger would make readers wait: one that is no longer wanted is disabled first, and
//! dropped when nobody happens to be in the table.
//!
//! Two installers at once do their steps in turn, and whoever ends looks at everything once more:
//! what is installed is of one file.

use std::time::{Duration, Instant};

use sqlx::{AssertSqlSafe, Connection, PgConnection, Postgres};

use super::changes::{Changes, Stale, changes, function, stale, writes};
use super::life::lives;
use crate::model::schema::Schema;
use crate::outbox::Installed;
use crate::outbox::database::{OutboxDatabase, fingerprints, quoted};
use crate::outbox::set_up::{is_held, run};

/// Taken while triggers are installed, so that two processes that start at once do not trip over
/// each other. The bytes of "cache.to".
const INSTALL_LOCK: i64 = 0x6361_6368_652e_746f;

/// How long a step waits for a table, and others behind it. Shorter than `deadlock_timeout`, so
/// that it is never a writer who is ended, if the two wait for each other.
const FOR_WRITERS: &str = "100ms";

/// How long for one that nobody may read meanwhile.
const FOR_READERS: &str = "1ms";

/// An installer that says nothing for so long is frozen, and is not to hold what others wait for.
const SILENCE: &str = "5s";

/// How long a table may be held by others before the set-up gives up.
const PATIENCE: Duration = Duration::from_secs(60);

/// Between two attempts.
const PAUSE: Duration = Duration::from_millis(25);

/// How often it is tried to drop what is disabled.
const DROPS: usize = 20;

/// How often everything is looked at again, where another installer has another file.
const ROUNDS: usize = 20;

pub(super) async fn install(
    connection: &mut PgConnection,
    schema: &'static Schema,
    triggers: bool,
) -> Result<(), sqlx::Error> {
    if triggers {
        // Also where nothing else is to be done: a column may have got another type.
        run::<Postgres>(connection, schema.postgres.types).await?;
    }
    let installed = Postgres::installed(connection, schema, triggers).await?;
    let is_right = matches!(installed, Installed::Right { .. });
    if is_right && (!triggers || changes(connection, schema).await?.is_empty()) {
        return Ok(());
    }
    let checks = if triggers { schema.postgres.checks } else { &[] };
    let first = [schema.postgres.outbox, checks].concat();
    step(connection, FOR_WRITERS, first).await?;
    for _ in 0..ROUNDS {
        if triggers {
            let changes = changes(connection, schema).await?;
            carry_out(connection, schema, changes).await?;
        }
        if finish(connection, schema, triggers).await? {
            return Ok(());
        }
        let_another_end(connection, schema).await?;
    }
    let left = changes(connection, schema).await?;
    Err(given_up(&format!(
        "another program installs another cache.toml again and again; of this one is left: {left:?}"
    )))
}

/// Another installs another file: waits until that one has said that it is installed, or is not
/// about to. The two do not wait for equally long, so that one of them is alone for a while.
async fn let_another_end(
    connection: &mut PgConnection,
    schema: &'static Schema,
) -> Result<(), sqlx::Error> {
    let sql = format!("SELECT EXISTS (SELECT FROM {})", quoted(&fingerprints(schema)));
    let until = Instant::now() + PAUSE.mul_f64(8.0 + 72.0 * fastrand::f64());
    while Instant::now() < until {
        tokio::time::sleep(PAUSE).await;
        let query = sqlx::query_scalar(AssertSqlSafe(sql.as_str()));
        if query.fetch_one(&mut *connection).await? {
            break;
        }
    }
    Ok(())
}

async fn carry_out(
    connection: &mut PgConnection,
    schema: &'static Schema,
    changes: Changes,
) -> Result<(), sqlx::Error> {
    // From here on, until the end, nobody trusts what is stored.
    let begun = format!("DELETE FROM {}", quoted(&fingerprints(schema)));
    let statements = |changes: Vec<String>| [vec![begun.clone()], changes].concat();
    // First, as they may call a function that is about to be another.
    for stale in changes.stale.iter().filter(|stale| stale.is_enabled) {
        let Stale { name, table, .. } = stale;
        let disable = format!("ALTER TABLE {table} DISABLE TRIGGER {name}");
        step(connection, FOR_WRITERS, statements(vec![disable])).await?;
    }
    for table in changes.functions {
        let function = schema.postgres.tables[table].function;
        let function = function.iter().map(ToString::to_string).collect();
        step(connection, FOR_WRITERS, statements(function)).await?;
    }
    for (table, triggers) in changes.triggers {
        // With the function: another installer, whose file does not have it, may have dropped it
        // meanwhile.
        let function = schema.postgres.tables[table].function.iter();
        let made = function.chain(&triggers).map(ToString::to_string).collect();
        step(connection, FOR_WRITERS, statements(made)).await?;
    }
    for Stale { name, table, .. } in changes.stale {
        let drop = format!("DROP TRIGGER IF EXISTS {name} ON {table}");
        if !tried(connection, &drop, DROPS).await? {
            tracing::info!(
                "{table} is read all the time, so that {name} is left there, disabled: the next `install` drops it"
            );
        }
    }
    Ok(())
}

/// Says what is installed, if nothing is to be changed any more.
async fn finish(
    connection: &mut PgConnection,
    schema: &'static Schema,
    triggers: bool,
) -> Result<bool, sqlx::Error> {
    let mut tx = connection.begin().await?;
    lock(&mut tx, FOR_WRITERS).await?;
    if triggers {
        if !changes(&mut tx, schema).await?.is_empty() {
            return Ok(false);
        }
        drop_functions(&mut tx, schema, true).await?;
    }
    run::<Postgres>(&mut tx, schema.fingerprinted::<Postgres>()).await?;
    tx.commit().await?;
    Ok(true)
}

pub(super) async fn uninstall(
    connection: &mut PgConnection,
    schema: &'static Schema,
) -> Result<(), sqlx::Error> {
    if Postgres::installed(connection, schema, false).await? != Installed::Nothing {
        let begun = format!("DELETE FROM {}", quoted(&fingerprints(schema)));
        step(connection, FOR_WRITERS, vec![begun]).await?;
    }
    let all = stale(connection, schema, &[]).await?;
    for Stale { name, table, .. } in &all {
        let disable = format!("ALTER TABLE {table} DISABLE TRIGGER {name}");
        step(connection, FOR_WRITERS, vec![disable]).await?;
    }
    for Stale { name, table, .. } in all {
        let drop = format!("DROP TRIGGER IF EXISTS {name} ON {table}");
        step(connection, FOR_READERS, vec![drop]).await?;
    }
    drop_functions(connection, schema, false).await?;
    for table in [schema.outbox.to_owned(), fingerprints(schema), lives(schema)] {
        let drop = format!("DROP TABLE IF EXISTS {}", quoted(&table));
        step(connection, FOR_WRITERS, vec![drop]).await?;
    }
    Ok(())
}

/// One short transaction, again and again until nobody is in its way.
async fn step(
    connection: &mut PgConnection,
    patience: &str,
    statements: Vec<impl AsRef<str>>,
) -> Result<(), sqlx::Error> {
    if statements.is_empty() {
        return Ok(());
    }
    let (began, mut has_waited) = (Instant::now(), false);
    loop {
        let error = match attempt(connection, patience, &statements).await {
            Err(error) if is_held(&error) => error,
            done => return done,
        };
        let what = statements.last().map_or("", |it| it.as_ref());
        let what = what.lines().next().unwrap_or_default();
        if began.elapsed() > PATIENCE {
            let why = format!(
                "a transaction has held the table for {PATIENCE:?}: {error}, in: {what}\nhelp: look for it in pg_stat_activity, and run `install` again"
            );
            return Err(given_up(&why));
        }
        if began.elapsed() > PATIENCE / 30 && !has_waited {
            has_waited = true;
            tracing::info!("waiting for transactions that write to the table: {what}");
        }
        tokio::time::sleep(PAUSE).await;
    }
}

/// Whether this was done, in one of so many attempts.
async fn tried(
    connection: &mut PgConnection,
    sql: &str,
    times: usize,
) -> Result<bool, sqlx::Error> {
    for _ in 0..times {
        match attempt(connection, FOR_READERS, &[sql]).await {
            Ok(()) => return Ok(true),
            Err(error) if is_held(&error) => tokio::time::sleep(PAUSE).await,
            Err(error) => return Err(error),
        }
    }
    Ok(false)
}

async fn attempt(
    connection: &mut PgConnection,
    patience: &str,
    statements: &[impl AsRef<str>],
) -> Result<(), sqlx::Error> {
    let mut tx = connection.begin().await?;
    lock(&mut tx, patience).await?;
    run::<Postgres>(&mut tx, statements).await?;
    tx.commit().await
}

/// One installer at a time, and no longer than this for anything else. `IF NOT EXISTS` says
/// "skipping" at NOTICE, which sqlx logs.
async fn lock(connection: &mut PgConnection, patience: &str) -> Result<(), sqlx::Error> {
    let sql = format!(
        "SET LOCAL idle_in_transaction_session_timeout = '{SILENCE}'; SELECT pg_advisory_xact_lock({INSTALL_LOCK});
         SET LOCAL lock_timeout = '{patience}'; SET LOCAL client_min_messages = warning"
    );
    let query = sqlx::raw_sql(AssertSqlSafe(sql));
    query.execute(connection).await.map(drop)
}

/// Drops the functions that write into this outbox and that no trigger calls, but for those of this
/// file if they are `wanted`.
async fn drop_functions(
    connection: &mut PgConnection,
    schema: &'static Schema,
    wanted: bool,
) -> Result<(), sqlx::Error> {
    let names = schema.postgres.tables.iter().map(|table| function(table).0);
    let names: Vec<&str> = names.filter(|_| wanted).collect();
    let sql = "SELECT format('DROP FUNCTION %s', oid::regprocedure) FROM pg_proc
         WHERE pronamespace = (SELECT oid FROM pg_namespace WHERE nspname = current_schema()) AND prorettype = 'trigger'::regtype
           AND strpos(prosrc, $1) > 0 AND proname <> ALL($2)
           AND NOT EXISTS (SELECT FROM pg_trigger WHERE tgfoid = pg_proc.oid)";
    let drops: Vec<String> = sqlx::query_scalar(sql)
        .bind(writes(schema))
        .bind(names)
        .fetch_all(&mut *connection)
        .await?;
    run::<Postgres>(connection, drops).await
}

fn given_up(why: &str) -> sqlx::Error {
    let why = format!("the triggers of cache.toml are not all installed: {why}");
    sqlx::Error::Configuration(why.into())
}
