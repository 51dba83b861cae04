//! What others left behind in the outbox costs nobody anything: a hundred thousand delivered rows,
//! of which the database keeps every old version while a snapshot from before is open.

use std::time::Duration;

use cache_runtime::Schema;
use ledger::{Base, SCHEMA};
use sqlx::{Executor, Postgres};

use super::bank::{BUSY, Bank, story};
use crate::harness::soon::{PATIENCE, Soon, soon};
use crate::harness::{Seen, Story};

const ROWS: i64 = 50_000;

pub fn stories() -> Vec<Story> {
    [
        story!(postgres: a_look_does_not_pass_by_what_was_delivered_before).in_memory(),
        story!(postgres: what_was_under_way_is_found_later).in_memory(),
        story!(what_is_old_goes_as_fast_as_it_comes),
        story!(what_waits_is_told_while_the_store_is_away).own_redis(),
    ]
    .map(|story| story.without_relay("the passes of one are counted"))
    .into()
}

/// Rows of an hour ago, all at once: more than a thousand a second.
async fn what_is_old_goes_as_fast_as_it_comes<DB: Base>(bank: Bank<DB>) {
    let long_ago = match bank.is_postgres() {
        true => "now() - interval '2 hours'",
        false => "unixepoch() - 7200",
    };
    bank.sql(format!(
        "WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < {ROWS})
         INSERT INTO cache_outbox (tag, delivered_at, delivered_to) SELECT 'rate#id=' || i, {long_ago}, 1 FROM n"
    ))
    .await;
    // It keeps what it deletes from going, on PostgreSQL.
    let mut report = bank.pool().acquire().await.expect("a connection");
    if bank.is_postgres() {
        for sql in ["BEGIN ISOLATION LEVEL REPEATABLE READ", "SELECT 1 FROM note"] {
            DB::run(&mut report, sql, Vec::new()).await.expect("run");
        }
    }
    let _relaying = bank.branch_with(&SCHEMA, |builder| builder.relay(true)).await;
    let soon = Soon::within(PATIENCE);
    while bank.outbox_rows().await > 0 {
        let left = bank.outbox_rows().await;
        soon.or(format!("{left} old rows are left")).await;
    }
    if bank.is_postgres() {
        DB::run(&mut report, "ROLLBACK", Vec::new()).await.expect("over");
    }
}

async fn what_waits_is_told_while_the_store_is_away<DB: Base>(bank: Bank<DB>) {
    let often: &'static Schema =
        Box::leak(Box::new(Schema { retention: Duration::from_secs(1), ..BUSY }));
    let relaying = bank.branch_with(often, |builder| builder.relay(true)).await;
    bank.redis().server().stop();
    bank.sql("UPDATE note SET text = 'new'").await;
    let told = |seen: &Seen| match seen {
        Seen::Backlog(rows, waiting) => *rows > 0 && *waiting > Duration::from_secs(1),
        _ => false,
    };
    relaying.events.wait_for("a backlog", told).await;
}

async fn a_look_does_not_pass_by_what_was_delivered_before(bank: Bank<Postgres>) {
    let mut report = bank.pool().begin().await.expect("a transaction");
    report
        .execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ; SELECT count(*) FROM note")
        .await
        .expect("a snapshot");
    let relaying = bank.branch_with(&SCHEMA, |builder| builder.relay(true)).await;
    bank.sql(format!("INSERT INTO rate SELECT n, 'x' FROM generate_series(1, {ROWS}) AS n")).await;
    relaying.cache.deliver_pending().await.expect("drained");
    passes(&relaying.events, 2).await;

    // Sessions tell their numbers late, some when they have been idle for ten
    // seconds: those of the delivery may be among the first.
    let mut read = Vec::new();
    while read.iter().all(|read| *read >= 3 * ROWS) {
        assert!(
            read.len() < 4,
            "{read:?} entries of its indexes were read, with {ROWS} of no interest"
        );
        let before = entries(&bank).await;
        passes(&relaying.events, 8).await;
        for n in 0..20 {
            let write = format!("UPDATE note SET text = '{n}' WHERE id = 'n'");
            bank.write(&write).await.expect("committed");
        }
        // Once in ten seconds it looks at everything.
        passes(&relaying.events, 4).await;
        read.push(entries(&bank).await - before);
    }
    report.rollback().await.expect("over");
}

/// How many entries of the outbox's indexes were read so far.
async fn entries(bank: &Bank<Postgres>) -> i64 {
    bank.number(
        "SELECT coalesce(sum(idx_tup_read), 0)::bigint FROM pg_stat_user_indexes
         WHERE indexrelname IN ('cache_outbox_waiting', 'cache_outbox_own')",
    )
    .await
}

async fn passes(events: &crate::harness::events::Events, more: usize) {
    let idle = || events.count(|seen| *seen == Seen::Idle);
    let wanted = idle() + more;
    soon("passes of the relay", || idle() >= wanted).await;
}

/// Its rows come to light after others with higher numbers.
async fn what_was_under_way_is_found_later(bank: Bank<Postgres>) {
    let relaying = bank.branch_with(&SCHEMA, |builder| builder.relay(true)).await;
    bank.sql("INSERT INTO note (id, text) VALUES ('m', 'old')").await;
    relaying.cache.deliver_pending().await.expect("drained");
    let mut first = bank.pool().begin().await.expect("a transaction");
    first.execute("UPDATE note SET text = 'first' WHERE id = 'n'").await.expect("run");
    let mut second = bank.pool().begin().await.expect("a transaction");
    second
        .execute("SAVEPOINT inside; UPDATE note SET text = 'second' WHERE id = 'm'; RELEASE inside")
        .await
        .expect("run");
    for n in 0..3 {
        bank.sql(format!("INSERT INTO rate VALUES ({n}, 'later')")).await;
        passes(&relaying.events, 2).await;
    }
    assert_eq!(relaying.text("n").await.as_deref(), Some("old"));
    assert_eq!(relaying.text("m").await.as_deref(), Some("old"));
    second.commit().await.expect("committed");
    becomes(&relaying, "m", "second").await;
    first.commit().await.expect("committed");
    becomes(&relaying, "n", "first").await;
}

async fn becomes(branch: &super::bank::Branch<Postgres>, note: &str, text: &str) {
    let soon = Soon::within(Duration::from_secs(3));
    while branch.text(note).await.as_deref() != Some(text) {
        soon.at_once_or(format_args!("wrong answer: {note} is not {text:?}"));
        tokio::task::yield_now().await;
    }
}
