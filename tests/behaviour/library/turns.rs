//! Loads and connections: more that want one than there are, and loaders
//! that hold one while they wait for another.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use cache_runtime::{BoxError, Cache, Load, LoadContext, MemoryStore, Schema};
use ledger::{Base, Digest, Note, Quote};
use sqlx::Pool;
use tokio::sync::Semaphore;
use tokio::task::JoinSet;

use super::bank::{BUSY, Bank, story};
use crate::harness::Story;
use crate::harness::soon::SOON;

pub fn stories() -> Vec<Story> {
    vec![
        story!(a_loader_that_holds_a_connection_and_reads_on_is_told_so),
        story!(a_loader_that_holds_a_connection_and_takes_another_is_told_so),
        story!(more_misses_than_connections_are_served),
        story!(loads_run_in_turn_also_when_they_wait_for_others),
        story!(a_load_without_a_turn_is_an_error_in_the_end),
        story!(three_thousand_refreshes_at_once_are_done),
    ]
}

/// A source whose loaders do this.
struct Source<DB: Base> {
    pool: Pool<DB>,
    manner: Manner,
    running: AtomicUsize,
    most: AtomicUsize,
    /// Loads of quotes go on one by one.
    gate: Semaphore,
}

#[derive(Clone, Copy, PartialEq)]
enum Manner {
    /// It drops its connection before it reads on.
    Good,
    HoldsOne,
    TakesTwo,
    /// It uses none, and waits at the gate.
    Waits,
}

impl<DB: Base> Source<DB> {
    /// Counts those that run.
    fn run(&self) -> impl Drop {
        struct Running<'s>(&'s AtomicUsize);
        impl Drop for Running<'_> {
            fn drop(&mut self) {
                self.0.fetch_sub(1, Ordering::SeqCst);
            }
        }
        let running = self.running.fetch_add(1, Ordering::SeqCst) + 1;
        self.most.fetch_max(running, Ordering::SeqCst);
        Running(&self.running)
    }
}

impl<DB: Base> Load<Source<DB>> for Digest {
    async fn load(cx: &LoadContext<Source<DB>>, ids: &[i64]) -> Result<Vec<Digest>, BoxError> {
        let (source, mut found) = (cx.db(), Vec::new());
        for id in ids {
            let running = source.run();
            let manner = source.manner;
            let held = match manner {
                Manner::Waits => None,
                _ => Some(cx.acquire(&source.pool).await?),
            };
            if manner == Manner::TakesTwo {
                cx.acquire(&source.pool).await?;
            }
            let held = held.filter(|_| manner == Manner::HoldsOne);
            drop(running);
            let quote = cx.get::<Quote>(1_000_000 + id).await?;
            drop(held);
            found.push(Digest { id: *id, quote_id: Some(1_000_000 + id), quote });
        }
        Ok(found)
    }
}

impl<DB: Base> Load<Source<DB>> for Quote {
    async fn load(cx: &LoadContext<Source<DB>>, ids: &[i64]) -> Result<Vec<Quote>, BoxError> {
        let source = cx.db();
        let _running = source.run();
        match source.manner {
            Manner::Waits => source.gate.acquire().await?.forget(),
            _ => drop(cx.acquire(&source.pool).await?),
        }
        let quote = |id: &i64| Quote { id: *id, text: String::new(), edition: 0 };
        Ok(ids.iter().map(quote).collect())
    }
}

/// At most so many loads, on a pool of five connections.
async fn cache_of<DB: Base>(
    bank: &Bank<DB>,
    manner: Manner,
    max_loads: usize,
) -> Cache<Source<DB>> {
    cache_with(bank, manner, Schema { max_loads, ..BUSY }).await
}

async fn cache_with<DB: Base>(
    bank: &Bank<DB>,
    manner: Manner,
    schema: Schema,
) -> Cache<Source<DB>> {
    let schema: &'static Schema = Box::leak(Box::new(schema));
    let source = Source {
        pool: DB::pool(bank.url(), 5),
        manner,
        running: AtomicUsize::new(0),
        most: AtomicUsize::new(0),
        gate: Semaphore::new(0),
    };
    let builder = Cache::builder(source, schema).without_outbox().store(MemoryStore::new(schema));
    builder.build().await.expect("built")
}

