//! What a run says at its end.

use std::collections::BTreeMap;
use std::fmt;
use std::time::Duration;

use chaos_service::clock::ms;
use chaos_service::record::Tier;
use serde::Serialize;

use crate::checker::Rule;
use crate::faults::Fault;
use crate::history::History;

#[derive(Debug, Serialize)]
pub struct Summary {
    pub seconds: f64,
    pub seed: u64,
    /// The mechanism that was off.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub without: Option<String>,
    /// Of one row each; a read of a value with rows in it is several.
    pub reads: u64,
    pub reads_by_tier: BTreeMap<Tier, u64>,
    pub writes: u64,
    /// Reads and writes that ended with an error.
    pub errors: u64,
    pub faults: BTreeMap<Fault, u64>,
    pub violations: usize,
    /// What else went wrong, and how often.
    pub problems: BTreeMap<String, u64>,
    /// By rule.
    pub staleness: BTreeMap<Rule, Staleness>,
    /// The share of reads that returned the newest version committed before they began.
    pub newest: f64,
    /// How many nines that is.
    pub nines: f64,
    #[serde(skip)]
    shown: Vec<String>,
    #[serde(skip)]
    failed: BTreeMap<String, u64>,
}

/// How old a read was at most, and how old it might have been.
#[derive(Debug, Serialize)]
pub struct Staleness {
    worst_ms: f64,
    bound_ms: f64,
}

impl Summary {
    pub fn of(
        history: &History,
        seed: u64,
        without: Option<&str>,
        time: Duration,
        faults: BTreeMap<Fault, u64>,
    ) -> Summary {
        history.with(|checker, violations, [failed, problems]| {
            let report = &checker.report;
            let reads: u64 = report.reads.values().sum();
            let newest = report.newest as f64 / reads.max(1) as f64;
            // With none missed, at least as many as this many reads can show.
            let missed = (reads - report.newest).max(1) as f64 / reads.max(1) as f64;
            let worst = report.worst.iter();
            Summary {
                seconds: tenths(time.as_secs_f64()),
                seed,
                without: without.map(str::to_owned),
                reads,
                reads_by_tier: report.reads.clone(),
                writes: report.writes,
                errors: failed.values().sum(),
                faults,
                violations: violations.len(),
                problems: problems.clone(),
                staleness: worst
                    .map(|(rule, (worst, bound))| {
                        let (worst_ms, bound_ms) = (tenths(ms(*worst)), tenths(ms(*bound)));
                        (*rule, Staleness { worst_ms, bound_ms })
                    })
                    .collect(),
                newest,
                nines: tenths(-missed.log10()),
                shown: violations.iter().map(ToString::to_string).collect(),
                failed: failed.clone(),
            }
        })
    }
}

fn tenths(number: f64) -> f64 {
    (number * 10.0).round() / 10.0
}

impl fmt::Display for Summary {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for violation in &self.shown {
            writeln!(f, "{violation}")?;
        }
        if !self.problems.is_empty() {
            writeln!(f, "problems:")?;
        }
        for (problem, times) in &self.problems {
            writeln!(f, "{times:8} {problem}")?;
        }
        if !self.failed.is_empty() {
            writeln!(f, "errors:")?;
        }
        for (error, times) in &self.failed {
            writeln!(f, "{times:8} {error}")?;
        }
        writeln!(
            f,
            "{} reads and {} writes in {} s, seed {}",
            self.reads, self.writes, self.seconds, self.seed
        )?;
        for (tier, reads) in &self.reads_by_tier {
            let share = 100.0 * *reads as f64 / self.reads.max(1) as f64;
            writeln!(f, "{reads:10} {share:5.1} % {tier:?}")?;
        }
        writeln!(f, "stale by at most, and allowed, in ms:")?;
        for (rule, Staleness { worst_ms, bound_ms }) in &self.staleness {
            writeln!(f, "{worst_ms:10} {bound_ms:10} {rule:?}")?;
        }
        writeln!(
            f,
            "{:.5} % of the reads returned the newest version; {} violations, {} problems",
            100.0 * self.newest,
            self.violations,
            self.problems.values().sum::<u64>()
        )?;
        let json = serde_json::to_string(self).map_err(|_| fmt::Error)?;
        writeln!(f, "{json}")
    }
}
