//! Addresses have passwords in them. No error, log line or `Debug` shows one.

use std::io::Write;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use cache_runtime::{Cache, RedisStore};
use example_app::{Config, Limits, Plio, SCHEMA};
use libtest_mimic::Trial;
use tracing_subscriber::fmt::MakeWriter;

const SECRET: &str = "hunter2";

/// Of Redis: what is no address, what nobody listens at, and a password that is wrong.
const ADDRESSES: [&str; 14] = [
    "hunter2",
    ":hunter2@localhost:6379",
    "redis:/:hunter2@localhost",
    "redis://:hunter2@",
    "redis://user:hunter2@localhost:port",
    "redis://user:hunter2@localhost:6379/database",
    "redis://user:hunter2@localhost:99999/0",
    "redis://user:hunter2@[::1/0",
    "http://user:hunter2@localhost:6379",
    "redis://user:hunter2:localhost:6379",
    "redis://user:hunter2@127.0.0.1:1/0",
    "redis://:hunter2@127.0.0.1:{redis}/0",
    "redis://user:hunter2@127.0.0.1:{redis}/0",
    "redis+unix:///nowhere.sock?user=u&pass=hunter2",
];

/// And of a database.
const DATABASES: [&str; 8] = [
    "hunter2",
    "postgres://user:hunter2@",
    "postgres://user:hunter2@127.0.0.1:port/plio",
    "postgres://user:hunter2@127.0.0.1:1/plio",
    "postgres://user:hunter2@127.0.0.1:{postgres}/nowhere",
    "postgres://user:hunter2@127.0.0.1/plio?sslmode=perhaps",
    "postgres://127.0.0.1:1/plio?user=u&password=hunter2",
    "mysql://user:hunter2@127.0.0.1/plio",
];

pub fn trials() -> Vec<Trial> {
    vec![Trial::test("secrets::nothing_shows_a_password", || {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
        runtime.block_on(nothing_shows_a_password());
        Ok(())
    })]
}

/// All that is logged meanwhile.
#[derive(Clone, Default)]
struct Log(Arc<Mutex<Vec<u8>>>);

impl Write for Log {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        let mut log = self.0.lock().expect("not poisoned");
        log.extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

impl<'w> MakeWriter<'w> for Log {
    type Writer = Log;

    fn make_writer(&'w self) -> Log {
        self.clone()
    }
}

async fn nothing_shows_a_password() {
    let log = Log::default();
    let subscriber = tracing_subscriber::fmt()
        .with_max_level(tracing::Level::TRACE)
        .with_writer(log.clone())
        .finish();
    // Of this thread, which is the runtime's only one.
    let logging = tracing::subscriber::set_default(subscriber);
    let redis = servers::redis().url(0);
    let port = |url: &str| {
        let (_, rest) = url.rsplit_once(':').expect("a port");
        rest.split('/').next().unwrap_or_default().to_owned()
    };
    let redis = port(&redis);
    let postgres = port(&servers::postgres().url("plio"));
    for address in ADDRESSES {
        shows_nothing(address, &of_redis(&address.replace("{redis}", &redis)).await);
    }
    for address in DATABASES {
        let address = address.replace("{postgres}", &postgres);
        let config = Config {
            database_url: address.clone(),
            redis_url: None,
            listen: "127.0.0.1:0".to_owned(),
            limits: Limits::default(),
        };
        let error = example_app::connect(&config).await.err();
        shows_nothing(&address, &format!("{error:?} {config:?}"));
    }
    drop(logging);
    let log = log.0.lock().expect("not poisoned");
    let log = String::from_utf8_lossy(&log);
    assert!(log.contains("store"), "nothing was logged: {log}");
    shows_nothing("the log", &log);
}

/// Everything that can be seen of a cache at this address.
async fn of_redis(address: &str) -> String {
    let store = match RedisStore::new(address, &SCHEMA) {
        Ok(store) => store,
        Err(error) => {
            assert!(error.to_string().contains("redis://"), "it says what it is to be: {error}");
            return format!("{error} {error:?} {:?}", std::error::Error::source(&error));
        }
    };
    let seen = Arc::new(Mutex::new(format!("{store:?}")));
    let told = Arc::clone(&seen);
    let builder =
        Cache::builder((), &SCHEMA).without_outbox().store(store).on_event(move |event| {
            told.lock().expect("not poisoned").push_str(&format!("{event:?}"));
        });
    let shown = format!("{builder:?}");
    let cache = builder.build().await.expect("it is built all the same");
    let drained = cache.deliver_pending().await;
    tokio::time::sleep(Duration::from_millis(200)).await;
    let seen = seen.lock().expect("not poisoned").clone();
    let key = Plio::key(1);
    format!("{seen} {shown} {cache:?} {drained:?} {key}")
}

fn shows_nothing(of: &str, shown: &str) {
    assert!(!shown.contains(SECRET), "{of} shows it: {shown}");
}
