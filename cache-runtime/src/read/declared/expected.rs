//! What a loader that wrote itself expects of the database, and what that has.

use super::database::{LoadDatabase, Value};

/// A column, and what it has to hold.
pub struct Expected<DB: LoadDatabase> {
    name: &'static str,
    fits: fn(&DB::TypeInfo) -> bool,
    wants: fn() -> String,
}

impl<DB: LoadDatabase> Expected<DB> {
    pub(super) fn of<T: Value<DB>>(name: &'static str) -> Expected<DB> {
        Expected { name, fits: T::fits, wants: T::wants }
    }
}

/// Expects a value.
pub fn expect<DB: LoadDatabase, T: Value<DB>>(name: &'static str, columns: &mut Vec<Expected<DB>>) {
    columns.push(Expected::of::<T>(name));
}

/// The first that does not hold what it is to. SQLite's columns hold values of any type.
pub(super) fn misfit<DB: LoadDatabase>(
    expected: &[Expected<DB>],
    found: &[DB::TypeInfo],
) -> Option<String> {
    let mut both = expected.iter().zip(found);
    let is_misfit = |(expected, found): &(&Expected<DB>, &DB::TypeInfo)| {
        DB::IS_SERVER && !(expected.fits)(found)
    };
    let (expected, found) = both.find(is_misfit)?;
    Some(format!(
        "`{}` is of type {found}, and the struct reads {}",
        expected.name,
        (expected.wants)()
    ))
}
