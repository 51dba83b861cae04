//! Values that are large, depend on much, or do not come back as
//! they were stored; and a link that is slow.

use std::sync::Arc;
use std::time::{Duration, Instant};

use cache_runtime::RedisStore;
use ledger::{Base, Crowd, Note, OddNote};
use tokio::task::JoinSet;

use super::bank::{BUSY, Bank, Branch, quoted, story};
use crate::harness::{Proxy, Seen, Story};

pub fn stories() -> Vec<Story> {
    const WHY: &str = "what it asks of a slow store is not what is timed";
    let mut stories = vec![
        story!(a_value_of_more_than_max_value_is_not_stored),
        story!(a_value_of_more_than_max_tags_is_not_stored),
        story!(a_value_that_does_not_come_back_is_not_stored),
    ];
    stories.extend(
        [
            story!(a_server_that_takes_less_than_max_value_stays_in_use).own_redis(),
            story!(many_large_values_on_a_slow_link_do_not_take_the_store_away).own_redis(),
        ]
        .map(|story| story.without_relay(WHY)),
    );
    stories
}

/// How often a value was said not to be stored, for a reason with these words.
fn unstorable<DB: Base>(bank: &Bank<DB>, words: &str) -> usize {
    bank.events.count(|seen| {
        matches!(seen, Seen::Other(text) if text.starts_with("Unstorable") && text.contains(words))
    })
}

async fn a_value_of_more_than_max_value_is_not_stored<DB: Base>(bank: Bank<DB>) {
    bank.sql("INSERT INTO crowd (id) VALUES (1), (2)").await;
    let about = "x".repeat(3000);
    bank.sql(format!(
        "INSERT INTO member (id, crowd_id, about) VALUES (1, 1, '{about}'), (2, 2, 'short')"
    ))
    .await;
    bank.deliver_pending().await;
    for n in 1..=3 {
        let crowds = Crowd::get_many(&bank.cache, &[1, 2]).await.expect("loaded");
        let large = crowds[0].as_ref().expect("there");
        assert_eq!(large.members[0].about, about);
        assert_eq!(unstorable(&bank, "max-value"), n);
    }
    // Its neighbour is stored.
    assert_eq!((bank.hits("crowd_1"), bank.hits("crowd_2")), (0, 2));
    bank.write("UPDATE member SET about = 'less' WHERE id = 1").await.expect("committed");
    for _ in 0..2 {
        let crowd = Crowd::get(&bank.cache, 1).await.expect("loaded");
        assert_eq!(crowd.expect("there").members[0].about, "less");
    }
    assert_eq!(bank.hits("crowd_1"), 1);
}

async fn a_value_of_more_than_max_tags_is_not_stored<DB: Base>(bank: Bank<DB>) {
    bank.sql("INSERT INTO crowd (id) VALUES (1)").await;
    // Its own, that of its members, and of each of them that of badges.
    let members = async |range: std::ops::Range<i64>| {
        for id in range {
            bank.sql(format!("INSERT INTO member (id, crowd_id, about) VALUES ({id}, 1, '')"))
                .await;
        }
        bank.deliver_pending().await;
    };
    members(0..10).await;
    for _ in 0..2 {
        Crowd::get(&bank.cache, 1).await.expect("loaded");
    }
    assert_eq!((bank.hits("crowd_1"), unstorable(&bank, "max-tags")), (1, 0));
    members(10..30).await;
    for n in 1..=2 {
        let crowd = Crowd::get(&bank.cache, 1).await.expect("loaded");
        assert_eq!(crowd.expect("there").members.len(), 30);
        assert_eq!(unstorable(&bank, "max-tags"), n);
    }
    assert_eq!(bank.hits("crowd_1"), 1);
}

