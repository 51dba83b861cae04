//! The kinds of values that a setting can have.

use std::fmt::Display;
use std::time::Duration;

use toml::de::DeValue;

use super::reader::Reader;
use super::{duration, size};
use crate::schema::{Codec, Consistency, OnWrite};
use crate::suggest::did_you_mean;

impl Reader<'_, '_> {
    /// A duration that is not zero.
    pub(super) fn life(&mut self, key: &str) -> Option<Duration> {
        let duration = self.duration(key)?;
        let (_, value) = self.entry(key)?;
        if duration.is_zero() {
            let why = match key {
                "max-load" => "no load could ever be stored",
                "max-commit" => "no write could ever commit",
                "retention" => "nothing could be delivered again",
                "poll" => "the relay would never rest",
                "load-timeout" => "no load could ever end in time",
                "max-staleness" => "a near cache could never answer",
                _ => "a value would be gone before it could be read",
            };
            self.wrong(value, format!("`{key}` is zero"), why.to_owned())
                .help("write a longer time, such as \"30s\"");
        }
        Some(duration)
    }

    pub(super) fn duration(&mut self, key: &str) -> Option<Duration> {
        const EXPECTED: &str =
            "integers with units (d, h, m, s, ms) in a string, such as \"90s\" or \"1h30m\"";
        let text = self.string(key, EXPECTED)?;
        match duration::parse(text.get_ref()) {
            Ok(duration) => Some(duration),
            Err(label) => {
                let (_, value) = self.entry(key)?;
                self.wrong(value, format!("`{key}` is not a duration"), label)
                    .help(format!("write {EXPECTED}"));
                None
            }
        }
    }

    pub(super) fn percent(&mut self, key: &str) -> Option<u8> {
        const EXPECTED: &str = "a share from \"0%\" to \"100%\" in a string";
        let text = self.string(key, EXPECTED)?;
        let percent = text
            .get_ref()
            .strip_suffix('%')
            .filter(|digits| digits.chars().all(|c| c.is_ascii_digit()))
            .and_then(|digits| digits.parse().ok())
            .filter(|percent| *percent <= 100);
        if percent.is_none() {
            let (_, value) = self.entry(key)?;
            self.wrong(
                value,
                format!("`{key}` is not a percentage"),
                "not a whole number of percent".to_owned(),
            )
            .help(format!("write {EXPECTED}"));
        }
        percent
    }

    /// A share of all, from 0 to 1, out of `u32::MAX`. Only 0 is none, however small it is.
    pub(super) fn share(&mut self, key: &str) -> Option<u32> {
        const EXPECTED: &str = "a number from 0 (none) to 1 (all), such as 0.001";
        let (_, value) = self.entry(key)?;
        let number = match value.get_ref() {
            DeValue::Integer(integer) => {
                let integer = i128::from_str_radix(integer.as_str(), integer.radix());
                // What does not fit is more than all.
                integer.map_or(f64::INFINITY, |integer| integer as f64)
            }
            DeValue::Float(float) => float.as_str().parse().unwrap_or(f64::NAN),
            _ => {
                self.wrong_type(key, value, EXPECTED);
                return None;
            }
        };
        if (0.0..=1.0).contains(&number) {
            return Some((number * f64::from(u32::MAX)).ceil() as u32);
        }
        let label = match number {
            _ if number.is_nan() => "not a number",
            _ if number < 0.0 => "less than none",
            _ => "more than all",
        };
        self.wrong(value, format!("`{key}` is not a share"), label.to_owned())
            .help(format!("write {EXPECTED}"));
        None
    }

    /// How many: an integer that is not zero.
    pub(super) fn count(&mut self, key: &str) -> Option<usize> {
        const EXPECTED: &str = "a positive integer, such as 10000";
        let (_, value) = self.entry(key)?;
        let DeValue::Integer(integer) = value.get_ref() else {
            self.wrong_type(key, value, EXPECTED);
            return None;
        };
        let negative = integer.as_str().starts_with('-');
        match usize::from_str_radix(integer.as_str(), integer.radix()) {
            Ok(count) => return self.not_zero(key, count, EXPECTED),
            Err(_) if negative => self.wrong(
                value,
                format!("`{key}` is negative"),
                "not a number of values".to_owned(),
            ),
            Err(_) => self.wrong(
                value,
                format!("`{key}` is too large"),
                "more than a process can hold".to_owned(),
            ),
        }
        .help(format!("write {EXPECTED}"));
        None
    }

    /// How many bytes: a size that is not zero.
    pub(super) fn size(&mut self, key: &str) -> Option<usize> {
        const EXPECTED: &str =
            "an integer with a unit (KB, MB, GB, KiB, MiB, GiB) in a string, such as \"16MB\"";
        let text = self.string(key, EXPECTED)?;
        match size::parse(text.get_ref()) {
            Ok(size) => self.not_zero(key, size, EXPECTED),
            Err(label) => {
                let (_, value) = self.entry(key)?;
                self.wrong(value, format!("`{key}` is not a size"), label)
                    .help(format!("write {EXPECTED}"));
                None
            }
        }
    }

    /// A number that is not zero.
    fn not_zero(&mut self, key: &str, number: usize, expected: &str) -> Option<usize> {
        if number == 0 {
            let (_, value) = self.entry(key)?;
            let why = match key {
                "max-loads" => "nothing could ever be loaded",
                "max-value" | "max-tags" => "nothing could ever be stored",
                "limit" => "no id would be kept",
                "version" => "versions begin with 1",
                _ => "no value could be held",
            };
            let why = why.to_owned();
            self.wrong(value, format!("`{key}` is zero"), why).help(format!("write {expected}"));
        }
        Some(number)
    }

    pub(super) fn codec(&mut self, key: &str) -> Option<Codec> {
        self.one_of(key, [Codec::Json, Codec::Msgpack])
    }

    pub(super) fn consistency(&mut self, key: &str) -> Option<Consistency> {
        self.one_of(key, [Consistency::Eventual, Consistency::Strict])
    }

    pub(super) fn on_write(&mut self, key: &str) -> Option<OnWrite> {
        self.one_of(key, [OnWrite::Delete, OnWrite::Refresh])
    }

    /// A word.
    fn one_of<T: Copy + Display>(&mut self, key: &str, all: [T; 2]) -> Option<T> {
        let names = all.map(|word| word.to_string());
        let expected = format!("\"{}\" or \"{}\"", names[0], names[1]);
        let text = self.string(key, &expected)?;
        let found = names.iter().position(|name| name == text.get_ref());
        if found.is_none() {
            let (_, value) = self.entry(key)?;
            self.wrong(
                value,
                format!("unknown {key} `{}`", text.get_ref()),
                format!("no such {key}"),
            )
            .help(format!("write {expected}"))
            .help_if(did_you_mean(text.get_ref(), names.iter().map(String::as_str)));
        }
        found.map(|found| all[found])
    }
}
