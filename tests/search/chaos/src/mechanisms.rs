//! The mechanisms that can be switched off, and where it shows that one is missing.

use cache_runtime::Mechanism::{self, *};

use crate::faults::Fault;

/// Where it shows.
#[derive(Debug, Clone, Copy)]
pub enum Shows {
    /// Under load.
    UnderLoad,
    /// In such a fault.
    In(Fault),
    /// Nowhere, for this reason.
    Nowhere(&'static str),
}

/// Each with its name.
pub const ALL: &[(&str, Mechanism, Shows)] = &[
    ("fence", Fence, Shows::UnderLoad),
    ("joiner", Joiner, Shows::UnderLoad),
    ("keep", Keep, Shows::UnderLoad),
    ("near-generation", NearGeneration, Shows::UnderLoad),
    ("nested-far", NestedFar, Shows::Nowhere(NESTED_FAR)),
    ("trust", Trust, Shows::In(Fault::Suspended)),
    ("distrust", Distrust, Shows::In(Fault::RedisFrozen)),
    ("messages", Messages, Shows::UnderLoad),
    ("chain", Chain, Shows::In(Fault::MessagesLost)),
    ("away", Away, Shows::In(Fault::RedisFrozen)),
    ("catch-up", CatchUp, Shows::In(Fault::RedisFrozen)),
    ("redelivery", Redelivery, Shows::In(Fault::RedisRestored)),
    ("commit", Commit, Shows::UnderLoad),
    ("block", Block, Shows::UnderLoad),
    ("embedded-tags", EmbeddedTags, Shows::UnderLoad),
    ("list-steps", ListSteps, Shows::UnderLoad),
    ("relay", Relay, Shows::UnderLoad),
];

const NESTED_FAR: &str = "Redis answers the outer value's read after every message from before it, and \
    the near cache has taken those in: a near value is as new as the token, and what comes later refuses the fill";

fn find(name: &str) -> Option<&'static (&'static str, Mechanism, Shows)> {
    ALL.iter().find(|(it, ..)| *it == name)
}

pub fn named(name: &str) -> Option<Mechanism> {
    find(name).map(|(_, mechanism, _)| *mechanism)
}

/// The faults to inject without it.
pub fn faults(name: &str) -> Vec<Fault> {
    match find(name) {
        Some((.., Shows::In(fault))) => vec![*fault],
        Some((.., Shows::Nowhere(_))) => Fault::ALL.to_vec(),
        _ => Vec::new(),
    }
}
