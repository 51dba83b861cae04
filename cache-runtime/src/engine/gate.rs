//! The gate before the store: who reads, fills or invalidates goes through it. It closes when the
//! store fails, and [`Recovery`](super::recovery) opens it again.

use std::error::Error;
use std::sync::Arc;
use std::time::Duration;

use tokio::sync::Notify;

use crate::engine::health::Health;
use crate::engine::heard::Heard;
use crate::local::near::NearFence;
use crate::mechanism::{Mechanism, Mechanisms};
use crate::model::tag::Tag;
use crate::observe::event::Event;
use crate::observe::observer::Observer;
use crate::store::consistency::ConsistencyToken;
use crate::store::{Claim, Connected, Fill, InvalidationSink, Read, Store, StoreError, Token};

pub(crate) struct Gate {
    store: Arc<dyn Store>,
    health: Health,
    /// `None`: nothing is kept near.
    near: Option<Arc<NearFence>>,
    heard: Heard,
    pub(crate) observer: Observer,
    mechanisms: Mechanisms,
    /// This process, as the others know it. Not each load: one whose answer was lost need not wait
    /// for itself.
    claimant: u64,
    /// Wakes who waits for it to close.
    closing: Notify,
}

impl Gate {
    /// A closed one.
    pub(crate) fn new(
        store: Arc<dyn Store>,
        near: Option<Arc<NearFence>>,
        observer: Observer,
        mechanisms: Mechanisms,
    ) -> Gate {
        if let Some(near) = &near
            && mechanisms.has(Mechanism::Messages)
        {
            store.keep_told(InvalidationSink::new(near.clone()));
        }
        Gate {
            store,
            health: Health::default(),
            near,
            heard: Heard::default(),
            observer,
            mechanisms,
            claimant: fastrand::u64(..),
            closing: Notify::new(),
        }
    }

    /// Whether this is on: always, but for tests.
    #[inline]
    pub(crate) fn has(&self, mechanism: Mechanism) -> bool {
        self.mechanisms.has(mechanism)
    }

