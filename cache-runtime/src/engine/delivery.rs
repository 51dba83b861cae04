//! From the outbox to the store: passes over the rows, by a commit or by whoever comes across them.

use std::collections::HashSet;
use std::sync::Arc;
use std::time::{Duration, Instant};

use crate::engine::Engine;
use crate::error::Error;
use crate::mechanism::Mechanism;
use crate::model::tag::Tag;
use crate::observe::event::Event;
use crate::outbox::{BATCH, OutboxConnection, OutboxRow, Place, Which};
use crate::store::StoreError;

/// How long it may take until a mark that somebody else has made is seen.
pub(crate) const LATE_MARKS: Duration = Duration::from_secs(5);

/// How many rows are invalidated before they are marked.
const MOST_UNMARKED: usize = 100_000;

impl Engine {
    /// Delivers every row that waits; returns how many. While the store is away, tries to bring it
    /// back, which delivers them too, or says what is in the way.
    pub(crate) async fn drain(self: &Arc<Self>) -> Result<usize, Error> {
        self.tend();
        match self.health.accepts_invalidations() {
            true => self.connect_and_deliver(Instant::now()).await,
            false => self.come_back().await,
        }
    }

    /// Forgets everything, in every process.
    pub(crate) async fn clear(self: &Arc<Self>) -> Result<(), Error> {
        {
            let mut outbox = match &self.outbox {
                Some(outbox) => Some(outbox.connect().await.map_err(Error::outbox)?),
                None => None,
            };
            self.forget(outbox.as_deref_mut()).await?;
            // Given back before another is taken: there may be one only.
        }
        self.drain().await.map(drop)
    }

