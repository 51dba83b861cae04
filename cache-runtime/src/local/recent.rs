//! Which values were served lately, and which of them were invalidated since: what refresh-ahead
//! (`on-write = "refresh"`) needs to know.

use std::hash::Hash;
use std::sync::{Arc, Mutex};

use quick_cache::sync::Cache;
use tokio::sync::mpsc;

use crate::local::near::NearFence;
use crate::lock::locked;

/// How many values of a query are known to be in use, at most.
const VALUES: usize = 10_000;

/// How many invalidated ones may wait to be read again; more are left to their next reader.
const WAITING: usize = 1_000;

/// The values of one query that were served lately, by key.
pub(crate) struct RecentlyServed<K> {
    lately: Arc<Cache<String, K>>,
    /// Whom it is told which of them are invalidated.
    follower: Arc<Mutex<Option<mpsc::Sender<K>>>>,
}

impl<K: Clone + Eq + Hash + Send + Sync + 'static> RecentlyServed<K> {
    /// Hears what is invalidated as this fence is told.
    pub(crate) fn new(fence: &NearFence) -> RecentlyServed<K> {
        let recent =
            RecentlyServed { lately: Arc::new(Cache::new(VALUES)), follower: Arc::default() };
        let (lately, follower) = (recent.lately.clone(), recent.follower.clone());
        fence.follow(move |key| {
            // Until it is served again.
            if let Some((_, of)) = lately.remove(key)
                && let Some(follower) = &*locked(&follower)
            {
                // Full: its next reader loads it.
                let _ = follower.try_send(of);
            }
        });
        recent
    }

    /// What is invalidated from now on; `None` if somebody follows already.
    pub(crate) fn follow(&self) -> Option<mpsc::Receiver<K>> {
        let mut follower = locked(&self.follower);
        if follower.as_ref().is_some_and(|it| !it.is_closed()) {
            return None;
        }
        let (invalidated, waiting) = mpsc::channel(WAITING);
        *follower = Some(invalidated);
        Some(waiting)
    }

    /// This one was.
    pub(crate) fn served(&self, key: &str, of: &K) {
        if self.lately.get(key).is_none() {
            self.lately.insert(key.to_owned(), of.clone());
        }
    }
}