async fn a_value_that_does_not_come_back_is_not_stored<DB: Base>(bank: Bank<DB>) {
    let mut said = 0;
    for text in ["NaN", "deep"] {
        let write = format!("UPDATE note SET text = {}", quoted(text));
        bank.write(&write).await.expect("committed");
        for _ in 0..3 {
            let note = OddNote::get(&bank.cache, "n").await;
            assert!(note.expect("loaded").is_some());
            said += 1;
            assert_eq!(unstorable(&bank, "does not decode again"), said, "{text}");
        }
    }
    let unreadable = bank
        .events
        .count(|seen| matches!(seen, Seen::Other(text) if text.starts_with("Unreadable")));
    assert_eq!((bank.hits("note_n"), unreadable), (0, 0));
    bank.write("UPDATE note SET text = 'as usual'").await.expect("committed");
    for _ in 0..2 {
        let note = OddNote::get(&bank.cache, "n").await;
        assert!(note.expect("loaded").is_some());
    }
    assert_eq!(bank.hits("note_n"), 1);
}

/// What fits, so many letters each.
async fn notes<DB: Base>(bank: &Bank<DB>, notes: usize, letters: usize) -> Vec<String> {
    let text = "x".repeat(letters);
    for n in 0..notes {
        bank.sql(format!("INSERT INTO note (id, text) VALUES ('{n}', '{text}')")).await;
    }
    bank.deliver_pending().await;
    (0..notes).map(|n| n.to_string()).collect()
}

async fn read_all<DB: Base>(branch: &Branch<DB>, ids: &[String]) {
    let read = Note::get_many(&branch.cache, ids).await.expect("read");
    assert!(read.iter().all(Option::is_some));
}

fn was_away<DB: Base>(branch: &Branch<DB>) -> usize {
    branch.events.count(|seen| *seen == Seen::StoreAway)
}

async fn a_server_that_takes_less_than_max_value_stays_in_use<DB: Base>(bank: Bank<DB>) {
    let keys = bank.keys().await;
    // The least that it can be; a value of the default `max-value` fits,
    // so this one has a text more in its header.
    let _: String = keys.ask(&["CONFIG", "SET", "proto-max-bulk-len", "1048576"]).await;
    let branch = bank.branch().await;
    // One is larger than `max-value`, the other is not.
    let ids = notes(&bank, 1, 1_060_000).await;
    for _ in 0..5 {
        read_all(&branch, &ids).await;
        branch.note("n").await;
    }
    assert_eq!((was_away(&branch), branch.hits("note_n")), (0, 4));
}

async fn many_large_values_on_a_slow_link_do_not_take_the_store_away<DB: Base>(bank: Bank<DB>) {
    let ids = notes(&bank, 100, 100_000).await;
    let proxy = Proxy::to(bank.redis().server().port()).await;
    let store = RedisStore::new(&proxy.redis_url(), &BUSY).expect("a URL");
    let builder = cache_runtime::Cache::builder(bank.pool().clone(), &BUSY).outbox(bank.pool());
    let branch = Branch::open(builder.relay(false).store(store), false).await;
    proxy.narrow(12_000_000);
    for round in 0..4 {
        let began = Instant::now();
        let mut reads = JoinSet::new();
        let (of, all) = (branch.clone(), Arc::new(ids.clone()));
        reads.spawn(async move { read_all(&of, &all).await });
        for _ in 0..20 {
            let of = branch.clone();
            reads.spawn(async move { drop(of.note("n").await) });
            tokio::time::sleep(Duration::from_millis(30)).await;
        }
        reads.join_all().await;
        eprintln!("slow link, round {round}: {:?}", began.elapsed());
    }
    assert_eq!(was_away(&branch), 0, "the store was taken out of use");
    assert!(branch.hits("note_1") >= 2, "{}", branch.hits("note_1"));
    // While it writes as well.
    branch.write("UPDATE note SET text = 'new' WHERE id = '1'").await.expect("committed");
    assert_eq!(branch.text("1").await.as_deref(), Some("new"), "wrong answer");
}
