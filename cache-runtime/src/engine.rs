//! What the caches of all models share: the store, its health, the outbox and the flights.

use std::sync::Arc;
use std::time::Duration;

use crate::error::Error;
use crate::event::{Event, Observer};
use crate::flight::Flights;
#[cfg(any(feature = "postgres", feature = "sqlite"))]
use crate::flight::Tick;
use crate::health::Health;
use crate::outbox::{BATCH, Outbox, OutboxConnection};
use crate::store::{Fill, Read, Store, StoreError, Token};
use crate::tag::Tag;

/// Between two attempts to reach a store that is away: from this on, doubling,
const FIRST_PAUSE: Duration = Duration::from_millis(50);
/// up to this.
const LONGEST_PAUSE: Duration = Duration::from_secs(1);

pub(crate) struct Engine {
    pub(crate) store: Arc<dyn Store>,
    pub(crate) outbox: Option<Arc<dyn Outbox>>,
    pub(crate) flights: Arc<Flights>,
    pub(crate) observer: Observer,
    coming_back: tokio::sync::Mutex<()>,
    /// When the last complete pass of a commit over the outbox began.
    #[cfg(any(feature = "postgres", feature = "sqlite"))]
    last_pass: tokio::sync::Mutex<Option<Tick>>,
    health: Health,
}

impl Engine {
    /// Brings the store into use; when that fails, goes on trying in the background.
    pub(crate) async fn start(
        store: Arc<dyn Store>,
        outbox: Option<Arc<dyn Outbox>>,
        observer: Observer,
    ) -> Arc<Engine> {
        let (flights, health) = (Flights::new(), Health::default());
        let engine = Arc::new(Engine {
            store,
            outbox,
            flights,
            observer,
            coming_back: tokio::sync::Mutex::default(),
            #[cfg(any(feature = "postgres", feature = "sqlite"))]
            last_pass: tokio::sync::Mutex::default(),
            health,
        });
        // It has not been in use yet, which is as good as away.
        engine.health.failed();
        if let Err(error) = engine.come_back().await {
            engine.observer.tell(Event::StoreAway {
                why: &error.to_string(),
            });
            engine.recover_in_background();
        }
        engine
    }

    /// Reads the store; `None` when it is away.
    pub(crate) async fn read(self: &Arc<Self>, keys: &[String]) -> Option<Read> {
        if !self.health.serves() {
            return None;
        }
        match self.store.read(keys).await {
            // It may have failed a commit's invalidation while this answer was under way.
            Ok(read) => self.health.serves().then_some(read),
            Err(error) => {
                self.failed(&error);
                None
            }
        }
    }

    /// Offers values to the store; says which it took.
    pub(crate) async fn fill(self: &Arc<Self>, token: Token, fills: &[Fill]) -> Vec<bool> {
        if !self.health.serves() {
            return vec![false; fills.len()];
        }
        let stored = match self.store.fill(token, fills).await {
            Ok(stored) => stored,
            Err(error) => {
                if error.is_away() {
                    self.failed(&error);
                } else {
                    tracing::warn!(%error, "the store refused to store");
                }
                vec![false; fills.len()]
            }
        };
        for (fill, stored) in fills.iter().zip(&stored) {
            self.observer.tell(Event::Filled {
                key: &fill.key,
                stored: *stored,
            });
        }
        stored
    }

    /// Delivers every row that waits; returns how many. While the store is away, tries to bring it
    /// back, which delivers them too, or says what is in the way.
    pub(crate) async fn drain(self: &Arc<Self>) -> Result<usize, Error> {
        match self.health.accepts_invalidations() {
            true => self.connect_and_deliver().await,
            false => self.come_back().await,
        }
    }

