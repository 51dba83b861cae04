//! A process of the service that is really killed: this binary again, which serves on the story's
//! database and Redis, and stands still at a certain point until it is.

use std::io::{BufRead, BufReader, Read, Write};
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::Duration;

use cache_runtime::{Event, RedisStore};
use example_app::{Db, Plio, SCHEMA};
use serde_json::{Value, json};
use sqlx::AssertSqlSafe;
use tokio::net::TcpListener;
use tokio::sync::mpsc;
use tokio::time::timeout;

use super::http::Http;
use super::servers;
use super::world::World;

/// How long it may take to come to its point.
const LONGEST: Duration = Duration::from_secs(60);
/// What it is told to do.
const ORDERS: &str = "TESTS_SERVICE_ORDERS";

/// Where it stands still: at this event for the so-and-so-manyth time.
pub type Point = (&'static str, usize);

pub const BEFORE_COMMIT: Point = ("before commit", 1);
pub const COMMITTED: Point = ("committed", 1);
pub const INVALIDATED: Point = ("invalidated", 1);
pub const DELIVERED: Point = ("delivered", 1);
pub const ALL_DELIVERED: Point = ("delivered", 2);
pub const LOADED: Point = ("loaded", 1);
const NOWHERE: Point = ("nowhere", 1);

/// The process.
pub struct Doomed {
    child: Child,
    says: mpsc::UnboundedReceiver<String>,
}

impl Doomed {
    /// Writes this SQL in one transaction of the cache.
    pub async fn writer(world: &World, sql: &str, point: Point) -> Self {
        Self::start(world, point, json!({ "write": sql })).await
    }

    /// Reads this plio.
    pub async fn reader(world: &World, plio: i64, point: Point) -> Self {
        Self::start(world, point, json!({ "read": plio })).await
    }

    /// Relays what others write.
    pub async fn relay(world: &World, point: Point) -> Self {
        Self::start(world, point, json!({ "relay": true })).await
    }

    /// Serves the API, and comes to no point; a client of it.
    pub async fn server(world: &World) -> (Self, Http) {
        let mut server = Self::start(world, NOWHERE, json!({ "serve": true })).await;
        let url = server.line().await.expect("its address");
        (server, Http::new(url))
    }

    /// `kill -STOP`
    pub fn stop(&self) {
        servers::signal(self.child.id(), "STOP");
    }

    /// `kill -CONT`
    pub fn go_on(&self) {
        servers::signal(self.child.id(), "CONT");
    }

    async fn start(world: &World, (point, times): Point, mut orders: Value) -> Self {
        orders["database"] = json!(world.database_url());
        orders["redis"] = json!(world.redis_url());
        orders["point"] = json!(point);
        orders["times"] = json!(times);
        let mut child = Command::new(std::env::current_exe().expect("this binary"))
            .env(ORDERS, orders.to_string())
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .expect("a process");
        let out = child.stdout.take().expect("its output");
        let (tell, says) = mpsc::unbounded_channel();
        std::thread::spawn(move || {
            for line in BufReader::new(out).lines().map_while(Result::ok) {
                let _ = tell.send(line);
            }
        });
        let mut doomed = Self { child, says };
        doomed.says("serving").await;
        doomed
    }

    /// Waits until it stands still at its point.
    pub async fn reached(&mut self) {
        self.says("reached").await;
    }

    /// `kill -9`
    pub fn kill(mut self) {
        self.child.kill().expect("killed");
        self.child.wait().expect("dead");
    }

    async fn says(&mut self, what: &str) {
        let said = timeout(LONGEST, self.line()).await;
        let said = said.unwrap_or_else(|_| panic!("the process does not come to say {what:?}"));
        assert_eq!(said.as_deref(), Some(what), "the process has ended");
    }

    async fn line(&mut self) -> Option<String> {
        self.says.recv().await
    }
}

impl Drop for Doomed {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// At the top of `main`: whether this is such a process, and has served.
pub fn serve_if_asked() -> bool {
    let Ok(orders) = std::env::var(ORDERS) else {
        return false;
    };
    // Nobody holds the other end any more: the run is over, however it went.
    std::thread::spawn(|| {
        let _ = std::io::stdin().read_to_end(&mut Vec::new());
        std::process::exit(1);
    });
    let orders = serde_json::from_str(&orders).expect("orders");
    let runtime = tokio::runtime::Runtime::new().expect("a runtime");
    runtime.block_on(serve(orders));
    true
}

async fn serve(orders: Value) {
    let text = |name: &str| orders[name].as_str().unwrap_or_default().to_owned();
    let (point, times) = (text("point"), orders["times"].as_u64().expect("a number"));
    let db = Db::connect(&text("database")).await.expect("the database");
    let store = RedisStore::new(&text("redis"), &SCHEMA).expect("a URL");
    // What it delivers while it starts is what others left.
    let serving = Arc::new(AtomicBool::new(false));
    let (at, seen, is_serving) = (point.clone(), AtomicUsize::new(0), serving.clone());
    let cache = example_app::cache_builder(db.clone())
        .store(store)
        .relay(orders["relay"] == true)
        .on_event(move |event| {
            if is_serving.load(Ordering::SeqCst)
                && name(event) == at
                && seen.fetch_add(1, Ordering::SeqCst) as u64 + 1 == times
            {
                stand_still();
            }
        })
        .build()
        .await
        .expect("a cache");
    say("serving");
    serving.store(true, Ordering::SeqCst);

    if orders["serve"] == true {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
        say(&format!("http://{}", listener.local_addr().expect("an address")));
        let served = axum::serve(listener, example_app::app(cache.clone()));
        served.await.expect("the app serves");
    }
    if let Some(plio) = orders["read"].as_i64() {
        let _ = Plio::get(&cache, plio).await;
    }
    if let Some(sql) = orders["write"].as_str() {
        let sql = AssertSqlSafe(sql.to_owned());
        macro_rules! write {
            ($pool:expr) => {{
                let mut tx = cache.begin_on($pool).await.expect("a transaction");
                let done = sqlx::raw_sql(sql).execute(&mut *tx).await;
                done.expect("written");
                if point == BEFORE_COMMIT.0 {
                    stand_still();
                }
                tx.commit().await.expect("committed");
            }};
        }
        match &db {
            Db::Sqlite(pool) => write!(pool),
            Db::Postgres(pool) => write!(pool),
        }
    }
    // A relay goes on; the others have missed their point, and the story says so.
    std::future::pending().await
}

fn name(event: &Event<'_>) -> &'static str {
    match event {
        Event::Committed => COMMITTED.0,
        Event::Invalidated { .. } => INVALIDATED.0,
        Event::Delivered { .. } => DELIVERED.0,
        Event::Loaded { .. } => LOADED.0,
        _ => "",
    }
}

fn stand_still() -> ! {
    say("reached");
    loop {
        std::thread::park();
    }
}

fn say(what: &str) {
    println!("{what}");
    std::io::stdout().flush().expect("written");
}