/// Reads as many digests at once; the errors.
async fn read_all<DB: Base>(cache: &Cache<Source<DB>>, digests: i64) -> Vec<String> {
    let mut reads = JoinSet::new();
    for id in 0..digests {
        let cache = cache.clone();
        reads.spawn(async move { Digest::get(&cache, id).await });
    }
    let all = tokio::time::timeout(SOON, reads.join_all());
    let all = all.await.expect("they do not wait for each other");
    let errors = all.into_iter().filter_map(Result::err);
    errors.map(|error| error.to_string()).collect()
}

async fn a_loader_that_holds_a_connection_and_reads_on_is_told_so<DB: Base>(bank: Bank<DB>) {
    let cache = cache_of(&bank, Manner::HoldsOne, 64).await;
    let errors = read_all(&cache, 50).await;
    assert_eq!(errors.len(), 50);
    for what in ["the loader of `digest`", "`quote`", "drop the connection"] {
        assert!(errors[0].contains(what), "{}", errors[0]);
    }
}

async fn a_loader_that_holds_a_connection_and_takes_another_is_told_so<DB: Base>(bank: Bank<DB>) {
    let cache = cache_of(&bank, Manner::TakesTwo, 64).await;
    let errors = read_all(&cache, 50).await;
    assert_eq!(errors.len(), 50);
    for what in ["the loader of `digest`", "a connection already", "drop it"] {
        assert!(errors[0].contains(what), "{}", errors[0]);
    }
}

async fn more_misses_than_connections_are_served<DB: Base>(bank: Bank<DB>) {
    for max_loads in [1, 3, 64] {
        let cache = cache_of(&bank, Manner::Good, max_loads).await;
        let errors = read_all(&cache, 200).await;
        assert!(errors.is_empty(), "{max_loads}: {errors:?}");
        let most = cache.db().most.load(Ordering::SeqCst);
        assert!(most <= max_loads, "{most} ran at once");
    }
}

/// Digests wait for quotes that other readers load as well.
async fn loads_run_in_turn_also_when_they_wait_for_others<DB: Base>(bank: Bank<DB>) {
    let cache = cache_of(&bank, Manner::Waits, 2).await;
    let mut reads = JoinSet::new();
    for id in 0..20 {
        let of = cache.clone();
        reads.spawn(async move { Quote::get(&of, 1_000_000 + id).await.map(drop) });
        let of = cache.clone();
        reads.spawn(async move { Digest::get(&of, id).await.map(drop) });
    }
    cache.db().gate.add_permits(1000);
    let all = tokio::time::timeout(SOON, reads.join_all()).await;
    for read in all.expect("no two wait for each other") {
        read.expect("loaded");
    }
    let most = cache.db().most.load(Ordering::SeqCst);
    assert!(most <= 2, "{most} ran at once");
}

async fn a_load_without_a_turn_is_an_error_in_the_end<DB: Base>(bank: Bank<DB>) {
    let narrow = Schema { max_loads: 1, max_load: Duration::from_secs(1), ..BUSY };
    let cache = cache_with(&bank, Manner::Waits, narrow).await;
    let (a, b, c) =
        tokio::join!(Quote::get(&cache, 1), Quote::get(&cache, 2), Quote::get(&cache, 3));
    // The load-timeout of quotes is 2 s: who runs is given up,
    // and who waits for a turn before that.
    let errors = [a, b, c].map(|read| read.expect_err("none"));
    assert!(errors.iter().all(|error| error.is_load_timeout()));
    let texts = errors.map(|error| error.to_string());
    let waited = texts.iter().any(|text| text.contains("max-loads"));
    assert!(waited, "{texts:?}");
    cache.db().gate.add_permits(1000);
    assert!(Quote::get(&cache, 4).await.expect("loaded").is_some());
}

async fn three_thousand_refreshes_at_once_are_done<DB: Base>(bank: Bank<DB>) {
    bank.note("n").await;
    let mut refreshes = JoinSet::new();
    for _ in 0..3000 {
        let cache = bank.cache.clone();
        refreshes.spawn(async move { cache.refresh::<Note>("n".to_owned()).await });
    }
    for refreshed in refreshes.join_all().await {
        refreshed.expect("refreshed");
    }
}
