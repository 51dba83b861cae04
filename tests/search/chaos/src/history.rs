//! The records of all processes, as they come, and their check.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use chaos_service::clock::{Nanos, now};
use chaos_service::record::{
    Line, Model, Outcome, Point, ProcessId, Record, Register, Stored, Tier, Way,
};
use tokio::sync::Notify;
use tokio::time::{sleep, timeout};

use crate::checker::{Allowance, Bounds, Checker, Loss, Read, Unreported, Violation, Write};

/// More violations than this say nothing new.
const ENOUGH: usize = 20;

/// How the errors of writes begin.
const WRITE: &str = "write: ";

/// What all processes have told.
#[derive(Debug)]
pub struct History {
    inner: Mutex<Inner>,
    /// Something that is not a read or a write was told.
    news: Notify,
}

#[derive(Debug)]
struct Inner {
    checker: Checker,
    /// Of each process that runs: what ended before that is told.
    marks: BTreeMap<ProcessId, Nanos>,
    /// Nothing is checked from here on, until more is known.
    held: Nanos,
    /// Of each process that ever ran.
    lines: BTreeMap<ProcessId, Line>,
    ready: BTreeSet<ProcessId>,
    in_use: BTreeSet<ProcessId>,
    /// How many values each process has stored, of either cache, and how its reads were answered.
    stored: BTreeMap<ProcessId, Stored>,
    answered: BTreeMap<ProcessId, Answered>,
    reached: BTreeSet<(ProcessId, Point)>,
    violations: Vec<Violation>,
    failed: BTreeMap<String, u64>,
    /// What went wrong that is no read; and how often.
    problems: BTreeMap<String, u64>,
}

/// How many reads of a process were answered how.
#[derive(Debug, Clone, Copy, Default)]
struct Answered {
    /// By the store.
    far: u64,
    /// By it or near.
    hits: u64,
    /// Of those through the cache.
    all: u64,
}

impl Answered {
    fn add(&mut self, tier: Tier) {
        let (far, hit) = match tier {
            // A list may have been answered by anybody.
            Tier::Database | Tier::List | Tier::NearList => return,
            Tier::Far | Tier::Stale => (true, true),
            Tier::Near => (false, true),
            Tier::Miss | Tier::Collapsed | Tier::Bypass => (false, false),
        };
        self.far += u64::from(far);
        self.hits += u64::from(hit);
        self.all += 1;
    }
}

impl Inner {
    /// One write, to several rows.
    fn write(
        &mut self,
        process: ProcessId,
        start: Nanos,
        way: Way,
        ended: Option<(Nanos, Outcome)>,
        written: Vec<(Register, i64)>,
    ) {
        let line = self.lines[&process];
        for (register, version) in written {
            self.checker.write(Write { process, line, register, version, start, way, ended });
        }
    }
}

impl History {
    pub fn new(bounds: Bounds) -> History {
        History {
            inner: Mutex::new(Inner {
                checker: Checker::new(bounds),
                marks: BTreeMap::new(),
                held: Nanos::MAX,
                lines: BTreeMap::new(),
                ready: BTreeSet::new(),
                in_use: BTreeSet::new(),
                stored: BTreeMap::new(),
                answered: BTreeMap::new(),
                reached: BTreeSet::new(),
                violations: Vec::new(),
                failed: BTreeMap::new(),
                problems: BTreeMap::new(),
            }),
            news: Notify::new(),
        }
    }

    /// A process of this line begins.
    pub fn begins(&self, process: ProcessId, line: Line) {
        let mut inner = self.inner();
        inner.marks.insert(process, now());
        inner.lines.insert(process, line);
    }

    /// It has ended, and told everything that it will.
    pub fn ended(&self, process: ProcessId) {
        let mut inner = self.inner();
        inner.marks.remove(&process);
        inner.ready.remove(&process);
        inner.in_use.remove(&process);
        inner.reached.retain(|(it, _)| *it != process);
        inner.checker.ended(process);
        drop(inner);
        self.news.notify_waiters();
    }

    /// What a process says.
    pub fn take(&self, process: ProcessId, record: Record) {
        let mut inner = self.inner();
        let inner = &mut *inner;
        match record {
            Record::Read { start, end, tier, seen } => {
                let line = inner.lines[&process];
                inner.answered.entry(process).or_default().add(tier);
                for sight in seen {
                    inner.checker.read(Read {
                        process,
                        line,
                        register: sight.register,
                        start,
                        end,
                        version: sight.version,
                        tier,
                        direct: sight.direct,
                        promised: sight.promised,
                    });
                }
                return;
            }
            Record::Committing { start, way, written } => {
                inner.write(process, start, way, None, written);
                return;
            }
            Record::Committed { start, end, way, outcome, written } => {
                inner.write(process, start, way, Some((end, outcome)), written);
                return;
            }
            Record::ReadFailed(error) => {
                *inner.failed.entry(format!("read: {error}")).or_default() += 1
            }
            Record::WriteFailed(error) => {
                *inner.failed.entry(format!("{WRITE}{error}")).or_default() += 1
            }
            Record::Mark(mark) => {
                inner.marks.insert(process, mark);
                return;
            }
            Record::Ready => drop(inner.ready.insert(process)),
            Record::Stored(stored) => drop(inner.stored.insert(process, stored)),
            Record::InUse(true) => drop(inner.in_use.insert(process)),
            Record::InUse(false) => drop(inner.in_use.remove(&process)),
            Record::Reached(point) => drop(inner.reached.insert((process, point))),
        }
        self.news.notify_waiters();
    }

