//! A history checker: several processes of a small service on real PostgreSQL
//! and Redis, and faults; every read is checked.
//!
//! `tests/search/chaos/README.md` says what runs, what is checked, and how to read what it prints.

mod arguments;
mod checker;
mod conductor;
mod database;
mod faults;
mod history;
mod installs;
mod mechanisms;
mod memory;
mod process;
mod summary;
mod world;

use std::process::ExitCode;

use chaos_service::record::{Line, Orders};
use clap::Parser;

use mechanisms::Shows;

fn main() -> ExitCode {
    if let Ok(orders) = std::env::var(chaos_service::ORDERS) {
        let parsed: Orders = serde_json::from_str(&orders).expect("the conductor wrote them");
        match parsed.line {
            Line::Main | Line::Database => chaos_service::serve(&orders, mechanisms::named),
            // The same, with another `prefix`.
            Line::Prefix => chaos_other::serve(&orders, mechanisms::named),
        }
        return ExitCode::SUCCESS;
    }
    let arguments = arguments::Arguments::parse();
    if arguments.mechanisms {
        for (name, _, shows) in mechanisms::ALL {
            match shows {
                Shows::Nowhere(why) => eprintln!("{name}: {why}"),
                Shows::UnderLoad | Shows::In(_) => println!("{name}"),
            }
        }
        return ExitCode::SUCCESS;
    }
    let runtime = tokio::runtime::Runtime::new().expect("a runtime");
    let all_is_well = runtime.block_on(async {
        // On a thread of the runtime: some of what is waited for blocks.
        let runs = tokio::spawn(async move {
            if arguments.without.is_empty() {
                return conductor::run(&arguments, None).await;
            }
            let mut all_is_well = true;
            for mechanism in &arguments.without {
                all_is_well &= conductor::run(&arguments, Some(mechanism)).await;
            }
            all_is_well
        });
        runs.await.unwrap_or(false)
    });
    match all_is_well {
        true => ExitCode::SUCCESS,
        false => ExitCode::FAILURE,
    }
}
