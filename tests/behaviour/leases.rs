//! Claims on a real server: the suite of stores that processes share,
//! and what only a Redis can do to a lease.

use std::time::Duration;

use cache_runtime::store::conformance;
use cache_runtime::{RedisStore, Schema, Store};
use example_app::SCHEMA;
use libtest_mimic::Trial;

use crate::harness::{Redis, servers};

const LONG: Duration = Duration::from_secs(600);

pub fn trials() -> Vec<Trial> {
    vec![
        trial("redis::two_stores_on_it_share_claims", two_stores_share_claims),
        trial(
            "redis::a_server_that_takes_no_writes_lets_everybody_load",
            a_server_that_takes_no_writes_lets_everybody_load,
        ),
        trial("redis::a_flush_forgets_claims", a_flush_forgets_claims),
        trial(
            "redis::what_else_is_under_a_key_or_a_lease_is_claimed",
            what_else_is_under_a_key_or_a_lease_is_claimed,
        ),
    ]
}

fn trial<F: Future<Output = ()>>(name: &str, tell: impl Fn() -> F + Send + 'static) -> Trial {
    Trial::test(name, move || {
        tokio::runtime::Runtime::new()?.block_on(tell());
        Ok(())
    })
}

async fn two_stores_share_claims() {
    conformance::run_shared(async |schema| {
        let server = servers::redis();
        let database = server.database();
        [(); 2].map(|()| store(server, database, schema))
    })
    .await;
}

/// It takes no values either: nobody has to wait for one.
async fn a_server_that_takes_no_writes_lets_everybody_load() {
    let server = Redis::own();
    let store = connected(&server, 0).await;
    for (refuse, accept) in
        [("maxmemory 1", "maxmemory 0"), ("min-replicas-to-write 1", "min-replicas-to-write 0")]
    {
        let config = format!("CONFIG SET {refuse}");
        command(&server, 0, &config).await;
        assert!(claims(&store, 1).await, "{refuse}");
        assert!(claims(&store, 2).await, "{refuse}");
        store.release(&key(), 1).await.expect("no lease to release");
        command(&server, 0, &format!("CONFIG SET {accept}")).await;

        assert!(claims(&store, 1).await, "{accept}");
        command(&server, 0, &config).await;
        // Its lease ends by itself, if it cannot be deleted.
        store.release(&key(), 1).await.expect("a lease that stays is no error");
        command(&server, 0, &format!("CONFIG SET {accept}")).await;
        store.release(&key(), 1).await.expect("release");
    }
}

async fn a_flush_forgets_claims() {
    let server = servers::redis();
    let database = server.database();
    let store = connected(server, database).await;
    let before = store.read(&[]).await.expect("read").token;
    assert!(claims(&store, 1).await);
    assert!(!claims(&store, 2).await);
    command(server, database, "FLUSHDB").await;
    let claim = store.claim(&key(), 2, LONG).await.expect("claim");
    assert_eq!(claim.claimed, [true]);
    assert_ne!(claim.read.token.epoch, before.epoch);
}

async fn what_else_is_under_a_key_or_a_lease_is_claimed() {
    let server = servers::redis();
    let database = server.database();
    let store = connected(server, database).await;
    for put in ["SET plio_1 another's", "HSET plio_1 a 1", "HSET cache:lease:plio_1 a 1"] {
        command(server, database, put).await;
        let claim = store.claim(&key(), 1, LONG).await.expect("claim");
        assert_eq!(claim.read.values, [None], "{put}");
        assert_eq!(claim.claimed, [true], "{put}");
        store.release(&key(), 1).await.expect("release");
        command(server, database, "DEL plio_1").await;
    }
    // A lease of somebody who says so for ever.
    command(server, database, "DEL cache:lease:plio_1").await;
    assert!(claims(&store, 1).await);
    let life: i64 = answer(server, database, "PTTL cache:lease:plio_1").await;
    assert!(life > 0, "a lease that does not end: {life}");
}

fn store(server: &Redis, database: u32, schema: &Schema) -> RedisStore {
    RedisStore::new(&server.url(database), schema).expect("a URL of Redis")
}

async fn connected(server: &Redis, database: u32) -> RedisStore {
    let store = store(server, database, &SCHEMA);
    store.connect("one").await.expect("connect");
    store
}

async fn claims(store: &RedisStore, claimant: u64) -> bool {
    let claim = store.claim(&key(), claimant, LONG).await.expect("claim");
    assert_eq!(claim.read.values, [None]);
    claim.claimed == [true]
}

fn key() -> [String; 1] {
    ["plio_1".to_owned()]
}

async fn command(server: &Redis, database: u32, words: &str) {
    let _: redis::Value = answer(server, database, words).await;
}

async fn answer<T: redis::FromRedisValue>(server: &Redis, database: u32, words: &str) -> T {
    let client = redis::Client::open(server.url(database)).expect("a URL of Redis");
    let mut connection = client.get_multiplexed_async_connection().await.expect("Redis runs");
    let mut words = words.split(' ');
    let mut command = redis::cmd(words.next().unwrap_or_default());
    command.arg(words.collect::<Vec<_>>());
    command.query_async(&mut connection).await.expect("an answer")
}
