//! Whether what was sampled is level.

use std::fmt;

use serde_json::{Value, json};

use crate::load::TAGS;
use crate::sample::{COUNT, NAMES, Sample};

/// The share of the samples that is not looked at: near caches, Redis and the outbox fill.
const WARM_UP: usize = 4;

/// What is asked of it.
#[derive(Debug, Clone, Copy)]
enum Rule {
    /// In the end it is at most a fifth more than in the beginning, or so much more.
    Level(f64),
    /// It is no less than this.
    AtLeast(f64),
    /// It is no more.
    AtMost(f64),
    /// Shown, and may be what it is: while a snapshot is open nothing is removed from the disk.
    Any,
}

/// In the order of [`NAMES`].
const RULES: [Rule; COUNT] = [
    Rule::Level(0.0),
    Rule::Level(0.0),
    Rule::Level(0.0),
    Rule::Level(0.0),
    // As many as are written in a second, by chance.
    Rule::Level(TAGS as f64),
    Rule::Any,
    Rule::Any,
    // One that was just closed, or opened, in each process.
    Rule::Level(2.0),
    Rule::Level(2.0),
    // A pass later.
    Rule::Level(500.0),
    Rule::AtLeast(TAGS as f64 * 0.9),
    Rule::Any,
    Rule::AtMost(0.0),
];

const MOST: f64 = 1.2;

impl Rule {
    fn is_kept(self, first: f64, last: f64) -> bool {
        match self {
            Rule::Level(room) => last <= (first * MOST).max(first + room),
            Rule::AtLeast(least) => last >= least,
            Rule::AtMost(most) => first.max(last) <= most,
            Rule::Any => true,
        }
    }
}

/// The medians of the first third after the warm-up, and of the last.
#[derive(Debug)]
pub struct Table([(f64, f64); COUNT]);

pub fn of(samples: &[Sample]) -> Table {
    let counted = &samples[samples.len() / WARM_UP..];
    let third = counted.len().div_ceil(3);
    let (first, last) = (&counted[..third], &counted[counted.len() - third..]);
    Table(std::array::from_fn(|which| (median(first, which), median(last, which))))
}

fn median(samples: &[Sample], which: usize) -> f64 {
    let mut all: Vec<f64> = samples.iter().map(|sample| sample[which]).collect();
    all.sort_by(f64::total_cmp);
    all.get(all.len() / 2).copied().unwrap_or_default()
}

impl Table {
    pub fn is_level(&self) -> bool {
        self.rows().all(|(_, rule, (first, last))| rule.is_kept(first, last))
    }

    fn rows(&self) -> impl Iterator<Item = (&'static str, Rule, (f64, f64))> {
        let rows = NAMES.into_iter().zip(RULES).zip(self.0);
        rows.map(|((name, rule), medians)| (name, rule, medians))
    }
}

impl fmt::Display for Table {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "| | first third | last third | ratio | |")?;
        writeln!(f, "| --- | --- | --- | --- | --- |")?;
        let mut all = serde_json::Map::new();
        for (name, rule, (first, last)) in self.rows() {
            let ratio = last / first.max(f64::MIN_POSITIVE);
            let ratio = if first == 0.0 { "–".to_owned() } else { format!("{ratio:.2}") };
            let verdict = match rule {
                Rule::Any => "not judged",
                _ if rule.is_kept(first, last) => "level",
                _ => "**not level**",
            };
            writeln!(f, "| {name} | {first:.0} | {last:.0} | {ratio} | {verdict} |")?;
            all.insert(name.to_owned(), json!([first, last]));
        }
        let json = json!({ "level": self.is_level(), "medians": Value::Object(all) });
        writeln!(f, "{json}")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Twelve samples, of which one number is this.
    fn table(which: usize, number: impl Fn(usize) -> f64) -> Table {
        let sample = |at| {
            let mut sample = [0.0; COUNT];
            sample[10] = TAGS as f64;
            sample[which] = number(at);
            sample
        };
        of(&(0..12).map(sample).collect::<Vec<_>>())
    }

    #[test]
    fn what_grows_is_not_level() {
        assert!(table(0, |_| 50.0).is_level());
        // It may grow while everything fills, and once.
        assert!(table(0, |at| if at < 3 { at as f64 } else { 50.0 }).is_level());
        assert!(table(0, |at| if at == 11 { 500.0 } else { 50.0 }).is_level());
        assert!(table(0, |at| 50.0 + at as f64).is_level());
        assert!(!table(0, |at| 50.0 + 2.0 * at as f64).is_level());
        // What is small may vary.
        assert!(table(7, |at| 5.0 + at as f64 / 4.0).is_level());
        assert!(!table(7, |at| 5.0 + at as f64).is_level());
        // On the disk it may.
        assert!(table(5, |at| at as f64).is_level());
    }

    #[test]
    fn less_is_written_than_is_said() {
        assert!(!table(10, |_| TAGS as f64 / 2.0).is_level());
    }

    #[test]
    fn no_error_is_expected() {
        assert!(!table(12, |_| 1.0).is_level());
    }
}
