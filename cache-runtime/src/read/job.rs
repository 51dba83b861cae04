//! What happens once for all who miss a key: claim it, load it, offer it to the store, complete its
//! flight.

use std::collections::HashMap;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::time::{Duration, Instant};

use bytes::Bytes;
use tracing::Instrument;

use crate::cache::Cache;
use crate::error::Error;
use crate::local::flight::{FlightGuard, Loaded, Outcome};
use crate::observe::event::Event;
use crate::read::fill::fill;
use crate::read::load::LoadContext;
use crate::read::query::Query;
use crate::read::stored::open;
use crate::read::turn::Turn;
use crate::store::{Claim, Fill, Token};
use crate::value::entry::Entry;

/// Between two looks whether another process has stored what it loads: from this on, doubling,
const FIRST_PAUSE: Duration = Duration::from_millis(2);
/// up to this.
const LONGEST_PAUSE: Duration = Duration::from_millis(32);

/// One key that this reader loads for all who miss it.
pub(super) struct LoadJob<Q: Query> {
    pub(super) of: Q::Key,
    pub(super) key: String,
    pub(super) flight: FlightGuard<Q::Value>,
}

impl<Q: Query> LoadJob<Q> {
    pub(super) fn new(of: &Q::Key, key: &str, flight: FlightGuard<Q::Value>) -> LoadJob<Q> {
        LoadJob { of: of.clone(), key: key.to_owned(), flight }
    }
}

/// How some jobs are done.
pub(super) struct How {
    /// From before the load; `None`: the store is away.
    pub(super) token: Option<Token>,
    /// Whether other processes that load the same are waited for, where the model has a `lease`.
    pub(super) claims: bool,
    /// Whether what is nested in the values is loaded as well.
    pub(super) bypasses: bool,
    pub(super) turn: Turn,
}

/// Does the jobs in a task of their own: the others wait for them also when this reader is dropped.
pub(super) fn start<Q: Query>(cache: &Cache<Q::Source>, jobs: Vec<LoadJob<Q>>, how: How) {
    if jobs.is_empty() {
        return;
    }
    // For all readers, whatever this one was promised.
    let cache = cache.plain();
    let How { token, claims, bypasses, turn } = how;
    let task = async move {
        match token {
            Some(_) if claims && !Q::POLICY.lease.is_zero() => claim(cache, jobs, turn).await,
            _ => {
                let cx = match bypasses {
                    true => LoadContext::of_source(cache, Q::MODEL),
                    false => LoadContext::new(cache, Q::MODEL),
                };
                load(cx, jobs, token, turn).await;
            }
        }
    };
    tokio::spawn(task.in_current_span());
}

/// Loads what no other process loads, and waits for the rest: until it is stored, or given up, or
/// the lease is over, in which case nobody waits any longer.
async fn claim<Q: Query>(cache: Cache<Q::Source>, mut jobs: Vec<LoadJob<Q>>, turn: Turn) {
    let (deadline, mut pause) = (Instant::now() + Q::POLICY.lease, FIRST_PAUSE);
    while !jobs.is_empty() {
        // Before it claims: others wait for who has claimed, and not for who waits.
        let turn = match turn.clone().comes(&cache, Q::MODEL).await {
            Ok(turn) => turn,
            Err(error) => return failed(&cache, jobs, &error),
        };
        let keys: Vec<String> = jobs.iter().map(|job| job.key.clone()).collect();
        let asked = jobs[0].flight.tick();
        let lease = Q::POLICY.lease;
        let Some(claim) = cache.engine().gate.claim(&keys, lease).await else {
            return load(LoadContext::new(cache, Q::MODEL), jobs, None, turn).await;
        };
        let token = claim.read.token;
        let is_over = Instant::now() >= deadline;
        let (mut mine, mut others) = (Vec::new(), Vec::new());
        for (job, found) in jobs.into_iter().zip(found::<Q>(&cache, &keys, claim)) {
            match found {
                Found::Stored(value, entry) => job.flight.complete(Outcome::Loaded(Loaded {
                    value,
                    entry: Some(entry),
                    stored: true,
                    asked,
                })),
                Found::Claimed(false) if !is_over => others.push(job),
                Found::Claimed(_) => mine.push(job),
            }
        }
        match mine.is_empty() {
            // It is somebody else's, while this waits.
            true => drop(turn),
            false => load_claimed(cache.clone(), mine, token, turn),
        }
        jobs = others;
        if !jobs.is_empty() {
            tokio::time::sleep(pause).await;
            pause = LONGEST_PAUSE.min(pause * 2);
        }
    }
}

/// What a claim has found.
enum Found<V> {
    /// Another process has stored it meanwhile.
    Stored(Option<Arc<V>>, Entry),
    /// Whether this process is to load it.
    Claimed(bool),
}

fn found<Q: Query>(
    cache: &Cache<Q::Source>,
    keys: &[String],
    Claim { read, claimed }: Claim,
) -> impl Iterator<Item = Found<Q::Value>> {
    let shape = Q::local(cache).ok().map(|local| local.shape);
    let found = keys.iter().zip(read.values).zip(claimed);
    found.map(move |((key, bytes), claimed)| {
        // Nobody claims what the store has, and be it expired or of another version.
        let is_mine = claimed || bytes.is_some();
        match bytes.and_then(|bytes| decoded::<Q>(cache, shape?, key, &bytes)) {
            Some((value, entry)) => Found::Stored(value, entry),
            None => Found::Claimed(is_mine),
        }
    })
}

