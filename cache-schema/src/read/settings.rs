//! `[cache]` and `[outbox]`: what is not written keeps its default.

use super::reader::Reader;
use crate::keys;
use crate::raw::File;

const NEAR: &str = "a table, such as { max-staleness = \"2s\" }";

pub(super) fn cache(cache: &mut Reader<'_, '_>, file: &mut File) {
    let settings = &mut file.settings;
    settings.ttl = cache.life("ttl").unwrap_or(settings.ttl);
    settings.jitter = cache.percent("jitter").unwrap_or(settings.jitter);
    settings.negative_ttl = cache.duration("negative-ttl").unwrap_or(settings.negative_ttl);
    settings.codec = cache.codec("codec").unwrap_or(settings.codec);
    settings.max_load = cache.life("max-load").unwrap_or(settings.max_load);
    settings.max_commit = cache.life("max-commit").unwrap_or(settings.max_commit);
    settings.max_loads = cache.count("max-loads").unwrap_or(settings.max_loads);
    settings.max_value = cache.size("max-value").unwrap_or(settings.max_value);
    settings.max_tags = cache.count("max-tags").unwrap_or(settings.max_tags);
    settings.grace = cache.duration("grace").unwrap_or(settings.grace);
    settings.load_timeout = cache.life("load-timeout").unwrap_or(settings.load_timeout);
    settings.lease = cache.duration("lease").unwrap_or(settings.lease);
    settings.verify = cache.share("verify").unwrap_or(settings.verify);
    if let Some(mut near) = cache.table("near", keys::CACHE_NEAR, "`near` of [cache]", NEAR) {
        settings.max_staleness = near.life("max-staleness").unwrap_or(settings.max_staleness);
    }
    file.prefix = cache.string("prefix", "a string, such as \"app:\"");
    if let Some(prefix) = &file.prefix {
        settings.prefix.clone_from(prefix.get_ref());
    }
}

pub(super) fn outbox(outbox: &mut Reader<'_, '_>, file: &mut File) {
    let settings = &mut file.settings.outbox;
    let expected = format!("the name of a table, such as \"{}\"", settings.table);
    file.outbox = outbox.string("table", &expected);
    if let Some(table) = &file.outbox {
        settings.table.clone_from(table.get_ref());
    }
    settings.retention = outbox.life("retention").unwrap_or(settings.retention);
    settings.poll = outbox.life("poll").unwrap_or(settings.poll);
}
