//! Away and back: `engine/{gate,health,recovery}.rs`.

use crate::Mutant;
use crate::action::Action;
use crate::machine::{Protocol, State};
use crate::store::{Connected, How, Set, Version};
use crate::write::{Relay, Row, newest_of};

/// Whether a process uses the store.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Health {
    /// Reads go to the source, tags wait.
    Away,
    /// Reads go to the source, tags are delivered.
    CatchingUp,
    /// The store answers.
    InUse,
}

/// How far a process has come on its way back.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Recovery {
    /// It has not connected.
    Idle,
    /// It has, and makes up for what the store missed, which may be behind;
    MakesUp { pass: Pass, behind: bool },
    /// and now has been told.
    Adopts,
    /// It has all that it missed.
    ToldAll,
    /// Commits deliver by themselves from here on.
    CatchesUp(Pass),
    /// All that waited is delivered.
    CaughtUp,
}

/// How far it has come with a pass over the outbox: `come_back`, `make_up_for`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Pass {
    /// It has yet to look for what waits,
    LooksForWaiting,
    /// has found the rows up to this one,
    Waiting(Version),
    /// has delivered them, and has yet to look for what was delivered elsewhere,
    LooksElsewhere,
    /// and has found that.
    Elsewhere(Set),
}

impl Pass {
    /// What waits comes first: what another store's relay marks in between is in the second look.
    fn first(protocol: &Protocol) -> Pass {
        match protocol.is(Mutant::ElsewhereFirst) {
            true => Pass::LooksElsewhere,
            false => Pass::LooksForWaiting,
        }
    }

    fn after_waiting(protocol: &Protocol) -> Option<Pass> {
        (!protocol.is(Mutant::ElsewhereFirst)).then_some(Pass::LooksElsewhere)
    }

    fn after_elsewhere(protocol: &Protocol) -> Option<Pass> {
        (protocol.is(Mutant::ElsewhereFirst)).then_some(Pass::LooksForWaiting)
    }
}

impl Recovery {
    fn pass(self) -> Option<Pass> {
        match self {
            Recovery::MakesUp { pass, .. } | Recovery::CatchesUp(pass) => Some(pass),
            _ => None,
        }
    }

    /// Whether it is telling the store what was delivered elsewhere: one at a time.
    pub(crate) fn tells_from_elsewhere(self) -> bool {
        matches!(self.pass(), Some(Pass::Elsewhere(_)))
    }
}

impl State {
    pub(crate) fn recovering(&self, _: &Protocol, actions: &mut Vec<Action>) {
        for (at, process) in (0..).zip(&self.processes) {
            // One at a time.
            let waits = process.recovery.pass() == Some(Pass::LooksElsewhere)
                && matches!(process.relay, Relay::Elsewhere { .. });
            if process.health != Health::InUse && process.linked && !waits {
                actions.push(Action::Recover(at));
            }
        }
    }

    /// The store does not answer this process, or not as its own.
    pub(crate) fn fail(&mut self, at: u8, protocol: &Protocol) {
        self.take_out_of_use(at, protocol);
        self.hang_up(at, protocol);
    }

    /// Nobody here reads the store any more until it has come back; what it has sent still arrives.
    pub(crate) fn take_out_of_use(&mut self, at: u8, protocol: &Protocol) {
        let process = self.process(at);
        (process.health, process.recovery) = (Health::Away, Recovery::Idle);
        self.distrust(at, protocol);
    }

    /// Nothing near is served any more.
    pub(crate) fn distrust(&mut self, at: u8, protocol: &Protocol) {
        if let Some(near) = &mut self.process(at).near
            && !protocol.is(Mutant::WithoutDistrust)
        {
            near.forget_all(protocol.without);
        }
    }

    pub(crate) fn recover(&mut self, at: u8, protocol: &Protocol) {
        let recovery = self.process(at).recovery;
        if recovery != Recovery::Idle && !self.reaches(at) {
            return self.fail(at, protocol);
        }
        let next = match recovery {
            Recovery::Idle => {
                self.process(at).server = self.store(at).server;
                let behind = self.connect(at, protocol);
                let pass = match behind {
                    true => Pass::first(protocol),
                    // Others may still have told the server before it.
                    false => Pass::LooksElsewhere,
                };
                Recovery::MakesUp { pass, behind }
            }
            Recovery::MakesUp { behind, .. }
                if behind && protocol.world.strict && !protocol.is(Mutant::AdoptsStrict) =>
            {
                self.begin(at, How::Void, protocol);
                // There is nothing that it is to be told of.
                let rows = self.news_from_elsewhere(at, protocol);
                self.was_told(at, rows, self.place(at, protocol), protocol);
                Recovery::ToldAll
            }
            Recovery::MakesUp { pass, behind } => match self.pass(at, pass, protocol) {
                Some(pass) => Recovery::MakesUp { pass, behind },
                None if behind => Recovery::Adopts,
                None => Recovery::ToldAll,
            },
            Recovery::Adopts => {
                self.begin(at, How::Adopt, protocol);
                Recovery::ToldAll
            }
            Recovery::ToldAll => {
                self.process(at).health = Health::CatchingUp;
                match protocol.is(Mutant::WithoutCatchUp) {
                    true => Recovery::CaughtUp,
                    false => Recovery::CatchesUp(Pass::first(protocol)),
                }
            }
            Recovery::CatchesUp(pass) => match self.pass(at, pass, protocol) {
                Some(pass) => Recovery::CatchesUp(pass),
                None => Recovery::CaughtUp,
            },
            Recovery::CaughtUp => {
                let until = self.now.saturating_add(protocol.world.max_staleness);
                let process = self.process(at);
                process.health = Health::InUse;
                if let Some(near) = &mut process.near {
                    near.trust(until);
                }
                Recovery::Idle
            }
        };
        self.process(at).recovery = next;
    }

    /// The next step of a pass; the store can be reached. `None`: it is over.
    fn pass(&mut self, at: u8, pass: Pass, protocol: &Protocol) -> Option<Pass> {
        let here = self.place(at, protocol);
        match pass {
            Pass::LooksForWaiting => match self.newest(|row| row == Row::Waiting) {
                0 => Pass::after_waiting(protocol),
                rows => Some(Pass::Waiting(rows)),
            },
            Pass::Waiting(rows) => {
                self.invalidate_all(at, rows, protocol);
                self.deliver_rows(rows, here);
                Pass::after_waiting(protocol)
            }
            Pass::LooksElsewhere => match self.news_from_elsewhere(at, protocol) {
                0 => Pass::after_elsewhere(protocol),
                rows => Some(Pass::Elsewhere(rows)),
            },
            Pass::Elsewhere(rows) => {
                if !protocol.is(Mutant::WithoutRedelivery) {
                    self.invalidate_all(at, newest_of(rows), protocol);
                }
                self.was_told(at, rows, here, protocol);
                Pass::after_elsewhere(protocol)
            }
        }
    }

    /// Whether the store is behind.
    fn connect(&mut self, at: u8, protocol: &Protocol) -> bool {
        if let Some(near) = &mut self.process(at).near {
            near.reconnect(protocol.without);
        }
        self.begin(at, How::Find, protocol) == Connected::Behind
    }

    fn begin(&mut self, at: u8, how: How, protocol: &Protocol) -> Connected {
        let (connected, message) = self.store_mut(at).connect(how, protocol.without);
        self.publish(self.processes[usize::from(at)].store, message, 0);
        if let Some(near) = &mut self.process(at).near {
            near.forget_all(protocol.without);
        }
        connected
    }
}
