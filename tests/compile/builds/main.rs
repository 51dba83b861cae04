//! What only a build can show: the code of the guide builds and does what the guide says, and an
//! edited `cache.toml` rebuilds and changes what a write reaches.

mod guide;
mod layouts;
mod licences;
mod links;
mod rebuild;
mod rooms;
mod sizes;

use std::path::{Path, PathBuf};
use std::process::{Command, Output};

/// The workspace.
fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().expect("tests/ is in the workspace")
}

/// A folder for builds that survives them, so that the next run is quick.
fn build_dir(name: &str) -> PathBuf {
    let dir = Path::new(env!("CARGO_TARGET_TMPDIR")).join(name);
    std::fs::create_dir_all(&dir).expect("create the build folder");
    dir
}

fn cargo(arguments: &[&str]) -> Command {
    let mut cargo = Command::new(env!("CARGO"));
    // What the outer cargo set for this test must not reach the inner one.
    for (name, _) in std::env::vars()
        .filter(|(name, _)| name.starts_with("CARGO_PKG_") || name == "CARGO_MANIFEST_DIR")
    {
        cargo.env_remove(name);
    }
    cargo.args(arguments);
    cargo
}

fn run(command: &mut Command) -> Output {
    let output = command.output().expect("start");
    let stderr = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{command:?} failed:\n{stderr}");
    output
}

/// What it says when it fails.
fn fails(command: &mut Command) -> String {
    let output = command.output().expect("start");
    assert!(!output.status.success(), "{command:?} did not fail");
    String::from_utf8_lossy(&output.stderr).into_owned()
}
