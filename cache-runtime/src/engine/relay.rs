//! The relay: delivers the outbox rows that no commit of this cache delivers, such as those of
//! `psql`, of another service, or of a process that died.
//!
//! Every process runs one, unless told not to. Two that deliver the same row do no harm: an
//! invalidation may be repeated. Rows are found by not being marked, never by their numbers, as
//! those of a transaction become visible when it commits, after later numbers.

use std::sync::Arc;
use std::time::{Duration, Instant};

use crate::engine::delivery::{Delivery, LATE_MARKS};
use crate::engine::gate::Gate;
use crate::engine::installation::Installation;
use crate::engine::stop::Stop;
use crate::error::Error;
use crate::model::schema::Schema;
use crate::observe::event::Event;
use crate::outbox::{Listener, Outbox, OutboxConnection, PURGE_BATCH, RowFilter, Seen};

/// For how long a pass over the outbox may take before it is begun anew.
const PATIENCE: Duration = Duration::from_secs(60);

/// After rows were found it looks again so soon; while there are none, it doubles this up to
/// `outbox.poll`.
const FIRST_PAUSE: Duration = Duration::from_millis(50);

/// How often it looks at everything, and purges old rows.
const UPKEEP_EVERY: Duration = Duration::from_secs(10);

/// A look at everything is made only so often that it takes less than this part of the time: while
/// an old snapshot keeps what vacuum would remove, it goes through all rows that were ever marked.
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
    gate: Arc<Gate>,
    delivery: Arc<Delivery>,
    installation: Arc<Installation>,
    schema: &'static Schema,
    outbox: Arc<dyn Outbox>,
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
    /// What its last pass has seen, and delivered; and the identity of the installation then. A
    /// database that has lost commits gives their numbers to others.
    seen: Option<(Option<String>, Seen)>,
    /// When it last looked for what other instances were told.
    looked: Instant,
}

impl Relay {
    /// One that has looked at nothing yet; none, where nothing is reported.
    pub(crate) fn new(
        gate: Arc<Gate>,
        delivery: Arc<Delivery>,
        installation: Arc<Installation>,
        schema: &'static Schema,
    ) -> Option<Relay> {
        let outbox = delivery.outbox()?.clone();
        let now = Instant::now();
        let first = now + UPKEEP_EVERY.min(schema.retention);
        Some(Relay {
            gate,
            delivery,
            installation,
            schema,
            outbox,
            listener: None,
            listens_since: now,
            look_at: first,
            purge_at: first,
            purged_until: 0,
            purged_anew: now,
            purging_since: None,
            seen: None,
            looked: now,
        })
    }

