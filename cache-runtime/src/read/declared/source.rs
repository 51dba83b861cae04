//! Where a loader that wrote itself reads: a pool, or what has one.

use std::sync::Arc;

use sqlx::Pool;

use super::database::{LoadDatabase, Value};
use super::key::Key;
use super::part::{self, Lookups, Part, Whole};
use crate::boxed::BoxError;
use crate::model::Cached;
use crate::read::load::LoadContext;

/// A source with a pool, from which values with `#[cached(load)]` are loaded.
///
/// A pool of sqlx is one. A service whose source is a type of its own says where its pool is; if
/// that is one of two, of which:
///
/// ```
/// # use cache_runtime::{EitherPool, Source};
/// # use sqlx::{PgPool, Postgres, Sqlite, SqlitePool};
/// enum Db {
///     Postgres(PgPool),
///     Sqlite(SqlitePool),
/// }
///
/// impl Source for Db {
///     type Databases = (Postgres, Sqlite);
///
///     fn pool(&self) -> EitherPool<'_> {
///         match self {
///             Db::Postgres(pool) => EitherPool::Postgres(pool),
///             Db::Sqlite(pool) => EitherPool::Sqlite(pool),
///         }
///     }
/// }
/// ```
#[diagnostic::on_unimplemented(
    message = "`{Self}` does not say from which pool values are loaded",
    note = "a pool of sqlx does; for another type implement `cache_runtime::Source`, which says where its pool is"
)]
pub trait Source: Send + Sync + 'static {
    /// [`sqlx::Postgres`], [`sqlx::Sqlite`], or both.
    type Databases: Databases;

    /// The pool.
    fn pool(&self) -> <Self::Databases as Databases>::Pool<'_>;
}

impl<DB: LoadDatabase> Source for Pool<DB> {
    type Databases = DB;

    fn pool(&self) -> &Pool<DB> {
        self
    }
}

impl<S: Source> Source for Arc<S> {
    type Databases = S::Databases;

    fn pool(&self) -> <S::Databases as Databases>::Pool<'_> {
        S::pool(self)
    }
}

/// One database, or one of two.
pub trait Databases {
    /// A pool of it.
    type Pool<'a>;
}

impl<DB: LoadDatabase> Databases for DB {
    type Pool<'a> = &'a Pool<DB>;
}

#[cfg(all(feature = "postgres", feature = "sqlite"))]
impl Databases for (sqlx::Postgres, sqlx::Sqlite) {
    type Pool<'a> = EitherPool<'a>;
}

/// The pool of a source that has either.
#[cfg(all(feature = "postgres", feature = "sqlite"))]
#[derive(Debug, Clone, Copy)]
pub enum EitherPool<'a> {
    /// PostgreSQL's.
    Postgres(&'a sqlx::PgPool),
    /// SQLite's.
    Sqlite(&'a sqlx::SqlitePool),
}

/// A value that can be loaded from a source with these databases, by what it declares.
#[diagnostic::on_unimplemented(
    message = "`{Self}` cannot be loaded by what it declares",
    note = "each of its columns has to be one that the database can read, and each struct in it one with `#[derive(Cached)]`"
)]
pub trait Declared<Db, Databases>: Cached {
    /// Loads the rows with these ids.
    fn load_declared(
        cx: &LoadContext<Db>,
        ids: &[Self::Id],
    ) -> impl Future<Output = Result<Vec<Self>, BoxError>> + Send;

    /// Prepares the statements that do.
    fn prepare(cx: &LoadContext<Db>) -> impl Future<Output = Result<(), BoxError>> + Send;
}

impl<T, Db, DB> Declared<Db, DB> for T
where
    T: Part<DB, Db> + Whole,
    Db: Source<Databases = DB>,
    DB: LoadDatabase,
    T::Id: Key<DB>,
    i64: Value<DB>,
{
    async fn load_declared(cx: &LoadContext<Db>, ids: &[T::Id]) -> Result<Vec<T>, BoxError> {
        part::load::<T, DB, Db>(cx, cx.db().pool(), ids).await
    }

    async fn prepare(cx: &LoadContext<Db>) -> Result<(), BoxError> {
        part::prepare::<T, DB, Db>(cx, cx.db().pool()).await
    }
}

#[cfg(all(feature = "postgres", feature = "sqlite"))]
impl<T, Db> Declared<Db, (sqlx::Postgres, sqlx::Sqlite)> for T
where
    T: Part<sqlx::Postgres, Db> + Part<sqlx::Sqlite, Db> + Whole,
    Db: Source<Databases = (sqlx::Postgres, sqlx::Sqlite)>,
    T::Id: Key<sqlx::Postgres> + Key<sqlx::Sqlite>,
{
    async fn load_declared(cx: &LoadContext<Db>, ids: &[T::Id]) -> Result<Vec<T>, BoxError> {
        match cx.db().pool() {
            EitherPool::Postgres(pool) => part::load::<T, sqlx::Postgres, Db>(cx, pool, ids).await,
            EitherPool::Sqlite(pool) => part::load::<T, sqlx::Sqlite, Db>(cx, pool, ids).await,
        }
    }

    async fn prepare(cx: &LoadContext<Db>) -> Result<(), BoxError> {
        match cx.db().pool() {
            EitherPool::Postgres(pool) => part::prepare::<T, sqlx::Postgres, Db>(cx, pool).await,
            EitherPool::Sqlite(pool) => part::prepare::<T, sqlx::Sqlite, Db>(cx, pool).await,
        }
    }
}

/// A value that can be looked up in a source with these databases, by what it declares.
#[diagnostic::on_unimplemented(
    message = "`{Self}` cannot be looked up by what it declares",
    note = "its id and its lookups have to be such as can be sent to the database"
)]
pub trait LookedUp<Db, Databases>: Cached {
    /// The id behind a lookup.
    fn find_declared(
        cx: &LoadContext<Db>,
        by: &Self::Lookup,
    ) -> impl Future<Output = Result<Option<Self::Id>, BoxError>> + Send;
}

impl<T, Db, DB> LookedUp<Db, DB> for T
where
    T: Lookups<DB>,
    Db: Source<Databases = DB>,
    DB: LoadDatabase,
{
    async fn find_declared(
        cx: &LoadContext<Db>,
        by: &T::Lookup,
    ) -> Result<Option<T::Id>, BoxError> {
        part::find::<T, DB, Db>(cx, cx.db().pool(), by).await
    }
}

#[cfg(all(feature = "postgres", feature = "sqlite"))]
impl<T, Db> LookedUp<Db, (sqlx::Postgres, sqlx::Sqlite)> for T
where
    T: Lookups<sqlx::Postgres> + Lookups<sqlx::Sqlite>,
    Db: Source<Databases = (sqlx::Postgres, sqlx::Sqlite)>,
{
    async fn find_declared(
        cx: &LoadContext<Db>,
        by: &T::Lookup,
    ) -> Result<Option<T::Id>, BoxError> {
        match cx.db().pool() {
            EitherPool::Postgres(pool) => part::find::<T, sqlx::Postgres, Db>(cx, pool, by).await,
            EitherPool::Sqlite(pool) => part::find::<T, sqlx::Sqlite, Db>(cx, pool, by).await,
        }
    }
}
