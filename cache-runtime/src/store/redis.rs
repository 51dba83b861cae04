//! The store in Redis 7 (or Valkey), for services of several processes.
//!
//! | key | what |
//! | --- | --- |
//! | the value's own, `plio_1` | the line it belongs to (14 bytes), then the bytes of `entry.rs`; expires |
//! | `cache:clock` | `epoch:clock`; the epoch is a line of values and the identity of the server that holds it; a line begins with the identity of the database |
//! | `cache:fences` | sorted set: the tags invalidated lately, by the clock of that; `#` stands for all, when they were too many |
//! | `cache:tags` | sorted set: the tags that have an index, by when the last value in it has expired, and the line |
//! | `cache:index:<tag>` | sorted set: the keys built from the tag, by expiry and line |
//! | `cache:invalidations:<database>` | channel: what is deleted, or was evicted, for the near caches |
//! | `cache:blocks` | hash: of each blocked tag the writers and their deadlines |
//! | `cache:lease:<key>` | who has claimed the key; expires |
//!
//! All of them after the prefix of `cache.toml`. A value of another line than the clock's is a miss: to
//! begin one is to void everything at once. A connection serves only what is of an epoch of its own
//! server: a server that became another's replica, or was given its memory, is not what it was.
//!
//! Only values and leases expire, so a server with `maxmemory-policy` `noeviction` or `volatile-*` evicts
//! nothing else; an evicted lease is harmless, somebody loads once more. One with `allkeys-*` may evict an
//! edge. That is noticed whenever something touches the edge (`cache:tags` has the tag, but there is no
//! index; a set has lost its sentinel), and voids everything: right, but a pity.
//!
//! An evicted value leaves its edges behind. Fills tidy: see `fill.lua`. What has expired goes without them: `tidy.lua`.

use std::borrow::Cow;
use std::fmt;
use std::sync::{Arc, OnceLock, PoisonError, RwLock};
use std::time::Duration;

use redis::io::tcp::TcpSettings;
use redis::io::tcp::socket2::TcpKeepalive;
use redis::{
    Client, ErrorKind, IntoConnectionInfo, ProtocolVersion, RedisResult, Script, ServerErrorKind,
};

use super::{
    Claim, Connected, Epoch, Fill, InvalidationSink, MOST_FENCES, Read, Reply, Store, StoreError,
    Token,
};
use crate::error::Error;
use crate::local::near;
use crate::model;
use crate::model::schema::Schema;
use crate::model::tag::Tag;

mod connection;
mod leases;
mod messages;
mod patience;

use connection::Connection;
use messages::Heard;

/// For how long a near cache may have a value that has expired here: it was read a little before it was kept.
const NEAR_LIFE: Duration = near::LIFE.saturating_add(Duration::from_secs(5));

/// How long a connection may be silent before the other side is asked whether it is there.
const KEEPALIVE: Duration = Duration::from_secs(10);

/// How many keys one script deletes: about a millisecond of the server's time.
const SLICE: usize = 1000;

/// How many tags one script takes.
const TAGS_PER_CALL: usize = 250;

/// How many keys one `MGET` reads, and how many values one pipeline stores: nobody else should wait
/// for more, nor should it come near the time-out.
const KEYS_PER_READ: usize = 100;
const FILLS_PER_CALL: usize = 100;
const FILL_TAGS_PER_CALL: usize = 2000;
const FILL_BYTES_PER_CALL: usize = 1 << 20;

/// Values in Redis, fences and indexes beside them.
pub struct RedisStore {
    client: Client,
    connection: RwLock<Option<Connection>>,
    /// Whom to tell what is deleted.
    sink: OnceLock<InvalidationSink>,
    names: Names,
    fence_life_ms: u64,
    block_life_ms: u64,
    scripts: Scripts,
    leases: leases::Leases,
    sizes: Arc<patience::Sizes>,
}

/// What there is in Redis. `index` and `lease` are put before tags and keys, `values` before keys.
struct Names {
    values: Arc<str>,
    /// The prefix of `cache.toml`, which is in the keys already.
    of_schema: &'static str,
    clock: String,
    fences: String,
    tags: String,
    blocks: String,
    channel: String,
    index: String,
    lease: String,
}

impl Names {
    fn new(values: &str, of_schema: &'static str, database: i64) -> Names {
        let name = |name: &str| format!("{values}{of_schema}cache:{name}");
        Names {
            values: values.into(),
            of_schema,
            clock: name("clock"),
            fences: name("fences"),
            tags: name("tags"),
            blocks: name("blocks"),
            // Channels are not of one logical database, as keys are.
            channel: name(&format!("invalidations:{database}")),
            index: name("index:"),
            lease: name("lease:"),
        }
    }

