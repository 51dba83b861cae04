//! `on-write = "refresh"`: what a process has served lately is
//! there again before anybody asks for it.

use std::time::Duration;

use ledger::{Base, Rate};

use super::bank::{Bank, story};
use super::desk::{Desk, Mood};
use crate::harness::soon::{LATE, Soon, soon};
use crate::harness::{Seen, Story};

pub fn stories() -> Vec<Story> {
    vec![
        story!(what_is_in_use_is_read_again_when_it_is_written_to)
            .without_relay("what is delivered twice is read again twice"),
        story!(what_nobody_has_asked_for_is_not_read)
            .without_relay("what is delivered twice is read again twice"),
        story!(a_source_that_fails_is_left_to_the_next_reader),
        story!(of_several_processes_one_loads_it_again)
            .without_relay("what is delivered twice is read again twice")
            .on_postgres()
            .on_redis(),
    ]
}

async fn with_rates<DB: Base>(bank: &Bank<DB>) -> Desk<DB> {
    bank.sql("INSERT INTO rate (id, text) VALUES (1, 'old'), (2, 'old')").await;
    bank.deliver_pending().await;
    bank.desk().await
}

async fn read<DB: Base>(desk: &Desk<DB>, id: i64) -> String {
    let rate = Rate::get(&desk.cache, id).await.expect("a rate");
    rate.expect("a row").text.clone()
}

fn stored(desk: &Desk<impl Base>) -> usize {
    let stored = Seen::Filled("rate_1".to_owned(), true);
    desk.events.count(|seen| *seen == stored)
}

async fn what_is_in_use_is_read_again_when_it_is_written_to<DB: Base>(bank: Bank<DB>) {
    let desk = with_rates(&bank).await;
    assert_eq!(read(&desk, 1).await, "old", "wrong answer");
    for round in 1..5 {
        let text = format!("round {round}");
        desk.write(&format!("UPDATE rate SET text = '{text}' WHERE id = 1")).await;
        soon("fills", || stored(&desk) > round).await;
        assert_eq!(read(&desk, 1).await, text, "wrong answer");
        assert_eq!(desk.asked.times("rate"), round + 1, "the reader need not load");
    }
}

async fn what_nobody_has_asked_for_is_not_read<DB: Base>(bank: Bank<DB>) {
    let desk = with_rates(&bank).await;
    read(&desk, 1).await;
    desk.write("UPDATE rate SET text = 'new'").await;
    soon("fills", || stored(&desk) == 2).await;
    assert_eq!(desk.asked.ids("rate"), [[1], [1]]);
    assert_eq!(read(&desk, 2).await, "new", "wrong answer");
}

async fn a_source_that_fails_is_left_to_the_next_reader<DB: Base>(bank: Bank<DB>) {
    let desk = with_rates(&bank).await;
    read(&desk, 1).await;
    desk.is(Mood::Fails);
    desk.write("UPDATE rate SET text = 'new' WHERE id = 1").await;
    desk.asked.reach("rate", 2).await;
    desk.is(Mood::Well);
    let soon = Soon::within(Duration::from_secs(5));
    while Rate::get(&desk.cache, 1).await.is_err() {
        soon.at_once_or("it fails for good");
    }
    assert_eq!(read(&desk, 1).await, "new", "wrong answer");
}

async fn of_several_processes_one_loads_it_again<DB: Base>(bank: Bank<DB>) {
    with_rates(&bank).await;
    let desks = bank.desks::<3>().await;
    for desk in &desks {
        read(desk, 1).await;
    }
    assert_eq!(desks[0].asked.times("rate"), 1);
    desks[0].write("UPDATE rate SET text = 'new' WHERE id = 1").await;
    desks[0].asked.reach("rate", 2).await;
    for desk in &desks {
        let soon = Soon::within(LATE);
        while read(desk, 1).await != "new" {
            soon.at_once_or("wrong answer: old");
        }
    }
    assert_eq!(desks[0].asked.times("rate"), 2, "the lease is for these as well");
}
