//! A disk that is full (SQLite): what cannot be written is an error,
//! and with room again everything is as before.

use cache_runtime::MemoryStore;
use ledger::Base;
use sqlx::sqlite::{SqlitePoolOptions, SqliteRow};
use sqlx::{Executor, Pool, Row, Sqlite};

use super::bank::{BUSY, Bank, Branch, story};
use crate::harness::Story;

/// Connections of the pool.
const CONNECTIONS: u32 = 3;

pub fn stories() -> Vec<Story> {
    vec![
        story!(sqlite: a_full_disk_breaks_no_connection).in_memory(),
        story!(sqlite: a_full_memory_keeps_what_is_in_it).in_memory(),
    ]
}

/// Room for nothing more, or for a lot. Every connection has its own limit.
async fn room(pool: &Pool<Sqlite>, is_there: bool) {
    let mut all = Vec::new();
    for _ in 0..pool.options().get_max_connections() {
        all.push(pool.acquire().await.expect("a connection"));
    }
    for connection in &mut all {
        let sql = match is_there {
            true => "PRAGMA max_page_count = 1000000",
            // It is never less than there are.
            false => "PRAGMA max_page_count = 1",
        };
        connection.execute(sql).await.expect("set");
    }
}

async fn a_full_disk_breaks_no_connection(bank: Bank<Sqlite>) {
    let pool = Sqlite::pool(bank.url(), CONNECTIONS);
    let branch = bank.branch_on(&pool, &BUSY, |builder| builder.relay(false)).await;
    tries(&branch, &pool).await;
}

/// Of a database that is in memory, and gone with its one connection.
async fn a_full_memory_keeps_what_is_in_it(_: Bank<Sqlite>) {
    let pool = SqlitePoolOptions::new()
        .max_connections(1)
        .idle_timeout(None)
        .max_lifetime(None)
        .connect_lazy("sqlite::memory:")
        .expect("an address");
    Sqlite::set_up(&pool).await.expect("tables and triggers");
    pool.execute("INSERT INTO note (id, slug, text) VALUES ('n', 'n', 'old')").await.expect("run");
    let builder = cache_runtime::Cache::builder(pool.clone(), &BUSY).outbox(&pool);
    let branch = Branch::open(builder.relay(false).store(MemoryStore::new(&BUSY)), false).await;
    branch.cache.deliver_pending().await.expect("drained");
    tries(&branch, &pool).await;
}

async fn tries(branch: &Branch<Sqlite>, pool: &Pool<Sqlite>) {
    for round in 0..4 {
        room(pool, false).await;
        let big = "x".repeat(200_000);
        let many = format!(
            "INSERT INTO note (id, text) VALUES ('{round}', '{big}');
             UPDATE note SET text = 'new {round}' WHERE id = 'n'"
        );
        for how in 0..2 * CONNECTIONS {
            let mut tx = branch.begin().await;
            let run = async {
                for sql in many.split(";\n") {
                    tx.execute(sqlx::AssertSqlSafe(sql)).await?;
                }
                Ok::<_, sqlx::Error>(())
            };
            let run = run.await;
            let error = match (run, how % 3) {
                (Ok(()), _) => tx.commit().await.expect_err("no room").into(),
                (Err(error), 0) => {
                    drop(tx);
                    error
                }
                (Err(error), 1) => {
                    // It may say that there is nothing to be undone.
                    let _ = tx.rollback().await;
                    error
                }
                // A handler that has not seen it.
                (Err(error), _) => {
                    let _ = tx.commit().await;
                    error
                }
            };
            assert!(error.to_string().contains("full"), "{error}");
        }
        let said = branch.text("n").await;
        let before = match round {
            0 => "old".to_owned(),
            _ => format!("written {}", round - 1),
        };
        assert_eq!(said, Some(before), "wrong answer");

        room(pool, true).await;
        for _ in 0..2 * CONNECTIONS {
            let write = format!("UPDATE note SET text = 'written {round}' WHERE id = 'n'");
            branch.write(&write).await.expect("committed");
        }
        let said = branch.text("n").await;
        assert_eq!(said, Some(format!("written {round}")), "wrong answer");
        let count = pool.fetch_one("SELECT count(*) FROM note WHERE id = 'n'");
        let count: SqliteRow = count.await.expect("counted");
        assert_eq!(count.get::<i64, _>(0), 1);
    }
}
