//! Times of chrono as columns.

use chrono::{
    DateTime, FixedOffset, NaiveDate, NaiveDateTime, NaiveTime, TimeDelta, Timelike, Utc,
};

use crate::model::column::moment::{Moment, moments};
use crate::model::column::{Column, Dialect, Id, Written};

/// 2000-01-01.
const EPOCH: NaiveDateTime = match DateTime::from_timestamp(946_684_800, 0) {
    Some(epoch) => epoch.naive_utc(),
    None => panic!("it is a time"),
};

/// As sqlx counts them. All that chrono can say has so many.
fn micros(since: TimeDelta) -> i64 {
    since.num_microseconds().unwrap_or(i64::MAX)
}

impl From<NaiveDate> for Moment {
    fn from(date: NaiveDate) -> Moment {
        Moment::Date { days: (date - EPOCH.date()).num_days() }
    }
}

impl From<NaiveTime> for Moment {
    fn from(time: NaiveTime) -> Moment {
        Moment::Time { micros: micros(time - NaiveTime::MIN) }
    }
}

impl From<NaiveDateTime> for Moment {
    fn from(time: NaiveDateTime) -> Moment {
        Moment::Timestamp { micros: micros(time - EPOCH) }
    }
}

impl From<DateTime<Utc>> for Moment {
    fn from(time: DateTime<Utc>) -> Moment {
        Moment::Timestamptz { micros: micros(time.naive_utc() - EPOCH) }
    }
}

impl From<DateTime<FixedOffset>> for Moment {
    fn from(time: DateTime<FixedOffset>) -> Moment {
        Moment::from(time.to_utc())
    }
}

moments!(dates: NaiveDate; times: NaiveTime, NaiveDateTime, DateTime<Utc>, DateTime<FixedOffset>);

#[cfg(test)]
mod tests {
    use super::*;

    fn date(year: i32, month: u32, day: u32) -> NaiveDate {
        NaiveDate::from_ymd_opt(year, month, day).expect("a date")
    }

    fn text(value: &dyn Column) -> (Written, String) {
        let mut text = String::new();
        (value.write(Dialect::Postgres, &mut text), text)
    }

    fn key(value: &dyn Column) -> String {
        let mut key = String::new();
        value.write_key(&mut key);
        key
    }

    #[test]
    fn a_time_has_the_text_of_postgresql() {
        let at = |nano| date(2026, 1, 2).and_hms_nano_opt(3, 4, 5, nano).expect("a time");
        let offset = FixedOffset::east_opt(-5 * 3600 - 1800).expect("an offset");
        for (value, expected) in [
            (&date(2026, 1, 2) as &dyn Column, "2026-01-02"),
            (&date(0, 2, 29), "0001-02-29 BC"),
            (&date(-43, 3, 15), "0044-03-15 BC"),
            (&date(-4712, 1, 1), "4713-01-01 BC"),
            (&date(12_345, 12, 31), "12345-12-31"),
            (&at(0), "2026-01-02 03:04:05"),
            (&at(120_000_000), "2026-01-02 03:04:05.12"),
            (&at(1_000), "2026-01-02 03:04:05.000001"),
            (&at(1_999), "2026-01-02 03:04:05.000001"),
            (&at(0).and_utc(), "2026-01-02 03:04:05+00"),
            (&at(500_000_000).and_utc().with_timezone(&offset), "2026-01-02 03:04:05.5+00"),
            (
                &date(-43, 3, 15).and_hms_opt(0, 0, 0).expect("a time").and_utc(),
                "0044-03-15 00:00:00+00 BC",
            ),
            (&at(7_000).time(), "03:04:05.000007"),
        ] {
            assert_eq!(text(value), (Written::Text, expected.to_owned()));
        }
        assert_eq!(text(&NaiveTime::MIN).0, Written::OneOfSeveral);
        let mut out = String::new();
        assert_eq!(date(2026, 1, 2).write(Dialect::Sqlite, &mut out), Written::OneOfSeveral);
    }

    #[test]
    fn fractions_of_a_microsecond_are_cut_off_towards_2000() {
        let before = date(1999, 12, 31).and_hms_nano_opt(23, 59, 59, 1_999).expect("a time");
        assert_eq!(text(&before).1, "1999-12-31 23:59:59.000002");
    }

    #[test]
    fn a_leap_second_is_the_next_one() {
        let leap = date(2016, 12, 31).and_hms_nano_opt(23, 59, 59, 1_500_000_000).expect("a time");
        let next = date(2017, 1, 1).and_hms_nano_opt(0, 0, 0, 500_000_000).expect("a time");
        assert_eq!(text(&leap), text(&next));
        assert_ne!(key(&leap), key(&next));
    }

    #[test]
    fn values_that_differ_have_different_keys() {
        let midnight = date(2000, 1, 1).and_hms_opt(0, 0, 0).expect("a time");
        let nanos = [-1001, -1000, -999, -500, -1, 0, 1, 500, 999, 1000, 1001];
        let keys: Vec<String> =
            nanos.iter().map(|it| key(&(midnight + TimeDelta::nanoseconds(*it)))).collect();
        let mut each = keys.clone();
        each.sort_unstable();
        each.dedup();
        assert_eq!(each.len(), keys.len(), "{keys:?}");
    }
}
