//! A PostgreSQL that is gone without a word, so that connections to it stand still; and one that
//! comes back without what was committed last.

use std::time::{Duration, Instant};

use cache_runtime::Cache;
use ledger::{Base, Note, SCHEMA};
use servers::Proxy;
use sqlx::{AssertSqlSafe, PgPool, Postgres};
use tokio::time::{sleep, timeout};

use super::bank::{Bank, story};
use crate::harness::Story;

/// How long nothing may be delivered while connections stand still.
const WITHOUT_ANSWERS: Duration = Duration::from_secs(15);
/// A pass of the relay, when it is answered; less than it takes until it looks at everything.
const A_PASS: Duration = Duration::from_secs(4);
/// How many connections the service has.
const CONNECTIONS: u32 = 2;

pub fn stories() -> Vec<Story> {
    [
        story!(postgres: a_relay_gives_up_connections_that_stand_still),
        story!(postgres: who_hangs_up_keeps_no_connection),
        story!(postgres: what_a_crash_has_lost_is_not_served),
        story!(postgres: the_numbers_of_lost_transactions_are_given_again),
    ]
    .map(Story::in_memory)
    .into()
}

/// A service behind a proxy, on a server of its own; beside it, plain SQL.
struct Service {
    server: servers::Postgres,
    proxy: Proxy,
    pool: PgPool,
    cache: Cache<PgPool>,
    beside: PgPool,
}

async fn service() -> Service {
    // Who writes the log down rarely looks.
    let server = || servers::Postgres::own(&["wal_writer_delay=10s"]);
    let server = tokio::task::spawn_blocking(server).await.expect("started");
    let beside = <Postgres as Base>::pool(&server.url("postgres"), 4);
    let set_up = <Postgres as Base>::set_up(&beside).await;
    set_up.expect("tables and triggers");
    let proxy = Proxy::to(server.port()).await;
    let pool = <Postgres as Base>::pool(&proxy.postgres_url("postgres"), CONNECTIONS);
    let cache = Cache::builder(pool.clone(), &SCHEMA).outbox(&pool);
    let service =
        Service { server, proxy, cache: cache.build().await.expect("built"), pool, beside };
    service.sql("INSERT INTO note (id, text) VALUES ('n', 'old'), ('other', '')").await;
    service.nothing_waits(A_PASS).await;
    assert_eq!(service.says().await.as_deref(), Some("old"));
    service
}

impl Service {
    async fn sql(&self, sql: &str) {
        let sql = AssertSqlSafe(sql.to_owned());
        let done = sqlx::raw_sql(sql).execute(&self.beside).await;
        done.expect("the server answers");
    }

    /// None: the database does not answer.
    async fn says(&self) -> Option<String> {
        let note = Note::get(&self.cache, "n").await;
        note.ok().flatten().map(|note| note.text.clone())
    }

    async fn becomes(&self, text: &str, within: Duration) {
        let since = Instant::now();
        loop {
            let said = self.says().await;
            if said.as_deref() == Some(text) {
                return;
            }
            let late = since.elapsed() > within;
            assert!(!late, "wrong answer: {said:?} after {within:?}, not {text}");
            sleep(Duration::from_millis(10)).await;
        }
    }

    async fn nothing_waits(&self, within: Duration) {
        let sql = "SELECT EXISTS (SELECT FROM cache_outbox WHERE delivered_at IS NULL)";
        let since = Instant::now();
        while sqlx::query_scalar(sql).fetch_one(&self.beside).await.expect("an answer") {
            assert!(since.elapsed() < within, "rows wait for more than {within:?}");
            sleep(Duration::from_millis(10)).await;
        }
    }

    /// From here on nothing is written down.
    async fn loses_from_here(&self) {
        self.sql("CHECKPOINT").await;
        let sql = "SELECT pid FROM pg_stat_activity WHERE backend_type = 'walwriter'";
        let pid: Result<i32, _> = sqlx::query_scalar(sql).fetch_one(&self.beside).await;
        servers::signal(pid.expect("it runs") as u32, "STOP");
    }

    fn crashes(&self) {
        tokio::task::block_in_place(|| {
            self.server.kill();
            self.server.start_again();
        });
    }
}

async fn a_relay_gives_up_connections_that_stand_still(_: Bank<Postgres>) {
    let service = service().await;
    service.proxy.freeze_existing();
    service.sql("UPDATE note SET text = 'new' WHERE id = 'n'").await;
    service.nothing_waits(WITHOUT_ANSWERS).await;
}

/// All connections of the pool are in transactions when they
/// stop, and nobody waits for those any more.
async fn who_hangs_up_keeps_no_connection(_: Bank<Postgres>) {
    let service = service().await;
    let mut open = Vec::new();
    for _ in 0..CONNECTIONS {
        open.push(service.cache.begin().await.expect("a transaction"));
    }
    service.proxy.freeze_existing();
    drop(open);
    let acquired = timeout(WITHOUT_ANSWERS, service.pool.acquire()).await;
    assert!(matches!(acquired, Ok(Ok(_))), "the pool is empty");
}

async fn what_a_crash_has_lost_is_not_served(_: Bank<Postgres>) {
    let service = service().await;
    service.loses_from_here().await;
    let mut tx = service.cache.begin().await.expect("a transaction");
    let write = sqlx::query("UPDATE note SET text = 'lost' WHERE id = 'n'");
    write.execute(&mut *tx).await.expect("written");
    tx.commit().await.expect("committed");
    assert_eq!(service.says().await.as_deref(), Some("lost"));
    service.crashes();
    service.becomes("old", A_PASS).await;
}

/// A relay that has seen the lost ones passes by those that have their numbers now.
async fn the_numbers_of_lost_transactions_are_given_again(_: Bank<Postgres>) {
    let service = service().await;
    service.loses_from_here().await;
    for _ in 0..100 {
        service.sql("UPDATE note SET text = text || '.' WHERE id = 'other'").await;
    }
    service.nothing_waits(A_PASS).await;
    service.crashes();
    service.becomes("old", A_PASS).await;
    service.sql("UPDATE note SET text = 'new' WHERE id = 'n'").await;
    service.becomes("new", A_PASS).await;
}
