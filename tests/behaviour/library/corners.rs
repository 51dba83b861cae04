//! Corners that somebody looked into who wanted to break it: loads in loads, drops, cancelled
//! beginnings, clocks of several settings, dumps.

use std::path::Path;
use std::process::Command;
use std::sync::{Arc, Mutex, OnceLock};
use std::time::{Duration, Instant};

use cache_runtime::{
    BoxError, Cache, Event, Load, LoadContext, MemoryStore, RedisStore, Schema, Store, Tag,
    Verdict, store::Fill,
};
use ledger::{Base, Digest, Fact, Note, Quote, Report, SCHEMA};
use servers::find;
use sqlx::Pool;
use tokio::task::JoinSet;

use super::bank::{BUSY, Bank, story};
use crate::harness::Story;
use crate::harness::soon::{RETURN, Soon};

pub fn stories() -> Vec<Story> {
    vec![
        story!(nested_reads_beside_each_other_are_verified),
        story!(a_loader_with_its_own_cache_has_a_turn),
        story!(dropped_outside_of_a_runtime),
        story!(many_cancelled_begins),
        story!(in_memory_a_begin_that_is_dropped).on_sqlite().in_memory(),
        story!(in_memory_a_load_that_is_given_up).on_sqlite().in_memory(),
        story!(fences_outlive_the_longest_max_load).on_postgres().on_redis(),
        story!(lives_end_again_and_again).on_postgres().on_redis(),
        story!(restored_in_place)
            .own_redis()
            .on_postgres()
            .on_redis()
            .without_relay("it would notice"),
    ]
}

/// A source whose loaders read from the cache that they load for.
struct Own<DB: Base> {
    pool: Pool<DB>,
    cache: OnceLock<Cache<Own<DB>>>,
}

impl<DB: Base> Own<DB> {
    fn new(pool: Pool<DB>) -> Self {
        let cache = OnceLock::new();
        Self { pool, cache }
    }
}

impl<DB: Base> Load<Own<DB>> for Fact {
    async fn load(cx: &LoadContext<Own<DB>>, ids: &[i64]) -> Result<Vec<Fact>, BoxError> {
        let held = cx.acquire(&cx.db().pool).await?;
        tokio::time::sleep(Duration::from_millis(20)).await;
        drop(held);
        let fact = |id: &i64| Fact {
            id: *id,
            slug: String::new(),
            text: String::new(),
            weight: 1.0,
            views: 0,
        };
        Ok(ids.iter().map(fact).collect())
    }
}

impl<DB: Base> Load<Own<DB>> for Report {
    async fn load(cx: &LoadContext<Own<DB>>, ids: &[i64]) -> Result<Vec<Report>, BoxError> {
        let mut all = Vec::new();
        for id in ids {
            let (one, _two) = tokio::try_join!(cx.get::<Fact>(*id), cx.get::<Fact>(id + 1))?;
            all.push(Report { id: *id, fact_id: Some(*id), fact: one });
        }
        Ok(all)
    }
}

impl<DB: Base> Load<Own<DB>> for Quote {
    async fn load(_: &LoadContext<Own<DB>>, ids: &[i64]) -> Result<Vec<Quote>, BoxError> {
        let quote = |id: &i64| Quote { id: *id, text: String::new(), edition: 0 };
        Ok(ids.iter().map(quote).collect())
    }
}

impl<DB: Base> Load<Own<DB>> for Digest {
    async fn load(cx: &LoadContext<Own<DB>>, ids: &[i64]) -> Result<Vec<Digest>, BoxError> {
        let mut all = Vec::new();
        for id in ids {
            if *id == 666 {
                let _held = cx.acquire(&cx.db().pool).await?;
                tokio::time::sleep(Duration::from_secs(10)).await;
            }
            let cache = cx.db().cache.get().expect("set");
            tokio::time::sleep(Duration::from_millis(20)).await;
            let quote = Quote::get(cache, 1_000 + id).await?;
            all.push(Digest { id: *id, quote_id: Some(1_000 + id), quote });
        }
        Ok(all)
    }
}

async fn own<DB: Base>(
    bank: &Bank<DB>,
    max_loads: usize,
    verdicts: Arc<Mutex<Vec<Verdict>>>,
) -> Cache<Own<DB>> {
    let schema: &'static Schema = Box::leak(Box::new(Schema {
        max_loads,
        poll: Duration::from_millis(50),
        max_staleness: Some(Duration::from_millis(400)),
        ..SCHEMA
    }));
    let source = Own::new(DB::pool(bank.url(), 5));
    let cache = Cache::builder(source, schema)
        .without_outbox()
        .store(MemoryStore::new(schema))
        .on_event(move |event| {
            if let Event::Verified { model: "report", verdict, .. } = event {
                verdicts.lock().expect("done").push(*verdict);
            }
        })
        .build()
        .await
        .expect("built");
    let _ = cache.db().cache.set(cache.clone());
    cache
}

