//! The outbox as the runtime sees it: a table in a database of whichever kind.

use std::sync::Arc;
use std::time::Duration;

use sqlx::Pool;

use super::connection::{Held, Own, PATIENCE, PATIENCE_WITH_ALL, within};
use super::database::OutboxDatabase;
use super::{
    Backlog, Cursor, Installed, Listener, Outbox, OutboxConnection, OutboxRow, Purged, RowFilter,
    Seen,
};
use crate::boxed::{BoxError, BoxFuture};
use crate::model::column::Dialect;
use crate::model::schema::Schema;
use crate::model::tag::Tag;

/// The outbox table, reached over connections of its own.
pub(crate) struct OwnOutbox<DB: OutboxDatabase> {
    own: Arc<Own<DB>>,
    schema: &'static Schema,
    triggers: bool,
}

impl<DB: OutboxDatabase> OwnOutbox<DB> {
    /// That of this database; without `triggers`, who writes reports.
    pub(crate) fn of(pool: &Pool<DB>, schema: &'static Schema, triggers: bool) -> Arc<dyn Outbox> {
        Arc::new(OwnOutbox { own: Own::new(pool), schema, triggers })
    }
}

impl<DB: OutboxDatabase> Outbox for OwnOutbox<DB> {
    fn dialect(&self) -> Dialect {
        DB::DIALECT
    }

    fn connect(&self) -> BoxFuture<'_, Result<Box<dyn OutboxConnection>, BoxError>> {
        Box::pin(async {
            Ok(Box::new(TableConnection {
                connection: self.own.connect().await?,
                schema: self.schema,
                triggers: self.triggers,
            }) as Box<dyn OutboxConnection>)
        })
    }

    fn listen(&self) -> BoxFuture<'_, Result<Option<Box<dyn Listener>>, BoxError>> {
        Box::pin(async {
            let listening = DB::listen(&self.own.pool, self.schema.outbox);
            Ok(tokio::time::timeout(PATIENCE, listening).await??)
        })
    }
}

/// A connection, with the table.
pub(crate) struct TableConnection<DB: OutboxDatabase> {
    pub(crate) connection: Held<DB>,
    pub(crate) schema: &'static Schema,
    pub(crate) triggers: bool,
}

/// What is done over it comes to an end.
macro_rules! bounded {
    ($self:ident, $database:ident::$what:ident($($argument:expr),*)) => {
        bounded!($self, PATIENCE, $database::$what($($argument),*))
    };
    ($self:ident, $patience:expr, $database:ident::$what:ident($($argument:expr),*)) => {
        Box::pin(async move {
            $self.connection.is_used();
            let doing = $database::$what(&mut $self.connection, $($argument),*);
            let done = within($patience, doing).await;
            $self.connection.was_used(&done);
            Ok(done?)
        })
    };
}

impl<DB: OutboxDatabase> OutboxConnection for TableConnection<DB> {
    fn installed(&mut self) -> BoxFuture<'_, Result<Installed, BoxError>> {
        let (schema, triggers) = (self.schema, self.triggers);
        bounded!(self, DB::installed(schema, triggers))
    }

    fn spellings(&mut self) -> BoxFuture<'_, Result<Vec<String>, BoxError>> {
        let schema = self.schema;
        bounded!(self, DB::spellings(schema))
    }

    fn types(&mut self) -> BoxFuture<'_, Result<Option<String>, BoxError>> {
        let schema = self.schema;
        match self.triggers {
            true => bounded!(self, DB::types(schema)),
            false => Box::pin(async { Ok(None) }),
        }
    }

    fn try_out(&mut self) -> BoxFuture<'_, Result<Option<String>, BoxError>> {
        let schema = self.schema;
        bounded!(self, DB::try_out(schema))
    }

    fn seen(&mut self) -> BoxFuture<'_, Result<Option<Seen>, BoxError>> {
        bounded!(self, DB::seen())
    }

    fn rows<'a>(
        &'a mut self,
        filter: &'a RowFilter,
        after: Cursor,
    ) -> BoxFuture<'a, Result<Vec<OutboxRow>, BoxError>> {
        let outbox = self.schema.outbox;
        let patience = match filter {
            RowFilter::Waiting { since: None } => PATIENCE_WITH_ALL,
            RowFilter::DeliveredElsewhere { within, .. } if *within > PATIENCE_WITH_ALL => {
                PATIENCE_WITH_ALL
            }
            _ => PATIENCE,
        };
        bounded!(self, patience, DB::rows(outbox, filter, after))
    }

    fn report(&mut self, tags: Vec<Tag>) -> BoxFuture<'_, Result<(), BoxError>> {
        let outbox = self.schema.outbox;
        bounded!(self, DB::report(outbox, tags))
    }

    fn mark_delivered(&mut self, ids: Vec<i64>, to: i64) -> BoxFuture<'_, Result<(), BoxError>> {
        let outbox = self.schema.outbox;
        bounded!(self, DB::mark_delivered(outbox, ids, to))
    }

    fn purge(
        &mut self,
        retention: Duration,
        after: i64,
    ) -> BoxFuture<'_, Result<Purged, BoxError>> {
        let outbox = self.schema.outbox;
        bounded!(self, DB::purge(outbox, retention, after))
    }

    fn backlog(&mut self, waiting: bool) -> BoxFuture<'_, Result<Backlog, BoxError>> {
        let outbox = self.schema.outbox;
        bounded!(self, PATIENCE_WITH_ALL, DB::backlog(outbox, waiting))
    }
}
