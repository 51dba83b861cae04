//! Lists as they are read from a database.

use sqlx::{Connection, Pool, SqlSafeStr};

use super::database::{LoadDatabase, Value};
use super::expected::misfit;
use super::key::Key;
#[cfg(all(feature = "postgres", feature = "sqlite"))]
use super::source::EitherPool;
use super::source::Source;
use crate::boxed::BoxError;
use crate::model::list::{List, ListSql, ListStep, Part};
use crate::model::tag::Tag;
use crate::read::list::ids::{IdOf, LoadList};
use crate::read::load::LoadContext;

/// A list that can be read from a source with these databases.
#[diagnostic::on_unimplemented(
    message = "the list `{Self}` cannot be read from its database",
    note = "its key, and the ids that are in it, have to be such as can be sent to the database"
)]
pub trait DeclaredList<Db, Databases>: List {
    /// See [`LoadList::ids`].
    fn declared_ids(
        &self,
        cx: &LoadContext<Db>,
        part: Part<IdOf<Self>>,
    ) -> impl Future<Output = Result<Option<Vec<IdOf<Self>>>, BoxError>> + Send;

    /// See [`LoadList::count`].
    fn declared_count(
        &self,
        cx: &LoadContext<Db>,
    ) -> impl Future<Output = Result<usize, BoxError>> + Send;

    /// See [`LoadList::first`].
    fn declared_first(
        &self,
        cx: &LoadContext<Db>,
        limit: usize,
    ) -> impl Future<Output = Result<(Vec<IdOf<Self>>, Vec<Tag>), BoxError>> + Send;

    /// See [`LoadList::prepare`].
    fn declared_prepare(cx: &LoadContext<Db>) -> impl Future<Output = Result<(), BoxError>> + Send;
}

/// All lists of a model: `(A, (B, ()))`.
pub trait PrepareLists<Db> {
    /// Prepares the statements of each.
    fn prepare(cx: &LoadContext<Db>) -> impl Future<Output = Result<(), BoxError>> + Send;
}

impl<Db: Send + Sync> PrepareLists<Db> for () {
    async fn prepare(_: &LoadContext<Db>) -> Result<(), BoxError> {
        Ok(())
    }
}

impl<L: LoadList<Db>, Rest: PrepareLists<Db>, Db: Send + Sync + 'static> PrepareLists<Db>
    for (L, Rest)
{
    async fn prepare(cx: &LoadContext<Db>) -> Result<(), BoxError> {
        let prepared = <L as LoadList<Db>>::prepare(cx).await;
        prepared.map_err(|error| format!("the list `{}`: {error}", L::NAME))?;
        Rest::prepare(cx).await
    }
}

impl<L, Db: Source> LoadList<Db> for L
where
    L: DeclaredList<Db, Db::Databases>,
{
    async fn ids(
        &self,
        cx: &LoadContext<Db>,
        part: Part<IdOf<L>>,
    ) -> Result<Option<Vec<IdOf<L>>>, BoxError> {
        self.declared_ids(cx, part).await
    }

    async fn count(&self, cx: &LoadContext<Db>) -> Result<usize, BoxError> {
        self.declared_count(cx).await
    }

    async fn first(
        &self,
        cx: &LoadContext<Db>,
        limit: usize,
    ) -> Result<(Vec<IdOf<L>>, Vec<Tag>), BoxError> {
        self.declared_first(cx, limit).await
    }

    async fn prepare(cx: &LoadContext<Db>) -> Result<(), BoxError> {
        L::declared_prepare(cx).await
    }
}

