//! What fills it: values that nobody reads twice, and some that are read all the time.

use std::time::Duration;

use cache_runtime::store::{Fill, Read};
use cache_runtime::{RedisStore, Store, Tag};
use example_app::SCHEMA;
use redis::aio::MultiplexedConnection;

use crate::harness::Redis;

/// Longer than a trial takes.
const LONG: Duration = Duration::from_secs(600);

/// How many values are offered at once.
const BATCH: u64 = 100;
/// How many are read all the time, and how many of them after every batch.
const HOT: u64 = 200;
const LOOKS: u64 = 20;
/// How often it may be slow to answer.
const TRIES: u32 = 20;

/// A full server, and what is done to it.
pub(super) struct Full {
    server: Redis,
    pub(super) store: RedisStore,
    maxmemory: u64,
    pub(super) life: Duration,
    pub(super) bytes: usize,
    next: u64,
}

/// How one generation of values went.
#[derive(Debug)]
pub(super) struct Went {
    /// The share of the values that could be read right after they were offered.
    pub(super) kept: f64,
    /// The share of the looks at hot values, in the second half, that were hits.
    pub(super) hot: f64,
}

/// What there is beside the values.
#[derive(Debug)]
pub(super) struct Edges {
    /// Of the memory that it may use.
    pub(super) share: f64,
    /// For one that is there; without dead ones it is one for each tag.
    pub(super) of_a_value: f64,
}

impl Full {
    pub(super) async fn new(policy: &str, megabytes: u64) -> Full {
        let server = Redis::own();
        let maxmemory = megabytes << 20;
        for setting in [format!("maxmemory-policy {policy}"), format!("maxmemory {maxmemory}")] {
            server.command(&format!("CONFIG SET {setting}")).await;
        }
        let store = RedisStore::new(&server.url(0), &SCHEMA).expect("a URL of Redis");
        store.connect("one").await.expect("connected");
        Full { server, store, maxmemory, life: LONG, bytes: 1000, next: HOT }
    }

    /// Without edges, roughly; the server itself needs a megabyte.
    pub(super) fn values_that_fit(&self) -> u64 {
        (self.maxmemory - (1 << 20)) / self.bytes as u64
    }

    fn fill(&self, n: u64) -> Fill {
        let tags = [
            format!("plio#id={n}"),
            format!("item#plio_id={}", n % 1000),
            format!("organization#id={}", n % 10),
        ];
        Fill {
            key: format!("plio_{n}"),
            tags: tags.map(Tag::from_text).into(),
            value: vec![b'x'; self.bytes].into(),
            ttl: self.life,
            strict: false,
        }
    }

    /// Offers so many values that were never there before.
    pub(super) async fn generation(&mut self, values: u64) -> Went {
        let batches = values / BATCH;
        let (mut kept, mut looks, mut hits) = (0, 0, 0);
        for batch in 0..batches {
            let new = self.next..self.next + BATCH;
            self.next = new.end;
            self.offer(new.clone()).await;
            kept += self.there(new).await.len();
            let hot: Vec<u64> = (0..LOOKS).map(|_| fastrand::u64(..HOT)).collect();
            let there = self.there(hot.iter().copied()).await;
            if batch * 2 >= batches {
                looks += hot.len();
                hits += hot.iter().filter(|n| there.contains(n)).count();
            }
            self.offer(hot.into_iter().filter(|n| !there.contains(n))).await;
        }
        Went {
            kept: kept as f64 / (batches * BATCH) as f64,
            hot: hits as f64 / looks.max(1) as f64,
        }
    }

    /// It may refuse them.
    async fn offer(&self, values: impl Iterator<Item = u64>) {
        let fills: Vec<Fill> = values.map(|n| self.fill(n)).collect();
        let token = self.read(&[]).await.token;
        if let Err(error) = self.store.fill(token, &fills).await {
            let error = error.to_string();
            assert!(is_slow(&error) || error.contains("OOM"), "{error}");
        }
    }

    async fn read(&self, keys: &[String]) -> Read {
        for _ in 0..TRIES {
            match self.store.read(keys).await {
                Ok(read) => return read,
                Err(error) => assert!(is_slow(&error.to_string()), "{error}"),
            }
        }
        panic!("Redis does not answer");
    }

    async fn there(&self, values: impl Iterator<Item = u64>) -> Vec<u64> {
        let values: Vec<u64> = values.collect();
        let keys: Vec<String> = values.iter().map(|n| format!("plio_{n}")).collect();
        let read = self.read(&keys).await.values;
        let found = values.into_iter().zip(read);
        found.filter_map(|(n, value)| value.map(|_| n)).collect()
    }

    /// Begins a new epoch.
    pub(super) async fn clear(&self) {
        for _ in 0..TRIES {
            match self.store.clear().await {
                Ok(()) => return,
                Err(error) => assert!(is_slow(&error.to_string()), "{error}"),
            }
        }
        panic!("Redis does not answer");
    }

    async fn connection(&self) -> MultiplexedConnection {
        let client = redis::Client::open(self.server.url(0)).expect("a URL of Redis");
        (client.get_multiplexed_async_connection().await).expect("Redis runs")
    }

    /// How many tags are blocked, or were.
    pub(super) async fn blocks(&self) -> u64 {
        let mut length = redis::cmd("HLEN");
        length.arg("cache:blocks");
        let answer = length.query_async(&mut self.connection().await).await;
        answer.expect("a number")
    }

    pub(super) async fn is_blocked(&self, tag: &Tag) -> bool {
        let mut exists = redis::cmd("HEXISTS");
        exists.arg("cache:blocks").arg(tag.as_str());
        let answer = exists.query_async(&mut self.connection().await).await;
        answer.expect("whether")
    }

    pub(super) async fn edges(&self) -> Edges {
        let mut connection = self.connection().await;
        let counted = redis::Script::new(COUNT);
        let counted = counted.invoke_async(&mut connection).await;
        let (edges, of_edges, values): (f64, f64, f64) = counted.expect("counted");
        Edges { share: of_edges / self.maxmemory as f64, of_a_value: edges / values.max(1.0) }
    }
}

/// So is a machine that does too much else; and `allkeys-lfu`
/// evicts the clock as soon as it is there.
fn is_slow(error: &str) -> bool {
    error.contains("timed out") || error.contains("does not last")
}

/// How many edges there are, and their bytes; how many values.
const COUNT: &str = "
local edges, of_edges, values = 0, 0, 0
for _, key in ipairs(redis.call('KEYS', '*')) do
  if key:sub(1, 6) ~= 'cache:' then
    values = values + 1
  else
    of_edges = of_edges + (redis.call('MEMORY', 'USAGE', key) or 0)
    if key:sub(1, 12) == 'cache:index:' then
      edges = edges + redis.call('ZCARD', key)
    end
  end
end
return {edges, of_edges, values}
";
