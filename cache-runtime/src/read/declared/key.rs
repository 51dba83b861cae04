//! What rows are found by: the values of one column, or of several.

use sqlx::error::BoxDynError;
use sqlx::{Arguments, Database, Encode, Type};

use super::database::{LoadDatabase, Value};
use super::expected::Expected;
use crate::model::column::{Column, Dialect};

/// Values that a statement can be asked with, of one column.
#[diagnostic::on_unimplemented(
    message = "`{Self}` cannot be sent to `{DB}`, so that no row can be found by it",
    note = "sqlx has to know how: see `sqlx::Type` and `sqlx::Encode`; on PostgreSQL an array of it as well, `PgHasArrayType`"
)]
pub trait Bind<DB: Database>: Clone + Send + Sync + 'static {
    /// Adds them, and NULLs up to so many.
    ///
    /// # Errors
    /// When one of them cannot be encoded.
    fn bind(values: Vec<Self>, places: usize, to: &mut DB::Arguments) -> Result<(), BoxDynError>;

    /// The type in which several are sent.
    fn sent() -> DB::TypeInfo;

    /// What makes of that the type that they are, where it is another; or nothing.
    fn cast() -> String;
}

/// One as it is, several as an array.
#[cfg(feature = "postgres")]
impl<T> Bind<sqlx::Postgres> for T
where
    T: for<'q> Encode<'q, sqlx::Postgres> + Type<sqlx::Postgres>,
    T: sqlx::postgres::PgHasArrayType + Clone + Send + Sync + 'static,
{
    fn bind(
        mut values: Vec<T>,
        places: usize,
        to: &mut sqlx::postgres::PgArguments,
    ) -> Result<(), BoxDynError> {
        match values.pop() {
            Some(one) if places == 1 => to.add(one),
            last => {
                values.extend(last);
                to.add(values)
            }
        }
    }

    fn sent() -> sqlx::postgres::PgTypeInfo {
        <Vec<T> as Type<sqlx::Postgres>>::type_info()
    }

    /// An array of what has a type by name, such as `citext`, is sent as one of what is in it.
    fn cast() -> String {
        use sqlx::TypeInfo;

        let one = <T as Type<sqlx::Postgres>>::type_info();
        let many = <T as Bind<sqlx::Postgres>>::sent();
        match many.name().strip_suffix("[]") == Some(one.name()) {
            true => String::new(),
            false => format!("::{}[]", one.name()),
        }
    }
}

#[cfg(feature = "sqlite")]
impl<T> Bind<sqlx::Sqlite> for T
where
    T: for<'q> Encode<'q, sqlx::Sqlite> + Type<sqlx::Sqlite> + Clone + Send + Sync + 'static,
{
    fn bind(
        values: Vec<T>,
        places: usize,
        to: &mut sqlx::sqlite::SqliteArguments,
    ) -> Result<(), BoxDynError> {
        let nulls = places - values.len();
        for value in values {
            to.add(value)?;
        }
        (0..nulls).try_for_each(|_| to.add(None::<T>))
    }

    fn sent() -> sqlx::sqlite::SqliteTypeInfo {
        <T as Type<sqlx::Sqlite>>::type_info()
    }

    fn cast() -> String {
        String::new()
    }
}

/// An id, or a lookup.
pub trait Key<DB: LoadDatabase>: Clone + Send + Sync + 'static {
    /// Of so many columns.
    const COLUMNS: usize;

    /// Adds these keys, column by column, each with NULLs up to so many.
    ///
    /// # Errors
    /// When one of them cannot be encoded.
    fn bind(keys: Vec<Self>, places: usize, to: &mut DB::Arguments) -> Result<(), BoxDynError>;

    /// The key in these columns; none where one of them is NULL.
    ///
    /// # Errors
    /// When they are not of this type.
    fn get(row: &DB::Row, at: usize, name: &str) -> Result<Option<Self>, sqlx::Error>;

    /// It, for who reads a log.
    fn text(&self) -> String;

    /// The types in which its columns are sent.
    fn sent(types: &mut Vec<DB::TypeInfo>);

    /// What makes of these the types that they are.
    fn casts(casts: &mut Vec<String>);

    /// What the columns that it is read from have to hold.
    fn expected(name: &'static str, columns: &mut Vec<Expected<DB>>);
}

impl<DB: LoadDatabase, T: Column + Bind<DB>> Key<DB> for T
where
    Option<T>: Value<DB>,
{
    const COLUMNS: usize = 1;

    fn bind(keys: Vec<T>, places: usize, to: &mut DB::Arguments) -> Result<(), BoxDynError> {
        <T as Bind<DB>>::bind(keys, places, to)
    }

    fn get(row: &DB::Row, at: usize, name: &str) -> Result<Option<T>, sqlx::Error> {
        <Option<T> as Value<DB>>::get(row, at, name)
    }

    fn text(&self) -> String {
        let mut text = String::new();
        self.write(Dialect::Postgres, &mut text);
        text
    }

    fn sent(types: &mut Vec<DB::TypeInfo>) {
        types.push(<T as Bind<DB>>::sent());
    }

    fn casts(casts: &mut Vec<String>) {
        casts.push(<T as Bind<DB>>::cast());
    }

    fn expected(name: &'static str, columns: &mut Vec<Expected<DB>>) {
        columns.push(Expected::of::<Option<T>>(name));
    }
}

/// Of what has no columns: all rows have it.
impl<DB: LoadDatabase> Key<DB> for () {
    const COLUMNS: usize = 0;

    fn bind(_: Vec<()>, _: usize, _: &mut DB::Arguments) -> Result<(), BoxDynError> {
        Ok(())
    }

    fn get(_: &DB::Row, _: usize, _: &str) -> Result<Option<()>, sqlx::Error> {
        Ok(Some(()))
    }

    fn text(&self) -> String {
        String::new()
    }

    fn sent(_: &mut Vec<DB::TypeInfo>) {}

    fn casts(_: &mut Vec<String>) {}

    fn expected(_: &'static str, _: &mut Vec<Expected<DB>>) {}
}

macro_rules! composite {
    ($count:literal: $($t:ident $at:tt),*) => {
        impl<DB: LoadDatabase, $($t: Key<DB>),*> Key<DB> for ($($t,)*) {
            const COLUMNS: usize = $count;

            fn bind(keys: Vec<Self>, places: usize, to: &mut DB::Arguments) -> Result<(), BoxDynError> {
                $($t::bind(keys.iter().map(|key| key.$at.clone()).collect(), places, to)?;)*
                Ok(())
            }

            fn get(row: &DB::Row, at: usize, name: &str) -> Result<Option<Self>, sqlx::Error> {
                let parts = ($($t::get(row, at + $at, name)?,)*);
                Ok((|| Some(($(parts.$at?,)*)))())
            }

            fn text(&self) -> String {
                [$(self.$at.text()),*].join(",")
            }

            fn sent(types: &mut Vec<DB::TypeInfo>) {
                $($t::sent(types);)*
            }

            fn casts(casts: &mut Vec<String>) {
                $($t::casts(casts);)*
            }

            fn expected(name: &'static str, columns: &mut Vec<Expected<DB>>) {
                $($t::expected(name, columns);)*
            }
        }
    };
}
composite!(2: A 0, B 1);
composite!(3: A 0, B 1, C 2);
composite!(4: A 0, B 1, C 2, D 3);

/// Expects a key.
pub fn expect_key<DB: LoadDatabase, K: Key<DB>>(
    name: &'static str,
    columns: &mut Vec<Expected<DB>>,
) {
    K::expected(name, columns);
}
