//! The mechanisms that can be switched off, by name; and the fault in which it shows that one is missing.

use cache_runtime::Mechanism::{self, *};

use crate::faults::Fault;

/// Each with its name, and the faults that it takes; none where the load alone shows it.
pub const ALL: &[(&str, Mechanism, &[Fault])] = &[
    ("fence", Fence, &[]),
    ("joiner", Joiner, &[]),
    ("keep", Keep, &[]),
    ("near-stamp", NearStamp, &[]),
    ("nested-far", NestedFar, &[Fault::MessageLost]),
    ("trust", Trust, &[Fault::ProcessStopped]),
    ("distrust", Distrust, &[Fault::CutOne]),
    ("messages", Messages, &[]),
    ("chain", Chain, &[Fault::MessageLost]),
    ("away", Away, &[Fault::RedisFrozen]),
    ("catch-up", CatchUp, &[Fault::RedisFrozen]),
    ("redelivery", Redelivery, &[Fault::RedisRestored]),
    ("commit", Commit, &[]),
    ("block", Block, &[]),
    ("embedded-tags", EmbeddedTags, &[]),
    ("relay", Relay, &[]),
];

pub fn named(name: &str) -> Option<Mechanism> {
    let found = ALL.iter().find(|(it, ..)| *it == name);
    found.map(|(_, mechanism, _)| *mechanism)
}

/// The faults to inject without it.
pub fn faults(name: &str) -> &'static [Fault] {
    let found = ALL.iter().find(|(it, ..)| *it == name);
    found.map_or(&[], |(.., faults)| *faults)
}
