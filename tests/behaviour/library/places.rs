//! Two services of one database that do not share what is stored: on one Redis, in another of its
//! logical databases or under another prefix; or each in a memory of its own. What is told to one,
//! is not told to the other: a row that one has delivered still is to be delivered by the other.

use std::time::{Duration, Instant};

use ledger::Base;

use super::bank::{Bank, story};
use super::services::{Other, Services};
use crate::harness::soon::A_PASS;
use crate::harness::{Proxy, Seen, Story};

/// Likewise, of many rows.
const A_PASS_OF_MANY: Duration = Duration::from_secs(8);
/// More than two batches of a delivery.
const MANY: i64 = 12_000;
/// Some of them, all over.
const SOME: usize = 300;

pub fn stories() -> Vec<Story> {
    const WHY: &str = "the story's services are others; each relays if it says so";
    [
        story!(another_database_of_the_server_hears_of_writes).own_redis(),
        story!(another_database_of_the_server_delivers_first).own_redis(),
        story!(another_database_of_the_server_marks_a_part_first).own_redis(),
        story!(another_prefix_hears_of_writes).own_redis(),
        story!(another_prefix_delivers_first).own_redis(),
        story!(another_prefix_marks_a_part_first).own_redis(),
        story!(another_database_of_the_server_delivers_during_the_return).own_redis(),
        story!(another_prefix_delivers_during_the_return).own_redis(),
        story!(another_memory_hears_of_writes).in_memory(),
        story!(another_memory_delivers_first).in_memory(),
        story!(another_memory_marks_a_part_first).in_memory(),
    ]
    .map(|story| story.without_relay(WHY))
    .into()
}

async fn another_database_of_the_server_hears_of_writes<DB: Base>(bank: Bank<DB>) {
    hear_of_each_other(&Services { bank, other: Other::Database }).await;
}

async fn another_database_of_the_server_delivers_first<DB: Base>(bank: Bank<DB>) {
    one_delivers_first(&Services { bank, other: Other::Database }).await;
}

async fn another_database_of_the_server_marks_a_part_first<DB: Base>(bank: Bank<DB>) {
    one_marks_a_part_first(&Services { bank, other: Other::Database }).await;
}

async fn another_prefix_hears_of_writes<DB: Base>(bank: Bank<DB>) {
    hear_of_each_other(&Services { bank, other: Other::Prefix }).await;
}

async fn another_prefix_delivers_first<DB: Base>(bank: Bank<DB>) {
    one_delivers_first(&Services { bank, other: Other::Prefix }).await;
}

async fn another_prefix_marks_a_part_first<DB: Base>(bank: Bank<DB>) {
    one_marks_a_part_first(&Services { bank, other: Other::Prefix }).await;
}

async fn another_database_of_the_server_delivers_during_the_return<DB: Base>(bank: Bank<DB>) {
    let other = Other::Database;
    one_delivers_while_the_other_comes_back(&Services { bank, other }).await;
}

async fn another_prefix_delivers_during_the_return<DB: Base>(bank: Bank<DB>) {
    let other = Other::Prefix;
    one_delivers_while_the_other_comes_back(&Services { bank, other }).await;
}

async fn another_memory_hears_of_writes<DB: Base>(bank: Bank<DB>) {
    hear_of_each_other(&Services { bank, other: Other::Memory }).await;
}

async fn another_memory_delivers_first<DB: Base>(bank: Bank<DB>) {
    one_delivers_first(&Services { bank, other: Other::Memory }).await;
}

async fn another_memory_marks_a_part_first<DB: Base>(bank: Bank<DB>) {
    one_marks_a_part_first(&Services { bank, other: Other::Memory }).await;
}

/// Every process writes in turn, and every other sees it: soon, and then for good.
async fn hear_of_each_other<DB: Base>(services: &Services<DB>) {
    services.with_facts(3).await;
    let mut processes = Vec::new();
    for there in [false, true] {
        for near in [true, false] {
            processes.push(services.process(there, near, true).await);
        }
    }
    for (round, writer) in (0..2).flat_map(|_| &processes).enumerate() {
        for process in &processes {
            process.hits(1).await;
            process.hits(2).await;
        }
        let text = format!("round {round}");
        writer.write(&text, "id = 1").await;
        let since = Instant::now();
        let said = writer.says(1).await;
        assert_eq!(said, text, "wrong answer: {} reads less than it has written", writer.name);
        for process in &processes {
            process.becomes(1, &text, since, A_PASS).await;
        }
        for process in &processes {
            for _ in 0..20 {
                let said = process.says(1).await;
                assert_eq!(said, text, "wrong answer: {} is old again", process.name);
            }
        }
    }
    // Whoever knows nothing of any of them.
    for process in &processes {
        process.hits(1).await;
    }
    services.bank.sql("UPDATE fact SET text = 'by plain SQL' WHERE id = 1").await;
    let since = Instant::now();
    for process in &processes {
        process.becomes(1, "by plain SQL", since, A_PASS).await;
    }
}

