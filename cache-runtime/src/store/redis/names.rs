//! The names of what there is in Redis.

use std::borrow::Cow;
use std::sync::Arc;

/// What there is in Redis. `index` and `lease` are put before tags and keys, `values` before keys.
pub(super) struct Names {
    pub(super) values: Arc<str>,
    /// The prefix of `cache.toml`, which is in the keys already.
    pub(super) of_schema: &'static str,
    pub(super) clock: String,
    pub(super) fences: String,
    pub(super) tags: String,
    pub(super) blocks: String,
    pub(super) channel: String,
    pub(super) index: String,
    pub(super) lease: String,
}

impl Names {
    pub(super) fn new(values: &str, of_schema: &'static str, database: i64) -> Names {
        let name = |name: &str| format!("{values}{of_schema}cache:{name}");
        Names {
            values: values.into(),
            of_schema,
            clock: name("clock"),
            fences: name("fences"),
            tags: name("tags"),
            blocks: name("blocks"),
            // Channels are not of one logical database, as keys are.
            channel: name(&format!("invalidations:{database}")),
            index: name("index:"),
            lease: name("lease:"),
        }
    }

    /// Under which name the value of this key is.
    pub(super) fn value<'k>(&self, key: &'k str) -> Cow<'k, str> {
        match &*self.values {
            "" => Cow::Borrowed(key),
            prefix => Cow::Owned(format!("{prefix}{key}")),
        }
    }

    /// Under which names the values of these keys are.
    pub(super) fn values<'k>(&self, keys: &'k [String]) -> Cow<'k, [String]> {
        match &*self.values {
            "" => Cow::Borrowed(keys),
            _ => keys.iter().map(|key| self.value(key).into_owned()).collect(),
        }
    }
}
