//! Writing: `write/commit.rs` and `engine/delivery.rs`.

use crate::Mutant;
use crate::action::Action;
use crate::machine::{Protocol, Sent, State, TAGS};
use crate::recover::Health;
use crate::store::{Slice, Token, Version};

mod relay;

pub(crate) use relay::{Relay, newest_of};

/// A row of the outbox.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Row {
    /// There is none yet.
    None,
    /// Nobody has delivered it.
    Waiting,
    /// It was delivered there.
    Delivered(Place),
}

/// Where a row was delivered to.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct Place {
    server: u8,
    /// Which of those that it holds.
    store: u8,
}

/// Somebody who writes the row, again and again.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Writer {
    /// `None`: it knows nothing of the cache.
    process: Option<u8>,
    phase: Phase,
    /// Its transaction has taken longer than its block lasts.
    late: bool,
    /// When its commit had been invalidated.
    told: Option<Token>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
enum Phase {
    Idle,
    /// Strict: between two steps before the commit.
    Blocking(Before),
    /// It may commit.
    Ready,
    /// Some slices of its invalidation may be done: of a pass that
    /// began when the store was this place.
    Committed {
        version: Version,
        here: Option<Place>,
    },
    /// Somebody else has delivered its row: it waits until this process has heard of it.
    Hears(Version),
    Invalidated {
        version: Version,
        here: Place,
    },
    Marked(Version),
    /// It died, or could not end its block.
    Gone,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
enum Before {
    Block,
    Delete { first: bool },
}

impl Writer {
    /// One that has nothing to do.
    pub fn new(process: Option<u8>) -> Writer {
        Writer { process, phase: Phase::Idle, late: false, told: None }
    }
}

impl State {
    pub(crate) fn writing(&self, protocol: &Protocol, actions: &mut Vec<Action>) {
        let strict = protocol.world.strict;
        let may_write = self.left.writes > 0;
        for (at, writer) in (0..).zip(&self.writers) {
            match writer.phase {
                Phase::Idle if !may_write => {}
                Phase::Idle if strict => actions.push(Action::Block(at)),
                Phase::Idle | Phase::Ready => actions.push(Action::Commit(at)),
                Phase::Blocking(Before::Block) => actions.push(Action::Block(at)),
                Phase::Blocking(Before::Delete { .. }) => actions.push(Action::DeleteBefore(at)),
                Phase::Committed { .. } => actions.push(Action::Invalidate(at)),
                Phase::Invalidated { .. } => actions.push(Action::Mark(at)),
                Phase::Marked(_) => actions.push(Action::Unblock(at)),
                Phase::Hears(_) | Phase::Gone => {}
            }
            if self.left.outages > 0 && matches!(writer.phase, Phase::Committed { here: None, .. })
            {
                actions.push(Action::LoseOutbox(at));
            }
            let is_blocking = matches!(writer.phase, Phase::Blocking(_) | Phase::Ready);
            // A relay is quicker than `max-commit`.
            let is_over = writer.phase == Phase::Gone && !self.rows.contains(&Row::Waiting);
            if strict && !writer.late && (is_blocking && self.left.lates > 0 || is_over) {
                actions.push(Action::BlockEnds(at));
            }
            if self.left.crashes > 0 && self.is_writing(at) {
                actions.push(Action::Crash(at));
            }
        }
    }

    /// Whether it is in the middle of a write.
    pub(crate) fn is_writing(&self, at: u8) -> bool {
        let phase = self.writers[usize::from(at)].phase;
        !matches!(phase, Phase::Idle | Phase::Gone)
    }

    fn writer(&mut self, at: u8) -> &mut Writer {
        &mut self.writers[usize::from(at)]
    }

    /// One slice of an invalidation; `None`: the store is away; else whether all is done.
    fn store_invalidate(
        &mut self,
        process: u8,
        first: bool,
        protocol: &Protocol,
        applied: Version,
    ) -> Option<bool> {
        if !self.reaches(process) {
            self.fail(process, protocol);
            return None;
        }
        // The answer comes over the connection of the messages: those from before it have arrived.
        while protocol.world.ordered && !self.process(process).queue.is_empty() {
            self.hear(process, false, protocol);
        }
        let (slice, without) = (protocol.world.slice, protocol.without);
        let store = self.processes[usize::from(process)].store;
        match (self.store_mut(process)).invalidate(TAGS, slice, first, without) {
            Slice::Again(message) => {
                self.publish(store, Some(message), 0);
                self.is_gone(process, message.keys, protocol);
                Some(false)
            }
            Slice::Done(message) => {
                self.publish(store, Some(message), applied);
                // Its own message may come later.
                self.is_gone(process, message.keys, protocol);
                Some(true)
            }
            Slice::Lost => {
                // In a new epoch nothing from before is valid.
                self.renew_epoch(process, protocol);
                Some(true)
            }
        }
    }

