//! What the cache costs. `benches/run writes` starts the servers and runs this.

mod lists;
mod loads;
mod writes;

use std::process::ExitCode;

const HELP: &str = "\
Measures what the cache costs.

Usage: benches/run PART

  lists   what a list costs, its ids from the database and a page that is cached
  loads   what a loader that writes itself costs beside one by hand, on PostgreSQL
  writes  what triggers and the outbox cost a write, on PostgreSQL

Environment (benches/run sets it):
  DATABASE_URL  an empty database of PostgreSQL
  REDIS_URL     an empty Redis";

#[tokio::main]
async fn main() -> ExitCode {
    let part = std::env::args().nth(1);
    let measured = match part.as_deref() {
        Some("lists") => lists::measure().await,
        Some("loads") => loads::measure().await,
        Some("writes") => writes::measure().await,
        Some("--help" | "-h") | None => {
            println!("{HELP}");
            return ExitCode::SUCCESS;
        }
        Some(other) => Err(format!("no such part: {other}; try --help").into()),
    };
    match measured {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("benches: {error}");
            ExitCode::FAILURE
        }
    }
}

/// A variable of the environment.
fn variable(name: &str) -> Result<String, cache_runtime::BoxError> {
    std::env::var(name).map_err(|_| format!("{name} is not set; see --help").into())
}
