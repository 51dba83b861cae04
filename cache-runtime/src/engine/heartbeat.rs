//! What is asked of a store though nobody reads: that it has told all, and that it tidies up.

use std::sync::Arc;
use std::time::Duration;

use crate::engine::gate::Gate;
use crate::engine::stop::Stop;
use crate::local::near::Moment;

/// How often what has expired is thrown away.
const TIDY_EVERY: Duration = Duration::from_secs(5);

/// How often at most without a pause: others want something of the store as well.
const TIDY_STEPS: usize = 50;

/// Asks the store for nothing, again and again: its answer says that all it had to tell was told.
pub(crate) async fn listen(gate: Arc<Gate>, stop: Stop) {
    let Some(near) = gate.near() else {
        return;
    };
    let pause = near.max_staleness() / 4;
    loop {
        let asked = Moment::now();
        if gate.read(&[]).await.is_some() {
            near.trust(asked);
        }
        if stop.or(tokio::time::sleep(pause)).await.is_none() {
            return;
        }
    }
}

/// Throws away what has expired in the store.
pub(crate) async fn tidy(gate: Arc<Gate>, stop: Stop) {
    loop {
        // Processes that began together do not do it together.
        let pause = TIDY_EVERY.mul_f64(0.5 + fastrand::f64());
        if stop.or(tokio::time::sleep(pause)).await.is_none() {
            return;
        }
        for _ in 0..TIDY_STEPS {
            if gate.tidy().await {
                break;
            }
        }
    }
}
