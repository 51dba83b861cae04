//! A store whose next answer with a value in it is held back, after the store has given it.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use super::soon::PATIENCE;
use cache_runtime::store::{Claim, Connected, Fill, InvalidationSink, Read, Reply, Token};
use cache_runtime::{Store, Tag};
use tokio::sync::Notify;
use tokio::time::timeout;

/// The real store, but for that.
pub struct Held<S>(Arc<Inner<S>>);

struct Inner<S> {
    store: S,
    holds: AtomicBool,
    reached: Notify,
    released: Notify,
}

impl<S> Clone for Held<S> {
    fn clone(&self) -> Self {
        Self(Arc::clone(&self.0))
    }
}

impl<S: Store> Held<S> {
    pub fn new(store: S) -> Self {
        Self(Arc::new(Inner {
            store,
            holds: AtomicBool::new(false),
            reached: Notify::new(),
            released: Notify::new(),
        }))
    }

    /// The next answer with a value in it.
    pub fn hold(&self) {
        self.0.holds.store(true, Ordering::SeqCst);
    }

    pub async fn reached(&self) {
        let reached = timeout(PATIENCE, self.0.reached.notified()).await;
        reached.expect("an answer with a value");
    }

    pub fn release(&self) {
        self.0.released.notify_one();
    }

    /// Waits until this process was told everything that has happened so far.
    pub async fn is_told(&self) {
        self.0.store.read(&[]).await.expect("an answer");
    }
}

impl<S: Store> Store for Held<S> {
    fn read<'a>(&'a self, keys: &'a [String]) -> Reply<'a, Read> {
        Box::pin(async move {
            let read = self.0.store.read(keys).await?;
            let found = read.values.iter().any(Option::is_some);
            if found && self.0.holds.swap(false, Ordering::SeqCst) {
                self.0.reached.notify_one();
                let _ = timeout(PATIENCE, self.0.released.notified()).await;
            }
            Ok(read)
        })
    }

    fn name(&self) -> &'static str {
        self.0.store.name()
    }

    fn keep_told(&self, sink: InvalidationSink) {
        self.0.store.keep_told(sink);
    }

    fn connect<'a>(&'a self, source: &'a str) -> Reply<'a, Connected> {
        self.0.store.connect(source)
    }

    fn place(&self) -> i64 {
        self.0.store.place()
    }

    fn check(&self) -> Reply<'_, ()> {
        self.0.store.check()
    }

    fn adopt(&self) -> Reply<'_, ()> {
        self.0.store.adopt()
    }

    fn claim<'a>(&'a self, keys: &'a [String], claimant: u64, life: Duration) -> Reply<'a, Claim> {
        self.0.store.claim(keys, claimant, life)
    }

    fn release<'a>(&'a self, keys: &'a [String], claimant: u64) -> Reply<'a, ()> {
        self.0.store.release(keys, claimant)
    }

    fn fill<'a>(&'a self, token: Token, fills: &'a [Fill]) -> Reply<'a, Vec<bool>> {
        self.0.store.fill(token, fills)
    }

    fn invalidate<'a>(&'a self, tags: &'a [Tag]) -> Reply<'a, Token> {
        self.0.store.invalidate(tags)
    }

    fn clear(&self) -> Reply<'_, ()> {
        self.0.store.clear()
    }

    fn block<'a>(&'a self, writer: i64, tags: &'a [Tag], life: Duration) -> Reply<'a, ()> {
        self.0.store.block(writer, tags, life)
    }

    fn unblock<'a>(&'a self, writer: i64, tags: &'a [Tag]) -> Reply<'a, ()> {
        self.0.store.unblock(writer, tags)
    }
}
