//! Reading: `read/{probe,round,job,fill}.rs` and `local/flight.rs`.
//!
//! Left out is what only saves loads: leases, the counters of landings, and expired values.

use crate::Mutant;
use crate::action::Action;
use crate::machine::{NESTED, Process, Protocol, Sent, State, VALUE, Wrong};
use crate::promise::Promise;
use crate::recover::Health;
use crate::store::{Set, Token, Version};

mod flight;

/// Somebody who reads one key in one process, again and again.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Reader {
    process: u8,
    key: u8,
    /// Whether it shows what the last commit has returned,
    shows: bool,
    /// and what that promises.
    promise: Option<Promise>,
    phase: Phase,
    /// What it must be answered with, at least.
    least: Version,
    /// From before its look.
    generation: u8,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
enum Phase {
    Idle,
    /// The store has not read for it yet,
    Asked,
    /// has, and its answer is under way,
    Sent,
    /// which is here; `None`: the store is away.
    Answered(Option<(Option<Version>, Token)>),
    /// For a flight.
    Waits,
    /// It is to start over, as the flight was not for it.
    Woken,
}

/// A load for all who miss a key in one process.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Flight {
    token: Option<Token>,
    stage: Stage,
    /// Of the readers, who came before it started,
    came: Set,
    /// whose look began before,
    began: Set,
    /// and who missed before the store was asked to store.
    missed: Set,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
enum Stage {
    Load,
    /// It reads the value that it embeds, through the cache.
    Nested,
    Loaded(Version),
    /// Stored or not.
    Filled(Version, bool),
}

impl Reader {
    /// One that has nothing to do.
    pub fn new(process: u8, key: u8, shows: bool) -> Reader {
        Reader { process, key, shows, promise: None, phase: Phase::Idle, least: 0, generation: 0 }
    }
}

impl State {
    pub(crate) fn reading(&self, protocol: &Protocol, actions: &mut Vec<Action>) {
        for (at, reader) in (0..).zip(&self.readers) {
            match reader.phase {
                Phase::Idle if reader.key == VALUE => actions.push(Action::Read(at)),
                Phase::Asked => actions.push(Action::StoreReads(at)),
                Phase::Answered(_) => actions.push(Action::Look(at)),
                Phase::Woken => actions.push(Action::StartOver(at)),
                Phase::Idle | Phase::Sent | Phase::Waits => {}
            }
        }
        for (at, process) in (0..).zip(&self.processes) {
            // What is sent to a process that is cut off arrives later, or never.
            if process.linked && next(process, false, protocol).is_some() {
                actions.push(Action::Hear(at));
            }
            if process.linked && next(process, true, protocol).is_some() {
                actions.push(Action::HearMessage(at));
            }
            for (key, flight) in (0..).zip(&process.flights) {
                match flight.as_ref().map(|flight| flight.stage) {
                    Some(Stage::Load) => actions.push(Action::Load(at, key)),
                    Some(Stage::Loaded(_)) => actions.push(Action::Fill(at, key)),
                    Some(Stage::Filled(..)) => actions.push(Action::Land(at, key)),
                    Some(Stage::Nested) | None => {}
                }
            }
            let in_use = process.health == Health::InUse;
            // One question at a time.
            let hears = (process.queue.iter()).any(|sent| matches!(sent, Sent::Nothing(..)));
            let asks = process.near.is_some() && in_use && protocol.world.listens();
            if process.asked.is_some() {
                actions.push(Action::StoreAnswers(at));
            } else if asks && !hears {
                actions.push(Action::Ask(at));
            }
        }
    }

    pub(crate) fn read(&mut self, at: u8, protocol: &Protocol) {
        let reader = &self.readers[usize::from(at)];
        let (process, key) = (reader.process, reader.key);
        let promise = self.promise.filter(|_| reader.shows);
        let promised = promise.map_or(0, |it| it.version);
        let near = self.processes[usize::from(process)].near.as_ref();
        // What a value embeds is not taken from near.
        let near = near.filter(|_| key == VALUE);
        let near = near.filter(|_| promise.is_none_or(|it| self.has_heard(process, it, protocol)));
        if let Some(version) = near.and_then(|it| it.get(key, self.now, protocol.without)) {
            let least = self.least_near(process, protocol).max(promised);
            self.judge(version, least, true);
            return;
        }
        let least = self.least(process, protocol).max(promised);
        let reader = &mut self.readers[usize::from(at)];
        (reader.least, reader.promise) = (least, promise);
        self.begin_look(at);
    }

