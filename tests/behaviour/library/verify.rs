//! `verify`: hits are compared with the source a while later. What is stale for good is found.
//! (What a write explains: see `verify_writes.rs`.)

use std::sync::Arc;
use std::time::{Duration, Instant};

use cache_runtime::{Answer, Builder, Schema, Verdict};
use ledger::{Base, Fact, Report, Rumour, SCHEMA};

use super::bank::{Bank, story};
use super::desk::{Asked, Desk, Mood, Source};
use crate::harness::soon::{PATIENCE, Soon, soon};
use crate::harness::{Seen, Story, Without};

/// How long a verification settles by `cache.toml`: twice `poll`, half a
/// second for the store, and `near.max-staleness`.
const SETTLING: Duration = Duration::from_millis(3500);

pub fn stories() -> Vec<Story> {
    // What a relay delivers once more, a verification takes for a write: then it has no verdict.
    const WHY: &str = "nobody is to deliver but when the story says so";
    [
        story!(verified_what_is_right_is_consistent),
        story!(verified_what_nobody_reported_is_found),
        story!(verified_a_row_that_nobody_reported_is_found),
        story!(verified_what_a_fill_without_a_fence_leaves_is_found),
        story!(verified_ignored_columns_may_be_old),
        story!(verified_a_load_that_fails_leaves_it_undecided),
        story!(verified_without_redis_it_is_undecided).own_redis(),
        story!(verified_what_has_expired_is_not_verified),
        story!(verified_so_many_are_verified_at_once),
        story!(verified_a_cache_that_nobody_has_is_not_kept_for_it),
    ]
    .map(|story| story.without_relay(WHY))
    .into()
}

/// How long it does by `soon_settled`.
pub(super) const SETTLED: Duration = Duration::from_millis(1000);

/// `cache.toml`, but that a verification settles for a second.
pub(super) fn soon_settled() -> &'static Schema {
    Box::leak(Box::new(Schema {
        poll: Duration::from_millis(50),
        max_staleness: Some(Duration::from_millis(400)),
        ..SCHEMA
    }))
}

async fn desk<DB: Base>(
    bank: &Bank<DB>,
    how: impl FnOnce(Builder<Source<DB>>) -> Builder<Source<DB>>,
) -> Desk<DB> {
    let asked = Asked::default();
    bank.desk_with(bank.pool(), &asked, soon_settled(), None, how).await
}

/// A few facts, one of them with a report.
pub(super) async fn with_facts<DB: Base>(bank: &Bank<DB>) {
    for id in 1..=40 {
        // What serde_json makes of this number's text is another one.
        let weight = "31.245270191439438";
        let columns = format!("({id}, 'slug {id}', 'old', {weight})");
        bank.sql(format!("INSERT INTO fact (id, slug, text, weight) VALUES {columns}")).await;
    }
    bank.sql("INSERT INTO report (id, fact_id) VALUES (1, 1)").await;
    bank.deliver_pending().await;
}

/// With a near cache, and without.
pub(super) async fn near_and_far<DB: Base>(bank: &Bank<DB>) -> [(Desk<DB>, &'static str); 2] {
    with_facts(bank).await;
    let (near, far) =
        (desk(bank, |builder| builder).await, desk(bank, |builder| builder.near(false)).await);
    [(near, "near"), (far, store(bank))]
}

fn store<DB: Base>(bank: &Bank<DB>) -> &'static str {
    if bank.has_redis() { "redis" } else { "memory" }
}

/// Writes as one whose triggers are disabled. On SQLite, where
/// nobody can do that, the report is lost.
async fn write_unreported<DB: Base>(bank: &Bank<DB>, sql: &str) {
    let (before, after) = match bank.is_postgres() {
        true => ("SET LOCAL session_replication_role = replica", ""),
        false => ("", "DELETE FROM cache_outbox WHERE delivered_at IS NULL"),
    };
    bank.sql(format!("BEGIN; {before}; {sql}; {after}; COMMIT")).await;
}

pub(super) async fn fact<DB: Base>(desk: &Desk<DB>, id: i64) -> Option<Arc<Fact>> {
    Fact::get(&desk.cache, id).await.expect("an answer")
}

pub(super) async fn text<DB: Base>(desk: &Desk<DB>, id: i64) -> String {
    fact(desk, id).await.expect("a row").text.clone()
}

pub(super) async fn report<DB: Base>(desk: &Desk<DB>) -> Arc<Report> {
    let report = Report::get(&desk.cache, 1).await.expect("an answer");
    report.expect("a row")
}

/// Reads until this tier answers. (What is near may not be served for a moment, when a machine is
/// slow. Then the hits of the store are not to take all the places of verifications.)
pub(super) async fn hit_by<DB: Base>(desk: &Desk<DB>, id: i64, tier: &str) -> Option<Arc<Fact>> {
    let soon = Soon::within(PATIENCE);
    loop {
        let fetched = Fact::fetch(&desk.cache, id).await.expect("an answer");
        if fetched.status.tier == tier && fetched.status.answer == Answer::Hit {
            return fetched.value;
        }
        soon.at_once_or(format_args!("no hit by {tier}"));
    }
}

