//! Whom what happens is told: the log, the metrics, and who observes.

use std::panic::{AssertUnwindSafe, catch_unwind};

use crate::local::near;
use crate::observe::event::Event;
#[cfg(feature = "metrics")]
use crate::observe::metrics;
use crate::observe::said::Said;

/// Told of every event, synchronously, where it happens.
#[derive(Default)]
pub(crate) struct Observer {
    observe: Option<Box<Observe>>,
    /// What was said lately.
    said: Said,
}

type Observe = dyn Fn(&Event<'_>) + Send + Sync;

impl Observer {
    pub(crate) fn new(observe: impl Fn(&Event<'_>) + Send + Sync + 'static) -> Observer {
        Observer { observe: Some(Box::new(observe)), said: Said::default() }
    }

    /// Whether it is time to say this, again: warnings that stay true are not repeated for every
    /// request.
    pub(crate) fn is_time(&self, what: &'static str) -> bool {
        self.said.is_time(what, "")
    }

    /// Likewise, of one model.
    pub(crate) fn is_time_of(&self, what: &'static str, model: &'static str) -> bool {
        self.said.is_time(what, model)
    }

    /// A hit of the near cache, where a key costs more than the hit.
    #[inline]
    pub(crate) fn tell_near_hit(&self, key: impl FnOnce() -> String) {
        #[cfg(feature = "metrics")]
        metrics::near_hit();
        if self.observe.is_some() {
            let (key, tier) = (&key(), near::NAME);
            self.observe(&Event::Hit { key, tier });
        }
    }

    pub(crate) fn tell(&self, event: Event<'_>) {
        match event {
            Event::StoreAway { why } => tracing::warn!(why, "store away, reading from the source"),
            Event::StoreBack => tracing::info!("store in use"),
            Event::DeadLettered { id } => {
                tracing::warn!(id, "a row of the outbox cannot be a tag: dead-lettered")
            }
            Event::Unreadable { key, why } => {
                tracing::warn!(key, why, "stored value unreadable, taken as a miss")
            }
            ref other => tracing::trace!(event = ?other),
        }
        #[cfg(feature = "metrics")]
        metrics::record(&event);
        self.observe(&event);
    }

    fn observe(&self, event: &Event<'_>) {
        if let Some(observe) = &self.observe {
            // Its panic is not to end the relay, or a commit that has not been delivered yet.
            let observed = catch_unwind(AssertUnwindSafe(|| observe(event)));
            if observed.is_err() {
                tracing::error!(?event, "the observer panicked");
            }
        }
    }
}