    pub(crate) fn begin_look(&mut self, at: u8) {
        let process = self.readers[usize::from(at)].process;
        let process = self.process(process);
        for flight in process.flights.iter_mut().flatten() {
            flight.began &= !(1 << at);
        }
        let generation = process.near.as_ref().map_or(0, |near| near.generation());
        let phase = match process.health {
            Health::InUse => Phase::Asked,
            _ => Phase::Answered(None),
        };
        let reader = &mut self.readers[usize::from(at)];
        (reader.generation, reader.phase) = (generation, phase);
    }

    pub(crate) fn store_reads(&mut self, at: u8, protocol: &Protocol) {
        let (process, key) = {
            let reader = &self.readers[usize::from(at)];
            (reader.process, reader.key)
        };
        let Some((value, token)) = self.store_read(process, key, protocol) else {
            return;
        };
        self.readers[usize::from(at)].phase = Phase::Sent;
        let sent = Sent::Answer(at, value, token);
        self.process(process).queue.push(sent);
    }

    /// `Probe::of`; `None`: the store is away.
    fn store_read(
        &mut self,
        process: u8,
        key: u8,
        protocol: &Protocol,
    ) -> Option<(Option<Version>, Token)> {
        let mut read = None;
        if self.reaches(process) {
            if self.store(process).clock().is_none() {
                self.renew_epoch(process, protocol);
            }
            let store = self.store(process);
            let own = |(_, token): &(_, Token)| token.epoch.server == store.server;
            read = store.read(key, protocol.without).filter(own);
        }
        if read.is_none() {
            self.fail(process, protocol);
        }
        read
    }

    pub(crate) fn ask(&mut self, process: u8) {
        self.process(process).asked = Some(self.now);
    }

    pub(crate) fn store_answers(&mut self, process: u8, protocol: &Protocol) {
        let asked = self.process(process).asked.take();
        if let (Some(asked), Some((_, token))) = (asked, self.store_read(process, VALUE, protocol))
        {
            let sent = Sent::Nothing(asked, token);
            self.process(process).queue.push(sent);
        }
    }

    pub(crate) fn hear(&mut self, at: u8, message: bool, protocol: &Protocol) {
        let now = self.now;
        let process = self.process(at);
        let Some(next) = next(process, message, protocol) else {
            return;
        };
        let sent = process.queue.remove(next);
        if let (Some(near), Sent::Answer(_, _, token) | Sent::Nothing(_, token), true) =
            (&mut process.near, sent, protocol.world.ordered)
        {
            near.check(token, protocol.without);
        }
        if let Sent::Answer(_, _, token) | Sent::Nothing(_, token) = sent {
            self.answered(at, token, protocol);
        }
        let process = self.process(at);
        match (sent, &mut process.near) {
            (Sent::Message(message, applied), Some(near)) => {
                near.message(message, protocol.without);
                process.heard = process.heard.max(applied);
            }
            (Sent::Nothing(asked, _), Some(near)) => {
                let from = match protocol.is(Mutant::TrustFromAnswer) {
                    true => now,
                    false => asked,
                };
                near.trust(from.saturating_add(protocol.world.max_staleness));
            }
            (Sent::Answer(reader, value, token), _) => {
                self.readers[usize::from(reader)].phase = Phase::Answered(Some((value, token)));
            }
            (Sent::Heard(writer), _) => self.returns(writer, protocol),
            (Sent::Message(..) | Sent::Nothing(..), None) => {}
        }
    }

