//! Stories of the ledger (`tests/apps/ledger`), for what the example does not use: strict models, reads within a
//! transaction, reports without triggers, ignored columns, ids of every kind. There is no HTTP: they read through the
//! cache, and write in its transactions.

mod absence;
mod backlog;
mod bank;
mod batches;
mod corners;
mod desk;
mod disk;
mod ends;
mod foreign;
mod frozen;
mod gone;
mod grace;
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
mod tale;
mod transactions;
mod turns;
mod types;
mod verify;
mod verify_writes;
mod versions;

use libtest_mimic::Trial;

use crate::harness::Mutant;

/// Every story on its set-ups, and those that catch the missing block.
pub fn trials() -> Vec<Trial> {
    let tales = [
        strict::tales(),
        history::tales(),
        frozen::tales(),
        outage::tales(),
        gone::tales(),
        places::tales(),
        transactions::tales(),
        hazards::tales(),
        reports::tales(),
        ignores::tales(),
        ids::tales(),
        types::tales(),
        absence::tales(),
        runtimes::tales(),
        ends::tales(),
        roles::tales(),
        installs::tales(),
        backlog::tales(),
        lease::tales(),
        grace::tales(),
        limit::tales(),
        batches::tales(),
        refresh::tales(),
        on_write::tales(),
        one_connection::tales(),
        verify::tales(),
        verify_writes::tales(),
        strangers::tales(),
        foreign::tales(),
        prefixes::tales(),
        turns::tales(),
        disk::tales(),
        large::tales(),
        versions::tales(),
        corners::tales(),
    ]
    .concat();
    let mutants = strict::need_the_block().into_iter();
    tales
        .into_iter()
        .flat_map(tale::Tale::trials)
        .chain(mutants.flat_map(|tale| tale.fails_with(Mutant::Unblocked)))
        .collect()
}