impl<L, Db, DB> DeclaredList<Db, DB> for L
where
    L: List<Key: Key<DB>>,
    IdOf<L>: Key<DB>,
    Db: Source<Databases = DB>,
    DB: LoadDatabase,
    i64: Value<DB>,
    Option<String>: Value<DB>,
{
    async fn declared_ids(
        &self,
        cx: &LoadContext<Db>,
        part: Part<IdOf<L>>,
    ) -> Result<Option<Vec<IdOf<L>>>, BoxError> {
        let mut connection = cx.acquire(cx.db().pool()).await?;
        ids::<L, DB>(self, &mut connection, part).await
    }

    async fn declared_count(&self, cx: &LoadContext<Db>) -> Result<usize, BoxError> {
        let mut connection = cx.acquire(cx.db().pool()).await?;
        count::<L, DB>(self, &mut connection).await
    }

    async fn declared_first(
        &self,
        cx: &LoadContext<Db>,
        limit: usize,
    ) -> Result<(Vec<IdOf<L>>, Vec<Tag>), BoxError> {
        first::<L, DB, Db>(self, cx, cx.db().pool(), limit).await
    }

    async fn declared_prepare(cx: &LoadContext<Db>) -> Result<(), BoxError> {
        prepare::<L, DB, Db>(cx, cx.db().pool()).await
    }
}

#[cfg(all(feature = "postgres", feature = "sqlite"))]
impl<L, Db> DeclaredList<Db, (sqlx::Postgres, sqlx::Sqlite)> for L
where
    L: List<Key: Key<sqlx::Postgres> + Key<sqlx::Sqlite>>,
    IdOf<L>: Key<sqlx::Postgres> + Key<sqlx::Sqlite>,
    Db: Source<Databases = (sqlx::Postgres, sqlx::Sqlite)>,
{
    async fn declared_ids(
        &self,
        cx: &LoadContext<Db>,
        part: Part<IdOf<L>>,
    ) -> Result<Option<Vec<IdOf<L>>>, BoxError> {
        match cx.db().pool() {
            EitherPool::Postgres(pool) => {
                ids::<L, sqlx::Postgres>(self, &mut *cx.acquire(pool).await?, part).await
            }
            EitherPool::Sqlite(pool) => {
                ids::<L, sqlx::Sqlite>(self, &mut *cx.acquire(pool).await?, part).await
            }
        }
    }

    async fn declared_count(&self, cx: &LoadContext<Db>) -> Result<usize, BoxError> {
        match cx.db().pool() {
            EitherPool::Postgres(pool) => {
                count::<L, sqlx::Postgres>(self, &mut *cx.acquire(pool).await?).await
            }
            EitherPool::Sqlite(pool) => {
                count::<L, sqlx::Sqlite>(self, &mut *cx.acquire(pool).await?).await
            }
        }
    }

    async fn declared_first(
        &self,
        cx: &LoadContext<Db>,
        limit: usize,
    ) -> Result<(Vec<IdOf<L>>, Vec<Tag>), BoxError> {
        match cx.db().pool() {
            EitherPool::Postgres(pool) => first(self, cx, pool, limit).await,
            EitherPool::Sqlite(pool) => first(self, cx, pool, limit).await,
        }
    }

    async fn declared_prepare(cx: &LoadContext<Db>) -> Result<(), BoxError> {
        match cx.db().pool() {
            EitherPool::Postgres(pool) => prepare::<L, sqlx::Postgres, Db>(cx, pool).await,
            EitherPool::Sqlite(pool) => prepare::<L, sqlx::Sqlite, Db>(cx, pool).await,
        }
    }
}

/// In a snapshot, where it takes several statements. A transaction has what it has, and what is
/// loaded within it is not stored.
async fn first<L, DB, Db>(
    list: &L,
    cx: &LoadContext<Db>,
    pool: &Pool<DB>,
    limit: usize,
) -> Result<(Vec<IdOf<L>>, Vec<Tag>), BoxError>
where
    L: List<Key: Key<DB>>,
    IdOf<L>: Key<DB>,
    DB: LoadDatabase,
    Db: Send + Sync + 'static,
    Option<String>: Value<DB>,
{
    let mut connection = cx.acquire(pool).await?;
    if L::SQL.steps.is_empty() || connection.is_of_transaction() {
        return ids_and_steps::<L, DB>(list, &mut connection, limit).await;
    }
    let mut snapshot = connection.begin_with(DB::SNAPSHOT.into_sql_str()).await?;
    let first = ids_and_steps::<L, DB>(list, &mut snapshot, limit).await?;
    snapshot.commit().await?;
    Ok(first)
}

