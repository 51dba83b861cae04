//! Two services of one database that do not share what is stored, and their processes.

use std::sync::Arc;
use std::time::{Duration, Instant};

use cache_runtime::{BoxError, Cache, Load, LoadContext, Schema};
use ledger::{Base, Row, Value};
use ledger_twin as twin;
use sqlx::Pool;

use super::bank::{BUSY, Bank};
use crate::harness::events::Events;
use crate::harness::soon::{PATIENCE, Soon};
use crate::harness::{Seen, observed, with_store};

/// What the two do not share.
#[derive(Clone, Copy)]
pub enum Other {
    Database,
    Prefix,
    Memory,
}

pub struct Services<DB: Base> {
    pub bank: Bank<DB>,
    pub other: Other,
}

/// Where facts come from.
pub struct Source<DB: Base>(Pool<DB>);

/// One process of one of the services.
pub struct Process<DB: Base> {
    pub name: String,
    cache: Cache<Source<DB>>,
    pub events: Arc<Events>,
    is_twin: bool,
    tier: &'static str,
}

impl<DB: Base> Services<DB> {
    pub async fn with_facts(&self, facts: i64) {
        let insert = format!(
            "WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < {facts})
             INSERT INTO fact (id, slug, text, weight) SELECT i, 'slug ' || i, 'old', 1 FROM n"
        );
        self.bank.sql(insert).await;
        self.bank.sql("DELETE FROM cache_outbox").await;
    }

    pub async fn process(&self, there: bool, near: bool, relay: bool) -> Process<DB> {
        let another = there && matches!(self.other, Other::Database);
        let url = match self.other {
            Other::Memory => None,
            Other::Database | Other::Prefix => {
                Some(self.bank.redis().server().url(u32::from(another)))
            }
        };
        self.process_at(url.as_deref(), there, near, relay).await
    }

    /// Likewise, with its store at this address.
    pub async fn process_at(
        &self,
        url: Option<&str>,
        there: bool,
        near: bool,
        relay: bool,
    ) -> Process<DB> {
        let pool = self.bank.pool();
        let is_twin = there && matches!(self.other, Other::Prefix);
        let schema: &'static Schema = match is_twin {
            true => Box::leak(Box::new(Schema { poll: BUSY.poll, ..twin::SCHEMA })),
            false => &BUSY,
        };
        assert_eq!(schema.postgres.fingerprint, BUSY.postgres.fingerprint, "they install the same");
        let builder = Cache::builder(Source(pool.clone()), schema).outbox(pool);
        let builder = with_store(builder.relay(relay).near(near), schema, url, None);
        let (builder, events) = observed(builder);
        let far = if self.bank.has_redis() { "redis" } else { "memory" };
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

    pub async fn nothing_waits(&self) {
        let soon = Soon::within(PATIENCE);
        let waiting = "SELECT count(*) FROM cache_outbox WHERE delivered_at IS NULL";
        while self.bank.number(waiting).await > 0 {
            soon.or("rows wait").await;
        }
    }

    /// The facts whose rows after this one are marked as delivered.
    pub async fn marked_after(&self, row: i64) -> Vec<i64> {
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

    pub async fn says(&self, id: i64) -> String {
        self.read(id).await.0
    }

    /// Reads until its tier answers.
    pub async fn hits(&self, id: i64) {
        let soon = Soon::within(PATIENCE);
        while self.read(id).await.1 != Some(self.tier) {
            soon.at_once_or(format_args!("{}: no hit of {id}", self.name));
            tokio::task::yield_now().await;
        }
    }

    pub async fn has_seen(&self, what: &str, event: &Seen) {
        self.events.wait_for(what, |seen| seen == event).await;
    }

    pub async fn becomes(&self, id: i64, text: &str, since: Instant, within: Duration) {
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

    pub async fn write(&self, text: &str, which: &str) {
        self.write_meanwhile(text, which).await.expect("no panic");
    }

    pub fn write_meanwhile(&self, text: &str, which: &str) -> tokio::task::JoinHandle<()> {
        let (cache, sql) =
            (self.cache.clone(), format!("UPDATE fact SET text = '{text}' WHERE {which}"));
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
