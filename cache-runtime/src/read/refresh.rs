//! Refresh-ahead (`on-write = "refresh"`): a value that this process has served lately is read
//! again as soon as it is invalidated, so that the next reader finds it. Whoever gets to it first
//! loads it; with a `lease`, the other processes wait for that one.

use tokio::runtime::Handle;
use tokio::sync::mpsc;

use crate::cache::{Cache, WeakCache};
use crate::engine::stop::Stop;
use crate::error::Error;
use crate::local::recent::RecentlyServed;
use crate::read::answer::{Answer, Fetched};
use crate::read::mode::CacheMode;
use crate::read::query::Query;
use crate::read::representation::Decoded;
use crate::read::round::many;

/// How many are read at once.
const BATCH: usize = 100;

/// From now on what is served is read again. To be called before it is.
pub(super) fn follow<Q: Query>(cache: &Cache<Q::Source>) {
    if !Q::POLICY.refresh {
        return;
    }
    let (near, local) = (cache.engine().gate.near(), Q::local(cache));
    // Without a runtime the read that follows is an error.
    let (Some(fence), Ok(local), Ok(runtime)) = (near, local, Handle::try_current()) else {
        return;
    };
    let recent = local.recent.get_or_init(|| RecentlyServed::new(fence));
    // Also where the one who followed has gone with its runtime.
    if let Some(stop) = cache.engine().stop()
        && let Some(invalidated) = recent.follow()
    {
        runtime.spawn(read_again::<Q>(cache.downgrade(), invalidated, stop));
    }
}

async fn read_again<Q: Query>(
    cache: WeakCache<Q::Source>,
    mut invalidated: mpsc::Receiver<Q::Key>,
    stop: Stop,
) {
    let mut batch = Vec::with_capacity(BATCH);
    while let Some(1..) = stop.or(invalidated.recv_many(&mut batch, BATCH)).await {
        let Some(cache) = cache.upgrade() else {
            return;
        };
        let batch = std::mem::take(&mut batch);
        let read = async move {
            // Once more what was invalidated meanwhile: there was nothing stored that could have
            // been told again.
            let unstored = read::<Q>(&cache, &batch).await?;
            read::<Q>(&cache, &unstored).await
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

/// Reads through, for no reader in particular. Returns what could not be stored.
async fn read<Q: Query>(cache: &Cache<Q::Source>, of: &[Q::Key]) -> Result<Vec<Q::Key>, Error> {
    let read = many::<Q, Decoded>(cache, of, CacheMode::RefreshAhead).await?;
    let is_unstored =
        |fetched: &Fetched<_>| matches!(fetched.status.answer, Answer::Miss { stored: false, .. });
    let read = of.iter().zip(read);
    let unstored = read.filter(|(_, fetched)| is_unstored(fetched));
    Ok(unstored.map(|(of, _)| of.clone()).collect())
}
