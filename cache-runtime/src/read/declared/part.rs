//! A struct as its rows are read: its columns, and the parts that it is put together from.

use std::pin::Pin;

use sqlx::{Connection, Pool, SqlSafeStr};

use super::database::{LoadDatabase, Value};
use super::draft::Drafts;
use super::expected::{Expected, misfit};
use super::key::Key;
use super::nested::Wanted;
use crate::boxed::BoxError;
use crate::model::{Cached, Model};
use crate::read::load::LoadContext;

/// A struct whose rows can be read from this database, for a cache of a `Db`.
///
/// Implemented by `#[derive(Cached)]`.
#[diagnostic::on_unimplemented(
    message = "the rows of `{Self}` cannot be read from `{DB}` by what it declares",
    note = "put `#[cached(load)]` on it, which says why"
)]
pub trait Part<DB: LoadDatabase, Db>: Sized + Send + 'static {
    /// What is selected of a row, which the statement calls `t`: `t."id", t."title"`.
    const COLUMNS: &'static str;

    /// What is joined to it for columns of other rows.
    const JOINS: &'static str;

    /// What it selects.
    fn expects() -> Vec<Expected<DB>>;

    /// What these rows hold, from their second column on, and their parts.
    fn drafts(
        reading: &mut Reading<'_, DB>,
        rows: &[DB::Row],
    ) -> impl Future<Output = Result<Drafts<Self, Db>, sqlx::Error>> + Send;
}

/// A value that finds its own rows.
pub trait Whole: Cached {
    /// The statement that finds them by their ids.
    const BY_ID: &'static str;

    /// Whether all its statements are to see one moment.
    const SNAPSHOT: bool;

    /// Its lists: `(A, (B, ()))`.
    type Lists;
}

/// A connection on which a value's rows are read, one statement after the other.
#[derive(Debug)]
pub struct Reading<'c, DB: LoadDatabase> {
    connection: &'c mut DB::Connection,
    does: Does,
}

/// What is done with statements.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Does {
    Run,
    /// Whether the database has what they name.
    Prepare,
    /// Nothing: it is about rows that are there.
    Nothing,
}

type Answers<'a, T> = Pin<Box<dyn Future<Output = Result<Vec<T>, sqlx::Error>> + Send + 'a>>;

