//! Columns of every type: what a value registers is what the triggers write of it.

use std::any::type_name;
use std::fmt::Debug;

use cache_runtime::{Column, TagColumns, Tags};
use chrono::{DateTime, FixedOffset, NaiveDate, NaiveDateTime, NaiveTime, TimeDelta, Utc};
use ledger::{Base, SCHEMA};
use sqlx::{AssertSqlSafe, Decode, Encode, Postgres, Sqlite, Type};
use time::{Date, Month, OffsetDateTime, PrimitiveDateTime, Time, UtcOffset};
use uuid::Uuid;
use uuid::fmt::Hyphenated;

use super::bank::{Bank, story};
use crate::harness::Story;

pub fn stories() -> Vec<Story> {
    vec![
        story!(postgres: a_value_registers_what_postgresql_writes),
        story!(sqlite: a_value_registers_what_sqlite_writes),
        story!(postgres: midnight_has_two_texts),
        story!(sqlite: a_uuid_in_a_text_column_has_several_texts),
        story!(sqlite: the_variants_of_an_enum_are_called_as_sqlx_calls_them),
    ]
}

/// With numbers that are the database's.
#[derive(Clone, Copy, Debug, PartialEq, Column, Type)]
#[repr(i16)]
enum Level {
    Low = -3,
    High = 300,
}

/// As it is called on PostgreSQL.
#[derive(Clone, Copy, Debug, PartialEq, Column, Type)]
#[sqlx(type_name = "mood", rename_all = "SCREAMING_SNAKE_CASE")]
enum Mood {
    Fine,
    SoSo,
    #[sqlx(rename = "it's bad, = really")]
    Bad,
}

#[derive(Clone, Copy, Debug, PartialEq, Column, Type)]
#[sqlx(transparent)]
struct Ticket(Uuid);

/// How a value is told in the outbox.
fn tags<DB: Base>(value: &impl Column) -> Vec<String> {
    let mut tags = Tags::of(DB::DIALECT);
    tags.add(TagColumns::checked("sample#value"), value);
    tags.finish().iter().map(ToString::to_string).collect()
}

/// Makes the table of samples anew, with this type.
async fn samples_of<DB: Base>(bank: &Bank<DB>, ty: &str) {
    bank.sql(format!("DROP TABLE sample; CREATE TABLE sample (id BIGINT PRIMARY KEY, value {ty})"))
        .await;
    // The triggers went with the table.
    bank.sql("UPDATE cache_outbox_stamp SET stamp = 'another'").await;
    SCHEMA.install(bank.pool()).await.unwrap_or_else(|error| panic!("{ty}: {error}"));
}

/// `$told` writes values as a user would, and compares what the triggers say with what the values
/// register, before they were written and when they come back.
macro_rules! told {
    ($told:ident, $DB:ty, $has_several:expr) => {
        async fn $told<T>(bank: &Bank<$DB>, ty: &str, values: impl IntoIterator<Item = T>)
        where
            T: Column + Clone + Debug + Send + Unpin + Type<$DB> + 'static,
            T: for<'q> Encode<'q, $DB> + for<'r> Decode<'r, $DB>,
        {
            samples_of(bank, ty).await;
            // A prepared statement knows the types: there is another one for each.
            let ty = format!("{ty}, {}", type_name::<T>());
            for value in values {
                let last = bank.last_outbox_row().await;
                let insert = format!("INSERT INTO sample (id, value) VALUES (1, $1) -- {ty}");
                let insert = sqlx::query(AssertSqlSafe(insert)).bind(value.clone());
                let inserted = insert.execute(bank.pool()).await;
                inserted.unwrap_or_else(|error| panic!("{value:?}: {error}"));
                let mut told = bank.tags_after(last).await;
                told.retain(|tag| tag != "sample#id=1");
                let registered = tags::<$DB>(&value);
                match registered == ["sample#?"] {
                    // Every report of a row tells of some row as well.
                    true => assert!($has_several(&told), "{ty} {value:?}: {told:?} has one text"),
                    false => assert_eq!(registered, told, "wrong answer: {ty} {value:?}"),
                }
                let select = format!("SELECT value FROM sample -- {ty}");
                let select = sqlx::query_scalar(AssertSqlSafe(select));
                let back: T = select.fetch_one(bank.pool()).await.expect("it comes back");
                assert_eq!(tags::<$DB>(&back), registered, "wrong answer: {ty} {value:?}");
                bank.sql("DELETE FROM sample").await;
            }
        }
    };
}
told!(is_told_on_postgres, Postgres, is_midnight);
told!(is_told_on_sqlite, Sqlite, is_a_time);

