//! A minute of everything that can go wrong. The seed is random, and printed:
//! `tests/search/chaos/run --seed SEED` has the same schedule.

use std::process::Command;

#[test]
fn every_read_of_a_minute_was_allowed() {
    let mut run = Command::new(env!("CARGO_BIN_EXE_chaos"));
    let run = run.args(["--minutes", "1"]).output().expect("a run");
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    let (summary, progress) = (text(&run.stdout), text(&run.stderr));
    println!("{progress}\n{summary}");
    assert!(run.status.success(), "see above");

    let json = summary.lines().last().expect("a summary");
    let json: serde_json::Value = serde_json::from_str(json).expect("one JSON object");
    let number = |name: &str| json[name].as_u64().unwrap_or_else(|| panic!("no {name}"));
    assert_eq!(number("violations"), 0);
    // Something happened, so that this says something.
    assert!(number("reads") > 10_000 && number("writes") > 500);
    let faults = json["faults"].as_object().expect("faults");
    assert!(faults.len() >= 5, "few faults");
    let tiers = &json["reads_by_tier"];
    for tier in ["near", "far", "miss", "collapsed", "bypass"] {
        assert!(tiers[tier].as_u64() > Some(0), "no read was answered by {tier}");
    }
}
