//! What is written to rows whose ids, references and lookups are UUIDs, newtypes, enums, dates and
//! flags is seen, whoever writes it and however it is spelt.

use std::sync::Arc;

use cache_runtime::{Builder, Dialect};
use chrono::{NaiveDate, TimeDelta};
use ledger::{Base, Booking, Diary, Guest, GuestId, Hall, Remark, SCHEMA, Signal, Value};
use uuid::Uuid;

use super::bank::{Bank, Branch, story};
use crate::harness::Story;

pub fn stories() -> Vec<Story> {
    vec![
        story!(what_is_written_to_columns_of_any_type_is_seen),
        story!(what_a_stranger_spells_in_another_way_is_seen),
        story!(who_asks_for_a_fraction_of_a_microsecond_is_in_nobodys_way),
        story!(what_is_reported_by_hand_is_seen),
        story!(a_strict_value_of_a_day_is_seen_from_the_moment_of_a_commit_on),
        story!(a_strict_value_of_a_day_is_seen_when_it_is_reported_by_hand),
    ]
}

/// What only the block prevents.
pub fn need_the_block() -> Vec<Story> {
    vec![story!(a_strict_value_of_a_day_is_seen_from_the_moment_of_a_commit_on)]
}

const HALL: Uuid = Uuid::from_u128(0x6ba7_b810_9dad_11d1_80b4_00c0_4fd4_30c8);

/// The UUID in SQL.
fn hall<DB: Base>() -> String {
    match DB::DIALECT {
        Dialect::Postgres => format!("'{HALL}'"),
        Dialect::Sqlite => format!("x'{}'", HALL.simple()),
    }
}

fn date(year: i32, month: u32, day: u32) -> NaiveDate {
    NaiveDate::from_ymd_opt(year, month, day).expect("a date")
}

/// A hall in use.
async fn with_a_hall<DB: Base>(bank: &Bank<DB>) {
    let hall = hall::<DB>();
    bank.sql(format!(
        "INSERT INTO genre (kind, title) VALUES ('concert-hall', 'old'), ('small', 'cosy');
         INSERT INTO guest (id, name) VALUES (7, 'old'), (8, 'other');
         INSERT INTO hall (id, opened, is_main, kind) VALUES ({hall}, '2026-01-02', TRUE, 'concert-hall');
         INSERT INTO booking (hall_id, day, guest_id, seats) VALUES ({hall}, '2026-02-03', 7, 1)"
    ))
    .await;
    bank.deliver_pending().await;
}

/// What readers are told of the hall by its id, by day and by flag; of the booking; of the guest.
async fn said<DB: Base>(branch: &Branch<DB>) -> [String; 5] {
    let cache = &branch.cache;
    let halls = [
        Hall::get(cache, HALL).await.expect("no error"),
        Hall::get_by_opened(cache, date(2026, 1, 2)).await.expect("no error"),
        Hall::get_by_is_main(cache, true).await.expect("no error"),
    ];
    let [by_id, by_day, by_flag] = halls.map(|hall: Option<Arc<Hall>>| match hall {
        None => "none".to_owned(),
        Some(hall) => {
            let genre = hall.genre.as_ref().map_or("none", |genre| &genre.title);
            let guests = hall.bookings.iter().filter_map(|it| Some(&*it.guest.as_ref()?.name));
            format!("{genre}, {}", guests.collect::<Vec<_>>().join(", "))
        }
    });
    let booking = Booking::get(cache, (HALL, date(2026, 2, 3))).await.expect("no error");
    let booking = booking.and_then(|it| Some(it.guest.as_ref()?.name.clone()));
    let guest = Guest::get(cache, GuestId(7)).await.expect("no error").expect("the guest");
    [by_id, by_day, by_flag, booking.unwrap_or_default(), guest.name.clone()]
}

