//! `load-timeout`: a load that hangs is given up, whatever hangs
//! in it, and the key is as good as before.

use std::fmt::Debug;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use cache_runtime::{Answer, Error};
use ledger::{Base, Digest};
use tokio::runtime::Handle;
use tokio::task::JoinHandle;

use super::bank::{Bank, story};
use super::desk::{Desk, Mood};
use crate::harness::Story;

/// As in `cache.toml`: of quotes,
const LIMIT: Duration = Duration::from_secs(2);
/// and of digests.
const DIGESTS: Duration = Duration::from_secs(1);
/// How late an answer may come on a slow machine.
const SLACK: Duration = Duration::from_millis(1500);
const READERS: usize = 10;

pub fn stories() -> Vec<Story> {
    vec![
        story!(a_loader_that_hangs_is_given_up),
        story!(a_loader_that_hangs_in_a_nested_load_is_given_up),
        story!(a_loader_that_blocks_its_thread_is_given_up),
    ]
}

async fn with_quote<DB: Base>(bank: &Bank<DB>) -> Desk<DB> {
    let rows = "INSERT INTO quote (id, text) VALUES (1, 'old');
                INSERT INTO digest (id, quote_id) VALUES (1, 1)";
    bank.sql(rows).await;
    bank.deliver_pending().await;
    bank.desk().await
}

async fn a_loader_that_hangs_is_given_up<DB: Base>(bank: Bank<DB>) {
    let desk = with_quote(&bank).await;
    for _ in 0..2 {
        desk.is(Mood::Hangs);
        all_are_told_in_time(&desk).await;
    }
    works(&desk).await;
}

async fn a_loader_that_blocks_its_thread_is_given_up<DB: Base>(bank: Bank<DB>) {
    let desk = with_quote(&bank).await;
    let _alive = Alive::keep();
    desk.is(Mood::Blocks(2 * LIMIT + Duration::from_secs(3)));
    all_are_told_in_time(&desk).await;
    // While its threads are still blocked.
    works(&desk).await;
}

/// Who came before the load began is told when it is given up; who came
/// later, by a second load that all of those share.
async fn all_are_told_in_time<DB: Base>(desk: &Desk<DB>) {
    let loads = desk.asked.times("quote");
    let began = Instant::now();
    let first = desk.quote_meanwhile(1);
    desk.asked.reach("quote", loads + 1).await;
    let later: Vec<_> = (0..READERS).map(|_| desk.quote_meanwhile(1)).collect();
    is_told(first, began, LIMIT).await;
    for reader in later {
        is_told(reader, began, 2 * LIMIT).await;
    }
    assert_eq!(desk.asked.times("quote"), loads + 2, "one for all the later");
}

async fn is_told<T: Debug>(reader: JoinHandle<Result<T, Error>>, began: Instant, limit: Duration) {
    let answer = reader.await.expect("no panic");
    let waited = began.elapsed();
    let error = answer.expect_err("wrong answer: it hangs");
    assert!(error.is_load_timeout() && error.is_load(), "{error}");
    assert!(waited >= limit, "given up after {waited:?}");
    assert!(waited < limit + SLACK, "it waited for {waited:?}");
}

/// The rest of the process: something to do now and then, from outside of the runtime. In one that
/// sleeps but for the blocked thread nobody may be left to look at the clock
/// (<https://github.com/tokio-rs/tokio/issues/4730>).
struct Alive(Arc<AtomicBool>);

impl Alive {
    fn keep() -> Self {
        let (over, runtime) = (Arc::new(AtomicBool::new(false)), Handle::current());
        let is_over = Arc::clone(&over);
        std::thread::spawn(move || {
            while !is_over.load(Ordering::Relaxed) {
                runtime.spawn(async {});
                std::thread::sleep(Duration::from_millis(10));
            }
        });
        Self(over)
    }
}

impl Drop for Alive {
    fn drop(&mut self) {
        self.0.store(true, Ordering::Relaxed);
    }
}

/// A reader loads anew, and the next one hits.
async fn works<DB: Base>(desk: &Desk<DB>) {
    desk.is(Mood::Well);
    let loads = desk.asked.times("quote");
    let began = Instant::now();
    let loaded = desk.quote(1).await.expect("loaded anew");
    assert_eq!(loaded.value.expect("a row").text, "old", "wrong answer");
    let stored = matches!(loaded.status.answer, Answer::Miss { stored: true, .. });
    assert!(stored, "{}", loaded.status);
    let waited = began.elapsed();
    assert!(waited < SLACK, "it waited for {waited:?}");
    let hit = desk.quote(1).await.expect("stored");
    assert_eq!(hit.value.expect("a row").text, "old", "wrong answer");
    assert_eq!(desk.asked.times("quote"), loads + 1);
}

async fn a_loader_that_hangs_in_a_nested_load_is_given_up<DB: Base>(bank: Bank<DB>) {
    let desk = with_quote(&bank).await;
    desk.is(Mood::Hangs);
    let began = Instant::now();
    let cache = desk.cache.clone();
    let digest = tokio::spawn(async move { Digest::get(&cache, 1).await });
    desk.asked.reach("quote", 1).await;
    let quote = desk.quote_meanwhile(1);
    is_told(digest, began, DIGESTS).await;
    // The load of the quote is its own, with a longer limit; and this reader came after it began.
    is_told(quote, began, 2 * LIMIT).await;

    works(&desk).await;
    let digest = Digest::get(&desk.cache, 1).await.expect("a digest");
    let quote = digest.and_then(|digest| digest.quote.clone());
    assert_eq!(quote.expect("a quote").text, "old", "wrong answer");
}