/// Waits until a hit of this key was verified.
pub(super) async fn verdict<DB: Base>(desk: &Desk<DB>, key: &str, tier: &str) -> Verdict {
    let of = |seen: &Seen| match seen {
        Seen::Verified(it, by, verdict) if it == key && *by == tier => Some(*verdict),
        _ => None,
    };
    let what = format!("a verified hit of {key} by {tier}");
    desk.events.wait_for(&what, |seen| of(seen).is_some()).await;
    let first = desk.events.seen().iter().find_map(of);
    first.expect("it was seen")
}

pub(super) fn verified(desk: &Desk<impl Base>, is: impl Fn(&str, Verdict) -> bool) -> usize {
    desk.events.count(|seen| matches!(seen, Seen::Verified(key, _, verdict) if is(key, *verdict)))
}

async fn verified_what_is_right_is_consistent<DB: Base>(bank: Bank<DB>) {
    for (desk, tier) in near_and_far(&bank).await {
        for _ in 0..2 {
            let found = Fact::get_by_slug(&desk.cache, "slug 1").await;
            assert!(found.expect("an answer").is_some());
            assert!(fact(&desk, 404).await.is_none());
            report(&desk).await;
            let json = Fact::fetch_json(&desk.cache, 2).await;
            assert!(json.expect("an answer").value.is_some());
        }
        hit_by(&desk, 1, tier).await;
        for (key, tier) in [
            ("fact_1", tier),
            ("fact_by_slug_slug%201", tier),
            ("fact_404", tier),
            ("report_1", store(&bank)),
            // JSON has a place of its own near, or not.
            ("fact_2", tier),
        ] {
            let verdict = verdict(&desk, key, tier).await;
            assert_eq!(verdict, Verdict::Consistent, "{key} by {tier}");
        }
    }
}

async fn verified_what_nobody_reported_is_found<DB: Base>(bank: Bank<DB>) {
    for (desk, tier) in near_and_far(&bank).await {
        report(&desk).await;
        hit_by(&desk, 1, tier).await;
        let json = Fact::fetch_json(&desk.cache, 2).await;
        json.expect("an answer");
        Fact::get_by_slug(&desk.cache, "slug 3").await.expect("an answer");

        write_unreported(&bank, "UPDATE fact SET text = text || 'er', slug = 'another ' || id")
            .await;
        let old = hit_by(&desk, 1, tier).await.expect("a row");
        let embedded = report(&desk).await.fact.clone();
        assert_eq!(embedded.map(|fact| fact.text.clone()), Some(old.text.clone()));
        for _ in 0..2 {
            let json = Fact::fetch_json(&desk.cache, 2).await;
            assert!(json.expect("an answer").value.is_some());
            let found = Fact::get_by_slug(&desk.cache, "slug 3").await;
            assert!(found.expect("an answer").is_some());
        }
        for (key, tier) in [
            ("fact_1", tier),
            ("report_1", store(&bank)),
            ("fact_2", tier),
            ("fact_by_slug_slug%203", tier),
        ] {
            let found = verdict(&desk, key, tier).await;
            assert_eq!(found, Verdict::Inconsistent, "{key} by {tier}");
        }
        // Another desk begins with what is there now.
        desk.cache.clear().await.expect("cleared");
        let back = "UPDATE fact SET slug = 'slug ' || id";
        desk.write(back).await;
    }
}

async fn verified_a_row_that_nobody_reported_is_found<DB: Base>(bank: Bank<DB>) {
    for (desk, tier) in near_and_far(&bank).await {
        for write in [
            "INSERT INTO fact (id, slug, text, weight) VALUES (404, 'new', 'new', 1)",
            "DELETE FROM fact WHERE id = 404",
        ] {
            let before = fact(&desk, 404).await;
            write_unreported(&bank, write).await;
            assert_eq!(hit_by(&desk, 404, tier).await, before, "it is stale");
            let found = verdict(&desk, "fact_404", tier).await;
            assert_eq!(found, Verdict::Inconsistent, "after {write}");
            desk.cache.clear().await.expect("cleared");
            desk.events.forget();
        }
    }
}

async fn verified_what_a_fill_without_a_fence_leaves_is_found<DB: Base>(bank: Bank<DB>) {
    with_facts(&bank).await;
    for (mutant, expected) in
        [(None, Verdict::Consistent), (Some(Without::Fence), Verdict::Inconsistent)]
    {
        let (asked, schema) = (Asked::default(), soon_settled());
        let desk = bank.desk_with(bank.pool(), &asked, schema, mutant, |it| it.near(false));
        let desk = desk.await;
        desk.cache.clear().await.expect("cleared");
        // A write that is quicker than the load of a reader.
        let hold = desk.events.hold_after_load("fact_1");
        let reader = tokio::spawn({
            let desk = desk.clone();
            async move { text(&desk, 1).await }
        });
        hold.reached().await;
        desk.write("UPDATE fact SET text = text || 'er' WHERE id = 1").await;
        hold.release();
        reader.await.expect("a reader");
        hit_by(&desk, 1, store(&bank)).await;
        let found = verdict(&desk, "fact_1", store(&bank)).await;
        assert_eq!(found, expected, "{mutant:?}");
    }
}

