//! `install` beside a service that goes on: nobody who reads waits, nobody who writes fails.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, LazyLock};

use cache_runtime::__private::{Table, Trigger, Triggers};
use cache_runtime::{Cache, Schema};
use ledger::{Base, SCHEMA};
use sqlx::{AssertSqlSafe, Executor, Pool, Postgres, Sqlite};
use tokio::time::timeout;

use super::bank::{Bank, story};
use crate::harness::Story;
use crate::harness::soon::{SOON, Soon};

pub fn stories() -> Vec<Story> {
    [
        story!(postgres: writers_go_on_while_another_file_is_installed).in_memory(),
        story!(postgres: an_install_does_not_wait_for_who_reads).in_memory(),
        story!(postgres: an_install_that_changes_nothing_takes_no_lock).in_memory(),
        story!(postgres: two_installers_leave_the_triggers_of_one_file).in_memory(),
        story!(postgres: a_column_is_renamed_and_the_triggers_with_it).in_memory(),
        story!(sqlite: a_column_is_dropped_on_sqlite).in_memory(),
        story!(an_edited_file_and_back_again),
    ]
    // Those that it is about have one of their own.
    .map(|story| story.without_relay("what a cache reports on its way back is counted"))
    .into()
}

/// `cache.toml`, edited: a model less, another body for one, a
/// model with its rows in another table.
static EDITED: LazyLock<&'static Schema> = LazyLock::new(|| {
    let of = |wanted: &'static Triggers, fingerprint| Triggers {
        fingerprint,
        tables: Box::leak(wanted.tables.iter().filter_map(edited).collect()),
        ..*wanted
    };
    Box::leak(Box::new(Schema {
        postgres: of(&SCHEMA.postgres, "edited, on PostgreSQL"),
        sqlite: of(&SCHEMA.sqlite, "edited, on SQLite"),
        ..SCHEMA
    }))
});

fn edited(table: &Table) -> Option<Table> {
    match table.name {
        "seat" => None,
        "note" => Some(replaced(table, "'note#id='", "'note#id=' || ''", "note")),
        "quote" => Some(replaced(table, "\"quote\"", "\"page\"", "page")),
        _ => Some(replaced(table, "", "", table.name)),
    }
}

/// A copy that says this instead of that, of the table of this name.
fn replaced(table: &Table, this: &str, that: &str, name: &'static str) -> Table {
    let text = |sql: &str| -> &'static str {
        let edited = if this.is_empty() { sql.to_owned() } else { sql.replace(this, that) };
        Box::leak(edited.into_boxed_str())
    };
    let triggers = table.triggers.iter().map(|trigger| Trigger {
        name: trigger.name,
        sql: text(trigger.sql),
        columns_of: trigger
            .columns_of
            .as_ref()
            .map(|of| cache_runtime::__private::ColumnsOf { table: of.table, ignores: of.ignores }),
    });
    Table {
        name,
        function: Box::leak(table.function.iter().map(|sql| text(sql)).collect()),
        triggers: Box::leak(triggers.collect()),
    }
}

async fn fits<DB: Base>(schema: &'static Schema, pool: &Pool<DB>) -> bool {
    let builder = Cache::builder(pool.clone(), schema).outbox(pool).relay(false);
    builder.build().await.is_ok()
}

async fn an_edited_file_and_back_again<DB: Base>(bank: Bank<DB>) {
    let pool = bank.pool();
    for round in 0..2 {
        EDITED.install(pool).await.expect("installed");
        assert!(fits(*EDITED, pool).await && !fits(&SCHEMA, pool).await);
        let last = bank.last_outbox_row().await;
        bank.sql(format!(
            "INSERT INTO seat (tenant, id, text) VALUES ('t', 1, 'x'); DELETE FROM seat; UPDATE note SET text = '{round}'"
        ))
        .await;
        assert_eq!(bank.tags_after(last).await, ["note#id=n", "note#slug=slug"]);
        SCHEMA.install(pool).await.expect("installed");
        assert!(!fits(*EDITED, pool).await && fits(&SCHEMA, pool).await);
        let last = bank.last_outbox_row().await;
        bank.sql("INSERT INTO seat (tenant, id, text) VALUES ('t', 1, 'x'); DELETE FROM seat")
            .await;
        assert_eq!(bank.tags_after(last).await, ["seat#tenant,id=t,1"]);
    }
}

