//! Processes of the service with a source that does what a story wants: it fails, hangs, or waits.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use cache_runtime::{BoxError, Builder, Cache, Error, Fetched, Find, Load, LoadContext, Schema};
use ledger::{
    Base, Digest, Fact, FactLookup, OldPage, Page, Quote, Rate, Report, Row, Rumour, SecretPage,
    Value,
};
use sqlx::Pool;
use tokio::sync::watch;
use tokio::task::JoinHandle;

use super::bank::{BUSY, Bank};
use crate::harness::events::Events;
use crate::harness::soon::soon;
use crate::harness::{Seen, Without, observed, with_store};

/// What a loader does when it has read its rows.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Mood {
    Well,
    Fails,
    /// Until it is in another mood.
    Waits,
    /// Those that wait go on waiting.
    WellFromNowOn,
    Hangs,
    /// Its thread as well.
    Blocks(Duration),
}

/// What one process loads from.
pub struct Source<DB: Base> {
    pool: Pool<DB>,
    mood: watch::Sender<Mood>,
    asked: Asked,
}

/// Every load, in all processes.
#[derive(Clone, Default)]
pub struct Asked(Arc<Mutex<Vec<Asking>>>);

/// The model and the ids.
type Asking = (&'static str, Vec<i64>);

/// One process.
pub struct Desk<DB: Base> {
    pub cache: Cache<Source<DB>>,
    pub events: Arc<Events>,
    pub asked: Asked,
    relays: bool,
}

// Derived, it would want the database itself to be `Clone`.
impl<DB: Base> Clone for Desk<DB> {
    fn clone(&self) -> Self {
        Self {
            cache: self.cache.clone(),
            events: Arc::clone(&self.events),
            asked: self.asked.clone(),
            relays: self.relays,
        }
    }
}

impl<DB: Base> Bank<DB> {
    /// A process that nobody else asks with.
    pub async fn desk(&self) -> Desk<DB> {
        self.another_desk(&Asked::default()).await
    }

    pub async fn desks<const N: usize>(&self) -> [Desk<DB>; N] {
        let asked = Asked::default();
        let mut desks = Vec::new();
        for _ in 0..N {
            desks.push(self.another_desk(&asked).await);
        }
        desks.try_into().ok().expect("so many")
    }

    pub async fn another_desk(&self, asked: &Asked) -> Desk<DB> {
        self.desk_on(self.pool(), asked).await
    }

    /// Of a process that dies connections are its own.
    pub async fn desk_on(&self, pool: &Pool<DB>, asked: &Asked) -> Desk<DB> {
        self.desk_with(pool, asked, &BUSY, None, |builder| builder).await
    }

    pub async fn desk_with(
        &self,
        pool: &Pool<DB>,
        asked: &Asked,
        schema: &'static Schema,
        mutant: Option<Without>,
        how: impl FnOnce(Builder<Source<DB>>) -> Builder<Source<DB>>,
    ) -> Desk<DB> {
        let source = Source {
            pool: pool.clone(),
            mood: watch::Sender::new(Mood::Well),
            asked: asked.clone(),
        };
        let (relays, redis) = (self.relays(), self.redis_url());
        let builder = how(Cache::builder(source, schema).outbox(pool).relay(relays));
        let (builder, events) = observed(with_store(builder, schema, redis.as_deref(), mutant));
        let cache = builder.build().await.expect("built");
        Desk { cache, events, asked: asked.clone(), relays }
    }
}

impl<DB: Base> Desk<DB> {
    /// From now on.
    pub fn is(&self, mood: Mood) {
        self.cache.db().mood.send_replace(mood);
    }

    /// Waits until the relay has found nothing: whatever it delivered of what is committed is over.
    pub async fn settled(&self) {
        if self.relays {
            self.events.idle(1).await;
        }
    }

    /// Waits until so many loads have read their rows, and stand still; or none does.
    pub async fn waiting(&self, loads: usize) {
        let waiting = || self.cache.db().mood.receiver_count();
        let is_so = || waiting() >= loads && (loads > 0 || waiting() == 0);
        soon("loads that wait", is_so).await;
    }

    pub async fn page(&self, id: i64) -> Result<Option<Arc<Page>>, Error> {
        Page::get(&self.cache, id).await
    }

    pub fn page_meanwhile(&self, id: i64) -> JoinHandle<Result<Option<Arc<Page>>, Error>> {
        let desk = self.clone();
        tokio::spawn(async move { desk.page(id).await })
    }

    pub async fn quote(&self, id: i64) -> Result<Fetched<Arc<Quote>>, Error> {
        Quote::fetch(&self.cache, id).await
    }

    pub fn quote_meanwhile(&self, id: i64) -> JoinHandle<Result<Fetched<Arc<Quote>>, Error>> {
        let desk = self.clone();
        tokio::spawn(async move { desk.quote(id).await })
    }

    /// A write through the cache.
    pub async fn write(&self, sql: &str) {
        let source = self.cache.db();
        let tx = self.cache.begin_on(&source.pool).await;
        let mut tx = tx.expect("a transaction");
        DB::run(&mut tx, sql, Vec::new()).await.expect("run");
        tx.commit().await.expect("committed");
    }

    /// Waits until so many fills were offered.
    pub async fn filled(&self, fills: usize) {
        let filled = |seen: &Seen| matches!(seen, Seen::Filled(..));
        self.has_seen("fills", fills, filled).await;
    }

    /// Waits until so many readers have missed.
    pub async fn missed(&self, misses: usize) {
        let missed = |seen: &Seen| matches!(seen, Seen::Miss(_));
        self.has_seen("misses", misses, missed).await;
    }

    async fn has_seen(&self, what: &str, count: usize, is: impl Fn(&Seen) -> bool) {
        soon(what, || self.events.count(&is) >= count).await;
    }
}

impl Asked {
    /// How often, for this model.
    pub fn times(&self, model: &str) -> usize {
        self.ids(model).len()
    }

    /// For which ids at a time.
    pub fn ids(&self, model: &str) -> Vec<Vec<i64>> {
        let asked = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let of = asked.iter().filter(|(of, _)| *of == model);
        of.map(|(_, ids)| ids.clone()).collect()
    }

    /// Waits until it was so often.
    pub async fn reach(&self, model: &str, times: usize) {
        soon("loads", || self.times(model) >= times).await;
    }

    fn add(&self, model: &'static str, ids: &[i64]) -> i64 {
        let mut asked = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        asked.push((model, ids.to_vec()));
        asked.iter().filter(|(of, _)| *of == model).count() as i64
    }
}

impl<DB: Base> Load<Source<DB>> for Page {
    async fn load(cx: &LoadContext<Source<DB>>, ids: &[i64]) -> Result<Vec<Page>, BoxError> {
        let edition = cx.db().asked.add("page", ids);
        let mut pages: Vec<Page> = rows(cx, "SELECT id, text FROM page WHERE id = $1", ids).await?;
        pages.iter_mut().for_each(|page| page.edition = edition);
        behave(cx, pages).await
    }
}

impl<DB: Base> Load<Source<DB>> for OldPage {
    async fn load(cx: &LoadContext<Source<DB>>, ids: &[i64]) -> Result<Vec<OldPage>, BoxError> {
        rows(cx, "SELECT id, text FROM page WHERE id = $1", ids).await
    }
}

impl<DB: Base> Load<Source<DB>> for SecretPage {
    async fn load(cx: &LoadContext<Source<DB>>, ids: &[i64]) -> Result<Vec<SecretPage>, BoxError> {
        rows(cx, "SELECT id, text FROM page WHERE id = $1", ids).await
    }
}

impl<DB: Base> Load<Source<DB>> for Quote {
    async fn load(cx: &LoadContext<Source<DB>>, ids: &[i64]) -> Result<Vec<Quote>, BoxError> {
        let edition = cx.db().asked.add("quote", ids);
        let sql = "SELECT id, text FROM quote WHERE id = $1";
        let mut quotes: Vec<Quote> = rows(cx, sql, ids).await?;
        quotes.iter_mut().for_each(|quote| quote.edition = edition);
        behave(cx, quotes).await
    }
}

impl<DB: Base> Load<Source<DB>> for Rate {
    async fn load(cx: &LoadContext<Source<DB>>, ids: &[i64]) -> Result<Vec<Rate>, BoxError> {
        cx.db().asked.add("rate", ids);
        let rates = rows(cx, "SELECT id, text FROM rate WHERE id = $1", ids).await?;
        behave(cx, rates).await
    }
}

/// Only its quotes have moods.
impl<DB: Base> Load<Source<DB>> for Digest {
    async fn load(cx: &LoadContext<Source<DB>>, ids: &[i64]) -> Result<Vec<Digest>, BoxError> {
        cx.db().asked.add("digest", ids);
        let sql = "SELECT id, quote_id FROM digest WHERE id = $1";
        let mut digests: Vec<Digest> = rows(cx, sql, ids).await?;
        for digest in &mut digests {
            if let Some(quote) = digest.quote_id {
                digest.quote = cx.get::<Quote>(quote).await?;
            }
        }
        Ok(digests)
    }
}

impl<DB: Base> Load<Source<DB>> for Fact {
    async fn load(cx: &LoadContext<Source<DB>>, ids: &[i64]) -> Result<Vec<Fact>, BoxError> {
        cx.db().asked.add("fact", ids);
        let facts = rows(cx, "SELECT * FROM fact WHERE id = $1", ids).await?;
        behave(cx, facts).await
    }
}

impl<DB: Base> Find<Source<DB>> for Fact {
    async fn find(
        cx: &LoadContext<Source<DB>>,
        FactLookup::Slug(slug): &FactLookup,
    ) -> Result<Option<i64>, BoxError> {
        let mut connection = cx.acquire(&cx.db().pool).await?;
        let (sql, slug) = ("SELECT * FROM fact WHERE slug = $1", vec![slug.into()]);
        let facts: Vec<Fact> = DB::select(&mut connection, sql, slug).await?;
        Ok(facts.first().map(|fact| fact.id))
    }
}

/// Only its facts have moods.
impl<DB: Base> Load<Source<DB>> for Report {
    async fn load(cx: &LoadContext<Source<DB>>, ids: &[i64]) -> Result<Vec<Report>, BoxError> {
        cx.db().asked.add("report", ids);
        let sql = "SELECT id, fact_id FROM report WHERE id = $1";
        let mut reports: Vec<Report> = rows(cx, sql, ids).await?;
        for report in &mut reports {
            if let Some(fact) = report.fact_id {
                report.fact = cx.get::<Fact>(fact).await?;
            }
        }
        Ok(reports)
    }
}

impl<DB: Base> Load<Source<DB>> for Rumour {
    async fn load(cx: &LoadContext<Source<DB>>, ids: &[i64]) -> Result<Vec<Rumour>, BoxError> {
        cx.db().asked.add("rumour", ids);
        let rumours = rows(cx, "SELECT id, text FROM rumour WHERE id = $1", ids).await?;
        behave(cx, rumours).await
    }
}

async fn rows<DB: Base, T: Row>(
    cx: &LoadContext<Source<DB>>,
    sql: &str,
    ids: &[i64],
) -> Result<Vec<T>, BoxError> {
    let mut connection = cx.acquire(&cx.db().pool).await?;
    let mut rows = Vec::new();
    for id in ids {
        rows.extend(DB::select(&mut connection, sql, vec![Value::Number(*id)]).await?);
    }
    Ok(rows)
}

/// Gives the rows that were read, or not.
async fn behave<DB: Base, T>(
    cx: &LoadContext<Source<DB>>,
    rows: Vec<T>,
) -> Result<Vec<T>, BoxError> {
    let mut mood = cx.db().mood.subscribe();
    let is_well = *mood.borrow() == Mood::WellFromNowOn;
    let goes_on = |mood: &Mood| is_well || !matches!(mood, Mood::Waits | Mood::WellFromNowOn);
    let mood = *mood.wait_for(goes_on).await?;
    match mood {
        Mood::Well | Mood::Waits | Mood::WellFromNowOn => Ok(rows),
        Mood::Fails => Err("the source is out of order".into()),
        Mood::Hangs => std::future::pending().await,
        Mood::Blocks(time) => {
            std::thread::sleep(time);
            Ok(rows)
        }
    }
}