fn is_midnight(told: &[String]) -> bool {
    matches!(told, [tag] if ["=00:00:00", "=24:00:00"].iter().any(|it| tag.ends_with(it)) && !tag.contains('-'))
}

fn is_a_time(told: &[String]) -> bool {
    matches!(told, [tag] if tag.contains(':') || tag.matches('-').count() == 2)
}

fn date(year: i32, month: u32, day: u32) -> NaiveDate {
    NaiveDate::from_ymd_opt(year, month, day).expect("a date")
}

/// Around midnights, and at random.
fn times() -> Vec<NaiveDateTime> {
    let days = [date(2000, 1, 1), date(1, 1, 2), date(2026, 11, 27)];
    let nanos = [-1_000_000_001, -1_999, -1_000, -1, 0, 1, 999, 1_000, 120_000_000, 999_999_999];
    let time = |day: NaiveDate, nanos: i64| {
        day.and_hms_opt(0, 0, 0).expect("a time") + TimeDelta::nanoseconds(nanos)
    };
    let mut times: Vec<NaiveDateTime> =
        days.iter().flat_map(|day| nanos.map(|nanos| time(*day, nanos))).collect();
    for _ in 0..20 {
        let nanos = fastrand::i64(..) / 2;
        times.push(time(date(2000, 1, 1), nanos));
    }
    // A leap second.
    times.extend(date(2016, 12, 31).and_hms_nano_opt(23, 59, 59, 1_500_000_000));
    times
}

/// The same of the other crate.
fn other_times() -> Vec<PrimitiveDateTime> {
    let nanos = |time: NaiveDateTime| {
        let nanos = time.and_utc().timestamp_nanos_opt()?;
        let time = OffsetDateTime::from_unix_timestamp_nanos(nanos.into()).expect("a time");
        Some(PrimitiveDateTime::new(time.date(), time.time()))
    };
    times().into_iter().filter_map(nanos).collect()
}

/// Of every type that both databases have.
macro_rules! every_type {
    ($told:ident, $bank:ident, $ty:expr) => {
        let ty: fn(&str) -> &str = $ty;
        $told(&$bank, ty("boolean"), [true, false]).await;
        $told(&$bank, ty("boolean"), [Some(true), None]).await;
        $told(&$bank, "bigint", [i64::MIN, -1, 0, i64::MAX]).await;
        $told(&$bank, "smallint", [Level::Low, Level::High]).await;
        $told(&$bank, ty("mood"), [Mood::Fine, Mood::SoSo, Mood::Bad]).await;
        $told(&$bank, "text", ["", "é", "a'b,=#"].map(Box::<str>::from)).await;
        let uuids = [Uuid::nil(), Uuid::max(), Uuid::from_u128(0x6ba7_b810_9dad_11d1_80b4)];
        $told(&$bank, ty("uuid"), uuids).await;
        $told(&$bank, ty("uuid"), uuids.map(Ticket)).await;
        $told(&$bank, ty("uuid"), [Some(uuids[0]), None]).await;

        let days = [date(2000, 1, 1), date(1, 1, 1), date(2024, 2, 29), date(9999, 12, 31)];
        $told(&$bank, "date", days).await;
        let offset = FixedOffset::west_opt(5 * 3600 + 1800).expect("an offset");
        $told(&$bank, "time", times().iter().map(NaiveDateTime::time).filter(is_storable)).await;
        $told(&$bank, ty("timestamp"), times()).await;
        let utc = times().into_iter().map(|time| time.and_utc());
        $told::<DateTime<Utc>>(&$bank, ty("timestamptz"), utc.clone()).await;
        let fixed = utc.map(|time| time.with_timezone(&offset));
        $told::<DateTime<FixedOffset>>(&$bank, ty("timestamptz"), fixed).await;

        let days = other_times().into_iter().map(PrimitiveDateTime::date);
        $told::<Date>(&$bank, "date", days).await;
        let of_days = other_times().into_iter().map(PrimitiveDateTime::time);
        $told::<Time>(&$bank, "time", of_days).await;
        $told::<PrimitiveDateTime>(&$bank, ty("timestamp"), other_times()).await;
        let offset = UtcOffset::from_hms(5, 30, 0).expect("an offset");
        let fixed = other_times().into_iter().map(|time| time.assume_utc().to_offset(offset));
        $told::<OffsetDateTime>(&$bank, ty("timestamptz"), fixed).await;
    };
}

