//! Read-through: the store, then the source, then the store again.

use std::collections::{HashMap, HashSet};
use std::marker::PhantomData;
use std::sync::Arc;

use serde::Serialize;
use serde::de::DeserializeOwned;
use tracing::Instrument;

use crate::cache::Cache;
use crate::entry::{self, Entry, Unusable};
use crate::error::{BoxError, Error};
use crate::event::Event;
use crate::flight::{Entered, Tick, Ticket};
use crate::key::KeyWriter;
use crate::load::{Find, Load, LoadContext};
use crate::model::{Cached, Lookup, Policy};
use crate::status::{Answer, CacheStatus};
use crate::store::{Fill, Token};
use crate::tag::{Tag, Tags};

/// A value and how it was come by.
#[derive(Debug)]
pub struct Fetched<T> {
    /// The value; `None` when there is no such row.
    pub value: Option<Arc<T>>,
    /// For the `Cache-Status` header.
    pub status: CacheStatus,
}

/// The key of the row with this id.
pub fn key<T: Cached>(id: &T::Id) -> String {
    let mut key = KeyWriter::default();
    T::write_key(id, &mut key);
    key.finish()
}

/// The value of this id.
pub async fn get<T: Load<Db>, Db: Send + Sync + 'static>(
    cache: &Cache<Db>,
    id: T::Id,
) -> Result<Option<Arc<T>>, Error> {
    Ok(fetch::<T, Db>(cache, id).await?.value)
}

/// The values of these ids, at their positions.
pub async fn get_many<T: Load<Db>, Db: Send + Sync + 'static>(
    cache: &Cache<Db>,
    ids: &[T::Id],
) -> Result<Vec<Option<Arc<T>>>, Error> {
    let fetched = fetch_many::<T, Db>(cache, ids).await?;
    Ok(fetched.into_iter().map(|fetched| fetched.value).collect())
}

/// The value of this id, with the status.
pub async fn fetch<T: Load<Db>, Db: Send + Sync + 'static>(
    cache: &Cache<Db>,
    id: T::Id,
) -> Result<Fetched<T>, Error> {
    fetch_one::<Values<T>, Db>(cache, id).await
}

/// The values of these ids, at their positions, each with its status.
pub async fn fetch_many<T: Load<Db>, Db: Send + Sync + 'static>(
    cache: &Cache<Db>,
    ids: &[T::Id],
) -> Result<Vec<Fetched<T>>, Error> {
    read_through::<Values<T>, Db>(cache, ids).await
}

/// The value of the row that a lookup column names, with the status.
///
/// Two steps, each cached: column → id → value. A row that changes its column between the two is
/// answered as one that still had it.
pub async fn fetch_by<T: Find<Db>, Db: Send + Sync + 'static>(
    cache: &Cache<Db>,
    by: T::Lookup,
) -> Result<Fetched<T>, Error> {
    let found = fetch_one::<Ids<T>, Db>(cache, by).await?;
    match found.value {
        Some(id) => fetch::<T, Db>(cache, T::Id::clone(&id)).await,
        None => Ok(Fetched {
            value: None,
            status: found.status,
        }),
    }
}

/// What is read through the cache: values by id, or ids by a lookup column.
trait Kind<Db>: 'static {
    type Key: Clone + Eq + std::hash::Hash + Send + Sync + 'static;
    type Value: Serialize + DeserializeOwned + Send + Sync + 'static;
    const MODEL: &'static str;
    const POLICY: Policy;
    const SHAPE: u64;
    fn key(of: &Self::Key) -> String;
    fn tags(of: &Self::Key, value: Option<&Self::Value>) -> Vec<Tag>;
    fn load(
        cx: &LoadContext<Db>,
        keys: &[Self::Key],
    ) -> impl Future<Output = Loaded<Self::Key, Self::Value>> + Send;
}

/// The values that exist, each with its key.
type Loaded<K, V> = Result<Vec<(K, V)>, BoxError>;

