//! `on-write = "refresh"`: a value that this process has served lately is read again as soon as it is invalidated, so that the
//! next reader finds it. Whoever gets to it first loads it; with a `lease`, the other processes wait for that one.

use std::hash::Hash;
use std::sync::Arc;

use quick_cache::sync::Cache as Lately;
use tokio::sync::mpsc;

use crate::cache::{Cache, WeakCache};
use crate::read;
use crate::read::query::Kind;

/// How many values of a model are known to be in use, at most.
const VALUES: usize = 10_000;

/// How many invalidated ones may wait to be read again; more are left to their next reader.
const WAITING: usize = 1_000;

/// How many are read at once.
const BATCH: usize = 100;

/// What is in use of one kind, by key.
pub(crate) struct InUse<K>(Arc<Lately<String, K>>);

impl<K: Clone + Eq + Hash + Send + Sync + 'static> InUse<K> {
    fn of<Ki: Kind<Db, Key = K>, Db: Send + Sync + 'static>(cache: &Cache<Db>) -> InUse<K> {
        let lately = Arc::new(Lately::new(VALUES));
        let (invalidated, waiting) = mpsc::channel(WAITING);
        if let Some(near) = &cache.engine().near {
            let lately = lately.clone();
            near.fence.follow(move |key| {
                // Until it is served again.
                if let Some((_, of)) = lately.remove(key) {
                    // Full: its next reader loads it.
                    let _ = invalidated.try_send(of);
                }
            });
        }
        tokio::spawn(read_again::<Ki, Db>(cache.downgrade(), waiting));
        InUse(lately)
    }
}

/// This value was served.
pub(crate) fn served<K: Kind<Db>, Db: Send + Sync + 'static>(
    cache: &Cache<Db>,
    of: &K::Key,
    key: &str,
) {
    if !K::POLICY.refresh {
        return;
    }
    let Some(near) = &cache.engine().near else {
        return;
    };
    let in_use = near.in_use(K::POLICY.number, K::FORM);
    let in_use = in_use.map(|it| it.get_or_init(|| Box::new(InUse::of::<K, Db>(cache))));
    // None for a second struct of the same model.
    if let Some(InUse(lately)) = in_use.and_then(|it| it.downcast_ref::<InUse<K::Key>>())
        && lately.get(key).is_none()
    {
        lately.insert(key.to_owned(), of.clone());
    }
}

async fn read_again<K: Kind<Db>, Db: Send + Sync + 'static>(
    cache: WeakCache<Db>,
    mut waiting: mpsc::Receiver<K::Key>,
) {
    let mut batch = Vec::with_capacity(BATCH);
    while waiting.recv_many(&mut batch, BATCH).await > 0 {
        let Some(cache) = cache.upgrade() else {
            return;
        };
        let batch = std::mem::take(&mut batch);
        let read = async move {
            // Once more what was invalidated meanwhile: there was nothing stored that could have been told again.
            let unstored = read::again::<K, Db>(&cache, &batch).await?;
            read::again::<K, Db>(&cache, &unstored).await
        };
        // In a task of its own: what decodes the values may panic.
        match tokio::spawn(read).await {
            Ok(Ok(_)) => {}
            // Whoever reads it next is told.
            Ok(Err(error)) => {
                tracing::debug!(%error, "what was invalidated could not be read again");
            }
            Err(_) => tracing::warn!("reading what was invalidated panicked"),
        }
    }
}