async fn what_is_written_to_columns_of_any_type_is_seen<DB: Base>(bank: Bank<DB>) {
    with_a_hall(&bank).await;
    let hall = hall::<DB>();
    assert_eq!(said(&bank).await, ["old, old", "old, old", "old, old", "old", "old"]);
    for (write, right) in [
        (
            "UPDATE genre SET title = 'new' WHERE kind = 'concert-hall'".to_owned(),
            ["new, old", "new, old", "new, old", "old", "old"],
        ),
        (
            "UPDATE guest SET name = 'new' WHERE id = 7".to_owned(),
            ["new, new", "new, new", "new, new", "new", "new"],
        ),
        (
            format!("UPDATE hall SET kind = 'small' WHERE id = {hall}"),
            ["cosy, new", "cosy, new", "cosy, new", "new", "new"],
        ),
        (
            format!(
                "UPDATE booking SET guest_id = 8 WHERE hall_id = {hall} AND day = '2026-02-03'"
            ),
            ["cosy, other", "cosy, other", "cosy, other", "other", "new"],
        ),
        (
            format!("UPDATE hall SET kind = NULL, opened = '2026-01-03' WHERE id = {hall}"),
            ["none, other", "none", "none, other", "other", "new"],
        ),
        (
            format!(
                "UPDATE hall SET opened = '2026-01-02', is_main = NOT is_main WHERE id = {hall}"
            ),
            ["none, other", "none, other", "none", "other", "new"],
        ),
        (format!("DELETE FROM hall WHERE id = {hall}"), ["none", "none", "none", "other", "new"]),
    ] {
        bank.sql(&write).await;
        bank.deliver_pending().await;
        let said = said(&bank).await;
        assert!(said == right, "wrong answer: after {write}: {said:?}; right is {right:?}");
        is_kept(&bank, right).await;
    }
    assert_eq!(Booking::key((HALL, date(2026, 2, 3))), format!("booking_{HALL}_2026-02-03"));
}

/// It is read again, and was stored.
async fn is_kept<DB: Base>(bank: &Bank<DB>, right: [&str; 5]) {
    let keys = [Hall::key(HALL), Booking::key((HALL, date(2026, 2, 3))), Guest::key(GuestId(7))];
    bank.events.forget();
    assert_eq!(said(bank).await, right, "wrong answer");
    for key in keys {
        assert!(bank.hits(&key) > 0, "{key} was not stored: {:?}", bank.events.seen());
    }
}

/// One moment, as others write it; on SQLite a report has their words.
async fn what_a_stranger_spells_in_another_way_is_seen<DB: Base>(bank: Bank<DB>) {
    let at = date(2026, 1, 2).and_hms_opt(3, 4, 5).expect("a time").and_utc();
    let said = async || {
        let signal = Signal::get(&bank.cache, at).await.expect("no error");
        signal.map(|it| it.text.clone())
    };
    assert_eq!(said().await, None);
    bank.sql("INSERT INTO signal (at, text) VALUES ('2026-01-02 03:04Z', 'another')").await;
    for (number, text) in [
        "2026-01-02 03:04:05+00:00",
        "2026-01-02T03:04:05+00:00",
        "2026-01-02T03:04:05.000Z",
        "2026-01-02 05:04:05.0+02:00",
        "2026-01-01 22:04:05-05:00",
    ]
    .into_iter()
    .enumerate()
    {
        let another = "text <> 'another'";
        bank.sql(match number {
            0 => format!("INSERT INTO signal (at, text) VALUES ('{text}', '0')"),
            _ => format!("UPDATE signal SET at = '{text}', text = '{number}' WHERE {another}"),
        })
        .await;
        bank.deliver_pending().await;
        for write in ["", " again"] {
            bank.sql(format!("UPDATE signal SET text = '{number}{write}' WHERE {another}")).await;
            bank.deliver_pending().await;
            for _ in 0..2 {
                let right = Some(format!("{number}{write}"));
                let said = said().await;
                assert!(said == right, "wrong answer: {said:?} of {text}; right is {right:?}");
            }
        }
    }
    assert!(bank.hits(&Signal::key(at)) > 0, "it is stored");
}

/// Both databases find the row of the microsecond for it, which is another id: that there is none
/// of this is not to be told of that.
async fn who_asks_for_a_fraction_of_a_microsecond_is_in_nobodys_way<DB: Base>(bank: Bank<DB>) {
    let at = date(2026, 1, 2).and_hms_micro_opt(3, 4, 5, 6).expect("a time").and_utc();
    bank.sql("INSERT INTO signal (at, text) VALUES ('2026-01-02 03:04:05.000006+00:00', 'x')")
        .await;
    bank.deliver_pending().await;
    for _ in 0..2 {
        let none = Signal::get(&bank.cache, at + TimeDelta::nanoseconds(7)).await;
        assert_eq!(none.expect("no error"), None);
        let signal = Signal::get(&bank.cache, at).await.expect("no error");
        assert!(signal.is_some(), "wrong answer: there is one");
    }
}

/// A process of a service whose database has an outbox, and no triggers.
async fn without_triggers<DB: Base>(bank: &Bank<DB>) -> Branch<DB> {
    DB::take_triggers_away(bank.pool()).await.expect("taken");
    let how = |builder: Builder<_>| builder.outbox_without_triggers(bank.pool());
    bank.branch_with(&SCHEMA, how).await
}

