//! What happens once for all who miss a key: claim it, load it, offer it to the store, land the flight.

use std::collections::HashMap;
use std::future::poll_fn;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::pin::pin;
use std::sync::Arc;
use std::task::Poll;
use std::time::{Duration, Instant};

use bytes::Bytes;
use tokio::sync::OwnedSemaphorePermit;
use tracing::Instrument;

use crate::cache::Cache;
use crate::engine::Engine;
use crate::error::Error;
use crate::local::flight::{Hurry, Tick, Ticket};
use crate::mechanism::Mechanism;
use crate::model::tag::{Tag, Tags};
use crate::observe::event::Event;
use crate::read::load::LoadContext;
use crate::read::probe::open;
use crate::read::query::Kind;
use crate::store::{Claim, Fill, Token};
use crate::value::compare;
use crate::value::entry::{self, Entry, Unusable};

/// Between two looks whether another process has stored what it loads: from this on, doubling,
const FIRST_PAUSE: Duration = Duration::from_millis(2);
/// up to this.
const LONGEST_PAUSE: Duration = Duration::from_millis(32);

/// A finished load, as all who waited for it see it.
pub(crate) enum Landed<V> {
    Value(Loaded<V>),
    Failed(Error),
}

pub(crate) struct Loaded<V> {
    pub(crate) value: Option<Arc<V>>,
    /// As it was offered to the store, if it was.
    pub(crate) entry: Option<Entry>,
    pub(crate) stored: bool,
    /// Before the store was asked to store it.
    pub(crate) asked: Tick,
}

/// One key that this reader loads for all who miss it.
pub(crate) struct Lead<K> {
    pub(crate) of: K,
    pub(crate) key: String,
    pub(crate) ticket: Ticket,
}

impl<K: Clone> Lead<K> {
    pub(crate) fn new(of: &K, key: &str, ticket: Ticket) -> Lead<K> {
        Lead {
            of: of.clone(),
            key: key.to_owned(),
            ticket,
        }
    }

    fn land<V: Send + Sync + 'static>(self, landed: Landed<V>) {
        let stored = matches!(&landed, Landed::Value(loaded) if loaded.stored);
        self.ticket.land(stored, Arc::new(landed));
    }
}

tokio::task_local! {
    /// This task is a load's.
    static LOADING: ();
}

/// Whether a loader asks: of a cache that it has from elsewhere, if not of its context.
pub(crate) fn is_asked_by_a_loader() -> bool {
    LOADING.try_with(|()| ()).is_ok()
}

/// When a load may begin: no more than `max-loads` run at once.
#[derive(Clone)]
pub(crate) enum Turn {
    /// After those who came before; or as soon as a load that has begun waits for it. (If all who have begun waited for
    /// some that have not, nothing would go on.)
    InTurn(Hurry),
    /// It may begin: its turn has come, until this is dropped; or a load that has begun waits for it, and does nothing meanwhile.
    Now(#[expect(dead_code, reason = "it is held")] Option<Arc<OwnedSemaphorePermit>>),
}

impl Turn {
    /// When it has come.
    ///
    /// # Errors
    /// When it has not within `max-load`: after that nothing that is loaded could be stored.
    async fn comes(self, engine: &Engine, model: &'static str) -> Result<Turn, Error> {
        let Turn::InTurn(hurry) = self else {
            return Ok(self);
        };
        let mut turn = pin!(engine.loads.clone().acquire_owned());
        let mut told = pin!(hurry.told());
        let comes = poll_fn(
            |cx| match (turn.as_mut().poll(cx), told.as_mut().poll(cx)) {
                // Never closed.
                (Poll::Ready(turn), _) => Poll::Ready(turn.ok()),
                (Poll::Pending, Poll::Ready(())) => Poll::Ready(None),
                (Poll::Pending, Poll::Pending) => Poll::Pending,
            },
        );
        let patience = engine.schema.max_load;
        match tokio::time::timeout(patience, comes).await {
            Ok(turn) => Ok(Turn::Now(turn.map(Arc::new))),
            Err(_) => Err(Error::load_had_no_turn(model, patience)),
        }
    }
}

/// In a task of its own: the others wait for it also when this reader is dropped.
pub(crate) fn start<K: Kind<Db>, Db: Send + Sync + 'static>(
    cache: &Cache<Db>,
    leads: Vec<Lead<K::Key>>,
    token: Option<Token>,
    claims: bool,
    turn: Turn,
) {
    if leads.is_empty() {
        return;
    }
    let cache = cache.clone();
    let task = async move {
        match token {
            Some(_) if claims && !K::POLICY.lease.is_zero() => {
                claim::<K, Db>(cache, leads, turn).await
            }
            _ => load::<K, Db>(&cache, leads, token, turn).await,
        }
    };
    tokio::spawn(task.in_current_span());
}

