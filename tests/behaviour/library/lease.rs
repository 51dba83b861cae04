//! Leases: of several processes that miss a value one loads it, and
//! nobody waits for another longer than the lease.

use std::time::{Duration, Instant};

use cache_runtime::{Answer, Schema};
use ledger::{Base, Digest, OldPage, Page, Quote, SecretPage};

use super::bank::{BUSY, Bank, story};
use super::desk::{Asked, Desk, Mood};
use crate::harness::soon::{PATIENCE, Soon};
use crate::harness::{Seen, Story};

/// As in `cache.toml`.
const LEASE: Duration = Duration::from_secs(5);
/// What is no wait for a lease, on a slow machine.
const AT_ONCE: Duration = Duration::from_secs(2);

pub fn stories() -> Vec<Story> {
    vec![
        story!(processes_that_miss_at_once_load_once),
        story!(a_process_that_dies_delays_others_for_a_lease),
        story!(a_load_that_fails_releases),
        story!(a_load_that_hangs_is_not_waited_for_longer_than_the_lease),
        story!(a_load_that_is_given_up_releases),
        story!(an_encoder_that_panics_releases),
        story!(a_refused_fill_releases),
        story!(nobody_waits_for_what_another_does_not_load),
        story!(nobody_waits_for_who_waits_for_a_turn),
        story!(nobody_waits_behind_another_versions_value),
        story!(nobody_waits_behind_an_expired_value),
        story!(redis_dies_while_others_wait).own_redis(),
        story!(redis_is_emptied_while_others_wait).own_redis(),
    ]
    .into_iter()
    .map(|story| story.on_postgres().on_redis())
    .collect()
}

async fn with_pages<DB: Base>(bank: &Bank<DB>, pages: i64) {
    for id in 1..=pages {
        let insert = format!("INSERT INTO page (id, text) VALUES ({id}, 'old')");
        bank.sql(insert).await;
    }
    bank.deliver_pending().await;
}

async fn says<DB: Base>(desk: &Desk<DB>, text: &str) {
    let page = desk.page(1).await.expect("a page").expect("a row");
    assert_eq!(page.text, text, "wrong answer");
}

/// Waits until its readers have missed and looked whether somebody else loads.
async fn waits<DB: Base>(desk: &Desk<DB>, readers: usize) {
    desk.missed(readers).await;
    // Two looks of the longest pause; nothing shows them.
    tokio::time::sleep(Duration::from_millis(100)).await;
}

async fn processes_that_miss_at_once_load_once<DB: Base>(bank: Bank<DB>) {
    const READERS: usize = 20;
    with_pages(&bank, 1).await;
    let desks: [Desk<DB>; 4] = bank.desks().await;
    desks.iter().for_each(|desk| desk.is(Mood::Waits));
    let readers: Vec<_> =
        desks.iter().flat_map(|desk| (0..READERS).map(|_| desk.page_meanwhile(1))).collect();
    for desk in &desks {
        waits(desk, READERS).await;
    }
    let asked = &desks[0].asked;
    assert_eq!(asked.times("page"), 1, "one of them loads");
    desks.iter().for_each(|desk| desk.is(Mood::Well));
    for reader in readers {
        let page = reader.await.expect("no panic").expect("a page");
        assert_eq!(page.expect("a row").text, "old", "wrong answer");
    }
    assert_eq!(asked.times("page"), 1, "one has loaded for all");
    let lease = "EXISTS cache:lease:page_1";
    assert_eq!(redis(&bank, lease).await, "int(0)", "it is released");
}

async fn a_process_that_dies_delays_others_for_a_lease<DB: Base>(bank: Bank<DB>) {
    with_pages(&bank, 1).await;
    let [one, two]: [Desk<DB>; 2] = bank.desks().await;
    let doomed = Doomed::holds_the_lease(&bank, &one.asked).await;
    let claimed = Instant::now();
    let readers = [one.page_meanwhile(1), two.page_meanwhile(1)];
    waits(&one, 1).await;
    waits(&two, 1).await;
    doomed.dies();
    for reader in readers {
        let page = reader.await.expect("no panic").expect("a page");
        assert_eq!(page.expect("a row").text, "old", "wrong answer");
    }
    let waited = claimed.elapsed();
    println!("a dead process's lease: the others waited for {waited:?} of {LEASE:?}");
    assert!(waited < LEASE + AT_ONCE, "they waited for {waited:?}");
    assert!(waited > LEASE / 2, "they did not wait at all, but {waited:?}");
    let loads = one.asked.times("page");
    assert!((2..=3).contains(&loads), "{loads} loads: a third is late");
    says(&one, "old").await;
    assert_eq!(one.asked.times("page"), loads, "it is stored");
}