/// PostgreSQL has no time of day that is later than 24:00:00.
fn is_storable(time: &NaiveTime) -> bool {
    *time - NaiveTime::MIN <= TimeDelta::days(1)
}

async fn a_value_registers_what_postgresql_writes(bank: Bank<Postgres>) {
    bank.sql("CREATE TYPE mood AS ENUM ('FINE', 'SO_SO', 'it''s bad, = really')").await;
    every_type!(is_told_on_postgres, bank, |ty| ty);
    // What SQLite's texts cannot be read back from.
    let days = [date(0, 2, 29), date(-43, 3, 15), date(-4712, 1, 1), date(12_345, 6, 7)];
    is_told_on_postgres(&bank, "date", days).await;
    let far = days.map(|day| day.and_hms_micro_opt(3, 4, 5, 60).expect("a time"));
    is_told_on_postgres(&bank, "timestamp", far).await;
    is_told_on_postgres(&bank, "timestamptz", far.map(|time| time.and_utc())).await;
    let ides = Date::from_calendar_date(-43, Month::March, 15).expect("a date");
    is_told_on_postgres(&bank, "date", [ides]).await;
    let ides = ides.with_hms_nano(3, 4, 5, 1_999).expect("a time");
    is_told_on_postgres(&bank, "timestamp", [ides]).await;
    is_told_on_postgres(&bank, "timestamptz", [ides.assume_utc()]).await;
}

async fn a_value_registers_what_sqlite_writes(bank: Bank<Sqlite>) {
    every_type!(is_told_on_sqlite, bank, |ty| match ty {
        "uuid" => "blob",
        "mood" => "text",
        "timestamp" | "timestamptz" => "datetime",
        ty => ty,
    });
    // One text each.
    assert_eq!(tags::<Sqlite>(&true), ["sample#value=1"]);
    assert_eq!(tags::<Sqlite>(&Uuid::max()), [format!("sample#value={}", "F".repeat(32))]);
}

async fn midnight_has_two_texts(bank: Bank<Postgres>) {
    samples_of(&bank, "time").await;
    bank.sql("INSERT INTO sample (id, value) VALUES (1, '24:00:00')").await;
    let select = "SELECT value FROM sample";
    let one: NaiveTime = sqlx::query_scalar(select).fetch_one(bank.pool()).await.expect("read");
    let other: Time = sqlx::query_scalar(select).fetch_one(bank.pool()).await.expect("read");
    assert_eq!((one, other), (NaiveTime::MIN, Time::MIDNIGHT));
    assert_eq!(tags::<Postgres>(&one), ["sample#?"]);
    assert_eq!(tags::<Postgres>(&other), ["sample#?"]);
}

async fn a_uuid_in_a_text_column_has_several_texts(bank: Bank<Sqlite>) {
    samples_of(&bank, "text").await;
    let uuid = Uuid::from_u128(0x6ba7_b810_9dad_11d1_80b4);
    let texts = [uuid.to_string(), uuid.to_string().to_uppercase(), uuid.simple().to_string()];
    for text in texts {
        bank.sql(format!(
            "DELETE FROM sample; INSERT INTO sample (id, value) VALUES (1, '{text}')"
        ))
        .await;
        let select = sqlx::query_scalar("SELECT value FROM sample");
        let back: Hyphenated = select.fetch_one(bank.pool()).await.expect("read");
        assert_eq!(back, uuid.hyphenated());
        assert_eq!(tags::<Sqlite>(&back), ["sample#?"]);
    }
}

/// Of an enum in each case that sqlx knows.
macro_rules! in_every_case {
    ($bank:ident: $($case:literal),*) => {$({
        #[derive(Clone, Copy, Debug, PartialEq, Column, Type)]
        #[sqlx(rename_all = $case)]
        #[allow(non_camel_case_types, clippy::upper_case_acronyms)]
        enum Case {
            One,
            TwoWords,
            HTTPRoute,
            V2Of3,
            snake_case,
            ALL,
            r#Self_,
            #[sqlx(rename = "As It Is")]
            Renamed,
        }
        use Case::*;
        let all = [One, TwoWords, HTTPRoute, V2Of3, snake_case, ALL, Self_, Renamed];
        is_told_on_sqlite(&$bank, "text", all).await;
    })*};
}

async fn the_variants_of_an_enum_are_called_as_sqlx_calls_them(bank: Bank<Sqlite>) {
    in_every_case!(
        bank: "lowercase", "snake_case", "UPPERCASE", "SCREAMING_SNAKE_CASE", "kebab-case",
        "camelCase", "PascalCase"
    );
}
