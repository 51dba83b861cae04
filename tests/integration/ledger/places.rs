//! Two services of one database that do not share what is stored: on one Redis, in another of its logical databases or under
//! another prefix; or each in a memory of its own. What is told to one, is not told to the other: a row that one has delivered
//! still is to be delivered by the other.

use std::sync::Arc;
use std::time::{Duration, Instant};

use cache_runtime::{BoxError, Builder, Cache, Load, LoadContext, MemoryStore, RedisStore, Schema};
use ledger::{Base, Row, Value};
use ledger_twin as twin;
use sqlx::Pool;

use super::bank::{BUSY, Bank};
use super::desk::PATIENCE;
use super::tale::{Tale, tale};
use crate::harness::events::Events;
use crate::harness::setup::{Setup, Tier};

/// `outbox.poll`, and a pass, and a machine that is busy.
const A_PASS: Duration = Duration::from_secs(2);
/// Likewise, of many rows.
const A_PASS_OF_MANY: Duration = Duration::from_secs(8);
/// More than two batches of a delivery.
const MANY: i64 = 12_000;
/// Some of them, all over.
const SOME: usize = 300;

pub fn tales() -> Vec<Tale> {
    const WHY: &str = "the story's services are others; each relays if it says so";
    [
        tale!(another_database_of_the_server_hears_of_writes).own_redis(),
        tale!(another_database_of_the_server_delivers_first).own_redis(),
        tale!(another_database_of_the_server_marks_a_part_first).own_redis(),
        tale!(another_prefix_hears_of_writes).own_redis(),
        tale!(another_prefix_delivers_first).own_redis(),
        tale!(another_prefix_marks_a_part_first).own_redis(),
        tale!(another_memory_hears_of_writes).on(in_memory),
        tale!(another_memory_delivers_first).on(in_memory),
        tale!(another_memory_marks_a_part_first).on(in_memory),
    ]
    .map(|tale| tale.without_relay(WHY))
    .into()
}

fn in_memory(setup: Setup) -> bool {
    setup.tier == Tier::Memory
}

async fn another_database_of_the_server_hears_of_writes<DB: Base>(bank: Bank<DB>) {
    hear_of_each_other(&Services {
        bank,
        other: Other::Database,
    })
    .await;
}

async fn another_database_of_the_server_delivers_first<DB: Base>(bank: Bank<DB>) {
    one_delivers_first(&Services {
        bank,
        other: Other::Database,
    })
    .await;
}

async fn another_database_of_the_server_marks_a_part_first<DB: Base>(bank: Bank<DB>) {
    one_marks_a_part_first(&Services {
        bank,
        other: Other::Database,
    })
    .await;
}

async fn another_prefix_hears_of_writes<DB: Base>(bank: Bank<DB>) {
    hear_of_each_other(&Services {
        bank,
        other: Other::Prefix,
    })
    .await;
}

async fn another_prefix_delivers_first<DB: Base>(bank: Bank<DB>) {
    one_delivers_first(&Services {
        bank,
        other: Other::Prefix,
    })
    .await;
}

async fn another_prefix_marks_a_part_first<DB: Base>(bank: Bank<DB>) {
    one_marks_a_part_first(&Services {
        bank,
        other: Other::Prefix,
    })
    .await;
}

async fn another_memory_hears_of_writes<DB: Base>(bank: Bank<DB>) {
    hear_of_each_other(&Services {
        bank,
        other: Other::Memory,
    })
    .await;
}

async fn another_memory_delivers_first<DB: Base>(bank: Bank<DB>) {
    one_delivers_first(&Services {
        bank,
        other: Other::Memory,
    })
    .await;
}

async fn another_memory_marks_a_part_first<DB: Base>(bank: Bank<DB>) {
    one_marks_a_part_first(&Services {
        bank,
        other: Other::Memory,
    })
    .await;
}

/// Every process writes in turn, and every other sees it: soon, and then for good.
async fn hear_of_each_other<DB: Base>(services: &Services<DB>) {
    services.with_facts(3).await;
    let mut processes = Vec::new();
    for there in [false, true] {
        for near in [true, false] {
            processes.push(services.process(there, near, true).await);
        }
    }
    for (round, writer) in (0..2).flat_map(|_| &processes).enumerate() {
        for process in &processes {
            process.hits(1).await;
            process.hits(2).await;
        }
        let text = format!("round {round}");
        writer.write(&text, "id = 1").await;
        let since = Instant::now();
        let said = writer.says(1).await;
        assert_eq!(
            said, text,
            "wrong answer: {} reads less than it has written",
            writer.name
        );
        for process in &processes {
            process.becomes(1, &text, since, A_PASS).await;
        }
        for process in &processes {
            for _ in 0..20 {
                let said = process.says(1).await;
                assert_eq!(said, text, "wrong answer: {} is old again", process.name);
            }
        }
    }
    // Whoever knows nothing of any of them.
    for process in &processes {
        process.hits(1).await;
    }
    services
        .bank
        .sql("UPDATE fact SET text = 'by plain SQL' WHERE id = 1")
        .await;
    let since = Instant::now();
    for process in &processes {
        process.becomes(1, "by plain SQL", since, A_PASS).await;
    }
}

