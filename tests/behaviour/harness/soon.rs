//! What is to become true soon, without anybody saying when it has.

use std::fmt::Display;
use std::time::{Duration, Instant};

use super::{Answer, App, World};

/// How long a story waits for an event, and a load for its release: long enough for a slow machine.
pub const PATIENCE: Duration = Duration::from_secs(20);
/// In which a story that does not measure expects what somebody is about to do.
/// Shorter than whatever waits for a lock or for a connection, and than the time
/// after which a relay looks at everything once more.
pub const SOON: Duration = Duration::from_secs(10);
/// What a reader may have to wait when the store goes away under a request.
pub const FIRST: Duration = Duration::from_secs(2);
/// How long a process may take to find that the store is back.
pub const RETURN: Duration = Duration::from_secs(15);
/// How late a cache may hear of a commit: a message.
pub const LATE: Duration = Duration::from_secs(1);
/// How long another process may serve what was not told: `outbox.poll` and the delivery.
pub const WINDOW: Duration = Duration::from_secs(1);
/// `outbox.poll`, a pass, or a connection anew, and a machine that is busy.
pub const A_PASS: Duration = Duration::from_secs(2);
/// Between two looks.
const A_MOMENT: Duration = Duration::from_millis(5);

/// `while !is_so().await { soon.or("what is not so").await }`
pub struct Soon {
    within: Duration,
    since: Instant,
}

impl Soon {
    pub fn within(within: Duration) -> Self {
        let since = Instant::now();
        Self { within, since }
    }

    /// Waits a little; fails when it has waited too long.
    pub async fn or(&self, what: impl Display) {
        self.at_once_or(what);
        tokio::time::sleep(A_MOMENT).await;
    }

    /// Likewise, for who looks all the time.
    pub fn at_once_or(&self, what: impl Display) {
        assert!(!self.is_over(), "after {:?} {what}", self.within);
    }

    pub fn is_over(&self) -> bool {
        self.since.elapsed() >= self.within
    }
}

/// Waits until this is so.
pub async fn soon(what: &str, is: impl Fn() -> bool) {
    let soon = Soon::within(PATIENCE);
    while !is() {
        soon.or(what).await;
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
    let soon = Soon::within(within);
    let truth = world.truth(path).await;
    loop {
        let answer = app.get(path).await;
        if answer.status == truth.status && answer.body == truth.body {
            return answer;
        }
        if soon.is_over() {
            return world.right_from(app, path).await;
        }
        tokio::time::sleep(A_MOMENT).await;
    }
}

/// Reads what is right through this app, until it hits.
pub async fn until_hit(world: &World, app: &App, path: &str) {
    let soon = Soon::within(RETURN);
    while !world.right_from(app, path).await.is(200).is_hit() {
        soon.at_once_or(format_args!("{path} is no hit"));
    }
}
