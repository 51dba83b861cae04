//! What is particular to a database, and what is made of it: the outbox as the runtime sees it, and the set-up.

use std::time::Duration;

use sqlx::pool::PoolConnection;
use sqlx::{
    ColumnIndex, Database, Decode, Encode, Executor, IntoArguments, Pool, Row, SqlStr, Type,
};

use super::{Installed, Listener, Outbox, OutboxConnection, OutboxRow, Place, Which};
use crate::error::BoxError;
use crate::schema::{Schema, Triggers};
use crate::store::BoxFuture;
use crate::tag::Tag;

/// Implemented for [`sqlx::Postgres`] and [`sqlx::Sqlite`].
pub trait OutboxDatabase: Database {
    /// An expression for a text that no other installation has.
    const NEW_IDENTITY: &'static str;

    /// What is to be installed.
    fn wanted(schema: &Schema) -> &Triggers;

    /// Begins a transaction that is going to write, as this writer. Returns what finds its own rows later.
    fn begin(
        connection: &mut Self::Connection,
        outbox: &'static str,
        writer: i64,
    ) -> impl Future<Output = Result<i64, sqlx::Error>> + Send;

    /// Some of these rows, in the order of their places.
    fn rows(
        connection: &mut Self::Connection,
        outbox: &'static str,
        which: Which,
        after: Place,
    ) -> impl Future<Output = Result<Vec<OutboxRow>, sqlx::Error>> + Send;

    /// Writes rows, as the triggers do.
    fn report(
        connection: &mut Self::Connection,
        outbox: &'static str,
        tags: Vec<Tag>,
    ) -> impl Future<Output = Result<(), sqlx::Error>> + Send;

    /// Marks rows as delivered to this place, but for those that somebody else is marking.
    fn mark_delivered(
        connection: &mut Self::Connection,
        outbox: &'static str,
        ids: Vec<i64>,
        to: i64,
    ) -> impl Future<Output = Result<(), sqlx::Error>> + Send;

    /// Deletes some of the oldest rows that were delivered longer ago than this; says how many.
    fn purge(
        connection: &mut Self::Connection,
        outbox: &'static str,
        retention: Duration,
    ) -> impl Future<Output = Result<u64, sqlx::Error>> + Send;

    /// Does now what the open transaction has put off to its commit, as that may write as well.
    fn settle(
        connection: &mut Self::Connection,
    ) -> impl Future<Output = Result<(), sqlx::Error>> + Send;

    /// Makes the database undo the open transaction when it hears nothing for so long, if it can.
    fn bound_silence(
        connection: &mut Self::Connection,
        silence: Duration,
    ) -> impl Future<Output = Result<(), sqlx::Error>> + Send;

    /// What is installed; without `triggers`, only the outbox counts.
    fn installed(
        connection: &mut Self::Connection,
        schema: &'static Schema,
        triggers: bool,
    ) -> impl Future<Output = Result<Installed, sqlx::Error>> + Send;

    /// Begins a transaction for the set-up; one at a time.
    fn begin_set_up(
        pool: &Pool<Self>,
    ) -> impl Future<Output = Result<sqlx::Transaction<'static, Self>, sqlx::Error>> + Send;

    /// The statements that remove all triggers.
    fn removal(
        connection: &mut Self::Connection,
        schema: &Schema,
    ) -> impl Future<Output = Result<Vec<String>, sqlx::Error>> + Send;

    /// The statements that make the triggers.
    fn triggers(
        connection: &mut Self::Connection,
        schema: &Schema,
    ) -> impl Future<Output = Result<Vec<String>, sqlx::Error>> + Send;

    /// Connections for the relay, which must not wait for those of a busy service.
    fn own_connections(pool: &Pool<Self>) -> Pool<Self>;

    /// Begins to listen for rows of other writers, if the database tells of them.
    fn listen(
        pool: &Pool<Self>,
        outbox: &'static str,
    ) -> impl Future<Output = Result<Option<Box<dyn Listener>>, sqlx::Error>> + Send;
}

impl Schema {
    /// Creates the outbox and the triggers in this database, or brings them up to date; does nothing
    /// when they are. Removes those of models that `cache.toml` has no longer.
    ///
    /// # Errors
    /// When a table or column of `cache.toml` is missing, or the role may not create triggers;
    /// nothing is installed then.
    pub async fn install<DB: OutboxDatabase>(
        &'static self,
        pool: &Pool<DB>,
    ) -> Result<(), sqlx::Error>
    where
        for<'c> &'c mut DB::Connection: Executor<'c, Database = DB>,
    {
        self.install_in(pool, true).await
    }

