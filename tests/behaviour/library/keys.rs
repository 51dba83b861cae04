//! What there is in the story's Redis, looked at and meddled with by somebody else.

use ledger::Base;
use redis::aio::MultiplexedConnection;
use redis::{FromRedisValue, cmd};

use super::bank::Bank;

#[derive(Clone)]
pub struct Keys(MultiplexedConnection);

impl<DB: Base> Bank<DB> {
    pub async fn keys(&self) -> Keys {
        let client = redis::Client::open(self.redis().url()).expect("a URL");
        let connection = client.get_multiplexed_async_connection().await;
        Keys(connection.expect("connected"))
    }
}

impl Keys {
    /// The answer to a command such as `["GET", "note_n"]`.
    pub async fn ask<T: FromRedisValue>(&self, words: &[&str]) -> T {
        let mut command = cmd(words[0]);
        command.arg(&words[1..]);
        let answer = command.query_async(&mut self.0.clone()).await;
        answer.unwrap_or_else(|error| panic!("{words:?}: {error}"))
    }

    /// The names of keys like this.
    pub async fn like(&self, pattern: &str) -> Vec<String> {
        self.ask(&["KEYS", pattern]).await
    }

    /// Bytes that a key takes in the server.
    pub async fn bytes(&self, key: &str) -> usize {
        let bytes: Option<usize> = self.ask(&["MEMORY", "USAGE", key, "SAMPLES", "0"]).await;
        bytes.unwrap_or_default()
    }
}
