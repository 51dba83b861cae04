//! The faults of PostgreSQL.

use std::ops::Range;
use std::time::Duration;

use chaos_service::clock::{nanos, now};
use chaos_service::models::SCHEMA;
use fastrand::Rng;
use tokio::time::sleep;

use crate::checker::{STORE_TIMEOUT, WITHOUT_ANSWERS};
use crate::faults::freeze_existing;
use crate::world::World;

/// How long connections stand still so shortly that an answer may be waited for, in ms.
const SHORTLY: Range<u64> = 1_000..5_000;

/// How long it takes to load a value, store it and read it, at most; or to deliver.
const SOON: Duration = Duration::from_secs(4);

impl World {
    /// A pass that failed is made again after `poll`.
    pub async fn end_database_connections(&mut self) {
        let from = now();
        let sql = "SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity
             WHERE datname = current_database() AND backend_type = 'client backend' AND pid <> pg_backend_pid()";
        let ended: Result<i64, _> = sqlx::query_scalar(sql).fetch_one(&self.pool).await;
        ended.expect("ended");
        sleep(SCHEMA.poll).await;
        self.history.allow(from, nanos(2 * SCHEMA.poll));
    }

    /// Those of these processes. Who is frozen for long is to serve before that is over.
    pub async fn freeze_database_connections(&self, which: &[usize], rng: &mut Rng) {
        let for_long = rng.bool();
        let a_while = match for_long {
            true => WITHOUT_ANSWERS,
            false => Duration::from_millis(rng.u64(SHORTLY)),
        };
        let (from, over) = (now(), sleep(a_while));
        for line in self.lines_of(which) {
            self.history.allow_none(line, from, from + nanos(a_while));
        }
        freeze_existing(&self.database_proxies, which, rng);
        if rng.bool() {
            // The way back to Redis asks the database.
            which.iter().for_each(|at| self.proxies[*at].cut());
            sleep(STORE_TIMEOUT).await;
            which.iter().for_each(|at| self.proxies[*at].resume());
        }
        over.await;
        if !for_long {
            return;
        }
        let store = self.history.all_store(false, SOON);
        // For longer than anything may be old now.
        let (store, ()) = tokio::join!(store, sleep(SOON));
        if let Err(who) = store {
            let problem = "connections to PostgreSQL stand still: nothing is stored over new ones";
            eprintln!("          {problem}: process {who:?}");
            self.history.problem(problem.to_owned());
        }
    }
}
