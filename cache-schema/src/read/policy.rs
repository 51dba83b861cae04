//! How what is cached is stored: what `[model.x]` and `[list.x]` have in common.

use std::time::Duration;

use super::reader::Reader;
use crate::keys;
use crate::schema::{Capacity, Consistency, OnWrite, Policy, Settings};
use crate::template::KeyTemplate;

/// What is not written is as in `[cache]`. The key, the lookups, the version and the life of "no
/// such row" are the caller's.
pub(super) fn read(reader: &mut Reader<'_, '_>, defaults: &Settings) -> Policy {
    Policy {
        key: KeyTemplate::parse("").0,
        ttl: reader.life("ttl").unwrap_or(defaults.ttl),
        jitter: reader.percent("jitter").unwrap_or(defaults.jitter),
        negative_ttl: Duration::ZERO,
        codec: reader.codec("codec").unwrap_or(defaults.codec),
        version: 1,
        max_value: reader.size("max-value").unwrap_or(defaults.max_value),
        max_tags: reader.count("max-tags").unwrap_or(defaults.max_tags),
        grace: reader.duration("grace").unwrap_or(defaults.grace),
        load_timeout: reader.life("load-timeout").unwrap_or(defaults.load_timeout),
        lease: reader.duration("lease").unwrap_or(defaults.lease),
        near: near(reader),
        on_write: reader.on_write("on-write").unwrap_or(OnWrite::Delete),
        verify: reader.share("verify").unwrap_or(defaults.verify),
        consistency: reader.consistency("consistency").unwrap_or(Consistency::Eventual),
        lookups: Vec::new(),
    }
}

/// `{ entries = 10000 }` or `{ bytes = "16MB" }`
fn near(reader: &mut Reader<'_, '_>) -> Option<Capacity> {
    const EXPECTED: &str =
        "how many values, { entries = 10000 }, or how many encoded bytes, { bytes = \"16MB\" }";
    let (_, value) = reader.entry("near")?;
    let mut near = reader.table("near", keys::NEAR, "`near` of a model", EXPECTED)?;
    let (message, label) = match (near.entry("entries"), near.entry("bytes")) {
        (Some(_), None) => return near.count("entries").map(Capacity::Entries),
        (None, Some(_)) => return near.size("bytes").map(Capacity::Bytes),
        (Some(_), Some(_)) => ("`near` has two limits", "`entries` or `bytes`, not both"),
        // A key that it does not know has its own message.
        (None, None) if !near.is_empty() => return None,
        (None, None) => ("`near` has no limit", "neither `entries` nor `bytes`"),
    };
    near.wrong(value, message.to_owned(), label.to_owned()).help(format!("write {EXPECTED}"));
    None
}
