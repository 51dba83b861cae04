//! The cache beside its peers. `benches/run race` starts the servers and runs this.

mod compile;
mod far;
mod fill;
mod harness;
mod http;
mod invalidate;
mod many;
mod model;
mod near;
mod pace;
mod peers;
mod stampede;

use std::path::Path;
use std::process::ExitCode;
use std::time::Duration;

use crate::harness::{Outcome, Results};

const HELP: &str = "\
Races the cache against its peers. benches/README.md says what the rows are.

Usage: benches/run race [ROW]…

  1  near hit                      5  invalidation
  2  far hit                       6  stampede
  3  a hundred values at once      7  HTTP
  4  miss and fill                 8  compile time

Environment (benches/run sets it):
  DATABASE_URL  an empty database of PostgreSQL
  REDIS_URL     an empty Redis, with its 16 databases";

#[tokio::main]
async fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
    let outcome = match arguments[..] {
        ["--help" | "-h"] => {
            println!("{HELP}");
            Ok(())
        }
        // The processes that a row consists of are this program as well.
        ["runner", who, tasks, url] => match tasks.parse() {
            Ok(tasks) => stampede::run(who, tasks, url).await,
            Err(error) => Err(error.into()),
        },
        ["constant", file] => http::constant(file).await,
        ["client", address, ref numbers @ ..] => client(address, numbers).await,
        ref rows => race(rows).await,
    };
    match outcome {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("race: {error}");
            ExitCode::FAILURE
        }
    }
}

/// All rows, or these.
async fn race(rows: &[&str]) -> Outcome<()> {
    let rows: Vec<u8> = match rows {
        [] => (1..=8).collect(),
        rows => rows
            .iter()
            .map(|row| row.parse())
            .collect::<Result<_, _>>()?,
    };
    let redis = std::env::var("REDIS_URL")?;
    let postgres = std::env::var("DATABASE_URL")?;
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    let root = root.canonicalize()?;
    let mut results = Results::default();
    for row in rows {
        let results = &mut results;
        match row {
            1 => near::measure(results, &redis).await?,
            2 => far::measure(results, &redis).await?,
            3 => many::measure(results, &redis).await?,
            4 => fill::measure(results, &redis).await?,
            5 => invalidate::measure(results, &redis).await?,
            6 => stampede::measure(results, &redis).await?,
            7 => http::measure(results, &redis, &postgres, &root).await?,
            8 => compile::measure(results, &root).await?,
            other => return Err(format!("there is no row {other}; they are 1 to 8").into()),
        }
        // Also when a later row fails.
        results.save(&root.join("target/bench/results.json"))?;
    }
    Ok(())
}

async fn client(address: &str, numbers: &[&str]) -> Outcome<()> {
    let numbers: Vec<i64> = numbers
        .iter()
        .map(|number| number.parse())
        .collect::<Result<_, _>>()?;
    let [first, connections, ms] = numbers[..] else {
        return Err("client takes an address and three numbers".into());
    };
    let length = Duration::from_millis(ms.unsigned_abs());
    http::client(address, first, connections, length).await
}
