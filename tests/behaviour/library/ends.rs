//! How a cache ends: shut down, or dropped.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use cache_runtime::{Cache, MemoryStore, RedisStore};
use ledger::{Base, Note, Rate, SCHEMA};
use tokio::runtime::Runtime;
use tokio::time::timeout;

use super::bank::{BUSY, Bank, Branch, story};
use crate::harness::Story;
use crate::harness::soon::{PATIENCE, Soon, soon};

const WRITE: &str = "UPDATE note SET text = 'new' WHERE id = 'n'";

/// A while in which what is not to happen would have.
const A_WHILE: Duration = Duration::from_millis(300);

pub fn stories() -> Vec<Story> {
    vec![
        story!(a_cache_that_is_shut_down_has_delivered_every_commit),
        story!(commits_that_wait_for_each_other_do_not_wait_for_a_shutdown).on_postgres(),
        story!(a_commit_that_was_called_before_a_shutdown_is_waited_for),
        story!(two_shutdowns_wait_for_the_same),
        story!(after_a_shutdown_nothing_is_read_ahead),
        story!(a_shutdown_does_not_wait_for_a_runtime_that_stands_still),
        story!(a_store_comes_back_though_the_builders_runtime_stands_still).on_sqlite().on_redis(),
        story!(a_cache_that_is_dropped_ends),
        story!(a_cache_that_is_dropped_while_its_store_is_away_ends).own_redis(),
    ]
}

async fn a_cache_that_is_shut_down_has_delivered_every_commit<DB: Base>(bank: Bank<DB>) {
    let branch = bank.branch_with(&SCHEMA, |builder| builder.relay(true)).await;
    assert_eq!(branch.text("n").await.as_deref(), Some("old"));
    let committed = branch.events.hold_after_commit();
    let write = branch.write_meanwhile(WRITE);
    committed.reached().await;
    let cache = branch.cache.clone();
    let mut end = tokio::spawn(async move { cache.shutdown().await });
    let early = timeout(A_WHILE, &mut end).await;
    assert!(early.is_err(), "a commit is not delivered yet");
    committed.release();
    write.await.expect("no panic").expect("committed");
    end.await.expect("no panic");
    let said = branch.text("n").await;
    assert_eq!(said.as_deref(), Some("new"), "wrong answer");

    // Nothing is left to end.
    branch.cache.shutdown().await;
    // And a commit still delivers by itself.
    let write = branch.write("UPDATE note SET text = 'newer' WHERE id = 'n'");
    write.await.expect("committed");
    let said = branch.text("n").await;
    assert_eq!(said.as_deref(), Some("newer"), "wrong answer");
}

async fn commits_that_wait_for_each_other_do_not_wait_for_a_shutdown<DB: Base>(bank: Bank<DB>) {
    bank.sql("INSERT INTO owner (id, version) VALUES (2, 0)").await;
    bank.deliver_pending().await;
    let mut first = bank.begin().await;
    let delete = "DELETE FROM owner WHERE id = 2";
    DB::run(&mut first, delete, Vec::new()).await.expect("run");
    let mut second = bank.begin().await;
    // Its reference is checked at the commit, and waits for the other.
    let insert = "INSERT INTO account (id, version, owner_id) VALUES ('z', 0, 2)";
    DB::run(&mut second, insert, Vec::new()).await.expect("run");

    let second = tokio::spawn(second.commit());
    let soon = Soon::within(PATIENCE);
    while bank.number("SELECT count(*) FROM pg_locks WHERE NOT granted").await == 0 {
        soon.or("it does not wait for the other").await;
    }
    let cache = bank.cache.clone();
    let end = tokio::spawn(async move { cache.shutdown().await });
    let first = timeout(PATIENCE, first.commit()).await;
    first.expect("it waits for nobody").expect("committed");
    let error = second.await.expect("no panic").expect_err("no such owner");
    assert!(error.is_database(), "{error}");
    end.await.expect("no panic");
}

async fn a_commit_that_was_called_before_a_shutdown_is_waited_for<DB: Base>(bank: Bank<DB>) {
    let there = bank.clone();
    let was_early = std::thread::spawn(move || {
        // In a thread of one's own nothing that is spawned runs before somebody waits.
        runtime().block_on(async {
            let pool = DB::pool(there.url(), 2);
            let branch = there.branch_on(&pool, &SCHEMA, |builder| builder.relay(false));
            let branch = branch.await;
            branch.cache.shutdown().await;
            let mut tx = branch.cache.begin().await.expect("begun");
            DB::run(&mut tx, WRITE, Vec::new()).await.expect("run");
            let is_done = AtomicBool::new(false);
            let commit = async {
                tx.commit().await.expect("committed");
                is_done.store(true, Ordering::SeqCst);
            };
            let shutdown = async {
                branch.cache.shutdown().await;
                !is_done.load(Ordering::SeqCst)
            };
            let ((), was_early) = tokio::join!(commit, shutdown);
            was_early
        })
    });
    assert!(!joined(was_early).await, "it was not waited for");
}

