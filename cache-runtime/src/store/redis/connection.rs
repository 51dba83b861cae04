//! A connection, and whether what comes over it is of the server and the database that it was
//! opened for.

use std::collections::HashMap;
use std::convert::Infallible;
use std::sync::Arc;

use bytes::Bytes;
use redis::aio::MultiplexedConnection;
use redis::{AsyncConnectionConfig, Client, PushInfo, RedisResult};

use super::error::error;
use super::messages::Heard;
use super::patience::{Patience, Sizes};
use super::token::parse_token;
use crate::store::{Epoch, Read, StoreError, TIMEOUT};

/// How much of the server's `master_replid` (40 hexadecimal digits) is in an epoch.
const IDENTITY: usize = Epoch::LEN - Epoch::LINEAGE;

/// How much of the identity of the database (32 hexadecimal digits) a lineage begins with.
const SOURCE: usize = 6;

/// A connection to a server of this identity, for values of this source: the beginnings of both.
/// Every read takes a clone.
#[derive(Clone)]
pub(super) struct Connection {
    pub(super) server: MultiplexedConnection,
    pub(super) identity: Arc<str>,
    pub(super) source: Arc<str>,
    pub(super) patience: Arc<Patience>,
    /// Bytes that a value may have: the server ends a connection that sends more.
    pub(super) largest: usize,
    heard: Option<Arc<Heard>>,
}

impl Connection {
    /// Connects, and subscribes to the channel if somebody is to hear of it.
    pub(super) async fn open(
        client: &Client,
        source: &str,
        channel: &str,
        heard: Option<Heard>,
        sizes: Arc<Sizes>,
    ) -> Result<Connection, StoreError> {
        let mut config = AsyncConnectionConfig::new()
            .set_connection_timeout(Some(TIMEOUT))
            // See `patience`.
            .set_response_timeout(None);
        let heard = heard.map(Arc::new);
        if let Some(heard) = heard.clone() {
            config = config.set_push_sender(move |push: PushInfo| {
                heard.push(&push);
                Ok::<_, Infallible>(())
            });
        }
        let mut server =
            client.get_multiplexed_async_connection_with_config(&config).await.map_err(error)?;
        let patience = Patience::new(sizes);
        warn_of_evictions(&mut server, &patience).await?;
        if heard.is_some() {
            let subscribed = server.subscribe(channel);
            patience.wait_for(0, subscribed).await?;
        }
        let identity = identity(&mut server, &patience).await?.into();
        let largest = largest(&mut server, &patience).await?;
        Ok(Connection {
            server,
            identity,
            source: format!("{source:-<SOURCE$.SOURCE$}").into(),
            patience: Arc::new(patience),
            largest,
            heard,
        })
    }

    /// Whether the server is still who it was.
    pub(super) async fn check(mut self) -> Result<(), StoreError> {
        match *identity(&mut self.server, &self.patience).await? == *self.identity {
            true => Ok(()),
            false => Err(StoreError::away("it was given another server's memory")),
        }
    }

    /// The values in the answers, of which the first is the clock; none without one.
    pub(super) fn understand(
        &self,
        mut answers: Vec<Option<Bytes>>,
    ) -> Result<Option<Read>, StoreError> {
        let Some(token) = answers[0].take().as_deref().and_then(parse_token) else {
            return Ok(None);
        };
        let (lineage, identity) = token.epoch.0.split_at(Epoch::LINEAGE);
        if identity != self.identity.as_bytes() {
            return Err(StoreError::away("it has another server's memory"));
        }
        if !lineage.starts_with(self.source.as_bytes()) {
            return Err(StoreError::away(
                "its values are of another installation: another version of the service was installed in this database, or another database uses the same `prefix` in this Redis\n\
                 help: give each database a prefix of its own, in cache.toml or with `RedisStore::prefix`",
            ));
        }
        if let Some(heard) = &self.heard {
            heard.check(token);
        }
        let mut values = answers.split_off(1);
        if let Some(largest) = values.iter().flatten().map(Bytes::len).max() {
            self.patience.learn(largest);
        }
        for value in &mut values {
            // Of a lineage that is over, or nothing of ours: the reader will see a miss.
            *value = value.take().and_then(|bytes| {
                bytes.starts_with(lineage).then(|| bytes.slice(Epoch::LINEAGE..))
            });
        }
        Ok(Some(Read { values, token }))
    }
}

/// Asks the server who it is; refuses a replica, which would serve what it was and take no writes.
///
/// Its name is the one of its history: another after every start, and after every time that it was
/// a replica and may have been given another's memory. Its `run_id` would stay the same then.
async fn identity(
    server: &mut MultiplexedConnection,
    patience: &Patience,
) -> Result<String, StoreError> {
    let info = info(server, "replication", patience).await?;
    if field(&info, "role:").is_some_and(|role| role != "master") {
        return Err(StoreError::away("it is the replica of another server"));
    }
    field(&info, "master_replid:")
        .and_then(|history| history.get(..IDENTITY))
        .map(str::to_owned)
        .ok_or_else(|| StoreError::away("the server's INFO does not tell its master_replid"))
}

async fn info(
    server: &mut MultiplexedConnection,
    section: &str,
    patience: &Patience,
) -> Result<String, StoreError> {
    let mut info = redis::cmd("INFO");
    let asked = info.arg(section).query_async(server);
    patience.wait_for(0, asked).await
}

/// Where nobody may ask it is taken for what it is when nobody has changed it.
async fn largest(
    server: &mut MultiplexedConnection,
    patience: &Patience,
) -> Result<usize, StoreError> {
    let mut config = redis::cmd("CONFIG");
    let asked = config.arg("GET").arg("proto-max-bulk-len").query_async(server);
    let said: RedisResult<HashMap<String, usize>> = patience.wait(0, asked).await?;
    let said = said.ok().and_then(|all| all.into_values().next());
    Ok(said.unwrap_or(512 << 20))
}

fn field<'i>(info: &'i str, name: &str) -> Option<&'i str> {
    info.lines().find_map(|line| line.strip_prefix(name))
}

async fn warn_of_evictions(
    server: &mut MultiplexedConnection,
    patience: &Patience,
) -> Result<(), StoreError> {
    let info = info(server, "memory", patience).await?;
    let policy = field(&info, "maxmemory_policy:");
    if field(&info, "maxmemory:") != Some("0")
        && policy.is_some_and(|policy| policy.starts_with("allkeys"))
    {
        tracing::warn!(
            "Redis may evict what the cache needs to invalidate, and all is voided when it does: set maxmemory-policy to volatile-lru or noeviction"
        );
    }
    Ok(())
}
