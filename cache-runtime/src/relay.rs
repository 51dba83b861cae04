//! The relay: delivers the outbox rows that no commit of this cache delivers, such as those of `psql`, of
//! another service, or of a process that died.
//!
//! Every process runs one, unless told not to. Two that deliver the same row do no harm: an invalidation
//! may be repeated. Rows are found by not being marked, never by their numbers, as those of a
//! transaction become visible when it commits, after later numbers.

use std::sync::{Arc, Weak};
use std::time::{Duration, Instant};

use crate::background::Task;
use crate::deliver::LATE_MARKS;
use crate::engine::{Engine, PATIENCE};
use crate::error::Error;
use crate::event::Event;
use crate::mechanism::Mechanism;
use crate::outbox::{Listener, PURGE_BATCH, Seen, Which};

/// After rows were found it looks again so soon; while there are none, it doubles this up to
/// `outbox.poll`.
const FIRST_PAUSE: Duration = Duration::from_millis(50);

/// How often old rows are purged.
const PURGE_EVERY: Duration = Duration::from_secs(10);

/// How many steps of it there are at most, before it is time to deliver again.
const PURGE_STEPS: usize = 10;

pub(crate) struct Relay {
    /// Weak: a cache that nobody has any more needs none.
    engine: Weak<Engine>,
    listener: Option<Box<dyn Listener>>,
    purged: Instant,
    /// What its last pass has seen, and delivered.
    seen: Option<Seen>,
    /// When it last looked for what was delivered elsewhere.
    looked: Instant,
    /// Whether the last pass failed, so that this is said once.
    failing: bool,
}

/// Begins to relay, in the background, as long as the cache lives.
pub(crate) fn start(engine: &Arc<Engine>) {
    if engine.outbox.is_none() || !engine.has(Mechanism::Relay) {
        return;
    }
    let relay = Relay {
        engine: Arc::downgrade(engine),
        listener: None,
        purged: Instant::now(),
        seen: None,
        looked: Instant::now(),
        failing: false,
    };
    engine.in_background(Task::Relay, relay.run(engine.schema.poll));
}

impl Relay {
    async fn run(mut self, poll: Duration) {
        let mut pause = Duration::ZERO;
        loop {
            self.pause(pause).await;
            let Some(engine) = self.engine.upgrade() else {
                return;
            };
            pause = match self.pass(&engine).await {
                Ok(0) => poll.min(FIRST_PAUSE.max(pause * 2)),
                Ok(_) => poll.min(FIRST_PAUSE),
                Err(_) => poll,
            };
        }
    }

    /// Waits so long, or until somebody has written.
    async fn pause(&mut self, pause: Duration) {
        let Some(listener) = &mut self.listener else {
            return tokio::time::sleep(pause).await;
        };
        if let Ok(Err(error)) = tokio::time::timeout(pause, listener.heard()).await {
            tracing::debug!(%error, "the relay hears nothing until it listens again");
            self.listener = None;
        }
    }

    /// Looks once; returns how many rows it delivered.
    async fn pass(&mut self, engine: &Arc<Engine>) -> Result<usize, Error> {
        // On its way back the store is told everything anyway.
        if !engine.health.accepts_invalidations() {
            return Ok(0);
        }
        let passed = match tokio::time::timeout(PATIENCE, self.try_pass(engine)).await {
            Ok(passed) => passed,
            Err(_) => Err(Error::outbox("no answer from the database".into())),
        };
        match &passed {
            Ok(0) => engine.observer.tell(Event::Idle),
            Ok(_) => {}
            Err(error) if !self.failing => {
                tracing::warn!(%error, "the relay cannot deliver what others write");
            }
            Err(_) => {}
        }
        self.failing = passed.is_err();
        passed
    }

    async fn try_pass(&mut self, engine: &Arc<Engine>) -> Result<usize, Error> {
        let Some(outbox) = &engine.outbox else {
            return Ok(0);
        };
        // Before it looks, so that nothing comes between.
        if self.listener.is_none() {
            self.listener = outbox.listen().await.map_err(Error::outbox)?;
        }
        let mut connection = outbox.connect().await.map_err(Error::outbox)?;
        // Now and then everything: a mark may have been lost, a column have got another type.
        let is_time = self.purged.elapsed() >= PURGE_EVERY.min(engine.schema.retention);
        engine.check_set_up(&mut *connection, is_time).await?;
        if let Err(error) = engine.store.check().await {
            engine.failed(&error);
            return Err(Error::store(error));
        }
        let seen = connection.seen().await.map_err(Error::outbox)?;
        let since = self.seen.take().filter(|_| !is_time);
        let waiting = Which::Waiting { since };
        let mut delivered = engine.deliver(&mut *connection, &waiting).await?;
        self.seen = seen;
        let (now, within) = (Instant::now(), self.looked.elapsed() + LATE_MARKS);
        delivered += engine
            .deliver_from_elsewhere(&mut *connection, within)
            .await?;
        self.looked = now;
        if is_time {
            // Small steps, and each in a transaction of its own: nobody waits for it.
            let retention = engine.schema.retention;
            for _ in 0..PURGE_STEPS {
                let purged = connection.purge(retention).await.map_err(Error::outbox)?;
                if purged < PURGE_BATCH as u64 {
                    break;
                }
            }
            self.purged = Instant::now();
        }
        Ok(delivered)
    }
}
