//! Keys: text under which a value is stored.

use std::fmt::Write;

use crate::model::column::Column;
use crate::model::name;

/// Writes a key: literals as they are, parts escaped.
///
/// A part keeps `[A-Za-z0-9.-]` and turns every other byte into `%XX`. The schema makes sure that
/// two parts have between them a character that no part can contain, and that no two templates can
/// meet; together this makes keys injective: two ids, tenants or models never share one. (Of a long
/// key a hash is a part, with a space before it, which no other has.)
#[derive(Debug, Default)]
pub struct KeyWriter(String);

impl KeyWriter {
    /// Appends text of the template.
    pub fn literal(&mut self, text: &str) -> &mut Self {
        self.0.push_str(text);
        self
    }

    /// Appends one column of the id.
    pub fn part(&mut self, column: &impl Column) -> &mut Self {
        let start = self.0.len();
        column.write_key(&mut self.0);
        if !self.0.as_bytes()[start..].iter().all(is_plain) {
            let raw = self.0.split_off(start);
            for byte in raw.bytes() {
                if is_plain(&byte) {
                    self.0.push(char::from(byte));
                } else {
                    let _ = write!(self.0, "%{byte:02X}");
                }
            }
        }
        self
    }

    /// The key. One of more than 200 bytes ends with a hash of what it would be.
    pub fn finish(self) -> String {
        name::short(self.0, 0)
    }
}

fn is_plain(byte: &u8) -> bool {
    byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'-')
}

#[cfg(test)]
mod tests {
    use super::*;

    fn key(tenant: &str, id: &str) -> String {
        let mut key = KeyWriter::default();
        key.literal("plio_").part(&tenant.to_owned()).literal("_").part(&id.to_owned());
        key.finish()
    }

    #[test]
    fn numbers_and_plain_strings_stay_readable() {
        let mut writer = KeyWriter::default();
        writer.literal("plio_").part(&-7_i64);
        assert_eq!(writer.finish(), "plio_-7");
        assert_eq!(key("acme", "b.1-x"), "plio_acme_b.1-x");
    }

    #[test]
    fn parts_that_look_like_separators_cannot_meet() {
        let nasty = [
            "",
            "_",
            "a",
            "a_",
            "_a",
            "a_b",
            "%",
            "%5F",
            "é",
            "\u{1F600}",
            "a b",
            "\n",
            "#",
            "=",
            "\0",
        ];
        let mut seen = std::collections::HashMap::new();
        for a in nasty {
            for b in nasty {
                if let Some(other) = seen.insert(key(a, b), (a, b)) {
                    panic!("{:?} and {:?} share {}", other, (a, b), key(a, b));
                }
            }
        }
    }
}
