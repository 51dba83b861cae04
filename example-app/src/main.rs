//! Plio's API, served from cache: `cargo run -p example-app`.

use std::io::{IsTerminal, stderr};
use std::process::ExitCode;

use example_app::{Config, serve};
use tracing_subscriber::EnvFilter;

#[tokio::main]
async fn main() -> ExitCode {
    match std::env::args().nth(1).as_deref() {
        None => {}
        Some("--help" | "-h") => {
            println!("{}", Config::HELP);
            return ExitCode::SUCCESS;
        }
        Some(argument) => return fail(&format!("unknown argument {argument}; try --help")),
    }
    log_to_stderr();
    let outcome = match Config::from_env() {
        Ok(config) => serve(&config).await,
        Err(sentence) => Err(sentence),
    };
    match outcome {
        Ok(()) => ExitCode::SUCCESS,
        Err(sentence) => fail(&sentence),
    }
}

fn fail(sentence: &str) -> ExitCode {
    eprintln!("example-app: {sentence}");
    ExitCode::FAILURE
}

fn log_to_stderr() {
    let filter = EnvFilter::try_from_default_env().unwrap_or_else(|_| EnvFilter::new("warn"));
    tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_writer(stderr)
        .with_ansi(stderr().is_terminal())
        .init();
}