async fn verified_ignored_columns_may_be_old<DB: Base>(bank: Bank<DB>) {
    for (desk, tier) in near_and_far(&bank).await {
        // Of the one before it, which was cleared, this one hears first.
        desk.cache.deliver_pending().await.expect("drained");
        report(&desk).await;
        hit_by(&desk, 1, tier).await;
        bank.sql("UPDATE fact SET views = views + 1").await;
        desk.cache.deliver_pending().await.expect("drained");
        desk.events.forget();
        let stale = hit_by(&desk, 1, tier).await.expect("a row").views;
        let views = bank.number("SELECT views FROM fact WHERE id = 1").await;
        assert_ne!(stale, views, "nobody reports it");
        report(&desk).await;
        for (key, tier) in [("fact_1", tier), ("report_1", store(&bank))] {
            let found = verdict(&desk, key, tier).await;
            assert_eq!(found, Verdict::Consistent, "{key} by {tier}");
        }
        desk.cache.clear().await.expect("cleared");
    }
}

async fn verified_a_load_that_fails_leaves_it_undecided<DB: Base>(bank: Bank<DB>) {
    for (desk, tier) in near_and_far(&bank).await {
        text(&desk, 1).await;
        report(&desk).await;
        desk.is(Mood::Fails);
        hit_by(&desk, 1, tier).await;
        // Its own load does not fail, but a nested one does.
        report(&desk).await;
        for (key, tier) in [("fact_1", tier), ("report_1", store(&bank))] {
            let found = verdict(&desk, key, tier).await;
            assert_eq!(found, Verdict::Undecided, "{key} by {tier}");
        }
    }
}

async fn verified_without_redis_it_is_undecided<DB: Base>(bank: Bank<DB>) {
    let desks = near_and_far(&bank).await;
    for (desk, tier) in &desks {
        text(desk, 1).await;
        hit_by(desk, 1, tier).await;
    }
    // It is stale, but nobody can be served it.
    write_unreported(&bank, "UPDATE fact SET text = 'new'").await;
    bank.redis().server().stop();
    for (desk, tier) in &desks {
        let found = verdict(desk, "fact_1", tier).await;
        assert_eq!(found, Verdict::Undecided, "by {tier}");
    }
}

async fn verified_what_has_expired_is_not_verified<DB: Base>(bank: Bank<DB>) {
    with_facts(&bank).await;
    bank.sql("INSERT INTO rumour (id, text) VALUES (1, 'old')").await;
    let desk = desk(&bank, |builder| builder).await;
    let read = async || {
        let fetched = Rumour::fetch(&desk.cache, 1).await;
        fetched.expect("within grace").status.answer
    };
    read().await;
    desk.is(Mood::Fails);
    let (mut fresh, mut expired) = (0, 0);
    while expired < 5 {
        match read().await {
            Answer::Hit => fresh += 1,
            Answer::Stale { .. } => expired += 1,
            other => panic!("{other:?}"),
        }
        tokio::time::sleep(Duration::from_millis(30)).await;
    }
    desk.is(Mood::Well);
    text(&desk, 1).await;
    text(&desk, 1).await;
    desk.events
        .wait_for("a later one", |seen| matches!(seen, Seen::Verified(key, ..) if key == "fact_1"))
        .await;
    assert_eq!(verified(&desk, |key, _| key == "rumour_1"), fresh);
}

async fn verified_so_many_are_verified_at_once<DB: Base>(bank: Bank<DB>) {
    for (desk, tier) in near_and_far(&bank).await {
        let ids: Vec<i64> = (1..=40).collect();
        let read = async || Fact::fetch_many(&desk.cache, &ids).await.expect("answers");
        read().await;
        let before = desk.asked.times("fact");
        desk.is(Mood::Waits);
        for hit in read().await {
            assert_eq!(hit.status.answer, Answer::Hit);
        }
        // All that were drawn are loading now; more are not drawn.
        desk.waiting(16).await;
        read().await;
        desk.is(Mood::Well);
        soon("verdicts", || verified(&desk, |_, _| true) == 16).await;
        assert_eq!(desk.asked.times("fact"), before + 16);
        assert_eq!(verified(&desk, |_, it| it == Verdict::Consistent), 16);
        // There is room again.
        hit_by(&desk, 1, tier).await;
        soon("verdicts", || verified(&desk, |_, _| true) > 16).await;
    }
}

async fn verified_a_cache_that_nobody_has_is_not_kept_for_it<DB: Base>(bank: Bank<DB>) {
    with_facts(&bank).await;
    let desk = bank.desk().await;
    text(&desk, 1).await;
    let hit = Instant::now();
    text(&desk, 1).await;
    // Its observer holds them.
    let events = Arc::downgrade(&desk.events);
    drop(desk);
    soon("owners", || events.strong_count() == 0).await;
    assert!(hit.elapsed() < SETTLING, "it was kept until it had settled");
}
