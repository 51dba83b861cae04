//! Connections to the database, each of whose uses comes to an end.
//!
//! An address that has moved, or a host that is gone, says nothing: what is asked over a connection
//! to it is never answered, while new connections are fine. So a statement of the cache waits for
//! so long and no longer, a connection that did not answer is closed and not given back (a pool
//! pings what it is given back, and waits for that without a bound), and the next is a new one.

use std::io;
use std::ops::{Deref, DerefMut};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use sqlx::pool::PoolConnection;
use sqlx::{Connection, Pool};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use super::database::OutboxDatabase;
use super::manager::start_rollback;
use crate::boxed::BoxError;
use crate::lock::locked;

/// How long one statement may take,
pub(super) const PATIENCE: Duration = Duration::from_secs(8);

/// and one that may have to go through all that was ever marked, while an old snapshot keeps what
/// vacuum would remove.
pub(super) const PATIENCE_WITH_ALL: Duration = Duration::from_secs(30);

/// How long a new connection may take. sqlx asks a server that refuses it again and again, after a
/// fifth of this at the latest.
const CONNECTING: Duration = Duration::from_secs(3);

/// How long a connection that was idle may take to say that it is alive.
const ALIVE: Duration = Duration::from_secs(2);

/// How many connections of its own a cache has at most, beside the one that listens.
const CONNECTIONS: usize = 2;

/// The connections of a cache's own. They are not the service's: its work must not wait for that of
/// a busy service, nor the other way round. Who wants one when none is free waits for its turn,
/// however long that takes.
pub(crate) struct Own<DB: OutboxDatabase> {
    /// The service's, which says how to connect.
    pub(super) pool: Pool<DB>,
    idle: Mutex<Vec<Apart<DB>>>,
    turns: Arc<Semaphore>,
}

/// A connection that is in no pool. When it is dropped it is closed, without a word.
struct Apart<DB: OutboxDatabase> {
    connection: DB::Connection,
    born: Instant,
}

/// A connection that somebody has.
pub(crate) struct Held<DB: OutboxDatabase>(Kind<DB>);

enum Kind<DB: OutboxDatabase> {
    /// The pool's.
    Pool { connection: PoolConnection<DB>, _turn: Option<OwnedSemaphorePermit> },
    Own {
        /// `None` only while it is dropped.
        apart: Option<Apart<DB>>,
        own: Arc<Own<DB>>,
        /// Its last use came to its end.
        is_sound: bool,
        _turn: OwnedSemaphorePermit,
    },
}

impl<DB: OutboxDatabase> Own<DB> {
    pub(crate) fn new(pool: &Pool<DB>) -> Arc<Own<DB>> {
        Arc::new(Own {
            pool: pool.clone(),
            idle: Mutex::default(),
            turns: Arc::new(Semaphore::new(CONNECTIONS)),
        })
    }

    /// # Errors
    /// When the database does not answer.
    pub(super) async fn connect(self: &Arc<Self>) -> Result<Held<DB>, BoxError> {
        // Never closed.
        let turn = self.turns.clone().acquire_owned().await?;
        if !DB::IS_SERVER {
            // An in-memory database has no others.
            return Ok(Held(Kind::Pool {
                connection: self.pool.acquire().await?,
                _turn: Some(turn),
            }));
        }
        let apart = match self.alive().await {
            Some(idle) => idle,
            None => Apart {
                connection: pool_of_one(&self.pool).acquire().await?.detach(),
                born: Instant::now(),
            },
        };
        Ok(Held(Kind::Own { apart: Some(apart), own: self.clone(), is_sound: true, _turn: turn }))
    }

    /// One that was idle, if it is alive.
    async fn alive(&self) -> Option<Apart<DB>> {
        let mut idle = locked(&self.idle).pop()?;
        let life = self.pool.options().get_max_lifetime();
        if life.is_some_and(|life| idle.born.elapsed() > life) {
            return None;
        }
        match tokio::time::timeout(ALIVE, idle.connection.ping()).await {
            Ok(Ok(())) => Some(idle),
            Ok(Err(_)) | Err(_) => {
                // What has made it dumb has made the others so.
                locked(&self.idle).clear();
                None
            }
        }
    }
}

impl<DB: OutboxDatabase> Held<DB> {
    pub(crate) fn of_pool(connection: PoolConnection<DB>) -> Held<DB> {
        Held(Kind::Pool { connection, _turn: None })
    }

