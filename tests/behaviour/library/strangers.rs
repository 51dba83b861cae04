//! What strangers ask for does not fill anything, nor push out what is
//! read: long texts, and rows that are not there.

use cache_runtime::Answer;
use ledger::{Base, Fact, Note};

use super::bank::{Bank, story};
use crate::harness::Story;
use crate::harness::soon::{PATIENCE, Soon};

/// Characters of a text.
const LONG: usize = 7000;

pub fn stories() -> Vec<Story> {
    vec![
        story!(a_long_text_has_short_names).on_redis(),
        story!(a_long_text_is_heard_of),
        story!(absence_has_no_grace).on_redis(),
        story!(what_has_expired_goes_when_nobody_fills).own_redis(),
        story!(rows_that_are_not_there_push_nothing_out_of_the_near_cache),
    ]
}

async fn a_long_text_has_short_names<DB: Base>(bank: Bank<DB>) {
    let keys = bank.keys().await;
    for letter in ["a", "b", "é"] {
        let slug = letter.repeat(LONG / letter.len());
        let found = Note::get_by_slug(&bank.cache, slug.clone()).await;
        assert!(found.expect("loaded").is_none());
        let hits = bank.events.count(is_hit);
        let found = Note::get_by_slug(&bank.cache, slug).await;
        assert!(found.expect("loaded").is_none());
        assert_eq!(bank.events.count(is_hit), hits + 1, "it is stored");
    }
    let names = keys.like("*note*").await;
    assert!(names.len() >= 6, "{names:?}");
    for name in &names {
        assert!(name.len() < 250, "{} bytes: {name}", name.len());
        let bytes = keys.bytes(name).await;
        assert!(bytes < 2000, "{bytes} bytes for {name}");
    }
    // The exact names of short ones stay.
    Note::get_by_slug(&bank.cache, "nobody's").await.expect("loaded");
    let short = keys.like("note_by_slug_nobody%27s").await;
    assert_eq!(short.len(), 1);
}

fn is_hit(seen: &crate::harness::Seen) -> bool {
    matches!(seen, crate::harness::Seen::Hit(_))
}

async fn a_long_text_is_heard_of<DB: Base>(bank: Bank<DB>) {
    let slug = "long ".repeat(LONG / 5);
    let find = async || {
        let found = Note::get_by_slug(&bank.cache, slug.clone()).await;
        found.expect("found").map(|note| note.text.clone())
    };
    assert_eq!(find().await, None);
    assert_eq!(find().await, None);
    let insert = format!("INSERT INTO note (id, slug, text) VALUES ('m', '{slug}', 'new')");
    bank.write(&insert).await.expect("committed");
    assert_eq!(find().await.as_deref(), Some("new"), "wrong answer");
    bank.sql("UPDATE note SET text = 'newer' WHERE id = 'm'").await;
    bank.deliver_pending().await;
    assert_eq!(find().await.as_deref(), Some("newer"), "wrong answer");
    bank.sql("UPDATE note SET slug = 'short' WHERE id = 'm'").await;
    bank.deliver_pending().await;
    assert_eq!(find().await, None, "wrong answer");
}

async fn absence_has_no_grace<DB: Base>(bank: Bank<DB>) {
    let desk = bank.desk().await;
    let fetched = desk.quote(404).await.expect("loaded");
    assert!(fetched.value.is_none());
    let keys = bank.keys().await;
    let left: i64 = keys.ask(&["PTTL", "quote_404"]).await;
    // Its negative-ttl is 2 s, its grace 6 s.
    assert!((1..=2000).contains(&left), "{left} ms");
}

async fn what_has_expired_goes_when_nobody_fills<DB: Base>(bank: Bank<DB>) {
    for n in 0..300 {
        let found = Note::get_by_slug(&bank.cache, format!("nobody {n}")).await;
        assert!(found.expect("loaded").is_none());
    }
    let keys = bank.keys().await;
    let indexes = async || keys.like("cache:index:note#slug=nobody*").await.len();
    assert!(indexes().await >= 290, "{}", indexes().await);
    // As if all that was long ago.
    let tags: Vec<String> = keys.ask(&["ZRANGE", "cache:tags", "0", "-1"]).await;
    for tag in tags.iter().filter(|tag| tag.contains("nobody")) {
        let _: i64 = keys.ask(&["ZADD", "cache:tags", "XX", "1", tag]).await;
    }
    let soon = Soon::within(PATIENCE);
    while indexes().await > 0 {
        soon.or("some are left").await;
    }
    // The others are where they were.
    bank.note("n").await;
    bank.write("UPDATE note SET text = 'new'").await.expect("committed");
    assert_eq!(bank.text("n").await.as_deref(), Some("new"), "wrong answer");
}

async fn rows_that_are_not_there_push_nothing_out_of_the_near_cache<DB: Base>(bank: Bank<DB>) {
    // There is room for a hundred.
    const READ: i64 = 40;
    bank.sql(format!(
        "WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < {READ})
         INSERT INTO fact (id, slug, text, weight) SELECT i, 'slug ' || i, 'old', 1 FROM n"
    ))
    .await;
    bank.deliver_pending().await;
    let status = async |id: i64| {
        let fact = Fact::fetch(&bank.cache, id).await.expect("loaded");
        (fact.status.tier, fact.status.answer)
    };
    for _ in 0..3 {
        for id in 1..=READ {
            status(id).await;
        }
    }
    for id in 1000..3000 {
        status(id).await;
    }
    let mut near = 0;
    for id in 1..=READ {
        near += i64::from(status(id).await == ("near", Answer::Hit));
    }
    assert!(near > READ * 9 / 10, "{near} of {READ} are near");
}
