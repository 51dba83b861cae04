//! What all of it takes, at one moment.

use std::time::{Duration, Instant};

use servers::Redis;
use sqlx::PgPool;

use crate::service::Process;

/// What is looked at, in the order of [`Sample`].
pub const NAMES: [&str; COUNT] = [
    "memory of a process, MiB",
    "memory of Redis, MiB",
    "keys in Redis",
    "rows of the outbox",
    "rows that wait",
    "outbox on disk, MiB",
    "dead rows of the outbox",
    "connections to PostgreSQL",
    "connections to Redis",
    "lag of a delivery, ms",
    "tags written a second",
    "reads a second",
    "errors",
];
pub const COUNT: usize = 13;

pub type Sample = [f64; COUNT];

/// Takes and keeps them.
#[derive(Debug)]
pub struct Samples {
    pool: PgPool,
    redis: Redis,
    /// When the last was taken, and how many tags had been written.
    last: (Instant, i64),
    pub all: Vec<Sample>,
}

/// The outbox, as the database describes it.
type Outbox = (i64, i64, i64, i64, i64, i64);

impl Samples {
    pub fn new(pool: PgPool, redis: Redis) -> Samples {
        Samples { pool, redis, last: (Instant::now(), 0), all: Vec::new() }
    }

    pub async fn take(&mut self, at: Duration, processes: &[Process]) {
        let sql = "SELECT count(*), count(*) FILTER (WHERE delivered_at IS NULL), pg_total_relation_size('cache_outbox'),
                     (SELECT n_dead_tup FROM pg_stat_user_tables WHERE relname = 'cache_outbox'),
                     (SELECT count(*) FROM pg_stat_activity WHERE backend_type = 'client backend'),
                     coalesce(pg_sequence_last_value(pg_get_serial_sequence('cache_outbox', 'id')::regclass), 0)
                   FROM cache_outbox";
        let outbox: Result<Outbox, _> = sqlx::query_as(sql).fetch_one(&self.pool).await;
        let (rows, waiting, bytes, dead, connections, tags) = outbox.expect("the outbox");
        let told: Vec<_> = processes.iter().map(Process::told).collect();
        let memory = processes.iter().map(Process::memory).max();
        let now = Instant::now();
        let seconds = now.duration_since(self.last.0).as_secs_f64();
        let written = (tags - self.last.1) as f64;
        self.last = (now, tags);
        let sum = |of: fn(&_) -> u64| told.iter().map(of).sum::<u64>() as f64;
        let sample = [
            memory.unwrap_or_default() as f64 / 1024.0,
            used_memory(&self.redis).await as f64 / MIB,
            number(&self.redis.command("DBSIZE").await, "int(") as f64,
            rows as f64,
            waiting as f64,
            bytes as f64 / MIB,
            dead as f64,
            connections as f64,
            number(&self.redis.command("INFO clients").await, "connected_clients:") as f64,
            told.iter().map(|it| it.lag_ms).max().unwrap_or_default() as f64,
            written / seconds,
            sum(|it| it.reads) / seconds,
            sum(|it| it.errors),
        ];
        let shown: Vec<String> = sample.iter().map(|it| format!("{it:.0}")).collect();
        eprintln!("{:7.1} s  {}", at.as_secs_f64(), shown.join("  "));
        self.all.push(sample);
    }
}

const MIB: f64 = 1024.0 * 1024.0;

pub async fn used_memory(redis: &Redis) -> usize {
    number(&redis.command("INFO memory").await, "used_memory:")
}

/// The number in this text that comes after that.
fn number(text: &str, after: &str) -> usize {
    let rest = text.split(after).nth(1).unwrap_or_default();
    let digits = rest.split(|it: char| !it.is_ascii_digit()).next();
    let number = digits.and_then(|it| it.parse().ok());
    number.unwrap_or_else(|| panic!("no {after} in {text}"))
}
