//! The faults `evicting` and `full`: Redis has less memory than is read.

use std::time::{Duration, Instant};

use chaos_service::models::{PAGE_BYTES, PAGES};
use chaos_service::record::Command;
use tokio::time::sleep;

use crate::world::{PATIENCE, World};

/// What a full server has beyond what it uses before: less than
/// the edges of all pages take in the end.
const ROOM: usize = 1 << 20;

/// For how long a server is full of each kind, when other faults are to happen as well,
pub const SHORT: Duration = Duration::from_millis(2500);
/// and at most.
const LONG: Duration = Duration::from_secs(150);

/// In which hits are counted, before and after.
const A_WHILE: Duration = Duration::from_secs(1);

/// Which part of the hits of before must be there again. A second of one and of another differ.
const RECOVERED: f64 = 0.6;

/// After so long the edges of the first values are over: `ttl` and `grace` of a
/// page, 65 s for near caches, a quarter of that.
const EDGES_ARE_OVER: Duration = Duration::from_secs(100);

/// For how long a server is full of each kind in a run of nothing else that takes so long.
pub fn long(run: Duration) -> Duration {
    (run / 3).clamp(SHORT, LONG)
}

impl World {
    pub async fn evict(&mut self, a_while: Duration) {
        let used = self.used().await.max(4 << 20);
        let most = used + PAGES as usize * PAGE_BYTES / 3;
        self.limit(most, "allkeys-lru").await;
        self.tell_all(Command::Widely(true));
        sleep(a_while).await;
        self.tell_all(Command::Widely(false));
        self.limit(0, "noeviction").await;
    }

    /// First it evicts values, then it refuses them; then there is
    /// room again, and all must be as it was.
    pub async fn fill_up(&mut self) {
        let before = self.history.hit_rates(A_WHILE).await;
        self.tell_all(Command::Widely(true));
        for policy in ["volatile-lru", "noeviction"] {
            let most = self.used().await + ROOM;
            self.limit(most, policy).await;
            sleep(self.full_for).await;
            // What is over makes room for what is new.
            if self.full_for > EDGES_ARE_OVER {
                self.is_taking_values(policy).await;
            }
        }
        self.tell_all(Command::Widely(false));
        self.limit(0, "noeviction").await;
        self.is_taking_values("with room again").await;
        let deadline = Instant::now() + PATIENCE;
        loop {
            let rates = self.history.hit_rates(A_WHILE).await;
            let rate = |process| rates.get(process).copied().unwrap_or(1.0);
            let mut all = before.iter();
            if all.all(|(process, before)| rate(process) >= before * RECOVERED) {
                return;
            }
            if Instant::now() > deadline {
                let problem = "full, with room again: there are fewer hits than before";
                eprintln!("          {problem}: {rates:.2?}, before {before:.2?}");
                let problem = format!("{problem} for {PATIENCE:?}");
                return self.history.problem(problem);
            }
        }
    }

    async fn is_taking_values(&self, when: &str) {
        if let Err(who) = self.history.all_store(true, PATIENCE).await {
            let problem = format!("full, {when}: process {who:?} stores nothing that is read");
            self.history.problem(format!("{problem} within {PATIENCE:?}"));
        }
    }

    async fn used(&self) -> usize {
        let used = self.redis.command("INFO memory").await;
        let used = used.split("used_memory:").nth(1).unwrap_or_default();
        let digits = used.split(|it: char| !it.is_ascii_digit()).next();
        digits.and_then(|it| it.parse().ok()).unwrap_or_default()
    }

    /// So many bytes; any with 0.
    async fn limit(&self, bytes: usize, policy: &str) {
        for setting in [format!("maxmemory-policy {policy}"), format!("maxmemory {bytes}")] {
            self.redis.command(&format!("CONFIG SET {setting}")).await;
        }
    }
}
