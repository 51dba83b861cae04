//! From the outbox to the store: passes over the rows, by a commit or by whoever comes across them.

use std::collections::HashSet;
use std::sync::Arc;
use std::time::{Duration, Instant};

use tokio::sync::Mutex;

use crate::engine::gate::Gate;
use crate::engine::under_way::UnderWay;
use crate::error::Error;
use crate::mechanism::Mechanism;
use crate::model::column::Dialect;
use crate::model::schema::Schema;
use crate::model::tag::Tag;
use crate::observe::event::Event;
use crate::outbox::{BATCH, Cursor, Outbox, OutboxConnection, OutboxRow, RowFilter};
use crate::store::Token;
#[cfg(any(feature = "postgres", feature = "sqlite"))]
use crate::store::consistency::ConsistencyToken;

/// How long it may take until a mark that somebody else has made is seen.
pub(crate) const LATE_MARKS: Duration = Duration::from_secs(5);

/// How many rows are invalidated before they are marked.
const MOST_UNMARKED: usize = 100_000;

pub(crate) struct Delivery {
    gate: Arc<Gate>,
    /// `None`: nothing is reported.
    outbox: Option<Arc<dyn Outbox>>,
    schema: &'static Schema,
    /// What other instances were told lately, and this store was told by the last look as well.
    told_by_others: Mutex<ToldByOthers>,
    /// Commits that are not delivered yet.
    pub(crate) commits: UnderWay,
}

/// Rows of the outbox that were delivered to another place than this one.
#[derive(Default)]
struct ToldByOthers {
    here: i64,
    rows: HashSet<i64>,
}

/// What a pass over the outbox has done.
struct Pass {
    /// How many rows it has delivered.
    rows: usize,
    /// When all that it was to deliver was invalidated, be it by somebody else. `None`: it does not
    /// know, as its last look at the outbox found nothing to invalidate.
    #[cfg_attr(
        not(any(feature = "postgres", feature = "sqlite")),
        expect(dead_code, reason = "nobody commits")
    )]
    done: Option<Token>,
}

impl Delivery {
    pub(crate) fn new(
        gate: Arc<Gate>,
        outbox: Option<Arc<dyn Outbox>>,
        schema: &'static Schema,
    ) -> Delivery {
        Delivery {
            gate,
            outbox,
            schema,
            told_by_others: Mutex::default(),
            commits: UnderWay::default(),
        }
    }

    pub(crate) fn outbox(&self) -> Option<&Arc<dyn Outbox>> {
        self.outbox.as_ref()
    }

    /// The database whose texts tags have. Without an outbox no database writes any, and all that
    /// counts is that there is one for each value.
    pub(crate) fn dialect(&self) -> Dialect {
        self.outbox.as_ref().map_or(Dialect::Postgres, |outbox| outbox.dialect())
    }

    /// A connection to the outbox, if there is one.
    pub(crate) async fn connect(&self) -> Result<Option<Box<dyn OutboxConnection>>, Error> {
        match &self.outbox {
            Some(outbox) => outbox.connect().await.map(Some).map_err(Error::outbox),
            None => Ok(None),
        }
    }

    /// Delivers what waits, then what other instances were told since: in this order, as one of
    /// them may mark a row in between, which is in the second look then.
    pub(crate) async fn deliver_pending(&self, since: Instant) -> Result<usize, Error> {
        if !self.gate.has(Mechanism::CatchUp) {
            return Ok(0);
        }
        let Some(mut outbox) = self.connect().await? else {
            return Ok(0);
        };
        let all = RowFilter::Waiting { since: None };
        let waiting = self.deliver(&mut *outbox, &all).await?;
        if !self.gate.has(Mechanism::Redelivery) {
            return Ok(waiting);
        }
        let within = since.elapsed() + LATE_MARKS;
        Ok(waiting + self.deliver_from_others(&mut *outbox, within).await?)
    }

