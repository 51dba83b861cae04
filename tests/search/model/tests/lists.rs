//! A list over a path: what its loads read, at which moments, and what they register.

use model::lists::{Lists, Mutant, SETTLED, TOLD};
use model::{Found, check};

type World = fn(Option<Mutant>) -> Lists;

/// Each with a name.
const WORLDS: [(&str, World); 2] =
    [("two steps", Lists::of_two_steps), ("three steps", Lists::of_three_steps)];

fn broken(found: &Found) -> Option<&'static str> {
    found.counter_example.as_ref().map(|(broken, _)| *broken)
}

#[test]
fn what_is_stored_is_what_was_told() {
    for (name, world) in WORLDS {
        let found = check(world(None));
        println!("{name}: {found}");
        assert_eq!(broken(&found), None, "{name}");
        assert!(found.states > 1000, "{name}: hardly anything can happen");
    }
}

#[test]
fn two_who_load_at_once_store_nothing_else() {
    let found = check(Lists { writes: 2, loaders: 2, ..Lists::of_two_steps(None) });
    println!("{found}");
    assert_eq!(broken(&found), None);
}

#[test]
fn without_any_mechanism_something_goes_wrong() {
    for (name, world) in WORLDS {
        for mutant in Mutant::ALL {
            let found = check(world(Some(*mutant)));
            println!("{name}, without {mutant:?}: {found}");
            let breaks = broken(&found);
            match mutant {
                Mutant::StepsFirst | Mutant::IdsFirst => {
                    assert_eq!(breaks, Some(TOLD), "{name}, {mutant:?}");
                }
                _ => assert!(breaks.is_some(), "{name}, {mutant:?}: not needed"),
            }
        }
    }
}

/// In whatever order a load reads, and whatever is written meanwhile: what it misses will be told.
/// So no order helps, nor is one needed, once all is told. Until then it takes one moment.
#[test]
fn moments_of_their_own_make_up_for_it_once_all_is_told() {
    for (name, world) in WORLDS {
        for mutant in [Mutant::StepsFirst, Mutant::IdsFirst] {
            let found = check(Lists { at_any_time: false, ..world(Some(mutant)) });
            println!("{name}, {mutant:?}, {SETTLED}: {found}");
            assert_eq!(broken(&found), None, "{name}, {mutant:?}");
        }
    }
}