/// The other's relay is quicker with the rows of a commit: its own
/// process reads nothing old when it has returned.
async fn one_delivers_first<DB: Base>(services: &Services<DB>) {
    services.with_facts(1).await;
    for (round, there) in [false, true, false, true].into_iter().enumerate() {
        // Far and near; its own relay would tell it.
        let writer = services.process(there, round < 2, false).await;
        writer.hits(1).await;
        let other = services.process(!there, true, true).await;
        other.hits(1).await;

        let text = format!("round {round}");
        let hold = writer.events.hold_after_commit();
        let write = writer.write_meanwhile(&text, "id = 1");
        hold.reached().await;
        other.becomes(1, &text, Instant::now(), A_PASS).await;
        services.nothing_waits().await;
        hold.release();
        write.await.expect("no panic");
        let said = writer.says(1).await;
        assert_eq!(said, text, "wrong answer: {} reads less than it has written", writer.name);
    }
}

/// Likewise, but the other has marked only some of the rows when the commit looks for its own.
async fn one_marks_a_part_first<DB: Base>(services: &Services<DB>) {
    services.with_facts(MANY).await;
    for (round, there) in [false, true].into_iter().enumerate() {
        let writer = services.process(there, true, false).await;
        let other = services.process(!there, true, true).await;
        let some: Vec<i64> = (1..=MANY).step_by(SOME).collect();
        for process in [&writer, &other] {
            for id in &some {
                process.hits(*id).await;
            }
        }
        let text = format!("round {round}");
        let last = services.bank.last_outbox_row().await;
        let committed = writer.events.hold_after_commit();
        let marking = other.events.hold_after_marking();
        let write = writer.write_meanwhile(&text, "id > 0");
        committed.reached().await;
        marking.reached().await;
        let marked = services.marked_after(last).await;
        let (told, untold): (Vec<i64>, Vec<i64>) = some.iter().partition(|id| marked.contains(id));
        assert!(!told.is_empty() && !untold.is_empty(), "a part is marked");

        committed.release();
        write.await.expect("no panic");
        for (id, by) in
            told.iter().map(|id| (id, "the other")).chain(untold.iter().map(|id| (id, "nobody")))
        {
            let said = writer.says(*id).await;
            assert_eq!(
                said, text,
                "wrong answer: {} reads less than it has written to {id}, which {by} had marked",
                writer.name
            );
        }
        marking.release();
        services.nothing_waits().await;
        let since = Instant::now();
        for id in &some {
            other.becomes(*id, &text, since, A_PASS_OF_MANY).await;
            assert_eq!(writer.says(*id).await, text, "wrong answer: old again");
        }
    }
}

/// The store of the writer was away, and is on its way back: it has been told
/// what the other had delivered by then, and is about to be told what waits. Of
/// what it writes now, the other leaves nothing waiting.
async fn one_delivers_while_the_other_comes_back<DB: Base>(services: &Services<DB>) {
    services.with_facts(3).await;
    let other = services.process(true, true, true).await;
    let proxy = Proxy::to(services.bank.redis().server().port()).await;
    // Its own relay would tell it a moment later.
    let writer = services.process_at(Some(&proxy.redis_url()), false, false, false).await;
    for id in 1..=3 {
        writer.hits(id).await;
    }
    proxy.cut();
    writer.write("away", "id = 3").await;
    writer.has_seen("the store is away", &Seen::StoreAway).await;
    services.bank.sql("UPDATE fact SET text = 'away' WHERE id = 1").await;
    other.becomes(1, "away", Instant::now(), A_PASS).await;
    services.nothing_waits().await;

    // It was in use when it began.
    writer.events.forget();
    let hold = writer.events.hold_after_invalidation("fact#id=1");
    proxy.resume();
    hold.reached().await;
    writer.write("on the way back", "id = 2").await;
    other.becomes(2, "on the way back", Instant::now(), A_PASS).await;
    services.nothing_waits().await;
    hold.release();
    writer.has_seen("the store is back", &Seen::StoreBack).await;
    for (id, text) in [(1, "away"), (2, "on the way back"), (3, "away")] {
        let said = writer.says(id).await;
        assert_eq!(said, text, "wrong answer: {} reads less than it has written", writer.name);
    }
}
