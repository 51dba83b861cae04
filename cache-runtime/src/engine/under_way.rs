//! What is under way, and when nothing is any more.

use std::sync::Arc;

use tokio::sync::watch;

/// A number of things that have begun. Whoever begins one never waits.
#[derive(Debug, Clone, Default)]
pub(crate) struct UnderWay(Arc<watch::Sender<usize>>);

/// One of them. It ends when this is dropped.
#[derive(Debug)]
pub(crate) struct Begun(UnderWay);

impl UnderWay {
    pub(crate) fn begin(&self) -> Begun {
        self.0.send_modify(|number| *number += 1);
        Begun(self.clone())
    }

    /// Whether none is under way.
    pub(crate) fn is_none(&self) -> bool {
        *self.0.borrow() == 0
    }

    /// Waits until none is under way.
    pub(crate) async fn ended(&self) {
        // Its sender is here.
        let _ = self.0.subscribe().wait_for(|number| *number == 0).await;
    }
}

impl Drop for Begun {
    fn drop(&mut self) {
        self.0.0.send_modify(|number| *number -= 1);
    }
}
