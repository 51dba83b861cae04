//! The store in Redis 7 (or Valkey), for services of several processes.
//!
//! | key | what |
//! | --- | --- |
//! | the value's own, `plio_1` | the epoch it was stored in (24 bytes), then the bytes of `entry.rs`; expires |
//! | `cache:clock` | `epoch:clock`; the epoch begins with the identity of the server it was born on |
//! | `cache:fences` | sorted set: the tags invalidated lately, by the clock of that |
//! | `cache:tags` | sorted set: the tags that have an index, by when the last value in it expires |
//! | `cache:index:<tag>` | sorted set: the keys built from the tag, by expiry |
//!
//! All of them after the prefix of `cache.toml`. A value of another epoch than the clock's is a miss:
//! to begin an epoch is to void everything at once.
//!
//! Only values expire, so a server with `maxmemory-policy` `noeviction` or `volatile-*` evicts nothing
//! else. One with `allkeys-*` may evict an edge. That is noticed whenever something touches the edge
//! (`cache:tags` has the tag, but there is no index; a set has lost its sentinel), and voids everything:
//! right, but a pity.

use std::fmt;
use std::sync::{PoisonError, RwLock};
use std::time::Duration;

use redis::aio::MultiplexedConnection;
use redis::io::tcp::TcpSettings;
use redis::{
    AsyncConnectionConfig, Client, ErrorKind, IntoConnectionInfo, Script, ServerErrorKind,
};

use super::{Answer, Epoch, Fill, Read, Store, StoreError, Token};
use crate::error::Error;
use crate::schema::Schema;
use crate::tag::Tag;

/// How long a reader waits for Redis before it goes to the source, and everybody else with it.
const TIMEOUT: Duration = Duration::from_millis(500);

/// How many keys one script deletes: about a millisecond of the server's time.
const SLICE: usize = 1000;

/// How many tags one script takes.
const TAGS_PER_CALL: usize = 250;

/// How many keys one `MGET` reads, and how many values one pipeline stores: nobody else should wait
/// for more, nor should it come near the time-out.
const KEYS_PER_READ: usize = 1000;
const FILLS_PER_CALL: usize = 100;

/// How much of the server's `run_id` (40 hexadecimal digits) an epoch begins with.
const IDENTITY: usize = 10;

/// Values in Redis, fences and indexes beside them.
pub struct RedisStore {
    client: Client,
    connection: RwLock<Option<MultiplexedConnection>>,
    /// `cache:clock`, `cache:fences`, `cache:tags` and the prefix of indexes.
    clock: String,
    fences: String,
    tags: String,
    index: String,
    fence_life_ms: u64,
    scripts: Scripts,
}

struct Scripts {
    connect: Script,
    fill: Script,
    invalidate: Script,
}

impl RedisStore {
    /// A store at a URL such as `redis://127.0.0.1:6379/0`. Connects when the cache is built, and
    /// again by itself whenever the server was away.
    ///
    /// # Errors
    /// When the URL is not one of Redis.
    pub fn new(url: &str, schema: &Schema) -> Result<RedisStore, Error> {
        let info = url.into_connection_info().map_err(|error| {
            Error::store(format!(
                "{url:?} is not a Redis URL, such as redis://localhost:6379: {error}"
            ))
        })?;
        let info = info.set_tcp_settings(TcpSettings::default().set_nodelay(true));
        Ok(RedisStore {
            client: Client::open(info).map_err(Error::store)?,
            connection: RwLock::default(),
            clock: format!("{}cache:clock", schema.prefix),
            fences: format!("{}cache:fences", schema.prefix),
            tags: format!("{}cache:tags", schema.prefix),
            index: format!("{}cache:index:", schema.prefix),
            fence_life_ms: schema.max_load.as_millis() as u64,
            scripts: Scripts {
                connect: Script::new(include_str!("connect.lua")),
                fill: Script::new(include_str!("fill.lua")),
                invalidate: Script::new(include_str!("invalidate.lua")),
            },
        })
    }