    /// Under which name the value of this key is.
    fn value<'k>(&self, key: &'k str) -> Cow<'k, str> {
        match &*self.values {
            "" => Cow::Borrowed(key),
            prefix => Cow::Owned(format!("{prefix}{key}")),
        }
    }

    /// Under which names the values of these keys are.
    fn values<'k>(&self, keys: &'k [String]) -> Cow<'k, [String]> {
        match &*self.values {
            "" => Cow::Borrowed(keys),
            _ => keys
                .iter()
                .map(|key| self.value(key).into_owned())
                .collect(),
        }
    }
}

struct Scripts {
    connect: Script,
    fill: Script,
    invalidate: Script,
    block: Script,
    tidy: Script,
}

/// With what the scripts share, below the line that is its flags, if it has one.
fn script(text: &str) -> Script {
    let (flags, rest) = match text.starts_with("#!") {
        true => text.split_at(text.find('\n').map_or(0, |end| end + 1)),
        false => ("", text),
    };
    Script::new(&format!("{flags}{}{rest}", include_str!("shared.lua")))
}

impl RedisStore {
    /// A store at a URL such as `redis://127.0.0.1:6379/0`. Connects when the cache is built, and
    /// again by itself whenever the server was away.
    ///
    /// # Errors
    /// When the URL is not one of Redis. Its text is not in the error: it may hold a password.
    pub fn new(url: &str, schema: &Schema) -> Result<RedisStore, Error> {
        let info = url.into_connection_info().map_err(|error| {
            Error::store(format!(
                "this is not a Redis URL, such as redis://user:password@localhost:6379/0: {error}"
            ))
        })?;
        // A server that is gone without a word is noticed by who asks it something; this closes what nobody asks over.
        let keepalive = TcpKeepalive::new()
            .with_time(KEEPALIVE)
            .with_interval(KEEPALIVE);
        let tcp = TcpSettings::default().set_nodelay(true);
        let info = info.set_tcp_settings(tcp.set_keepalive(keepalive));
        // RESP3: messages come over the connection of the commands.
        let settings = info.redis_settings().clone();
        let database = settings.db();
        let info = info.set_redis_settings(settings.set_protocol(ProtocolVersion::RESP3));
        Ok(RedisStore {
            client: Client::open(info).map_err(Error::store)?,
            connection: RwLock::default(),
            sink: OnceLock::new(),
            names: Names::new("", schema.prefix, database),
            fence_life_ms: schema.max_load.as_millis() as u64,
            block_life_ms: schema.max_commit.as_millis() as u64,
            scripts: Scripts {
                connect: Script::new(include_str!("connect.lua")),
                fill: script(include_str!("fill.lua")),
                invalidate: script(include_str!("invalidate.lua")),
                block: Script::new(include_str!("block.lua")),
                tidy: script(include_str!("tidy.lua")),
            },
            leases: leases::Leases::new(),
            sizes: Arc::default(),
        })
    }

    /// Puts this before every name in Redis, in front of the `prefix` of `cache.toml`: for what is known only at run time, such as
    /// the tenant whose schema or database this cache reads. What reads from two databases needs two. End it with a character
    /// like `:`.
    #[must_use]
    pub fn prefix(self, prefix: &str) -> RedisStore {
        let database = self.client.get_connection_info().redis_settings().db();
        RedisStore {
            names: Names::new(prefix, self.names.of_schema, database),
            ..self
        }
    }

    fn connection(&self) -> Result<Connection, StoreError> {
        let connection = self
            .connection
            .read()
            .unwrap_or_else(PoisonError::into_inner);
        connection
            .clone()
            .ok_or_else(|| StoreError::away("not connected yet"))
    }

    async fn reconnect(&self, source: &str) -> Result<Connected, StoreError> {
        let heard = self.sink.get().cloned();
        let heard = heard.map(|sink| Heard::nothing_yet(sink, self.names.values.clone()));
        let channel = &self.names.channel;
        let sizes = self.sizes.clone();
        let connection = Connection::open(&self.client, source, channel, heard, sizes).await?;
        *self
            .connection
            .write()
            .unwrap_or_else(PoisonError::into_inner) = Some(connection.clone());
        self.find_epoch(connection, "").await
    }