struct Values<T>(PhantomData<T>);

impl<T: Load<Db>, Db: Send + Sync + 'static> Kind<Db> for Values<T> {
    type Key = T::Id;
    type Value = T;
    const MODEL: &'static str = T::MODEL;
    const POLICY: Policy = T::POLICY;
    const SHAPE: u64 = T::SHAPE;

    fn key(id: &T::Id) -> String {
        key::<T>(id)
    }

    fn tags(id: &T::Id, value: Option<&T>) -> Vec<Tag> {
        let mut tags = Tags::default();
        T::id_tag(id, &mut tags);
        if let Some(value) = value {
            value.tags(&mut tags);
        }
        tags.finish()
    }

    async fn load(cx: &LoadContext<Db>, ids: &[T::Id]) -> Loaded<T::Id, T> {
        let values = T::load(cx, ids).await?;
        Ok(values
            .into_iter()
            .map(|value| (value.id(), value))
            .collect())
    }
}

struct Ids<T>(PhantomData<T>);

impl<T: Find<Db>, Db: Send + Sync + 'static> Kind<Db> for Ids<T> {
    type Key = T::Lookup;
    type Value = T::Id;
    const MODEL: &'static str = T::MODEL;
    const POLICY: Policy = T::POLICY;
    const SHAPE: u64 = 0;

    fn key(by: &T::Lookup) -> String {
        let mut key = KeyWriter::default();
        by.write_key(&mut key);
        key.finish()
    }

    fn tags(by: &T::Lookup, id: Option<&T::Id>) -> Vec<Tag> {
        let mut tags = Tags::default();
        by.tag(&mut tags);
        // Also the row's own: a database may call equal what is not the same text (citext, NOCASE),
        // and then the trigger writes another tag for the column.
        if let Some(id) = id {
            T::id_tag(id, &mut tags);
        }
        tags.finish()
    }

    async fn load(cx: &LoadContext<Db>, by: &[T::Lookup]) -> Loaded<T::Lookup, T::Id> {
        let mut found = Vec::new();
        for by in by {
            if let Some(id) = T::find(cx, by).await? {
                found.push((by.clone(), id));
            }
        }
        Ok(found)
    }
}

/// A finished load, as all who waited for it see it.
enum Landed<V> {
    Value {
        value: Option<Arc<V>>,
        stored: bool,
        /// Before the store was asked to store it.
        asked: Tick,
    },
    Failed(Error),
}

/// One key that this reader loads for all who miss it.
struct Lead<K> {
    of: K,
    key: String,
    ticket: Ticket,
}

async fn fetch_one<K: Kind<Db>, Db: Send + Sync + 'static>(
    cache: &Cache<Db>,
    of: K::Key,
) -> Result<Fetched<K::Value>, Error> {
    let mut fetched = read_through::<K, Db>(cache, std::slice::from_ref(&of)).await?;
    Ok(fetched.swap_remove(0))
}

