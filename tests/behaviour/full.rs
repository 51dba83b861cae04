//! A Redis that is full, under every policy: fills are not refused for good, and what the cache
//! keeps beside the values does not take their room. `row` prints how much there is of both.

mod load;

use std::time::Duration;

use cache_runtime::{Store, Tag};
use libtest_mimic::Trial;

use crate::harness::soon::{PATIENCE, Soon};
use load::Full;

/// And the least share of values that is to be there right after they were
/// stored: of those that were never read, LFU would rather have none, and
/// `allkeys-*` evicts what the cache needs to invalidate.
const POLICIES: [(&str, f64); 8] = [
    ("noeviction", 0.95),
    ("volatile-lru", 0.95),
    ("volatile-lfu", 0.75),
    ("volatile-ttl", 0.95),
    ("volatile-random", 0.9),
    ("allkeys-lru", 0.3),
    ("allkeys-lfu", 0.3),
    ("allkeys-random", 0.3),
];

pub fn trials() -> Vec<Trial> {
    let policies = POLICIES.into_iter().map(|(policy, least)| {
        let name = format!("redis::full_{}_goes_on", policy.replace('-', "_"));
        trial(&name, move || goes_on(policy, least))
    });
    let others = [
        trial("redis::full_of_short_lives", full_of_short_lives),
        trial("redis::full_of_fences", full_of_fences),
        trial("redis::full_and_cleared", full_and_cleared),
        trial("redis::full_of_blocks", full_of_blocks),
    ];
    let rows = POLICIES.into_iter().map(|(policy, _)| {
        let name = format!("redis::full_table::{policy}");
        trial(&name, move || row(policy)).with_ignored_flag(true)
    });
    policies.chain(others).chain(rows).collect()
}

fn trial<F: Future<Output = ()>>(name: &str, tell: impl Fn() -> F + Send + 'static) -> Trial {
    Trial::test(name, move || {
        tokio::runtime::Runtime::new()?.block_on(tell());
        Ok(())
    })
}

/// Values that have expired are gone at once; what is kept of them for
/// the near caches is not to fill the server.
async fn full_of_short_lives() {
    let mut full = Full::new("volatile-lru", 24).await;
    full.life = Duration::from_secs(5);
    full.bytes = 100;
    full.generation(102_000).await;
    let last = full.generation(2000).await;
    assert!(last.kept > 0.95, "{last:?}");
    full.clear().await;
    let cleared = full.generation(2000).await;
    assert!(cleared.kept > 0.95, "{cleared:?}");
}

/// A write of so many rows leaves a fence for each, none of which Redis may evict.
async fn full_of_fences() {
    let mut full = Full::new("volatile-lru", 24).await;
    let tags: Vec<Tag> = (0..250_000).map(|n| Tag::from_text(format!("video#id={n}"))).collect();
    for tags in tags.chunks(10_000) {
        full.store.invalidate(tags).await.expect("invalidated");
    }
    let last = full.generation(2000).await;
    assert!(last.kept > 0.95, "{last:?}");
}

/// Writers that died have not unblocked what they wrote.
async fn full_of_blocks() {
    let full = Full::new("volatile-lru", 24).await;
    let tags = |model: &str| -> Vec<Tag> {
        (0..2000).map(|n| Tag::from_text(format!("{model}#id={n}"))).collect()
    };
    let (dead, alive) = (tags("video"), tags("user"));
    let block = async |writer, tags: &[Tag], life| {
        let blocked = full.store.block(writer, tags, life);
        blocked.await.expect("blocked");
    };
    block(1, &dead, Duration::from_millis(1)).await;
    block(2, &alive[..1], PATIENCE).await;
    let mut rounds = 0;
    // The one that lives, and three that are no tags.
    while full.blocks().await > 5 {
        for tags in alive[1..].chunks(50) {
            block(3, tags, PATIENCE).await;
            block(3, tags, Duration::ZERO).await;
        }
        rounds += 1;
        assert!(rounds < 20, "blocks stay for ever");
    }
    assert!(full.is_blocked(&alive[0]).await, "a block of now is gone");
}

/// Nothing that is void expires by itself here, nor is it evicted.
async fn full_and_cleared() {
    let mut full = Full::new("noeviction", 8).await;
    let first = full.generation(20_000).await;
    assert!(first.kept < 0.9, "it is not full: {first:?}");
    full.clear().await;
    until_it_keeps(&mut full, 0.95).await;
}

/// Four times what fits, again and again.
async fn goes_on(policy: &str, least: f64) {
    let mut full = Full::new(policy, 5).await;
    if policy == "noeviction" {
        full.life = Duration::from_millis(300);
    }
    let values = full.values_that_fit() * 4;
    for _ in 0..2 {
        full.generation(values).await;
    }
    let before = full.edges().await;
    full.generation(values).await;
    let after = full.edges().await;
    if !policy.starts_with("allkeys") {
        // What evicts nothing tidies when it is full, and not before.
        let most = match policy {
            "noeviction" => 0.8,
            _ => before.share + 0.1,
        };
        assert!(
            after.share < most && after.share < 0.8,
            "edges take more and more: {before:?}, {after:?}"
        );
    }
    until_it_keeps(&mut full, least).await;
    full.clear().await;
    until_it_keeps(&mut full, least).await;
}

/// The share of a few values that are offered now and then: what evicts nothing must first expire.
async fn until_it_keeps(full: &mut Full, least: f64) {
    let soon = Soon::within(PATIENCE);
    loop {
        let last = full.generation(500).await;
        if last.kept >= least {
            return;
        }
        soon.or(format!("{last:?}")).await;
    }
}

/// Ten generations, as docs/PERFORMANCE.md has them: a row of the table.
async fn row(policy: &str) {
    let mut full = Full::new(policy, 8).await;
    if policy == "noeviction" {
        full.life = Duration::from_secs(2);
    }
    let values = full.values_that_fit() * 4;
    let (mut kept, mut hot, mut of_a_value) = (0.0, 0.0, 0.0);
    let mut shares = Vec::new();
    for _ in 0..10 {
        let went = full.generation(values).await;
        let edges = full.edges().await;
        (kept, hot, of_a_value) = (went.kept * 100.0, went.hot * 100.0, edges.of_a_value);
        shares.push(format!("{:.0}", edges.share * 100.0));
    }
    let shares = shares.join(", ");
    println!("| `{policy}` | {kept:.1} % | {hot:.1} % | {of_a_value:.1} | {shares} % |");
}
