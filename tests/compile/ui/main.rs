//! Compiles every case of every folder against that folder's `cache.toml`.
//!
//! `good/` has a schema in which nothing is wrong, and structs in which something
//! is; `good/pass/` are programs that must compile, and are run. Each other
//! folder has one thing wrong in its `cache.toml`.
//!
//! | to | run |
//! | --- | --- |
//! | see all of it | `cargo test -p ui-tests` |
//! | see one folder | `cargo test -p ui-tests -- cycle` |
//! | see one case | `cargo test -p ui-tests -- good trybuild=misspelt_column` |
//! | accept the messages as they are now | `TRYBUILD=overwrite cargo test -p ui-tests`, and read the diff |
//!
//! The `.stderr` files hold what the compiler of this repository's CI
//! says; another version may put it in other words.

use std::ffi::OsStr;
use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode};

/// Set for the children only: the name of the folder whose cases to compile.
const FOLDER: &str = "UI_TESTS_FOLDER";

fn main() -> ExitCode {
    match std::env::var_os(FOLDER) {
        Some(folder) => compile(Path::new(&folder)),
        None => run_children(),
    }
}

/// The macros find the file through a variable, so each file needs a process of its own.
fn run_children() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let is_wanted = |folder: &Path| {
        let mut names = arguments
            .iter()
            .filter(|argument| !argument.starts_with('-') && !argument.starts_with("trybuild="))
            .peekable();
        names.peek().is_none() || names.any(|name| folder.file_name() == Some(OsStr::new(name)))
    };
    let folders: Vec<PathBuf> = folders().into_iter().filter(|f| is_wanted(f)).collect();

    let this = std::env::current_exe().expect("this program has a path");
    let failed: Vec<PathBuf> = folders
        .into_iter()
        .filter(|folder| {
            println!("\n=== {} ===", name(folder));
            let status = Command::new(&this)
                .args(arguments.iter().filter(|a| a.starts_with("trybuild=")))
                .env(FOLDER, &*name(folder))
                .env("CACHE_TOML", folder.join("cache.toml"))
                .status();
            !status.is_ok_and(|status| status.success())
        })
        .collect();
    for folder in &failed {
        eprintln!("failed: {}", name(folder));
    }
    if failed.is_empty() { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

fn compile(folder: &Path) -> ExitCode {
    let cases = trybuild::TestCases::new();
    cases.compile_fail(folder.join("*.rs"));
    if folder.join("pass").is_dir() {
        cases.pass(folder.join("pass/*.rs"));
    }
    // Dropped, it compiles, and panics when a case is not as it should be.
    drop(cases);
    ExitCode::SUCCESS
}

/// The folders that have a `cache.toml`, in the order of their names.
fn folders() -> Vec<PathBuf> {
    let here = Path::new(env!("CARGO_MANIFEST_DIR"));
    let entries = std::fs::read_dir(here).expect("the folder of the tests can be read");
    let mut folders: Vec<PathBuf> = entries
        .filter_map(|entry| Some(entry.ok()?.path()))
        .filter(|path| path.join("cache.toml").is_file())
        .collect();
    folders.sort();
    folders
}

fn name(folder: &Path) -> std::borrow::Cow<'_, str> {
    folder.file_name().unwrap_or_default().to_string_lossy()
}