async fn two_shutdowns_wait_for_the_same<DB: Base>(bank: Bank<DB>) {
    let branch = bank.branch_with(&BUSY, |builder| builder.relay(true)).await;
    let delivering = branch.events.hold_after_invalidation("note#id=n");
    bank.sql(WRITE).await;
    // Another one's relay may be quicker.
    if timeout(PATIENCE / 5, delivering.reached()).await.is_err() {
        return;
    }
    let ends = [branch.cache.clone(), branch.cache.clone()]
        .map(|cache| tokio::spawn(async move { cache.shutdown().await }));
    tokio::time::sleep(A_WHILE).await;
    assert!(ends.iter().all(|end| !end.is_finished()), "its relay is in a pass");
    delivering.release();
    for end in ends {
        end.await.expect("no panic");
    }
}

async fn after_a_shutdown_nothing_is_read_ahead<DB: Base>(bank: Bank<DB>) {
    bank.sql("INSERT INTO rate (id, text) VALUES (1, 'old')").await;
    bank.deliver_pending().await;
    let desk = bank.desk().await;
    for _ in 0..2 {
        Rate::get(&desk.cache, 1).await.expect("read");
    }
    desk.write("UPDATE rate SET text = 'new' WHERE id = 1").await;
    soon("it is not read ahead", || desk.asked.times("rate") >= 2).await;
    Rate::get(&desk.cache, 1).await.expect("read");
    desk.cache.shutdown().await;
    let before = desk.asked.times("rate");
    desk.write("UPDATE rate SET text = 'newer' WHERE id = 1").await;
    tokio::time::sleep(A_WHILE).await;
    assert_eq!(desk.asked.times("rate"), before, "nobody reads");
}

fn runtime() -> Runtime {
    let mut builder = tokio::runtime::Builder::new_current_thread();
    builder.enable_all().build().expect("a runtime")
}

async fn joined<T: Send + 'static>(thread: std::thread::JoinHandle<T>) -> T {
    let joined = tokio::task::spawn_blocking(move || thread.join().expect("no panic"));
    joined.await.expect("no panic")
}

/// Built in a runtime that has not ended, and that nobody drives any more.
async fn built_elsewhere<DB: Base>(bank: &Bank<DB>) -> (Branch<DB>, Runtime) {
    let (there, pool) = (bank.clone(), bank.pool().clone());
    let built = std::thread::spawn(move || {
        let runtime = runtime();
        let branch = there.branch_on(&pool, &SCHEMA, |builder| builder.relay(true));
        (runtime.block_on(branch), runtime)
    });
    joined(built).await
}

async fn a_shutdown_does_not_wait_for_a_runtime_that_stands_still<DB: Base>(bank: Bank<DB>) {
    let (branch, runtime) = built_elsewhere(&bank).await;
    let ended = timeout(PATIENCE, branch.cache.shutdown()).await;
    runtime.shutdown_background();
    ended.expect("it waits for tasks that nobody drives");
}

async fn a_store_comes_back_though_the_builders_runtime_stands_still<DB: Base>(bank: Bank<DB>) {
    // What reads from Redis stands still as well, so that it is away for who reads here.
    let (branch, runtime) = built_elsewhere(&bank).await;
    let soon = Soon::within(PATIENCE);
    loop {
        let note = Note::fetch(&branch.cache, "n").await;
        let status = note.expect("read").status.to_string();
        if status.contains("hit") {
            break;
        }
        soon.or(format!("it has not come back: {status}")).await;
    }
    runtime.shutdown_background();
}

/// A cache, and something that is there as long as its observer is.
async fn watched<DB: Base>(bank: &Bank<DB>, relay: bool) -> (Cache<sqlx::Pool<DB>>, Arc<()>) {
    let life = Arc::new(());
    let held = life.clone();
    let builder = Cache::builder(bank.pool().clone(), &BUSY).relay(relay);
    let builder = builder.on_event(move |_| {
        let _ = &held;
    });
    let builder = match bank.has_redis() {
        true => builder.store(RedisStore::new(&bank.redis().url(), &BUSY).expect("a URL")),
        false => builder.store(MemoryStore::new(&BUSY)),
    };
    (builder.build().await.expect("built"), life)
}

async fn a_cache_that_is_dropped_ends<DB: Base>(bank: Bank<DB>) {
    for relay in [true, false] {
        let (cache, life) = watched(&bank, relay).await;
        for _ in 0..2 {
            Note::get(&cache, "n").await.expect("read");
        }
        drop(cache);
        soon("it has not ended", || Arc::strong_count(&life) == 1).await;
    }
}

async fn a_cache_that_is_dropped_while_its_store_is_away_ends<DB: Base>(bank: Bank<DB>) {
    let (cache, life) = watched(&bank, true).await;
    bank.redis().server().stop();
    Note::get(&cache, "n").await.expect("read");
    drop(cache);
    soon("it has not ended", || Arc::strong_count(&life) == 1).await;
    bank.redis().server().start_again();
}
