//! The set-up: the outbox and the triggers in a database, brought there and taken away again.

use sqlx::error::DatabaseError;
use sqlx::{Database, Executor, Pool};

use super::Installed;
use super::database::{OutboxDatabase, fingerprints, quoted};
use crate::model::schema::Schema;

impl Schema {
    /// Creates the outbox and the triggers in this database, or brings them up to date; does
    /// nothing, and takes no lock, when they are. Removes those of models that `cache.toml` has no
    /// longer.
    ///
    /// The service may go on while it runs. On PostgreSQL each table is changed in a short
    /// transaction of its own, which waits for those who write to it, a tenth of a second at a
    /// time, and never makes a reader wait. From the first change to the last, caches read from the
    /// source.
    ///
    /// ```
    /// # use blog::SCHEMA;
    /// # #[tokio::main]
    /// # async fn main() -> Result<(), cache_runtime::BoxError> {
    /// # let pool = blog::database().await?;
    /// SCHEMA.install(&pool).await?;
    /// // It may run at every start.
    /// SCHEMA.install(&pool).await?;
    /// # Ok(()) }
    /// ```
    ///
    /// # Errors
    /// When a table or column of `cache.toml` is missing, or an id or a reference has a type whose
    /// equal values may have different texts: nothing is installed then. When the role may not
    /// create triggers; or when a transaction has held a table for a minute: run it again then, as
    /// caches read from the source until it has come to its end.
    pub async fn install<DB: OutboxDatabase>(
        &'static self,
        pool: &Pool<DB>,
    ) -> Result<(), sqlx::Error> {
        DB::install(&mut *pool.acquire().await?, self, true).await
    }

    /// Creates the outbox only, for a database that one may not give triggers: its writes report
    /// themselves, with [`Transaction::changed`](crate::Transaction::changed) and its like.
    ///
    /// # Errors
    /// When the role may not create tables.
    pub async fn install_outbox<DB: OutboxDatabase>(
        &'static self,
        pool: &Pool<DB>,
    ) -> Result<(), sqlx::Error> {
        DB::install(&mut *pool.acquire().await?, self, false).await
    }

    /// The text of a migration that does what [`install`](Self::install) does, for those who review
    /// migrations or run them in another role. It may be run in any state of the database, in one
    /// transaction: that one then waits for all who write to the tables, and they for it.
    ///
    /// ```
    /// # use blog::SCHEMA;
    /// # #[tokio::main]
    /// # async fn main() -> Result<(), cache_runtime::BoxError> {
    /// # let pool = blog::database().await?;
    /// let text = SCHEMA.migration(&pool).await?;
    /// assert!(text.contains("CREATE TRIGGER"));
    /// # Ok(()) }
    /// ```
    ///
    /// # Errors
    /// When the database cannot be read. (On SQLite the text depends on it.)
    pub async fn migration<DB: OutboxDatabase>(
        &'static self,
        pool: &Pool<DB>,
    ) -> Result<String, sqlx::Error> {
        let statements = DB::statements(&mut *pool.acquire().await?, self).await?;
        Ok(statements.into_iter().map(|statement| format!("{statement};\n\n")).collect())
    }

    /// Removes the triggers and the outbox, of whatever version of `cache.toml`. Caches that are in
    /// use read from the source as soon as they notice, within `outbox.poll`.
    ///
    /// ```
    /// # use blog::SCHEMA;
    /// # #[tokio::main]
    /// # async fn main() -> Result<(), cache_runtime::BoxError> {
    /// # let pool = blog::database().await?;
    /// # SCHEMA.install(&pool).await?;
    /// SCHEMA.uninstall(&pool).await?;
    /// # Ok(()) }
    /// ```
    ///
    /// # Errors
    /// When the role may not, or a transaction has held a table for a minute.
    pub async fn uninstall<DB: OutboxDatabase>(
        &'static self,
        pool: &Pool<DB>,
    ) -> Result<(), sqlx::Error> {
        DB::uninstall(&mut *pool.acquire().await?, self).await
    }

