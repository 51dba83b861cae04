//! Values: read, claimed, stored.

use std::time::Duration;

use redis::{ErrorKind, RedisResult, ServerErrorKind};

use super::connection::Connection;
use super::error::{fill_error, is_foreign};
use super::server::Server;
use crate::local::near;
use crate::store::{Epoch, Fill, Read, StoreError, Token};

/// For how long a near cache may have a value that has expired here: it was read a little before it
/// was kept.
const NEAR_LIFE: Duration = near::LIFE.saturating_add(Duration::from_secs(5));

/// How many keys one `MGET` reads, and how many values one pipeline stores: nobody else should wait
/// for more, nor should it come near the time-out.
pub(super) const KEYS_PER_READ: usize = 100;
const FILLS_PER_CALL: usize = 100;
const FILL_TAGS_PER_CALL: usize = 2000;
const FILL_BYTES_PER_CALL: usize = 1 << 20;

impl Server {
    /// See [`Store::read`](crate::store::Store::read).
    pub(super) async fn read(&self, keys: &[String]) -> Result<Read, StoreError> {
        let (first, rest) = keys.split_at(keys.len().min(KEYS_PER_READ));
        let mut read = self.read_some(first).await?;
        for keys in rest.chunks(KEYS_PER_READ) {
            append(&mut read, self.read_some(keys).await?);
        }
        Ok(read)
    }

    async fn read_some(&self, keys: &[String]) -> Result<Read, StoreError> {
        if let Some(read) = self.try_read(keys).await? {
            return Ok(read);
        }
        // Somebody flushed the server.
        self.renew_epoch("").await?;
        self.try_read(keys).await?.ok_or_else(|| StoreError::away("its clock does not last"))
    }

    async fn try_read(&self, keys: &[String]) -> Result<Option<Read>, StoreError> {
        let mut get = redis::cmd("MGET");
        get.arg(&self.names.clock).arg(&*self.names.values(keys));
        let mut connection = self.connection()?;
        let bytes = connection.patience.expected(keys.len());
        let asked = get.query_async(&mut connection.server);
        let answers = connection.patience.wait_for(bytes, asked).await?;
        connection.understand(answers)
    }

    /// See [`Store::fill`](crate::store::Store::fill).
    pub(super) async fn fill(&self, token: Token, fills: &[Fill]) -> Result<Vec<bool>, StoreError> {
        let mut stored = Vec::with_capacity(fills.len());
        let (mut rest, mut refusal) = (fills, None);
        while !rest.is_empty() {
            let (some, others) = rest.split_at(one_call(rest));
            match self.fill_some(token, some).await {
                Ok(done) => stored.extend(done),
                Err(error) if error.is_away() => return Err(error),
                // The others may be taken.
                Err(error) => {
                    stored.extend(some.iter().map(|_| false));
                    refusal = Some(error);
                }
            }
            rest = others;
        }
        match refusal {
            Some(error) if !stored.contains(&true) => Err(error),
            _ => Ok(stored),
        }
    }

    async fn fill_some(&self, token: Token, fills: &[Fill]) -> Result<Vec<bool>, StoreError> {
        let mut connection = self.connection()?;
        let largest = fills.iter().map(|fill| fill.value.len()).max();
        if largest.is_some_and(|bytes| bytes + Epoch::LINEAGE > connection.largest) {
            // It is alone in the call.
            let why = format!(
                "a value is larger than the server's proto-max-bulk-len, {} bytes: lower `max-value` in cache.toml",
                connection.largest
            );
            return Err(StoreError::refused(why));
        }
        let epoch = String::from_utf8_lossy(&token.epoch.0);
        let token = format!("{epoch}:{}", token.clock);
        let mut pipeline = redis::pipe();
        for fill in fills {
            let mut script = self.scripts.fill.prepare_invoke();
            script
                .key(&*self.names.value(&fill.key))
                .key(&self.names.clock)
                .key(&self.names.fences)
                .key(&self.names.tags)
                .key(&self.names.blocks);
            let life = u64::max(fill.ttl.as_millis() as u64, 1);
            script
                .arg(&token)
                .arg(self.fence_life_ms)
                .arg(life)
                .arg(&self.names.index)
                .arg(&*fill.value)
                .arg(if fill.strict { "strict" } else { "" })
                .arg(NEAR_LIFE.as_millis() as u64)
                .arg(&self.names.channel);
            for tag in &fill.tags {
                script.arg(tag.as_str());
            }
            pipeline.invoke_script(&script);
        }
        let bytes = fills.iter().map(|fill| fill.value.len() as u64).sum();
        let Connection { server, patience, .. } = &mut connection;
        patience.learn(largest.unwrap_or_default());
        let asked = patience.wait(bytes, pipeline.query_async(server));
        let answers: RedisResult<Vec<i64>> = match asked.await? {
            Err(error) if error.kind() == ErrorKind::Server(ServerErrorKind::NoScript) => {
                let loaded = self.scripts.fill.load_async(server);
                patience.wait(0, loaded).await?.map_err(fill_error)?;
                let asked = pipeline.query_async(server);
                patience.wait(bytes, asked).await?
            }
            answers => answers,
        };
        match answers {
            Ok(answers) if !answers.contains(&-1) => {
                Ok(answers.into_iter().map(|answer| answer == 1).collect())
            }
            Err(error) if !is_foreign(&error) => Err(fill_error(error)),
            Ok(_) | Err(_) => {
                self.renew_epoch("").await?;
                Ok(vec![false; fills.len()])
            }
        }
    }
}

/// Keeps the first token, which is from before all of the values, and those of its epoch.
pub(super) fn append(read: &mut Read, more: Read) {
    let same_epoch = more.token.epoch == read.token.epoch;
    let values = more.values.into_iter();
    read.values.extend(values.map(|value| value.filter(|_| same_epoch)));
}

/// How many of these fills go into one call: at least one.
fn one_call(fills: &[Fill]) -> usize {
    let (mut tags, mut bytes) = (0, 0);
    let fit = fills.iter().take(FILLS_PER_CALL).take_while(|fill| {
        tags += fill.tags.len();
        bytes += fill.value.len();
        tags <= FILL_TAGS_PER_CALL && bytes <= FILL_BYTES_PER_CALL
    });
    fit.count().max(1)
}
