//! Whose turn it is to load: no more than `max-loads` loads run at once.

use std::future::poll_fn;
use std::pin::pin;
use std::sync::Arc;
use std::task::Poll;

use tokio::sync::OwnedSemaphorePermit;

use crate::cache::Cache;
use crate::error::Error;
use crate::local::flight::Hurry;

tokio::task_local! {
    /// This task is a load's.
    pub(super) static LOADING: ();
}

/// Whether a loader asks: of a cache that it has from elsewhere, if not of its context.
pub(crate) fn is_asked_by_a_loader() -> bool {
    LOADING.try_with(|()| ()).is_ok()
}

/// When a load may begin: no more than `max-loads` run at once.
#[derive(Clone)]
pub(crate) enum Turn {
    /// After those who came before; or as soon as a load that has begun waits for it. (If all who
    /// have begun waited for some that have not, nothing would go on.)
    InTurn(Hurry),
    /// It may begin: its turn has come, until this is dropped; or a load that has begun waits for
    /// it, and does nothing meanwhile.
    Now(#[expect(dead_code, reason = "it is held")] Option<Arc<OwnedSemaphorePermit>>),
}

impl Turn {
    /// When it has come.
    ///
    /// # Errors
    /// When it has not within `max-load`: after that nothing that is loaded could be stored.
    pub(super) async fn comes<Db: Send + Sync + 'static>(
        self,
        cache: &Cache<Db>,
        model: &'static str,
    ) -> Result<Turn, Error> {
        let Turn::InTurn(hurry) = self else {
            return Ok(self);
        };
        let mut turn = pin!(cache.loads().clone().acquire_owned());
        let mut told = pin!(hurry.told());
        let comes = poll_fn(|cx| match (turn.as_mut().poll(cx), told.as_mut().poll(cx)) {
            // Never closed.
            (Poll::Ready(turn), _) => Poll::Ready(turn.ok()),
            (Poll::Pending, Poll::Ready(())) => Poll::Ready(None),
            (Poll::Pending, Poll::Pending) => Poll::Pending,
        });
        let patience = cache.schema().max_load;
        match tokio::time::timeout(patience, comes).await {
            Ok(turn) => Ok(Turn::Now(turn.map(Arc::new))),
            Err(_) => Err(Error::load_had_no_turn(model, patience)),
        }
    }
}
