//! UUIDs as columns.

use std::fmt::Write;

use uuid::Uuid;
use uuid::fmt::Hyphenated;

use crate::model::column::{Column, Dialect, Id, Written};

/// On SQLite sqlx stores it as a BLOB of 16 bytes, and reads it from nothing else
/// (`sqlx-sqlite/src/types/uuid.rs`); the triggers write a BLOB with `hex()`.
impl Column for Uuid {
    fn write(&self, dialect: Dialect, out: &mut String) -> Written {
        let _ = match dialect {
            Dialect::Postgres => write!(out, "{}", self.hyphenated()),
            Dialect::Sqlite => write!(out, "{:X}", self.simple()),
        };
        Written::Text
    }
}
impl Id for Uuid {}

/// On SQLite sqlx stores it as a TEXT, and reads it from whatever `Uuid::parse_str` takes: upper
/// case, braces.
impl Column for Hyphenated {
    fn write(&self, dialect: Dialect, out: &mut String) -> Written {
        let _ = write!(out, "{self}");
        match dialect {
            Dialect::Postgres => Written::Text,
            Dialect::Sqlite => Written::OneOfSeveral,
        }
    }
}
impl Id for Hyphenated {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_uuid_is_hyphenated_on_postgresql_and_a_blob_on_sqlite() {
        for (uuid, hyphenated, hex) in [
            (
                Uuid::from_u128(0x6ba7_b810_9dad_11d1_80b4_00c0_4fd4_30c8),
                "6ba7b810-9dad-11d1-80b4-00c04fd430c8",
                "6BA7B8109DAD11D180B400C04FD430C8",
            ),
            (
                Uuid::nil(),
                "00000000-0000-0000-0000-000000000000",
                "00000000000000000000000000000000",
            ),
        ] {
            let text = |column: &dyn Column, dialect| {
                let mut text = String::new();
                (column.write(dialect, &mut text), text)
            };
            let one = |text: &str| (Written::Text, text.to_owned());
            assert_eq!(text(&uuid, Dialect::Postgres), one(hyphenated));
            assert_eq!(text(&uuid, Dialect::Sqlite), one(hex));
            assert_eq!(text(&uuid.hyphenated(), Dialect::Postgres), one(hyphenated));
            let (written, _) = text(&uuid.hyphenated(), Dialect::Sqlite);
            assert_eq!(written, Written::OneOfSeveral);
        }
    }
}
