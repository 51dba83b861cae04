//! What goes wrong halfway: an encoder that panics or fails, a statement
//! that fails, a begin that nobody waits for.

use std::time::{Duration, Instant};

use cache_runtime::{BoxError, Cache, Load, LoadContext};
use ledger::{Base, Note, SCHEMA, Unspeakable};
use sqlx::postgres::PgPoolOptions;
use sqlx::{Pool, Postgres};
use tokio::time::timeout;

use super::bank::{Bank, story};
use crate::harness::Story;
use crate::harness::soon::{SOON, Soon};

pub fn stories() -> Vec<Story> {
    vec![
        story!(a_value_whose_encoder_panics_is_an_error),
        story!(a_value_that_does_not_encode_answers_and_is_never_stored),
        // SQLite knows no transaction that is undone before its end, nor a round trip.
        story!(a_read_that_fails_in_sql_fails_the_commit).on_postgres(),
        story!(postgres: a_begin_that_is_dropped_halfway_leaves_nothing_open),
    ]
}

async fn a_value_whose_encoder_panics_is_an_error<DB: Base>(bank: Bank<DB>) {
    for loads in 1..3 {
        let get = Unspeakable::get(&bank.cache, "n");
        let got = timeout(SOON, get).await.expect("it ends");
        got.expect_err("it cannot be encoded");
        assert_eq!(bank.events.loads("note"), loads, "once for each reader");
    }
    // The note itself, by a cache that reads no other struct of it.
    let said = bank.branch().await.text("n").await;
    assert!(said.as_deref() == Some("old"), "wrong answer: {said:?}");
}

async fn a_value_that_does_not_encode_answers_and_is_never_stored<DB: Base>(bank: Bank<DB>) {
    bank.sql("INSERT INTO note (id, text) VALUES ('m', 'old')").await;
    bank.deliver_pending().await;
    for loads in 1..3 {
        let got = Unspeakable::get(&bank.cache, "m").await;
        let note = got.expect("no error").expect("the note");
        assert_eq!(note.text, "old", "wrong answer");
        assert_eq!(bank.events.loads("note"), loads, "once for each reader");
    }
    assert_eq!(bank.fills("note_m", true), 0, "it is stored");
}

/// A source whose loaders fail in SQL.
struct Broken<DB: Base>(Pool<DB>);

impl<DB: Base> Load<Broken<DB>> for Note {
    async fn load(cx: &LoadContext<Broken<DB>>, _: &[String]) -> Result<Vec<Note>, BoxError> {
        let mut connection = cx.acquire(&cx.db().0).await?;
        DB::run(&mut connection, "SELECT 1 / 0", Vec::new()).await?;
        Ok(Vec::new())
    }
}

/// PostgreSQL takes `COMMIT` for `ROLLBACK` then, without an error.
async fn a_read_that_fails_in_sql_fails_the_commit<DB: Base>(bank: Bank<DB>) {
    let rows = bank.outbox_rows().await;
    let source = Broken(bank.pool().clone());
    let cache = Cache::builder(source, &SCHEMA).outbox(bank.pool());
    let cache = cache.build().await.expect("built");
    let mut tx = cache.begin_on(bank.pool()).await.expect("a transaction");
    let insert = "INSERT INTO note (id, text) VALUES ('m', 'new')";
    DB::run(&mut tx, insert, Vec::new()).await.expect("run");

    tx.get::<Note>("n".to_owned()).await.expect_err("1 / 0");
    let committed = tx.commit().await;
    let notes = bank.number("SELECT count(*) FROM note WHERE id = 'm'").await;
    assert_eq!(notes, 0, "wrong answer: it is committed");
    assert!(committed.is_err(), "wrong answer: a commit of nothing succeeds");
    assert_eq!(bank.outbox_rows().await, rows, "nothing is reported");

    bank.write(insert).await.expect("committed");
}

async fn a_begin_that_is_dropped_halfway_leaves_nothing_open(bank: Bank<Postgres>) {
    let views = "SELECT views FROM note WHERE id = 'n'";
    // What is left open is found on the only connection, and no ping comes before BEGIN.
    let pool = PgPoolOptions::new().max_connections(1).test_before_acquire(false);
    let pool = pool.connect_lazy(bank.url()).expect("an address");
    let mut dropped = 0;
    for round in 0..60 {
        // So that there is a connection.
        sqlx::query("SELECT 1").execute(&pool).await.expect("a connection");
        // At first dropped as soon as BEGIN is sent, at last when it is done.
        let begun = tokio::select! {
            biased;
            begun = bank.cache.begin_on(&pool) => Some(begun.expect("a transaction")),
            () = busy(Duration::from_micros(round * 10)) => None,
        };
        dropped += usize::from(begun.is_none());
        drop(begun);

        let before = bank.number(views).await;
        let write = "UPDATE note SET views = views + 1 WHERE id = 'n'";
        sqlx::query(write).execute(&pool).await.expect("written");
        let after = bank.number(views).await;
        assert_eq!(
            after,
            before + 1,
            "wrong answer: written into a transaction that somebody left open"
        );
    }
    assert!(dropped > 0, "all of them began");

    let open = "SELECT count(*) FROM pg_stat_activity
                WHERE datname = current_database() AND state LIKE 'idle in transaction%'";
    let soon = Soon::within(SOON);
    // The server takes a moment to notice a closed connection.
    while bank.number(open).await > 0 {
        soon.or("a transaction is left open").await;
    }
}

/// For less than a timer can.
async fn busy(time: Duration) {
    let began = Instant::now();
    while began.elapsed() < time {
        tokio::task::yield_now().await;
    }
}