    fn connection(&self) -> Result<MultiplexedConnection, StoreError> {
        let connection = self
            .connection
            .read()
            .unwrap_or_else(PoisonError::into_inner);
        connection
            .clone()
            .ok_or_else(|| StoreError::away("not connected yet"))
    }

    async fn reconnect(&self) -> Result<(), StoreError> {
        let config = AsyncConnectionConfig::new()
            .set_connection_timeout(Some(TIMEOUT))
            .set_response_timeout(Some(TIMEOUT));
        let connection = self
            .client
            .get_multiplexed_async_connection_with_config(&config)
            .await
            .map_err(error)?;
        *self
            .connection
            .write()
            .unwrap_or_else(PoisonError::into_inner) = Some(connection);
        self.begin_epoch(false).await
    }

    /// See `connect.lua`; with `force`, begins one in any case.
    async fn begin_epoch(&self, force: bool) -> Result<(), StoreError> {
        let mut connection = self.connection()?;
        let mut info = redis::cmd("INFO");
        let info: String = info
            .arg("server")
            .arg("memory")
            .query_async(&mut connection)
            .await
            .map_err(error)?;
        let field = |name| info.lines().find_map(|line| line.strip_prefix(name));
        let Some(identity) = field("run_id:").and_then(|run_id| run_id.get(..IDENTITY)) else {
            return Err(StoreError::away(
                "the server's INFO does not tell its run_id",
            ));
        };
        if field("maxmemory:") != Some("0")
            && field("maxmemory_policy:").is_some_and(|p| p.starts_with("allkeys"))
        {
            tracing::warn!(
                "Redis may evict what the cache needs to invalidate, and all is voided when it does: set maxmemory-policy to volatile-lru or noeviction"
            );
        }
        let mut epoch = identity.to_owned();
        epoch.extend((IDENTITY..Epoch::LEN).map(|_| fastrand::alphanumeric()));
        let mut script = self.scripts.connect.prepare_invoke();
        script.key(&self.clock).key(&self.fences).key(&self.tags);
        script
            .arg(identity)
            .arg(epoch)
            .arg(if force { "force" } else { "" });
        script.invoke_async(&mut connection).await.map_err(error)
    }

    async fn read_some(&self, keys: &[String]) -> Result<Read, StoreError> {
        if let Some(read) = self.try_read(keys).await? {
            return Ok(read);
        }
        // Somebody flushed the server.
        self.begin_epoch(false).await?;
        self.try_read(keys)
            .await?
            .ok_or_else(|| StoreError::away("its clock does not last"))
    }

    async fn try_read(&self, keys: &[String]) -> Result<Option<Read>, StoreError> {
        let mut get = redis::cmd("MGET");
        get.arg(&self.clock).arg(keys);
        let mut answers: Vec<Option<Vec<u8>>> = get
            .query_async(&mut self.connection()?)
            .await
            .map_err(error)?;
        let Some(token) = answers[0].take().as_deref().and_then(parse_token) else {
            return Ok(None);
        };
        let mut values = answers.split_off(1);
        for value in &mut values {
            // Of an epoch that is over, or nothing of ours: the reader will see a miss.
            *value = value.take().and_then(|mut bytes| {
                bytes
                    .starts_with(&token.epoch.0)
                    .then(|| bytes.split_off(Epoch::LEN))
            });
        }
        Ok(Some(Read { values, token }))
    }

    async fn fill_some(&self, token: Token, fills: &[Fill]) -> Result<Vec<bool>, StoreError> {
        let mut connection = self.connection()?;
        let epoch = String::from_utf8_lossy(&token.epoch.0);
        let token = format!("{epoch}:{}", token.clock);
        let mut pipeline = redis::pipe();
        for fill in fills {
            let mut script = self.scripts.fill.prepare_invoke();
            script
                .key(&fill.key)
                .key(&self.clock)
                .key(&self.fences)
                .key(&self.tags);
            let life = u64::max(fill.ttl.as_millis() as u64, 1);
            script
                .arg(&token)
                .arg(self.fence_life_ms)
                .arg(life)
                .arg(&self.index)
                .arg(&fill.value);
            for tag in &fill.tags {
                script.arg(tag.as_str());
            }
            pipeline.invoke_script(&script);
        }
        let answers: Vec<i64> = match pipeline.query_async(&mut connection).await {
            Err(error) if error.kind() == ErrorKind::Server(ServerErrorKind::NoScript) => {
                self.scripts
                    .fill
                    .load_async(&mut connection)
                    .await
                    .map_err(fill_error)?;
                pipeline.query_async(&mut connection).await
            }
            answers => answers,
        }
        .map_err(fill_error)?;
        if answers.contains(&-1) {
            self.begin_epoch(false).await?;
            return Ok(vec![false; fills.len()]);
        }
        Ok(answers.into_iter().map(|answer| answer == 1).collect())
    }