    /// See `connect.lua`.
    async fn find_epoch(
        &self,
        mut connection: Connection,
        how: &str,
    ) -> Result<Connected, StoreError> {
        let mut line = connection.source.to_string();
        line.extend((line.len()..Epoch::LINE).map(|_| fastrand::alphanumeric()));
        let names = &self.names;
        let mut script = self.scripts.connect.prepare_invoke();
        for key in [&names.clock, &names.fences, &names.tags, &names.blocks] {
            script.key(key);
        }
        script
            .arg(line)
            .arg(&*connection.identity)
            .arg(how)
            .arg(self.block_life_ms)
            .arg(&names.channel);
        let asked = script.invoke_async(&mut connection.server);
        let (found, age_us, foreign): (String, f64, Vec<String>) =
            connection.patience.wait_for(0, asked).await?;
        if !foreign.is_empty() {
            tracing::warn!(
                ?foreign,
                "another program has put something else under names of the cache in Redis: replaced, and all that was stored is void\n\
                 help: give the cache a `prefix` of its own in cache.toml"
            );
        }
        let age = Duration::from_micros(age_us as u64);
        match found.as_str() {
            "new" => Ok(Connected::New),
            "same" => Ok(Connected::Same(age)),
            _ => Ok(Connected::Behind(age)),
        }
    }

    /// While in use: finds the epoch that another process has begun, or begins it.
    async fn renew_epoch(&self, how: &str) -> Result<(), StoreError> {
        let renewed = self.find_epoch(self.connection()?, how).await;
        // Its message comes as well, but perhaps not before this returns.
        if let Some(sink) = self.sink.get() {
            sink.forget_all();
        }
        match renewed? {
            Connected::Same(_) | Connected::New => Ok(()),
            Connected::Behind(_) => Err(StoreError::away("it has another server's memory")),
        }
    }

    async fn read_some(&self, keys: &[String]) -> Result<Read, StoreError> {
        if let Some(read) = self.try_read(keys).await? {
            return Ok(read);
        }
        // Somebody flushed the server.
        self.renew_epoch("").await?;
        self.try_read(keys)
            .await?
            .ok_or_else(|| StoreError::away("its clock does not last"))
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

    async fn fill_some(&self, token: Token, fills: &[Fill]) -> Result<Vec<bool>, StoreError> {
        let mut connection = self.connection()?;
        let largest = fills.iter().map(|fill| fill.value.len()).max();
        if largest.is_some_and(|bytes| bytes + Epoch::LINE > connection.largest) {
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
        let Connection {
            server, patience, ..
        } = &mut connection;
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

    async fn invalidate_some(&self, tags: &[Tag]) -> Result<(), StoreError> {
        let mut connection = self.connection()?;
        let sink = self.sink.get();
        let mut call = "first";
        loop {
            let mut script = self.scripts.invalidate.prepare_invoke();
            script
                .key(&self.names.clock)
                .key(&self.names.fences)
                .key(&self.names.tags);
            script
                .arg(self.fence_life_ms)
                .arg(SLICE)
                .arg(&self.names.index)
                .arg(call)
                .arg(&self.names.channel)
                .arg(if sink.is_some() { "tell" } else { "" })
                .arg(MOST_FENCES);
            for tag in tags {
                script.arg(tag.as_str());
            }
            call = "again";
            let asked = script.invoke_async(&mut connection.server);
            let answer = connection.patience.wait(0, asked).await?;
            let (done, deleted): (i64, Vec<String>) = match answer {
                Err(error) if is_foreign(&error) => return self.renew_epoch("").await,
                answer => answer.map_err(error)?,
            };
            // The message with them comes as well, but perhaps not before this returns.
            if let Some(sink) = sink {
                let keys = deleted.iter();
                let keys = keys.filter_map(|key| key.strip_prefix(&*self.names.values));
                keys.for_each(|key| sink.evicted(key));
            }
            match done {
                1 => return Ok(()),
                0 => {}
                // In a new epoch nothing stored or loaded before is valid: all is invalidated.
                _ => return self.renew_epoch("").await,
            }
        }
    }

    /// See `block.lua`; a life of zero unblocks.
    async fn block_for(&self, writer: i64, tags: &[Tag], life: Duration) -> Result<(), StoreError> {
        for tags in tags.chunks(TAGS_PER_CALL) {
            let mut script = self.scripts.block.prepare_invoke();
            script.key(&self.names.clock).key(&self.names.blocks);
            script.arg(writer).arg(life.as_millis() as u64);
            for tag in tags {
                script.arg(tag.as_str());
            }
            let mut connection = self.connection()?;
            let asked = script.invoke_async(&mut connection.server);
            match connection.patience.wait(0, asked).await? {
                Ok(1) => {}
                Err(failed) if !is_foreign(&failed) => return Err(error(failed)),
                // A new epoch blocks everything for as long.
                Ok(_) | Err(_) => return self.renew_epoch("").await,
            }
        }
        Ok(())
    }
}

impl Store for RedisStore {
    fn name(&self) -> &'static str {
        "redis"
    }

    fn keep_told(&self, sink: InvalidationSink) {
        // Once.
        let _ = self.sink.set(sink);
    }

    fn connect<'a>(&'a self, source: &'a str) -> Reply<'a, Connected> {
        Box::pin(self.reconnect(source))
    }

    fn place(&self) -> i64 {
        let server = self.connection().map(|connection| connection.identity);
        // One server may hold several lines of values, in its logical databases and under several prefixes. The channel says
        // which of them this is; what is told to one is not told to the others.
        let line = [server.as_deref().unwrap_or_default(), &self.names.channel];
        model::fnv(model::FNV, line.join(" ").as_bytes()) as i64
    }

    fn check(&self) -> Reply<'_, ()> {
        Box::pin(async { self.connection()?.check().await })
    }

    fn adopt(&self) -> Reply<'_, ()> {
        Box::pin(self.renew_epoch("adopt"))
    }