async fn nested_reads_beside_each_other_are_verified<DB: Base>(bank: Bank<DB>) {
    let verdicts = Arc::new(Mutex::new(Vec::new()));
    let cache = own(&bank, 64, verdicts.clone()).await;
    for _ in 0..5 {
        Report::get(&cache, 1).await.expect("loaded").expect("there");
    }
    for _ in 0..100 {
        if verdicts.lock().expect("done").len() >= 3 {
            break;
        }
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    let verdicts = verdicts.lock().expect("done").clone();
    assert!(!verdicts.is_empty());
    assert!(verdicts.iter().all(|it| *it == Verdict::Consistent), "{verdicts:?}");
}

async fn a_loader_with_its_own_cache_has_a_turn<DB: Base>(bank: Bank<DB>) {
    let cache = own(&bank, 4, Arc::default()).await;
    let mut reads = JoinSet::new();
    for id in 0..20 {
        let cache = cache.clone();
        reads.spawn(async move { Digest::get(&cache, id).await.map(drop) });
    }
    let began = Instant::now();
    let all = reads.join_all().await;
    let errors: Vec<String> =
        all.into_iter().filter_map(Result::err).map(|e| e.to_string()).collect();
    assert!(
        errors.is_empty(),
        "{:?} {} of 20: {:?}",
        began.elapsed(),
        errors.len(),
        errors.first()
    );
}

async fn dropped_outside_of_a_runtime<DB: Base>(bank: Bank<DB>) {
    let pool = DB::pool(bank.url(), 1);
    let branch = bank.branch_on(&pool, &BUSY, |b| b.relay(false)).await;
    let mut tx = branch.begin().await;
    DB::run(&mut tx, "UPDATE note SET text = 'lost' WHERE id = 'n'", Vec::new())
        .await
        .expect("done");
    // sqlx says that it needs a runtime, and panics.
    let _ = std::thread::spawn(move || drop(tx)).join();
    let again = tokio::time::timeout(Duration::from_secs(5), branch.cache.begin()).await;
    let mut tx = again.expect("in time").expect("begun");
    DB::run(&mut tx, "UPDATE note SET text = 'kept' WHERE id = 'n'", Vec::new())
        .await
        .expect("done");
    tx.commit().await.expect("done");
    assert_eq!(branch.text("n").await.as_deref(), Some("kept"));
}

async fn many_cancelled_begins<DB: Base>(bank: Bank<DB>) {
    let pool = DB::pool(bank.url(), 2);
    let branch = bank.branch_on(&pool, &BUSY, |b| b.relay(false)).await;
    for n in 0..300_u64 {
        let branch = branch.clone();
        let task = tokio::spawn(async move {
            let mut tx = branch.cache.begin().await.expect("done");
            DB::run(&mut tx, "UPDATE note SET text = 'lost' WHERE id = 'n'", Vec::new())
                .await
                .expect("done");
            if fastrand::bool() { tx.rollback().await.expect("done") } else { drop(tx) }
        });
        tokio::time::sleep(Duration::from_micros(n * 7)).await;
        task.abort();
        let _ = task.await;
    }
    tokio::time::timeout(
        Duration::from_secs(10),
        branch.write("UPDATE note SET text = 'kept' WHERE id = 'n'"),
    )
    .await
    .expect("in time")
    .expect("written");
    assert_eq!(branch.text("n").await.as_deref(), Some("kept"));
}

async fn restored_in_place<DB: Base>(bank: Bank<DB>) {
    let run = |program: &str, arguments: &[&str]| {
        let program = find(program, "postgresql").expect("installed");
        let mut command = Command::new(program);
        let output = command.args(arguments).arg(bank.url()).output();
        let output = output.expect("run");
        assert!(output.status.success(), "{output:?}");
    };
    let text = |path: &Path| path.to_str().expect("a text").to_owned();
    let dir = tempfile::tempdir().expect("a directory");
    let dump = text(&dir.path().join("dump.sql"));

    let first = bank.branch().await;
    assert_eq!(first.text("n").await.as_deref(), Some("old"));
    run("pg_dump", &["--clean", "--if-exists", "--file", &dump]);
    first.write("UPDATE note SET text = 'new' WHERE id = 'n'").await.expect("written");
    assert_eq!(first.text("n").await.as_deref(), Some("new"));
    drop(first);
    let stops = ["-v", "ON_ERROR_STOP=1"];
    run("psql", &[&["-q", "-1", "-f", &dump], &stops[..]].concat());
    let row = Note::get(&bank.branch().await.cache, "n").await;
    let row = row.expect("read").expect("there");
    assert_eq!(row.text, "old", "stale");
}

async fn in_memory_a_begin_that_is_dropped<DB: Base>(_: Bank<DB>) {
    let pool = in_memory().await;
    <sqlx::Sqlite as Base>::set_up(&pool).await.expect("done");
    sqlx::raw_sql("INSERT INTO note (id, slug, text) VALUES ('n', 'slug', 'old')")
        .execute(&pool)
        .await
        .expect("done");
    let cache = Cache::builder(pool.clone(), &SCHEMA).outbox(&pool).build().await.expect("done");
    for n in 0..400_u64 {
        let of = cache.clone();
        let task = tokio::spawn(async move { drop(of.begin().await) });
        for _ in 0..(n % 7) {
            tokio::task::yield_now().await;
        }
        tokio::time::sleep(Duration::from_micros(n)).await;
        task.abort();
        let _ = task.await;
        let there = sqlx::query("SELECT id FROM note").fetch_all(&pool).await;
        assert!(there.as_ref().is_ok_and(|it| it.len() == 1), "round {n}: {there:?}");
    }
}

async fn lives_end_again_and_again<DB: Base>(bank: Bank<DB>) {
    let (a, b) = (bank.branch().await, bank.branch().await);
    for n in 0..20 {
        let sql =
            if n % 2 == 0 { "DELETE FROM cache_outbox_life" } else { "TRUNCATE cache_outbox_life" };
        bank.sql(sql).await;
        a.write(&format!("UPDATE note SET text = 'v{n}' WHERE id = 'n'")).await.expect("done");
        let told = format!("v{n}");
        assert_eq!(a.text("n").await.as_deref(), Some(&*told));
        let soon = Soon::within(Duration::from_secs(3));
        while b.text("n").await.as_deref() != Some(&*told) {
            soon.or("stale").await;
        }
        tokio::time::sleep(Duration::from_millis(fastrand::u64(..300))).await;
    }
    let soon = Soon::within(RETURN);
    loop {
        let (hits_a, hits_b) = (a.hits("note_n"), b.hits("note_n"));
        for _ in 0..3 {
            a.text("n").await;
            b.text("n").await;
        }
        if a.hits("note_n") > hits_a && b.hits("note_n") > hits_b {
            break;
        }
        soon.or("not cached again").await;
    }
}

async fn fences_outlive_the_longest_max_load<DB: Base>(bank: Bank<DB>) {
    let store = |max_load| {
        let schema: &'static Schema = Box::leak(Box::new(Schema { max_load, ..SCHEMA }));
        RedisStore::new(&bank.redis().url(), schema).expect("done").prefix("deploy:")
    };
    let (short, long) = (store(Duration::from_secs(1)), store(Duration::from_secs(60)));
    for (n, tidies) in [true, false].into_iter().enumerate() {
        long.connect("").await.expect("done");
        short.connect("").await.expect("done");
        let token = long.read(&[]).await.expect("done").token;
        let tag = Tag::from_text(format!("t#id={n}"));
        long.invalidate(std::slice::from_ref(&tag)).await.expect("done");
        tokio::time::sleep(Duration::from_millis(1300)).await;
        match tidies {
            true => drop(short.tidy().await.expect("done")),
            false => drop(short.invalidate(&[Tag::from_text("t#id=other")]).await.expect("done")),
        }
        let fill = Fill {
            key: "k".to_owned(),
            tags: vec![tag],
            value: (&b"old"[..]).into(),
            ttl: Duration::from_secs(60),
            strict: false,
        };
        assert_eq!(long.fill(token, &[fill]).await.expect("done"), [false], "tidies: {tidies}");
    }
}

/// sqlx itself loses a connection when `acquire` is dropped while it is tested.
async fn in_memory() -> Pool<sqlx::Sqlite> {
    let options = sqlx::sqlite::SqlitePoolOptions::new();
    let options = options.max_connections(1).test_before_acquire(false);
    let options = options.idle_timeout(None).max_lifetime(None);
    options.connect("sqlite::memory:").await.expect("done")
}

async fn in_memory_a_load_that_is_given_up<DB: Base>(_: Bank<DB>) {
    let pool = in_memory().await;
    <sqlx::Sqlite as Base>::set_up(&pool).await.expect("done");
    let cache = Cache::builder(Own::new(pool.clone()), &SCHEMA)
        .without_outbox()
        .store(MemoryStore::new(&SCHEMA))
        .build()
        .await
        .expect("done");
    let error = Digest::get(&cache, 666).await.expect_err("given up");
    assert!(error.is_load_timeout(), "{error}");
    let there = sqlx::query("SELECT id FROM note").fetch_all(&pool).await;
    assert!(there.is_ok(), "{there:?}");
}
