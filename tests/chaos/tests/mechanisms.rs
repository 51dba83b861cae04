//! The checker sees what is missing: with each mechanism of the cache switched off, in turn, it finds a read that is not allowed.

use std::process::Command;

/// Within so many minutes.
const LIMIT: &str = "0.7";

#[test]
fn a_missing_mechanism_is_noticed() {
    let unnoticed: Vec<String> = mechanisms()
        .into_iter()
        .filter(|it| !is_noticed(it))
        .collect();
    assert!(unnoticed.is_empty(), "without {unnoticed:?} all seems well");
}

/// Whether a run without it finds a violation: the last line of a run that failed for another reason is no summary with one.
fn is_noticed(mechanism: &str) -> bool {
    let mut run = Command::new(env!("CARGO_BIN_EXE_chaos"));
    let run = run.args(["--minutes", LIMIT, "--without", mechanism]);
    let run = run.output().expect("a run");
    let summary = String::from_utf8_lossy(&run.stdout);
    let progress = String::from_utf8_lossy(&run.stderr);
    let json = summary.lines().last().unwrap_or_default();
    let json: serde_json::Value = serde_json::from_str(json).unwrap_or_default();
    let violation = summary.lines().next().unwrap_or_default();
    println!("{mechanism}, after {} s: {violation}", json["seconds"]);
    let found = !run.status.success() && json["violations"].as_u64() > Some(0);
    if !found {
        println!("{progress}\n{summary}");
    }
    found
}

/// Their names, as the program has them.
fn mechanisms() -> Vec<String> {
    let mut list = Command::new(env!("CARGO_BIN_EXE_chaos"));
    let list = list.arg("--mechanisms").output().expect("a list");
    let names = String::from_utf8_lossy(&list.stdout);
    names.lines().map(str::to_owned).collect()
}
