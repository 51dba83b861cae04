//! Every input of the corpus, through its target.

use std::fs;
use std::path::Path;

use fuzz::{TARGETS, Target};

fn replay(name: &str) {
    let (_, target): &(_, Target) =
        TARGETS.iter().find(|(target, _)| *target == name).expect("a target");
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("corpus").join(name);
    let mut inputs = 0;
    for input in fs::read_dir(folder).expect("each target has a corpus") {
        let path = input.expect("a file").path();
        // Shown if it is the one that panics.
        println!("{}", path.display());
        target(&fs::read(path).expect("readable"));
        inputs += 1;
    }
    assert!(inputs > 10, "only {inputs} inputs");
}

#[test]
fn schema() {
    replay("schema");
}

#[test]
fn triggers() {
    replay("triggers");
}

#[test]
fn entry() {
    replay("entry");
}

#[test]
fn outbox() {
    replay("outbox");
}

#[test]
fn keys() {
    replay("keys");
}
