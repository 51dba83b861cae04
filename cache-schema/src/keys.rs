//! Every key the file may have. The reader, "did you mean" and the test of `reference.toml` use these.

/// The tables of the file.
pub(crate) const FILE: &[&str] = &["cache", "outbox", "model"];

/// The keys of `[cache]`.
pub(crate) const CACHE: &[&str] = &[
    "prefix",
    "ttl",
    "jitter",
    "negative-ttl",
    "codec",
    "max-load",
    "max-commit",
];

/// The keys of `[outbox]`.
pub(crate) const OUTBOX: &[&str] = &["table", "retention", "poll"];

/// The keys of `[model.x]`.
pub(crate) const MODEL: &[&str] = &[
    "table",
    "id",
    "key",
    "ttl",
    "jitter",
    "negative-ttl",
    "codec",
    "consistency",
    "lookup",
    "references",
    "depends-on",
    "via",
    "ignores",
];

/// The keys of `[model.x]` that say how a value is stored: they need a `key`.
pub(crate) const STORED: &[&str] = &[
    "ttl",
    "jitter",
    "negative-ttl",
    "codec",
    "consistency",
    "lookup",
];

#[cfg(test)]
mod tests {
    use toml::de::{DeTable, DeValue};

    use super::*;
    use crate::Schema;

    const REFERENCE: &str = include_str!("../reference.toml");

    #[test]
    fn the_reference_is_a_schema() {
        if let Err(diagnostics) = Schema::parse("reference.toml", REFERENCE) {
            panic!("{diagnostics}");
        }
    }

    #[test]
    fn the_reference_shows_every_key_with_a_comment() {
        let file = DeTable::parse(REFERENCE)
            .expect("it is a schema")
            .into_inner();
        let keys_of = |value: &DeValue<'_>| -> Vec<String> {
            value
                .as_table()
                .expect("a table")
                .keys()
                .map(|key| key.get_ref().to_string())
                .collect()
        };
        let cache = keys_of(file["cache"].get_ref());
        let outbox = keys_of(file["outbox"].get_ref());
        let models = file["model"].get_ref().as_table().expect("a table");
        let model: Vec<String> = models
            .values()
            .flat_map(|model| keys_of(model.get_ref()))
            .collect();

        for (known, shown) in [
            (
                FILE,
                file.keys().map(|key| key.get_ref().to_string()).collect(),
            ),
            (CACHE, cache),
            (OUTBOX, outbox),
            (MODEL, model),
        ] {
            for key in known {
                assert!(
                    shown.iter().any(|shown| shown == key),
                    "`{key}` is not in reference.toml"
                );
            }
        }
        for line in REFERENCE.lines().filter(|line| line.contains(" = ")) {
            assert!(line.contains('#'), "no comment: {line}");
        }
    }
}