async fn what_is_reported_by_hand_is_seen<DB: Base>(bank: Bank<DB>) {
    with_a_hall(&bank).await;
    let branch = without_triggers(&bank).await;
    let id = (HALL, date(2026, 2, 3));
    let read = async || {
        let hall = Hall::get(&branch.cache, HALL).await.expect("no error").expect("the hall");
        let booking = Booking::get(&branch.cache, id).await.expect("no error").expect("it");
        [hall.bookings[0].seats, booking.seats]
    };
    assert_eq!(read().await, [1, 1]);
    let old = Booking::get(&branch.cache, id).await.expect("no error").expect("the booking");
    let mut tx = branch.begin().await;
    let sql = "UPDATE booking SET seats = 2 WHERE hall_id = $1 AND day = $2";
    DB::run(&mut tx, sql, vec![id.0.into(), id.1.into()]).await.expect("run");
    tx.changed(&*old, &Booking { seats: 2, ..Booking::clone(&old) });
    tx.commit().await.expect("committed");
    let said = read().await;
    assert!(said == [2, 2], "wrong answer: {said:?}");

    // And a row of which only the id is known.
    let sql = "UPDATE booking SET seats = 3 WHERE hall_id = $1";
    let mut connection = bank.pool().acquire().await.expect("a connection");
    DB::run(&mut connection, sql, vec![id.0.into()]).await.expect("run");
    drop(connection);
    Booking::invalidate(&branch.cache, id).await.expect("invalidated");
    let said = read().await;
    assert!(said == [3, 3], "wrong answer: {said:?}");
}

const DAY: &str = "2026-02-03";

/// What each of these says of the day: the diary, and its remark.
async fn diaries_say<DB: Base>(readers: &[Branch<DB>], when: &str, right: [&str; 2]) {
    for reader in readers {
        let diary = Diary::get(&reader.cache, date(2026, 2, 3)).await.expect("no error");
        let diary = diary.expect("the diary");
        let said = [&*diary.text, &*diary.remarks[0].text];
        assert!(said == right, "wrong answer: {when}: {said:?}; right is {right:?}");
    }
}

async fn with_a_diary<DB: Base>(bank: &Bank<DB>) {
    bank.sql(format!(
        "INSERT INTO diary (day, text) VALUES ('{DAY}', 'old');
         INSERT INTO remark (id, day, text) VALUES (1, '{DAY}', 'old')"
    ))
    .await;
    bank.deliver_pending().await;
}

async fn a_strict_value_of_a_day_is_seen_from_the_moment_of_a_commit_on<DB: Base>(bank: Bank<DB>) {
    with_a_diary(&bank).await;
    let readers = bank.readers().await;
    for (table, old, new) in
        [("diary", ["old", "old"], ["new", "old"]), ("remark", ["new", "old"], ["new", "new"])]
    {
        diaries_say(&readers, "warm", old).await;
        let (before, after) = (bank.events.hold_before_commit(), bank.events.hold_after_commit());
        let write = format!("UPDATE {table} SET text = 'new' WHERE day = '{DAY}'");
        let writer = bank.write_meanwhile(&write);
        before.reached().await;
        diaries_say(&readers, "before COMMIT", old).await;
        before.release();
        after.reached().await;
        diaries_say(&readers, "after COMMIT", new).await;
        after.release();
        writer.await.expect("no panic").expect("committed");
        diaries_say(&readers, "in the end", new).await;
    }
}

/// On SQLite such a report says no more than "some remark".
async fn a_strict_value_of_a_day_is_seen_when_it_is_reported_by_hand<DB: Base>(bank: Bank<DB>) {
    with_a_diary(&bank).await;
    let branch = without_triggers(&bank).await;
    let readers = [branch.clone()];
    diaries_say(&readers, "warm", ["old", "old"]).await;

    let mut tx = branch.begin().await;
    let sql = "UPDATE remark SET text = $1 WHERE day = $2";
    let values = vec![Value::from(&"new".to_owned()), date(2026, 2, 3).into()];
    DB::run(&mut tx, sql, values).await.expect("run");
    let remark = |text: &str| Remark { day: date(2026, 2, 3), text: text.to_owned() };
    tx.changed(&remark("old"), &remark("new"));
    let (before, after) = (branch.events.hold_before_commit(), branch.events.hold_after_commit());
    let commit = tokio::spawn(tx.commit());
    before.reached().await;
    diaries_say(&readers, "before COMMIT", ["old", "old"]).await;
    before.release();
    after.reached().await;
    diaries_say(&readers, "after COMMIT", ["old", "new"]).await;
    after.release();
    commit.await.expect("no panic").expect("committed");
    diaries_say(&readers, "in the end", ["old", "new"]).await;
}