/// What the writers do, in transactions that lock tables in any order.
async fn write_on(pool: Pool<Postgres>, stop: Arc<AtomicBool>) -> (usize, Vec<String>) {
    let (mut written, mut errors) = (0, Vec::new());
    let writes = [
        "UPDATE note SET text = text || '.' WHERE id = 'none'",
        "INSERT INTO seat (tenant, id, text) VALUES (gen_random_uuid()::text, 1, 'x')",
        "INSERT INTO quote (id, text) VALUES ((random() * 1e15)::bigint, 'x')",
        "INSERT INTO page (id, text) VALUES ((random() * 1e15)::bigint, 'x')",
        "INSERT INTO entry (id, account_id, amount) VALUES ((random() * 1e15)::bigint, 'a', 1)",
    ];
    while !stop.load(Ordering::SeqCst) {
        let mut order = writes;
        fastrand::shuffle(&mut order);
        let sql = format!("BEGIN; {}; COMMIT", order.join("; "));
        match pool.execute(AssertSqlSafe(sql)).await {
            Ok(_) => written += 1,
            Err(error) => {
                errors.push(error.to_string());
                let _ = pool.execute("ROLLBACK").await;
            }
        }
    }
    (written, errors)
}

async fn writers_go_on_while_another_file_is_installed(bank: Bank<Postgres>) {
    let stop = Arc::new(AtomicBool::new(false));
    let pool = <Postgres as Base>::pool(bank.url(), 8);
    let writers: Vec<_> =
        (0..8).map(|_| tokio::spawn(write_on(pool.clone(), Arc::clone(&stop)))).collect();
    for _ in 0..5 {
        EDITED.install(bank.pool()).await.expect("installed beside writers");
        SCHEMA.install(bank.pool()).await.expect("installed beside writers");
    }
    stop.store(true, Ordering::SeqCst);
    let mut all = 0;
    for writer in writers {
        let (written, errors) = writer.await.expect("no panic");
        assert!(errors.is_empty(), "writes failed: {errors:?}");
        all += written;
    }
    assert!(all > 10, "they wrote {all} times");
    assert!(fits(&SCHEMA, bank.pool()).await);
    let left = bank.number(
        "SELECT count(*) FROM pg_trigger WHERE tgname LIKE 'cache_outbox%' AND tgenabled = 'D'",
    );
    assert_eq!(left.await, 0, "nothing stale is left where nobody reads for long");
}

async fn an_install_does_not_wait_for_who_reads(bank: Bank<Postgres>) {
    let mut report = bank.pool().begin().await.expect("a transaction");
    report.execute("SELECT * FROM note, seat, quote, page, account").await.expect("a report");
    for schema in [*EDITED, &SCHEMA] {
        let installed = timeout(SOON, schema.install(bank.pool())).await;
        installed.expect("it waits for a reader").expect("installed");
        assert!(fits(schema, bank.pool()).await);
    }
    // Stale triggers are still there, as dropping them would
    // have made readers wait, and say nothing.
    let last = bank.last_outbox_row().await;
    EDITED.install(bank.pool()).await.expect("installed");
    bank.sql("INSERT INTO seat (tenant, id, text) VALUES ('t', 1, 'x')").await;
    assert_eq!(bank.tags_after(last).await, [""; 0]);
    report.rollback().await.expect("over");
    // Whoever comes next tidies up.
    SCHEMA.install(bank.pool()).await.expect("installed");
    EDITED.install(bank.pool()).await.expect("installed");
    let left =
        bank.number("SELECT count(*) FROM pg_trigger WHERE tgname LIKE 'cache_outbox_seat%'");
    assert_eq!(left.await, 0);
}

async fn an_install_that_changes_nothing_takes_no_lock(bank: Bank<Postgres>) {
    let mut held = bank.pool().begin().await.expect("a transaction");
    held.execute(
        "LOCK TABLE note, seat, quote, page, account, entry, owner IN ACCESS EXCLUSIVE MODE",
    )
    .await
    .expect("locked");
    let installed = timeout(SOON, SCHEMA.install(bank.pool())).await;
    installed.expect("it waits for a lock").expect("nothing to do");
    held.rollback().await.expect("over");
}

async fn two_installers_leave_the_triggers_of_one_file(bank: Bank<Postgres>) {
    for _ in 0..5 {
        let (one, other) = tokio::join!(EDITED.install(bank.pool()), SCHEMA.install(bank.pool()));
        one.expect("installed");
        other.expect("installed");
        let fit = (fits(*EDITED, bank.pool()).await, fits(&SCHEMA, bank.pool()).await);
        assert!(fit.0 != fit.1, "of one file: {fit:?}");
        SCHEMA.install(bank.pool()).await.expect("installed");
    }
}