fn decoded<Q: Query>(
    cache: &Cache<Q::Source>,
    shape: u64,
    key: &str,
    bytes: &Bytes,
) -> Option<(Option<Arc<Q::Value>>, Entry)> {
    let entry = open(cache, shape, key, bytes)?;
    entry.fresh_for().ok()?;
    // Its panic is not to end the claims of others.
    let value = catch_unwind(AssertUnwindSafe(|| entry.decode()));
    let value: Option<Q::Value> = value.ok()?.ok()?;
    Some((value.map(Arc::new), entry))
}

/// Loads what was claimed, then gives up the claims.
fn load_claimed<Q: Query>(
    cache: Cache<Q::Source>,
    jobs: Vec<LoadJob<Q>>,
    token: Token,
    turn: Turn,
) {
    let task = async move {
        let keys: Vec<String> = jobs.iter().map(|job| job.key.clone()).collect();
        let cx = LoadContext::new(cache.clone(), Q::MODEL);
        let load = async move { load(cx, jobs, Some(token), turn).await };
        // In a task of its own: what encodes the values may panic, and nobody else is to wait for
        // them then.
        let _ = tokio::spawn(load.in_current_span()).await;
        cache.engine().gate.release(&keys).await;
    };
    tokio::spawn(task.in_current_span());
}

/// Loads the values, offers them to the store (with a token, so: unless it is away) and completes
/// the flights.
async fn load<Q: Query>(
    cx: LoadContext<Q::Source>,
    jobs: Vec<LoadJob<Q>>,
    token: Option<Token>,
    turn: Turn,
) {
    let cache = &cx.cache().clone();
    let mut values = match load_values(cx, &jobs, turn).await {
        Ok(values) => values,
        Err(error) => return failed(cache, jobs, &error),
    };
    let fills: Vec<Option<(Fill, Entry)>> = match token {
        Some(_) => fills(cache, &jobs, &mut values),
        None => jobs.iter().map(|_| None).collect(),
    };
    let offered = fills.iter().flatten().map(|(fill, _)| fill.clone());
    let offered: Vec<Fill> = offered.collect();
    let asked = jobs[0].flight.tick();
    let stored = match token {
        Some(token) if !offered.is_empty() => cache.engine().gate.fill(token, &offered).await,
        _ => Vec::new(),
    };
    let mut stored = stored.into_iter();
    for (job, fill) in jobs.into_iter().zip(fills) {
        let value = values.get(&job.of).cloned();
        let stored = fill.is_some() && stored.next().unwrap_or(false);
        if !stored {
            // Be it that it was refused, or that it cannot be stored at all.
            job.flight.rest();
        }
        job.flight.complete(Outcome::Loaded(Loaded {
            value,
            entry: fill.map(|(_, entry)| entry),
            stored,
            asked,
        }));
    }
}

/// What is offered to the store for each job.
fn fills<Q: Query>(
    cache: &Cache<Q::Source>,
    jobs: &[LoadJob<Q>],
    values: &mut HashMap<Q::Key, Arc<Q::Value>>,
) -> Vec<Option<(Fill, Entry)>> {
    let asked_for = jobs.iter().filter(|job| values.contains_key(&job.of));
    // The database may call equal what is not the same text: then it is not so that there is no
    // such row.
    let is_sure = values.len() == asked_for.count();
    if !is_sure {
        tracing::warn!(
            model = Q::MODEL,
            "a loader returned rows with ids that nobody asked for: no absence is stored, as the database may call equal what has another text"
        );
    }
    let fill = |job: &LoadJob<Q>| match values.get_mut(&job.of) {
        None if !is_sure => None,
        value => fill::<Q>(cache, &job.of, &job.key, value),
    };
    jobs.iter().map(fill).collect()
}

/// Tells all who wait that there is no value.
fn failed<Q: Query>(cache: &Cache<Q::Source>, jobs: Vec<LoadJob<Q>>, error: &Error) {
    let model = Q::MODEL;
    cache.observer().tell(Event::LoadFailed { model, error });
    for job in jobs {
        job.flight.rest();
        job.flight.complete(Outcome::Failed(error.clone()));
    }
}

/// Runs the loader, for all to see.
async fn load_values<Q: Query>(
    cx: LoadContext<Q::Source>,
    jobs: &[LoadJob<Q>],
    turn: Turn,
) -> Result<HashMap<Q::Key, Arc<Q::Value>>, Error> {
    let cache = cx.cache().clone();
    let (observer, model) = (cache.observer(), Q::MODEL);
    let keys: Vec<String> = jobs.iter().map(|job| job.key.clone()).collect();
    let of: Vec<Q::Key> = jobs.iter().map(|job| job.of.clone()).collect();
    let keys = &keys[..];
    observer.tell(Event::Loading { model, keys });
    let loaded = Q::run(cx, of, turn).await;
    observer.tell(Event::Loaded { model, keys });
    let values = loaded?.into_iter();
    Ok(values.map(|(of, value)| (of, Arc::new(value))).collect())
}
