//! A load for all who miss: what it reads, offers the store, and whom it may answer.

use super::{Phase, Reader, Stage};
use crate::Mutant;
use crate::machine::{NESTED, Protocol, State, TAGS};
use crate::recover::Health;
use crate::store::{Filled, Token, Version};

impl State {
    pub(crate) fn load(&mut self, at: u8, key: u8, protocol: &Protocol) {
        let source = self.source;
        if key == NESTED || !protocol.world.nested {
            self.flight(at, key).stage = Stage::Loaded(source);
            return;
        }
        let now = self.now;
        let near = self.process(at).near.as_ref();
        let near = near.filter(|_| protocol.is(Mutant::WithoutNestedFar));
        if let Some(version) = near.and_then(|near| near.get(NESTED, now, protocol.without)) {
            self.flight(at, key).stage = Stage::Loaded(version);
            return;
        }
        self.flight(at, key).stage = Stage::Nested;
        let nested = |it: &Reader| it.key == NESTED && it.process == at;
        if let Some(reader) = self.readers.iter().position(nested) {
            self.read(reader as u8, protocol);
        }
    }

    pub(crate) fn fill(&mut self, at: u8, key: u8, protocol: &Protocol) {
        let missed = self.readers_who(|reader| {
            reader.phase == Phase::Waits && reader.process == at && reader.key == key
        });
        let (reaches, in_use) = (self.reaches(at), self.process(at).health == Health::InUse);
        let flight = self.flight(at, key);
        flight.missed = missed;
        let (Stage::Loaded(version), token) = (flight.stage, flight.token) else {
            return;
        };
        let stored = match token {
            Some(token) if in_use && reaches => self.store_fill(at, key, version, token, protocol),
            Some(token) if in_use => {
                self.stray = Some((at, token, key, version));
                self.fail(at, protocol);
                false
            }
            _ => false,
        };
        self.flight(at, key).stage = Stage::Filled(version, stored);
    }

    fn store_fill(
        &mut self,
        at: u8,
        key: u8,
        version: Version,
        mut token: Token,
        protocol: &Protocol,
    ) -> bool {
        if protocol.is(Mutant::TokenAfterLoad) {
            token = self.store(at).clock().unwrap_or(token);
        }
        let (strict, without) = (protocol.world.strict, protocol.without);
        let store = self.store_mut(at);
        let filled = store.fill(token, key, TAGS, version, strict, without);
        if filled == Filled::Lost {
            self.renew_epoch(at, protocol);
        }
        filled == Filled::Stored
    }

    /// The unanswered fill is executed.
    pub(crate) fn thaw(&mut self, protocol: &Protocol) {
        if let Some((at, token, key, version)) = self.stray.take() {
            // Whatever comes of it, nobody hears of it.
            let (strict, without) = (protocol.world.strict, protocol.without);
            let store = self.store_mut(at);
            store.fill(token, key, TAGS, version, strict, without);
        }
    }

    pub(crate) fn land(&mut self, at: u8, key: u8, protocol: &Protocol) {
        let Some(flight) = self.process(at).flights[usize::from(key)].take() else {
            return;
        };
        let Stage::Filled(version, stored) = flight.stage else {
            return;
        };
        for n in 0..self.readers.len() {
            let reader = &self.readers[n];
            let waits = reader.phase == Phase::Waits;
            if !waits || reader.process != at || reader.key != key {
                continue;
            }
            let (generation, bit) = (reader.generation, 1 << n);
            let missed = flight.missed & bit != 0;
            let is_fresh = flight.came & bit != 0;
            let is_before = match protocol.without {
                Some(Mutant::WithoutJoiner) => missed,
                Some(Mutant::JoinsStored) => stored,
                _ => stored && missed,
            };
            if !is_fresh && !is_before {
                self.readers[n].phase = Phase::Woken;
                continue;
            }
            let may_keep = flight.began & bit != 0 || is_before;
            if stored && (may_keep || protocol.is(Mutant::WithoutKeep)) {
                self.keep(at, key, version, generation, protocol);
            }
            self.answer(n as u8, version);
        }
    }
}
