//! `verify`: what a write explains is not blamed on the cache, whenever it comes.

use std::time::{Duration, Instant};

use cache_runtime::{Builder, Verdict};
use ledger::{Base, Fact};

use super::bank::{Bank, story};
use super::desk::{Asked, Desk, Mood, Source};
use super::verify::{
    SETTLED, fact, hit_by, near_and_far, report, soon_settled, text, verdict, verified, with_facts,
};
use crate::harness::Story;

pub fn stories() -> Vec<Story> {
    vec![
        story!(verified_a_write_that_is_reported_later_leaves_it_undecided)
            .without_relay("a report is to be late"),
        story!(verified_a_write_that_is_undone_and_done_again_is_no_fault)
            .without_relay("a report is to be late"),
        story!(verified_no_write_is_ever_blamed_on_the_cache),
    ]
}

/// It has time to be reported before each load, and may be reported until the look after it.
async fn verified_a_write_that_is_reported_later_leaves_it_undecided<DB: Base>(bank: Bank<DB>) {
    for (desk, tier) in near_and_far(&bank).await {
        for loads in [1, 2] {
            text(&desk, 1).await;
            desk.events.forget();
            let mut began = Instant::now();
            hit_by(&desk, 1, tier).await;
            bank.sql("UPDATE fact SET text = text || 'er' WHERE id = 1").await;
            for _ in 0..loads {
                desk.is(Mood::Well);
                desk.waiting(0).await;
                desk.is(Mood::Waits);
                desk.waiting(1).await;
                assert!(began.elapsed() >= SETTLED, "it had no time to settle");
                began = Instant::now();
            }
            desk.cache.deliver_pending().await.expect("drained");
            desk.is(Mood::Well);
            let found = verdict(&desk, "fact_1", tier).await;
            assert_eq!(found, Verdict::Undecided, "by {tier}, at load {loads}");
        }
    }
}

/// An equal value in another entry is another one: see `verify.rs` of the runtime.
async fn verified_a_write_that_is_undone_and_done_again_is_no_fault<DB: Base>(bank: Bank<DB>) {
    for (desk, tier) in near_and_far(&bank).await {
        let (new, old) = (
            "UPDATE fact SET text = 'new' WHERE id = 1",
            "UPDATE fact SET text = 'old' WHERE id = 1",
        );
        desk.write(old).await;
        text(&desk, 1).await;
        hit_by(&desk, 1, tier).await;
        // Its first load says "new", of which nobody is told yet.
        bank.sql(new).await;
        desk.is(Mood::Waits);
        desk.waiting(1).await;
        // It is "old" again, and everybody is told; and is stored anew.
        bank.sql(old).await;
        desk.cache.deliver_pending().await.expect("drained");
        desk.is(Mood::WellFromNowOn);
        assert_eq!(text(&desk, 1).await, "old", "wrong answer");
        desk.is(Mood::Well);
        // If it went by the value, its second load would say "new" as well,
        // and what is served would still be "old".
        bank.sql(new).await;
        let found = verdict(&desk, "fact_1", tier).await;
        assert_eq!(found, Verdict::Undecided, "by {tier}");
        desk.cache.deliver_pending().await.expect("drained");
    }
}

/// Writers of every kind, several processes, every hit verified.
async fn verified_no_write_is_ever_blamed_on_the_cache<DB: Base>(bank: Bank<DB>) {
    const ENOUGH: usize = 300;
    with_facts(&bank).await;
    let asked = Asked::default();
    let mut desks = Vec::new();
    for n in 0..6 {
        let how = |it: Builder<Source<DB>>| it.relay(true).near(n % 2 == 0);
        let desk = bank.desk_with(bank.pool(), &asked, soon_settled(), None, how);
        desks.push(desk.await);
    }
    let count = |is: fn(Verdict) -> bool| -> usize {
        let of = desks.iter().map(|desk| verified(desk, |_, it| is(it)));
        of.sum()
    };
    let write = async {
        for round in 0.. {
            // The others are left alone, and consistent.
            let id = fastrand::i64(1..=10);
            let sql = format!("UPDATE fact SET text = 'round {round}' WHERE id = {id}");
            match fastrand::u8(..3) {
                0 => bank.sql(sql).await,
                _ => fastrand::choice(&desks).expect("a desk").write(&sql).await,
            }
            tokio::time::sleep(Duration::from_millis(fastrand::u64(..40))).await;
        }
    };
    let [a, b, c, d, e, f] = &desks[..] else { unreachable!("six of them") };
    let began = Instant::now();
    let enough = async {
        while count(|_| true) < ENOUGH {
            assert!(began.elapsed() < Duration::from_secs(120), "not so many");
            a.events.wait_for_more().await;
        }
    };
    tokio::select! {
        () = write => {}
        () = read(a) => {}
        () = read(b) => {}
        () = read(c) => {}
        () = read(d) => {}
        () = read(e) => {}
        () = read(f) => {}
        () = enough => {}
    }
    let counts = [Verdict::Consistent, Verdict::Inconsistent, Verdict::Undecided].map(|verdict| {
        let of = desks.iter().map(|desk| verified(desk, |_, it| it == verdict));
        of.sum::<usize>()
    });
    let [consistent, inconsistent, undecided] = counts;
    assert_eq!(inconsistent, 0, "of {counts:?}");
    assert!(consistent > 0 && undecided > 0, "{counts:?}");
}

/// For ever, in every way.
async fn read<DB: Base>(desk: &Desk<DB>) {
    loop {
        for _ in 0..10 {
            let id = fastrand::i64(1..=20);
            match fastrand::u8(..4) {
                0 => drop(report(desk).await),
                1 => drop(Fact::fetch_json(&desk.cache, id).await.expect("an answer")),
                2 => {
                    let slug = format!("slug {id}");
                    drop(Fact::get_by_slug(&desk.cache, slug).await.expect("an answer"));
                }
                _ => drop(fact(desk, id).await),
            }
        }
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
}