async fn ids_and_steps<L, DB>(
    list: &L,
    connection: &mut DB::Connection,
    limit: usize,
) -> Result<(Vec<IdOf<L>>, Vec<Tag>), BoxError>
where
    L: List<Key: Key<DB>>,
    IdOf<L>: Key<DB>,
    DB: LoadDatabase,
    Option<String>: Value<DB>,
{
    let steps = follow::<L, DB>(list, connection).await?;
    let ids = ids::<L, DB>(list, connection, Part::Page { offset: 0, limit }).await?;
    Ok((ids.unwrap_or_default(), steps))
}

async fn ids<L, DB>(
    list: &L,
    connection: &mut DB::Connection,
    part: Part<IdOf<L>>,
) -> Result<Option<Vec<IdOf<L>>>, BoxError>
where
    L: List<Key: Key<DB>>,
    IdOf<L>: Key<DB>,
    DB: LoadDatabase,
{
    let (sql, before) = match part {
        Part::Page { offset, limit } => (page(&L::SQL, offset, limit), None),
        Part::After { id: before, limit } => {
            (after(&L::SQL, <L::Key as Key<DB>>::COLUMNS, limit), Some(before))
        }
    };
    let must_be_listed = before.is_some();
    let rows = fetch::<L, DB>(list, connection, sql, before).await?;
    // The first of those that come after one is that one itself.
    if must_be_listed && rows.is_empty() {
        return Ok(None);
    }
    let rows = rows.iter().skip(usize::from(must_be_listed));
    let ids: Result<Vec<Option<IdOf<L>>>, sqlx::Error> =
        rows.map(|row| Key::<DB>::get(row, 0, L::NAME)).collect();
    Ok(Some(ids?.into_iter().flatten().collect()))
}

/// So many ids after so many.
fn page(sql: &ListSql, offset: usize, limit: usize) -> String {
    let ListSql { id, from, order, .. } = sql;
    format!("SELECT {} {from} {order}{}", id.join(", "), window(offset, limit))
}

/// The ids from the one that is bound after the key, that one included. By places, as the order may
/// have columns that go different ways, and NULLs.
fn after(sql: &ListSql, key: usize, limit: usize) -> String {
    let ListSql { id, from, order, .. } = sql;
    let (mut named, mut ids, mut bound) = (Vec::new(), Vec::new(), Vec::new());
    for (id, n) in id.iter().zip(1..) {
        named.push(format!("{id} AS i{n}"));
        ids.push(format!("l.i{n}"));
        bound.push(format!("c.i{n} = ${}", key + n));
    }
    format!(
        "WITH listed AS (SELECT {}, row_number() OVER ({order}) AS place {from}) \
         SELECT {} FROM listed AS l JOIN listed AS c ON {} WHERE l.place >= c.place ORDER BY l.place{}",
        named.join(", "),
        ids.join(", "),
        bound.join(" AND "),
        window(0, limit.saturating_add(1))
    )
}

/// So many rows after so many; numbers that no database could count up to are none.
fn window(offset: usize, limit: usize) -> String {
    let number = |of: usize| i64::try_from(of).unwrap_or(i64::MAX);
    format!(" LIMIT {} OFFSET {}", number(limit), number(offset))
}

async fn count<L, DB>(list: &L, connection: &mut DB::Connection) -> Result<usize, BoxError>
where
    L: List<Key: Key<DB>>,
    IdOf<L>: Key<DB>,
    DB: LoadDatabase,
    i64: Value<DB>,
{
    let sql = format!("SELECT count(*) {}", L::SQL.from);
    let rows = fetch::<L, DB>(list, connection, sql, None).await?;
    let count = rows.first().map(|row| <i64 as Value<DB>>::get(row, 0, "count"));
    Ok(usize::try_from(count.transpose()?.unwrap_or(0))?)
}

