//! What a loader that wrote itself needs of a database.

use sqlx::error::BoxDynError;
use sqlx::{
    AssertSqlSafe, Column, Connection, Decode, Executor, SqlSafeStr, Statement, Type, ValueRef,
};

use crate::outbox::database::OutboxDatabase;

/// Implemented for [`sqlx::Postgres`] and [`sqlx::Sqlite`].
pub trait LoadDatabase: OutboxDatabase {
    /// Begins a transaction whose statements all see one moment.
    const SNAPSHOT: &'static str;

    /// How many values a statement takes at most.
    const MOST_VALUES: usize;

    /// How many keys a statement has places for, if it is to have these: each text of a statement
    /// is prepared once.
    fn places(keys: usize) -> usize;

    /// What stands for the keys in a `FROM`: a table `k` with a column `n`, which counts from 1,
    /// and the columns `k1`, `k2` … of the keys, each of which is cast to this.
    fn keys(casts: &[String], places: usize) -> String;

    /// The text that a trigger writes of this column; NULL where that has another one, as it fixes
    /// the settings on which a text depends.
    fn text(column: &str) -> String;

    /// The value of a column.
    ///
    /// # Errors
    /// When it is not of this type.
    fn get<'r, T>(row: &'r Self::Row, at: usize) -> Result<T, sqlx::Error>
    where
        T: Decode<'r, Self> + Type<Self>;

    /// Whether a column is NULL.
    ///
    /// # Errors
    /// When there is no such column.
    fn is_null(row: &Self::Row, at: usize) -> Result<bool, sqlx::Error>;

    /// Runs a statement.
    fn fetch(
        connection: &mut Self::Connection,
        sql: String,
        arguments: Self::Arguments,
    ) -> impl Future<Output = Result<Vec<Self::Row>, sqlx::Error>> + Send;

    /// Prepares a statement with keys of these types; returns the types of its columns.
    fn prepare(
        connection: &mut Self::Connection,
        sql: String,
        keys: &[Self::TypeInfo],
    ) -> impl Future<Output = Result<Vec<Self::TypeInfo>, sqlx::Error>> + Send;
}

macro_rules! runs {
    ($look:literal) => {
        fn get<'r, T>(row: &'r Self::Row, at: usize) -> Result<T, sqlx::Error>
        where
            T: Decode<'r, Self> + Type<Self>,
        {
            sqlx::Row::try_get(row, at)
        }

        fn is_null(row: &Self::Row, at: usize) -> Result<bool, sqlx::Error> {
            Ok(sqlx::Row::try_get_raw(row, at)?.is_null())
        }

        async fn fetch(
            connection: &mut Self::Connection,
            sql: String,
            arguments: Self::Arguments,
        ) -> Result<Vec<Self::Row>, sqlx::Error> {
            // Of names that `cache.toml` and structs have, which are identifiers, and are quoted.
            sqlx::query_with(AssertSqlSafe(sql), arguments).fetch_all(connection).await
        }

        async fn prepare(
            connection: &mut Self::Connection,
            sql: String,
            keys: &[Self::TypeInfo],
        ) -> Result<Vec<Self::TypeInfo>, sqlx::Error> {
            let sql = AssertSqlSafe(sql).into_sql_str();
            // What was prepared before a migration would be as it was, and a connection that has
            // not looked since knows of none.
            connection.clear_cached_statements().await?;
            sqlx::query($look).execute(&mut *connection).await?;
            let statement = connection.prepare_with(sql, keys).await?;
            let columns = Statement::columns(&statement).iter();
            Ok(columns.map(|column| Column::type_info(column).clone()).collect())
        }
    };
}

#[cfg(feature = "postgres")]
impl LoadDatabase for sqlx::Postgres {
    const SNAPSHOT: &'static str = "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY";

    const MOST_VALUES: usize = usize::MAX;

    fn places(keys: usize) -> usize {
        keys
    }

    /// One key is one row: its plan is that of a look-up, and is made once. Several are arrays.
    fn keys(casts: &[String], places: usize) -> String {
        let all = casts.iter().zip(1..);
        if places == 1 {
            let values: Vec<String> = all.map(|(_, at)| format!("${at} AS k{at}")).collect();
            return format!("(SELECT {}, 1::bigint AS n) AS k", values.join(", "));
        }
        let values: Vec<String> = all.clone().map(|(cast, at)| format!("${at}{cast}")).collect();
        let names: Vec<String> = all.map(|(_, at)| format!("k{at}")).collect();
        format!("unnest({}) WITH ORDINALITY AS k({}, n)", values.join(", "), names.join(", "))
    }

