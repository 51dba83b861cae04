//! Grace: what has expired is served for a while longer, and loaded
//! anew meanwhile; what was invalidated never is.

use std::time::{Duration, Instant};

use cache_runtime::{Answer, Cache, Error};
use ledger::{Base, Digest, Quote, Rumour};

use super::bank::{Bank, story};
use super::desk::{Desk, Mood, Source};
use crate::harness::soon::{PATIENCE, Soon};
use crate::harness::{Seen, Story};

/// As in `cache.toml`.
const TTL: Duration = Duration::from_secs(2);
const GRACE: Duration = Duration::from_secs(6);

pub fn stories() -> Vec<Story> {
    vec![
        story!(an_expired_value_answers_at_once_and_one_load_replaces_it),
        story!(what_expires_soon_is_loaded_again_at_once),
        story!(a_failing_source_is_covered_within_grace_and_asked_once_a_second),
        story!(an_expired_no_such_row_is_not_covered),
        story!(what_was_invalidated_is_not_covered),
        story!(a_write_during_the_background_load_wins),
        story!(what_is_built_from_it_takes_nothing_expired),
        story!(a_background_load_that_hangs_keeps_nobody),
    ]
}

async fn with_quote<DB: Base>(bank: &Bank<DB>) -> Desk<DB> {
    let rows = "INSERT INTO quote (id, text) VALUES (1, 'old');
                INSERT INTO digest (id, quote_id) VALUES (1, 1)";
    bank.sql(rows).await;
    bank.deliver_pending().await;
    bank.desk().await
}

/// What is read of quote 1 (`None`: no such row), and how.
type Said = Option<(String, i64)>;

async fn read<DB: Base>(cache: &Cache<Source<DB>>, id: i64) -> Result<(Said, Answer), Error> {
    let fetched = Quote::fetch(cache, id).await?;
    let said = fetched.value.map(|it| (it.text.clone(), it.edition));
    Ok((said, fetched.status.answer))
}

/// Reads until it is served expired: the first of those answers.
async fn expires<DB: Base>(desk: &Desk<DB>, id: i64) -> Said {
    let soon = Soon::within(PATIENCE);
    loop {
        match read(&desk.cache, id).await.expect("served") {
            (said, Answer::Stale { .. }) => return said,
            (_, Answer::Hit) => {}
            other => panic!("it is gone: {other:?}"),
        }
        soon.or("it does not expire").await;
    }
}

fn quote(text: &str, edition: i64) -> Said {
    Some((text.to_owned(), edition))
}

async fn an_expired_value_answers_at_once_and_one_load_replaces_it<DB: Base>(bank: Bank<DB>) {
    let desk = with_quote(&bank).await;
    desk.quote(1).await.expect("a quote");
    desk.is(Mood::Waits);
    let said = expires(&desk, 1).await;
    assert_eq!(said, quote("old", 1), "wrong answer");
    // While it is being loaded, it goes on answering.
    desk.asked.reach("quote", 2).await;
    let readers: Vec<_> = (0..50).map(|_| desk.quote_meanwhile(1)).collect();
    for reader in readers {
        let fetched = reader.await.expect("no panic").expect("a quote");
        let edition = fetched.value.expect("a row").edition;
        assert_eq!(edition, 1, "wrong answer");
        let tier = if bank.has_redis() { "redis" } else { "memory" };
        let status = fetched.status.to_string();
        let expired = status.strip_prefix(&format!("{tier}; hit; ttl=-"));
        expired.unwrap_or_else(|| panic!("{status}"));
    }
    assert_eq!(desk.asked.times("quote"), 2, "one load for all of them");
    desk.is(Mood::Well);
    desk.filled(2).await;
    let (said, answer) = read(&desk.cache, 1).await.expect("a quote");
    assert_eq!(said, quote("old", 2), "wrong answer");
    assert_eq!(answer, Answer::Hit, "it is fresh");
    assert_eq!(desk.asked.times("quote"), 2);
}

/// Only a source that has failed is left alone for a second.
async fn what_expires_soon_is_loaded_again_at_once<DB: Base>(bank: Bank<DB>) {
    bank.sql("INSERT INTO rumour (id, text) VALUES (1, 'old')").await;
    bank.deliver_pending().await;
    let desk = bank.desk().await;
    // The quickest of some, as the machine may be busy.
    let mut quickest = PATIENCE;
    let stored = || {
        let stored = Seen::Filled("rumour_1".to_owned(), true);
        desk.events.count(|seen| *seen == stored)
    };
    for _ in 0..5 {
        let (began, before, soon) = (Instant::now(), stored(), Soon::within(PATIENCE));
        // What is there now may have expired, and is replaced; then that expires.
        while stored() < before + 2 {
            Rumour::get(&desk.cache, 1).await.expect("served");
            soon.or("it is not loaded again").await;
        }
        quickest = quickest.min(began.elapsed());
    }
    assert!(quickest < Duration::from_millis(900), "it is loaded again after {quickest:?}");
}

async fn a_failing_source_is_covered_within_grace_and_asked_once_a_second<DB: Base>(
    bank: Bank<DB>,
) {
    let desk = with_quote(&bank).await;
    is_covered(&desk, 1, quote("old", 1)).await;
}

