//! `Cache::refresh`: loads what is stored already, and stores it,
//! unless something was invalidated meanwhile.

use std::time::Duration;

use cache_runtime::Error;
use ledger::{Base, Page};
use tokio::task::JoinHandle;

use super::bank::{Bank, story};
use super::desk::{Desk, Mood};
use crate::harness::soon::{PATIENCE, Soon};
use crate::harness::{Seen, Story};

/// A write whose report is never delivered.
const UNREPORTED: &str =
    "BEGIN; UPDATE page SET text = 'new' WHERE id = 1; DELETE FROM cache_outbox; COMMIT";

pub fn stories() -> Vec<Story> {
    // A refresh reports before it loads. A relay, which that wakes on PostgreSQL, may deliver the
    // report once more when the value is stored again, and so remove it: nothing is wrong then, but
    // it is to be loaded by the next reader. Known, and not mended.
    const WHY: &str = "one that delivers the same report removes what was stored";
    vec![
        story!(a_refresh_replaces_what_is_stored).without_relay(WHY),
        story!(a_refresh_sees_what_nobody_reported).without_relay(WHY),
        story!(an_invalidation_by_hand_sees_what_nobody_reported).without_relay(WHY),
        story!(a_refresh_that_is_overtaken_by_a_write_stores_nothing),
        story!(concurrent_refreshes_share_a_load_that_began_after_them).without_relay(WHY),
        story!(many_are_refreshed_in_one_load).without_relay(WHY),
        story!(a_refresh_that_fails_leaves_nothing_old).without_relay(WHY),
        story!(a_refresh_without_redis_is_no_error).own_redis().without_relay(WHY),
        story!(a_refresh_while_redis_is_away_is_not_lost).own_redis(),
    ]
}

async fn with_pages<DB: Base>(bank: &Bank<DB>) -> Desk<DB> {
    for id in 1..=100 {
        let insert = format!("INSERT INTO page (id, text) VALUES ({id}, 'old')");
        bank.sql(insert).await;
    }
    bank.deliver_pending().await;
    bank.desk().await
}

fn refresh_meanwhile<DB: Base>(desk: &Desk<DB>) -> JoinHandle<Result<(), Error>> {
    let cache = desk.cache.clone();
    tokio::spawn(async move { cache.refresh::<Page>(1).await })
}

async fn read<DB: Base>(desk: &Desk<DB>) -> (String, i64) {
    let page = desk.page(1).await.expect("a page").expect("a row");
    (page.text.clone(), page.edition)
}

/// Drains as soon as Redis answers again.
async fn back<DB: Base>(desk: &Desk<DB>) {
    let soon = Soon::within(PATIENCE);
    while let Err(error) = desk.cache.deliver_pending().await {
        soon.at_once_or(format_args!("it does not come back: {error}"));
    }
}

async fn a_refresh_replaces_what_is_stored<DB: Base>(bank: Bank<DB>) {
    let desk = with_pages(&bank).await;
    for edition in 1..4 {
        let refreshed = Page::refresh(&desk.cache, 1).await;
        refreshed.expect("refreshed");
        assert_eq!(desk.asked.times("page"), edition, "it loads");
        let said = read(&desk).await;
        assert_eq!(said, ("old".to_owned(), edition as i64), "wrong answer");
        assert_eq!(desk.asked.times("page"), edition, "it has stored");
    }
    // No such row, then one.
    desk.cache.refresh::<Page>(404).await.expect("refreshed");
    let page = desk.page(404).await.expect("an answer");
    assert!(page.is_none(), "wrong answer");
    assert_eq!(desk.asked.times("page"), 4);
}

async fn a_refresh_sees_what_nobody_reported<DB: Base>(bank: Bank<DB>) {
    let desk = with_pages(&bank).await;
    desk.page(1).await.expect("a page");
    // The report is never delivered.
    bank.sql(UNREPORTED).await;
    assert_eq!(read(&desk).await.0, "old", "it is stored");
    desk.cache.refresh::<Page>(1).await.expect("refreshed");
    assert_eq!(read(&desk).await.0, "new", "wrong answer");
    assert_eq!(desk.asked.times("page"), 2);
}

async fn an_invalidation_by_hand_sees_what_nobody_reported<DB: Base>(bank: Bank<DB>) {
    let desk = with_pages(&bank).await;
    desk.page(1).await.expect("a page");
    bank.sql(UNREPORTED).await;
    assert_eq!(read(&desk).await.0, "old", "it is stored");
    let invalidated = Page::invalidate(&desk.cache, 1).await;
    invalidated.expect("invalidated");
    assert_eq!(desk.asked.times("page"), 1, "it loads nothing");
    assert_eq!(read(&desk).await.0, "new", "wrong answer");
}

