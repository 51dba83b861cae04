//! What the caches of all models share: the store, its health, the outbox and the flights.

pub(crate) mod delivery;
pub(crate) mod health;
pub(crate) mod installation;
pub(crate) mod relay;
pub(crate) mod tasks;

use std::collections::HashSet;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, RwLock};
use std::time::{Duration, Instant};

use tokio::sync::Semaphore;

use crate::engine::health::Health;
use crate::engine::tasks::{Background, Task};
use crate::error::Error;
use crate::local::flight::Flights;
use crate::local::near::Near;
use crate::mechanism::{Mechanism, Mechanisms};
use crate::model::schema::Schema;
use crate::observe::event::{Event, Observer};
use crate::observe::said::Said;
use crate::outbox::{Outbox, OutboxConnection, Which};
use crate::read::query::Kind;
use crate::read::shapes::Shapes;
use crate::read::verify::Verifications;
use crate::store::{Claim, Connected, Fill, Read, Store, StoreError, Token};

/// Between two attempts to reach a store that is away: from this on, doubling,
const FIRST_PAUSE: Duration = Duration::from_millis(50);
/// up to this.
const LONGEST_PAUSE: Duration = Duration::from_secs(1);

/// For how long a pass over the outbox, or a way back, may take before it is begun anew.
pub(crate) const PATIENCE: Duration = Duration::from_secs(60);

/// How much two clocks may differ: that of the store, which says since when it missed something, and
/// that of the database, which says when a row was delivered.
const CLOCKS_DIFFER: Duration = Duration::from_secs(60);

pub(crate) struct Engine {
    pub(crate) store: Arc<dyn Store>,
    pub(crate) outbox: Option<Arc<dyn Outbox>>,
    pub(crate) schema: &'static Schema,
    pub(crate) flights: Arc<Flights>,
    pub(crate) near: Option<Near>,
    pub(crate) observer: Observer,
    pub(crate) health: Health,
    pub(crate) verifications: Verifications,
    /// Loads in their turn.
    pub(crate) loads: Arc<Semaphore>,
    shapes: Shapes,
    /// What was said lately.
    pub(crate) said: Said,
    mechanisms: Mechanisms,
    /// This process, as the others know it. Not each load: one whose answer was lost need not wait for itself.
    claimant: u64,
    coming_back: tokio::sync::Mutex<()>,
    /// The identity of the installation that the store was connected for.
    source: Mutex<Option<String>>,
    /// The place of the store, and the rows delivered elsewhere that were last found, and told to it.
    pub(crate) from_elsewhere: tokio::sync::Mutex<(i64, HashSet<i64>)>,
    /// The triggers were not right, so that writes may have gone unreported.
    pub(crate) unreported: AtomicBool,
    pub(crate) has_tried_outbox: AtomicBool,
    /// The lookups for which the database may call two texts equal.
    pub(crate) spellings: RwLock<HashSet<String>>,
    pub(crate) background: Background,
}

impl Engine {
    /// Brings the store into use; when that fails, goes on trying in the background.
    ///
    /// # Errors
    /// When the triggers are not what they should be.
    pub(crate) async fn start(
        store: Arc<dyn Store>,
        outbox: Option<Arc<dyn Outbox>>,
        schema: &'static Schema,
        near: Option<Near>,
        observer: Observer,
        mechanisms: Mechanisms,
    ) -> Result<Arc<Engine>, Error> {
        if let Some(near) = &near
            && mechanisms.has(Mechanism::Messages)
        {
            store.keep_told(near.fence.clone());
        }
        let engine = Arc::new(Engine {
            store,
            outbox,
            schema,
            flights: Flights::new(),
            near,
            observer,
            health: Health::default(),
            verifications: Verifications::default(),
            loads: Arc::new(Semaphore::new(schema.max_loads)),
            shapes: Shapes::new(schema.models),
            said: Said::default(),
            mechanisms,
            claimant: fastrand::u64(..),
            coming_back: tokio::sync::Mutex::default(),
            source: Mutex::default(),
            from_elsewhere: tokio::sync::Mutex::default(),
            unreported: AtomicBool::new(false),
            has_tried_outbox: AtomicBool::new(false),
            spellings: RwLock::default(),
            background: Background::default(),
        });
        // It has not been in use yet, which is as good as away.
        engine.health.failed();
        if let Err(error) = engine.come_back().await {
            if error.is_set_up() {
                return Err(error);
            }
            engine.observer.tell(Event::StoreAway {
                why: &error.to_string(),
            });
            engine.recover_in_background();
        }
        tasks::listen(&engine);
        tasks::tidy(&engine);
        Ok(engine)
    }

