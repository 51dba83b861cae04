//! Two databases, one Redis, one `cache.toml`: each cache has a prefix that is
//! known at run time only, such as its tenant's.

use cache_runtime::{Cache, RedisStore};
use ledger::{Base, Fact};
use sqlx::Pool;

use super::bank::{BUSY, Bank, Branch, story};
use crate::harness::Story;
use crate::harness::setup::{Database, OwnDatabase};
use crate::harness::soon::{A_PASS, Soon};

pub fn stories() -> Vec<Story> {
    vec![story!(a_prefix_at_run_time_keeps_tenants_apart).on_redis()]
}

async fn tenant<DB: Base>(bank: &Bank<DB>, pool: &Pool<DB>, name: &str) -> Branch<DB> {
    let store = RedisStore::new(&bank.redis().url(), &BUSY).expect("a URL");
    let store = store.prefix(&format!("{name}:"));
    let builder = Cache::builder(pool.clone(), &BUSY).outbox(pool);
    Branch::open(builder.store(store), true).await
}

async fn a_prefix_at_run_time_keeps_tenants_apart<DB: Base>(bank: Bank<DB>) {
    let kind = if bank.is_postgres() { Database::Postgres } else { Database::Sqlite };
    let database = tokio::task::block_in_place(|| OwnDatabase::empty(kind));
    let other = DB::pool(&database.url, 5);
    DB::set_up(&other).await.expect("tables and triggers");
    let fill = async |pool: &Pool<DB>, text: &str| {
        let mut connection = pool.acquire().await.expect("connected");
        for sql in [
            format!("INSERT INTO note (id, slug, text) VALUES ('t', 't', '{text}')"),
            format!("INSERT INTO fact (id, slug, text, weight) VALUES (1, 'f', '{text}', 1)"),
        ] {
            DB::run(&mut connection, &sql, Vec::new()).await.expect("run");
        }
    };
    fill(bank.pool(), "of acme").await;
    fill(&other, "of initech").await;

    let acme = tenant(&bank, bank.pool(), "acme").await;
    let again = tenant(&bank, bank.pool(), "acme").await;
    let initech = tenant(&bank, &other, "initech").await;
    let fact = async |branch: &Branch<DB>| {
        let fact = Fact::get(&branch.cache, 1).await.expect("loaded");
        fact.expect("there").text.clone()
    };
    for _ in 0..3 {
        for branch in [&acme, &again] {
            assert_eq!(branch.text("t").await.as_deref(), Some("of acme"));
            assert_eq!(fact(branch).await, "of acme");
        }
        assert_eq!(initech.text("t").await.as_deref(), Some("of initech"));
        assert_eq!(fact(&initech).await, "of initech");
    }
    assert!(acme.hits("note_t") > 0 && initech.hits("note_t") > 0);
    let keys = bank.keys().await;
    for prefix in ["acme", "initech"] {
        for name in ["note_t", "cache:clock", "cache:index:note#id=t"] {
            let name = format!("{prefix}:{name}");
            assert_eq!(keys.like(&name).await.len(), 1, "{name}");
        }
    }
    // A near value hears of it, in this process and in another.
    let write =
        "UPDATE note SET text = 'new' WHERE id = 't'; UPDATE fact SET text = 'new' WHERE id = 1";
    for sql in write.split("; ") {
        acme.write(sql).await.expect("committed");
    }
    assert_eq!(acme.text("t").await.as_deref(), Some("new"), "wrong answer");
    assert_eq!(fact(&acme).await, "new", "wrong answer");
    let soon = Soon::within(A_PASS);
    while again.text("t").await.as_deref() != Some("new") || fact(&again).await != "new" {
        soon.at_once_or("wrong answer: old");
        tokio::task::yield_now().await;
    }
    assert_eq!(initech.text("t").await.as_deref(), Some("of initech"));
    drop(initech);
    other.close().await;
    tokio::task::block_in_place(|| drop(database));
}
