//! Every world within small bounds: nothing goes wrong with all
//! mechanisms, and something does without any one of them.

use model::partitioned::{self, Partitioned};
use model::{Bounds, Found, Mutant, Protocol, World, check};

const SAFETY: &str = "no answer is older than it may be";

#[test]
fn nothing_goes_wrong_in_any_world() {
    for world in World::all(Bounds::Small) {
        let name = world.name;
        let found = check(Protocol { world, without: None });
        holds(name, &found);
    }
}

#[test]
fn nothing_goes_wrong_in_a_cluster() {
    for (readers, writers, evicts) in [(2, 2, false), (2, 2, true), (2, 3, false)] {
        let found = check(Partitioned { readers, writers, evicts, without: None });
        holds("cluster", &found);
    }
}

#[test]
fn without_any_mechanism_something_goes_wrong() {
    for mutant in Mutant::ALL {
        let found = check(Protocol { world: mutant.noticed_in(), without: Some(*mutant) });
        let breaks = match mutant {
            Mutant::AdoptsStrict | Mutant::MarksFirst | Mutant::PlaceIsServer => "it settles",
            _ => SAFETY,
        };
        is_caught(&format!("{mutant:?}"), &found, breaks);
    }
    for mutant in partitioned::Mutant::ALL {
        let found =
            check(Partitioned { readers: 2, writers: 2, evicts: false, without: Some(*mutant) });
        is_caught(&format!("{mutant:?}"), &found, SAFETY);
    }
}

fn holds(name: &str, found: &Found) {
    println!("{name}: {found}");
    assert!(found.counter_example.is_none(), "{name}");
    assert!(found.states > 1000, "{name}: hardly anything can happen");
}

fn is_caught(mutant: &str, found: &Found, breaks: &str) {
    println!("without {mutant}: {found}");
    let broken = found.counter_example.as_ref().map(|(broken, _)| *broken);
    assert_eq!(
        broken,
        Some(breaks),
        "{mutant}: not needed, or the world is too small to show what for; or needed for another reason"
    );
}