    fn read<'a>(&'a self, keys: &'a [String]) -> Reply<'a, Read> {
        Box::pin(async move {
            let (first, rest) = keys.split_at(keys.len().min(KEYS_PER_READ));
            let mut read = self.read_some(first).await?;
            for keys in rest.chunks(KEYS_PER_READ) {
                append(&mut read, self.read_some(keys).await?);
            }
            Ok(read)
        })
    }

    fn claim<'a>(&'a self, keys: &'a [String], claimant: u64, life: Duration) -> Reply<'a, Claim> {
        Box::pin(self.claim_all(keys, claimant, life))
    }

    fn release<'a>(&'a self, keys: &'a [String], claimant: u64) -> Reply<'a, ()> {
        Box::pin(self.release_all(keys, claimant))
    }

    fn fill<'a>(&'a self, token: Token, fills: &'a [Fill]) -> Reply<'a, Vec<bool>> {
        Box::pin(async move {
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
        })
    }

    fn invalidate<'a>(&'a self, tags: &'a [Tag]) -> Reply<'a, ()> {
        Box::pin(async move {
            for tags in tags.chunks(TAGS_PER_CALL) {
                self.invalidate_some(tags).await?;
            }
            Ok(())
        })
    }

    fn clear(&self) -> Reply<'_, ()> {
        Box::pin(self.renew_epoch("void"))
    }

    fn tidy(&self) -> Reply<'_, bool> {
        Box::pin(async {
            let (mut connection, names) = (self.connection()?, &self.names);
            let mut script = self.scripts.tidy.prepare_invoke();
            script.key(&names.fences).key(&names.tags);
            script.arg(self.fence_life_ms).arg(&names.index).arg(SLICE);
            let asked = script.invoke_async(&mut connection.server);
            connection.patience.wait_for(0, asked).await
        })
    }

    fn block<'a>(&'a self, writer: i64, tags: &'a [Tag], life: Duration) -> Reply<'a, ()> {
        Box::pin(self.block_for(writer, tags, life))
    }

    fn unblock<'a>(&'a self, writer: i64, tags: &'a [Tag]) -> Reply<'a, ()> {
        Box::pin(self.block_for(writer, tags, Duration::ZERO))
    }
}

impl fmt::Debug for RedisStore {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RedisStore")
            .field("clock", &self.names.clock)
            .finish_non_exhaustive()
    }
}

/// Keeps the first token, which is from before all of the values, and those of its epoch.
fn append(read: &mut Read, more: Read) {
    let same_epoch = more.token.epoch == read.token.epoch;
    let values = more.values.into_iter();
    read.values
        .extend(values.map(|value| value.filter(|_| same_epoch)));
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

fn error(error: redis::RedisError) -> StoreError {
    StoreError::away(error)
}

/// Whether somebody has put another thing under a name of ours. The next `connect.lua` replaces it.
fn is_foreign(error: &redis::RedisError) -> bool {
    let all = error.clone().into_server_errors();
    all.is_some_and(|all| all.iter().any(|(_, error)| error.code() == "WRONGTYPE"))
}

/// A server that answers a fill with an error (out of memory, say) does not store it, and may be well otherwise.
fn fill_error(error: redis::RedisError) -> StoreError {
    match error.kind() {
        // It has become a replica.
        ErrorKind::Server(ServerErrorKind::ReadOnly) => StoreError::away(error),
        ErrorKind::Server(_) | ErrorKind::Extension => StoreError::refused(error),
        _ => StoreError::away(error),
    }
}
