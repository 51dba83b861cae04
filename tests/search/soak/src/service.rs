//! A process of the service, and what it tells.

use std::io::{BufRead, BufReader, Read, Write, stdin, stdout};
use std::process::{Child, Command, Stdio, exit};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use cache_runtime::{Cache, Event, RedisStore};
use serde::{Deserialize, Serialize};
use sqlx::postgres::PgPoolOptions;

use crate::load::{self, Counted};
use crate::models::SCHEMA;

/// With what it is started: the addresses of PostgreSQL and of Redis.
const ORDERS: &str = "SOAK_ORDERS";
const TELL_EVERY: Duration = Duration::from_secs(1);

/// What happened in it since it told that last.
#[derive(Debug, Default, Clone, Copy, Serialize, Deserialize)]
pub struct Told {
    pub reads: u64,
    pub errors: u64,
    /// How old a row of the outbox was at most when it was delivered.
    pub lag_ms: u64,
}

impl Told {
    fn add(&mut self, more: Told) {
        self.reads += more.reads;
        self.errors += more.errors;
        self.lag_ms = self.lag_ms.max(more.lag_ms);
    }
}

/// If this is such a process.
pub fn orders() -> Option<(String, String)> {
    let orders = std::env::var(ORDERS).ok()?;
    let (database, redis) = orders.split_once(' ')?;
    Some((database.to_owned(), redis.to_owned()))
}

/// Its whole life: until its input ends, as nobody holds the other end any more.
pub async fn serve((database, redis): (String, String)) {
    std::thread::spawn(|| {
        let _ = stdin().read(&mut [0]);
        exit(0);
    });
    let pool = PgPoolOptions::new().max_connections(10);
    let pool = pool.connect_lazy(&database).expect("an address");
    let lag = Arc::new(AtomicU64::new(0));
    let seen = lag.clone();
    let store = RedisStore::new(&redis, &SCHEMA).expect("an address");
    let cache =
        Cache::builder(pool.clone(), &SCHEMA).outbox(&pool).store(store).on_event(move |event| {
            if let Event::Delivered { lag, .. } = event {
                seen.fetch_max(lag.as_millis() as u64, Ordering::Relaxed);
            }
        });
    let cache = cache.build().await.expect("the triggers are installed");
    let counted = Arc::new(Counted::default());
    load::start(&cache, &counted);
    loop {
        tokio::time::sleep(TELL_EVERY).await;
        let told = Told {
            reads: counted.reads.swap(0, Ordering::Relaxed),
            errors: counted.errors.swap(0, Ordering::Relaxed),
            lag_ms: lag.swap(0, Ordering::Relaxed),
        };
        let text = serde_json::to_string(&told).expect("it has a text");
        if writeln!(stdout(), "{text}").is_err() {
            exit(1);
        }
    }
}

/// One that was started.
#[derive(Debug)]
pub struct Process {
    child: Child,
    told: Arc<Mutex<Told>>,
}

impl Process {
    pub fn start(database: &str, redis: &str) -> Process {
        let mut child = Command::new(std::env::current_exe().expect("this binary"))
            .env(ORDERS, format!("{database} {redis}"))
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .expect("a process");
        let told = Arc::new(Mutex::new(Told::default()));
        let (output, all) = (child.stdout.take().expect("it is piped"), told.clone());
        std::thread::spawn(move || {
            for line in BufReader::new(output).lines().map_while(Result::ok) {
                let more = serde_json::from_str(&line).expect("it wrote it");
                let mut all = all.lock().unwrap_or_else(PoisonError::into_inner);
                all.add(more);
            }
        });
        Process { child, told }
    }

    /// What it has told since this was asked last.
    pub fn told(&self) -> Told {
        std::mem::take(&mut *self.told.lock().unwrap_or_else(PoisonError::into_inner))
    }

    /// How much memory it has, in KiB.
    pub fn memory(&self) -> u64 {
        let file = format!("/proc/{}/status", self.child.id());
        let status = std::fs::read_to_string(&file).unwrap_or_default();
        let memory = status.lines().find_map(|line| line.strip_prefix("VmRSS:"));
        let memory = memory.and_then(|it| it.split_whitespace().next()?.parse().ok());
        memory.unwrap_or_else(|| panic!("{file} has no VmRSS: it has ended"))
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