async fn a_refresh_that_is_overtaken_by_a_write_stores_nothing<DB: Base>(bank: Bank<DB>) {
    let desk = with_pages(&bank).await;
    desk.page(1).await.expect("a page");
    let held = desk.events.hold_after_load("page_1");
    let refresh = refresh_meanwhile(&desk);
    // It has the old row in its hands.
    held.reached().await;
    desk.write("UPDATE page SET text = 'new' WHERE id = 1").await;
    held.release();
    refresh.await.expect("no panic").expect("no error");
    let refused = Seen::Filled("page_1".to_owned(), false);
    assert_eq!(desk.events.count(|seen| *seen == refused), 1, "wrong answer");
    assert_eq!(read(&desk).await.0, "new", "wrong answer");
}

async fn concurrent_refreshes_share_a_load_that_began_after_them<DB: Base>(bank: Bank<DB>) {
    const LATE: usize = 10;
    let desk = with_pages(&bank).await;
    let first_load = desk.events.hold_after_load("page_1");
    let first = refresh_meanwhile(&desk);
    first_load.reached().await;
    bank.sql(UNREPORTED).await;
    // They come after that write, so what the first has read is not for them.
    let late: Vec<_> = (0..LATE).map(|_| refresh_meanwhile(&desk)).collect();
    desk.missed(1 + LATE).await;
    let second_load = desk.events.hold_before_load("page_1");
    first_load.release();
    first.await.expect("no panic").expect("refreshed");
    second_load.reached().await;
    desk.missed(1 + 2 * LATE).await;
    assert!(late.iter().all(|refresh| !refresh.is_finished()));
    second_load.release();
    for refresh in late {
        refresh.await.expect("no panic").expect("refreshed");
    }
    assert_eq!(desk.asked.times("page"), 2, "one load for all who came late");
    assert_eq!(read(&desk).await, ("new".to_owned(), 2), "wrong answer");
}

async fn many_are_refreshed_in_one_load<DB: Base>(bank: Bank<DB>) {
    let desk = with_pages(&bank).await;
    let ids: Vec<i64> = (1..=100).collect();
    // Some are stored, some are asked for twice.
    Page::get_many(&desk.cache, &ids[..50]).await.expect("pages");
    let twice = [&ids[..], &ids[..10]].concat();
    desk.cache.refresh_many::<Page>(&twice).await.expect("refreshed");
    assert_eq!(desk.asked.ids("page")[1], ids, "one load, each id once");
    let pages = Page::get_many(&desk.cache, &ids).await.expect("pages");
    let editions: Vec<i64> = pages.into_iter().flatten().map(|page| page.edition).collect();
    assert_eq!(editions, [2; 100], "wrong answer");
    assert_eq!(desk.asked.times("page"), 2, "all are stored");
    desk.cache.refresh_many::<Page>(&[]).await.expect("nothing to do");
    assert_eq!(desk.asked.times("page"), 2);
}

async fn a_refresh_that_fails_leaves_nothing_old<DB: Base>(bank: Bank<DB>) {
    let desk = with_pages(&bank).await;
    desk.page(1).await.expect("a page");
    desk.is(Mood::Fails);
    let error = desk.cache.refresh::<Page>(1).await.expect_err("it fails");
    assert!(error.is_load(), "{error}");
    desk.is(Mood::Well);
    assert_eq!(read(&desk).await, ("old".to_owned(), 3), "wrong answer");
}

async fn a_refresh_without_redis_is_no_error<DB: Base>(bank: Bank<DB>) {
    let desk = with_pages(&bank).await;
    desk.page(1).await.expect("a page");
    bank.redis().server().kill();
    for loads in 2..5 {
        let refresh = desk.cache.refresh::<Page>(1);
        let refresh = tokio::time::timeout(Duration::from_secs(5), refresh).await;
        refresh.expect("in time").expect("no error");
        assert_eq!(desk.asked.times("page"), loads, "it loads all the same");
    }
    bank.redis().server().start_again();
    back(&desk).await;
    desk.cache.refresh::<Page>(1).await.expect("refreshed");
    let loads = desk.asked.times("page");
    assert_eq!(read(&desk).await, ("old".to_owned(), loads as i64), "wrong answer");
    assert_eq!(desk.asked.times("page"), loads, "it has stored");
}

/// The store has kept the old value all the while.
async fn a_refresh_while_redis_is_away_is_not_lost<DB: Base>(bank: Bank<DB>) {
    let desk = with_pages(&bank).await;
    desk.page(1).await.expect("a page");
    bank.sql(UNREPORTED).await;
    bank.redis().server().freeze();
    // It is away from here on, and told nothing.
    desk.page(1).await.expect("a page");
    desk.cache.refresh::<Page>(1).await.expect("no error");
    bank.redis().server().thaw();
    back(&desk).await;
    assert_eq!(read(&desk).await.0, "new", "wrong answer");
}
