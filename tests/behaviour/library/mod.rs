//! Stories of the ledger (`tests/apps/ledger`), for what the example does not use: strict models,
//! reads within a transaction, reports without triggers, ignored columns, ids of every kind. There
//! is no HTTP: they read through the cache, and write in its transactions.

mod absence;
mod answers;
mod backlog;
mod bank;
mod batches;
mod columns;
mod conduit;
mod corners;
mod desk;
mod disk;
mod ends;
mod foreign;
mod frozen;
mod gone;
mod grace;
mod halls;
mod hazards;
mod history;
mod ids;
mod ignores;
mod installs;
mod keys;
mod large;
mod lease;
mod limit;
mod on_write;
mod one_connection;
mod outage;
mod places;
mod prefixes;
mod refresh;
mod reports;
mod roles;
mod rows;
mod runtimes;
mod services;
mod strangers;
mod strict;
mod transactions;
mod turns;
mod types;
mod verify;
mod verify_writes;
mod versions;

use libtest_mimic::Trial;

use crate::harness::{Story, Without};

/// Every story on its set-ups, and those that catch the missing block.
pub fn trials() -> Vec<Trial> {
    let stories = [
        strict::stories(),
        history::stories(),
        frozen::stories(),
        outage::stories(),
        gone::stories(),
        places::stories(),
        transactions::stories(),
        hazards::stories(),
        reports::stories(),
        ignores::stories(),
        ids::stories(),
        types::stories(),
        columns::stories(),
        conduit::stories(),
        answers::stories(),
        halls::stories(),
        absence::stories(),
        runtimes::stories(),
        ends::stories(),
        roles::stories(),
        installs::stories(),
        backlog::stories(),
        lease::stories(),
        grace::stories(),
        limit::stories(),
        batches::stories(),
        refresh::stories(),
        on_write::stories(),
        one_connection::stories(),
        verify::stories(),
        verify_writes::stories(),
        strangers::stories(),
        foreign::stories(),
        prefixes::stories(),
        turns::stories(),
        disk::stories(),
        large::stories(),
        versions::stories(),
        corners::stories(),
    ]
    .concat();
    let mutants = strict::need_the_block().into_iter().chain(halls::need_the_block());
    stories
        .into_iter()
        .flat_map(Story::trials)
        .chain(mutants.flat_map(|story| story.fails(Without::Block)))
        .collect()
}
