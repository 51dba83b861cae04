//! One read, in rounds: probe the store, answer the hits, load or wait for the misses.

use std::borrow::Cow;
use std::sync::Arc;

use crate::cache::Cache;
use crate::engine::tasks::is_in_runtime;
use crate::error::Error;
use crate::local::flight::{Entered, Flight, Flights, Hurry, Loaded, Outcome, Tick};
use crate::local::query::Local;
use crate::mechanism::Mechanism;
use crate::observe::event::Event;
use crate::read::answer::{Answer, CacheStatus, Fetched};
use crate::read::job::{self, How, LoadJob};
use crate::read::mode::CacheMode;
use crate::read::probe::{self, Probe};
use crate::read::query::Query;
use crate::read::representation::Representation;
use crate::read::turn::{Turn, is_asked_by_a_loader};
use crate::store::consistency::ConsistencyToken;

/// The answer for one key, which is not near.
pub(crate) async fn far_one<Q: Query, R: Representation<Q::Value>>(
    cache: &Cache<Q::Source>,
    of: Q::Key,
) -> Result<Fetched<R::Out>, Error> {
    let (keys, of) = ([Q::key(&of)], [of]);
    let mut answer = [None];
    let read = Reading::<Q, R>::new(cache, &of, &keys, CacheMode::Default, &mut answer)?;
    read.answer_all().await?;
    let [answer] = answer;
    answer.ok_or_else(|| Error::load_panicked(Q::MODEL))
}

/// The answers at the positions of their keys.
pub(crate) async fn many<Q: Query, R: Representation<Q::Value>>(
    cache: &Cache<Q::Source>,
    of: &[Q::Key],
    mode: CacheMode,
) -> Result<Vec<Fetched<R::Out>>, Error> {
    let near = |of| match mode {
        CacheMode::Default => probe::near::<Q, R>(cache, of).map(Fetched::near),
        CacheMode::RefreshAhead | CacheMode::Nested | CacheMode::Reload => None,
    };
    let mut answers: Vec<Option<Fetched<R::Out>>> = of.iter().map(near).collect();
    if answers.iter().any(Option::is_none) {
        let keys: Vec<String> = of.iter().map(Q::key).collect();
        let read = Reading::<Q, R>::new(cache, of, &keys, mode, &mut answers)?;
        read.answer_all().await?;
    }
    Ok(answers.into_iter().flatten().collect())
}

/// A read of several keys, some of which may have their answers already.
struct Reading<'a, Q: Query, R: Representation<Q::Value>> {
    cache: &'a Cache<Q::Source>,
    local: &'a Local<Q::Key, Q::Value>,
    of: &'a [Q::Key],
    keys: &'a [String],
    mode: CacheMode,
    /// What answers is to be from after this.
    promised: Option<ConsistencyToken>,
    /// The flights that it joins or starts; those of the bypasses once no cache may answer.
    flights: &'a Arc<Flights<Q::Value>>,
    /// Before it joined the first of them.
    came: Tick,
    /// Whether a load waits for this read: what it waits for is in its turn.
    is_in_turn: bool,
    answers: &'a mut [Option<Fetched<R::Out>>],
}

/// What a probe has not found: which of its keys, and at which position its answer belongs.
#[derive(Clone, Copy)]
struct Miss {
    n: usize,
    at: usize,
}

/// A flight that this read waits for.
struct Wait<V> {
    miss: Miss,
    flight: Flight<V>,
    /// By another reader's load.
    collapsed: bool,
}

impl<'a, Q: Query, R: Representation<Q::Value>> Reading<'a, Q, R> {
    fn new(
        cache: &'a Cache<Q::Source>,
        of: &'a [Q::Key],
        keys: &'a [String],
        mode: CacheMode,
        answers: &'a mut [Option<Fetched<R::Out>>],
    ) -> Result<Self, Error> {
        let local = Q::local(cache)?;
        is_in_runtime()?;
        cache.engine().tend();
        Ok(Reading {
            cache,
            local,
            of,
            keys,
            mode,
            // A reload answers nobody: it is to be stored.
            promised: cache.promised().filter(|_| mode == CacheMode::Default),
            flights: &local.flights,
            came: local.flights.tick(),
            is_in_turn: mode == CacheMode::Nested || is_asked_by_a_loader(),
            answers,
        })
    }

    /// A round reads the store for the keys that are still open, and loads or waits for the misses.
    /// The keys whose flight may not serve this reader (see [`crate::local::flight`]) go into
    /// another.
    async fn answer_all(mut self) -> Result<(), Error> {
        loop {
            let answers = self.answers.iter().enumerate();
            let open = answers.filter(|(_, answer)| answer.is_none());
            let open: Vec<usize> = open.map(|(at, _)| at).collect();
            if open.is_empty() {
                return Ok(());
            }
            let probe = self.probe(&open).await;
            let misses = self.answer_hits(&probe, &open);
            if misses.is_empty() {
                return Ok(());
            }
            for wait in self.load_or_join(&probe, &misses) {
                self.wait(&probe, wait).await?;
            }
        }
    }