/// Loads what no other process loads, and waits for the rest: until it is stored, or given up, or the lease is over, in
/// which case nobody waits any longer.
async fn claim<K: Kind<Db>, Db: Send + Sync + 'static>(
    cache: Cache<Db>,
    mut leads: Vec<Lead<K::Key>>,
    turn: Turn,
) {
    let engine = cache.engine();
    let (deadline, mut pause) = (Instant::now() + K::POLICY.lease, FIRST_PAUSE);
    while !leads.is_empty() {
        // Before it claims: others wait for who has claimed, and not for who waits.
        let turn = match turn.clone().comes(engine, K::MODEL).await {
            Ok(turn) => turn,
            Err(error) => return failed::<K, Db>(engine, leads, &error),
        };
        let keys: Vec<String> = leads.iter().map(|lead| lead.key.clone()).collect();
        let asked = engine.flights.tick();
        let Some(Claim { read, claimed }) = engine.claim(&keys, K::POLICY.lease).await else {
            return load::<K, Db>(&cache, leads, None, turn).await;
        };
        let is_over = Instant::now() >= deadline;
        let (mut mine, mut others) = (Vec::new(), Vec::new());
        for ((lead, bytes), claimed) in leads.into_iter().zip(read.values).zip(claimed) {
            // Nobody claims what the store has, and be it expired or of another version.
            let waits = bytes.is_none() && !claimed && !is_over;
            match bytes.and_then(|bytes| found::<K, Db>(&cache, &lead.key, &bytes)) {
                Some((value, entry)) => lead.land(Landed::Value(Loaded {
                    value,
                    entry: Some(entry),
                    stored: true,
                    asked,
                })),
                None if waits => others.push(lead),
                None => mine.push(lead),
            }
        }
        if mine.is_empty() {
            // It is somebody else's, while this waits.
            drop(turn);
        } else {
            let (cache, token) = (cache.clone(), read.token);
            let task = async move {
                let keys: Vec<String> = mine.iter().map(|lead| lead.key.clone()).collect();
                let engine = cache.engine().clone();
                let load = async move { load::<K, Db>(&cache, mine, Some(token), turn).await };
                // In a task of its own: what encodes the values may panic, and nobody else is to wait for them then.
                let _ = tokio::spawn(load.in_current_span()).await;
                engine.release(&keys).await;
            };
            tokio::spawn(task.in_current_span());
        }
        leads = others;
        if !leads.is_empty() {
            tokio::time::sleep(pause).await;
            pause = LONGEST_PAUSE.min(pause * 2);
        }
    }
}

/// What another process has stored meanwhile.
fn found<K: Kind<Db>, Db: Send + Sync + 'static>(
    cache: &Cache<Db>,
    key: &str,
    bytes: &Bytes,
) -> Option<(Option<Arc<K::Value>>, Entry)> {
    let entry = open::<K, Db>(cache, key, bytes)?;
    entry.fresh_for().ok()?;
    // Its panic is not to end the claims of others.
    let value = catch_unwind(AssertUnwindSafe(|| entry.decode()));
    let value: Option<K::Value> = value.ok()?.ok()?;
    Some((value.map(Arc::new), entry))
}

