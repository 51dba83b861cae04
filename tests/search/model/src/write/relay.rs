//! `engine/relay.rs`: who delivers what nobody has delivered yet, and what was delivered elsewhere.

use super::{Place, Row};
use crate::Mutant;
use crate::action::Action;
use crate::machine::{Protocol, State, WRITES};
use crate::recover::Health;
use crate::store::{Set, Version};

/// A relay, in the middle of a pass or not.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Relay {
    /// It has nothing to deliver.
    Idle,
    /// It has read the rows up to this one, for this place; some slices may be done.
    Took { rows: Version, here: Place, first: bool },
    /// It is about to mark them.
    Marks { rows: Version, here: Place },
    /// It has yet to look for what was delivered elsewhere,
    LooksElsewhere,
    /// and has found that, which this place is to be told.
    Elsewhere { rows: Set, here: Place },
}

impl State {
    pub(crate) fn relaying(&self, protocol: &Protocol, actions: &mut Vec<Action>) {
        for (at, process) in (0..).zip(&self.processes) {
            let in_use = process.health == Health::InUse;
            if !protocol.world.relays.contains(&at) {
                continue;
            }
            let may_go_on = match process.relay {
                Relay::Idle => {
                    let waits = self.rows.contains(&Row::Waiting);
                    in_use && (waits || self.news_from_elsewhere(at, protocol) != 0)
                }
                // One at a time.
                Relay::LooksElsewhere => !process.recovery.tells_from_elsewhere(),
                Relay::Took { .. } | Relay::Marks { .. } | Relay::Elsewhere { .. } => true,
            };
            if may_go_on {
                actions.push(Action::Relay(at));
            }
            if process.relay != Relay::Idle && self.left.crashes > 0 {
                actions.push(Action::CrashRelay(at));
            }
        }
    }

    pub(crate) fn relay(&mut self, at: u8, protocol: &Protocol) {
        let next = match self.process(at).relay {
            Relay::Idle => {
                let here = self.place(at, protocol);
                let rows = self.newest(|row| row == Row::Waiting);
                if protocol.is(Mutant::MarksFirst) {
                    self.deliver_rows(rows, here);
                }
                match rows {
                    0 => self.relay_looks_elsewhere(at, protocol),
                    _ => Relay::Took { rows, here, first: true },
                }
            }
            Relay::Took { rows, here, first } => {
                match self.store_invalidate(at, first, protocol, rows) {
                    None => Relay::Idle,
                    Some(false) => Relay::Took { rows, here, first: false },
                    Some(true) => {
                        self.is_applied(at, rows);
                        Relay::Marks { rows, here }
                    }
                }
            }
            Relay::Marks { rows, here } => {
                let here = self.place_to_mark(at, here, protocol);
                self.deliver_rows(rows, here);
                match self.news_from_elsewhere(at, protocol) {
                    0 => Relay::Idle,
                    _ => Relay::LooksElsewhere,
                }
            }
            Relay::LooksElsewhere => self.relay_looks_elsewhere(at, protocol),
            Relay::Elsewhere { rows, here } => {
                if self.invalidate_all(at, newest_of(rows), protocol) {
                    self.was_told(at, rows, here, protocol);
                }
                Relay::Idle
            }
        };
        self.process(at).relay = next;
    }

    fn relay_looks_elsewhere(&self, at: u8, protocol: &Protocol) -> Relay {
        match self.news_from_elsewhere(at, protocol) {
            0 => Relay::Idle,
            rows => Relay::Elsewhere { rows, here: self.place(at, protocol) },
        }
    }

    /// `deliver_from_others`: the rows delivered to another place that
    /// this one was not told of by this process.
    pub(crate) fn news_from_elsewhere(&self, at: u8, protocol: &Protocol) -> Set {
        let here = self.place(at, protocol);
        let is_elsewhere = |row: &Row| matches!(row, Row::Delivered(place) if *place != here);
        let rows = (0..).zip(&self.rows).filter(|(_, row)| is_elsewhere(row));
        let rows = rows.fold(0, |rows, (n, _)| rows | 1 << n);
        let (place, told) = self.processes[usize::from(at)].told;
        match place == here || protocol.is(Mutant::ElsewhereForgetsPlace) {
            true => rows & !told,
            false => rows,
        }
    }

    /// And it was.
    pub(crate) fn was_told(&mut self, at: u8, rows: Set, here: Place, protocol: &Protocol) {
        let told = &mut self.process(at).told;
        if told.0 != here && !protocol.is(Mutant::ElsewhereForgetsPlace) {
            told.1 = 0;
        }
        *told = (here, told.1 | rows);
    }

    /// The newest version whose row is such a one; 0: none is.
    pub(crate) fn newest(&self, is: impl Fn(Row) -> bool) -> Version {
        let newest = (0..WRITES).rev().find(|n| is(self.rows[*n]));
        newest.map_or(0, |n| n as Version + 1)
    }

    pub(crate) fn deliver_rows(&mut self, rows: Version, here: Place) {
        for row in &mut self.rows[..usize::from(rows)] {
            if *row == Row::Waiting {
                *row = Row::Delivered(here);
            }
        }
    }

    /// All of an invalidation, for a store that is on its way back.
    pub(crate) fn invalidate_all(&mut self, at: u8, rows: Version, protocol: &Protocol) -> bool {
        let mut first = true;
        loop {
            match self.store_invalidate(at, first, protocol, rows) {
                None => return false,
                Some(true) => break,
                Some(false) => first = false,
            }
        }
        self.is_applied(at, rows);
        true
    }
}

/// The newest version of which a row is among these; 0: none is.
pub(crate) fn newest_of(rows: Set) -> Version {
    (Set::BITS - rows.leading_zeros()) as Version
}