async fn a_load_that_fails_releases<DB: Base>(bank: Bank<DB>) {
    with_pages(&bank, 1).await;
    let [broken, well, other]: [Desk<DB>; 3] = bank.desks().await;
    broken.is(Mood::Waits);
    let fails = broken.page_meanwhile(1);
    broken.asked.reach("page", 1).await;
    let readers = [well.page_meanwhile(1), other.page_meanwhile(1)];
    waits(&well, 1).await;
    waits(&other, 1).await;
    let failed = Instant::now();
    broken.is(Mood::Fails);
    let error = fails.await.expect("no panic").expect_err("it fails");
    assert!(error.is_load(), "{error}");
    for reader in readers {
        let page = reader.await.expect("no panic").expect("a page");
        assert_eq!(page.expect("a row").text, "old", "wrong answer");
    }
    let waited = failed.elapsed();
    assert!(waited < AT_ONCE, "the next waited for {waited:?}");
    assert_eq!(well.asked.times("page"), 2, "one of the two tried again");
}

/// It may take longer than the lease (its own limit is 30 seconds), and is stored all the same.
async fn a_load_that_hangs_is_not_waited_for_longer_than_the_lease<DB: Base>(bank: Bank<DB>) {
    with_pages(&bank, 1).await;
    let [slow, well]: [Desk<DB>; 2] = bank.desks().await;
    slow.is(Mood::Waits);
    let hangs = slow.page_meanwhile(1);
    slow.asked.reach("page", 1).await;
    let claimed = Instant::now();
    says(&well, "old").await;
    let waited = claimed.elapsed();
    assert!(waited < LEASE + AT_ONCE, "it waited for {waited:?}");
    slow.is(Mood::Well);
    let page = hangs.await.expect("no panic").expect("a page");
    assert_eq!(page.expect("a row").text, "old", "wrong answer");
}

/// The lease of quotes is much longer than their `load-timeout`.
async fn a_load_that_is_given_up_releases<DB: Base>(bank: Bank<DB>) {
    let limit = Duration::from_secs(2);
    bank.sql("INSERT INTO quote (id, text) VALUES (1, 'old')").await;
    bank.deliver_pending().await;
    let [hung, well]: [Desk<DB>; 2] = bank.desks().await;
    hung.is(Mood::Hangs);
    let hangs = hung.quote_meanwhile(1);
    hung.asked.reach("quote", 1).await;
    let claimed = Instant::now();
    let quote = well.quote(1).await.expect("a quote").value;
    assert_eq!(quote.expect("a row").text, "old", "wrong answer");
    let waited = claimed.elapsed();
    assert!(waited < limit + AT_ONCE, "it waited for {waited:?}");
    let error = hangs.await.expect("no panic").expect_err("it hangs");
    assert!(error.is_load_timeout(), "{error}");
}

async fn an_encoder_that_panics_releases<DB: Base>(bank: Bank<DB>) {
    with_pages(&bank, 1).await;
    let [broken, well]: [Desk<DB>; 2] = bank.desks().await;
    SecretPage::get(&broken.cache, 1).await.expect_err("it cannot be encoded");
    let failed = Instant::now();
    says(&well, "old").await;
    let waited = failed.elapsed();
    assert!(waited < AT_ONCE, "the next waited for {waited:?}");
}

async fn a_refused_fill_releases<DB: Base>(bank: Bank<DB>) {
    with_pages(&bank, 1).await;
    let [slow, well, late]: [Desk<DB>; 3] = bank.desks().await;
    slow.is(Mood::Waits);
    let first = slow.page_meanwhile(1);
    slow.asked.reach("page", 1).await;
    let waiting = well.page_meanwhile(1);
    waits(&well, 1).await;
    // By now the loader has the old row in its hands.
    let has_read = slow.events.count(|seen| matches!(seen, Seen::Loading(..)));
    assert_eq!(has_read, 1);
    well.write("UPDATE page SET text = 'new' WHERE id = 1").await;
    // A relay that is late with the same row would have more refused.
    for desk in [&slow, &well, &late] {
        desk.settled().await;
    }
    // They come after the commit.
    let after = [late.page_meanwhile(1), slow.page_meanwhile(1)];
    waits(&late, 1).await;
    waits(&slow, 2).await;
    let released = Instant::now();
    slow.is(Mood::Well);
    for reader in after.into_iter().chain([waiting]) {
        let page = reader.await.expect("no panic").expect("a page");
        assert_eq!(page.expect("a row").text, "new", "wrong answer");
    }
    let waited = released.elapsed();
    first.await.expect("no panic").expect("a page");
    let refused = Seen::Filled("page_1".to_owned(), false);
    assert_eq!(slow.events.count(|seen| *seen == refused), 1, "refused");
    assert!(waited < AT_ONCE, "the next waited for {waited:?}");
    for desk in [&slow, &well, &late] {
        says(desk, "new").await;
    }
}