/// Loads the values, offers them to the store (with a token, so: unless it is away) and lands them.
async fn load<K: Kind<Db>, Db: Send + Sync + 'static>(
    cache: &Cache<Db>,
    leads: Vec<Lead<K::Key>>,
    token: Option<Token>,
    turn: Turn,
) {
    let engine = cache.engine();
    let mut values = match load_values::<K, Db>(cache, &leads, turn).await {
        Ok(values) => values,
        Err(error) => return failed::<K, Db>(engine, leads, &error),
    };
    let asked_for = leads.iter().filter(|lead| values.contains_key(&lead.of));
    // The database may call equal what is not the same text: then it is not so that there is no such row.
    let is_sure = values.len() == asked_for.count();
    if !is_sure {
        tracing::warn!(
            model = K::MODEL,
            "a loader returned rows with ids that nobody asked for: no absence is stored, as the database may call equal what has another text"
        );
    }
    let fills: Vec<Option<(Fill, Entry)>> = match token {
        Some(_) => leads
            .iter()
            .map(|lead| match values.get_mut(&lead.of) {
                None if !is_sure => None,
                value => fill::<K, Db>(cache, lead, value),
            })
            .collect(),
        None => leads.iter().map(|_| None).collect(),
    };
    let asked = engine.flights.tick();
    let offered: Vec<Fill> = fills
        .iter()
        .flatten()
        .map(|(fill, _)| fill.clone())
        .collect();
    let stored = match token {
        Some(token) if !offered.is_empty() => engine.fill(token, &offered).await,
        _ => Vec::new(),
    };
    let mut stored = stored.into_iter();
    for (lead, fill) in leads.into_iter().zip(fills) {
        let value = values.get(&lead.of).cloned();
        let stored = fill.is_some() && stored.next().unwrap_or(false);
        if !stored {
            // Be it that it was refused, or that it cannot be stored at all.
            engine.flights.failed(&lead.key);
        }
        lead.land(Landed::Value(Loaded {
            value,
            entry: fill.map(|(_, entry)| entry),
            stored,
            asked,
        }));
    }
}

/// Tells all who wait that there is no value.
fn failed<K: Kind<Db>, Db>(engine: &Engine, leads: Vec<Lead<K::Key>>, error: &Error) {
    let model = K::MODEL;
    engine.observer.tell(Event::LoadFailed { model, error });
    for lead in leads {
        engine.flights.failed(&lead.key);
        lead.land(Landed::<K::Value>::Failed(error.clone()));
    }
}

/// Runs the loader, for all to see.
async fn load_values<K: Kind<Db>, Db: Send + Sync + 'static>(
    cache: &Cache<Db>,
    leads: &[Lead<K::Key>],
    turn: Turn,
) -> Result<HashMap<K::Key, Arc<K::Value>>, Error> {
    let observer = &cache.engine().observer;
    let keys: Vec<String> = leads.iter().map(|lead| lead.key.clone()).collect();
    let of: Vec<K::Key> = leads.iter().map(|lead| lead.of.clone()).collect();
    let cx = LoadContext::new(cache.clone(), K::MODEL);
    observer.tell(Event::Loading {
        model: K::MODEL,
        keys: &keys,
    });
    let loaded = run::<K, Db>(cx, of, turn).await;
    observer.tell(Event::Loaded {
        model: K::MODEL,
        keys: &keys,
    });
    let values = loaded?.into_iter();
    Ok(values.map(|(of, value)| (of, Arc::new(value))).collect())
}

/// Runs the loader when it is its turn, in a task of its own, so that its panic is an error like others, and that it can be
/// given up.
pub(crate) async fn run<K: Kind<Db>, Db: Send + Sync + 'static>(
    cx: LoadContext<Db>,
    of: Vec<K::Key>,
    turn: Turn,
) -> Result<Vec<(K::Key, K::Value)>, Error> {
    let limit = K::POLICY.load_timeout;
    let ending = cx.ending();
    let turn = turn.comes(cx.engine(), K::MODEL).await?;
    let load = async move {
        let _turn = turn;
        K::load(&cx, &of).await
    };
    let load = LOADING.scope((), load);
    let mut load = tokio::spawn(load.in_current_span());
    match tokio::time::timeout(limit, &mut load).await {
        Ok(Ok(Ok(values))) => Ok(values),
        Ok(Ok(Err(source))) => Err(Error::load(K::MODEL, source)),
        Ok(Err(_)) => Err(Error::load_panicked(K::MODEL)),
        Err(_) => {
            ending.cut_short();
            load.abort();
            Err(Error::load_timed_out(K::MODEL, limit))
        }
    }
}

