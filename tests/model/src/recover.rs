//! Away and back: `engine.rs` and `health.rs`.

use crate::Mutant;
use crate::machine::{Action, Protocol, State};
use crate::store::{Connected, How, Version};
use crate::write::Row;

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
    /// It has yet to look for what others have delivered elsewhere; and the store may be behind.
    Connected { behind: bool },
    /// It has read these rows,
    Elsewhere { rows: Version, behind: bool },
    /// which the store, now, has been told.
    Adopts,
    /// It has all that it missed.
    ToldAll,
    /// Commits deliver by themselves from here on.
    CatchesUp,
    /// The rows that waited when it looked.
    Last(Version),
    /// And they are delivered.
    CaughtUp,
}

impl State {
    pub(crate) fn recovering(&self, _: &Protocol, actions: &mut Vec<Action>) {
        for (at, process) in (0..).zip(&self.processes) {
            if process.health != Health::InUse && process.linked {
                actions.push(Action::Recover(at));
            }
        }
    }

    /// The store does not answer this process, or not as its own.
    pub(crate) fn fail(&mut self, at: u8, protocol: &Protocol) {
        self.take_out_of_use(at, protocol);
        self.hang_up(at);
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
            && !protocol.is(Mutant::NearOutlastsStore)
        {
            near.forget_all(protocol.without);
        }
    }

    pub(crate) fn recover(&mut self, at: u8, protocol: &Protocol) {
        let recovery = self.process(at).recovery;
        if recovery != Recovery::Idle && !self.reaches(at) {
            return self.fail(at, protocol);
        }
        let server = self.store.server;
        let next = match recovery {
            Recovery::Idle => {
                self.process(at).server = server;
                let behind = self.connect(at, protocol);
                Recovery::Connected { behind }
            }
            Recovery::Connected { behind }
                if behind && protocol.world.strict && !protocol.is(Mutant::AdoptsStrict) =>
            {
                self.begin(at, How::Void, protocol);
                Recovery::ToldAll
            }
            Recovery::Connected { behind } => {
                let elsewhere = |row| match row {
                    Row::Waiting => behind,
                    Row::Delivered(place) => place != server,
                    Row::None => false,
                };
                let rows = match protocol.is(Mutant::NoRedelivery) {
                    true => 0,
                    false => self.newest(elsewhere),
                };
                Recovery::Elsewhere { rows, behind }
            }
            Recovery::Elsewhere { rows, behind } => {
                if rows > 0 && !self.invalidate_all(at, rows, protocol) {
                    return;
                }
                match behind {
                    true => Recovery::Adopts,
                    false => Recovery::ToldAll,
                }
            }
            Recovery::Adopts => {
                self.begin(at, How::Adopt, protocol);
                Recovery::ToldAll
            }
            Recovery::ToldAll => {
                self.process(at).health = Health::CatchingUp;
                match protocol.is(Mutant::SkipsCatchUp) {
                    true => Recovery::CaughtUp,
                    false => Recovery::CatchesUp,
                }
            }
            Recovery::CatchesUp => Recovery::Last(self.newest(|row| row == Row::Waiting)),
            Recovery::Last(rows) => {
                if rows > 0 && !self.invalidate_all(at, rows, protocol) {
                    return;
                }
                self.deliver_rows(rows, server);
                Recovery::CaughtUp
            }
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

    /// Whether the store is behind.
    fn connect(&mut self, at: u8, protocol: &Protocol) -> bool {
        if let Some(near) = &mut self.process(at).near {
            near.reconnect(protocol.without);
        }
        self.begin(at, How::Find, protocol) == Connected::Behind
    }

    fn begin(&mut self, at: u8, how: How, protocol: &Protocol) -> Connected {
        let (connected, message) = self.store.connect(how, protocol.without);
        self.publish(message, 0);
        if let Some(near) = &mut self.process(at).near {
            near.forget_all(protocol.without);
        }
        connected
    }
}
