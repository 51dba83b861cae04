//! What a write costs with triggers and outbox, beside the same write without.
//!
//! Every round measures every variant once, so that what the machine does meanwhile hits all alike.

use std::time::{Duration, Instant};

use cache_runtime::{BoxError, Event, RedisStore};
use example_app::{Cache, Db, SCHEMA, cache_builder};
use sqlx::postgres::PgPoolOptions;
use sqlx::{AssertSqlSafe, Executor, PgPool};
use tokio::sync::mpsc;
use tokio::task::JoinSet;

use crate::variable;

const ROUNDS: usize = 7;
/// Rows of `item` and of `video`.
const ROWS: i64 = 100_000;
/// Plios, to which the items belong: so many tags does a change of all items report.
const PLIOS: i64 = 100;
/// Single-row updates in one measurement.
const UPDATES: i64 = 500;
/// Tasks that update at once.
const TASKS: i64 = 16;

#[derive(Clone, Copy, PartialEq, Eq)]
enum Writer {
    /// No triggers.
    Plain,
    /// Triggers, and a writer that knows nothing of the cache.
    Stranger,
    /// Triggers, and `cache.begin()` … `commit()`, which invalidates in Redis.
    Cache,
}

impl Writer {
    const ALL: [Writer; 3] = [Writer::Plain, Writer::Stranger, Writer::Cache];
}

pub(crate) async fn measure() -> Result<(), BoxError> {
    let url = variable("DATABASE_URL")?;
    let pool = PgPoolOptions::new().max_connections(TASKS as u32 + 4).connect(&url).await?;
    let db = Db::Postgres(pool.clone());
    db.migrate().await?;
    fill(&pool).await?;
    let store = RedisStore::new(&variable("REDIS_URL")?, &SCHEMA)?;
    let cache = cache_builder(db).store(store).relay(false).build().await?;

    println!("medians of {ROUNDS} rounds; PostgreSQL and Redis on this machine\n");
    println!("| statement | plain | triggers | ratio | through the cache | ratio |");
    println!("| --- | --- | --- | --- | --- | --- |");
    let cases: [(&str, Case); 6] = [
        ("one row, one writer", Case::Single { tasks: 1, durable: true }),
        ("one row, 16 writers", Case::Single { tasks: TASKS, durable: true }),
        ("one row, one writer, synchronous_commit=off", Case::Single { tasks: 1, durable: false }),
        (
            "one row, 16 writers, synchronous_commit=off",
            Case::Single { tasks: TASKS, durable: false },
        ),
        ("100,000 rows, 100 tags", Case::Bulk { table: "item", column: "time" }),
        ("100,000 rows, 100,000 tags", Case::Bulk { table: "video", column: "duration" }),
    ];
    for (name, case) in cases {
        let mut took = [const { Vec::new() }; Writer::ALL.len()];
        for _ in 0..ROUNDS {
            for (writer, took) in Writer::ALL.into_iter().zip(&mut took) {
                match writer {
                    Writer::Plain => SCHEMA.uninstall(&pool).await?,
                    Writer::Stranger => SCHEMA.install(&pool).await?,
                    Writer::Cache => {}
                }
                took.push(case.run(&pool, &cache, writer).await?);
                pool.execute("TRUNCATE cache_outbox").await.or_else(|error| match writer {
                    Writer::Plain => Ok(Default::default()),
                    _ => Err(error),
                })?;
            }
        }
        let [plain, stranger, through] = took.map(median);
        let ratio = |it: Duration| it.as_secs_f64() / plain.as_secs_f64();
        println!(
            "| {name} | {plain:.1?} | {stranger:.1?} | {:.2} | {through:.1?} | {:.2} |",
            ratio(stranger),
            ratio(through)
        );
    }
    deliveries(&pool).await
}

