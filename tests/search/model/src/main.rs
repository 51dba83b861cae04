//! Checks worlds, and tells the shortest counter-example of each
//! mutant. `run` beside this crate starts it.

use std::collections::BTreeMap;
use std::process::ExitCode;

use model::lists::{self, Lists};
use model::partitioned::{self, Partitioned};
use model::{Bounds, Found, Mutant, Protocol, World, check};

const HELP: &str = "\
Checks the protocol exhaustively, in worlds of small bounds, and takes its mechanisms out one at a time.

  tests/search/model/run                    every world as CI checks it, and every mutant
  tests/search/model/run --large            every world with one more write, eviction or reader: takes many minutes
  tests/search/model/run --world fail-over  only worlds whose name has this in it
  tests/search/model/run --mutant JoinsStored
                                     the shortest way to a wrong answer without this mechanism

The last line is one JSON object.";

fn main() -> ExitCode {
    let (mut bounds, mut world, mut mutant) = (Bounds::Small, None, None);
    let mut arguments = std::env::args().skip(1);
    while let Some(argument) = arguments.next() {
        match (argument.as_str(), &mut arguments) {
            ("--large", _) => bounds = Bounds::Large,
            ("--world", rest) => world = rest.next(),
            ("--mutant", rest) => mutant = rest.next(),
            ("--help" | "-h", _) => {
                println!("{HELP}");
                return ExitCode::SUCCESS;
            }
            (other, _) => {
                eprintln!("{other:?} is not known; tests/search/model/run --help tells what is");
                return ExitCode::from(2);
            }
        }
    }
    let mut told = Told::default();
    if mutant.is_none() {
        let worlds = World::all(bounds);
        let named = |it: &World| world.as_ref().is_none_or(|name| it.name.contains(name));
        for world in worlds.into_iter().filter(named) {
            let name = world.name;
            let without = None;
            told.world(name, &check(Protocol { world, without }));
        }
    }
    if mutant.is_none() && world.is_none() {
        told.world("cluster", &check(cluster(None)));
        told.world("list over two steps", &check(Lists::of_two_steps(None)));
        told.world("list over three steps", &check(Lists::of_three_steps(None)));
    }
    if world.is_none() {
        told.mutants(|name| mutant.as_ref().is_none_or(|it| it == name));
    }
    told.end()
}

fn cluster(without: Option<partitioned::Mutant>) -> Partitioned {
    Partitioned { readers: 2, writers: 3, evicts: true, without }
}

#[derive(Default)]
struct Told {
    states: BTreeMap<String, usize>,
    caught: usize,
    survived: Vec<String>,
    wrong: Vec<String>,
}

impl Told {
    fn world(&mut self, name: &str, found: &Found) {
        println!("{name}: {found}");
        self.states.insert(name.to_owned(), found.states);
        if found.counter_example.is_some() {
            self.wrong.push(name.to_owned());
        }
    }

    fn mutants(&mut self, named: impl Fn(&str) -> bool) {
        for mutant in Mutant::ALL {
            let (name, world) = (format!("{mutant:?}"), mutant.noticed_in());
            if named(&name) {
                println!("\n# {name} in \"{}\": {}", world.name, mutant.what());
                let without = Some(*mutant);
                self.mutant(&name, &check(Protocol { world, without }));
            }
        }
        for mutant in partitioned::Mutant::ALL {
            let name = format!("{mutant:?}");
            if named(&name) {
                println!("\n# {name} in \"cluster\": {}", mutant.what());
                self.mutant(&name, &check(cluster(Some(*mutant))));
            }
        }
        for mutant in lists::Mutant::ALL {
            let name = format!("{mutant:?}");
            if named(&name) {
                println!("\n# {name} in \"list over two steps\": {}", mutant.what());
                self.mutant(&name, &check(Lists::of_two_steps(Some(*mutant))));
            }
        }
    }

    fn mutant(&mut self, name: &str, found: &Found) {
        println!("{found}");
        match found.counter_example {
            Some(_) => self.caught += 1,
            None => self.survived.push(name.to_owned()),
        }
    }

    fn end(self) -> ExitCode {
        let states: usize = self.states.values().sum();
        let (worlds, caught) = (self.states.len(), self.caught);
        let (survived, wrong) = (self.survived, self.wrong);
        let is_well = survived.is_empty() && wrong.is_empty() && worlds + caught > 0;
        println!(
            "{{\"worlds\": {worlds}, \"states\": {states}, \"wrong\": {wrong:?}, \"mutants_caught\": {caught}, \"survived\": {survived:?}}}"
        );
        match is_well {
            true => ExitCode::SUCCESS,
            false => ExitCode::FAILURE,
        }
    }
}