impl<DB: LoadDatabase> Reading<'_, DB>
where
    i64: Value<DB>,
{
    /// The rows of each key, with their parts.
    ///
    /// In the statement `{keys}` stands for the keys, `{columns}` and `{joins}` for what the struct
    /// is made of.
    pub fn rows<'a, T: Part<DB, Db>, Db: 'static, K: Key<DB>>(
        &'a mut self,
        sql: &'static str,
        keys: Vec<K>,
    ) -> Answers<'a, Drafts<T, Db>> {
        Box::pin(async move {
            let sql = sql.replacen("{columns}", <T as Part<DB, Db>>::COLUMNS, 1);
            let sql = sql.replacen("{joins}", <T as Part<DB, Db>>::JOINS, 1);
            let count = keys.len();
            let named = keys.clone();
            let (of, rows): (Vec<usize>, Vec<DB::Row>) =
                self.fetch(&sql, T::expects, keys).await?.into_iter().unzip();
            if rows.is_empty() && self.does != Does::Prepare {
                return Ok(grouped(count, of, Vec::new()));
            }
            match T::drafts(self, &rows).await {
                Ok(drafts) => Ok(grouped(count, of, drafts)),
                Err(error) => {
                    let at = self.unreadable::<T, Db>(&rows).await;
                    Err(of_key(error, at.map(|at| &named[of[at]])))
                }
            }
        })
    }

    /// Which of these rows cannot be read, if that is what is wrong.
    async fn unreadable<T: Part<DB, Db>, Db: 'static>(
        &mut self,
        rows: &[DB::Row],
    ) -> Option<usize> {
        let does = std::mem::replace(&mut self.does, Does::Nothing);
        let mut found = None;
        for (at, row) in rows.iter().enumerate() {
            if T::drafts(self, std::slice::from_ref(row)).await.is_err() {
                found = Some(at);
                break;
            }
        }
        self.does = does;
        found
    }

    /// The value in the first column after `n`, of each row of each key.
    pub fn values<'a, V: Value<DB>, K: Key<DB>>(
        &'a mut self,
        sql: &'static str,
        name: &'static str,
        get: fn(&DB::Row, usize, &str) -> Result<V, sqlx::Error>,
        keys: Vec<K>,
    ) -> Answers<'a, Vec<V>> {
        Box::pin(async move {
            let count = keys.len();
            let expected = || vec![Expected::of::<V>(name)];
            let fetched = self.fetch(sql, expected, keys).await?;
            let values: Result<Vec<V>, _> =
                fetched.iter().map(|(_, row)| get(row, 1, name)).collect();
            Ok(grouped(count, fetched.iter().map(|(n, _)| *n), values?))
        })
    }

    /// The key in the columns after `n`, of each row of each key.
    pub fn keys<'a, F: Key<DB>, K: Key<DB>>(
        &'a mut self,
        sql: &'static str,
        name: &'static str,
        keys: Vec<K>,
    ) -> Answers<'a, Vec<F>> {
        Box::pin(async move {
            let count = keys.len();
            let expected = || {
                let mut columns = Vec::new();
                F::expected(name, &mut columns);
                columns
            };
            let fetched = self.fetch(sql, expected, keys).await?;
            let mut found = Vec::with_capacity(fetched.len());
            for (n, row) in &fetched {
                found.extend(F::get(row, 1, name)?.map(|key| (*n, key)));
            }
            let (of, found): (Vec<usize>, Vec<F>) = found.into_iter().unzip();
            Ok(grouped(count, of, found))
        })
    }

    /// The same, of the first row of one key.
    ///
    /// # Errors
    /// As there.
    pub async fn key<F: Key<DB>, K: Key<DB>>(
        &mut self,
        sql: &'static str,
        name: &'static str,
        key: &K,
    ) -> Result<Option<F>, sqlx::Error> {
        let found = self.keys(sql, name, vec![key.clone()]).await?;
        Ok(found.into_iter().flatten().next())
    }

    /// Each row, with the position of its key.
    async fn fetch<K: Key<DB>>(
        &mut self,
        sql: &str,
        expected: impl FnOnce() -> Vec<Expected<DB>>,
        mut keys: Vec<K>,
    ) -> Result<Vec<(usize, DB::Row)>, sqlx::Error> {
        match self.does {
            Does::Run => {}
            Does::Prepare => {
                self.prepare::<K>(sql, &expected()).await?;
                return Ok(Vec::new());
            }
            Does::Nothing => return Ok(Vec::new()),
        }
        let most = prev_power_of_two(DB::MOST_VALUES / K::COLUMNS);
        let mut casts = Vec::new();
        K::casts(&mut casts);
        let (mut all, mut before) = (Vec::new(), 0);
        while !keys.is_empty() {
            let rest = keys.split_off(keys.len().min(most));
            let (asked, places) = (keys.len(), DB::places(keys.len()));
            let sql = sql.replacen("{keys}", &DB::keys(&casts, places), 1);
            let mut arguments = <DB::Arguments as Default>::default();
            K::bind(keys, places, &mut arguments).map_err(sqlx::Error::Encode)?;
            for row in DB::fetch(self.connection, sql, arguments).await? {
                let n = <i64 as Value<DB>>::get(&row, 0, "n")?;
                // It counts from 1.
                let at = usize::try_from(n).ok().and_then(|n| n.checked_sub(1));
                all.extend(at.filter(|at| *at < asked).map(|at| (before + at, row)));
            }
            (before, keys) = (before + asked, rest);
        }
        Ok(all)
    }
}

impl<DB: LoadDatabase> Reading<'_, DB> {
    /// Whether the database has what the statement names, and its columns hold what is read.
    async fn prepare<K: Key<DB>>(
        &mut self,
        sql: &str,
        expected: &[Expected<DB>],
    ) -> Result<(), sqlx::Error> {
        let (mut keys, mut casts) = (Vec::new(), Vec::new());
        K::sent(&mut keys);
        K::casts(&mut casts);
        let sql = sql.replacen("{keys}", &DB::keys(&casts, 2), 1);
        let columns = DB::prepare(self.connection, sql.clone(), &keys).await;
        let columns = columns.map_err(|error| {
            sqlx::Error::Configuration(format!("{error}\nthe statement is: {sql}").into())
        })?;
        match misfit(expected, columns.get(1..).unwrap_or_default()) {
            None => Ok(()),
            Some(why) => Err(sqlx::Error::Configuration(why.into())),
        }
    }
}

/// The error, with the key that the row is found by.
fn of_key<DB: LoadDatabase, K: Key<DB>>(error: sqlx::Error, key: Option<&K>) -> sqlx::Error {
    match (error, key) {
        (sqlx::Error::ColumnDecode { index, source }, Some(key)) => {
            let index = format!("{index} of a row that belongs to {}", key.text());
            sqlx::Error::ColumnDecode { index, source }
        }
        (error, _) => error,
    }
}

