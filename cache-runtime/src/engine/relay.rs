//! The relay: delivers the outbox rows that no commit of this cache delivers, such as those of `psql`, of
//! another service, or of a process that died.
//!
//! Every process runs one, unless told not to. Two that deliver the same row do no harm: an invalidation
//! may be repeated. Rows are found by not being marked, never by their numbers, as those of a
//! transaction become visible when it commits, after later numbers.

use std::sync::{Arc, Weak};
use std::time::{Duration, Instant};

use crate::engine::delivery::LATE_MARKS;
use crate::engine::tasks::Task;
use crate::engine::{Engine, PATIENCE};
use crate::error::Error;
use crate::mechanism::Mechanism;
use crate::observe::event::Event;
use crate::outbox::{Listener, OutboxConnection, PURGE_BATCH, Seen, Which};

/// After rows were found it looks again so soon; while there are none, it doubles this up to
/// `outbox.poll`.
const FIRST_PAUSE: Duration = Duration::from_millis(50);

/// How often it looks at everything, and purges old rows.
const UPKEEP_EVERY: Duration = Duration::from_secs(10);

/// A look at everything is made only so often that it takes less than this part of the time: while an old snapshot keeps what vacuum
/// would remove, it goes through all rows that were ever marked.
const LOOK_SHARE: u32 = 100;

/// How many steps of a purge there are at most, before it is time to deliver again.
const PURGE_STEPS: usize = 10;

/// How much later a mark may be seen than it says, in microseconds.
const LATE_MARK: i64 = LATE_MARKS.as_micros() as i64;

/// How often a purge begins with the oldest row again, in case that marks were seen later still.
const PURGE_ANEW_EVERY: Duration = Duration::from_secs(3600);

/// How often the connection that listens is made anew: nobody says when it stands still.
const LISTEN_ANEW_EVERY: Duration = Duration::from_secs(300);

/// A row that waits for longer than this is worth a word.
const LONG: Duration = Duration::from_secs(60);

/// If a purge has not come to its end for so long, it does not keep up.
const FALLS_BEHIND: Duration = Duration::from_secs(300);

pub(crate) struct Relay {
    /// Weak: a cache that nobody has any more needs none.
    engine: Weak<Engine>,
    listener: Option<Box<dyn Listener>>,
    /// Since when it listens.
    listens_since: Instant,
    /// When to look at everything again.
    look_at: Instant,
    /// When to purge again.
    purge_at: Instant,
    /// Rows that were delivered before this are purged, by the database's time.
    purged_until: i64,
    /// Since when that is so, and since when there has always been more to purge.
    purged_anew: Instant,
    purging_since: Option<Instant>,
    /// What its last pass has seen, and delivered; and the identity of the installation then. A database that has lost commits
    /// gives their numbers to others.
    seen: Option<(Option<String>, Seen)>,
    /// When it last looked for what was delivered elsewhere.
    looked: Instant,
}

