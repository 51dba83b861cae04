//! Moments in which much can happen. A slow loader or a slow observer is
//! nothing that a cache may rely on not to meet.

use std::time::Duration;

use cache_runtime::Event;

#[derive(Debug, Clone, Copy)]
pub struct Pauses;

impl Pauses {
    /// Between a query and its answer.
    pub(crate) async fn in_a_load(self) {
        if let Some(pause) = now_and_then(0.3, 25).or_else(|| now_and_then(0.01, 250)) {
            tokio::time::sleep(pause).await;
        }
    }

    /// Blocks where the event happens: before a strict commit, between a commit and its
    /// invalidation, between the query and the fill of a list, which has no loader here, between
    /// what the store says to a fill and those who wait for it, and before anybody tries to bring
    /// an absent store back.
    pub(super) fn at(self, event: &Event<'_>) {
        let pause = match event {
            Event::Blocked { .. } => now_and_then(0.5, 25),
            Event::Committed => now_and_then(0.2, 20),
            Event::Filled { .. } => now_and_then(0.1, 15),
            Event::Loaded { model, .. } if model.starts_with("tickets") => now_and_then(0.3, 25),
            Event::StoreAway { .. } => now_and_then(0.7, 250),
            _ => None,
        };
        pause.into_iter().for_each(stand_still);
    }

    pub(crate) fn before_a_list(self) {
        now_and_then(0.3, 25).into_iter().for_each(stand_still);
    }
}

/// The other tasks of this thread are handed over.
fn stand_still(pause: Duration) {
    tokio::task::block_in_place(|| std::thread::sleep(pause));
}

fn now_and_then(probability: f64, most_ms: u64) -> Option<Duration> {
    (fastrand::f64() < probability).then(|| Duration::from_millis(fastrand::u64(..=most_ms)))
}
