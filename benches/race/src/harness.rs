//! Interleaved rounds, medians, the table and the JSON.

use std::fmt::Write;
use std::fs;
use std::path::Path;
use std::pin::Pin;

use cache_runtime::BoxError;
use serde_json::{Value, json};

pub(crate) type Outcome<T> = Result<T, BoxError>;

/// What one run of a lane measured: a value for each metric of the race.
pub(crate) type Sample = Vec<f64>;

pub(crate) const ROUNDS: usize = 5;

/// What is measured, and whether more of it is better.
#[derive(Clone, Copy)]
pub(crate) struct Metric {
    name: &'static str,
    more_is_better: bool,
}

impl Metric {
    pub(crate) const fn more(name: &'static str) -> Metric {
        Metric {
            name,
            more_is_better: true,
        }
    }

    pub(crate) const fn less(name: &'static str) -> Metric {
        Metric {
            name,
            more_is_better: false,
        }
    }
}

type Run = dyn Fn() -> Pin<Box<dyn Future<Output = Outcome<Sample>>>>;

/// One that races.
pub(crate) struct Lane {
    name: &'static str,
    run: Box<Run>,
}

impl Lane {
    pub(crate) fn new<F, Fut>(name: &'static str, run: F) -> Lane
    where
        F: Fn() -> Fut + 'static,
        Fut: Future<Output = Outcome<Sample>> + 'static,
    {
        Lane {
            name,
            run: Box::new(move || Box::pin(run())),
        }
    }
}

/// What all rows measured.
#[derive(Default)]
pub(crate) struct Results(Vec<Value>);

impl Results {
    /// Runs every lane once in every round, so that what the machine does meanwhile hits all alike.
    /// The first lane is ours, the second is the floor. A peer that fails is left out; the others
    /// must not.
    pub(crate) async fn race(
        &mut self,
        row: u8,
        case: &str,
        metrics: &[Metric],
        lanes: &[Lane],
    ) -> Outcome<()> {
        let mut samples: Vec<Vec<Sample>> = lanes.iter().map(|_| Vec::new()).collect();
        let mut failed = vec![false; lanes.len()];
        for _ in 0..ROUNDS {
            for (n, lane) in lanes.iter().enumerate() {
                if failed[n] {
                    continue;
                }
                match (lane.run)().await {
                    Ok(sample) => samples[n].push(sample),
                    Err(error) if n < 2 => {
                        return Err(format!("row {row}, {case}, {}: {error}", lane.name).into());
                    }
                    Err(error) => {
                        eprintln!("row {row}, {case}: without {}: {error}", lane.name);
                        failed[n] = true;
                    }
                }
            }
        }
        for (at, metric) in metrics.iter().enumerate() {
            let medians = samples.iter().zip(lanes).zip(&failed);
            let medians: Vec<(&str, f64)> = medians
                .filter(|(_, failed)| !**failed)
                .map(|((samples, lane), _)| (lane.name, median(samples, at)))
                .collect();
            self.tell(row, case, *metric, &medians);
        }
        Ok(())
    }

    fn tell(&mut self, row: u8, case: &str, metric: Metric, medians: &[(&str, f64)]) {
        let [(_, ours), (floor_name, floor), peers @ ..] = medians else {
            return;
        };
        let ratio = if metric.more_is_better {
            ours / floor
        } else {
            floor / ours
        };
        if self.0.is_empty() {
            println!("| row | case | metric | ours | floor | ratio | peers |");
            println!("| --- | --- | --- | --- | --- | --- | --- |");
        }
        let mut others = String::new();
        for (name, value) in peers {
            // Writing to a string cannot fail.
            let _ = write!(others, "{name} {}; ", number(*value));
        }
        println!(
            "| {row} | {case} | {} | {} | {floor_name} {} | {} | {} |",
            metric.name,
            number(*ours),
            number(*floor),
            number(ratio),
            others.trim_end_matches("; "),
        );
        let peers: serde_json::Map<String, Value> = peers
            .iter()
            .map(|(name, value)| ((*name).to_owned(), json!(value)))
            .collect();
        self.0.push(json!({
            "row": row, "case": case, "metric": metric.name,
            "ours": ours, "floor": floor, "ratio": ratio, "peers": peers,
        }));
    }

    pub(crate) fn save(&self, path: &Path) -> Outcome<()> {
        if let Some(folder) = path.parent() {
            fs::create_dir_all(folder)?;
        }
        fs::write(path, serde_json::to_string_pretty(&self.0)? + "\n")?;
        Ok(())
    }
}

fn median(samples: &[Sample], at: usize) -> f64 {
    let mut values: Vec<f64> = samples.iter().map(|sample| sample[at]).collect();
    values.sort_unstable_by(f64::total_cmp);
    values[values.len() / 2]
}

/// Three digits are as many as a measurement has.
fn number(value: f64) -> String {
    match value.abs() {
        0.0 => "0".to_owned(),
        tiny if tiny < 0.1 => format!("{value:.4}"),
        small if small < 10.0 => format!("{value:.2}"),
        middling if middling < 100.0 => format!("{value:.1}"),
        _ => format!("{value:.0}"),
    }
}
