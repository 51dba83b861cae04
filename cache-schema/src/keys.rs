//! Every key the file may have, for the reader, "did you mean" and the test of `reference.toml`.

/// The tables of the file.
pub(crate) const FILE: &[&str] = &["cache", "outbox", "model", "list"];

/// The keys of `[cache]`.
pub(crate) const CACHE: &[&str] = &[
    "prefix",
    "ttl",
    "jitter",
    "negative-ttl",
    "codec",
    "max-load",
    "max-commit",
    "max-loads",
    "max-value",
    "max-tags",
    "grace",
    "load-timeout",
    "lease",
    "near",
    "verify",
];

/// The keys of `near` in `[cache]`.
pub(crate) const CACHE_NEAR: &[&str] = &["max-staleness"];

/// The keys of `[outbox]`.
pub(crate) const OUTBOX: &[&str] = &["table", "retention", "poll"];

/// The keys of `[model.x]`.
pub(crate) const MODEL: &[&str] = &[
    "of",
    "table",
    "id",
    "key",
    "version",
    "ttl",
    "jitter",
    "negative-ttl",
    "codec",
    "max-value",
    "max-tags",
    "grace",
    "load-timeout",
    "lease",
    "near",
    "on-write",
    "verify",
    "consistency",
    "lookup",
    "references",
    "depends-on",
    "via",
    "ignores",
];

/// The keys of `[list.x]`.
pub(crate) const LIST: &[&str] = &[
    "of",
    "by",
    "via",
    "order",
    "where",
    "limit",
    "key",
    "ttl",
    "jitter",
    "codec",
    "max-value",
    "max-tags",
    "grace",
    "load-timeout",
    "lease",
    "near",
    "on-write",
    "verify",
    "consistency",
];

/// The keys of a condition that is no constant.
pub(crate) const CONDITION: &[&str] = &["null"];

/// The keys of `near` in `[model.x]` and `[list.x]`.
pub(crate) const NEAR: &[&str] = &["entries", "bytes"];

/// The keys of `[model.x]` that say how a value is stored: they need a `key`.
pub(crate) const STORED: &[&str] = &[
    "version",
    "ttl",
    "jitter",
    "negative-ttl",
    "codec",
    "max-value",
    "max-tags",
    "grace",
    "load-timeout",
    "lease",
    "near",
    "on-write",
    "verify",
    "consistency",
    "lookup",
];

/// The keys of `[model.x]` that say what its rows are: with `of`, another model says it.
pub(crate) const OF_ROWS: &[&str] = &["table", "id", "references", "ignores"];

/// The keys of `[model.x]` and `[list.x]` that what is strict cannot have.
pub(crate) const NOT_STRICT: &[&str] = &["lease", "near", "on-write"];

#[cfg(test)]
mod tests {
    use toml::de::{DeTable, DeValue};

    use super::*;
    use crate::schema::{Schema, Settings};

    const REFERENCE: &str = include_str!("../reference.toml");

    #[test]
    fn the_reference_is_a_schema_and_shows_the_defaults() {
        match Schema::parse("reference.toml", REFERENCE) {
            Ok(schema) => assert_eq!(schema.settings, Settings::default()),
            Err(diagnostics) => panic!("{diagnostics}"),
        }
    }

    #[test]
    fn the_reference_shows_every_key_with_a_comment() {
        let file = DeTable::parse(REFERENCE).expect("it is a schema").into_inner();
        let keys_of = |value: &DeValue<'_>| -> Vec<String> {
            value.as_table().expect("a table").keys().map(|key| key.get_ref().to_string()).collect()
        };
        let cache = keys_of(file["cache"].get_ref());
        let outbox = keys_of(file["outbox"].get_ref());
        let models = file["model"].get_ref().as_table().expect("a table");
        let model: Vec<String> =
            models.values().flat_map(|model| keys_of(model.get_ref())).collect();
        let lists = file["list"].get_ref().as_table().expect("a table");
        let list: Vec<String> = lists.values().flat_map(|list| keys_of(list.get_ref())).collect();
        let models_near = models.values().filter_map(|model| model.get_ref().get("near"));
        let model_near: Vec<String> =
            models_near.flat_map(|near| keys_of(near.get_ref())).collect();
        let cache_near = keys_of(file["cache"].get_ref()["near"].get_ref());

        for (known, shown) in [
            (FILE, file.keys().map(|key| key.get_ref().to_string()).collect()),
            (CACHE, cache),
            (CACHE_NEAR, cache_near),
            (OUTBOX, outbox),
            (MODEL, model),
            (NEAR, model_near),
            (LIST, list),
        ] {
            for key in known {
                assert!(shown.iter().any(|shown| shown == key), "`{key}` is not in reference.toml");
            }
        }
        for line in REFERENCE.lines().filter(|line| line.contains(" = ")) {
            assert!(line.contains('#'), "no comment: {line}");
        }
    }
}