    /// What this process has invalidated itself.
    fn is_gone(&mut self, process: u8, keys: u8, protocol: &Protocol) {
        if let Some(near) = &mut self.process(process).near {
            near.gone(keys, protocol.without);
        }
    }

    /// Strict: the first step of a commit, or a later one.
    pub(crate) fn block(&mut self, at: u8, protocol: &Protocol) {
        let Some(process) = self.writers[usize::from(at)].process else {
            return;
        };
        if self.writers[usize::from(at)].phase == Phase::Idle {
            self.left.writes -= 1;
            self.writer(at).late = false;
        }
        if self.process(process).health == Health::Away {
            // A writer that cannot block does not commit.
            self.writer(at).phase = Phase::Idle;
            return;
        }
        if !self.reaches(process) {
            self.fail(process, protocol);
            self.writer(at).phase = Phase::Idle;
            return;
        }
        let deletes_first = protocol.is(Mutant::DeletesThenBlocks);
        let phase = self.writers[usize::from(at)].phase;
        if deletes_first && phase == Phase::Idle {
            self.writer(at).phase = Phase::Blocking(Before::Delete { first: true });
            return;
        }
        if !protocol.is(Mutant::WithoutBlock) && !self.store_mut(process).block(at, TAGS) {
            // A new epoch blocks everything for as long.
            self.renew_epoch(process, protocol);
        }
        self.writer(at).phase = match deletes_first {
            true => Phase::Ready,
            false => Phase::Blocking(Before::Delete { first: true }),
        };
    }

    pub(crate) fn delete_before(&mut self, at: u8, protocol: &Protocol) {
        let writer = &self.writers[usize::from(at)];
        let (Some(process), Phase::Blocking(Before::Delete { first })) =
            (writer.process, writer.phase)
        else {
            return;
        };
        let done = self.store_invalidate(process, first, protocol, 0);
        self.writer(at).phase = match done {
            None => Phase::Idle,
            Some(false) => Phase::Blocking(Before::Delete { first: false }),
            Some(true) if protocol.is(Mutant::DeletesThenBlocks) => Phase::Blocking(Before::Block),
            Some(true) => Phase::Ready,
        };
        if done.is_none() {
            self.store_mut(process).block_ends(at);
        }
    }

    pub(crate) fn commit(&mut self, at: u8) {
        if self.writers[usize::from(at)].phase == Phase::Idle {
            self.left.writes -= 1;
        }
        self.source += 1;
        self.rows[usize::from(self.source - 1)] = Row::Waiting;
        let version = self.source;
        let writer = self.writer(at);
        writer.phase = match writer.process {
            Some(_) => Phase::Committed { version, here: None },
            None => Phase::Idle,
        };
    }

    /// `deliver_commit`
    pub(crate) fn invalidate(&mut self, at: u8, protocol: &Protocol) {
        let writer = &self.writers[usize::from(at)];
        let (Some(process), Phase::Committed { version, here }) = (writer.process, writer.phase)
        else {
            return;
        };
        let first = here.is_none();
        let here = here.unwrap_or(self.place(process, protocol));
        if self.process(process).health == Health::Away {
            // The row waits, and the store does not come back before it is delivered.
            self.distrust(process, protocol);
            return self.returns(at, protocol);
        }
        if protocol.is(Mutant::NoStampOnUnblock) {
            self.writer(at).phase = Phase::Invalidated { version, here };
            return;
        }
        if first && protocol.is(Mutant::MarksFirst) {
            self.deliver_row(version, here);
        }
        let row = self.rows[usize::from(version - 1)];
        let is_delivered = match row {
            Row::Delivered(_) if protocol.is(Mutant::OwnWaitingOnly) => true,
            row => row == Row::Delivered(here),
        };
        if first && is_delivered && !protocol.is(Mutant::MarksFirst) {
            return self.hear_of_others(at, process, version, protocol);
        }
        let before = self.told_now(process, protocol);
        match self.store_invalidate(process, first, protocol, version) {
            // The row waits.
            None => self.returns(at, protocol),
            Some(false) => self.writer(at).phase = Phase::Committed { version, here: Some(here) },
            Some(true) => {
                self.is_applied(process, version);
                let done = self.told_now(process, protocol);
                let writer = self.writer(at);
                writer.phase = Phase::Invalidated { version, here };
                writer.told = match protocol.is(Mutant::TokenTooEarly) {
                    true => before,
                    false => done,
                };
            }
        }
    }