    fn text(column: &str) -> String {
        format!(
            "CASE WHEN pg_typeof({column})::text IN ('date', 'timestamp without time zone', 'timestamp with time zone', 'bytea') \
             THEN NULL ELSE {column}::text END"
        )
    }

    runs!("SELECT 1");
}

#[cfg(feature = "sqlite")]
impl LoadDatabase for sqlx::Sqlite {
    const SNAPSHOT: &'static str = "BEGIN";

    /// See <https://www.sqlite.org/limits.html#max_variable_number>.
    const MOST_VALUES: usize = 32_766;

    fn places(keys: usize) -> usize {
        keys.next_power_of_two()
    }

    fn keys(casts: &[String], places: usize) -> String {
        let columns = casts.len();
        let rows = (1..=places).map(|n| {
            let values = (0..columns).map(|column| format!(", ?{}", column * places + n));
            format!("({n}{})", values.collect::<String>())
        });
        let names = (1..=columns).map(|at| format!(", column{} AS k{at}", at + 1));
        format!(
            "(SELECT column1 AS n{} FROM (VALUES {})) AS k",
            names.collect::<String>(),
            rows.collect::<Vec<_>>().join(", ")
        )
    }

    fn text(column: &str) -> String {
        format!("'' || iif(typeof({column}) = 'blob', hex({column}), {column})")
    }

    runs!("SELECT 1 FROM sqlite_schema");
}

/// What a column holds.
#[diagnostic::on_unimplemented(
    message = "`{Self}` cannot be read from a column of `{DB}`",
    note = "sqlx has to know how: see `sqlx::Type` and `sqlx::Decode`; `#[sqlx(json)]` on the field is for JSON, `#[sqlx(try_from = \"…\")]` for what is made of another type"
)]
pub trait Value<DB: LoadDatabase>: Sized + Send + 'static {
    /// The value of a column, whose name is for errors.
    ///
    /// # Errors
    /// When it is not of this type.
    fn get(row: &DB::Row, at: usize, name: &str) -> Result<Self, sqlx::Error>;

    /// The same, of a column that is not NULL: SQLite reads that as an empty text, or as 0.
    ///
    /// # Errors
    /// As there; or when it is NULL.
    fn required(row: &DB::Row, at: usize, name: &str) -> Result<Self, sqlx::Error>;

    /// Whether a column of this type can hold it.
    fn fits(column: &DB::TypeInfo) -> bool;

    /// The type of column that it has.
    fn wants() -> String;
}

#[diagnostic::do_not_recommend]
impl<DB, T> Value<DB> for T
where
    DB: LoadDatabase,
    T: for<'r> Decode<'r, DB> + Type<DB> + Send + 'static,
{
    fn get(row: &DB::Row, at: usize, name: &str) -> Result<T, sqlx::Error> {
        DB::get(row, at).map_err(|error| of_column(error, name))
    }

    fn required(row: &DB::Row, at: usize, name: &str) -> Result<T, sqlx::Error> {
        if DB::is_null(row, at)? {
            let why = "it is NULL, and the field no `Option`";
            return Err(sqlx::Error::ColumnDecode { index: name.to_owned(), source: why.into() });
        }
        Self::get(row, at, name)
    }

    fn fits(column: &DB::TypeInfo) -> bool {
        <T as Type<DB>>::compatible(column)
    }

    fn wants() -> String {
        <T as Type<DB>>::type_info().to_string()
    }
}

/// A value that is made of the one in the column.
///
/// # Errors
/// When that is of another type, or cannot be made into one.
pub fn get_from<DB: LoadDatabase, U: Value<DB>, T: TryFrom<U, Error: Into<BoxDynError>>>(
    row: &DB::Row,
    at: usize,
    name: &str,
) -> Result<T, sqlx::Error> {
    let value = T::try_from(U::get(row, at, name)?);
    let undecoded = |error: T::Error| sqlx::Error::ColumnDecode {
        index: name.to_owned(),
        source: error.into(),
    };
    value.map_err(undecoded)
}

/// The error, which knows the place in the statement, with the name.
fn of_column(error: sqlx::Error, name: &str) -> sqlx::Error {
    match error {
        sqlx::Error::ColumnDecode { source, .. } => {
            sqlx::Error::ColumnDecode { index: name.to_owned(), source }
        }
        error => error,
    }
}
