//! Columns: values as the texts that keys and tags are made of. Which of them identify a row, and
//! which refer to one.

#[cfg(feature = "chrono")]
mod chrono;
#[cfg(any(feature = "chrono", feature = "time"))]
mod moment;
#[cfg(feature = "time")]
mod time;
#[cfg(feature = "uuid")]
mod uuid;

use std::fmt::{Debug, Write};
use std::hash::Hash;
use std::sync::Arc;

use serde::Serialize;
use serde::de::DeserializeOwned;

/// The database whose triggers write the texts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Dialect {
    /// Its triggers write `column::text`, under settings of their own: UTC, ISO.
    Postgres,
    /// Its triggers write what is stored; of a BLOB, the bytes in upper-case hex.
    Sqlite,
}

/// What [`Column::write`] has written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Written {
    /// The one text that the database has for every equal value.
    Text,
    /// Nothing: the value is NULL.
    Null,
    /// One of several texts that equal values have in this database. What depends on such a value
    /// is invalidated by a write to any row of the model.
    OneOfSeveral,
}

/// A type whose values can stand in a column that keys and tags are made of: an id, a reference, a
/// lookup.
///
/// The triggers build a tag in SQL (`'post#id=' || id`), and the runtime builds it from the value
/// in Rust. A write reaches what was read only where the two are the same text. So the contract is:
/// [`write`](Self::write) appends **the text that the database itself writes for an equal value**,
/// or says that there is none ([`Written::Null`]), or several ([`Written::OneOfSeveral`]).
///
/// # Which types?
///
/// | type | feature | text on PostgreSQL | on SQLite |
/// | --- | --- | --- | --- |
/// | `i8` … `i64`, `u8` … `u64` | | `-7` | `-7` |
/// | `String`, `Box<str>`, `Arc<str>` | | itself | itself |
/// | `bool` | | `true`, `false` | `1`, `0` |
/// | `Uuid` | `uuid` | `6ba7b810-9dad-…` | `6BA7B8109DAD…`: it is a BLOB |
/// | `uuid::fmt::Hyphenated` | `uuid` | `6ba7b810-9dad-…` | several |
/// | `NaiveDate`; `Date` | `chrono`; `time` | `2026-01-02` | several |
/// | `NaiveTime`; `Time` | `chrono`; `time` | `03:04:05.12`; of midnight several | several |
/// | `NaiveDateTime`; `PrimitiveDateTime` | `chrono`; `time` | `2026-01-02 03:04:05.12` | several |
/// | `DateTime<Utc>`, `DateTime<FixedOffset>`; `OffsetDateTime` | `chrono`; `time` | `2026-01-02 03:04:05.12+00` | several |
/// | `Option` of these | | NULL: nothing | NULL: nothing |
///
/// # One's own
///
/// Derive it. A newtype has the text of what is in it, and is an [`Id`] if that is one. An enum
/// without data has the text that `#[derive(sqlx::Type)]` stores: the variant's name, as
/// `#[sqlx(rename_all = "…")]` and `#[sqlx(rename = "…")]` change it, or, with `#[repr(i32)]`, its
/// number.
///
/// ```
/// use cache_runtime::{Column, Dialect};
///
/// #[derive(Clone, Copy, Column)]
/// struct AuthorId(i64);
///
/// #[derive(Clone, Copy, Column)]
/// #[sqlx(rename_all = "snake_case")]
/// enum Status {
///     InReview,
///     #[sqlx(rename = "live")]
///     Published,
/// }
///
/// fn text(column: impl Column) -> String {
///     let mut text = String::new();
///     column.write(Dialect::Postgres, &mut text);
///     text
/// }
/// assert_eq!(text(AuthorId(7)), "7");
/// assert_eq!(text(Status::InReview), "in_review");
/// assert_eq!(text(Some(Status::Published)), "live");
/// ```
///
/// Or write it. This one is `numeric(10, 2)` on PostgreSQL; on SQLite 1.5 and 1.50 are equal, and
/// are stored as the writer likes:
///
/// ```
/// use std::fmt::Write;
///
/// use cache_runtime::{Column, Dialect, Written};
///
/// /// In cents.
/// struct Price(u32);
///
/// impl Column for Price {
///     fn write(&self, dialect: Dialect, out: &mut String) -> Written {
///         let _ = write!(out, "{}.{:02}", self.0 / 100, self.0 % 100);
///         match dialect {
///             Dialect::Postgres => Written::Text,
///             Dialect::Sqlite => Written::OneOfSeveral,
///         }
///     }
/// }
///
/// let mut text = String::new();
/// assert_eq!(Price(150).write(Dialect::Postgres, &mut text), Written::Text);
/// assert_eq!(text, "1.50");
/// ```
///
/// Let all structs that hold a column have one type for it: two types may have two texts.
#[diagnostic::on_unimplemented(
    message = "`{Self}` cannot be a column of a key or tag",
    label = "the database has no one text for each of its values, or the cache does not know it",
    note = "integers, `String`, `Box<str>`, `Arc<str>` and `bool` can; `Uuid` and the times of chrono and time, with the features `uuid`, `chrono`, `time` of cache-runtime; and `Option`s of them where the column may be NULL",
    note = "a newtype of one of them, or an enum without data, can with `#[derive(cache_runtime::Column)]`"
)]
pub trait Column {
    /// Appends the text that this database writes for an equal value. Where there are several, any
    /// of them; for NULL, nothing.
    fn write(&self, dialect: Dialect, out: &mut String) -> Written;