/// The other's relay is quicker with the rows of a commit: its own process reads nothing old when it has returned.
async fn one_delivers_first<DB: Base>(services: &Services<DB>) {
    services.with_facts(1).await;
    for (round, there) in [false, true, false, true].into_iter().enumerate() {
        // Far and near; its own relay would tell it.
        let writer = services.process(there, round < 2, false).await;
        writer.hits(1).await;
        let other = services.process(!there, true, true).await;
        other.hits(1).await;

        let text = format!("round {round}");
        let hold = writer.events.hold_after_commit();
        let write = writer.write_meanwhile(&text, "id = 1");
        hold.reached().await;
        other.becomes(1, &text, Instant::now(), A_PASS).await;
        services.nothing_waits().await;
        hold.release();
        write.await.expect("no panic");
        let said = writer.says(1).await;
        assert_eq!(
            said, text,
            "wrong answer: {} reads less than it has written",
            writer.name
        );
    }
}

/// Likewise, but the other has marked only some of the rows when the commit looks for its own.
async fn one_marks_a_part_first<DB: Base>(services: &Services<DB>) {
    services.with_facts(MANY).await;
    for (round, there) in [false, true].into_iter().enumerate() {
        let writer = services.process(there, true, false).await;
        let other = services.process(!there, true, true).await;
        let some: Vec<i64> = (1..=MANY).step_by(SOME).collect();
        for process in [&writer, &other] {
            for id in &some {
                process.hits(*id).await;
            }
        }
        let text = format!("round {round}");
        let last = services.bank.last_outbox_row().await;
        let committed = writer.events.hold_after_commit();
        let marking = other.events.hold_after_marking();
        let write = writer.write_meanwhile(&text, "id > 0");
        committed.reached().await;
        marking.reached().await;
        let marked = services.marked_after(last).await;
        let (told, untold): (Vec<i64>, Vec<i64>) = some.iter().partition(|id| marked.contains(id));
        assert!(!told.is_empty() && !untold.is_empty(), "a part is marked");

        committed.release();
        write.await.expect("no panic");
        for (id, by) in told
            .iter()
            .map(|id| (id, "the other"))
            .chain(untold.iter().map(|id| (id, "nobody")))
        {
            let said = writer.says(*id).await;
            assert_eq!(
                said, text,
                "wrong answer: {} reads less than it has written to {id}, which {by} had marked",
                writer.name
            );
        }
        marking.release();
        services.nothing_waits().await;
        let since = Instant::now();
        for id in &some {
            other.becomes(*id, &text, since, A_PASS_OF_MANY).await;
            assert_eq!(writer.says(*id).await, text, "wrong answer: old again");
        }
    }
}

/// What the two do not share.
#[derive(Clone, Copy)]
enum Other {
    Database,
    Prefix,
    Memory,
}

struct Services<DB: Base> {
    bank: Bank<DB>,
    other: Other,
}

/// Where facts come from.
struct Source<DB: Base>(Pool<DB>);

/// One process of one of the services.
struct Process<DB: Base> {
    name: String,
    cache: Cache<Source<DB>>,
    events: Arc<Events>,
    is_twin: bool,
    tier: &'static str,
}

impl<DB: Base> Services<DB> {
    async fn with_facts(&self, facts: i64) {
        let insert = format!(
            "WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < {facts})
             INSERT INTO fact (id, slug, text, weight) SELECT i, 'slug ' || i, 'old', 1 FROM n"
        );
        self.bank.sql(insert).await;
        self.bank.sql("DELETE FROM cache_outbox").await;
    }

