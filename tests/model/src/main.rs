//! Checks the worlds within larger bounds, and prints what takes each mechanism out leads to. See `run`.

use std::process::ExitCode;

use model::{Bounds, Found, Mutant, Protocol, World, check};

fn main() -> ExitCode {
    let mut bounds = Bounds::Small;
    let mut only = None;
    for argument in std::env::args().skip(1) {
        match argument.as_str() {
            "large" => bounds = Bounds::Large,
            other => only = Some(other.to_owned()),
        }
    }
    for world in World::all(bounds) {
        if only.as_ref().is_some_and(|only| !world.name.contains(only)) {
            continue;
        }
        let name = world.name;
        let found = check(Protocol { world, without: None });
        println!("{name}: {} states, depth {}, {:?}", found.states, found.depth, found.took);
        tell(&found);
    }
    if only.is_none() {
        for mutant in Mutant::ALL {
            let found = check(Protocol { world: mutant.noticed_in(), without: Some(*mutant) });
            println!("{mutant:?}: {} states, {:?} {}", found.states, found.took, match found.counter_example { Some((p, s)) => format!("{p} in {} steps", s.len() - 1), None => "SURVIVES".into() });
        }
    }
    ExitCode::SUCCESS
}

fn tell(found: &Found) {
    if let Some((property, steps)) = &found.counter_example {
        println!("{property} does not hold:");
        for step in steps { println!("  {step}"); }
    }
}
