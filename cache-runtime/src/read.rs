//! Read-through: the near cache, the store, then the source.

pub(crate) mod answer;
pub(crate) mod fill;
#[cfg(feature = "axum")]
pub(crate) mod http;
pub(crate) mod load;
pub(crate) mod probe;
pub(crate) mod query;
pub(crate) mod refresh;
pub(crate) mod shapes;
pub(crate) mod verify;

use std::collections::HashMap;
use std::sync::Arc;

use crate::cache::Cache;
use crate::engine::tasks;
use crate::error::Error;
use crate::local::flight::{Entered, Hurry};
use crate::local::near;
use crate::mechanism::Mechanism;
use crate::model::tag::Tags;
use crate::observe::event::Event;
use crate::read::answer::{Answer, CacheStatus};
use crate::read::fill::{Landed, Lead, Turn};
use crate::read::load::{Find, Load, LoadContext};
use crate::read::probe::{Look, near_hit};
use crate::read::query::{AsJson, Decoded, Form, Ids, Kind, Values};
use crate::value::json::Json;

/// A value and how it was come by.
#[derive(Debug)]
pub struct Fetched<V> {
    /// The value; `None` when there is no such row.
    pub value: Option<V>,
    /// For the `Cache-Status` header.
    pub status: CacheStatus,
}

impl<V> Fetched<V> {
    fn near(value: Option<V>) -> Fetched<V> {
        let status = CacheStatus {
            tier: near::NAME,
            answer: Answer::Hit,
        };
        Fetched { value, status }
    }
}

/// What the functions that `#[derive(Cached)]` makes are for one struct, for code that is generic over what it reads.
impl<Db: Send + Sync + 'static> Cache<Db> {
    /// The value of the row with this id, through the cache; `None` when there is none.
    ///
    /// # Errors
    /// When it had to be loaded and could not be.
    pub async fn get<T: Load<Db>>(&self, id: T::Id) -> Result<Option<Arc<T>>, Error> {
        match near_hit::<Values<T>, Decoded, Db>(self, &id) {
            Some(value) => Ok(value),
            // Boxed: the future of a near hit is to be small.
            None => Ok(Box::pin(far_one::<Values<T>, Decoded, Db>(self, id))
                .await?
                .value),
        }
    }

    /// The values of the rows with these ids, at their positions.
    ///
    /// # Errors
    /// As [`get`](Self::get).
    pub async fn get_many<T: Load<Db>>(&self, ids: &[T::Id]) -> Result<Vec<Option<Arc<T>>>, Error> {
        let fetched = self.fetch_many(ids).await?;
        Ok(fetched.into_iter().map(|fetched| fetched.value).collect())
    }

    /// The value of the row that a lookup column names.
    ///
    /// # Errors
    /// As [`get`](Self::get).
    pub async fn get_by<T: Find<Db>>(&self, by: T::Lookup) -> Result<Option<Arc<T>>, Error> {
        Ok(self.fetch_by(by).await?.value)
    }

    /// As [`get`](Self::get), and how it was come by.
    ///
    /// # Errors
    /// As there.
    pub async fn fetch<T: Load<Db>>(&self, id: T::Id) -> Result<Fetched<Arc<T>>, Error> {
        one::<Values<T>, Decoded, Db>(self, id).await
    }

    /// As [`get_many`](Self::get_many), and how each was come by.
    ///
    /// # Errors
    /// As [`get`](Self::get).
    pub async fn fetch_many<T: Load<Db>>(
        &self,
        ids: &[T::Id],
    ) -> Result<Vec<Fetched<Arc<T>>>, Error> {
        many::<Values<T>, Decoded, Db>(self, ids, Accept::Any).await
    }

    /// As [`get_by`](Self::get_by), and how it was come by.
    ///
    /// Two steps, each cached: column → id → value. A row that changes its column between the two is
    /// answered as one that still had it.
    ///
    /// # Errors
    /// As [`get`](Self::get).
    pub async fn fetch_by<T: Find<Db>>(&self, by: T::Lookup) -> Result<Fetched<Arc<T>>, Error> {
        through_lookup::<T, Decoded, Db>(self, by).await
    }
}

/// The JSON of this id, as it is stored, with the status.
pub async fn fetch_json<T: Load<Db>, Db: Send + Sync + 'static>(
    cache: &Cache<Db>,
    id: T::Id,
) -> Result<Fetched<Json>, Error> {
    one::<Values<T>, AsJson, Db>(cache, id).await
}

