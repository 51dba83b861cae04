//! The store in Redis 7 (or Valkey), for services of several processes.
//!
//! | key | what |
//! | --- | --- |
//! | the value's own, `plio_1` | the lineage it belongs to (14 bytes), then the bytes of `entry.rs`; expires |
//! | `cache:clock` | `epoch:clock`; the epoch is a lineage of values and the identity of the server that holds it; a lineage begins with the identity of the database |
//! | `cache:fences` | sorted set: the tags invalidated lately, by the clock of that; `#` stands for all, when they were too many |
//! | `cache:tags` | sorted set: the tags that have an index, by when the last value in it has expired, and the lineage |
//! | `cache:index:<tag>` | sorted set: the keys built from the tag, by expiry and lineage |
//! | `cache:invalidations:<database>` | channel: what is deleted, or was evicted, for the near caches |
//! | `cache:blocks` | hash: of each blocked tag the writers and their deadlines |
//! | `cache:lease:<key>` | who has claimed the key; expires |
//!
//! All of them after the prefix of `cache.toml`. A value of another lineage than the clock's is a
//! miss: to begin one is to void everything at once. A connection serves only what is of an epoch
//! of its own server: a server that became another's replica, or was given its memory, is not what
//! it was.
//!
//! Only values and leases expire, so a server with `maxmemory-policy` `noeviction` or `volatile-*`
//! evicts nothing else; an evicted lease is harmless, somebody loads once more. One with
//! `allkeys-*` may evict an edge. That is noticed whenever something touches the edge (`cache:tags`
//! has the tag, but there is no index; a set has lost its sentinel), and voids everything: right,
//! but a pity.
//!
//! An evicted value leaves its edges behind. Fills tidy: see `fill.lua`. What has expired goes
//! without them: `tidy.lua`.

use std::fmt;
use std::time::Duration;

use super::{Claim, Connected, Fill, InvalidationSink, Read, Reply, Store, Token};
use crate::error::Error;
use crate::model;
use crate::model::schema::Schema;
use crate::model::tag::Tag;

mod connection;
mod error;
mod invalidation;
mod leases;
mod messages;
mod names;
mod patience;
mod scripts;
mod server;
mod token;
mod values;

use server::Server;

/// Values in Redis, fences and indexes beside them.
pub struct RedisStore(Server);

impl RedisStore {
    /// A store at a URL such as `redis://127.0.0.1:6379/0`. Connects when the cache is built, and
    /// again by itself whenever the server was away.
    ///
    /// # Errors
    /// When the URL is not one of Redis. Its text is not in the error: it may hold a password.
    pub fn new(url: &str, schema: &Schema) -> Result<RedisStore, Error> {
        Server::new(url, schema).map(RedisStore)
    }

    /// Puts this before every name in Redis, in front of the `prefix` of `cache.toml`: for what is
    /// known only at run time, such as the tenant whose schema or database this cache reads. What
    /// reads from two databases needs two. End it with a character like `:`.
    #[must_use]
    pub fn prefix(self, prefix: &str) -> RedisStore {
        RedisStore(self.0.prefixed(prefix))
    }
}

impl Store for RedisStore {
    fn name(&self) -> &'static str {
        "redis"
    }

    fn keep_told(&self, sink: InvalidationSink) {
        // Once.
        let _ = self.0.sink.set(sink);
    }

    fn connect<'a>(&'a self, source: &'a str) -> Reply<'a, Connected> {
        Box::pin(self.0.reconnect(source))
    }

    fn place(&self) -> i64 {
        let server = self.0.connection().map(|connection| connection.identity);
        // One server may hold several lineages of values, in its logical databases and under
        // several prefixes. The channel says which of them this is; what is told to one is not told
        // to the others.
        let lineage = [server.as_deref().unwrap_or_default(), &self.0.names.channel];
        model::fnv(model::FNV, lineage.join(" ").as_bytes()) as i64
    }

    fn check(&self) -> Reply<'_, ()> {
        Box::pin(async { self.0.connection()?.check().await })
    }

    fn adopt(&self) -> Reply<'_, ()> {
        Box::pin(self.0.renew_epoch("adopt"))
    }

    fn read<'a>(&'a self, keys: &'a [String]) -> Reply<'a, Read> {
        Box::pin(self.0.read(keys))
    }

    fn claim<'a>(&'a self, keys: &'a [String], claimant: u64, life: Duration) -> Reply<'a, Claim> {
        Box::pin(self.0.claim_all(keys, claimant, life))
    }

    fn release<'a>(&'a self, keys: &'a [String], claimant: u64) -> Reply<'a, ()> {
        Box::pin(self.0.release_all(keys, claimant))
    }

    fn fill<'a>(&'a self, token: Token, fills: &'a [Fill]) -> Reply<'a, Vec<bool>> {
        Box::pin(self.0.fill(token, fills))
    }

    fn invalidate<'a>(&'a self, tags: &'a [Tag]) -> Reply<'a, Token> {
        Box::pin(self.0.invalidate(tags))
    }

    fn clear(&self) -> Reply<'_, ()> {
        Box::pin(self.0.renew_epoch("void"))
    }

    fn tidy(&self) -> Reply<'_, bool> {
        Box::pin(self.0.tidy())
    }

    fn block<'a>(&'a self, writer: i64, tags: &'a [Tag], life: Duration) -> Reply<'a, ()> {
        Box::pin(self.0.block_for(writer, tags, life))
    }

    fn unblock<'a>(&'a self, writer: i64, tags: &'a [Tag]) -> Reply<'a, ()> {
        Box::pin(self.0.block_for(writer, tags, Duration::ZERO))
    }
}

impl fmt::Debug for RedisStore {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RedisStore").field("clock", &self.0.names.clock).finish_non_exhaustive()
    }
}
