//! A process of the service, which reads and writes and tells what it
//! saw, until it is killed or its input ends.

mod log;
mod pauses;
mod points;
mod readers;
mod shown;
mod watch;
mod writers;

use std::fmt::Display;
use std::io::{BufRead, stdin};
use std::process::exit;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use cache_runtime::{Builder, Cache, Mechanism, RedisStore, Schema};
use sqlx::postgres::PgPoolOptions;

use crate::models::{Db, SCHEMA};
use crate::record::{Command, Line, Orders, ProcessId, Record, Stored};
use log::Log;
pub use pauses::Pauses;
use points::Points;
use watch::Watch;

/// The variable with what it is told to do.
pub const ORDERS: &str = "CHAOS_ORDERS";

/// How often what was seen is told.
const TELL_EVERY: Duration = Duration::from_millis(20);

/// After so long whoever waits for an answer hangs up: what was under way for it is dropped,
/// wherever it is. A loader is given up as late, by `load-timeout`.
const PATIENCE: Duration = Duration::from_secs(3);

async fn patiently<E: Display>(work: impl Future<Output = Result<(), E>>) -> Result<(), String> {
    match tokio::time::timeout(PATIENCE, work).await {
        Ok(done) => done.map_err(|error| error.to_string()),
        Err(_) => Err(format!("no answer within {PATIENCE:?}")),
    }
}

/// What its tasks share.
#[derive(Clone)]
struct Service {
    process: ProcessId,
    line: Line,
    db: Db,
    /// The models of `cache.toml`, and the strict ones.
    cache: Cache<Db>,
    strict: Cache<Db>,
    watch: Arc<Watch>,
    strict_watch: Arc<Watch>,
    log: Arc<Log>,
    points: Arc<Points>,
    widely: Arc<AtomicBool>,
}

/// The whole life of such a process, with what is in [`ORDERS`]. Knows mechanisms by their names.
///
/// # Panics
/// When the orders are not the conductor's, or a cache cannot be built.
pub fn serve(orders: &str, mechanism: fn(&str) -> Option<Mechanism>) {
    let orders: Orders = serde_json::from_str(orders).expect("the conductor wrote them");
    let off = orders.without.as_deref();
    let off = off.map(|name| mechanism(name).expect("the conductor knows its name"));
    let runtime = tokio::runtime::Builder::new_multi_thread()
        // Observers block some of them for a moment.
        .worker_threads(6)
        .enable_all()
        .build();
    runtime.expect("a runtime").block_on(run(orders, off));
}

async fn run(orders: Orders, off: Option<Mechanism>) {
    let pool = PgPoolOptions::new()
        .max_connections(16)
        .acquire_timeout(Duration::from_secs(2))
        .connect_lazy(&orders.database)
        .expect("an address");
    let log = Arc::new(Log::default());
    let points = Arc::new(Points::default());
    let db = Db { pool, pauses: Pauses };
    let watch = Arc::new(Watch::new(log.clone(), points.clone()));
    let strict_watch = Arc::new(Watch::new(log.clone(), points.clone()));
    let service = Service {
        process: orders.process,
        line: orders.line,
        cache: build(&orders, off, &db, &SCHEMA, &watch).await,
        strict: build(&orders, off, &db, &chaos_strict::SCHEMA, &strict_watch).await,
        db,
        watch,
        strict_watch,
        log,
        points,
        widely: Arc::default(),
    };
    service.log.tell(|_| Record::Ready);
    service.tell_in_use();
    readers::start(&service, &orders);
    writers::start(&service);
    tokio::task::spawn_blocking({
        let service = service.clone();
        move || obey(&service)
    });
    loop {
        tokio::time::sleep(TELL_EVERY).await;
        service.log.flush();
        service.tell_in_use();
    }
}

async fn build(
    orders: &Orders,
    off: Option<Mechanism>,
    db: &Db,
    schema: &'static Schema,
    watch: &Arc<Watch>,
) -> Cache<Db> {
    let store = RedisStore::new(&orders.redis, schema).expect("an address");
    let watch = watch.clone();
    let mut builder: Builder<Db> = Cache::builder(db.clone(), schema)
        .outbox(&db.pool)
        .store(store)
        .on_event(move |event| watch.see(event));
    if let Some(mechanism) = off {
        builder = builder.without(mechanism);
    }
    builder.build().await.expect("the triggers are installed")
}

/// Until the input ends: nobody holds the other end any more, the run is over.
fn obey(service: &Service) {
    for line in stdin().lock().lines().map_while(Result::ok) {
        let command = serde_json::from_str(&line).expect("the conductor wrote it");
        match command {
            Command::StandAt(point) => service.points.stand_at(point),
            Command::GoOn => service.points.go_on(),
            Command::Widely(widely) => service.widely.store(widely, Ordering::Relaxed),
        }
    }
    service.log.flush();
    exit(0);
}

impl Service {
    fn tell_in_use(&self) {
        let in_use = self.watch.in_use() && self.strict_watch.in_use();
        self.log.note(|_| Record::InUse(in_use));
        let stored = Stored { values: self.watch.stored(), strict: self.strict_watch.stored() };
        self.log.note(|_| Record::Stored(stored));
    }
}