    async fn invalidate_some(&self, tags: &[Tag]) -> Result<(), StoreError> {
        let mut connection = self.connection()?;
        let mut call = "first";
        loop {
            let mut script = self.scripts.invalidate.prepare_invoke();
            script.key(&self.clock).key(&self.fences).key(&self.tags);
            script
                .arg(self.fence_life_ms)
                .arg(SLICE)
                .arg(&self.index)
                .arg(call);
            for tag in tags {
                script.arg(tag.as_str());
            }
            call = "again";
            match script.invoke_async(&mut connection).await.map_err(error)? {
                1 => return Ok(()),
                0 => {}
                // In a new epoch nothing stored or loaded before is valid: all is invalidated.
                _ => return self.begin_epoch(false).await,
            }
        }
    }
}

impl Store for RedisStore {
    fn name(&self) -> &'static str {
        "redis"
    }

    fn connect(&self) -> Answer<'_, ()> {
        Box::pin(self.reconnect())
    }

    fn read<'a>(&'a self, keys: &'a [String]) -> Answer<'a, Read> {
        Box::pin(async move {
            let (first, rest) = keys.split_at(keys.len().min(KEYS_PER_READ));
            let mut read = self.read_some(first).await?;
            for keys in rest.chunks(KEYS_PER_READ) {
                let more = self.read_some(keys).await?;
                let same_epoch = more.token.epoch == read.token.epoch;
                read.values.extend(
                    more.values
                        .into_iter()
                        .map(|value| value.filter(|_| same_epoch)),
                );
            }
            // The first token: it is from before all of them.
            Ok(read)
        })
    }

    fn fill<'a>(&'a self, token: Token, fills: &'a [Fill]) -> Answer<'a, Vec<bool>> {
        Box::pin(async move {
            let mut stored = Vec::with_capacity(fills.len());
            for fills in fills.chunks(FILLS_PER_CALL) {
                stored.extend(self.fill_some(token, fills).await?);
            }
            Ok(stored)
        })
    }

    fn invalidate<'a>(&'a self, tags: &'a [Tag]) -> Answer<'a, ()> {
        Box::pin(async move {
            for tags in tags.chunks(TAGS_PER_CALL) {
                self.invalidate_some(tags).await?;
            }
            Ok(())
        })
    }

    fn clear(&self) -> Answer<'_, ()> {
        Box::pin(self.begin_epoch(true))
    }
}

impl fmt::Debug for RedisStore {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RedisStore")
            .field("clock", &self.clock)
            .finish_non_exhaustive()
    }
}

fn parse_token(text: &[u8]) -> Option<Token> {
    let (epoch, clock) = text.split_first_chunk::<{ Epoch::LEN }>()?;
    let clock = std::str::from_utf8(clock.strip_prefix(b":")?)
        .ok()?
        .parse()
        .ok()?;
    Some(Token {
        epoch: Epoch(*epoch),
        clock,
    })
}

fn error(error: redis::RedisError) -> StoreError {
    StoreError::away(error)
}

/// A server that answers a fill with an error (out of memory, a foreign key where an index is to be)
/// does not store it, and may be well otherwise.
fn fill_error(error: redis::RedisError) -> StoreError {
    match error.kind() {
        ErrorKind::Server(_) | ErrorKind::Extension => StoreError::refused(error),
        _ => StoreError::away(error),
    }
}
