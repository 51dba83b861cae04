//! The last commits, as the database loses them.

use std::collections::HashMap;
use std::ops::RangeInclusive;

use chaos_service::clock::Nanos;
use chaos_service::record::{ProcessId, Register};

use super::stairs::Stairs;

/// The database has crashed, or another has taken its place: it goes on without its last commits.
#[derive(Debug)]
pub struct Loss {
    /// Up to here it was there with all of them.
    pub from: Nanos,
    /// Nobody reached it between the two.
    pub to: Nanos,
    /// What it has.
    pub kept: HashMap<Register, i64>,
    /// What is written from now on is above this, and what is lost is not.
    pub floor: i64,
    /// The newest process: those that are started from now on are newer.
    pub newest: ProcessId,
}

/// What is lost of one register.
#[derive(Debug)]
pub(super) struct Lost {
    versions: RangeInclusive<i64>,
    /// Above all of them, from when it was over.
    pub(super) over: Stairs,
    pub(super) newest: ProcessId,
}

impl Loss {
    pub(super) fn of(&self, kept: i64) -> Lost {
        let mut over = Stairs::default();
        over.raise(self.to, i64::MAX);
        Lost { versions: kept + 1..=self.floor, over, newest: self.newest }
    }
}

impl Lost {
    pub(super) fn has(&self, version: i64) -> bool {
        self.versions.contains(&version)
    }
}
