//! A service for half an hour under more than fits: ten times the values that Redis has room for,
//! random ids and texts, many writes, and somebody's old snapshot. What it takes is to stay level.
//!
//! `tests/README.md` says what runs and what is level.
#![allow(missing_docs, reason = "a program, of which nobody uses a part")]

mod load;
mod models;
mod sample;
mod service;
mod verdict;

use std::process::ExitCode;
use std::time::{Duration, Instant};

use clap::Parser;
use servers::{Postgres, Redis};
use sqlx::PgPool;
use tokio::time::{MissedTickBehavior, interval};

use models::{BYTES, THINGS};
use sample::Samples;
use service::Process;

/// How much of the values fits, of ten.
const FITS: usize = THINGS as usize * BYTES / 10;
/// How many processes serve.
const PROCESSES: usize = 2;
/// How often all is looked at. No multiple of the five seconds after which what has expired goes,
/// or it were always the same moment between two of those.
const EVERY: Duration = Duration::from_secs(7);

/// Two processes of a small service on real PostgreSQL and Redis: a tenth of the
/// values fits, random ids and texts are asked for, 2,000 tags a second are written,
/// and a long snapshot is open. Is what they take level?
///
/// Samples go to stderr, a table to stdout, of which the last line is one JSON
/// object. Exits with 1 when something is not level.
#[derive(Debug, Parser)]
#[command(name = "tests/search/soak/run")]
struct Arguments {
    /// How long, in minutes: two to see that it works
    #[arg(long, default_value_t = 30.0)]
    minutes: f64,
}

fn main() -> ExitCode {
    let runtime = tokio::runtime::Runtime::new().expect("a runtime");
    if let Some(orders) = service::orders() {
        runtime.block_on(service::serve(orders));
        return ExitCode::SUCCESS;
    }
    let arguments = Arguments::parse();
    match runtime.block_on(soak(Duration::from_secs_f64(arguments.minutes * 60.0))) {
        true => ExitCode::SUCCESS,
        false => ExitCode::FAILURE,
    }
}

/// Whether all was level.
async fn soak(time: Duration) -> bool {
    let (postgres, redis) = (Postgres::own(&[]), Redis::own());
    let url = postgres.url("postgres");
    let pool = PgPool::connect_lazy(&url).expect("an address");
    models::create(&pool).await.expect("the table");
    let most = sample::used_memory(&redis).await + FITS;
    redis.command("CONFIG SET maxmemory-policy volatile-lru").await;
    redis.command(&format!("CONFIG SET maxmemory {most}")).await;

    // As `pg_dump` has one: nothing that is deleted from now on is removed.
    let mut snapshot = pool.begin().await.expect("a transaction");
    for sql in ["SET TRANSACTION ISOLATION LEVEL REPEATABLE READ", "SELECT 1"] {
        let begun = sqlx::query(sql).execute(&mut *snapshot).await;
        begun.expect("a snapshot");
    }

    let processes: Vec<Process> =
        (0..PROCESSES).map(|_| Process::start(&url, &redis.url(0))).collect();
    let writing = tokio::spawn(load::write_plainly(pool.clone()));
    let mut samples = Samples::new(pool, redis);
    let (began, mut tick) = (Instant::now(), interval(EVERY));
    tick.set_missed_tick_behavior(MissedTickBehavior::Delay);
    tick.tick().await;
    while began.elapsed() + EVERY <= time {
        tick.tick().await;
        samples.take(began.elapsed(), &processes).await;
    }
    writing.abort();
    let table = verdict::of(&samples.all);
    print!("{table}");
    drop(snapshot);
    table.is_level()
}
