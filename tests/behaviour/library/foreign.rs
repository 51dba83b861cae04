//! Somebody else writes under the cache's names in Redis. What is there is replaced, and all that
//! was stored is void: nobody has to delete it by hand.

use ledger::{Base, Seat};

use super::bank::{Bank, story};
use super::strict::Register;
use crate::harness::Story;
use crate::harness::soon::{SOON, Soon};

/// Commands that put another type under a name, or what is no clock.
const MEDDLING: [&[&str]; 8] = [
    &["SET", "cache:fences", "x"],
    &["SET", "cache:tags", "x"],
    &["SET", "cache:blocks", "x"],
    &["LPUSH", "cache:clock", "x"],
    &["SET", "cache:clock", "x"],
    &["SET", "cache:index:note#id=n", "x"],
    &["HSET", "note_n", "a", "b"],
    &["LPUSH", "cache:lease:page_1", "x"],
];

pub fn stories() -> Vec<Story> {
    const WHY: &str = "what it delivers would mend it, and hide that a reader or a writer does";
    vec![
        story!(foreign_keys_are_replaced_when_somebody_reads).own_redis(),
        story!(foreign_keys_are_replaced_when_somebody_writes).own_redis(),
        story!(foreign_keys_are_replaced_at_the_start).own_redis(),
        story!(foreign_keys_are_replaced_beside_strict_writes).own_redis(),
    ]
    .into_iter()
    .map(|story| story.without_relay(WHY))
    .collect()
}

async fn meddle<DB: Base>(bank: &Bank<DB>, command: &[&str]) {
    let keys = bank.keys().await;
    let _: i64 = keys.ask(&["DEL", command[1]]).await;
    let _: redis::Value = keys.ask(command).await;
}

/// Both are served from the store: one that was there, and one that comes anew.
async fn is_served<DB: Base>(bank: &Bank<DB>, after: &[&str]) {
    let soon = Soon::within(SOON);
    loop {
        bank.note("n").await;
        let seat = ("acme".to_owned(), 1);
        let seat = Seat::get(&bank.cache, seat).await.expect("loaded");
        assert!(seat.is_some());
        let hits = (bank.hits("note_n"), bank.hits("seat_acme_1"));
        bank.note("n").await;
        let seat = ("acme".to_owned(), 1);
        Seat::get(&bank.cache, seat).await.expect("loaded");
        if (bank.hits("note_n"), bank.hits("seat_acme_1")) == (hits.0 + 1, hits.1 + 1) {
            return;
        }
        soon.or(format!("nothing is served from the store after {after:?}")).await;
    }
}

async fn with_a_seat<DB: Base>(bank: &Bank<DB>) {
    bank.sql("INSERT INTO seat (tenant, id, text) VALUES ('acme', 1, 'old')").await;
    bank.deliver_pending().await;
    is_served(bank, &[]).await;
}

async fn foreign_keys_are_replaced_when_somebody_reads<DB: Base>(bank: Bank<DB>) {
    with_a_seat(&bank).await;
    for command in MEDDLING {
        meddle(&bank, command).await;
        // What is stored goes by itself.
        let keys = bank.keys().await;
        let _: i64 = keys.ask(&["DEL", "seat_acme_1"]).await;
        is_served(&bank, command).await;
        said(&bank, command).await;
    }
}

/// A write reaches what is stored, whatever was in its way.
async fn said<DB: Base>(bank: &Bank<DB>, after: &[&str]) {
    let text = format!("{after:?}").replace('"', "");
    let write = format!("UPDATE note SET text = '{text}' WHERE id = 'n'");
    bank.write(&write).await.expect("committed");
    assert_eq!(bank.text("n").await.as_deref(), Some(&*text), "wrong answer");
}

async fn foreign_keys_are_replaced_when_somebody_writes<DB: Base>(bank: Bank<DB>) {
    with_a_seat(&bank).await;
    for command in MEDDLING {
        meddle(&bank, command).await;
        said(&bank, command).await;
        is_served(&bank, command).await;
        said(&bank, command).await;
    }
}

async fn foreign_keys_are_replaced_at_the_start<DB: Base>(bank: Bank<DB>) {
    with_a_seat(&bank).await;
    for command in MEDDLING {
        meddle(&bank, command).await;
        let branch = bank.branch().await;
        let write = format!("UPDATE note SET text = 'of {}' WHERE id = 'n'", command[1]);
        branch.write(&write).await.expect("committed");
        let text = format!("of {}", command[1]);
        assert_eq!(branch.text("n").await, Some(text), "wrong answer");
        is_served(&bank, command).await;
    }
}

async fn foreign_keys_are_replaced_beside_strict_writes<DB: Base>(bank: Bank<DB>) {
    for (n, command) in MEDDLING.into_iter().enumerate() {
        Register::Account.says(&[(*bank).clone()], "before", n as i64).await;
        meddle(&bank, command).await;
        let soon = Soon::within(SOON);
        // It may be refused, and is not committed then.
        while let Err(error) = bank.write(Register::Account.write()).await {
            soon.at_once_or(format_args!("of {command:?}: {error}"));
        }
        Register::Account.says(&[(*bank).clone()], "after", n as i64 + 1).await;
    }
}