    /// Its row was delivered, and here.
    fn hear_of_others(&mut self, at: u8, process: u8, version: Version, protocol: &Protocol) {
        self.writer(at).told = self.told_now(process, protocol);
        let must_hear = self.process(process).near.is_some() && self.reaches(process);
        if must_hear && !protocol.is(Mutant::ReturnsUnheard) {
            self.writer(at).phase = Phase::Hears(version);
            self.process(process).queue.push(Sent::Heard(at));
        } else {
            self.writer(at).phase = Phase::Marked(version);
        }
    }

    pub(crate) fn mark(&mut self, at: u8, protocol: &Protocol) {
        let writer = &self.writers[usize::from(at)];
        if let (Some(process), Phase::Invalidated { version, here }) =
            (writer.process, writer.phase)
        {
            let here = self.place_to_mark(process, here, protocol);
            self.deliver_row(version, here);
            self.writer(at).phase = Phase::Marked(version);
            if !protocol.world.strict {
                self.returns(at, protocol);
            }
        }
    }

    /// The place of a process' store.
    pub(crate) fn place(&self, at: u8, protocol: &Protocol) -> Place {
        let process = &self.processes[usize::from(at)];
        Place {
            server: process.server,
            store: match protocol.is(Mutant::PlaceIsServer) {
                true => 0,
                false => process.store,
            },
        }
    }

    /// Which place a row is marked with.
    fn place_to_mark(&self, process: u8, here: Place, protocol: &Protocol) -> Place {
        match protocol.is(Mutant::PlaceAtMark) {
            true => self.place(process, protocol),
            false => here,
        }
    }

    fn deliver_row(&mut self, version: Version, here: Place) {
        let row = &mut self.rows[usize::from(version - 1)];
        if *row == Row::Waiting {
            *row = Row::Delivered(here);
        }
    }

    pub(crate) fn unblock(&mut self, at: u8, protocol: &Protocol) {
        if let Some(process) = self.writers[usize::from(at)].process {
            if self.reaches(process) {
                self.store_mut(process).unblock(at, TAGS);
            } else if protocol.world.strict {
                self.store_mut(process).block_ends(at);
            }
        }
        self.returns(at, protocol);
    }

    /// Nobody has answered when the store was told of its row.
    pub(crate) fn returns_unheard(&mut self, at: u8, protocol: &Protocol) {
        self.writer(at).told = None;
        self.returns(at, protocol);
    }

    /// `commit()` returns.
    pub(crate) fn returns(&mut self, at: u8, protocol: &Protocol) {
        let writer = self.writer(at);
        let version = match writer.phase {
            Phase::Committed { version, .. }
            | Phase::Hears(version)
            | Phase::Invalidated { version, .. }
            | Phase::Marked(version) => version,
            Phase::Idle | Phase::Blocking(_) | Phase::Ready | Phase::Gone => return,
        };
        writer.phase = Phase::Idle;
        let told = writer.told.take();
        if let Some(process) = writer.process {
            if protocol.world.shows.is_some() {
                self.promises(process, version, told);
            }
            let process = self.process(process);
            process.returned = process.returned.max(version);
        }
    }

    /// It has committed, and cannot read the outbox: its row waits.
    pub(crate) fn lose_outbox(&mut self, at: u8, protocol: &Protocol) {
        if let Some(process) = self.writers[usize::from(at)].process {
            self.take_out_of_use(process, protocol);
        }
        self.returns(at, protocol);
    }

    pub(crate) fn crash(&mut self, at: u8) {
        self.writer(at).phase = Phase::Gone;
    }

    /// The block has lasted for `max-commit`: the transaction, if
    /// it has not committed, cannot any more.
    pub(crate) fn block_expires(&mut self, at: u8, protocol: &Protocol) {
        if let Some(process) = self.writers[usize::from(at)].process {
            self.store_mut(process).block_ends(at);
        }
        let writer = self.writer(at);
        match writer.phase {
            Phase::Gone => writer.late = true,
            _ if protocol.is(Mutant::CommitsLate) => writer.late = true,
            _ => writer.phase = Phase::Idle,
        }
    }
}
