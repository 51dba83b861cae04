//! `[cache]`, and the settings a model may have of its own.

use std::time::Duration;

use super::reader::Reader;
use super::{File, duration};
use crate::schema::Codec;
use crate::suggest::did_you_mean;

pub(super) fn read(cache: &mut Reader<'_, '_>, file: &mut File) {
    let defaults = file.settings.clone();
    let settings = &mut file.settings;

    settings.ttl = cache.life("ttl").unwrap_or(defaults.ttl);
    settings.jitter = cache.percent("jitter").unwrap_or(defaults.jitter);
    settings.negative_ttl = cache
        .duration("negative-ttl")
        .unwrap_or(defaults.negative_ttl);
    settings.codec = cache.codec("codec").unwrap_or(defaults.codec);
    settings.max_load = cache.life("max-load").unwrap_or(defaults.max_load);

    file.prefix = cache.string("prefix", "a string, such as \"app:\"");
    if let Some(prefix) = &file.prefix {
        settings.prefix.clone_from(prefix.get_ref());
    }
    file.outbox = cache.string("outbox", "the name of a table, such as \"cache_outbox\"");
    if let Some(outbox) = &file.outbox {
        settings.outbox.clone_from(outbox.get_ref());
    }
}

/// The kinds of values that a setting can have.
impl Reader<'_, '_> {
    /// A duration that is not zero.
    pub(super) fn life(&mut self, key: &str) -> Option<Duration> {
        let duration = self.duration(key)?;
        let (_, value) = self.entry(key)?;
        if duration.is_zero() {
            let why = match key {
                "max-load" => "no load could ever be stored",
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

    pub(super) fn codec(&mut self, key: &str) -> Option<Codec> {
        const ALL: [Codec; 2] = [Codec::Json, Codec::Msgpack];
        const EXPECTED: &str = "\"json\" or \"msgpack\"";
        let text = self.string(key, EXPECTED)?;
        let found = ALL
            .into_iter()
            .find(|codec| codec.to_string() == *text.get_ref());
        if found.is_none() {
            let names = ALL.map(|codec| codec.to_string());
            let (_, value) = self.entry(key)?;
            self.wrong(
                value,
                format!("unknown codec `{}`", text.get_ref()),
                "no such codec".to_owned(),
            )
            .help(format!("write {EXPECTED}"))
            .help_if(did_you_mean(
                text.get_ref(),
                names.iter().map(String::as_str),
            ));
        }
        found
    }
}