    /// Closes it when it is dropped.
    pub(crate) fn close(&mut self) {
        match &mut self.0 {
            // The pool waits for that no longer than five seconds.
            Kind::Pool { connection, .. } => connection.close_on_drop(),
            Kind::Own { is_sound, .. } => *is_sound = false,
        }
    }

    /// Before a use of it, which may be cut short.
    pub(super) fn is_used(&mut self) {
        if let Kind::Own { is_sound, .. } = &mut self.0 {
            *is_sound = false;
        }
    }

    /// The use has come to its end.
    pub(crate) fn was_used<T>(&mut self, done: &Result<T, sqlx::Error>) {
        let is_well = done.as_ref().err().is_none_or(is_of_a_statement);
        match &mut self.0 {
            Kind::Own { is_sound, .. } => *is_sound = is_well,
            Kind::Pool { .. } if !is_well => self.close(),
            Kind::Pool { .. } => {}
        }
    }

    /// Undoes a transaction that may be open, within so long; or else closes it.
    pub(crate) async fn undo(&mut self, patience: Duration) {
        if within(patience, DB::undo(self)).await.is_err() {
            self.close();
        }
    }

    /// Ends a transaction that may be open, in the background, however its last use ended; then
    /// gives it back.
    pub(crate) fn roll_back(mut self) {
        // Without a runtime there is none whose work this could hold up.
        let Ok(runtime) = tokio::runtime::Handle::try_current() else {
            return start_rollback::<DB>(&mut self);
        };
        runtime.spawn(async move { self.undo(PATIENCE).await });
    }
}

/// For a connection of the cache's own, made with all that the service does to a new one.
pub(super) fn pool_of_one<DB: OutboxDatabase>(pool: &Pool<DB>) -> Pool<DB> {
    let options = pool.options().clone();
    let one = options.min_connections(0).max_connections(1);
    // Without these the pool has no tasks.
    let one = one.idle_timeout(None).max_lifetime(None);
    let one = one.acquire_timeout(CONNECTING);
    one.connect_lazy_with(pool.connect_options().as_ref().clone())
}

/// Waits for an answer of the database for so long.
pub(crate) async fn within<T>(
    patience: Duration,
    work: impl Future<Output = Result<T, sqlx::Error>>,
) -> Result<T, sqlx::Error> {
    let done = tokio::time::timeout(patience, work).await;
    done.unwrap_or_else(|_| {
        let why = format!("the database has not answered for {patience:?}");
        Err(sqlx::Error::Io(io::Error::new(io::ErrorKind::TimedOut, why)))
    })
}

/// Whether it is an error of a statement, after which the connection is as good as before. A server
/// that is about to end, or takes no writes any more, has said something about itself.
fn is_of_a_statement(error: &sqlx::Error) -> bool {
    let is_of_server = |code: &str| ["08", "25", "57"].iter().any(|it| code.starts_with(it));
    match error {
        sqlx::Error::Database(error) => !error.code().is_some_and(|code| is_of_server(&code)),
        sqlx::Error::Configuration(_)
        | sqlx::Error::RowNotFound
        | sqlx::Error::ColumnDecode { .. } => true,
        _ => false,
    }
}

impl<DB: OutboxDatabase> Deref for Held<DB> {
    type Target = DB::Connection;

    fn deref(&self) -> &DB::Connection {
        match &self.0 {
            Kind::Pool { connection, .. } => connection,
            Kind::Own { apart, .. } => &apart.as_ref().expect(HELD).connection,
        }
    }
}

impl<DB: OutboxDatabase> DerefMut for Held<DB> {
    fn deref_mut(&mut self) -> &mut DB::Connection {
        match &mut self.0 {
            Kind::Pool { connection, .. } => connection,
            Kind::Own { apart, .. } => &mut apart.as_mut().expect(HELD).connection,
        }
    }
}

const HELD: &str = "it goes away when it is dropped";

impl<DB: OutboxDatabase> Drop for Kind<DB> {
    fn drop(&mut self) {
        if let Kind::Own { apart, own, is_sound, .. } = self {
            match apart.take().filter(|_| *is_sound) {
                Some(apart) => locked(&own.idle).push(apart),
                None => locked(&own.idle).clear(),
            }
        }
    }
}