/// The JSON of the row that a lookup column names, as [`Cache::fetch_by`].
pub async fn fetch_json_by<T: Find<Db>, Db: Send + Sync + 'static>(
    cache: &Cache<Db>,
    by: T::Lookup,
) -> Result<Fetched<Json>, Error> {
    through_lookup::<T, AsJson, Db>(cache, by).await
}

async fn through_lookup<T: Find<Db>, F: Form<T>, Db: Send + Sync + 'static>(
    cache: &Cache<Db>,
    by: T::Lookup,
) -> Result<Fetched<F::Out>, Error> {
    let found = one::<Ids<T>, Decoded, Db>(cache, by).await?;
    match found.value {
        Some(id) => one::<Values<T>, F, Db>(cache, T::Id::clone(&id)).await,
        None => Ok(Fetched {
            value: None,
            status: found.status,
        }),
    }
}

/// The values that a loaded one is to embed, at the positions of their ids. Not near ones: what those were told last is not
/// known, and the loaded value would be stored for all as if it were of now.
pub(crate) async fn nested<T: Load<Db>, Db: Send + Sync + 'static>(
    cache: &Cache<Db>,
    ids: &[T::Id],
) -> Result<Vec<Option<Arc<T>>>, Error> {
    let accept = match cache.engine().has(Mechanism::NestedFar) {
        true => Accept::Fresh,
        false => Accept::Any,
    };
    let fetched = many::<Values<T>, Decoded, Db>(cache, ids, accept).await?;
    Ok(fetched.into_iter().map(|fetched| fetched.value).collect())
}

/// Invalidates what is built from these rows, as if they had been written to, and loads the values anew.
pub(crate) async fn reload<T: Load<Db>, Db: Send + Sync + 'static>(
    cache: &Cache<Db>,
    ids: &[T::Id],
) -> Result<(), Error> {
    tasks::is_in_runtime()?;
    cache.engine().shape::<Values<T>, Db>()?;
    let mut tags = Tags::default();
    ids.iter().for_each(|id| T::id_tag(id, &mut tags));
    cache.engine().written(tags.finish()).await?;
    let reloaded = many::<Values<T>, Decoded, Db>(cache, ids, Accept::Reloaded);
    reloaded.await.map(drop)
}

/// Reads through, for no reader in particular. Returns what could not be stored.
pub(crate) async fn again<K: Kind<Db>, Db: Send + Sync + 'static>(
    cache: &Cache<Db>,
    of: &[K::Key],
) -> Result<Vec<K::Key>, Error> {
    let read = many::<K, Decoded, Db>(cache, of, Accept::Again).await?;
    let unstored =
        |fetched: &Fetched<_>| matches!(fetched.status.answer, Answer::Miss { stored: false, .. });
    let read = of.iter().zip(read);
    Ok(read
        .filter(|(_, fetched)| unstored(fetched))
        .map(|(of, _)| of.clone())
        .collect())
}

/// What answers a reader.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Accept {
    /// Whatever may be served.
    Any,
    /// What may be served, from the store; and it is not kept near, as nobody has asked for it.
    Again,
    /// Nothing near, and nothing that has expired.
    Fresh,
    /// Only what is loaded from now on.
    Reloaded,
}

async fn one<K: Kind<Db>, F: Form<K::Value>, Db: Send + Sync + 'static>(
    cache: &Cache<Db>,
    of: K::Key,
) -> Result<Fetched<F::Out>, Error> {
    match near_hit::<K, F, Db>(cache, &of) {
        Some(value) => Ok(Fetched::near(value)),
        None => Box::pin(far_one::<K, F, Db>(cache, of)).await,
    }
}

async fn far_one<K: Kind<Db>, F: Form<K::Value>, Db: Send + Sync + 'static>(
    cache: &Cache<Db>,
    of: K::Key,
) -> Result<Fetched<F::Out>, Error> {
    let key = [K::key(&of)];
    let mut fetched = None;
    let readers = std::slice::from_mut(&mut fetched);
    far::<K, F, Db>(cache, &[of], &key, readers, Accept::Any).await?;
    fetched.ok_or_else(|| Error::load_panicked(K::MODEL))
}