    /// The statements that say what is installed; with another identity than ever before.
    pub(super) fn fingerprinted<DB: OutboxDatabase>(&self) -> [String; 2] {
        let (fingerprints, fingerprint) =
            (quoted(&fingerprints(self)), DB::wanted(self).fingerprint);
        let identity = DB::NEW_IDENTITY;
        [
            format!("DELETE FROM {fingerprints}"),
            format!(
                "INSERT INTO {fingerprints} (stamp, identity) VALUES ('{fingerprint}', {identity})"
            ),
        ]
    }

    /// What the fingerprint and the identity that were found say, if the triggers are right.
    pub(super) fn judged<DB: OutboxDatabase>(
        &self,
        found: Option<(String, String)>,
        triggers: Option<bool>,
    ) -> Installed {
        match (found, triggers) {
            (None, _) => Installed::Other,
            (Some((_, identity)), None) => Installed::Right { identity },
            (Some((fingerprint, identity)), Some(true))
                if fingerprint == DB::wanted(self).fingerprint =>
            {
                Installed::Right { identity }
            }
            (Some(_), Some(_)) => Installed::Other,
        }
    }
}

/// Runs statements of the set-up; says what an error means here.
pub(super) async fn run<DB: Database>(
    connection: &mut DB::Connection,
    statements: impl IntoIterator<Item = impl AsRef<str>>,
) -> Result<(), sqlx::Error>
where
    for<'c> &'c mut DB::Connection: Executor<'c, Database = DB>,
{
    for sql in statements {
        let sql = sql.as_ref();
        let done = sqlx::raw_sql(sqlx::AssertSqlSafe(sql)).execute(&mut *connection).await;
        done.map_err(|error| explained(error, sql))?;
    }
    Ok(())
}

/// The codes of PostgreSQL for a missing table, column or schema, and for a right that one does not
/// have (<https://www.postgresql.org/docs/current/errcodes-appendix.html>).
const MISSING: [&str; 3] = ["42P01", "42703", "3F000"];
const FORBIDDEN: &str = "42501";

/// That a lock was not to be had in time, or that two waited for each other.
const HELD: [&str; 2] = ["55P03", "40P01"];

/// Whether another transaction is in the way, for now.
pub(super) fn is_held(error: &sqlx::Error) -> bool {
    let code = error.as_database_error().and_then(|error| error.code());
    code.is_some_and(|code| HELD.contains(&&*code))
}

fn explained(error: sqlx::Error, sql: &str) -> sqlx::Error {
    let sqlx::Error::Database(database) = &error else {
        return error;
    };
    if is_held(&error) {
        return error;
    }
    let (code, text) = (database.code().unwrap_or_default(), database.message());
    // A refusal of our own says all there is to say.
    if let Some(hint) = hint(&**database) {
        return refusal(&format!("{text}\nhelp: {hint}"));
    }
    let help = if MISSING.contains(&&*code) || text.starts_with("no such ") {
        "run the migrations before `install`, or correct cache.toml; nothing was installed"
    } else if code == FORBIDDEN {
        "let the owner of the tables run `SCHEMA.install`, or the text of `SCHEMA.migration`"
    } else {
        // It speaks for itself.
        return refusal(&format!("{text}, in: {}", shown(sql)));
    };
    refusal(&format!("{text}, in: {}\nhelp: {help}", shown(sql)))
}

/// The line of a statement that says what it is about.
fn shown(sql: &str) -> &str {
    let is_told = |line: &&str| !["DO $cache$", "BEGIN"].contains(line);
    sql.lines().find(is_told).unwrap_or_default().trim()
}

/// What the database itself advises, which is what the statements of the set-up tell it to.
fn hint(error: &dyn DatabaseError) -> Option<&str> {
    #[cfg(feature = "postgres")]
    if let Some(error) = error.try_downcast_ref::<sqlx::postgres::PgDatabaseError>() {
        return error.hint();
    }
    let _ = error;
    None
}

/// The error of a database that `cache.toml` does not fit, for this reason.
pub(super) fn refusal(why: &str) -> sqlx::Error {
    sqlx::Error::Configuration(format!("cache.toml does not fit this database: {why}").into())
}