    /// Clears the store; through the outbox as well, so that a server which misses it is told again.
    pub(crate) async fn forget(
        &self,
        outbox: Option<&mut (dyn OutboxConnection + 'static)>,
    ) -> Result<(), Error> {
        if let Some(outbox) = outbox {
            let everything = vec![Tag::everything()];
            outbox.report(everything).await.map_err(Error::outbox)?;
        }
        self.store.clear().await.map_err(Error::store)
    }

    /// Delivers what waits, then what was delivered elsewhere since: in this order, as another line's relay may mark a row
    /// in between, which is in the second look then.
    pub(crate) async fn connect_and_deliver(
        self: &Arc<Self>,
        since: Instant,
    ) -> Result<usize, Error> {
        match &self.outbox {
            Some(outbox) if self.has(Mechanism::CatchUp) => {
                let mut outbox = outbox.connect().await.map_err(Error::outbox)?;
                let all = Which::Waiting { since: None };
                let waiting = self.deliver(&mut *outbox, &all).await?;
                if !self.has(Mechanism::Redelivery) {
                    return Ok(waiting);
                }
                let within = since.elapsed() + LATE_MARKS;
                let elsewhere = self.deliver_from_elsewhere(&mut *outbox, within).await?;
                Ok(waiting + elsewhere)
            }
            Some(_) | None => Ok(0),
        }
    }

    /// After a commit: delivers its own rows; says whether it has. While the store is away they wait: it
    /// cannot come back before they are delivered, as they were committed before this looked.
    #[cfg(any(feature = "postgres", feature = "sqlite"))]
    pub(crate) async fn deliver_commit(
        self: &Arc<Self>,
        outbox: &mut dyn OutboxConnection,
        mark: i64,
    ) -> bool {
        self.tend();
        if !self.has(Mechanism::Commit) {
            return true;
        }
        if !self.health.accepts_invalidations() {
            // Whoever found it away may not have come to this yet.
            self.distrust();
            return false;
        }
        let here = self.store.place();
        let delivered = self.deliver(outbox, &Which::Own { mark, here }).await;
        if let Ok(0) = delivered {
            self.hear_of_others().await;
        }
        if let Err(error) = &delivered {
            // Something may be stale now, be it that the store or that the outbox cannot be
            // reached: nobody reads the store until everything is delivered.
            self.failed(error);
        }
        delivered.is_ok()
    }

    /// None of a commit's rows wait: another process was quicker, and told the same Redis. Its message has been taken in after
    /// this answer. Without one, whoever found the store away may not have come to this yet.
    #[cfg(any(feature = "postgres", feature = "sqlite"))]
    async fn hear_of_others(self: &Arc<Self>) {
        if self.near.is_some() && self.read(&[]).await.is_none() {
            self.distrust();
        }
    }

    /// One pass over the outbox: invalidates what the rows say, and marks them; returns how many.
    pub(crate) async fn deliver(
        self: &Arc<Self>,
        outbox: &mut (dyn OutboxConnection + '_),
        which: &Which,
    ) -> Result<usize, Error> {
        // Before anything is sent there: what goes astray when it changes is not marked for the new place.
        let here = self.store.place();
        let (mut delivered, mut after, mut unmarked) = (0, Place::FIRST, Vec::new());
        loop {
            let rows = outbox.rows(which, after).await.map_err(Error::outbox)?;
            if let Some(last) = rows.last() {
                after = last.place;
                self.invalidate_rows(&rows).await?;
            }
            delivered += rows.len();
            unmarked.extend(rows.iter().map(|row| (row.place.id, row.age)));
            let is_last = rows.len() < BATCH;
            // Marking takes longer than invalidating: nobody is to wait for it who wants to read.
            if is_last || unmarked.len() >= MOST_UNMARKED {
                for rows in unmarked.chunks(BATCH) {
                    self.mark(outbox, rows, here).await;
                }
                unmarked.clear();
            }
            if is_last {
                return Ok(delivered);
            }
        }
    }

    async fn mark(
        &self,
        outbox: &mut (dyn OutboxConnection + '_),
        rows: &[(i64, Duration)],
        here: i64,
    ) {
        let ids = rows.iter().map(|(id, _)| *id).collect();
        if let Err(error) = outbox.mark_delivered(ids, here).await {
            // Harmless: the next look at everything delivers them again.
            if self.said.is_time("mark") {
                tracing::warn!(%error, "delivered outbox rows could not be marked");
            }
        }
        let lag = rows.iter().map(|(_, age)| *age).max();
        self.observer.tell(Event::Delivered {
            rows: rows.len(),
            lag: lag.unwrap_or(Duration::ZERO),
        });
    }

    /// Invalidates what was delivered to another place than this store's, not longer ago than this: to a
    /// server that is no longer, or not yet, the one that this process reads from; or to the memory of another
    /// process. What the last call found as well is not told again.
    pub(crate) async fn deliver_from_elsewhere(
        self: &Arc<Self>,
        outbox: &mut (dyn OutboxConnection + '_),
        within: Duration,
    ) -> Result<usize, Error> {
        let mut seen = self.from_elsewhere.lock().await;
        let here = self.store.place();
        // What another server was told is news to this one.
        if seen.0 != here {
            *seen = (here, HashSet::new());
        }
        let within = within.min(self.schema.retention);
        let (mut found, mut delivered, mut after) = (HashSet::new(), 0, Place::FIRST);
        loop {
            let which = Which::Elsewhere { here, within };
            let mut rows = outbox.rows(&which, after).await.map_err(Error::outbox)?;
            let is_last = rows.len() < BATCH;
            after = rows.last().map_or(after, |row| row.place);
            found.extend(rows.iter().map(|row| row.place.id));
            rows.retain(|row| !seen.1.contains(&row.place.id));
            delivered += rows.len();
            self.invalidate_rows(&rows).await?;
            if is_last {
                seen.1 = found;
                return Ok(delivered);
            }
        }
    }

    async fn invalidate_rows(self: &Arc<Self>, rows: &[OutboxRow]) -> Result<(), Error> {
        for row in rows.iter().filter(|row| row.tag.is_none()) {
            self.observer.tell(Event::SetAside { id: row.place.id });
        }
        let mut tags: Vec<Tag> = rows.iter().filter_map(|row| row.tag.clone()).collect();
        tags.sort_unstable();
        tags.dedup();
        if !tags.is_empty() {
            if let Err(error) = self.invalidate(&tags).await {
                self.failed(&error);
                return Err(Error::store(error));
            }
            self.observer.tell(Event::Invalidated { tags: &tags });
        }
        Ok(())
    }

    /// These rows may have been written to, by somebody who did not report it: it is reported now. While the store is away, it
    /// waits as other writes do.
    pub(crate) async fn written(self: &Arc<Self>, tags: Vec<Tag>) -> Result<(), Error> {
        let Some(outbox) = &self.outbox else {
            let invalidated = self.invalidate(&tags).await.map_err(Error::store);
            return invalidated.inspect_err(|error| self.failed(error));
        };
        let mut outbox = outbox.connect().await.map_err(Error::outbox)?;
        let seen = outbox.seen().await.map_err(Error::outbox)?;
        outbox.report(tags.clone()).await.map_err(Error::outbox)?;
        if !self.health.accepts_invalidations() {
            return Ok(());
        }
        // First by itself: another process may be quicker with the report, and tell a memory of its own.
        let told = match self.invalidate(&tags).await {
            Ok(()) => {
                let reported = Which::Waiting { since: seen };
                self.deliver(&mut *outbox, &reported).await.map(drop)
            }
            Err(error) => Err(Error::store(error)),
        };
        if let Err(error) = told {
            self.failed(&error);
        }
        Ok(())
    }

    async fn invalidate(&self, tags: &[Tag]) -> Result<(), StoreError> {
        match tags.iter().any(|tag| tag.whole_model().is_some()) {
            true => self.store.clear().await,
            false => {
                let tags = Tag::with_some_rows(tags.to_vec());
                self.store.invalidate(&tags).await
            }
        }
    }

    /// Before a commit that writes what strict values are built from.
    #[cfg(any(feature = "postgres", feature = "sqlite"))]
    pub(crate) async fn block(self: &Arc<Self>, writer: i64, tags: &[Tag]) -> Result<(), Error> {
        let blocked = match self.health.accepts_invalidations() {
            true => self.try_block(writer, tags).await,
            false => Err(StoreError::away("it is away")),
        };
        if let Err(error) = blocked {
            if error.is_away() {
                self.failed(&error);
            }
            let why = format!("not committed, as others may read strict values from it: {error}");
            return Err(Error::store(why));
        }
        self.observer.tell(Event::Blocked { tags });
        Ok(())
    }

    #[cfg(any(feature = "postgres", feature = "sqlite"))]
    async fn try_block(&self, writer: i64, tags: &[Tag]) -> Result<(), StoreError> {
        // First blocked, then deleted: what is stored between the two is deleted with the rest.
        if self.has(Mechanism::Block) {
            let (life, tags) = (self.schema.max_commit, Tag::with_some_rows(tags.to_vec()));
            self.store.block(writer, &tags, life).await?;
        }
        self.invalidate(tags).await
    }

    /// After a commit has been delivered, or was not made.
    #[cfg(any(feature = "postgres", feature = "sqlite"))]
    pub(crate) async fn unblock(self: &Arc<Self>, writer: i64, tags: &[Tag]) {
        if tags.is_empty() {
            return;
        }
        let tags = Tag::with_some_rows(tags.to_vec());
        if let Err(error) = self.store.unblock(writer, &tags).await {
            // It ends by itself.
            tracing::debug!(%error, "a block could not be ended");
        }
    }
}
