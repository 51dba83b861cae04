//! Which values were served lately, and which of them were invalidated since: what refresh-ahead
//! (`on-write = "refresh"`) needs to know.

use std::hash::Hash;
use std::sync::Arc;

use quick_cache::sync::Cache;
use tokio::sync::mpsc;

use crate::local::near::NearFence;

/// How many values of a query are known to be in use, at most.
const VALUES: usize = 10_000;

/// How many invalidated ones may wait to be read again; more are left to their next reader.
const WAITING: usize = 1_000;

/// The values of one query that were served lately, by key.
pub(crate) struct RecentlyServed<K>(Arc<Cache<String, K>>);

impl<K: Clone + Eq + Hash + Send + Sync + 'static> RecentlyServed<K> {
    /// Also what says which of them are invalidated, as this fence is told.
    pub(crate) fn new(fence: &NearFence) -> (RecentlyServed<K>, mpsc::Receiver<K>) {
        let lately = Arc::new(Cache::new(VALUES));
        let (invalidated, waiting) = mpsc::channel(WAITING);
        let recent = RecentlyServed(lately.clone());
        fence.follow(move |key| {
            // Until it is served again.
            if let Some((_, of)) = lately.remove(key) {
                // Full: its next reader loads it.
                let _ = invalidated.try_send(of);
            }
        });
        (recent, waiting)
    }

    /// This one was.
    pub(crate) fn served(&self, key: &str, of: &K) {
        if self.0.get(key).is_none() {
            self.0.insert(key.to_owned(), of.clone());
        }
    }
}
