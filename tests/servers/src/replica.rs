//! A primary and its replica, and the fail-over from one to the other.

use std::time::{Duration, Instant};

use ::redis::{Client, RedisResult};

use crate::process::PATIENCE;
use crate::redis::Redis;

impl Redis {
    /// Sends it a command; what it says to it.
    ///
    /// # Panics
    /// When it cannot be reached, or answers with an error.
    pub async fn command(&self, words: &str) -> String {
        let answer = self.try_command(words).await;
        answer.unwrap_or_else(|error| panic!("{}: {error}", self.url(0)))
    }

    async fn try_command(&self, words: &str) -> RedisResult<String> {
        let client = Client::open(self.url(0)).expect("an address");
        let mut connection = client.get_multiplexed_async_connection().await?;
        let mut words = words.split(' ');
        let mut command = ::redis::cmd(words.next().unwrap_or_default());
        for word in words {
            command.arg(word);
        }
        let answer: ::redis::Value = command.query_async(&mut connection).await?;
        Ok(format!("{answer:?}"))
    }

    /// Waits until this replica has everything that its primary has now.
    ///
    /// # Panics
    /// When that takes too long.
    pub async fn has_caught_up_with(&self, primary: &Redis) {
        let mark = format!("mark-{:016x}", fastrand::u64(..));
        primary.command(&format!("SET {mark} 1")).await;
        let deadline = Instant::now() + PATIENCE;
        // It answers with an error while it takes in what its primary has.
        while !self
            .try_command(&format!("EXISTS {mark}"))
            .await
            .is_ok_and(|answer| answer.contains('1'))
        {
            assert!(Instant::now() < deadline, "the replica does not catch up");
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    }

    /// From now on this replica misses everything, and is a primary.
    pub async fn detach(&self) {
        self.command("REPLICAOF NO ONE").await;
    }

    /// The primary dies, and this replica answers at its address.
    pub async fn take_the_place_of(&self, primary: &Redis) {
        primary.kill();
        self.command(&format!("CONFIG SET port {}", primary.port())).await;
    }
}