    /// Creates the outbox only, for a database that one may not give triggers: its writes report
    /// themselves, with [`Transaction::changed`](crate::Transaction::changed) and its like.
    ///
    /// # Errors
    /// When the role may not create tables.
    pub async fn install_outbox<DB: OutboxDatabase>(
        &'static self,
        pool: &Pool<DB>,
    ) -> Result<(), sqlx::Error>
    where
        for<'c> &'c mut DB::Connection: Executor<'c, Database = DB>,
    {
        self.install_in(pool, false).await
    }

    async fn install_in<DB: OutboxDatabase>(
        &'static self,
        pool: &Pool<DB>,
        triggers: bool,
    ) -> Result<(), sqlx::Error>
    where
        for<'c> &'c mut DB::Connection: Executor<'c, Database = DB>,
    {
        let mut tx = DB::begin_set_up(pool).await?;
        let installed = DB::installed(&mut tx, self, triggers).await?;
        if !matches!(installed, Installed::Right { .. }) {
            for statement in self.statements::<DB>(&mut tx, triggers).await? {
                run::<DB>(&mut tx, &statement).await?;
            }
        }
        tx.commit().await
    }

    /// The text of the migration that [`install`](Self::install) carries out, for those who review
    /// migrations or run them in another role. It may be run in any state of the database.
    ///
    /// # Errors
    /// When the database cannot be read. (On SQLite the text depends on it.)
    pub async fn migration<DB: OutboxDatabase>(
        &'static self,
        pool: &Pool<DB>,
    ) -> Result<String, sqlx::Error> {
        let mut connection = pool.acquire().await?;
        let statements = self.statements::<DB>(&mut connection, true).await?;
        Ok(statements
            .into_iter()
            .map(|statement| format!("{statement};\n\n"))
            .collect())
    }

    /// Removes the triggers and the outbox, of whatever version of `cache.toml`.
    ///
    /// # Errors
    /// When the role may not.
    pub async fn uninstall<DB: OutboxDatabase>(
        &'static self,
        pool: &Pool<DB>,
    ) -> Result<(), sqlx::Error>
    where
        for<'c> &'c mut DB::Connection: Executor<'c, Database = DB>,
    {
        let mut tx = DB::begin_set_up(pool).await?;
        for statement in DB::removal(&mut tx, self).await? {
            run::<DB>(&mut tx, &statement).await?;
        }
        for table in [self.outbox.to_owned(), stamps(self)] {
            let drop = format!("DROP TABLE IF EXISTS {}", quoted(&table));
            run::<DB>(&mut tx, &drop).await?;
        }
        tx.commit().await
    }

    async fn statements<DB: OutboxDatabase>(
        &self,
        connection: &mut DB::Connection,
        triggers: bool,
    ) -> Result<Vec<String>, sqlx::Error> {
        let wanted = DB::wanted(self);
        let mut statements: Vec<String> = wanted.outbox.iter().map(ToString::to_string).collect();
        if triggers {
            statements.extend(DB::removal(connection, self).await?);
            statements.extend(DB::triggers(connection, self).await?);
        }
        let (stamps, stamp, identity) = (quoted(&stamps(self)), wanted.stamp, DB::NEW_IDENTITY);
        statements.push(format!("DELETE FROM {stamps}"));
        statements.push(format!(
            "INSERT INTO {stamps} VALUES ('{stamp}', {identity})"
        ));
        Ok(statements)
    }
}

/// The outbox table, reached through a pool.
pub(super) struct PoolOutbox<DB: Database> {
    pub(super) pool: Pool<DB>,
    pub(super) schema: &'static Schema,
    pub(super) triggers: bool,
}

impl<DB: OutboxDatabase> Outbox for PoolOutbox<DB> {
    fn connect(&self) -> BoxFuture<'_, Result<Box<dyn OutboxConnection>, BoxError>> {
        Box::pin(async {
            Ok(Box::new(TableConnection {
                connection: self.pool.acquire().await?,
                schema: self.schema,
                triggers: self.triggers,
            }) as Box<dyn OutboxConnection>)
        })
    }

    fn listen(&self) -> BoxFuture<'_, Result<Option<Box<dyn Listener>>, BoxError>> {
        Box::pin(async { Ok(DB::listen(&self.pool, self.schema.outbox).await?) })
    }
}

/// A connection, with the table.
pub(super) struct TableConnection<DB: Database> {
    pub(super) connection: PoolConnection<DB>,
    pub(super) schema: &'static Schema,
    pub(super) triggers: bool,
}

