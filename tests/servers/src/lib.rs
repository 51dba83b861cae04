//! The real servers that tests run on: PostgreSQL and Redis, started on free ports, frozen, killed
//! and started again; and TCP proxies in front of them.
//!
//! Nothing outlives the run: the servers are killed at its end, and should the run
//! itself be killed, a leash on each does it. A server that does not start, or does
//! not do what it is told, is a panic that says why.

mod clock;
mod postgres;
mod process;
mod proxy;
mod push;
mod redis;
mod replica;

use std::sync::OnceLock;

pub use crate::clock::Clock;
pub use crate::postgres::Postgres;
pub use crate::process::{find, signal};
pub use crate::proxy::Proxy;
pub use crate::redis::Redis;

/// The PostgreSQL of this run.
///
/// # Panics
/// When it does not start.
pub fn postgres() -> &'static Postgres {
    started(POSTGRES.get_or_init(|| Postgres::start(&[])))
}

/// The Redis of this run; every story has a logical database of it.
///
/// # Panics
/// When it does not start.
pub fn redis() -> &'static Redis {
    started(REDIS.get_or_init(|| Redis::start(&["--save", "", "--databases", "4096"], &[], None)))
}

/// Ends what this run has started.
pub fn stop_all() {
    if let Some(Ok(postgres)) = POSTGRES.get() {
        postgres.stop();
    }
    if let Some(Ok(redis)) = REDIS.get() {
        redis.kill();
        let _ = std::fs::remove_dir_all(redis.dir.path());
    }
}

static POSTGRES: OnceLock<Result<Postgres, String>> = OnceLock::new();
static REDIS: OnceLock<Result<Redis, String>> = OnceLock::new();

fn started<Server>(server: &'static Result<Server, String>) -> &'static Server {
    server.as_ref().unwrap_or_else(|sentence| panic!("{sentence}"))
}
