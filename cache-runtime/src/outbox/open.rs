//! A connection on which a transaction is open, however it ends.

use std::time::Duration;

use sqlx::Pool;

use super::connection::{Held, within};
use super::database::OutboxDatabase;
use super::manager;
use super::table::TableConnection;
use crate::model::schema::Schema;

/// How long a commit may take until it is not known whether there was one.
const COMMIT_PATIENCE: Duration = Duration::from_secs(60);

/// How long it may take to undo what was not committed, until the connection is given up.
const UNDO_PATIENCE: Duration = Duration::from_secs(5);

/// An open transaction. It is rolled back when it is dropped.
pub(crate) struct OpenTransaction<DB: OutboxDatabase> {
    /// `None` only while it is dropped.
    table: Option<TableConnection<DB>>,
    state: State,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum State {
    /// Whether it has begun is not known.
    Beginning,
    Open,
    Over,
}

impl<DB: OutboxDatabase> OpenTransaction<DB> {
    /// Begins one as this writer; also returns what finds its rows of the outbox later.
    ///
    /// # Errors
    /// When the database cannot be reached.
    pub(crate) async fn begin(
        pool: &Pool<DB>,
        schema: &'static Schema,
        writer: i64,
    ) -> Result<(OpenTransaction<DB>, i64), sqlx::Error> {
        let mut open = OpenTransaction {
            table: Some(TableConnection {
                connection: Held::of_pool(pool.acquire().await?),
                schema,
                triggers: true,
            }),
            state: State::Beginning,
        };
        let mark = DB::begin(open.connection_mut(), schema.outbox, writer).await?;
        open.state = State::Open;
        Ok((open, mark))
    }

    /// Commits.
    ///
    /// # Errors
    /// When the database did not; or when it has not answered, and may have.
    pub(crate) async fn commit(&mut self) -> Result<(), sqlx::Error> {
        let committing = manager::commit::<DB>(self.connection_mut());
        let committed = within(COMMIT_PATIENCE, committing).await;
        self.state = State::Over;
        let connection = &mut self.outbox().connection;
        connection.was_used(&committed);
        if committed.is_err() {
            connection.undo(UNDO_PATIENCE).await;
        }
        committed
    }

    /// Undoes everything since `begin`.
    ///
    /// # Errors
    /// When the database cannot be reached; it then rolls back by itself.
    pub(crate) async fn rollback(&mut self) -> Result<(), sqlx::Error> {
        manager::rollback::<DB>(self.connection_mut()).await?;
        self.state = State::Over;
        Ok(())
    }

    pub(crate) fn connection(&self) -> &DB::Connection {
        &self.table.as_ref().expect(OPEN).connection
    }

    pub(crate) fn connection_mut(&mut self) -> &mut DB::Connection {
        &mut self.outbox().connection
    }

    /// The outbox, over the same connection.
    pub(crate) fn outbox(&mut self) -> &mut TableConnection<DB> {
        self.table.as_mut().expect(OPEN)
    }
}

const OPEN: &str = "it goes away when it is dropped";

impl<DB: OutboxDatabase> Drop for OpenTransaction<DB> {
    fn drop(&mut self) {
        let Some(TableConnection { mut connection, .. }) = self.table.take() else {
            return;
        };
        match self.state {
            // sqlx, which does not know of the transaction yet, would not end it. (On SQLite it
            // does, and closing the connection would be the end of an in-memory database.)
            State::Beginning if DB::IS_SERVER => connection.close(),
            // A handler may have been dropped while it waited for an answer that never comes.
            State::Beginning | State::Open => connection.roll_back(),
            State::Over => {}
        }
    }
}