impl<DB: OutboxDatabase> OutboxConnection for TableConnection<DB> {
    fn installed(&mut self) -> BoxFuture<'_, Result<Installed, BoxError>> {
        Box::pin(async {
            Ok(DB::installed(&mut self.connection, self.schema, self.triggers).await?)
        })
    }

    fn rows(
        &mut self,
        which: Which,
        after: Place,
    ) -> BoxFuture<'_, Result<Vec<OutboxRow>, BoxError>> {
        Box::pin(async move {
            Ok(DB::rows(&mut self.connection, self.schema.outbox, which, after).await?)
        })
    }

    fn report(&mut self, tags: Vec<Tag>) -> BoxFuture<'_, Result<(), BoxError>> {
        Box::pin(async { Ok(DB::report(&mut self.connection, self.schema.outbox, tags).await?) })
    }

    fn mark_delivered(&mut self, ids: Vec<i64>, to: i64) -> BoxFuture<'_, Result<(), BoxError>> {
        Box::pin(async move {
            Ok(DB::mark_delivered(&mut self.connection, self.schema.outbox, ids, to).await?)
        })
    }

    fn purge(&mut self, retention: Duration) -> BoxFuture<'_, Result<u64, BoxError>> {
        Box::pin(async move {
            Ok(DB::purge(&mut self.connection, self.schema.outbox, retention).await?)
        })
    }
}

/// `"schema"."table"`.
pub(super) fn quoted(table: &str) -> String {
    let parts: Vec<String> = table.split('.').map(|part| format!("\"{part}\"")).collect();
    parts.join(".")
}

/// The table that says what is installed.
pub(super) fn stamps(schema: &Schema) -> String {
    format!("{}_stamp", schema.outbox)
}

/// What the stamp, the identity and the number of triggers that were found say.
pub(super) fn judged(
    found: Option<(String, String, i64)>,
    wanted: &Triggers,
    triggers: bool,
) -> Installed {
    match found {
        None => Installed::Nothing,
        Some((_, identity, _)) if !triggers => Installed::Right { identity },
        Some((stamp, identity, count))
            if stamp == wanted.stamp && count as usize == wanted.names.len() =>
        {
            Installed::Right { identity }
        }
        Some(_) => Installed::Other,
    }
}

/// Runs one statement of the set-up; says what an error means here.
async fn run<DB: Database>(connection: &mut DB::Connection, sql: &str) -> Result<(), sqlx::Error>
where
    for<'c> &'c mut DB::Connection: Executor<'c, Database = DB>,
{
    let done = sqlx::raw_sql(sqlx::AssertSqlSafe(sql))
        .execute(connection)
        .await;
    done.map(drop).map_err(|error| {
        let what = sql.lines().next().unwrap_or_default();
        let help =
            "run the migrations before `install`, or correct cache.toml; nothing was installed";
        let why =
            format!("cache.toml does not fit this database: {error}, in: {what}\nhelp: {help}");
        sqlx::Error::Configuration(why.into())
    })
}

/// Runs a statement that answers rows as (writer, id, tag's bytes, age in seconds).
pub(super) async fn fetch<DB: Database>(
    connection: &mut DB::Connection,
    sql: SqlStr,
    values: &[i64],
) -> Result<Vec<OutboxRow>, sqlx::Error>
where
    for<'c> &'c mut DB::Connection: Executor<'c, Database = DB>,
    DB::Arguments: IntoArguments<DB>,
    usize: ColumnIndex<DB::Row>,
    for<'v> i64: Encode<'v, DB> + Decode<'v, DB> + Type<DB>,
    for<'v> f64: Decode<'v, DB> + Type<DB>,
    for<'v> Option<Vec<u8>>: Decode<'v, DB> + Type<DB>,
{
    let mut query = sqlx::query::<DB>(sql);
    for value in values {
        query = query.bind(*value);
    }
    let rows = query.fetch_all(connection).await?;
    let row = |row: &DB::Row| {
        let age = row.try_get::<f64, _>(3)?;
        Ok(OutboxRow {
            place: Place {
                writer: row.try_get(0)?,
                id: row.try_get(1)?,
            },
            tag: row
                .try_get::<Option<Vec<u8>>, _>(2)?
                .and_then(Tag::from_bytes),
            // A clock that was set back is no reason to stop.
            age: Duration::try_from_secs_f64(age).unwrap_or_default(),
        })
    };
    rows.iter().map(row).collect()
}