fn prev_power_of_two(most: usize) -> usize {
    1 << most.ilog2()
}

/// Each answer with those of its key.
fn grouped<T>(
    keys: usize,
    of: impl IntoIterator<Item = usize>,
    answers: impl IntoIterator<Item = T>,
) -> Vec<Vec<T>> {
    let mut groups: Vec<Vec<T>> = Vec::new();
    groups.resize_with(keys, Vec::new);
    for (key, answer) in of.into_iter().zip(answers) {
        groups[key].push(answer);
    }
    groups
}

/// Loads values by their ids.
pub(super) async fn load<T, DB, Db>(
    cx: &LoadContext<Db>,
    pool: &Pool<DB>,
    ids: &[<T as Model>::Id],
) -> Result<Vec<T>, BoxError>
where
    T: Part<DB, Db> + Whole,
    DB: LoadDatabase,
    Db: Send + Sync + 'static,
    T::Id: Key<DB>,
    i64: Value<DB>,
{
    let drafts = {
        let mut connection = cx.acquire(pool).await?;
        match T::SNAPSHOT && !connection.is_of_transaction() {
            true => {
                let mut snapshot = connection.begin_with(DB::SNAPSHOT.into_sql_str()).await?;
                let drafts = rows::<T, DB, Db>(&mut snapshot, Does::Run, ids).await?;
                snapshot.commit().await?;
                drafts
            }
            false => rows::<T, DB, Db>(&mut connection, Does::Run, ids).await?,
        }
    };
    let drafts: Drafts<T, Db> = drafts.into_iter().flatten().collect();
    let mut wanted = Wanted::new();
    drafts.iter().for_each(|draft| draft.wants(&mut wanted));
    let found = wanted.read(cx).await?;
    let mut values = Vec::with_capacity(drafts.len());
    for draft in drafts {
        let value = draft.finish(&found);
        // Of a value that is itself left out, its absence tells.
        if let (Some(what), true) = (found.what_lacks(), value.is_some()) {
            let why = format!(
                "`{what}` in it refers to a row that is not there, or that a filter leaves out\n\
                 help: hold that row in an `Option`, together with the column that refers to it"
            );
            return Err(why.into());
        }
        values.extend(value);
    }
    Ok(values)
}

/// The rows of each id, or what else is done with the statements that find them.
async fn rows<T, DB, Db>(
    connection: &mut DB::Connection,
    does: Does,
    ids: &[T::Id],
) -> Result<Vec<Drafts<T, Db>>, sqlx::Error>
where
    T: Part<DB, Db> + Whole,
    DB: LoadDatabase,
    Db: Send + Sync + 'static,
    T::Id: Key<DB>,
    i64: Value<DB>,
{
    let mut reading = Reading::<DB> { connection, does };
    reading.rows::<T, Db, T::Id>(T::BY_ID, ids.to_vec()).await
}

/// A value that finds its id by its lookups.
pub trait Lookups<DB: LoadDatabase>: Cached {
    /// The id behind a lookup.
    fn look_up(
        reading: &mut Reading<'_, DB>,
        by: &Self::Lookup,
    ) -> impl Future<Output = Result<Option<Self::Id>, sqlx::Error>> + Send;
}

/// Finds an id.
pub(super) async fn find<T, DB, Db>(
    cx: &LoadContext<Db>,
    pool: &Pool<DB>,
    by: &T::Lookup,
) -> Result<Option<T::Id>, BoxError>
where
    T: Lookups<DB>,
    DB: LoadDatabase,
    Db: Send + Sync + 'static,
{
    let mut connection = cx.acquire(pool).await?;
    Ok(T::look_up(&mut Reading { connection: &mut connection, does: Does::Run }, by).await?)
}

/// Prepares the statements of a value.
pub(super) async fn prepare<T, DB, Db>(
    cx: &LoadContext<Db>,
    pool: &Pool<DB>,
) -> Result<(), BoxError>
where
    T: Part<DB, Db> + Whole,
    DB: LoadDatabase,
    Db: Send + Sync + 'static,
    T::Id: Key<DB>,
    i64: Value<DB>,
{
    let mut connection = cx.acquire(pool).await?;
    rows::<T, DB, Db>(&mut connection, Does::Prepare, &[]).await?;
    Ok(())
}