    pub(crate) fn look(&mut self, at: u8, protocol: &Protocol) {
        let Reader { process, key, phase, generation, .. } = self.readers[usize::from(at)];
        let Phase::Answered(mut read) = phase else {
            return;
        };
        if self.bypasses(at, read.map(|(_, token)| token), protocol) {
            if !protocol.is(Mutant::BypassNestsCached) {
                // With all that is in it.
                return self.answer(at, self.source);
            }
            read = None;
        }
        if let Some((Some(version), _)) = read {
            let generation =
                match (&self.process(process).near, protocol.is(Mutant::WithoutNearGeneration)) {
                    (Some(near), true) => near.generation(),
                    _ => generation,
                };
            self.keep(process, key, version, generation, protocol);
            return self.answer(at, version);
        }
        self.readers[usize::from(at)].phase = Phase::Waits;
        if self.processes[usize::from(process)].flights[usize::from(key)].is_none() {
            let all =
                self.readers_who(|reader| reader.process == process && reader.phase != Phase::Idle);
            self.process(process).flights[usize::from(key)] = Some(Flight {
                token: read.map(|(_, token)| token),
                stage: Stage::Load,
                came: all,
                began: all,
                missed: 0,
            });
        }
    }

    /// Whether a reader is answered by the source alone: what the store said, if it did, may be
    /// from before what the reader was promised.
    fn bypasses(&self, at: u8, said: Option<Token>, protocol: &Protocol) -> bool {
        let reader = &self.readers[usize::from(at)];
        let Some(promise) = reader.promise else {
            return false;
        };
        let store = self.processes[usize::from(reader.process)].store;
        match said {
            Some(said) => !promise.is_before(store, said, protocol),
            None => !protocol.is(Mutant::AwayAsEver),
        }
    }

    fn readers_who(&self, is: impl Fn(&Reader) -> bool) -> Set {
        let those = (0..).zip(&self.readers).filter(|(_, reader)| is(reader));
        those.fold(0, |all, (n, _)| all | 1 << n)
    }

    fn keep(&mut self, at: u8, key: u8, version: Version, generation: u8, protocol: &Protocol) {
        if let Some(near) = &mut self.process(at).near {
            near.keep(key, version, generation, protocol.without);
        }
    }

    fn flight(&mut self, at: u8, key: u8) -> &mut Flight {
        self.process(at).flights[usize::from(key)]
            .as_mut()
            .expect("a step of a flight is possible only while it flies")
    }

    fn answer(&mut self, at: u8, version: Version) {
        let reader = self.readers[usize::from(at)].clone();
        self.judge(version, reader.least, false);
        self.readers[usize::from(at)] = Reader::new(reader.process, reader.key, reader.shows);
        // Who comes next is another reader.
        for flight in self.process(reader.process).flights.iter_mut().flatten() {
            let others = !(1 << at);
            flight.came &= others;
            flight.began &= others;
            flight.missed &= others;
        }
        if reader.key == NESTED {
            self.flight(reader.process, VALUE).stage = Stage::Loaded(version);
        }
    }

    fn judge(&mut self, version: Version, least: Version, near: bool) {
        if version < least {
            self.wrong = Some(Wrong { version, least, near });
        }
    }

    /// The connection is lost: nobody of this process hears what was sent.
    pub(crate) fn hang_up(&mut self, at: u8, protocol: &Protocol) {
        let process = self.process(at);
        process.asked = None;
        let sent = std::mem::take(&mut process.queue);
        for reader in &mut self.readers {
            if reader.process == at && matches!(reader.phase, Phase::Asked | Phase::Sent) {
                reader.phase = Phase::Answered(None);
            }
        }
        for sent in sent {
            if let Sent::Heard(writer) = sent {
                self.returns_unheard(writer, protocol);
            }
        }
    }
}

/// What a process hears next. All in the order in which it was sent; or messages by themselves.
fn next(process: &Process, message: bool, protocol: &Protocol) -> Option<usize> {
    let is_message = |sent: &Sent| matches!(sent, Sent::Message(..));
    match protocol.world.ordered {
        true => (!message && !process.queue.is_empty()).then_some(0),
        false => (process.queue.iter()).position(|sent| is_message(sent) == message),
    }
}