/// What to store for a key, and the entry in it; `None` when nothing is to be. The value is then what came back from its encoding,
/// so that a miss is answered as a hit is.
fn fill<K: Kind<Db>, Db: Send + Sync + 'static>(
    cache: &Cache<Db>,
    lead: &Lead<K::Key>,
    value: Option<&mut Arc<K::Value>>,
) -> Option<(Fill, Entry)> {
    let life = if value.is_some() {
        K::POLICY.ttl
    } else {
        K::POLICY.negative_ttl
    };
    if life.is_zero() {
        return None;
    }
    let engine = cache.engine();
    let key = &lead.key;
    let loaded = value.as_deref().map(Arc::as_ref);
    let Storable { fill, entry, back } = match storable::<K, Db>(cache, lead, loaded, life) {
        Ok(storable) => storable,
        Err((what, why)) => {
            if engine.said.is_time_of(what, K::MODEL) {
                tracing::warn!(
                    model = K::MODEL,
                    key,
                    why,
                    "a value is not stored, but loaded for each who asks"
                );
            }
            engine.observer.tell(Event::Unstorable {
                model: K::MODEL,
                key,
                why: &why,
            });
            return None;
        }
    };
    if let (Some(value), Some(back)) = (value, back) {
        tell_if_altered::<K, Db>(engine, key, value, &back, &entry);
        *value = Arc::new(back);
    }
    Some((fill, entry))
}

/// What can be stored.
struct Storable<V> {
    fill: Fill,
    /// What is in it.
    entry: Entry,
    /// What comes out of it.
    back: Option<V>,
}

/// The kind of the reason why a value is not stored, and the reason.
type Unstorable = (&'static str, String);

fn storable<K: Kind<Db>, Db: Send + Sync + 'static>(
    cache: &Cache<Db>,
    lead: &Lead<K::Key>,
    value: Option<&K::Value>,
    life: Duration,
) -> Result<Storable<K::Value>, Unstorable> {
    let engine = cache.engine();
    let mut tags = K::tags(&lead.of, value);
    if value.is_none() {
        tags.extend(engine.of_other_spellings(&tags));
    }
    if let Some(tag) = tags.iter().find(|tag| !tag.is_fit()) {
        let bytes = tag.as_str().len();
        return Err((
            "long",
            format!(
                "what it depends on has a text of {bytes} bytes, which no report of a write can have"
            ),
        ));
    }
    let (count, most) = (tags.len(), K::POLICY.max_tags);
    if count > most {
        return Err((
            "tags",
            format!("it depends on {count} facts, more than its `max-tags`, {most}"),
        ));
    }
    let shape = engine.shape::<K, Db>();
    let shape = shape.map_err(|misuse| ("misuse", misuse.to_string()))?;
    let fresh = jittered(life, K::POLICY.jitter);
    let encoded = entry::encode(value, K::POLICY.codec, shape, fresh);
    let bytes = encoded.map_err(|error| ("encode", format!("it does not encode: {error}")))?;
    let (size, most) = (bytes.len(), K::POLICY.max_value);
    if size > most {
        return Err((
            "size",
            format!("it has {size} bytes, more than its `max-value`, {most}"),
        ));
    }
    // What could be stored and never read (`NaN` in JSON, what nests too deep) would be a miss for every reader.
    let opened = Entry::open(&bytes, shape).and_then(|entry| {
        let decoded = catch_unwind(AssertUnwindSafe(|| entry.decode::<K::Value>()));
        let back = decoded
            .unwrap_or_else(|_| Err(Unusable::Unreadable("its decoder panicked".to_owned())))?;
        Ok((entry, back))
    });
    let (entry, back) = opened.map_err(|unusable| {
        let why = match unusable {
            Unusable::Unreadable(why) => why,
            Unusable::Outdated => "another shape".to_owned(),
        };
        (
            "decode",
            format!("it encodes, but does not decode again: {why}"),
        )
    })?;
    // Another value may embed what comes back, and would not be found by what is lost.
    let tags_back = back.as_ref().map(|back| K::tags(&lead.of, Some(back)));
    if let Some(tags_back) = tags_back.filter(|it| *it != tags) {
        // Both are sorted.
        let lost = tags.iter().find(|it| tags_back.binary_search(it).is_err());
        let new = tags_back.iter().find(|it| tags.binary_search(it).is_err());
        let tag = lost.or(new).map_or("", Tag::as_str);
        return Err((
            "altered",
            format!(
                "it comes back from its encoding as another one, which differs in what it depends on (`{tag}`): look at the serde attributes of its struct"
            ),
        ));
    }
    if value.is_some() && !engine.has(Mechanism::EmbeddedTags) {
        let mut own = Tags::default();
        K::own_tag(&lead.of, &mut own);
        tags = own.finish();
    }
    // An absence has no grace: strangers may ask for any number of rows that are not there.
    let grace = match value {
        Some(_) => K::POLICY.grace,
        None => Duration::ZERO,
    };
    let fill = Fill {
        key: lead.key.clone(),
        tags,
        value: bytes,
        ttl: fresh + grace,
        strict: K::POLICY.strict,
    };
    Ok(Storable { fill, entry, back })
}