/// What each step is found by. Of more than are kept, that it may be any.
async fn follow<L, DB>(list: &L, connection: &mut DB::Connection) -> Result<Vec<Tag>, BoxError>
where
    L: List<Key: Key<DB>>,
    IdOf<L>: Key<DB>,
    DB: LoadDatabase,
    Option<String>: Value<DB>,
{
    let mut tags = Vec::new();
    for ListStep { tag, columns, from } in L::SQL.steps {
        let sql = leading::<DB>(columns, from, L::LIMIT);
        let rows = fetch::<L, DB>(list, connection, sql, None).await?;
        let mut found = Vec::with_capacity(rows.len());
        for row in &rows {
            let texts = (0..columns.len()).map(|at| Value::<DB>::get(row, at, tag));
            let texts: Option<Vec<String>> = texts.collect::<Result<_, _>>()?;
            found.push(texts.map(|texts| Tag::from_text(format!("{tag}={}", texts.join(",")))));
        }
        match found.len() <= L::LIMIT {
            true => tags.extend(found.into_iter().map(|it| it.unwrap_or_else(|| any(tag)))),
            false => tags.push(any(tag)),
        }
    }
    Ok(tags)
}

/// What leads on, one more than are kept.
fn leading<DB: LoadDatabase>(columns: &[&str], from: &str, limit: usize) -> String {
    let texts: Vec<String> = columns.iter().map(|column| DB::text(column)).collect();
    format!("SELECT DISTINCT {} {from}{}", texts.join(", "), window(0, limit.saturating_add(1)))
}

/// Some row of a step, whichever.
fn any(tag: &str) -> Tag {
    Tag::some_row(tag.split_once('#').map_or(tag, |(step, _)| step))
}

/// Runs a statement with the list's key, and with one of its ids after that.
async fn fetch<L, DB>(
    list: &L,
    connection: &mut DB::Connection,
    sql: String,
    id: Option<IdOf<L>>,
) -> Result<Vec<DB::Row>, BoxError>
where
    L: List<Key: Key<DB>>,
    IdOf<L>: Key<DB>,
    DB: LoadDatabase,
{
    let mut casts = Vec::new();
    <L::Key as Key<DB>>::casts(&mut casts);
    let sql = sql.replace("{keys}", &DB::keys(&casts, 1));
    let mut arguments = <DB::Arguments as Default>::default();
    Key::<DB>::bind(vec![list.key()], 1, &mut arguments)?;
    if let Some(id) = id {
        Key::<DB>::bind(vec![id], 1, &mut arguments)?;
    }
    Ok(DB::fetch(connection, sql, arguments).await?)
}

/// Whether the database has what the statements name, and its columns hold the ids.
async fn prepare<L, DB, Db>(cx: &LoadContext<Db>, pool: &Pool<DB>) -> Result<(), BoxError>
where
    L: List<Key: Key<DB>>,
    IdOf<L>: Key<DB>,
    DB: LoadDatabase,
    Db: Send + Sync + 'static,
{
    let (mut keys, mut casts, mut expected) = (Vec::new(), Vec::new(), Vec::new());
    <L::Key as Key<DB>>::sent(&mut keys);
    <L::Key as Key<DB>>::casts(&mut casts);
    <IdOf<L> as Key<DB>>::expected("id", &mut expected);
    let steps = L::SQL.steps.iter();
    let steps = steps.map(|step| leading::<DB>(step.columns, step.from, L::LIMIT));
    let mut connection = cx.acquire(pool).await?;
    for (at, sql) in std::iter::once(page(&L::SQL, 0, L::LIMIT)).chain(steps).enumerate() {
        let sql = sql.replace("{keys}", &DB::keys(&casts, 2));
        let columns = DB::prepare(&mut connection, sql.clone(), &keys).await;
        let columns = columns.map_err(|error| format!("{error}\nthe statement is: {sql}"))?;
        // Steps are read as text.
        if let Some(why) = misfit(&expected, &columns).filter(|_| at == 0) {
            return Err(why.into());
        }
    }
    Ok(())
}