/// Strangers ask for rows that are not there: what is kept of those has a short life.
async fn an_expired_no_such_row_is_not_covered<DB: Base>(bank: Bank<DB>) {
    let desk = with_quote(&bank).await;
    let stored = Instant::now();
    assert!(desk.quote(404).await.expect("loaded").value.is_none());
    desk.is(Mood::Fails);
    while let Ok(said) = desk.quote(404).await {
        assert!(said.value.is_none() && said.status.answer == Answer::Hit);
        assert!(stored.elapsed() < TTL + GRACE / 2, "it is served for longer");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}

/// From its first load to the end of its grace, with a source that fails; then it is well again.
async fn is_covered<DB: Base>(desk: &Desk<DB>, id: i64, right: Said) {
    let before = Instant::now();
    desk.quote(id).await.expect("loaded");
    let stored = Instant::now();
    desk.is(Mood::Fails);
    let said = expires(desk, id).await;
    assert_eq!(said, right, "wrong answer");
    let expired = Instant::now();
    let covered = loop {
        let asked = Instant::now();
        match read(&desk.cache, id).await {
            Ok((said, answer)) => {
                assert_eq!(said, right, "wrong answer");
                assert!(matches!(answer, Answer::Stale { .. }), "{answer:?}");
                let age = asked - stored;
                assert!(
                    age < TTL + GRACE + Duration::from_millis(100),
                    "wrong answer: served {age:?} after it was loaded"
                );
            }
            Err(error) => {
                assert!(error.is_load(), "{error}");
                break expired.elapsed();
            }
        }
        tokio::time::sleep(Duration::from_millis(5)).await;
    };
    let age = before.elapsed();
    assert!(age + Duration::from_millis(50) > TTL + GRACE, "gone too soon, after {age:?}");
    // The last one was no longer in the background.
    let loads = desk.asked.times("quote") - 2;
    let most = covered.as_secs() as usize + 1;
    println!("a failing source was asked {loads} times in {covered:?}");
    assert!((2..=most).contains(&loads), "asked {loads} times in {covered:?}");

    desk.is(Mood::Well);
    let (said, _) = read(&desk.cache, id).await.expect("well again");
    let texts = [said, right].map(|said| said.map(|(text, _)| text));
    assert_eq!(texts[0], texts[1], "wrong answer");
}

async fn what_was_invalidated_is_not_covered<DB: Base>(bank: Bank<DB>) {
    let desk = with_quote(&bank).await;
    for expired in [false, true] {
        desk.is(Mood::Well);
        desk.cache.refresh::<Quote>(1).await.expect("stored");
        desk.is(Mood::Fails);
        if expired {
            expires(&desk, 1).await;
        }
        let update = format!("UPDATE quote SET text = 'new {expired}' WHERE id = 1");
        desk.write(&update).await;
        for _ in 0..5 {
            let said = read(&desk.cache, 1).await;
            assert!(said.is_err(), "wrong answer: {said:?}");
        }
        desk.is(Mood::Well);
        let (said, _) = read(&desk.cache, 1).await.expect("a quote");
        let text = said.map(|(text, _)| text);
        assert_eq!(text, Some(format!("new {expired}")), "wrong answer");
    }
}

async fn a_write_during_the_background_load_wins<DB: Base>(bank: Bank<DB>) {
    let desk = with_quote(&bank).await;
    desk.quote(1).await.expect("a quote");
    desk.is(Mood::Waits);
    expires(&desk, 1).await;
    desk.asked.reach("quote", 2).await;
    // It has the old row in its hands.
    tokio::time::sleep(Duration::from_millis(50)).await;
    desk.write("UPDATE quote SET text = 'new' WHERE id = 1").await;
    let readers: Vec<_> = (0..5).map(|_| desk.quote_meanwhile(1)).collect();
    desk.missed(6).await;
    desk.is(Mood::Well);
    for reader in readers {
        let fetched = reader.await.expect("no panic").expect("a quote");
        assert_eq!(fetched.value.expect("a row").text, "new", "wrong answer");
    }
    let (said, _) = read(&desk.cache, 1).await.expect("a quote");
    assert_eq!(said.expect("a row").0, "new", "wrong answer");
}

async fn what_is_built_from_it_takes_nothing_expired<DB: Base>(bank: Bank<DB>) {
    let desk = with_quote(&bank).await;
    desk.quote(1).await.expect("a quote");
    desk.is(Mood::Fails);
    expires(&desk, 1).await;
    let failed = Digest::get(&desk.cache, 1).await;
    let error = failed.map(|digest| digest.map(|digest| digest.quote.clone()));
    let error = error.expect_err("wrong answer: built from what has expired");
    assert!(error.is_load(), "{error}");
    let loads = desk.asked.times("quote");

    desk.is(Mood::Well);
    let digest = Digest::get(&desk.cache, 1).await.expect("a digest");
    let quote = digest.and_then(|digest| digest.quote.clone());
    let edition = quote.expect("a quote").edition;
    assert_eq!(edition, loads as i64 + 1, "wrong answer: it has expired");
}

async fn a_background_load_that_hangs_keeps_nobody<DB: Base>(bank: Bank<DB>) {
    let desk = with_quote(&bank).await;
    desk.quote(1).await.expect("a quote");
    desk.is(Mood::Hangs);
    expires(&desk, 1).await;
    let began = Instant::now();
    // Past its `load-timeout`: it is given up, and tried again.
    while desk.asked.times("quote") < 3 {
        let asked = Instant::now();
        let (said, _) = read(&desk.cache, 1).await.expect("served");
        assert_eq!(said, quote("old", 1), "wrong answer");
        let waited = asked.elapsed();
        assert!(waited < Duration::from_secs(1), "it waited for {waited:?}");
        assert!(began.elapsed() < GRACE, "it is not tried again");
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    desk.is(Mood::Well);
}