    /// The store's name, as in `Cache-Status`.
    pub(crate) fn tier(&self) -> &'static str {
        self.store.name()
    }

    /// See [`Store::place`].
    pub(crate) fn place(&self) -> i64 {
        self.store.place()
    }

    #[inline]
    pub(crate) fn near(&self) -> Option<&Arc<NearFence>> {
        self.near.as_ref()
    }

    /// Whether reads may be answered from the store.
    pub(crate) fn is_open(&self) -> bool {
        self.health.serves()
    }

    /// Whether an invalidation may be sent to the store.
    pub(crate) fn accepts_invalidations(&self) -> bool {
        self.health.accepts_invalidations()
    }

    /// Reads the store; `None` when it is away.
    pub(crate) async fn read(&self, keys: &[String]) -> Option<Read> {
        if !self.is_open() {
            return None;
        }
        // If it is out of use by the time of the answer, then since the reader came: the answer is
        // as good as it was.
        let read = self.found(self.store.read(keys).await)?;
        self.heard.answered(read.token);
        Some(read)
    }

    /// See [`Store::claim`]; `None` when the store is away.
    pub(crate) async fn claim(&self, keys: &[String], life: Duration) -> Option<Claim> {
        if !self.is_open() {
            return None;
        }
        let claim = self.found(self.store.claim(keys, self.claimant, life).await)?;
        self.heard.answered(claim.read.token);
        Some(claim)
    }

    /// Whether this process has heard of all that was invalidated before this.
    pub(crate) fn has_heard(&self, token: ConsistencyToken) -> bool {
        self.heard.until().is_some_and(|until| token.is_before(until))
    }

    fn found<T>(&self, answer: Result<T, StoreError>) -> Option<T> {
        answer.inspect_err(|error| self.close(error)).ok()
    }

    /// See [`Store::release`].
    pub(crate) async fn release(&self, keys: &[String]) {
        if let Err(error) = self.store.release(keys, self.claimant).await {
            // They end by themselves.
            tracing::debug!(%error, "claims could not be released");
        }
    }

    /// Offers values to the store; says which it took.
    pub(crate) async fn fill(&self, token: Token, fills: &[Fill]) -> Vec<bool> {
        if !self.is_open() {
            return vec![false; fills.len()];
        }
        let token = match self.has(Mechanism::Fence) {
            true => token,
            false => self.store.read(&[]).await.map_or(token, |it| it.token),
        };
        let stored = self.store.fill(token, fills).await;
        let stored = stored.unwrap_or_else(|error| {
            match error.is_away() {
                true => self.close(&error),
                false => self.warn_of_refusal(&error),
            }
            vec![false; fills.len()]
        });
        for (fill, stored) in fills.iter().zip(&stored) {
            self.observer.tell(Event::Filled { key: &fill.key, stored: *stored });
        }
        stored
    }

    /// Says now and then that the store refuses: a full one refuses thousands of fills a second.
    fn warn_of_refusal(&self, error: &StoreError) {
        if self.observer.is_time("refused") {
            let help = match error.to_string().contains("OOM") {
                true => "\nhelp: give it more memory, or `maxmemory-policy volatile-lru`",
                false => "",
            };
            tracing::warn!("the store refused to store: {error}{help}");
        }
    }

    /// Invalidates what is built from these; a tag of a whole model clears the store. Returns a
    /// moment at which it was done.
    pub(crate) async fn invalidate(&self, tags: &[Tag]) -> Result<Token, StoreError> {
        let invalidated = match tags.iter().any(|tag| tag.whole_model().is_some()) {
            true => self.clear_and_read().await,
            false => {
                let tags = Tag::with_some_rows(tags.to_vec());
                self.store.invalidate(&tags).await
            }
        };
        // What it was not told may be stale now.
        invalidated.inspect_err(|error| self.close(error))
    }

    async fn clear_and_read(&self) -> Result<Token, StoreError> {
        self.store.clear().await?;
        Ok(self.store.read(&[]).await?.token)
    }

    /// Before a commit that writes what strict values are built from. First blocked, then deleted:
    /// what is stored between the two is deleted with the rest.
    #[cfg(any(feature = "postgres", feature = "sqlite"))]
    pub(crate) async fn block(
        &self,
        writer: i64,
        tags: &[Tag],
        life: Duration,
    ) -> Result<(), StoreError> {
        if !self.accepts_invalidations() {
            return Err(StoreError::away("it is away"));
        }
        if self.has(Mechanism::Block) {
            let with_some_rows = Tag::with_some_rows(tags.to_vec());
            let blocked = self.store.block(writer, &with_some_rows, life).await;
            blocked.inspect_err(|error| {
                if error.is_away() {
                    self.close(error);
                }
            })?;
        }
        self.invalidate(tags).await?;
        self.observer.tell(Event::Blocked { tags });
        Ok(())
    }

    /// After the commit has been delivered, or was not made.
    #[cfg(any(feature = "postgres", feature = "sqlite"))]
    pub(crate) async fn unblock(&self, writer: i64, tags: &[Tag]) {
        if tags.is_empty() {
            return;
        }
        let tags = Tag::with_some_rows(tags.to_vec());
        if let Err(error) = self.store.unblock(writer, &tags).await {
            // It ends by itself.
            tracing::debug!(%error, "a block could not be ended");
        }
    }

    /// Forgets everything.
    pub(crate) async fn clear(&self) -> Result<(), StoreError> {
        self.store.clear().await
    }

    /// See [`Store::tidy`].
    pub(crate) async fn tidy(&self) -> bool {
        // An error is found by those who need the store.
        !self.is_open() || self.store.tidy().await.unwrap_or(true)
    }

    /// See [`Store::check`].
    pub(crate) async fn check(&self) -> Result<(), StoreError> {
        let checked = self.store.check().await;
        checked.inspect_err(|error| self.close(error))
    }

    /// See [`Store::connect`].
    pub(crate) async fn connect(&self, source: &str) -> Result<Connected, StoreError> {
        self.store.connect(source).await
    }

    /// See [`Store::adopt`].
    pub(crate) async fn adopt(&self) -> Result<(), StoreError> {
        self.store.adopt().await
    }

    /// Connected: commits may deliver; nobody reads yet.
    pub(crate) fn catch_up(&self) {
        self.health.catch_up();
    }

    /// Opens, unless the store has failed since [`catch_up`](Self::catch_up); says whether it has.
    pub(crate) fn open(&self) -> bool {
        let is_open = self.health.caught_up();
        if is_open {
            self.observer.tell(Event::StoreBack);
        }
        is_open
    }

    /// Closes: nobody reads the store any more until it has come back.
    pub(crate) fn close(&self, why: &dyn Error) {
        if !self.has(Mechanism::Away) {
            return;
        }
        let was_in_use = self.health.failed();
        // Only now: what is read from the store from here on is nothing to be kept.
        self.forget_near();
        if was_in_use {
            let why = &why.to_string();
            self.observer.tell(Event::StoreAway { why });
        }
        self.closing.notify_waiters();
    }

    /// Waits until it is closed.
    pub(crate) async fn closed(&self) {
        loop {
            // Before it looks, so that a closing in between is not missed.
            let closing = self.closing.notified();
            if !self.is_open() {
                return;
            }
            closing.await;
        }
    }

    /// Nothing near is served any more; and nothing is kept until the store is back.
    pub(crate) fn forget_near(&self) {
        if let Some(near) = &self.near
            && self.has(Mechanism::Distrust)
        {
            near.forget_all();
        }
    }
}
