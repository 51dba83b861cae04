//! Decides of every read whether it was allowed. Pure: it is
//! told what was read and written, and when.
//!
//! Of each register it keeps, as versions over time, what may have been committed, what is known to
//! be committed, what the store of each line was told of, and what each process has written. A rule
//! is one of these, and how far a read may be behind it.

mod bounds;
mod loss;
mod rules;
mod stairs;
#[cfg(test)]
mod tests;
mod violation;

use std::collections::{BTreeMap, HashMap, VecDeque};

pub use bounds::{Allowance, Bounds, STORE_TIMEOUT, Unreported, WITHOUT_ANSWERS};
pub use loss::Loss;
use loss::Lost;
pub use rules::Rule;
pub use violation::Violation;

use chaos_service::clock::Nanos;
use chaos_service::record::{Line, Outcome, ProcessId, Register, TORN, Tier, Way};
use stairs::Stairs;

/// Nothing is of interest for longer than this.
const MEMORY: Nanos = 60_000_000_000;

/// How many reads and writes of a register are kept, to be shown with a violation.
const SHOWN: usize = 12;

/// What a read saw of one register.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Read {
    pub process: ProcessId,
    pub line: Line,
    pub register: Register,
    pub start: Nanos,
    pub end: Nanos,
    pub version: i64,
    pub tier: Tier,
    /// See [`chaos_service::record::Sight`].
    pub direct: bool,
    pub promised: Option<i64>,
}

/// A write to one register.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Write {
    pub process: ProcessId,
    pub line: Line,
    pub register: Register,
    pub version: i64,
    /// Before COMMIT was sent.
    pub start: Nanos,
    pub way: Way,
    /// When it returned, and how; none, as far as is known yet.
    pub ended: Option<(Nanos, Outcome)>,
}

#[derive(Debug)]
pub struct Checker {
    bounds: Bounds,
    allowances: Vec<Allowance>,
    unreported: Vec<Unreported>,
    /// Not taken in yet, by when they were over.
    steps: BTreeMap<(Nanos, u64), Step>,
    told: u64,
    registers: HashMap<Register, Known>,
    pub report: Report,
}

#[derive(Debug)]
enum Step {
    Read(Read),
    Write(Write),
    Loss(Loss),
}

/// What is known of one register.
#[derive(Debug, Default)]
struct Known {
    /// A write of it has begun.
    possible: Stairs,
    /// It is committed: its write returned, or somebody has read it, or written the next.
    committed: Stairs,
    /// The store of a line was told of it, by a commit of that line.
    applied: [Stairs; Line::ALL.len()],
    /// It was written through the cache of this process.
    own: HashMap<ProcessId, Stairs>,
    lost: Vec<Lost>,
    /// Versions that were written through the cache, and that no trigger reported.
    unreported: Vec<i64>,
    writes: VecDeque<Write>,
    reads: VecDeque<Read>,
}

/// What was seen.
#[derive(Debug, Default)]
pub struct Report {
    pub reads: BTreeMap<Tier, u64>,
    pub writes: u64,
    /// Reads that returned the newest version that was committed before they began.
    pub newest: u64,
    /// By rule: how old a read was at most, and how old it might have been.
    pub worst: BTreeMap<Rule, (Nanos, Nanos)>,
}

impl Checker {
    pub fn new(bounds: Bounds) -> Checker {
        Checker {
            bounds,
            allowances: Vec::new(),
            unreported: Vec::new(),
            steps: BTreeMap::new(),
            told: 0,
            registers: HashMap::new(),
            report: Report::default(),
        }
    }

    /// A read. In whatever order they are told: they are checked in that of their ends.
    pub fn read(&mut self, read: Read) {
        self.step(read.end, Step::Read(read));
    }

    /// A write: once when it begins, once when it has ended.
    pub fn write(&mut self, write: Write) {
        let at = write.ended.map_or(write.start, |(end, _)| end);
        self.step(at, Step::Write(write));
    }

    /// A loss. Nothing that was over later has been checked yet.
    pub fn loss(&mut self, loss: Loss) {
        self.step(loss.from, Step::Loss(loss));
    }

    pub fn allow(&mut self, allowance: Allowance) {
        self.allowances.push(allowance);
    }

    /// What is told of it must not have been over by then.
    pub fn unreported(&mut self, unreported: Unreported) {
        self.unreported.push(unreported);
    }

    /// What is unreported now ends at this moment.
    pub fn reported(&mut self, moment: Nanos) {
        for it in &mut self.unreported {
            it.to = it.to.min(moment);
        }
    }

    /// A process has ended: nothing is expected of it any more.
    pub fn ended(&mut self, process: ProcessId) {
        for known in self.registers.values_mut() {
            known.own.remove(&process);
        }
    }