    /// Clears the store; through the outbox as well, so that a server which misses it is told
    /// again.
    pub(crate) async fn clear(
        &self,
        outbox: Option<&mut (dyn OutboxConnection + 'static)>,
    ) -> Result<(), Error> {
        if let Some(outbox) = outbox {
            let everything = vec![Tag::everything()];
            outbox.report(everything).await.map_err(Error::outbox)?;
        }
        self.gate.clear().await.map_err(Error::store)
    }

    /// After a commit: delivers its own rows; `None`: it has not. While the store is away they
    /// wait: it cannot come back before they are delivered, as they were committed before this
    /// looked.
    #[cfg(any(feature = "postgres", feature = "sqlite"))]
    pub(crate) async fn deliver_commit(
        &self,
        outbox: &mut dyn OutboxConnection,
        mark: i64,
    ) -> Option<ConsistencyToken> {
        let gate = &self.gate;
        let here = gate.place();
        if !gate.has(Mechanism::Commit) {
            return Some(self.hear_of_others(here).await);
        }
        if !gate.accepts_invalidations() {
            // Whoever found it away may not have come to this yet.
            gate.forget_near();
            return None;
        }
        match self.pass(outbox, &RowFilter::Own { mark, here }).await {
            Ok(Pass { done: Some(done), .. }) => Some(ConsistencyToken::told(done)),
            Ok(Pass { done: None, .. }) => Some(self.hear_of_others(here).await),
            Err(error) => {
                // Something may be stale now, be it that the store or that the outbox cannot be
                // reached: nobody reads the store until everything is delivered.
                gate.close(&error);
                None
            }
        }
    }

    /// The rest of a commit's rows, or all of them, do not wait: another process was quicker, and
    /// told the same Redis. Its message has been taken in after this answer. Without one, whoever
    /// found the store away may not have come to this yet.
    #[cfg(any(feature = "postgres", feature = "sqlite"))]
    async fn hear_of_others(&self, here: i64) -> ConsistencyToken {
        let Some(read) = self.gate.read(&[]).await else {
            self.gate.forget_near();
            return ConsistencyToken::UNDELIVERED;
        };
        // The other process has told the place that this one was at when it looked for its rows.
        // Another server that answers by now need not know of it.
        match self.gate.place() == here {
            true => ConsistencyToken::told(read.token),
            false => ConsistencyToken::UNDELIVERED,
        }
    }

    /// One pass over the outbox: invalidates what the rows say, and marks them; returns how many.
    pub(crate) async fn deliver(
        &self,
        outbox: &mut (dyn OutboxConnection + '_),
        filter: &RowFilter,
    ) -> Result<usize, Error> {
        Ok(self.pass(outbox, filter).await?.rows)
    }

    async fn pass(
        &self,
        outbox: &mut (dyn OutboxConnection + '_),
        filter: &RowFilter,
    ) -> Result<Pass, Error> {
        // Before anything is sent there: what goes astray when it changes is not marked for the new
        // place.
        let here = self.gate.place();
        let (mut delivered, mut after, mut unmarked) = (0, Cursor::FIRST, Vec::new());
        loop {
            let rows = outbox.rows(filter, after).await.map_err(Error::outbox)?;
            after = rows.last().map_or(after, |row| row.cursor);
            // Of this look alone. What is missing in it was delivered by others before it, and
            // perhaps after the batch before it was invalidated.
            let done = self.invalidate_rows(&rows).await?;
            delivered += rows.len();
            unmarked.extend(rows.iter().map(|row| (row.cursor.id, row.age)));
            let is_last = rows.len() < BATCH;
            // Marking takes longer than invalidating: nobody is to wait for it who wants to read.
            if is_last || unmarked.len() >= MOST_UNMARKED {
                for rows in unmarked.chunks(BATCH) {
                    self.mark(outbox, rows, here).await;
                }
                unmarked.clear();
            }
            if is_last {
                return Ok(Pass { rows: delivered, done });
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
        let observer = &self.gate.observer;
        if let Err(error) = outbox.mark_delivered(ids, here).await {
            // Harmless: the next look at everything delivers them again.
            if observer.is_time("mark") {
                tracing::warn!(%error, "delivered outbox rows could not be marked");
            }
        }
        let lag = rows.iter().map(|(_, age)| *age).max();
        observer.tell(Event::Delivered { rows: rows.len(), lag: lag.unwrap_or(Duration::ZERO) });
    }

    /// Invalidates what other instances were told, not longer ago than this: a server that is no
    /// longer, or not yet, the one that this process reads from; or the memory of another process.
    /// What the last call found as well is not told again.
    pub(crate) async fn deliver_from_others(
        &self,
        outbox: &mut (dyn OutboxConnection + '_),
        within: Duration,
    ) -> Result<usize, Error> {
        let mut told = self.told_by_others.lock().await;
        let here = self.gate.place();
        // What another server was told is news to this one.
        if told.here != here {
            *told = ToldByOthers { here, rows: HashSet::new() };
        }
        let within = within.min(self.schema.retention);
        let filter = RowFilter::DeliveredElsewhere { here, within };
        let (mut found, mut delivered, mut after) = (HashSet::new(), 0, Cursor::FIRST);
        loop {
            let mut rows = outbox.rows(&filter, after).await.map_err(Error::outbox)?;
            let is_last = rows.len() < BATCH;
            after = rows.last().map_or(after, |row| row.cursor);
            found.extend(rows.iter().map(|row| row.cursor.id));
            rows.retain(|row| !told.rows.contains(&row.cursor.id));
            delivered += rows.len();
            self.invalidate_rows(&rows).await?;
            if is_last {
                told.rows = found;
                return Ok(delivered);
            }
        }
    }

    /// Returns a moment at which it was done; `None`: there was nothing to do.
    async fn invalidate_rows(&self, rows: &[OutboxRow]) -> Result<Option<Token>, Error> {
        let gate = &self.gate;
        for row in rows.iter().filter(|row| row.tag.is_none()) {
            gate.observer.tell(Event::DeadLettered { id: row.cursor.id });
        }
        let mut tags: Vec<Tag> = rows.iter().filter_map(|row| row.tag.clone()).collect();
        tags.sort_unstable();
        tags.dedup();
        if tags.is_empty() {
            return Ok(None);
        }
        let done = gate.invalidate(&tags).await.map_err(Error::store)?;
        gate.observer.tell(Event::Invalidated { tags: &tags });
        Ok(Some(done))
    }

    /// These rows may have been written to, by somebody who did not report it: it is reported now.
    /// While the store is away, it waits as other writes do.
    pub(crate) async fn report(&self, tags: Vec<Tag>) -> Result<(), Error> {
        let gate = &self.gate;
        let Some(mut outbox) = self.connect().await? else {
            return gate.invalidate(&tags).await.map(drop).map_err(Error::store);
        };
        let seen = outbox.seen().await.map_err(Error::outbox)?;
        outbox.report(tags.clone()).await.map_err(Error::outbox)?;
        // First by itself: another process may be quicker with the report, and tell a memory of its
        // own. (If it fails, the gate is closed, and the report waits.)
        if gate.accepts_invalidations() && gate.invalidate(&tags).await.is_ok() {
            let reported = RowFilter::Waiting { since: seen };
            if let Err(error) = self.deliver(&mut *outbox, &reported).await {
                gate.close(&error);
            }
        }
        Ok(())
    }
}
