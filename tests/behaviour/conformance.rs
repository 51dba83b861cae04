//! The store in Redis keeps the protocol: the suite that every store passes, on a real server; and
//! what only a store can be that has moved to another server.

use std::time::Duration;

use cache_runtime::store::conformance;
use cache_runtime::store::{Connected, Fill, Token};
use cache_runtime::{RedisStore, Schema, Store, Tag};
use ledger::SCHEMA;
use libtest_mimic::Trial;

use crate::harness::{Redis, servers};

pub fn trials() -> [Trial; 2] {
    macro_rules! trial {
        ($test:ident) => {
            Trial::test(concat!("redis::", stringify!($test)), || {
                tokio::runtime::Runtime::new()?.block_on($test());
                Ok(())
            })
        };
    }
    [trial!(the_store_conforms), trial!(a_server_that_is_behind_stays_so_until_it_is_adopted)]
}

async fn the_store_conforms() {
    let server = servers::redis();
    conformance::run(async |schema| new(&server.url(server.database()), schema)).await;
}

fn new(url: &str, schema: &Schema) -> RedisStore {
    RedisStore::new(url, schema).expect("a URL of Redis")
}

async fn a_server_that_is_behind_stays_so_until_it_is_adopted() {
    let primary = Redis::own();
    let old = new(&primary.url(0), &SCHEMA);
    old.connect("source").await.expect("connected");
    assert!(fill(&old, token(&old).await, "before").await, "it is stored");
    let replica = primary.replica();
    replica.has_caught_up_with(&primary).await;
    replica.detach().await;
    // A load begins, and what it has read is written to: of that the replica does not know.
    let token_of_before = token(&old).await;
    invalidate(&old, "one").await;

    let new = new(&replica.url(0), &SCHEMA);
    let missed = behind(new.connect("source").await.expect("connected"));
    // Its clock goes on while it is told, which is no reason to be told
    // less, should this process not come to the end;
    invalidate(&new, "another").await;
    let still = behind(new.connect("source").await.expect("connected"));
    assert!(still >= missed, "it missed {missed:?}, and then only {still:?}");
    // nor to take what it refused before.
    assert!(
        !fill(&new, token_of_before, "late").await,
        "it takes what was loaded before it was told"
    );
    assert!(new.read(&[]).await.is_err(), "it is read from");

    invalidate(&new, "one").await;
    new.adopt().await.expect("adopted");
    let read = new.read(&["before".to_owned(), "late".to_owned()]).await;
    assert_eq!(read.expect("read").values, [None, None]);
    assert!(fill(&new, token(&new).await, "after").await, "it is stored");
    let again = new.connect("source").await.expect("connected");
    assert!(matches!(again, Connected::Same(_)), "{again:?}");
}

async fn token(store: &RedisStore) -> Token {
    store.read(&[]).await.expect("read").token
}

async fn fill(store: &RedisStore, token: Token, key: &str) -> bool {
    let fill = Fill {
        key: key.to_owned(),
        tags: vec![Tag::from_text("one")],
        value: b"value".as_slice().into(),
        ttl: Duration::from_secs(600),
        strict: false,
    };
    store.fill(token, &[fill]).await.expect("an answer") == [true]
}

async fn invalidate(store: &RedisStore, tag: &str) {
    let tags = [Tag::from_text(tag)];
    store.invalidate(&tags).await.expect("invalidated");
}

fn behind(connected: Connected) -> Duration {
    match connected {
        Connected::Behind(since) => since,
        other => panic!("it is {other:?}"),
    }
}