    /// Checks what is complete. Returns whether all is well so far.
    pub fn check(&self) -> bool {
        let mut inner = self.inner();
        let inner = &mut *inner;
        let complete = inner.marks.values().min().copied().unwrap_or_else(now);
        let complete = complete.min(inner.held);
        let found = inner.checker.advance(complete);
        let room = ENOUGH.saturating_sub(inner.violations.len());
        inner.violations.extend(found.into_iter().take(room));
        inner.violations.is_empty()
    }

    /// From then to now deliveries may take so much longer, in all lines.
    pub fn allow(&self, from: Nanos, adds: Nanos) {
        let (to, adds) = (now(), Some(adds));
        self.inner().checker.allow(Allowance { line: None, from, to, adds });
    }

    /// In between nothing is delivered to the store of this line.
    pub fn allow_none(&self, line: Line, from: Nanos, to: Nanos) {
        self.inner().checker.allow(Allowance { line: Some(line), from, to, adds: None });
    }

    /// From here on new versions of these models may go unreported,
    pub fn unreported_from_here(&self, models: &'static [Model]) {
        let from = now();
        self.inner().checker.unreported(Unreported { models, from, to: Nanos::MAX });
    }

    /// and here no longer.
    pub fn reported_from_here(&self) {
        self.inner().checker.reported(now());
    }

    /// From here on the database loses what it was told,
    pub fn may_lose_from_here(&self) -> Nanos {
        let now = now();
        self.inner().held = now;
        now
    }

    /// and here it is known what.
    pub fn loses(&self, from: Nanos, kept: HashMap<Register, i64>, floor: i64) {
        let mut inner = self.inner();
        let newest = inner.lines.keys().max().copied().unwrap_or_default();
        inner.checker.loss(Loss { from, to: now(), kept, floor, newest });
        inner.held = Nanos::MAX;
    }

    /// Something went wrong that is no read: the run fails.
    pub fn problem(&self, problem: String) {
        *self.inner().problems.entry(problem).or_default() += 1;
    }

    /// The errors of writes, and how often; but for the strict ones
    /// that are refused while the store is away.
    pub fn failed_writes(&self) -> BTreeMap<String, u64> {
        let inner = self.inner();
        let failed = inner.failed.iter();
        let failed =
            failed.filter(|(it, _)| it.starts_with(WRITE) && !it.contains("not committed"));
        failed.map(|(it, times)| (it.clone(), *times)).collect()
    }

    /// Waits until this process has built its caches.
    pub async fn is_ready(&self, process: ProcessId, patience: Duration) -> bool {
        self.until(patience, |inner| inner.ready.contains(&process)).await
    }

    /// Waits until this process stands still there; it may not come to it.
    pub async fn has_reached(&self, process: ProcessId, point: Point, patience: Duration) -> bool {
        self.until(patience, |inner| inner.reached.remove(&(process, point))).await
    }

    /// Waits until every process is answered by its stores.
    pub async fn all_in_use(&self, patience: Duration) -> bool {
        self.until(patience, |inner| {
            inner.marks.keys().all(|process| inner.in_use.contains(process))
        })
        .await
    }

    /// Waits until every process has stored a value and read one from its store, from now on; and a
    /// strict value, if asked for. Fails with those who have not.
    pub async fn all_store(&self, strict: bool, patience: Duration) -> Result<(), Vec<ProcessId>> {
        let (stored, answered) = {
            let inner = self.inner();
            (inner.stored.clone(), inner.answered.clone())
        };
        let has_not = |inner: &Inner, process: &ProcessId| {
            let [before, after] =
                [&stored, &inner.stored].map(|all| all.get(process).copied().unwrap_or_default());
            let stores = after.values > before.values && (!strict || after.strict > before.strict);
            let far = |all: &BTreeMap<_, Answered>| all.get(process).map_or(0, |it| it.far);
            !stores || far(&inner.answered) <= far(&answered)
        };
        let left = |inner: &Inner| -> Vec<ProcessId> {
            let processes = inner.marks.keys().copied();
            processes.filter(|it| has_not(inner, it)).collect()
        };
        self.until(patience, |inner| left(inner).is_empty()).await;
        let left = left(&self.inner());
        left.is_empty().then_some(()).ok_or(left)
    }

    /// Of each process, which share of its reads are hits from now on, for so long.
    pub async fn hit_rates(&self, meanwhile: Duration) -> BTreeMap<ProcessId, f64> {
        let before = self.inner().answered.clone();
        sleep(meanwhile).await;
        let inner = self.inner();
        let rate = |(process, after): (&ProcessId, &Answered)| {
            let before = before.get(process).copied().unwrap_or_default();
            let (hits, all) = (after.hits - before.hits, after.all - before.all);
            (*process, hits as f64 / all.max(1) as f64)
        };
        let runs = |(process, _): &(&ProcessId, _)| inner.marks.contains_key(process);
        inner.answered.iter().filter(runs).map(rate).collect()
    }

    async fn until(&self, patience: Duration, is: impl Fn(&mut Inner) -> bool) -> bool {
        let waiting = async {
            loop {
                let news = self.news.notified();
                tokio::pin!(news);
                news.as_mut().enable();
                if is(&mut self.inner()) {
                    return;
                }
                news.await;
            }
        };
        timeout(patience, waiting).await.is_ok()
    }

    /// What was found so far: of reads, the errors, and the problems.
    pub fn with<T>(
        &self,
        tell: impl FnOnce(&Checker, &[Violation], [&BTreeMap<String, u64>; 2]) -> T,
    ) -> T {
        let inner = self.inner();
        let counted = [&inner.failed, &inner.problems];
        tell(&inner.checker, &inner.violations, counted)
    }

    fn inner(&self) -> MutexGuard<'_, Inner> {
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
