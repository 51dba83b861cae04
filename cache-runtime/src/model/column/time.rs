//! Times of time as columns.

use time::{Date, Duration, Month, OffsetDateTime, PrimitiveDateTime, Time};

use crate::model::column::moment::{Moment, moments};
use crate::model::column::{Column, Dialect, Id, Written};

const EPOCH: Date = match Date::from_calendar_date(2000, Month::January, 1) {
    Ok(epoch) => epoch,
    Err(_) => panic!("it is a date"),
};

/// As sqlx counts them. All that time can say has so many.
fn micros(since: Duration) -> i64 {
    i64::try_from(since.whole_microseconds()).unwrap_or(i64::MAX)
}

impl From<Date> for Moment {
    fn from(date: Date) -> Moment {
        Moment::Date { days: (date - EPOCH).whole_days() }
    }
}

impl From<Time> for Moment {
    fn from(time: Time) -> Moment {
        Moment::Time { micros: micros(time - Time::MIDNIGHT) }
    }
}

impl From<PrimitiveDateTime> for Moment {
    fn from(time: PrimitiveDateTime) -> Moment {
        Moment::Timestamp { micros: micros(time - EPOCH.midnight()) }
    }
}

impl From<OffsetDateTime> for Moment {
    fn from(time: OffsetDateTime) -> Moment {
        Moment::Timestamptz { micros: micros(time - EPOCH.midnight().assume_utc()) }
    }
}

moments!(dates: Date; times: Time, PrimitiveDateTime, OffsetDateTime);

#[cfg(test)]
mod tests {
    use time::UtcOffset;

    use super::*;

    fn date(year: i32, month: Month, day: u8) -> Date {
        Date::from_calendar_date(year, month, day).expect("a date")
    }

    fn text(value: &dyn Column) -> (Written, String) {
        let mut text = String::new();
        (value.write(Dialect::Postgres, &mut text), text)
    }

    #[test]
    fn a_time_has_the_text_of_postgresql() {
        let at = |nano| {
            let time = Time::from_hms_nano(3, 4, 5, nano).expect("a time");
            date(2026, Month::January, 2).with_time(time)
        };
        let offset = UtcOffset::from_hms(-5, -30, 0).expect("an offset");
        for (value, expected) in [
            (&date(2026, Month::January, 2) as &dyn Column, "2026-01-02"),
            (&date(0, Month::February, 29), "0001-02-29 BC"),
            (&date(-43, Month::March, 15), "0044-03-15 BC"),
            (&date(9999, Month::December, 31), "9999-12-31"),
            (&at(0), "2026-01-02 03:04:05"),
            (&at(120_000_000), "2026-01-02 03:04:05.12"),
            (&at(1_999), "2026-01-02 03:04:05.000001"),
            (&at(0).assume_utc(), "2026-01-02 03:04:05+00"),
            (&at(500_000_000).assume_utc().to_offset(offset), "2026-01-02 03:04:05.5+00"),
            (&date(-43, Month::March, 15).midnight().assume_utc(), "0044-03-15 00:00:00+00 BC"),
            (&at(7_000).time(), "03:04:05.000007"),
        ] {
            assert_eq!(text(value), (Written::Text, expected.to_owned()));
        }
        assert_eq!(text(&Time::MIDNIGHT).0, Written::OneOfSeveral);
        let mut key = String::new();
        at(1_999).write_key(&mut key);
        assert_eq!(key, "2026-01-02 03:04:05.000001 1999");
    }
}