    /// The shape of what is read in this way.
    ///
    /// # Errors
    /// When it cannot be read through this cache.
    pub(crate) fn shape<K: Kind<Db>, Db>(&self) -> Result<u64, Error> {
        self.schema.admit::<K::Row>()?;
        self.shapes.of::<K, Db>()
    }

    /// Whether this is on: always, but for tests.
    #[inline]
    pub(crate) fn has(&self, mechanism: Mechanism) -> bool {
        self.mechanisms.has(mechanism)
    }

    /// Reads the store; `None` when it is away.
    pub(crate) async fn read(self: &Arc<Self>, keys: &[String]) -> Option<Read> {
        self.tend();
        if !self.health.serves() {
            return None;
        }
        match self.store.read(keys).await {
            // If it is out of use by now, then since the reader came: the answer is as good as it was.
            Ok(read) => Some(read),
            Err(error) => {
                self.failed(&error);
                None
            }
        }
    }

    /// See [`Store::claim`]; `None` when the store is away.
    pub(crate) async fn claim(self: &Arc<Self>, keys: &[String], life: Duration) -> Option<Claim> {
        if !self.health.serves() {
            return None;
        }
        match self.store.claim(keys, self.claimant, life).await {
            Ok(claim) => Some(claim),
            Err(error) => {
                self.failed(&error);
                None
            }
        }
    }

    /// See [`Store::release`].
    pub(crate) async fn release(&self, keys: &[String]) {
        if let Err(error) = self.store.release(keys, self.claimant).await {
            // They end by themselves.
            tracing::debug!(%error, "claims could not be released");
        }
    }