    async fn probe(&mut self, open: &[usize]) -> Probe<'a, Q> {
        let keys = match open.len() == self.keys.len() {
            true => Cow::Borrowed(self.keys),
            false => open.iter().map(|at| self.keys[*at].clone()).collect(),
        };
        if self.bypasses() {
            return Probe::of_nothing(self.cache, self.local, keys);
        }
        let probe = Probe::of(self.cache, self.local, keys).await;
        match self.promised {
            Some(promised) if !probe.is_after(promised) => self.bypass(probe.keys),
            _ => probe,
        }
    }

    /// What is stored may be from before the promised moment, or the store is away: from here on
    /// the source answers, also for what is nested in a value.
    ///
    /// In flights of their own: the load of another reader takes what is nested from the store, as
    /// soon as that is back. It has been told by then what waited in the outbox, but this process
    /// may have looked for that just before the commit.
    fn bypass(&mut self, keys: Cow<'a, [String]>) -> Probe<'a, Q> {
        self.flights = &self.local.bypasses;
        // A flight that starts after this began after the commit.
        self.came = self.flights.tick();
        Probe::of_nothing(self.cache, self.local, keys)
    }

    fn bypasses(&self) -> bool {
        Arc::ptr_eq(self.flights, &self.local.bypasses)
    }

    /// Returns what is missing.
    fn answer_hits(&mut self, probe: &Probe<'_, Q>, open: &[usize]) -> Vec<Miss> {
        let mut misses = Vec::new();
        for (n, at) in open.iter().copied().enumerate() {
            self.answers[at] = probe.hit::<R>(n, &self.of[at], self.mode);
            if self.answers[at].is_none() {
                misses.push(Miss { n, at });
            }
        }
        misses
    }

    fn load_or_join(&self, probe: &Probe<'_, Q>, misses: &[Miss]) -> Vec<Wait<Q::Value>> {
        let (mut jobs, mut waits) = (Vec::new(), Vec::new());
        let hurry = Hurry::default();
        for miss in misses.iter().copied() {
            let key = probe.key(miss.n);
            self.cache.observer().tell(Event::Miss { key });
            // What was stored since is nothing that a reload could take.
            let noted = probe.completions(miss.n);
            let noted = noted.filter(|_| self.mode != CacheMode::Reload);
            let (flight, collapsed) = match self.flights.enter(key, noted, &hurry) {
                Entered::Lead(guard, flight) => {
                    jobs.push(LoadJob::<Q>::new(&self.of[miss.at], key, guard));
                    (flight, false)
                }
                Entered::Join(flight) => {
                    if self.is_in_turn {
                        flight.hurry();
                    }
                    (flight, true)
                }
                Entered::ReadAgain => continue,
            };
            waits.push(Wait { miss, flight, collapsed });
        }
        let how = How {
            token: probe.token(),
            claims: self.mode != CacheMode::Reload,
            bypasses: self.bypasses(),
            turn: match self.is_in_turn {
                true => Turn::Now(None),
                false => Turn::InTurn(hurry),
            },
        };
        job::start(self.cache, jobs, how);
        waits
    }

    async fn wait(&mut self, probe: &Probe<'_, Q>, wait: Wait<Q::Value>) -> Result<(), Error> {
        let Wait { miss, flight, collapsed } = wait;
        let start = flight.start;
        let is_fresh = start > self.came;
        match flight.outcome().await.as_deref() {
            Some(Outcome::Loaded(loaded)) if self.may_answer(probe, is_fresh, loaded) => {
                let answer = match probe.token() {
                    Some(_) => Answer::Miss { stored: loaded.stored, collapsed },
                    None => Answer::Bypass,
                };
                let tier = self.cache.engine().gate.tier();
                let value = self.value(probe, miss, start, loaded)?;
                let status = CacheStatus { tier, answer };
                self.answers[miss.at] = Some(Fetched { value, status });
                Ok(())
            }
            Some(Outcome::Failed(error)) if is_fresh => Err(error.clone()),
            // This reader's own load, and it has no end: what it loaded could not be encoded, say.
            None if !collapsed => Err(Error::load_panicked(Q::MODEL)),
            // Not for this reader; the key goes into another round.
            Some(_) | None => Ok(()),
        }
    }

    /// Whether it began after this reader came, or was stored after this reader missed.
    fn may_answer(&self, probe: &Probe<'_, Q>, is_fresh: bool, loaded: &Loaded<Q::Value>) -> bool {
        let was_stored_since = self.mode != CacheMode::Reload && probe.is_before(loaded);
        is_fresh || was_stored_since || !self.cache.has(Mechanism::Joiner)
    }

    /// What was loaded, as this reader takes it; kept near, if it may be.
    fn value(
        &self,
        probe: &Probe<'_, Q>,
        miss: Miss,
        start: Tick,
        loaded: &Loaded<Q::Value>,
    ) -> Result<Option<R::Out>, Error> {
        let value = loaded.value.as_ref();
        let value = value.map(|value| R::loaded(value, loaded.entry.as_ref()));
        let value = value.transpose();
        let value = value.map_err(|error| Error::load(Q::MODEL, error))?;
        if let Some(entry) = &loaded.entry
            && self.mode != CacheMode::RefreshAhead
            && (probe.may_keep(start, loaded) || !self.cache.has(Mechanism::Keep))
        {
            probe.keep::<R>(miss.n, &self.of[miss.at], &value, entry);
        }
        Ok(value)
    }
}
