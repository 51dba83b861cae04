//! The way back of a store that is away: connect it, tell it what it missed, open the gate.

use std::sync::Arc;
use std::time::{Duration, Instant};

use tokio::sync::Mutex;

use crate::engine::delivery::Delivery;
use crate::engine::gate::Gate;
use crate::engine::installation::Installation;
use crate::engine::stop::Stop;
use crate::engine::under_way::UnderWay;
use crate::error::Error;
use crate::lock::locked;
use crate::mechanism::Mechanism;
use crate::model::schema::Schema;
use crate::outbox::{OutboxConnection, RowFilter};
use crate::store::Connected;

/// Between two attempts to reach a store that is away: from this on, doubling,
const FIRST_PAUSE: Duration = Duration::from_millis(50);
/// up to this.
const LONGEST_PAUSE: Duration = Duration::from_secs(1);

/// For how long an attempt may take before it is begun anew. A server that vanished without a word
/// must not hold it up for ever.
const PATIENCE: Duration = Duration::from_secs(60);

/// How much two clocks may differ: that of the store, which says since when it missed something,
/// and that of the database, which says when a row was delivered.
const CLOCKS_DIFFER: Duration = Duration::from_secs(60);

pub(crate) struct Recovery {
    gate: Arc<Gate>,
    delivery: Arc<Delivery>,
    installation: Arc<Installation>,
    schema: &'static Schema,
    coming_back: Mutex<()>,
    /// Those who bring the store back.
    trying: UnderWay,
    /// Since when nobody does, although it is away, as far as this was looked at.
    idle_since: std::sync::Mutex<Option<Instant>>,
}

/// If nobody brings a store back for so long, nobody will: the runtime of who should stands still.
const OVERDUE: Duration = Duration::from_secs(2);

impl Recovery {
    pub(crate) fn new(
        gate: Arc<Gate>,
        delivery: Arc<Delivery>,
        installation: Arc<Installation>,
        schema: &'static Schema,
    ) -> Recovery {
        Recovery {
            gate,
            delivery,
            installation,
            schema,
            coming_back: Mutex::default(),
            trying: UnderWay::default(),
            idle_since: std::sync::Mutex::default(),
        }
    }

    /// Brings the store back whenever it is away, until it is told to stop.
    pub(crate) async fn run(&self, stop: Stop) {
        while stop.or(self.gate.closed()).await.is_some() {
            // Why it is away was just said.
            let _ = self.gate.observer.is_time("away");
            let _trying = self.trying.begin();
            *locked(&self.idle_since) = None;
            let mut pause = FIRST_PAUSE;
            while !self.gate.is_open() {
                if stop.or(tokio::time::sleep(pause)).await.is_none()
                    || stop.or(self.try_to_come_back()).await.is_none()
                {
                    return;
                }
                pause = LONGEST_PAUSE.min(pause * 2);
            }
        }
    }

    /// While the store is away: whether nobody brings it back. Asked by those who read.
    pub(crate) fn is_overdue(&self) -> bool {
        let mut since = locked(&self.idle_since);
        if !self.trying.is_none() {
            *since = None;
            return false;
        }
        let is_overdue = since.get_or_insert_with(Instant::now).elapsed() > OVERDUE;
        if is_overdue {
            // Whoever is told begins.
            *since = None;
        }
        is_overdue
    }

    async fn try_to_come_back(&self) {
        match tokio::time::timeout(PATIENCE, self.come_back()).await {
            Ok(Ok(_)) => {}
            Ok(Err(error)) if self.gate.observer.is_time("away") => {
                tracing::warn!(%error, "store still away, reading from the source");
            }
            Ok(Err(error)) => tracing::debug!(%error, "store still away"),
            Err(_) => tracing::warn!("no way back for the store within {PATIENCE:?}"),
        }
    }

    /// Away → catching up → in use; see [`crate::engine::health`]. Returns how many rows it
    /// delivered.
    pub(crate) async fn come_back(&self) -> Result<usize, Error> {
        // One at a time: another's catching up must not pass for this one's.
        let _alone = self.coming_back.lock().await;
        let began = Instant::now();
        if self.gate.is_open() {
            return self.delivery.deliver_pending(began).await;
        }
        self.connect().await?;
        // What has piled up, while commits need not wait for it.
        let piled_up = self.delivery.deliver_pending(began).await?;
        self.gate.catch_up();
        let last = self.delivery.deliver_pending(began).await;
        // Nothing but a complete delivery may lead back into use.
        let last = last.inspect_err(|error| self.gate.close(error))?;
        if !self.gate.open() {
            return Err(Error::store("it failed again while it was catching up"));
        }
        Ok(piled_up + last)
    }

    /// Connects the store, and makes up for what it missed.
    async fn connect(&self) -> Result<(), Error> {
        let mut outbox = self.delivery.connect().await?;
        let identity = match &mut outbox {
            Some(outbox) => self.installation.set_up(&mut **outbox).await?,
            None => String::new(),
        };
        let connected = self.gate.connect(&identity).await.map_err(Error::store)?;
        self.make_up_for(connected, outbox.as_deref_mut()).await?;
        self.installation.connected_for(identity);
        Ok(())
    }

    async fn make_up_for(
        &self,
        connected: Connected,
        outbox: Option<&mut (dyn OutboxConnection + 'static)>,
    ) -> Result<(), Error> {
        match (connected, outbox) {
            (Connected::Behind(age), outbox) => self.adopt(age, outbox).await,
            // Another installation would have made it new.
            (Connected::Same(_), Some(outbox)) if self.installation.is_unreported() => {
                self.delivery.clear(Some(outbox)).await
            }
            // Others may still have told the server before it.
            (Connected::Same(age), Some(outbox)) => {
                let within = age.saturating_add(CLOCKS_DIFFER);
                let told = self.delivery.deliver_from_others(outbox, within).await;
                told.map(drop)
            }
            // Nothing in it can be stale; but the relay need not be told again.
            (Connected::New, Some(outbox)) => {
                let told = self.delivery.deliver_from_others(outbox, CLOCKS_DIFFER).await;
                told.map(drop)
            }
            (Connected::Same(_) | Connected::New, None) => Ok(()),
        }
    }

    /// The store is another server, which holds what the one before held so long ago. What was
    /// invalidated since is invalidated again, if the outbox still has it; if not, nothing is kept.
    /// Nor where there are strict values: a write may be about to commit whose block is forgotten.
    async fn adopt(
        &self,
        age: Duration,
        outbox: Option<&mut (dyn OutboxConnection + 'static)>,
    ) -> Result<(), Error> {
        let within = age.saturating_add(CLOCKS_DIFFER);
        match outbox {
            _ if !self.gate.has(Mechanism::Redelivery) => {}
            Some(outbox) if within < self.schema.retention && self.schema.strict.is_empty() => {
                // What waits first: what another process marks as delivered in between is in the
                // second.
                let all = RowFilter::Waiting { since: None };
                self.delivery.deliver(outbox, &all).await?;
                let rows = self.delivery.deliver_from_others(outbox, within).await?;
                tracing::info!(rows, ?age, "another store server: delivered again what it missed");
            }
            _ => {
                tracing::info!(?age, "another store server: all is voided");
                return self.gate.clear().await.map_err(Error::store);
            }
        }
        self.gate.adopt().await.map_err(Error::store)
    }
}
