//! The behaviours, each a story; the numbers are those of the list that they were asked for with.

mod absent;
mod batches;
mod conditions;
mod crash;
mod databases;
mod deletes;
mod duplicate;
mod elsewhere;
mod errors;
mod failover;
mod fanout;
mod fuzz;
mod hazards;
mod json;
mod lists;
mod loaders;
mod lookups;
mod near;
mod near_bound;
mod near_messages;
mod near_own;
mod openapi;
pub mod original;
mod outage;
mod outbox;
pub mod races;
mod relay;
mod seed;
mod set_up;
mod statements;
mod storms;
mod strangers;
mod tables;
mod tokens;
mod troubles;
mod window;

use crate::harness::Story;

/// Every story; its set-ups are its own affair.
pub fn all() -> Vec<Story> {
    [
        seed::stories(),
        original::stories(),
        races::stories(),
        storms::stories(),
        outage::stories(),
        absent::stories(),
        deletes::stories(),
        duplicate::stories(),
        errors::stories(),
        fuzz::stories(),
        lists::stories(),
        loaders::stories(),
        lookups::stories(),
        statements::stories(),
        strangers::stories(),
        relay::stories(),
        outbox::stories(),
        set_up::stories(),
        tables::stories(),
        troubles::stories(),
        conditions::stories(),
        crash::stories(),
        databases::stories(),
        window::stories(),
        failover::stories(),
        elsewhere::stories(),
        hazards::stories(),
        json::stories(),
        batches::stories(),
        fanout::stories(),
        near::stories(),
        near_bound::stories(),
        near_messages::stories(),
        near_own::stories(),
        tokens::stories(),
        openapi::stories(),
    ]
    .concat()
}