    async fn process(&self, there: bool, near: bool, relay: bool) -> Process<DB> {
        let (events, pool) = (Arc::new(Events::default()), self.bank.pool());
        let is_twin = there && matches!(self.other, Other::Prefix);
        let schema: &'static Schema = match is_twin {
            true => Box::leak(Box::new(Schema {
                poll: BUSY.poll,
                ..twin::SCHEMA
            })),
            false => &BUSY,
        };
        assert_eq!(
            schema.postgres.stamp, BUSY.postgres.stamp,
            "they install the same"
        );
        let observer = Arc::clone(&events);
        let builder: Builder<Source<DB>> = Cache::builder(Source(pool.clone()), schema)
            .outbox(pool)
            .relay(relay)
            .near(near)
            .on_event(move |event| observer.record(event));
        let builder = match self.other {
            Other::Memory => builder.store(MemoryStore::new(schema)),
            Other::Database | Other::Prefix => {
                let another = there && matches!(self.other, Other::Database);
                let url = self.bank.redis().server().url(u32::from(another));
                builder.store(RedisStore::new(&url, schema).expect("a URL"))
            }
        };
        let far = if self.bank.has_redis() {
            "redis"
        } else {
            "memory"
        };
        let tier = if near { "near" } else { far };
        let process = Process {
            name: format!("{} ({tier})", if there { "the other" } else { "one" }),
            cache: builder.build().await.expect("built"),
            events,
            is_twin,
            tier,
        };
        if relay {
            // What was delivered before it came is told.
            process.events.idle(2).await;
        }
        process
    }

    async fn nothing_waits(&self) {
        let since = Instant::now();
        let waiting = "SELECT count(*) FROM cache_outbox WHERE delivered_at IS NULL";
        while self.bank.number(waiting).await > 0 {
            assert!(since.elapsed() < PATIENCE, "rows wait");
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    }

    /// The facts whose rows after this one are marked as delivered.
    async fn marked_after(&self, row: i64) -> Vec<i64> {
        let sql = format!(
            "SELECT tag, '' FROM cache_outbox WHERE id > {row} AND delivered_at IS NOT NULL"
        );
        let rows = self.bank.pairs(&sql).await;
        let id = |tag: &str| tag.strip_prefix("fact#id=")?.parse().ok();
        rows.iter().filter_map(|(tag, _)| id(tag)).collect()
    }
}

impl<DB: Base> Process<DB> {
    /// The text of a fact, and which tier had it if it was a hit.
    async fn read(&self, id: i64) -> (String, Option<&'static str>) {
        macro_rules! read {
            ($fact:ty) => {{
                let fetched = <$fact>::fetch(&self.cache, id).await.expect("an answer");
                let hit = fetched.status.answer == cache_runtime::Answer::Hit;
                let text = fetched.value.expect("a row").text.clone();
                (text, hit.then_some(fetched.status.tier))
            }};
        }
        match self.is_twin {
            true => read!(twin::Fact),
            false => read!(ledger::Fact),
        }
    }

    async fn says(&self, id: i64) -> String {
        self.read(id).await.0
    }

    /// Reads until its tier answers.
    async fn hits(&self, id: i64) {
        let since = Instant::now();
        while self.read(id).await.1 != Some(self.tier) {
            assert!(since.elapsed() < PATIENCE, "{}: no hit of {id}", self.name);
            tokio::task::yield_now().await;
        }
    }

    async fn becomes(&self, id: i64, text: &str, since: Instant, within: Duration) {
        loop {
            let asked = since.elapsed();
            let said = self.says(id).await;
            if said == text {
                return;
            }
            assert!(
                asked < within,
                "wrong answer: after {asked:?} {} says {said:?} of {id}; right is {text:?}",
                self.name
            );
            tokio::time::sleep(Duration::from_millis(2)).await;
        }
    }

    async fn write(&self, text: &str, which: &str) {
        self.write_meanwhile(text, which).await.expect("no panic");
    }

    fn write_meanwhile(&self, text: &str, which: &str) -> tokio::task::JoinHandle<()> {
        let (cache, sql) = (
            self.cache.clone(),
            format!("UPDATE fact SET text = '{text}' WHERE {which}"),
        );
        tokio::spawn(async move {
            let mut tx = cache.begin_on(&cache.db().0).await.expect("a transaction");
            DB::run(&mut tx, &sql, Vec::new()).await.expect("run");
            tx.commit().await.expect("committed");
        })
    }
}

impl<DB: Base> Load<Source<DB>> for ledger::Fact {
    async fn load(cx: &LoadContext<Source<DB>>, ids: &[i64]) -> Result<Vec<Self>, BoxError> {
        facts(cx, ids).await
    }
}

impl<DB: Base> Load<Source<DB>> for twin::Fact {
    async fn load(cx: &LoadContext<Source<DB>>, ids: &[i64]) -> Result<Vec<Self>, BoxError> {
        facts(cx, ids).await
    }
}

async fn facts<DB: Base, T: Row>(
    cx: &LoadContext<Source<DB>>,
    ids: &[i64],
) -> Result<Vec<T>, BoxError> {
    let mut connection = cx.acquire(&cx.db().0).await?;
    let mut facts = Vec::new();
    for id in ids {
        let sql = "SELECT * FROM fact WHERE id = $1";
        facts.extend(DB::select(&mut connection, sql, vec![Value::Number(*id)]).await?);
    }
    Ok(facts)
}