    /// Appends the text that the value has in a key: another one for each value, the same in every
    /// database. What PostgreSQL writes, if nothing else is said; a type that wraps one for which
    /// something else is said, says it as well.
    fn write_key(&self, out: &mut String) {
        self.write(Dialect::Postgres, out);
    }
}

macro_rules! columns {
    ($($t:ty),*) => {$(
        impl Column for $t {
            fn write(&self, _: Dialect, out: &mut String) -> Written {
                // Writing to a `String` cannot fail.
                let _ = write!(out, "{self}");
                Written::Text
            }
        }
        impl Id for $t {}
    )*};
}
columns!(i8, i16, i32, i64, u8, u16, u32, u64, String, Box<str>, Arc<str>);

/// On SQLite, `TRUE` is another way to write 1 (<https://sqlite.org/datatype3.html#boolean_datatype>),
/// which is what sqlx binds.
impl Column for bool {
    fn write(&self, dialect: Dialect, out: &mut String) -> Written {
        out.push_str(match (dialect, self) {
            (Dialect::Postgres, true) => "true",
            (Dialect::Postgres, false) => "false",
            (Dialect::Sqlite, true) => "1",
            (Dialect::Sqlite, false) => "0",
        });
        Written::Text
    }
}
impl Id for bool {}

impl<T: Column> Column for Option<T> {
    fn write(&self, dialect: Dialect, out: &mut String) -> Written {
        self.as_ref().map_or(Written::Null, |value| value.write(dialect, out))
    }

    fn write_key(&self, out: &mut String) {
        if let Some(value) = self {
            value.write_key(out);
        }
    }
}

/// What identifies a row: the type of the `id` column, or a tuple for a composite id.
///
/// One column is an id if it is a [`Column`] that is never NULL, and is hashed, compared and
/// serialized. `#[derive(Column)]` implements it as well, where that can be:
///
/// ```
/// use cache_runtime::{Column, Id};
/// use serde::{Deserialize, Serialize};
///
/// #[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize, Column)]
/// struct AuthorId(i64);
///
/// fn is_an_id<T: Id>() {}
/// is_an_id::<AuthorId>();
/// is_an_id::<(AuthorId, String)>();
/// ```
#[diagnostic::on_unimplemented(
    message = "`{Self}` cannot be an id",
    label = "not the type of an id",
    note = "an id is an integer, a `String`, `Box<str>`, `Arc<str>` or a `bool`; a `Uuid` or a time of chrono or time, with the features `uuid`, `chrono`, `time` of cache-runtime; or a tuple of them for a composite id; it is never NULL",
    note = "a newtype of one of them, or an enum without data, is one with `#[derive(cache_runtime::Column, Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]`"
)]
pub trait Id:
    Clone + Eq + Hash + Debug + Serialize + DeserializeOwned + Send + Sync + 'static
{
}

impl<A: Id, B: Id> Id for (A, B) {}
impl<A: Id, B: Id, C: Id> Id for (A, B, C) {}
impl<A: Id, B: Id, C: Id, D: Id> Id for (A, B, C, D) {}

/// A column that holds the id of a model whose id has type `T`.
#[diagnostic::on_unimplemented(
    message = "this column has type `{Self}`, but the model it references has an id of type `{T}`",
    label = "mismatched id type",
    note = "a reference has the type of the id it holds, or an `Option` of it"
)]
pub trait References<T> {}

impl<T: Id> References<T> for T {}
impl<T: Id> References<T> for Option<T> {}

/// Compiles only when `C` can hold an id of type `T`; the derive calls it where it sees both.
pub const fn assert_references<C: References<T>, T>() {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_value_has_the_text_of_its_database() {
        for (value, postgres, sqlite) in [
            (&-7_i64 as &dyn Column, "-7", "-7"),
            (&u64::MAX, "18446744073709551615", "18446744073709551615"),
            (&true, "true", "1"),
            (&false, "false", "0"),
            (&Box::<str>::from("a b"), "a b", "a b"),
            (&Arc::<str>::from(""), "", ""),
            (&Some("é".to_owned()), "é", "é"),
        ] {
            for (dialect, expected) in [(Dialect::Postgres, postgres), (Dialect::Sqlite, sqlite)] {
                let mut text = String::new();
                assert_eq!(value.write(dialect, &mut text), Written::Text, "{expected}");
                assert_eq!(text, expected);
            }
        }
        let mut text = String::new();
        assert_eq!(None::<bool>.write(Dialect::Sqlite, &mut text), Written::Null);
        None::<bool>.write_key(&mut text);
        assert_eq!(text, "");
    }
}
