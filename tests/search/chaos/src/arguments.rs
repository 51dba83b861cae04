//! The command line.

use std::time::Duration;

use clap::Parser;

use crate::faults::Fault;
use crate::mechanisms;

/// Several processes of a small service read and write through the cache, on real PostgreSQL and
/// Redis, while things go wrong; every read is checked.
///
/// Progress goes to stderr, a summary to stdout, of which the last line is one JSON object. Exits
/// with 1 when a read was not allowed, and shows it with what was written and read around it; or
/// when something else went wrong that must not.
#[derive(Debug, Parser)]
#[command(name = "tests/search/chaos/run", after_help = EXAMPLES)]
pub struct Arguments {
    /// How long, in minutes
    #[arg(long, default_value_t = 1.0)]
    pub minutes: f64,

    /// Of the schedule of faults, and of their lengths [default: a random one, which is printed]
    #[arg(long)]
    pub seed: Option<u64>,

    /// How many reads a process makes in a second
    #[arg(long, default_value_t = 600)]
    pub reads_per_second: u32,

    /// Only these faults, in a random order
    #[arg(long, value_enum, value_delimiter = ',')]
    pub faults: Vec<Fault>,

    /// No faults
    #[arg(long, conflicts_with = "faults")]
    pub calm: bool,

    /// Switches a mechanism off, injects the fault that it is for, and stops at the first read that
    /// is not allowed; of several mechanisms one after the other, each in a run of its own
    #[arg(long, value_parser = mechanism, value_delimiter = ',')]
    pub without: Vec<String>,

    /// Lists the mechanisms of which a run shows that they are
    /// missing; the others go to stderr, and why
    #[arg(long)]
    pub mechanisms: bool,
}

const EXAMPLES: &str = "\
Examples:
  tests/search/chaos/run                                     a minute of everything
  tests/search/chaos/run --minutes 30 --seed 7               half an hour; the same schedule every time
  tests/search/chaos/run --faults fail-over,redis-restored   these only
  tests/search/chaos/run --without fence                     must find a violation within seconds";

impl Arguments {
    pub fn time(&self) -> Duration {
        Duration::from_secs_f64(self.minutes * 60.0)
    }

    /// Which faults happen in a run without this mechanism.
    pub fn deck(&self, without: Option<&str>) -> Vec<Fault> {
        match without {
            _ if self.calm => Vec::new(),
            _ if !self.faults.is_empty() => self.faults.clone(),
            Some(name) => mechanisms::faults(name),
            None => Fault::ALL.to_vec(),
        }
    }
}

fn mechanism(name: &str) -> Result<String, String> {
    let names: Vec<&str> = mechanisms::ALL.iter().map(|(name, ..)| *name).collect();
    match names.contains(&name) {
        true => Ok(name.to_owned()),
        false => Err(format!("there are: {}", names.join(", "))),
    }
}