/// `cache.toml` after the migration.
static RENAMED: LazyLock<&'static Schema> = LazyLock::new(|| {
    let check = |sql: &&'static str| -> &'static str {
        match sql.contains("FROM \"note\" r") {
            true => Box::leak(sql.replace("slug", "path").into_boxed_str()),
            false => sql,
        }
    };
    let tables = SCHEMA.postgres.tables.iter();
    let tables = tables.map(|table| match table.name {
        "note" => replaced(table, "slug", "path", "note"),
        name => replaced(table, "", "", name),
    });
    Box::leak(Box::new(Schema {
        postgres: Triggers {
            fingerprint: "renamed",
            checks: Box::leak(SCHEMA.postgres.checks.iter().map(check).collect()),
            tables: Box::leak(tables.collect()),
            spellings: "",
            ..SCHEMA.postgres
        },
        ..SCHEMA
    }))
});

async fn a_column_is_renamed_and_the_triggers_with_it(bank: Bank<Postgres>) {
    let rename = "ALTER TABLE note RENAME slug TO path";
    // Not thought of: the writes fail, and say what is missing, and whose.
    bank.sql(rename).await;
    let write = "UPDATE note SET text = 'new' WHERE id = 'n'";
    let error = bank.write(write).await.expect_err("a broken trigger");
    let database = error.as_database_error().expect("of the database");
    assert!(database.message().contains("cache_toml_"), "{database}");
    let database = database.downcast_ref::<sqlx::postgres::PgDatabaseError>();
    let said = format!("{:?}", database);
    assert!(said.contains("cache.toml that fits"), "{said}");
    bank.sql("ALTER TABLE note RENAME path TO slug").await;

    // The way through: the migration, then the text of the new file, in one transaction.
    let text = RENAMED.migration(bank.pool()).await.expect("a text");
    let stop = Arc::new(AtomicBool::new(false));
    let writer = tokio::spawn(write_on(bank.pool().clone(), Arc::clone(&stop)));
    // A writer may hold one table and want another of them; it is not to be the one that is ended.
    let migrate = format!("SET LOCAL lock_timeout = '500ms'; {rename}; {text}");
    let soon = Soon::within(SOON);
    loop {
        let mut tx = bank.pool().begin().await.expect("a transaction");
        match tx.execute(AssertSqlSafe(migrate.as_str())).await {
            Ok(_) => break tx.commit().await.expect("committed"),
            Err(error) => soon.at_once_or(error),
        }
    }
    stop.store(true, Ordering::SeqCst);
    let (_, errors) = writer.await.expect("no panic");
    let broken = errors.iter().any(|error| error.contains("cache_toml_"));
    assert!(!broken, "a trigger was broken meanwhile: {errors:?}");
    let last = bank.last_outbox_row().await;
    bank.sql(write).await;
    assert_eq!(bank.tags_after(last).await, ["note#id=n", "note#path=slug"]);
}

/// SQLite looks at every trigger before it drops a column.
async fn a_column_is_dropped_on_sqlite(bank: Bank<Sqlite>) {
    bank.sql("ALTER TABLE note ADD COLUMN extra TEXT").await;
    SCHEMA.install(bank.pool()).await.expect("installed");
    let drop = "ALTER TABLE note DROP COLUMN extra";
    // SQLite does not look whether the table has changed before it looks for the column.
    let mut connection = bank.pool().acquire().await.expect("a connection");
    let refresh = sqlx::raw_sql("SELECT extra FROM note");
    refresh.execute(&mut *connection).await.expect("run");
    let refused = sqlx::raw_sql(drop).execute(&mut *connection).await;
    std::mem::drop(connection);
    let error = refused.expect_err("a trigger names it").to_string();
    assert!(error.contains("cache_outbox_note_update"), "{error}");
    let branch = bank.branch_with(&SCHEMA, |builder| builder.relay(true)).await;
    assert_eq!(branch.text("n").await.as_deref(), Some("old"));
    SCHEMA.uninstall(bank.pool()).await.expect("uninstalled");
    bank.sql(format!("{drop}; UPDATE note SET text = 'meanwhile'")).await;
    SCHEMA.install(bank.pool()).await.expect("installed");
    let soon = Soon::within(SOON);
    // What was written in between is seen, whether this process noticed or not.
    while branch.text("n").await.as_deref() != Some("meanwhile") {
        soon.at_once_or("wrong answer: old");
        tokio::task::yield_now().await;
    }
}
