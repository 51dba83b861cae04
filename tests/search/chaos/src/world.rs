//! The servers, the links between, and the processes of the service.

use std::sync::Arc;
use std::time::Duration;

use chaos_service::models;
use chaos_service::record::{Line, Orders};
use servers::{Clock, Postgres, Proxy, Redis};
use sqlx::PgPool;
use tempfile::TempDir;

use crate::history::History;
use crate::memory;
use crate::process::Process;

/// The lines of the processes that serve: most are in one.
const LINES: [Line; PROCESSES] = [Line::Main, Line::Main, Line::Main, Line::Database, Line::Prefix];

/// Commits are not waited for to be written down (`synchronous_commit =
/// off`), and who writes them down rarely looks.
const WAL_STAYS: [&str; 1] = ["wal_writer_delay=10s"];

/// The name of the database.
pub const DATABASE: &str = "postgres";

/// How many of them, the first, share a line.
pub const TOGETHER: usize = 3;

/// How many processes serve.
pub const PROCESSES: usize = 5;

/// How long a process may take to start, and to be answered by
/// its stores again after a fault is over.
pub const PATIENCE: Duration = Duration::from_secs(20);

#[derive(Debug)]
pub struct World {
    pub postgres: Postgres,
    pub redis: Redis,
    /// Redis' time of day.
    pub clock: Clock,
    /// In front of Redis, one for each process,
    pub proxies: Vec<Proxy>,
    /// and in front of PostgreSQL.
    pub database_proxies: Vec<Proxy>,
    pub processes: Vec<Process>,
    pub pool: PgPool,
    pub history: Arc<History>,
    /// For how long the server is, of each kind.
    pub full_for: Duration,
    /// Above which versions go on when the last commits were lost.
    pub floor: i64,
    orders: Orders,
    _dir: TempDir,
}

impl World {
    /// Starts everything.
    pub async fn start(orders: Orders, history: Arc<History>) -> World {
        let dir = tempfile::tempdir().expect("a directory");
        let clock = Clock::in_dir(dir.path());
        let (redis, postgres) = tokio::task::spawn_blocking({
            let clock = clock.clone();
            move || (Redis::with_clock(Some(clock)), Postgres::own(&WAL_STAYS))
        })
        .await
        .expect("the servers start");
        let pool = PgPool::connect_lazy(&postgres.url(DATABASE)).expect("an address");
        models::create(&pool).await.expect("the tables");
        let mut world = World {
            postgres,
            redis,
            clock,
            proxies: Vec::new(),
            database_proxies: Vec::new(),
            processes: Vec::new(),
            pool,
            history,
            full_for: memory::SHORT,
            floor: 0,
            orders,
            _dir: dir,
        };
        // What a missing mechanism lets through shows among those that share a store: the others,
        // which their relays tell everything once more, would make up for it.
        let serving = match world.orders.without {
            Some(_) => TOGETHER,
            None => PROCESSES,
        };
        let all = world.orders.reads_per_second as usize * PROCESSES;
        world.orders.reads_per_second = (all / serving) as u32;
        for at in 0..serving {
            world.proxies.push(Proxy::to(world.redis.port()).await);
            let database = Proxy::to(world.postgres.port()).await;
            world.database_proxies.push(database);
            let process = world.new_process(at);
            world.processes.push(process);
        }
        for at in 0..serving {
            world.is_ready(at).await;
        }
        world
    }

    /// Starts one in the place of another, which is dead.
    pub async fn replace(&mut self, at: usize) {
        self.processes[at] = self.new_process(at);
        self.is_ready(at).await;
    }

    /// The lines that have no other processes than these.
    pub fn lines_of(&self, these: &[usize]) -> Vec<Line> {
        let has_another = |line: &Line| {
            let mut all = LINES.iter().enumerate();
            all.any(|(at, it)| it == line && !these.contains(&at))
        };
        let lines = Line::ALL.into_iter();
        lines.filter(|line| !has_another(line)).collect()
    }

    fn new_process(&mut self, at: usize) -> Process {
        self.orders.process += 1;
        self.orders.line = LINES[at];
        self.orders.database = self.database_proxies[at].postgres_url(DATABASE);
        self.orders.redis = self.proxies[at].redis_database_url(LINES[at].database());
        Process::start(&self.orders, &self.history)
    }

    async fn is_ready(&self, at: usize) {
        let process = self.processes[at].id;
        let ready = self.history.is_ready(process, PATIENCE).await;
        assert!(ready, "process {process} does not start");
    }
}