/// Begins to relay, in the background, as long as the cache lives.
pub(crate) fn start(engine: &Arc<Engine>) {
    if engine.outbox.is_none() || !engine.has(Mechanism::Relay) {
        return;
    }
    let now = Instant::now();
    let first = now + UPKEEP_EVERY.min(engine.schema.retention);
    let relay = Relay {
        engine: Arc::downgrade(engine),
        listener: None,
        listens_since: now,
        look_at: first,
        purge_at: first,
        purged_until: 0,
        purged_anew: now,
        purging_since: None,
        seen: None,
        looked: now,
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
                Ok(0) if self.purging_since.is_none() => poll.min(FIRST_PAUSE.max(pause * 2)),
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
        let passed = match tokio::time::timeout(PATIENCE, self.try_pass(engine)).await {
            Ok(passed) => passed,
            Err(_) => Err(Error::outbox("it has not come to an end".into())),
        };
        match &passed {
            Ok(0) if engine.health.accepts_invalidations() => engine.observer.tell(Event::Idle),
            Ok(_) => {}
            Err(error) if engine.said.is_time("relay") => {
                tracing::warn!(%error, "the relay cannot deliver what others write");
            }
            Err(_) => {}
        }
        passed
    }

    async fn try_pass(&mut self, engine: &Arc<Engine>) -> Result<usize, Error> {
        let Some(outbox) = &engine.outbox else {
            return Ok(0);
        };
        let now = Instant::now();
        let (looks, purges) = (now >= self.look_at, now >= self.purge_at);
        // On its way back the store is told everything anyway.
        let delivers = engine.health.accepts_invalidations();
        if !delivers && !looks && !purges {
            return Ok(0);
        }
        // Before it looks, so that nothing comes between.
        if self.listener.is_none() || self.listens_since.elapsed() > LISTEN_ANEW_EVERY {
            self.listener = outbox.listen().await.map_err(Error::outbox)?;
            self.listens_since = now;
        }
        let mut connection = outbox.connect().await.map_err(Error::outbox)?;
        let pause = UPKEEP_EVERY.min(engine.schema.retention);
        if looks {
            // Also if it takes too long: that is no reason to deliver nothing.
            self.look_at = now + pause;
        }
        let delivered = match delivers {
            true => self.deliver(engine, &mut *connection, looks).await?,
            false => 0,
        };
        if looks {
            Self::measure(engine, &mut *connection, !delivers).await?;
            self.look_at = Instant::now() + pause.max(now.elapsed() * LOOK_SHARE);
        }
        if purges {
            self.purge(engine, &mut *connection).await?;
        }
        Ok(delivered)
    }

    /// With `everything` also what it has seen before: a mark may have been lost, a column have got another type.
    async fn deliver(
        &mut self,
        engine: &Arc<Engine>,
        connection: &mut dyn OutboxConnection,
        everything: bool,
    ) -> Result<usize, Error> {
        engine.check_set_up(connection, everything).await?;
        if let Err(error) = engine.store.check().await {
            engine.failed(&error);
            return Err(Error::store(error));
        }
        let seen = connection.seen().await.map_err(Error::outbox)?;
        let source = engine.source().clone();
        let before = self.seen.as_ref().filter(|(of, _)| *of == source);
        let before = before.map(|(_, seen)| seen.clone());
        if let (Some(seen), Some(before)) = (&seen, &before)
            && seen.before < before.before
        {
            return Err(engine.went_back());
        }
        let since = before.filter(|_| !everything);
        let waiting = Which::Waiting { since };
        let mut delivered = engine.deliver(connection, &waiting).await?;
        self.seen = seen.map(|seen| (source, seen));
        let (now, within) = (Instant::now(), self.looked.elapsed() + LATE_MARKS);
        delivered += engine.deliver_from_elsewhere(connection, within).await?;
        self.looked = now;
        Ok(delivered)
    }

    /// Says how much there is.
    async fn measure(
        engine: &Arc<Engine>,
        connection: &mut dyn OutboxConnection,
        waits: bool,
    ) -> Result<(), Error> {
        // What waited has just been delivered, unless the store is away: no reason to look for it again.
        let backlog = connection.backlog(waits).await;
        let backlog = backlog.map_err(Error::outbox)?;
        let waiting = backlog.waiting.unwrap_or_default();
        engine.observer.tell(Event::Backlog {
            rows: backlog.rows,
            waiting,
        });
        if waiting > LONG && engine.said.is_time("waiting") {
            tracing::warn!(
                ?waiting,
                rows = backlog.rows,
                "what was written waits in the outbox"
            );
        }
        Ok(())
    }

    /// Small steps, and each in a transaction of its own: nobody waits for it. If they were not enough, it goes on after the next
    /// delivery.
    async fn purge(
        &mut self,
        engine: &Arc<Engine>,
        connection: &mut dyn OutboxConnection,
    ) -> Result<(), Error> {
        if self.purged_anew.elapsed() > PURGE_ANEW_EVERY {
            (self.purged_anew, self.purged_until) = (Instant::now(), 0);
        }
        let retention = engine.schema.retention;
        for _ in 0..PURGE_STEPS {
            let after = self.purged_until.saturating_sub(LATE_MARK);
            let purged = connection.purge(retention, after).await;
            let purged = purged.map_err(Error::outbox)?;
            self.purged_until = self.purged_until.max(purged.until);
            if purged.rows < PURGE_BATCH {
                self.purging_since = None;
                self.purge_at = Instant::now() + UPKEEP_EVERY.min(retention);
                return Ok(());
            }
        }
        let since = *self.purging_since.get_or_insert_with(Instant::now);
        if since.elapsed() > FALLS_BEHIND && engine.said.is_time("purge") {
            tracing::warn!("the outbox grows: more is written than its old rows can be purged");
        }
        Ok(())
    }
}