/// How long after its commit a stranger's bulk statement is delivered, by the relay.
async fn deliveries(pool: &PgPool) -> Result<(), BoxError> {
    let (tell, mut told) = mpsc::unbounded_channel();
    let observe = move |event: &Event<'_>| {
        let what = match event {
            Event::Invalidated { .. } => Told::Invalidated(Instant::now()),
            Event::Idle => Told::Idle,
            _ => return,
        };
        // Nobody listens any more.
        let _ = tell.send(what);
    };
    let store = RedisStore::new(&variable("REDIS_URL")?, &SCHEMA)?;
    let builder = cache_builder(Db::Postgres(pool.clone())).store(store);
    let _cache = builder.on_event(observe).build().await?;

    println!("\n| statement of a stranger | from its commit to the last invalidation |");
    println!("| --- | --- |");
    for (name, table, column) in [
        ("100,000 rows, 100 tags", "item", "time"),
        ("100,000 rows, 100,000 tags", "video", "duration"),
    ] {
        let mut took = Vec::new();
        for _ in 0..ROUNDS {
            let sql = format!("UPDATE {table} SET {column} = coalesce({column}, 0) + 1");
            pool.execute(AssertSqlSafe(sql)).await?;
            let committed = Instant::now();
            let (mut last, mut idle) = (None, false);
            while last.is_none() || !idle {
                match told.recv().await.ok_or("the relay has ended")? {
                    Told::Invalidated(at) => (last, idle) = (Some(at), false),
                    Told::Idle => idle = true,
                }
            }
            took.extend(last.map(|last| last.saturating_duration_since(committed)));
        }
        println!("| {name} | {:.1?} |", median(took));
    }
    Ok(())
}

enum Told {
    Invalidated(Instant),
    Idle,
}

/// 100 plios with 1,000 items each, and 100,000 videos.
async fn fill(pool: &PgPool) -> Result<(), sqlx::Error> {
    let sql = format!(
        "INSERT INTO \"user\" (email) VALUES ('a@example.org');
         INSERT INTO video (url) SELECT 'https://example.org/' || n FROM generate_series(1, {ROWS}) n;
         INSERT INTO plio (uuid, name, created_by_id)
           SELECT 'plio' || n, 'plio', (SELECT min(id) FROM \"user\") FROM generate_series(1, {PLIOS}) n;
         INSERT INTO item (plio_id, type, time)
           SELECT (SELECT min(id) FROM plio) + n % {PLIOS}, 'question', n FROM generate_series(1, {ROWS}) n;
         TRUNCATE cache_outbox;"
    );
    pool.execute(AssertSqlSafe(sql)).await?;
    pool.execute("VACUUM ANALYZE").await.map(drop)
}

#[derive(Clone, Copy)]
enum Case {
    /// Updates of one item each, a transaction each; per update.
    Single { tasks: i64, durable: bool },
    /// One update of all rows.
    Bulk { table: &'static str, column: &'static str },
}

impl Case {
    async fn run(self, pool: &PgPool, cache: &Cache, writer: Writer) -> Result<Duration, BoxError> {
        match self {
            Case::Single { tasks, durable } => {
                let mut all = JoinSet::new();
                let began = Instant::now();
                for task in 0..tasks {
                    let (pool, cache) = (pool.clone(), cache.clone());
                    all.spawn(async move { singles(&pool, &cache, writer, task, durable).await });
                }
                while let Some(done) = all.join_next().await {
                    done??;
                }
                Ok(began.elapsed() / UPDATES as u32)
            }
            Case::Bulk { table, column } => {
                let sql = format!("UPDATE {table} SET {column} = coalesce({column}, 0) + 1");
                let began = Instant::now();
                if writer == Writer::Cache {
                    let mut tx = cache.begin_on(pool).await?;
                    tx.execute(AssertSqlSafe(sql)).await?;
                    tx.commit().await?;
                } else {
                    pool.execute(AssertSqlSafe(sql)).await?;
                }
                let took = began.elapsed();
                let vacuum = format!("VACUUM {table}");
                pool.execute(AssertSqlSafe(vacuum)).await?;
                Ok(took)
            }
        }
    }
}

/// So many updates, each of a row that no other task touches, and in a transaction of its own.
async fn singles(
    pool: &PgPool,
    cache: &Cache,
    writer: Writer,
    task: i64,
    durable: bool,
) -> Result<(), BoxError> {
    const UPDATE: &str = "UPDATE item SET time = time + 1 WHERE id = $1";
    let first: i64 = sqlx::query_scalar("SELECT min(id) FROM item").fetch_one(pool).await?;
    let set = format!("SET LOCAL synchronous_commit = {}", if durable { "on" } else { "off" });
    for n in 0..UPDATES {
        let id = first + task * UPDATES + n;
        if writer == Writer::Cache {
            let mut tx = cache.begin_on(pool).await?;
            tx.execute(AssertSqlSafe(set.clone())).await?;
            sqlx::query(UPDATE).bind(id).execute(&mut *tx).await?;
            tx.commit().await?;
        } else {
            let mut tx = pool.begin().await?;
            tx.execute(AssertSqlSafe(set.clone())).await?;
            sqlx::query(UPDATE).bind(id).execute(&mut *tx).await?;
            tx.commit().await?;
        }
    }
    Ok(())
}

fn median(mut took: Vec<Duration>) -> Duration {
    took.sort_unstable();
    took[took.len() / 2]
}