/// Answers every key. A round reads the store for the keys still open, and loads or waits for the
/// misses; the keys whose flight may not serve this reader (see [`crate::flight`]) go into another.
async fn read_through<K: Kind<Db>, Db: Send + Sync + 'static>(
    cache: &Cache<Db>,
    of: &[K::Key],
) -> Result<Vec<Fetched<K::Value>>, Error> {
    let engine = cache.engine();
    let tier = engine.store.name();
    let came = engine.flights.tick();
    let keys: Vec<String> = of.iter().map(K::key).collect();
    let mut fetched: Vec<Option<Fetched<K::Value>>> = of.iter().map(|_| None).collect();
    loop {
        let open: Vec<usize> = (0..of.len()).filter(|at| fetched[*at].is_none()).collect();
        if open.is_empty() {
            return Ok(fetched.into_iter().flatten().collect());
        }
        let open_keys: Vec<String> = open.iter().map(|at| keys[*at].clone()).collect();
        let landings: Vec<_> = open_keys
            .iter()
            .map(|key| engine.flights.landings(key))
            .collect();
        let read = engine.read(&open_keys).await;
        let missed = engine.flights.tick();

        let (mut leads, mut flights) = (Vec::new(), Vec::new());
        for (n, at) in open.into_iter().enumerate() {
            let key = &keys[at];
            let bytes = read
                .as_ref()
                .and_then(|read| read.values.get(n)?.as_deref());
            if let Some(value) = bytes.and_then(|bytes| decode::<K, Db>(cache, key, bytes)) {
                engine.observer.tell(Event::Hit { key });
                let status = CacheStatus {
                    tier,
                    answer: Answer::Hit,
                };
                fetched[at] = Some(Fetched { value, status });
                continue;
            }
            engine.observer.tell(Event::Miss { key });
            match engine
                .flights
                .enter::<K>(key, read.is_some().then_some(landings[n]))
            {
                Entered::Lead(ticket, flight) => {
                    leads.push(Lead {
                        of: of[at].clone(),
                        key: key.clone(),
                        ticket,
                    });
                    flights.push((at, flight, false));
                }
                Entered::Join(flight) => flights.push((at, flight, true)),
                Entered::ReadAgain => {}
            }
        }

        let token = read.map(|read| read.token);
        if !leads.is_empty() {
            // A task of its own: the others wait for it also when this reader is dropped.
            let load = load::<K, Db>(cache.clone(), leads, token);
            tokio::spawn(load.in_current_span());
        }
        for (at, flight, collapsed) in flights {
            let is_fresh = flight.start > came;
            match flight.landed::<Landed<K::Value>>().await.as_deref() {
                Some(Landed::Value {
                    value,
                    stored,
                    asked,
                }) if is_fresh || token.is_some() && *stored && *asked > missed => {
                    let answer = match token {
                        Some(_) => Answer::Miss {
                            stored: *stored,
                            collapsed,
                        },
                        None => Answer::Bypass,
                    };
                    let status = CacheStatus { tier, answer };
                    fetched[at] = Some(Fetched {
                        value: value.clone(),
                        status,
                    });
                }
                Some(Landed::Failed(error)) if is_fresh => return Err(error.clone()),
                // This reader's own load, and it has no end: what it loaded could not be encoded, say.
                None if !collapsed => return Err(Error::load_panicked(K::MODEL)),
                // Not for this reader; it goes into another round.
                Some(_) | None => {}
            }
        }
    }
}

/// Loads values without a look at the store, nor into it.
#[cfg(any(feature = "postgres", feature = "sqlite"))]
pub(crate) async fn load_uncached<T: Load<Db>, Db: Send + Sync + 'static>(
    cx: &LoadContext<Db>,
    ids: &[T::Id],
) -> Result<Vec<Option<Arc<T>>>, Error> {
    if ids.is_empty() {
        return Ok(Vec::new());
    }
    let loaded = T::load(cx, ids).await;
    let loaded = loaded.map_err(|error| Error::load(T::MODEL, error))?;
    let values: HashMap<T::Id, Arc<T>> = loaded
        .into_iter()
        .map(|value| (value.id(), Arc::new(value)))
        .collect();
    Ok(ids.iter().map(|id| values.get(id).cloned()).collect())
}

/// `None` is a miss, `Some(None)` a stored "no such row".
fn decode<K: Kind<Db>, Db: Send + Sync + 'static>(
    cache: &Cache<Db>,
    key: &str,
    bytes: &[u8],
) -> Option<Option<Arc<K::Value>>> {
    match entry::decode(bytes, K::SHAPE) {
        Ok(Entry::Present(value)) => Some(Some(Arc::new(value))),
        Ok(Entry::Absent) => Some(None),
        Err(Unusable::Outdated) => None,
        Err(Unusable::Unreadable(why)) => {
            cache
                .engine()
                .observer
                .tell(Event::Unreadable { key, why: &why });
            None
        }
    }
}

