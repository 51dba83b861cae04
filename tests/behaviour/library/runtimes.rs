//! The runtime that a cache was built in ends, and the cache is
//! used in another: its tasks go on there.

use std::pin::pin;
use std::task::{Context, Poll, Waker};

use ledger::{Base, Note, SCHEMA};

use super::bank::{Bank, Branch, story};
use crate::harness::Story;
use crate::harness::soon::{SOON, Soon};

pub fn stories() -> Vec<Story> {
    vec![
        story!(a_cache_outlives_the_runtime_that_built_it),
        story!(outside_of_a_runtime_nothing_is_written_and_nothing_panics),
    ]
}

async fn outside_of_a_runtime_nothing_is_written_and_nothing_panics<DB: Base>(bank: Bank<DB>) {
    fn ready<T>(future: impl Future<Output = T>) -> T {
        let mut context = Context::from_waker(Waker::noop());
        match pin!(future).poll(&mut context) {
            Poll::Ready(done) => done,
            Poll::Pending => panic!("it waits for a runtime"),
        }
    }
    let rows = bank.outbox_rows().await;
    let outside = bank.clone();
    let thread = std::thread::spawn(move || {
        let refreshed = ready(outside.cache.refresh::<Note>("n".to_owned()));
        assert!(refreshed.expect_err("no runtime").is_misuse());
        let begun = ready(outside.cache.begin()).map(drop);
        let why = begun.expect_err("no runtime").to_string();
        assert!(why.contains("no Tokio runtime here"), "{why}");
    });
    thread.join().expect("no panic");
    assert_eq!(bank.outbox_rows().await, rows);
}

async fn a_cache_outlives_the_runtime_that_built_it<DB: Base>(bank: Bank<DB>) {
    let elsewhere = bank.clone();
    // In a thread of its own, as a runtime cannot end within another.
    let built = std::thread::spawn(move || {
        let runtime = tokio::runtime::Runtime::new().expect("a runtime");
        runtime.block_on(async {
            // Its connections are of that runtime as well.
            let pool = DB::pool(elsewhere.url(), 4);
            let branch = elsewhere.branch_on(&pool, &SCHEMA, |builder| builder.relay(true)).await;
            assert_eq!(branch.text("n").await.as_deref(), Some("old"));
            branch
        })
    });
    let branch = built.join().expect("built");
    for text in ["one", "two"] {
        bank.sql(format!("UPDATE note SET text = '{text}' WHERE id = 'n'")).await;
        // Only its relay can tell it.
        becomes(&branch, text).await;
        is_hit(&branch).await;
    }
    let soon = Soon::within(SOON);
    while let Err(error) = branch.write("UPDATE note SET text = 'three' WHERE id = 'n'").await {
        soon.at_once_or(error);
    }
    becomes(&branch, "three").await;
}

/// Until it is served from the store again: what comes after that
/// nobody finds by being on the way back.
async fn is_hit<DB: Base>(branch: &Branch<DB>) {
    let (soon, hits) = (Soon::within(SOON), branch.hits("note_n"));
    while branch.hits("note_n") == hits {
        soon.at_once_or("it is not served from the store");
        text(branch).await;
        tokio::task::yield_now().await;
    }
}

/// A connection of the pool that is of the runtime that has ended may fail a load, once.
async fn text<DB: Base>(branch: &Branch<DB>) -> Option<String> {
    let note = Note::get(&branch.cache, "n").await;
    Some(note.ok()??.text.clone())
}

async fn becomes<DB: Base>(branch: &Branch<DB>, text: &str) {
    let soon = Soon::within(SOON);
    while self::text(branch).await.as_deref() != Some(text) {
        soon.at_once_or(format_args!("wrong answer: not {text:?}"));
        tokio::task::yield_now().await;
    }
}
