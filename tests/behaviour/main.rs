//! The behaviours of the whole path: schema, derive, runtime and
//! example app, over HTTP, on real servers.
//!
//! `tests/README.md` says how to run them, and what runs on which set-up.

mod api;
mod conformance;
mod full;
mod guide;
mod harness;
mod install;
mod leases;
mod library;
mod mutants;
mod secrets;

use harness::{Story, servers, service, statements, story};
use libtest_mimic::{Arguments, Trial};

fn main() {
    if service::serve_if_asked() {
        return;
    }
    let mut arguments = Arguments::from_args();
    // Stories wait more than they compute: with eight at once two cores are busy.
    let cores = std::thread::available_parallelism().map_or(1, usize::from);
    arguments.test_threads.get_or_insert(cores.max(8));
    statements::listen();
    story::hush_mutants();

    let mut trials: Vec<Trial> = api::all()
        .into_iter()
        .flat_map(Story::trials)
        .chain(mutants::trials())
        .chain(library::trials())
        .chain(conformance::trials())
        .chain([install::trial()])
        .chain(leases::trials())
        .chain(secrets::trials())
        .chain(full::trials())
        .collect();
    trials.push(guide::trial(&trials));
    let conclusion = libtest_mimic::run(&arguments, trials);
    servers::stop_all();
    conclusion.exit();
}
