//! The checker sees what is missing: with each mechanism of the cache switched
//! off, in turn, it finds a read that is not allowed.

use std::process::Command;

use serde_json::Value;

/// For each, in minutes; a few seconds are the rule.
const LIMIT: &str = "3";

/// So many runs at once: each begins by starting servers and processes, and waits for them.
const AT_ONCE: usize = 2;

#[test]
fn a_missing_mechanism_is_noticed() {
    let mechanisms = chaos(&["--mechanisms"]);
    let mechanisms: Vec<&str> = mechanisms.lines().collect();
    assert!(mechanisms.len() >= 15);
    let runs: String = std::thread::scope(|scope| {
        let shares = mechanisms.chunks(mechanisms.len().div_ceil(AT_ONCE));
        let without = |share: &[&str]| share.join(",");
        let runs: Vec<_> = shares
            .map(without)
            .map(|it| scope.spawn(move || chaos(&["--minutes", LIMIT, "--without", &it])))
            .collect();
        runs.into_iter().map(|run| run.join().expect("a run")).collect()
    });
    let summaries: Vec<Value> =
        runs.lines().filter_map(|line| serde_json::from_str(line).ok()).collect();
    for mechanism in mechanisms {
        let run = summaries.iter().find(|it| it["without"] == mechanism);
        let run = run.unwrap_or_else(|| panic!("no run without {mechanism}:\n{runs}"));
        assert!(run["violations"].as_u64() > Some(0), "without {mechanism} all seems well: {run}");
        println!("{mechanism}: after {} s", run["seconds"]);
    }
}

/// What it writes to stdout; its progress is shown.
fn chaos(arguments: &[&str]) -> String {
    let run = Command::new(env!("CARGO_BIN_EXE_chaos")).args(arguments).output();
    let run = run.expect("a run");
    println!("{}", String::from_utf8_lossy(&run.stderr));
    String::from_utf8_lossy(&run.stdout).into_owned()
}
