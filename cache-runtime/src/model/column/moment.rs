//! Dates and times as PostgreSQL writes them under `DateStyle = 'ISO'` and `TimeZone = 'UTC'`:
//! `EncodeDateOnly`, `EncodeTimeOnly` and `EncodeDateTime` of
//! <https://github.com/postgres/postgres/blob/REL_17_STABLE/src/backend/utils/adt/datetime.c>.
//!
//! It counts as PostgreSQL does, and as sqlx sends: days, or microseconds, since 2000. The
//! fractions that are left, sqlx cuts off towards 2000 (`num_microseconds`, `whole_microseconds` in
//! `sqlx-postgres/src/types/{chrono,time}`). So a value has the text of what is stored of it.

use std::fmt::Write;

use crate::model::column::{Dialect, Written};

/// Microseconds.
const SECOND: i64 = 1_000_000;
const DAY: i64 = 24 * 60 * 60 * SECOND;

/// What a value is, as PostgreSQL counts it.
#[derive(Clone, Copy)]
pub(super) enum Moment {
    /// A `date`: days since 2000.
    Date { days: i64 },
    /// A `time`: microseconds since midnight.
    Time { micros: i64 },
    /// A `timestamp`: microseconds since 2000.
    Timestamp { micros: i64 },
    /// A `timestamptz`: the same, in UTC.
    Timestamptz { micros: i64 },
}

impl Moment {
    /// See [`Column::write`](super::Column::write). On SQLite all times are texts that can be
    /// written in several ways, and numbers as well.
    pub(super) fn write(self, dialect: Dialect, out: &mut String) -> Written {
        match self {
            Moment::Date { days } => date(days, "", out),
            Moment::Time { micros } => time(micros, out),
            Moment::Timestamp { micros } => timestamp(micros, "", out),
            Moment::Timestamptz { micros } => timestamp(micros, "+00", out),
        }
        match (dialect, self) {
            (Dialect::Sqlite, _) => Written::OneOfSeveral,
            // PostgreSQL has `24:00:00` besides `00:00:00`, and both are read as midnight.
            (_, Moment::Time { micros }) if micros % DAY == 0 => Written::OneOfSeveral,
            (Dialect::Postgres, _) => Written::Text,
        }
    }

    /// See [`Column::write_key`](super::Column::write_key). `nanos` are those of its second. Where
    /// PostgreSQL stores less than that, they are told as well: another value has another key.
    pub(super) fn write_key(self, nanos: u32, out: &mut String) {
        self.write(Dialect::Postgres, out);
        let is_stored = nanos.is_multiple_of(1000) && i64::from(nanos) < 1000 * SECOND;
        if !is_stored {
            let _ = write!(out, " {nanos}");
        }
    }
}

/// Makes columns of types that are moments.
macro_rules! moments {
    (dates: $($date:ty),*; times: $($time:ty),*) => {
        $(
            impl Column for $date {
                fn write(&self, dialect: Dialect, out: &mut String) -> Written {
                    Moment::from(*self).write(dialect, out)
                }
            }
            impl Id for $date {}
        )*
        $(
            impl Column for $time {
                fn write(&self, dialect: Dialect, out: &mut String) -> Written {
                    Moment::from(*self).write(dialect, out)
                }

                fn write_key(&self, out: &mut String) {
                    Moment::from(*self).write_key(self.nanosecond(), out);
                }
            }
            impl Id for $time {}
        )*
    };
}
pub(super) use moments;

/// `2026-01-02`; with what comes after it, but before `BC`: PostgreSQL writes that last.
fn date(days: i64, then: &str, out: &mut String) {
    let (year, month, day) = civil(days);
    let _ = match year {
        1.. => write!(out, "{year:04}-{month:02}-{day:02}{then}"),
        // There is no year 0: it is 1 BC.
        _ => write!(out, "{:04}-{month:02}-{day:02}{then} BC", 1 - year),
    };
}

/// `03:04:05.12`, without zeros at the end.
fn time(micros: i64, out: &mut String) {
    let (seconds, micros) = (micros / SECOND, micros % SECOND);
    let (hour, minute, second) = (seconds / 3600, seconds / 60 % 60, seconds % 60);
    let _ = write!(out, "{hour:02}:{minute:02}:{second:02}");
    if micros != 0 {
        let fraction = format!(".{micros:06}");
        out.push_str(fraction.trim_end_matches('0'));
    }
}

fn timestamp(micros: i64, zone: &str, out: &mut String) {
    let mut then = " ".to_owned();
    time(micros.rem_euclid(DAY), &mut then);
    then.push_str(zone);
    date(micros.div_euclid(DAY), &then, out);
}

/// Year, month and day of a day since 2000, in the Gregorian calendar for all times: as
/// <https://howardhinnant.github.io/date_algorithms.html#civil_from_days>, whose years begin in
/// March, so that a leap day is the last of its year.
fn civil(days: i64) -> (i64, i64, i64) {
    // Since March of the year 0.
    let days = days + 730_425;
    let (era, day_of_era) = (days.div_euclid(146_097), days.rem_euclid(146_097));
    let year_of_era =
        (day_of_era - day_of_era / 1460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
    let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let month_from_march = (5 * day_of_year + 2) / 153;
    let day = day_of_year - (153 * month_from_march + 2) / 5 + 1;
    let (month, years) = match month_from_march {
        0..10 => (month_from_march + 3, 0),
        _ => (month_from_march - 9, 1),
    };
    (era * 400 + year_of_era + years, month, day)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_day_is_the_day_after_the_one_before_it() {
        assert_eq!(civil(0), (2000, 1, 1));
        let is_leap = |year: i64| year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
        let length = |year, month| match month {
            4 | 6 | 9 | 11 => 30,
            2 if is_leap(year) => 29,
            2 => 28,
            _ => 31,
        };
        // From 739 BC to 4737.
        for day in -1_000_000..1_000_000 {
            let (year, month, of_month) = civil(day);
            let next = match (month, of_month) {
                (12, 31) => (year + 1, 1, 1),
                _ if of_month == length(year, month) => (year, month + 1, 1),
                _ => (year, month, of_month + 1),
            };
            assert_eq!(civil(day + 1), next);
        }
    }

    #[test]
    fn what_is_not_stored_is_told_in_a_key() {
        let key = |micros, nanos| {
            let mut key = String::new();
            Moment::Time { micros }.write_key(nanos, &mut key);
            key
        };
        assert_eq!(key(SECOND / 2, 500_000_000), "00:00:00.5");
        assert_eq!(key(SECOND / 2, 500_000_001), "00:00:00.5 500000001");
        assert_eq!(key(DAY - SECOND / 2, 500_000_000), "23:59:59.5");
        assert_eq!(key(DAY + SECOND / 2, 1_500_000_000), "24:00:00.5 1500000000");
    }
}
