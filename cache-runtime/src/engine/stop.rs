//! The end of a cache, as its background tasks hear of it.

use std::future::poll_fn;
use std::pin::pin;
use std::task::Poll;

use tokio::sync::watch;

/// Comes when it is dropped.
#[derive(Debug)]
pub(crate) struct Stopper(watch::Sender<()>);

/// Waits for it.
#[derive(Debug, Clone)]
pub(crate) struct Stop(watch::Receiver<()>);

impl Stopper {
    pub(crate) fn new() -> Stopper {
        Stopper(watch::Sender::new(()))
    }

    pub(crate) fn stop(&self) -> Stop {
        Stop(self.0.subscribe())
    }
}

impl Stop {
    /// Does this work; `None` if it is to stop before the work is done.
    pub(crate) async fn or<T>(&self, work: impl Future<Output = T>) -> Option<T> {
        let mut stopped = self.0.clone();
        // Nothing is ever sent.
        let mut stopped = pin!(stopped.changed());
        let mut work = pin!(work);
        poll_fn(|cx| match stopped.as_mut().poll(cx) {
            Poll::Ready(_) => Poll::Ready(None),
            Poll::Pending => work.as_mut().poll(cx).map(Some),
        })
        .await
    }
}
