//! What is to become true soon, without anybody saying when it has.

use std::time::{Duration, Instant};

use crate::harness::{Answer, App, World};

/// In which a story that does not measure expects it.
pub const SOON: Duration = Duration::from_secs(10);

/// `while !is_so().await { soon.or("what is not so").await }`
pub struct Soon {
    within: Duration,
    since: Instant,
}

impl Soon {
    pub fn within(within: Duration) -> Self {
        Self {
            within,
            since: Instant::now(),
        }
    }

    /// Waits a little; fails when it has waited too long.
    pub async fn or(&self, what: &str) {
        assert!(
            self.since.elapsed() < self.within,
            "after {:?} {what}",
            self.within
        );
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
}

/// Waits until no row of the outbox waits.
pub async fn nothing_waits(world: &World, within: Duration) {
    let soon = Soon::within(within);
    while world.waiting_rows().await > 0 {
        soon.or("rows wait").await;
    }
}

/// Reads through this app until it answers what the database says now.
pub async fn sees_soon(world: &World, app: &App, path: &str, within: Duration) -> Answer {
    let deadline = Instant::now() + within;
    let truth = world.truth(path).await;
    loop {
        let answer = app.get(path).await;
        if answer.status == truth.status && answer.body == truth.body {
            return answer;
        }
        if Instant::now() > deadline {
            return world.right_from(app, path).await;
        }
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
}
