//! Strict: a writer that freezes between its block and its COMMIT
//! for so long that the block may end before.

use std::sync::Arc;
use std::time::Duration;

use ledger::{Base, SCHEMA};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::Notify;

use super::bank::{Bank, Branch, schema_with, story};
use super::strict::{Register, is_stored_again};
use crate::harness::Story;

/// A third of it is what a writer may take to block, and another
/// what PostgreSQL then waits for COMMIT.
const MAX_COMMIT: Duration = Duration::from_millis(1500);

pub fn stories() -> Vec<Story> {
    vec![
        story!(a_writer_frozen_when_it_blocks_does_not_commit),
        story!(a_client_frozen_before_commit_does_not_commit).on_postgres().on_redis(),
    ]
}

async fn a_writer_frozen_when_it_blocks_does_not_commit<DB: Base>(bank: Bank<DB>) {
    let schema = schema_with(MAX_COMMIT);
    let writer = bank.branch_with(schema, |builder| builder).await;
    let readers = [writer.clone()];
    Register::Account.says(&readers, "warm", 0).await;

    let blocked = writer.events.hold_before_commit();
    let write = writer.write_meanwhile(Register::Account.write());
    blocked.reached().await;
    tokio::time::sleep(MAX_COMMIT / 2).await;
    blocked.release();

    let error = write.await.expect("no panic").expect_err("not committed");
    let error = error.to_string();
    assert!(error.contains("it took too long to block"), "{error}");
    let version = bank.number("SELECT version FROM account").await;
    assert_eq!(version, 0, "nothing is committed");
    is_stored_again(&readers, Register::Account, 0).await;
    writer.write(Register::Account.write()).await.expect("the next one is in time");
    is_stored_again(&readers, Register::Account, 1).await;
}

async fn a_client_frozen_before_commit_does_not_commit<DB: Base>(bank: Bank<DB>) {
    // The writer's COMMIT is stopped on its way.
    let frozen = Frozen::before(&bank).await;
    let pool = DB::pool(&frozen.url, 2);
    let schema = schema_with(MAX_COMMIT);
    let builder = cache_runtime::Cache::builder(pool.clone(), schema).outbox(&pool);
    let store = cache_runtime::RedisStore::new(&bank.redis().url(), schema).expect("a URL");
    let writer = Branch::open(builder.store(store), true).await;
    let readers = [(*bank).clone()];
    Register::Account.says(&readers, "warm", 0).await;

    let write = writer.write_meanwhile(Register::Account.write());
    frozen.reached.notified().await;
    Register::Account.says(&readers, "before COMMIT", 0).await;
    assert!(bank.fills("account_a", false) > 0, "it is blocked");
    // The block ends, and it is stored; so nobody may commit any more.
    while bank.fills("account_a", true) < 2 {
        Register::Account.says(&readers, "blocked", 0).await;
    }
    frozen.thaw.notify_one();

    write.await.expect("no panic").expect_err("not committed");
    let version = bank.number("SELECT version FROM account").await;
    assert_eq!(version, 0, "wrong answer: it is committed");
    Register::Account.says(&readers, "in the end", 0).await;
    assert!(SCHEMA.max_commit > MAX_COMMIT);
}

/// A way to the database on which a COMMIT freezes until it is thawed.
struct Frozen {
    url: String,
    reached: Arc<Notify>,
    thaw: Arc<Notify>,
}

impl Frozen {
    async fn before<DB: Base>(bank: &Bank<DB>) -> Self {
        let (head, rest) = bank.url().split_once('@').expect("user@host");
        let (server, database) = rest.split_once('/').expect("host/database");
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let here = listener.local_addr().expect("an address");
        let frozen = Self {
            url: format!("{head}@{here}/{database}"),
            reached: Arc::default(),
            thaw: Arc::default(),
        };
        let (reached, thaw) = (frozen.reached.clone(), frozen.thaw.clone());
        let server = server.to_owned();
        tokio::spawn(async move {
            while let Ok((client, _)) = listener.accept().await {
                let server = TcpStream::connect(&server).await.expect("the database");
                tokio::spawn(pass(client, server, reached.clone(), thaw.clone()));
            }
        });
        frozen
    }
}

async fn pass(client: TcpStream, server: TcpStream, reached: Arc<Notify>, thaw: Arc<Notify>) {
    let (mut from_client, mut to_client) = client.into_split();
    let (mut from_server, mut to_server) = server.into_split();
    tokio::spawn(async move {
        drop(tokio::io::copy(&mut from_server, &mut to_client).await);
    });
    let mut bytes = vec![0; 64 * 1024];
    while let Ok(length @ 1..) = from_client.read(&mut bytes).await {
        let sent = &bytes[..length];
        if sent.windows(6).any(|word| word == b"COMMIT") {
            reached.notify_one();
            thaw.notified().await;
        }
        if to_server.write_all(sent).await.is_err() {
            return;
        }
    }
}