async fn nobody_waits_for_what_another_does_not_load<DB: Base>(bank: Bank<DB>) {
    with_pages(&bank, 100).await;
    let [slow, well]: [Desk<DB>; 2] = bank.desks().await;
    slow.is(Mood::Waits);
    let half: Vec<i64> = (1..=50).collect();
    let others: Vec<i64> = (51..=100).collect();
    let all: Vec<i64> = (1..=100).rev().collect();
    let get = |desk: &Desk<DB>, ids: Vec<i64>| {
        let cache = desk.cache.clone();
        tokio::spawn(async move { Page::get_many(&cache, &ids).await })
    };
    let first = get(&slow, half.clone());
    slow.asked.reach("page", 1).await;
    let second = get(&well, all.clone());
    well.filled(50).await;
    assert!(!second.is_finished(), "it waits for the other half");
    // A reader of one of those is served meanwhile.
    let page = well.page(70).await.expect("a page").expect("a row");
    assert_eq!(page.id, 70, "wrong answer");
    slow.is(Mood::Well);
    let pages = second.await.expect("no panic").expect("pages");
    let ids: Vec<i64> = pages.into_iter().flatten().map(|page| page.id).collect();
    assert_eq!(ids, all, "wrong answer: not in their order");
    first.await.expect("no panic").expect("pages");
    let mut asked = slow.asked.ids("page");
    asked.iter_mut().for_each(|ids| ids.sort_unstable());
    assert_eq!(asked, [half, others], "each was loaded once");
}

/// A process that loads something else, as much as it may at once, claims nothing.
async fn nobody_waits_for_who_waits_for_a_turn<DB: Base>(bank: Bank<DB>) {
    with_pages(&bank, 1).await;
    let narrow: &'static Schema = Box::leak(Box::new(Schema { max_loads: 1, ..BUSY }));
    let well = bank.desk().await;
    let busy = bank.desk_with(bank.pool(), &well.asked, narrow, None, |builder| builder);
    let busy = busy.await;
    busy.is(Mood::Waits);
    let _loads = busy.quote_meanwhile(1);
    busy.asked.reach("quote", 1).await;
    let _has_no_turn = busy.page_meanwhile(1);
    waits(&busy, 2).await;
    let began = Instant::now();
    says(&well, "old").await;
    let waited = began.elapsed();
    assert!(waited < AT_ONCE, "it waited for {waited:?}");
}

async fn nobody_waits_behind_another_versions_value<DB: Base>(bank: Bank<DB>) {
    with_pages(&bank, 1).await;
    let [old, new]: [Desk<DB>; 2] = bank.desks().await;
    a_stranger_claims(&bank, "page_1").await;
    // Its own version, which is to wait for nobody, as a refresh does.
    old.cache.refresh::<OldPage>(1).await.expect("stored");

    let began = Instant::now();
    says(&new, "old").await;
    let waited = began.elapsed();
    assert!(waited < AT_ONCE, "it waited for {waited:?}");
    assert_eq!(new.asked.times("page"), 1, "it could not be used");
    says(&new, "old").await;
    assert_eq!(new.asked.times("page"), 1, "it is stored");
}

/// The lease of quotes is longer than this story's patience.
async fn nobody_waits_behind_an_expired_value<DB: Base>(bank: Bank<DB>) {
    let rows = "INSERT INTO quote (id, text) VALUES (1, 'old');
                INSERT INTO digest (id, quote_id) VALUES (1, 1)";
    bank.sql(rows).await;
    bank.deliver_pending().await;
    // One looks when it has expired, and loads nothing.
    let [looks, desk]: [Desk<DB>; 2] = bank.desks().await;
    looks.is(Mood::Fails);
    a_stranger_claims(&bank, "quote_1").await;
    desk.cache.refresh::<Quote>(1).await.expect("stored");
    let soon = Soon::within(PATIENCE);
    while looks.quote(1).await.expect("a quote").status.answer == Answer::Hit {
        soon.or("it does not expire").await;
    }
    let began = Instant::now();
    let digest = Digest::get(&desk.cache, 1).await.expect("a digest");
    let quote = digest.and_then(|digest| digest.quote.clone());
    assert!(quote.expect("a quote").edition > 1, "wrong answer: expired");
    let waited = began.elapsed();
    assert!(waited < AT_ONCE, "it waited for {waited:?}");
}