    /// Relays until it is told to stop; a pass that is under way comes to its end.
    pub(crate) async fn run(mut self, stop: Stop) {
        let poll = self.schema.poll;
        let mut pause = Duration::ZERO;
        while stop.or(self.pause(pause)).await.is_some() {
            pause = match self.pass().await {
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
    async fn pass(&mut self) -> Result<usize, Error> {
        let passed = match tokio::time::timeout(PATIENCE, self.try_pass()).await {
            Ok(passed) => passed,
            Err(_) => Err(Error::outbox("it has not come to an end".into())),
        };
        let observer = &self.gate.observer;
        match &passed {
            Ok(0) if self.gate.accepts_invalidations() => observer.tell(Event::Idle),
            Ok(_) => {}
            Err(error) if observer.is_time("relay") => {
                tracing::warn!(%error, "the relay cannot deliver what others write");
            }
            Err(_) => {}
        }
        passed
    }

    async fn try_pass(&mut self) -> Result<usize, Error> {
        let now = Instant::now();
        let (looks, purges) = (now >= self.look_at, now >= self.purge_at);
        // On its way back the store is told everything anyway.
        let delivers = self.gate.accepts_invalidations();
        if !delivers && !looks && !purges {
            return Ok(0);
        }
        // Before it looks, so that nothing comes between.
        if self.listener.is_none() || self.listens_since.elapsed() > LISTEN_ANEW_EVERY {
            self.listener = self.outbox.listen().await.map_err(Error::outbox)?;
            self.listens_since = now;
        }
        let mut connection = self.outbox.connect().await.map_err(Error::outbox)?;
        let pause = UPKEEP_EVERY.min(self.schema.retention);
        if looks {
            // Also if it takes too long: that is no reason to deliver nothing.
            self.look_at = now + pause;
        }
        let delivered = match delivers {
            true => self.deliver(&mut *connection, looks).await?,
            false => 0,
        };
        if looks {
            self.measure(&mut *connection, !delivers).await?;
            self.look_at = Instant::now() + pause.max(now.elapsed() * LOOK_SHARE);
        }
        if purges {
            self.purge(&mut *connection).await?;
        }
        Ok(delivered)
    }

    /// With `everything` also what it has seen before: a mark may have been lost, a column have got
    /// another type.
    async fn deliver(
        &mut self,
        connection: &mut dyn OutboxConnection,
        everything: bool,
    ) -> Result<usize, Error> {
        self.check_set_up(connection, everything).await?;
        self.gate.check().await.map_err(Error::store)?;
        let seen = connection.seen().await.map_err(Error::outbox)?;
        let identity = self.installation.identity();
        let before = self.seen.as_ref().filter(|(of, _)| *of == identity);
        let before = before.map(|(_, seen)| seen.clone());
        if let (Some(seen), Some(before)) = (&seen, &before)
            && seen.before < before.before
        {
            let error = self.installation.went_back();
            self.gate.close(&error);
            return Err(error);
        }
        let since = before.filter(|_| !everything);
        let waiting = RowFilter::Waiting { since };
        let mut delivered = self.delivery.deliver(connection, &waiting).await?;
        self.seen = seen.map(|seen| (identity, seen));
        let (now, within) = (Instant::now(), self.looked.elapsed() + LATE_MARKS);
        delivered += self.delivery.deliver_from_others(connection, within).await?;
        self.looked = now;
        Ok(delivered)
    }

    /// Closes the gate if the triggers are no longer what they were when the store was connected.
    async fn check_set_up(
        &self,
        connection: &mut dyn OutboxConnection,
        types: bool,
    ) -> Result<(), Error> {
        let checked = self.installation.check(connection, types).await;
        checked.inspect_err(|error| {
            if error.is_set_up() {
                if self.installation.is_unreported() && self.gate.observer.is_time("set-up") {
                    tracing::error!(%error, "nothing is cached until this is mended");
                }
                self.gate.close(error);
            }
        })
    }

    /// Says how much there is.
    async fn measure(
        &self,
        connection: &mut dyn OutboxConnection,
        waits: bool,
    ) -> Result<(), Error> {
        // What waited has just been delivered, unless the store is away: no reason to look for it
        // again.
        let backlog = connection.backlog(waits).await;
        let backlog = backlog.map_err(Error::outbox)?;
        let waiting = backlog.waiting.unwrap_or_default();
        let observer = &self.gate.observer;
        observer.tell(Event::Backlog { rows: backlog.rows, waiting });
        if waiting > LONG && observer.is_time("waiting") {
            tracing::warn!(?waiting, rows = backlog.rows, "what was written waits in the outbox");
        }
        Ok(())
    }

    /// Small steps, and each in a transaction of its own: nobody waits for it. If they were not
    /// enough, it goes on after the next delivery.
    async fn purge(&mut self, connection: &mut dyn OutboxConnection) -> Result<(), Error> {
        if self.purged_anew.elapsed() > PURGE_ANEW_EVERY {
            (self.purged_anew, self.purged_until) = (Instant::now(), 0);
        }
        let retention = self.schema.retention;
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
        if since.elapsed() > FALLS_BEHIND && self.gate.observer.is_time("purge") {
            tracing::warn!("the outbox grows: more is written than its old rows can be purged");
        }
        Ok(())
    }
}
