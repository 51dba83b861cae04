//! How values are stored, once it is known whether they are strict.

use std::time::Duration;

use crate::raw::RawPolicy;
use crate::schema::{Consistency, Policy};

/// What is built from it may make it strict.
pub(super) fn resolved(raw: &RawPolicy, is_strict: bool) -> Policy {
    let mut policy = raw.policy.clone();
    if is_strict {
        policy.consistency = Consistency::Strict;
        // What [cache] says is for those who can have one.
        policy.lease = Duration::ZERO;
    }
    policy
}