async fn redis_dies_while_others_wait<DB: Base>(bank: Bank<DB>) {
    with_pages(&bank, 1).await;
    let [slow, one, two]: [Desk<DB>; 3] = bank.desks().await;
    slow.is(Mood::Waits);
    let holder = slow.page_meanwhile(1);
    slow.asked.reach("page", 1).await;
    let readers = [one.page_meanwhile(1), two.page_meanwhile(1)];
    waits(&one, 1).await;
    waits(&two, 1).await;
    let died = Instant::now();
    bank.redis().server().kill();
    for reader in readers {
        let page = reader.await.expect("no panic").expect("a page");
        assert_eq!(page.expect("a row").text, "old", "wrong answer");
    }
    let waited = died.elapsed();
    assert!(waited < AT_ONCE, "they waited for {waited:?}");
    assert_eq!(slow.asked.times("page"), 3, "each for itself");
    slow.is(Mood::Well);
    holder.await.expect("no panic").expect("a page");

    bank.redis().server().start_again();
    one.write("UPDATE page SET text = 'new' WHERE id = 1").await;
    for desk in [&slow, &one, &two] {
        desk.cache.deliver_pending().await.expect("back");
        says(desk, "new").await;
    }
}

/// With the lease goes the epoch, and the holder's fill is refused.
async fn redis_is_emptied_while_others_wait<DB: Base>(bank: Bank<DB>) {
    with_pages(&bank, 1).await;
    let [slow, well]: [Desk<DB>; 2] = bank.desks().await;
    slow.is(Mood::Waits);
    let holder = slow.page_meanwhile(1);
    slow.asked.reach("page", 1).await;
    let reader = well.page_meanwhile(1);
    waits(&well, 1).await;
    let flushed = Instant::now();
    redis(&bank, "FLUSHALL").await;
    let page = reader.await.expect("no panic").expect("a page");
    assert_eq!(page.expect("a row").text, "old", "wrong answer");
    let waited = flushed.elapsed();
    assert!(waited < AT_ONCE, "it waited for {waited:?}");
    well.write("UPDATE page SET text = 'new' WHERE id = 1").await;
    slow.is(Mood::Well);
    holder.await.expect("no panic").expect("a page");
    says(&slow, "new").await;
    says(&well, "new").await;
}

/// A process on a runtime of its own: all that it does ends at once, wherever it is.
struct Doomed(Option<tokio::runtime::Runtime>);

impl Doomed {
    async fn holds_the_lease<DB: Base>(bank: &Bank<DB>, asked: &Asked) -> Self {
        let runtime =
            tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build();
        let runtime = runtime.expect("a runtime");
        let (bank, of) = (bank.clone(), asked.clone());
        runtime.spawn(async move {
            let pool = DB::pool(bank.url(), 2);
            let desk = bank.desk_on(&pool, &of).await;
            desk.is(Mood::Hangs);
            let _ = desk.page(1).await;
        });
        asked.reach("page", 1).await;
        Self(Some(runtime))
    }

    fn dies(self) {}
}

impl Drop for Doomed {
    fn drop(&mut self) {
        if let Some(runtime) = self.0.take() {
            runtime.shutdown_background();
        }
    }
}

/// For longer than the story lasts.
async fn a_stranger_claims<DB: Base>(bank: &Bank<DB>, key: &str) {
    redis(bank, &format!("SET cache:lease:{key} 7 PX 600000")).await;
}

async fn redis<DB: Base>(bank: &Bank<DB>, words: &str) -> String {
    let client = redis::Client::open(bank.redis().url()).expect("a URL");
    let connection = client.get_multiplexed_async_connection().await;
    let mut words = words.split(' ');
    let mut command = redis::cmd(words.next().unwrap_or_default());
    command.arg(words.collect::<Vec<_>>());
    let answer: redis::RedisResult<redis::Value> =
        command.query_async(&mut connection.expect("Redis runs")).await;
    format!("{:?}", answer.expect("an answer"))
}
