//! The fault `installs`: while everybody writes, the triggers are installed again, and replaced by
//! those of an edited `cache.toml` and back. No write may fail for it, nor may anybody wait long,
//! and what comes of it for readers is old for as long as the guide says.

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use cache_runtime::Schema;
use chaos_service::clock::{ms, nanos, now};
use chaos_service::models::SCHEMA;
use chaos_service::record::Model;
use fastrand::Rng;
use sqlx::AssertSqlSafe;
use tokio::time::{sleep, timeout};

use crate::world::{PATIENCE, World};

/// An edited `cache.toml`, of another version of the service.
static EDITED: &Schema = &chaos_edited::SCHEMA;

/// The models of which its triggers report no new version.
const UNREPORTED: &[Model] = &[Model::Review, Model::Page, Model::Queue, Model::Desk];

/// How often each of several installers installs in a row.
const TIMES: usize = 2;

/// How long a report reads from one table, and its transaction is open.
const REPORT: Duration = Duration::from_secs(2);

/// How long a statement may wait for installers, of which each stops the table for a moment: less
/// than a service waits for a connection, so that it does not run out of them.
const MOST_WAIT: Duration = Duration::from_millis(1500);

/// How often it is tried to have the right triggers in the end.
const TRIES: usize = 10;

impl World {
    pub async fn install(&self, rng: &mut Rng) {
        let failed = self.history.failed_writes();
        let longest = AtomicU64::new(0);
        tokio::select! {
            () = self.wait(&longest) => {}
            () = self.install_in_every_way(rng) => {}
        }
        let longest = longest.into_inner();
        if longest > nanos(MOST_WAIT) {
            let most = MOST_WAIT.as_millis();
            let text = format!("installs: a statement waited for more than {most} ms");
            eprintln!("          {text}: {:.0}", ms(longest));
            self.history.problem(text);
        }
        for (error, times) in self.history.failed_writes() {
            let before = failed.get(&error).copied().unwrap_or_default();
            for _ in before..times {
                self.history.problem(format!("installs: {error}"));
            }
        }
    }

    async fn install_in_every_way(&self, rng: &mut Rng) {
        // What is installed already, by two at once.
        let same = || async {
            for _ in 0..TIMES {
                self.install_once(&SCHEMA).await;
                self.install_once(&chaos_strict::SCHEMA).await;
            }
        };
        tokio::join!(same(), same());

        // Another, now and then so shortly that nobody notices.
        for _ in 0..TIMES {
            self.unreported(async {
                self.install_once(EDITED).await;
                sleep(SCHEMA.poll.mul_f64(2.0 * rng.f64())).await;
            })
            .await;
            sleep(SCHEMA.poll.mul_f64(2.0 * rng.f64())).await;
        }

        // By two at once, who disagree.
        self.unreported(async {
            let again = |schema| async move {
                for _ in 0..TIMES {
                    self.install_once(schema).await;
                }
            };
            tokio::join!(again(&SCHEMA), again(EDITED));
        })
        .await;

        // While somebody reads a table for a long time.
        let (table, number) = *rng.choice(TABLES).unwrap_or(&TABLES[0]);
        let edited = self.unreported(async {
            // The report is first.
            sleep(REPORT / 10).await;
            self.install_once(EDITED).await;
        });
        tokio::join!(self.report(table, number), edited);

        // Who has not looked yet seems to be in use.
        sleep(2 * SCHEMA.poll).await;
    }

    /// While this goes on, and until the right triggers are back, the edited ones may be installed.
    async fn unreported(&self, meanwhile: impl Future<Output = ()>) {
        self.history.unreported_from_here(UNREPORTED);
        meanwhile.await;
        for _ in 0..TRIES {
            if self.install_once(&SCHEMA).await {
                break;
            }
        }
        self.history.reported_from_here();
    }

    /// Whether it is installed.
    async fn install_once(&self, schema: &'static Schema) -> bool {
        let problem = match timeout(PATIENCE, schema.install(&self.pool)).await {
            Ok(Ok(())) => return true,
            Ok(Err(error)) => first_line(&error),
            Err(_) => format!("takes more than {PATIENCE:?}"),
        };
        self.history.problem(format!("install: {problem}"));
        false
    }

    async fn report(&self, table: &str, number: &str) {
        let sum = AssertSqlSafe(format!("SELECT sum({number}) FROM {table}"));
        let reported = async {
            let mut tx = self.pool.begin().await?;
            sqlx::query(sum).execute(&mut *tx).await?;
            sleep(REPORT).await;
            tx.commit().await
        };
        if let Err(error) = reported.await {
            self.history.problem(format!("report: {error}"));
        }
    }

    /// For ever, one after the other: reads and writes every table, and notes for how long a
    /// statement waits at most. (What it writes changes nothing.)
    async fn wait(&self, longest: &AtomicU64) {
        loop {
            for (table, number) in TABLES {
                for sql in [
                    format!("SELECT {number} FROM {table} LIMIT 1"),
                    format!("UPDATE {table} SET {number} = {number} WHERE false"),
                ] {
                    let start = now();
                    if let Err(error) = self.execute(sql).await {
                        self.history.problem(format!("installs: {error}"));
                    }
                    longest.fetch_max(now() - start, Ordering::SeqCst);
                }
            }
            sleep(Duration::from_millis(5)).await;
        }
    }

    async fn execute(&self, sql: String) -> Result<(), sqlx::Error> {
        let query = sqlx::query(AssertSqlSafe(sql));
        query.execute(&self.pool).await.map(drop)
    }
}

/// Which triggers are on, or writers write to meanwhile, each with a column.
const TABLES: &[(&str, &str)] = &[
    ("author", "version"),
    ("book", "version"),
    ("review", "version"),
    ("page", "version"),
    ("account", "version"),
    ("ticket", "place"),
    ("served", "queue_id"),
];

fn first_line(error: &sqlx::Error) -> String {
    let text = error.to_string();
    text.lines().next().unwrap_or_default().to_owned()
}