    /// After a commit, whose rows wait now. While the store is away they go on waiting: it cannot
    /// come back before they are delivered, as they were committed before this looked.
    #[cfg(any(feature = "postgres", feature = "sqlite"))]
    pub(crate) async fn deliver_commit(self: &Arc<Self>, outbox: &mut dyn OutboxConnection) {
        let committed = self.flights.tick();
        if !self.health.accepts_invalidations() {
            return;
        }
        // One after another, as a pass delivers for all who committed before it began.
        let mut last_pass = self.last_pass.lock().await;
        if *last_pass > Some(committed) || !self.health.accepts_invalidations() {
            return;
        }
        let began = self.flights.tick();
        match self.deliver(outbox).await {
            Ok(_) => *last_pass = Some(began),
            // Something may be stale now, be it that the store or that the outbox cannot be
            // reached: nobody reads the store until everything is delivered.
            Err(error) => self.failed(&error),
        }
    }

    async fn connect_and_deliver(self: &Arc<Self>) -> Result<usize, Error> {
        match &self.outbox {
            Some(outbox) => {
                let mut outbox = outbox.connect().await.map_err(Error::outbox)?;
                self.deliver(&mut *outbox).await
            }
            None => Ok(0),
        }
    }

    /// One pass over the outbox: invalidates what the waiting rows say, and marks them.
    async fn deliver(self: &Arc<Self>, outbox: &mut dyn OutboxConnection) -> Result<usize, Error> {
        let (mut delivered, mut after) = (0, 0);
        loop {
            let rows = outbox.waiting(after).await.map_err(Error::outbox)?;
            let Some(last) = rows.last() else {
                return Ok(delivered);
            };
            (delivered, after) = (delivered + rows.len(), last.id);
            let mut tags: Vec<Tag> = rows.iter().map(|row| row.tag.clone()).collect();
            tags.sort_unstable();
            tags.dedup();
            // A row that somebody made up: no value has an empty tag, and stores need not take one.
            tags.retain(|tag| !tag.as_str().is_empty());
            if let Err(error) = self.invalidate(&tags).await {
                self.failed(&error);
                return Err(Error::store(error));
            }
            self.observer.tell(Event::Invalidated { tags: &tags });
            let ids = rows.iter().map(|row| row.id).collect();
            if let Err(error) = outbox.mark_delivered(ids).await {
                // Harmless: they will be delivered again.
                tracing::warn!(%error, "delivered outbox rows could not be marked");
            }
            if rows.len() < BATCH {
                return Ok(delivered);
            }
        }
    }

    async fn invalidate(&self, tags: &[Tag]) -> Result<(), StoreError> {
        if tags.iter().any(Tag::is_whole_model) {
            return self.store.clear().await;
        }
        self.store.invalidate(tags).await
    }

    fn failed(self: &Arc<Self>, error: &dyn std::error::Error) {
        if self.health.failed() {
            self.observer.tell(Event::StoreAway {
                why: &error.to_string(),
            });
            self.recover_in_background();
        }
    }

    fn recover_in_background(self: &Arc<Self>) {
        // Weak: a cache that nobody has any more does not go on trying.
        let engine = Arc::downgrade(self);
        tokio::spawn(async move {
            let mut pause = FIRST_PAUSE;
            loop {
                tokio::time::sleep(pause).await;
                let Some(engine) = engine.upgrade() else {
                    return;
                };
                match engine.come_back().await {
                    Ok(_) => return,
                    Err(error) => tracing::debug!(%error, "store still away"),
                }
                pause = LONGEST_PAUSE.min(pause * 2);
            }
        });
    }

    /// Away → catching up → in use; see [`crate::health`]. Returns how many rows it delivered.
    async fn come_back(self: &Arc<Self>) -> Result<usize, Error> {
        // One at a time: another's catching up must not pass for this one's.
        let _alone = self.coming_back.lock().await;
        if self.health.serves() {
            return self.connect_and_deliver().await;
        }
        self.store.connect().await.map_err(Error::store)?;
        // What has piled up, while commits need not wait for it.
        let piled_up = self.connect_and_deliver().await?;
        self.health.catch_up();
        let last = self.connect_and_deliver().await;
        if last.is_err() {
            // Nothing but a complete delivery may lead back into use.
            self.health.failed();
        }
        let last = last?;
        if !self.health.caught_up() {
            return Err(Error::store("it failed again while it was catching up"));
        }
        self.observer.tell(Event::StoreBack);
        Ok(piled_up + last)
    }
}