    /// Checks what was over by this moment; by then everything that was is told.
    pub fn advance(&mut self, moment: Nanos) -> Vec<Violation> {
        let mut violations = Vec::new();
        let later = self.steps.split_off(&(moment, u64::MAX));
        for ((at, _), step) in std::mem::replace(&mut self.steps, later) {
            match step {
                Step::Read(read) => violations.extend(self.check(&read)),
                Step::Write(write) => self.take_in(write, at),
                Step::Loss(loss) => self.lose(&loss),
            }
        }
        let horizon = moment.saturating_sub(MEMORY);
        self.allowances.retain(|it| it.to >= horizon);
        self.unreported.retain(|it| it.to >= horizon);
        violations
    }

    fn step(&mut self, at: Nanos, step: Step) {
        self.told += 1;
        self.steps.insert((at, self.told), step);
    }

    fn take_in(&mut self, write: Write, at: Nanos) {
        let known = self.registers.entry(write.register).or_default();
        let is_lost = known.lost(write.version).is_some();
        match write.ended {
            None => {
                known.possible.raise(at, write.version);
                // It was written over the version before it, and nobody sees what is not committed.
                known.commit(at, write.version - 1);
                remember(&mut known.writes, write);
            }
            Some((_, outcome)) => {
                self.report.writes += 1;
                let mut unreported = self.unreported.iter();
                let is_reported = !unreported.any(|it| it.meets(&write, at));
                if outcome != Outcome::Unknown && !is_lost {
                    known.committed.raise(at, write.version);
                    if write.way == Way::Cache && is_reported {
                        let own = known.own.entry(write.process).or_default();
                        own.raise(at, write.version);
                    }
                }
                if write.way == Way::Cache && !is_reported {
                    known.unreported.push(write.version);
                }
                if outcome == Outcome::Applied && is_reported && !is_lost {
                    known.applied[write.line as usize].raise(at, write.version);
                }
                let begun = known.writes.iter_mut().rev();
                for it in begun.filter(|it| it.process == write.process && it.start == write.start)
                {
                    it.ended = write.ended;
                }
            }
        }
        let horizon = at.saturating_sub(MEMORY);
        known.possible.forget_before(horizon);
        known.facts().for_each(|it| it.forget_before(horizon));
    }

    /// What is lost was never committed, as far as anybody knows who looks later.
    fn lose(&mut self, loss: &Loss) {
        for (register, kept) in &loss.kept {
            let known = self.registers.entry(*register).or_default();
            known.facts().for_each(|it| it.was_never_above(*kept));
            known.lost.push(loss.of(*kept));
        }
    }

    /// The first rule that the read breaks, if it does.
    fn check(&mut self, read: &Read) -> Option<Violation> {
        let known = self.registers.entry(read.register).or_default();
        let report = &mut self.report;
        *report.reads.entry(read.tier).or_default() += 1;
        report.newest += u64::from(read.version >= known.committed.at(read.start));

        let mut violation = None;
        if read.version == TORN {
            return Some(Violation::new(Rule::Torn, read, 0, 0, known));
        }
        if read.version > known.possible.at(read.end) {
            violation = Some(Violation::new(Rule::Future, read, 0, 0, known));
        }
        if known.is_promised_more(read) {
            violation = Some(Violation::new(Rule::Promised, read, 0, 0, known));
        }
        for (rule, stairs, bound) in rules::of(read, known, &self.bounds) {
            let age = stairs.age(read.version, read.start);
            let adds = match rule.is_by_delivery() {
                true => {
                    let since = read.start - age;
                    let met = self.allowances.iter();
                    let met = met.filter(|it| it.line.is_none_or(|line| line == read.line));
                    met.map(|it| it.adds(since, read.start)).max().unwrap_or(0)
                }
                false => 0,
            };
            let worst = report.worst.entry(rule).or_default();
            *worst = (worst.0.max(age), worst.1.max(bound + adds));
            if age > bound + adds && violation.is_none() {
                violation = Some(Violation::new(rule, read, age, bound + adds, known));
            }
        }
        // From now on nobody may say that it is not.
        known.commit(read.end, read.version);
        remember(&mut known.reads, *read);
        violation
    }
}

impl Known {
    /// What a read may not be behind.
    fn facts(&mut self) -> impl Iterator<Item = &mut Stairs> {
        let own = self.own.values_mut();
        own.chain(&mut self.applied).chain([&mut self.committed])
    }

    /// Whether it is behind the commit whose token was shown.
    fn is_promised_more(&self, read: &Read) -> bool {
        let promised = read.promised.filter(|promised| *promised > read.version);
        promised.is_some_and(|it| self.lost(it).is_none() && !self.unreported.contains(&it))
    }

    fn lost(&self, version: i64) -> Option<&Lost> {
        self.lost.iter().find(|it| it.has(version))
    }

    /// It is committed, unless it is lost.
    fn commit(&mut self, at: Nanos, version: i64) {
        if self.lost(version).is_none() {
            self.committed.raise(at, version);
        }
    }
}

fn remember<T>(all: &mut VecDeque<T>, one: T) {
    if all.len() == SHOWN {
        all.pop_front();
    }
    all.push_back(one);
}