/// The answers at the positions of their keys.
async fn many<K: Kind<Db>, F: Form<K::Value>, Db: Send + Sync + 'static>(
    cache: &Cache<Db>,
    of: &[K::Key],
    accept: Accept,
) -> Result<Vec<Fetched<F::Out>>, Error> {
    let near = |of| match accept {
        Accept::Any => near_hit::<K, F, Db>(cache, of).map(Fetched::near),
        Accept::Again | Accept::Fresh | Accept::Reloaded => None,
    };
    let mut fetched: Vec<Option<Fetched<F::Out>>> = of.iter().map(near).collect();
    if fetched.iter().any(Option::is_none) {
        let keys: Vec<String> = of.iter().map(K::key).collect();
        far::<K, F, Db>(cache, of, &keys, &mut fetched, accept).await?;
    }
    Ok(fetched.into_iter().flatten().collect())
}

/// Answers every key that is not answered yet. A round reads the store for the keys still open, and loads or waits for the
/// misses; the keys whose flight may not serve this reader (see [`crate::local::flight`]) go into another.
async fn far<K: Kind<Db>, F: Form<K::Value>, Db: Send + Sync + 'static>(
    cache: &Cache<Db>,
    of: &[K::Key],
    keys: &[String],
    fetched: &mut [Option<Fetched<F::Out>>],
    accept: Accept,
) -> Result<(), Error> {
    let engine = cache.engine();
    engine.shape::<K, Db>()?;
    tasks::is_in_runtime()?;
    let tier = engine.store.name();
    let came = engine.flights.tick();
    // What a load waits for is in its turn.
    let is_in_turn = accept == Accept::Fresh || fill::is_asked_by_a_loader();
    loop {
        let open: Vec<usize> = (0..of.len()).filter(|at| fetched[*at].is_none()).collect();
        let look = match open.len() {
            0 => return Ok(()),
            all if all == keys.len() => Look::at(engine, keys).await,
            _ => {
                let open_keys: Vec<String> = open.iter().map(|at| keys[*at].clone()).collect();
                Look::at(engine, &open_keys).await
            }
        };
        let (mut leads, mut flights) = (Vec::new(), Vec::new());
        // Of those that it leads; a round of hits needs none.
        let mut hurry: Option<Hurry> = None;
        for (n, at) in open.into_iter().enumerate() {
            let (of, key) = (&of[at], &keys[at]);
            if let Some(hit) = look.hit::<K, F, Db>(cache, n, of, key, accept) {
                fetched[at] = Some(hit);
                continue;
            }
            engine.observer.tell(Event::Miss { key });
            let hurry = hurry.get_or_insert_default();
            match look.enter::<K, Db>(engine, n, key, accept, hurry) {
                Entered::Lead(ticket, flight) => {
                    leads.push(Lead::new(of, key, ticket));
                    flights.push((at, flight, false));
                }
                Entered::Join(flight) => {
                    if is_in_turn {
                        flight.hurry();
                    }
                    flights.push((at, flight, true));
                }
                Entered::ReadAgain => {}
            }
        }

        let token = look.read.as_ref().map(|read| read.token);
        let claims = accept != Accept::Reloaded;
        let turn = match hurry {
            Some(hurry) if !is_in_turn => Turn::InTurn(hurry),
            _ => Turn::Now(None),
        };
        fill::start::<K, Db>(cache, leads, token, claims, turn);
        for (at, flight, collapsed) in flights {
            let start = flight.start;
            let is_fresh = start > came;
            match flight.landed::<Landed<K::Value>>().await.as_deref() {
                Some(Landed::Value(loaded))
                    if is_fresh
                        || accept != Accept::Reloaded && look.is_before(loaded)
                        || !engine.has(Mechanism::Joiner) =>
                {
                    let answer = match token {
                        Some(_) => Answer::Miss {
                            stored: loaded.stored,
                            collapsed,
                        },
                        None => Answer::Bypass,
                    };
                    let value = loaded.value.as_ref();
                    let value = value.map(|value| F::loaded(value, loaded.entry.as_ref()));
                    let value = value.transpose();
                    let value = value.map_err(|error| Error::load(K::MODEL, error))?;
                    if let Some(entry) = &loaded.entry
                        && accept != Accept::Again
                        && (look.may_keep(start, loaded) || !engine.has(Mechanism::Keep))
                    {
                        look.keep::<K, F, Db>(cache, &of[at], &keys[at], &value, entry);
                    }
                    let status = CacheStatus { tier, answer };
                    fetched[at] = Some(Fetched { value, status });
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
