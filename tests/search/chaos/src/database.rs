//! The faults of PostgreSQL.

use std::ops::Range;
use std::time::Duration;

use chaos_service::clock::{Nanos, nanos, now};
use chaos_service::models::{SCHEMA, versions};
use chaos_service::record::Line;
use fastrand::Rng;
use servers::{Proxy, signal};
use sqlx::PgPool;
use tokio::time::{sleep, timeout};

use crate::checker::{STORE_TIMEOUT, WITHOUT_ANSWERS};
use crate::faults::freeze_existing;
use crate::world::{DATABASE, PATIENCE, World};

/// How long connections stand still so shortly that an answer may be waited for, in ms.
const SHORTLY: Range<u64> = 1_000..5_000;

/// How long it takes to load a value, store it and read it, at most; or to deliver.
const SOON: Duration = Duration::from_secs(4);

/// More versions than there are between two losses.
const ERA: i64 = 1_000_000;

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
        if for_long {
            self.must_store_over_new_connections().await;
        }
    }

    /// While the old ones still stand.
    async fn must_store_over_new_connections(&self) {
        let store = self.history.all_store(false, SOON);
        // For longer than anything may be old now.
        let (store, ()) = tokio::join!(store, sleep(SOON));
        if let Err(who) = store {
            let problem = "connections to PostgreSQL stand still: nothing is stored over new ones";
            eprintln!("          {problem}: process {who:?}");
            self.history.problem(problem.to_owned());
        }
    }

    /// It crashes, and comes back without what was committed last: nobody had written it down.
    pub async fn crash_database(&mut self, a_while: Duration) {
        let sql = "SELECT pid FROM pg_stat_activity WHERE backend_type = 'walwriter'";
        let writer: Result<i32, _> = sqlx::query_scalar(sql).fetch_one(&self.pool).await;
        // Or it would write down every page that is full, however rarely it looks.
        signal(writer.expect("it runs") as u32, "STOP");
        sleep(a_while).await;

        let from = self.history.may_lose_from_here();
        self.database_proxies.iter().for_each(Proxy::cut);
        tokio::task::block_in_place(|| {
            self.postgres.kill();
            self.postgres.start_again();
        });
        self.go_on_without_the_last(from).await;
        self.database_proxies.iter().for_each(Proxy::resume);
        sleep(SCHEMA.poll).await;
        self.history.allow(from, nanos(2 * SCHEMA.poll));
    }

    /// A standby that missed what was committed last takes the place of its primary, which ends or,
    /// if it is `gone`, is heard of no more.
    pub async fn promote_standby(&mut self, a_while: Duration, gone: bool) {
        let link = Proxy::to(self.postgres.port()).await;
        let standby = tokio::task::block_in_place(|| self.postgres.standby(link.port()));
        self.standby_has_caught_up().await;
        link.freeze();
        sleep(a_while).await;

        let from = self.history.may_lose_from_here();
        if gone {
            for line in Line::ALL {
                let until = from + nanos(WITHOUT_ANSWERS);
                self.history.allow_none(line, from, until);
            }
            self.database_proxies.iter().for_each(Proxy::freeze_existing);
        }
        tokio::task::block_in_place(|| {
            self.postgres.kill();
            standby.promote();
        });
        self.postgres = standby;
        self.pool = PgPool::connect_lazy(&self.postgres.url(DATABASE)).expect("an address");
        self.go_on_without_the_last(from).await;
        for proxy in &self.database_proxies {
            proxy.lead_to(self.postgres.port());
        }
        if gone {
            sleep(WITHOUT_ANSWERS).await;
            return self.must_store_over_new_connections().await;
        }
        sleep(SCHEMA.poll).await;
        self.history.allow(from, nanos(2 * SCHEMA.poll));
    }

    async fn standby_has_caught_up(&self) {
        let now = "SELECT pg_current_wal_flush_lsn()::text";
        let now: Result<String, _> = sqlx::query_scalar(now).fetch_one(&self.pool).await;
        let now = now.expect("a position");
        let sql = "SELECT EXISTS (SELECT FROM pg_stat_replication WHERE replay_lsn >= $1::pg_lsn)";
        let has = async || {
            let has: Result<bool, _> =
                sqlx::query_scalar(sql).bind(&now).fetch_one(&self.pool).await;
            has.expect("an answer")
        };
        let waiting = async {
            while !has().await {
                sleep(Duration::from_millis(5)).await;
            }
        };
        timeout(PATIENCE, waiting).await.expect("it catches up");
    }

    /// Nobody has reached the database that is there now.
    async fn go_on_without_the_last(&mut self, from: Nanos) {
        self.floor += ERA;
        let floor = sqlx::query("UPDATE era SET floor = $1").bind(self.floor);
        floor.execute(&self.pool).await.expect("a floor");
        let kept = versions(&self.pool).await.expect("what it has kept");
        self.history.loses(from, kept, self.floor);
    }
}