    /// Offers values to the store; says which it took.
    pub(crate) async fn fill(self: &Arc<Self>, token: Token, fills: &[Fill]) -> Vec<bool> {
        if !self.health.serves() {
            return vec![false; fills.len()];
        }
        let token = match self.has(Mechanism::Fence) {
            true => token,
            false => self.store.read(&[]).await.map_or(token, |it| it.token),
        };
        let stored = match self.store.fill(token, fills).await {
            Ok(stored) => stored,
            Err(error) => {
                if error.is_away() {
                    self.failed(&error);
                } else {
                    self.warn_of_refusal(&error);
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

    /// Says now and then that the store refuses: a full one refuses thousands of fills a second.
    fn warn_of_refusal(&self, error: &StoreError) {
        if self.said.is_time("refused") {
            let help = match error.to_string().contains("OOM") {
                true => "\nhelp: give it more memory, or `maxmemory-policy volatile-lru`",
                false => "",
            };
            tracing::warn!("the store refused to store: {error}{help}");
        }
    }

    /// Nobody reads the store any more until it has come back.
    pub(crate) fn failed(self: &Arc<Self>, error: &dyn std::error::Error) {
        if !self.has(Mechanism::Away) {
            return;
        }
        let is_first = self.health.failed();
        // After that: what is read from now on is nothing to be kept.
        self.distrust();
        if is_first {
            self.observer.tell(Event::StoreAway {
                why: &error.to_string(),
            });
            self.recover_in_background();
        }
    }

    /// Nothing near is served any more; and nothing is kept until the store is back.
    pub(crate) fn distrust(&self) {
        if let Some(near) = &self.near
            && self.has(Mechanism::Distrust)
        {
            near.fence.forget_all();
        }
    }

    pub(crate) fn recover_in_background(self: &Arc<Self>) {
        // Why it is away was just said.
        let _ = self.said.is_time("away");
        // Weak: a cache that nobody has any more does not go on trying.
        let engine = Arc::downgrade(self);
        self.in_background(Task::Recovery, async move {
            let mut pause = FIRST_PAUSE;
            loop {
                tokio::time::sleep(pause).await;
                let Some(engine) = engine.upgrade() else {
                    return;
                };
                // A server that vanished without a word must not hold it up for ever.
                match tokio::time::timeout(PATIENCE, engine.come_back()).await {
                    Ok(Ok(_)) => return,
                    Ok(Err(error)) if engine.said.is_time("away") => {
                        tracing::warn!(%error, "store still away, reading from the source");
                    }
                    Ok(Err(error)) => tracing::debug!(%error, "store still away"),
                    Err(_) => tracing::warn!("no way back for the store within {PATIENCE:?}"),
                }
                pause = LONGEST_PAUSE.min(pause * 2);
            }
        });
    }

    /// Away → catching up → in use; see [`crate::engine::health`]. Returns how many rows it delivered.
    pub(crate) async fn come_back(self: &Arc<Self>) -> Result<usize, Error> {
        // One at a time: another's catching up must not pass for this one's.
        let _alone = self.coming_back.lock().await;
        let began = Instant::now();
        if self.health.serves() {
            return self.connect_and_deliver(began).await;
        }
        self.connect_store().await?;
        // What has piled up, while commits need not wait for it.
        let piled_up = self.connect_and_deliver(began).await?;
        self.health.catch_up();
        let last = self.connect_and_deliver(began).await;
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

    /// Connects the store, and makes up for what it missed.
    async fn connect_store(self: &Arc<Self>) -> Result<(), Error> {
        let mut outbox = match &self.outbox {
            Some(outbox) => Some(outbox.connect().await.map_err(Error::outbox)?),
            None => None,
        };
        let source = match &mut outbox {
            Some(outbox) => self.set_up(&mut **outbox).await?,
            None => String::new(),
        };
        match (self.store.connect(&source).await, &mut outbox) {
            (Err(error), _) => return Err(Error::store(error)),
            // Another installation would have made it new.
            (Ok(Connected::Same(_)), Some(outbox)) if self.unreported.load(Ordering::SeqCst) => {
                self.forget(Some(&mut **outbox)).await?;
            }
            // Others may still have told the server before it.
            (Ok(Connected::Same(age)), Some(outbox)) => {
                let within = age.saturating_add(CLOCKS_DIFFER);
                self.deliver_from_elsewhere(&mut **outbox, within).await?;
            }
            // Nothing in it can be stale; but the relay need not be told again.
            (Ok(Connected::New), Some(outbox)) => {
                self.deliver_from_elsewhere(&mut **outbox, CLOCKS_DIFFER)
                    .await?;
            }
            (Ok(Connected::Same(_) | Connected::New), None) => {}
            (Ok(Connected::Behind(age)), outbox) => {
                self.make_up_for(age, outbox.as_deref_mut()).await?;
            }
        }
        self.unreported.store(false, Ordering::SeqCst);
        *self.source() = Some(source);
        Ok(())
    }

    /// Nothing panics while it holds the lock.
    pub(crate) fn source(&self) -> MutexGuard<'_, Option<String>> {
        self.source.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The store is another server, which holds what the one before held so long ago. What was
    /// invalidated since is invalidated again, if the outbox still has it; if not, nothing is kept. Nor
    /// where there are strict values: a write may be about to commit whose block is forgotten.
    async fn make_up_for(
        self: &Arc<Self>,
        age: Duration,
        outbox: Option<&mut (dyn OutboxConnection + 'static)>,
    ) -> Result<(), Error> {
        let within = age.saturating_add(CLOCKS_DIFFER);
        match outbox {
            _ if !self.has(Mechanism::Redelivery) => self.store.adopt().await.map_err(Error::store),
            Some(outbox) if within < self.schema.retention && self.schema.strict.is_empty() => {
                // What waits first: what another process marks as delivered in between is in the second.
                self.deliver(outbox, &Which::Waiting { since: None })
                    .await?;
                let rows = self.deliver_from_elsewhere(outbox, within).await?;
                tracing::info!(
                    rows,
                    ?age,
                    "another store server: delivered again what it missed"
                );
                self.store.adopt().await.map_err(Error::store)
            }
            _ => {
                tracing::info!(?age, "another store server: all is voided");
                self.store.clear().await.map_err(Error::store)
            }
        }
    }
}