fn tell_if_altered<K: Kind<Db>, Db>(
    engine: &Engine,
    key: &str,
    loaded: &K::Value,
    back: &K::Value,
    entry: &Entry,
) {
    // A `PartialEq` that panics is as good as none.
    let altered = catch_unwind(AssertUnwindSafe(|| altered::<K, Db>(loaded, back, entry)));
    let Some(at) = altered.ok().flatten() else {
        return;
    };
    if engine.said.is_time_of("altered", K::MODEL) {
        tracing::warn!(
            model = K::MODEL,
            key,
            at,
            "a value comes back from the store as another one than was loaded: it is served as it comes back; look at the serde attributes of its struct"
        );
    }
    engine.observer.tell(Event::Altered {
        model: K::MODEL,
        key,
        at: &at,
    });
}

/// Where what came back differs from what was loaded; without `PartialEq`, in what serde says of the two.
fn altered<K: Kind<Db>, Db>(loaded: &K::Value, back: &K::Value, entry: &Entry) -> Option<String> {
    let is_same = K::is_same(loaded, back);
    if is_same == Some(true) || is_same.is_none() && entry.is_of(back, K::POLICY.codec) {
        return None;
    }
    // A set is written in any order.
    let [loaded, back] = [loaded, back].map(|it| serde_json::to_value(it).map(compare::sorted));
    let (Ok(loaded), Ok(back)) = (loaded, back) else {
        return is_same.map(|_| "what cannot be shown".to_owned());
    };
    let differences = compare::differences(&loaded, &back);
    match (differences.is_empty(), is_same) {
        (true, None) => None,
        (true, Some(_)) => Some("what serde leaves out".to_owned()),
        (false, _) => Some(differences.join(", ")),
    }
}

/// A life that is shortened at random, by up to so many per cent.
fn jittered(life: Duration, percent: u8) -> Duration {
    life.mul_f64(1.0 - fastrand::f64() * f64::from(percent) / 100.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn jitter_shortens_a_life_by_up_to_so_much() {
        let life = Duration::from_secs(100);
        let lives: Vec<Duration> = (0..1000).map(|_| jittered(life, 20)).collect();
        let between = |from, to| {
            let range = Duration::from_secs(from)..=Duration::from_secs(to);
            lives.iter().filter(|life| range.contains(life)).count()
        };
        assert_eq!(between(80, 100), lives.len());
        assert!(between(80, 85) > 0 && between(95, 100) > 0);
    }
}