/// Loads the values, offers them to the store (with a token, so: unless it is away) and lands them.
async fn load<K: Kind<Db>, Db: Send + Sync + 'static>(
    cache: Cache<Db>,
    leads: Vec<Lead<K::Key>>,
    token: Option<Token>,
) {
    let engine = cache.engine();
    let values = match load_values::<K, Db>(&cache, &leads).await {
        Ok(values) => values,
        Err(error) => {
            let failed = Arc::new(Landed::<K::Value>::Failed(error));
            leads
                .into_iter()
                .for_each(|lead| lead.ticket.land(false, failed.clone()));
            return;
        }
    };
    let asked = engine.flights.tick();
    let mut stored: HashSet<String> = HashSet::new();
    if let Some(token) = token {
        let of = |lead: &Lead<K::Key>| values.get(&lead.of).map(Arc::as_ref);
        let fills = leads
            .iter()
            .filter_map(|lead| fill::<K, Db>(lead, of(lead)));
        let fills: Vec<Fill> = fills.collect();
        let accepted = engine.fill(token, &fills).await;
        let accepted = fills
            .into_iter()
            .zip(accepted)
            .filter(|(_, accepted)| *accepted);
        stored.extend(accepted.map(|(fill, _)| fill.key));
    }
    for lead in leads {
        let stored = stored.contains(&lead.key);
        let value = values.get(&lead.of).cloned();
        lead.ticket.land(
            stored,
            Arc::new(Landed::Value {
                value,
                stored,
                asked,
            }),
        );
    }
}

/// Runs the loader, in a task of its own, so that its panic is an error like others.
async fn load_values<K: Kind<Db>, Db: Send + Sync + 'static>(
    cache: &Cache<Db>,
    leads: &[Lead<K::Key>],
) -> Result<HashMap<K::Key, Arc<K::Value>>, Error> {
    let observer = &cache.engine().observer;
    let keys: Vec<String> = leads.iter().map(|lead| lead.key.clone()).collect();
    let of: Vec<K::Key> = leads.iter().map(|lead| lead.of.clone()).collect();
    let cx = LoadContext::new(cache.clone());
    observer.tell(Event::Loading {
        model: K::MODEL,
        keys: &keys,
    });
    let load = async move { K::load(&cx, &of).await };
    let loaded = tokio::spawn(load.in_current_span()).await;
    observer.tell(Event::Loaded {
        model: K::MODEL,
        keys: &keys,
    });
    match loaded {
        Ok(Ok(values)) => Ok(values
            .into_iter()
            .map(|(of, value)| (of, Arc::new(value)))
            .collect()),
        Ok(Err(source)) => Err(Error::load(K::MODEL, source)),
        Err(_) => Err(Error::load_panicked(K::MODEL)),
    }
}

/// What to store for a key; `None` when nothing is to be.
fn fill<K: Kind<Db>, Db>(lead: &Lead<K::Key>, value: Option<&K::Value>) -> Option<Fill> {
    let life = if value.is_some() {
        K::POLICY.ttl
    } else {
        K::POLICY.negative_ttl
    };
    if life.is_zero() {
        return None;
    }
    let tags = K::tags(&lead.of, value);
    if let Some(tag) = tags.iter().find(|tag| !tag.is_fit()) {
        tracing::error!(
            key = lead.key,
            bytes = tag.as_str().len(),
            "a tag is too long, so the value is never stored"
        );
        return None;
    }
    let ttl = life.mul_f64(1.0 - fastrand::f64() * f64::from(K::POLICY.jitter) / 100.0);
    match entry::encode(value, K::POLICY.codec, K::SHAPE, ttl) {
        Ok(bytes) => Some(Fill {
            key: lead.key.clone(),
            tags,
            value: bytes,
            ttl,
            strict: K::POLICY.strict,
        }),
        Err(error) => {
            tracing::error!(key = lead.key, %error, "a value does not encode, so it is never stored");
            None
        }
    }
}
