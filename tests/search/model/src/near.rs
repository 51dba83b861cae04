//! The near cache of one process: `near/fence.rs`, and
//! `store/redis/messages.rs`, by which it hears.

use crate::Mutant;
use crate::store::{KEYS, Message, Set, Token, Version, members};

/// A value kept near.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
struct Kept {
    version: Version,
    generation: u8,
}

/// Decoded values in a process, and what says whether they may be served.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Near {
    values: [Option<Kept>; KEYS],
    /// Of each key: values with an older generation are dead.
    fences: [u8; KEYS],
    /// Of all keys.
    floor: u8,
    /// How many invalidations it was told of.
    told: u8,
    /// Where the last message has led to.
    last: Option<Token>,
    /// Nothing is served from then on.
    trusted_until: u8,
}

impl Near {
    /// An empty one, which has heard everything.
    pub fn new(last: Option<Token>, trusted_until: u8) -> Near {
        Near { values: [None; KEYS], fences: [0; KEYS], floor: 0, told: 0, last, trusted_until }
    }

    /// To be taken before the store is read.
    pub fn generation(&self) -> u8 {
        self.told
    }

    /// The value, if it is here and may be served.
    pub fn get(&self, key: u8, now: u8, without: Option<Mutant>) -> Option<Version> {
        let key = usize::from(key);
        let kept = self.values[key]?;
        let told = self.fences[key].max(self.floor);
        let fenced = told > kept.generation && without != Some(Mutant::NearUnfenced);
        (now < self.trusted_until && !fenced).then_some(kept.version)
    }

    /// Keeps a value that was read after the generation.
    pub fn keep(&mut self, key: u8, version: Version, generation: u8, without: Option<Mutant>) {
        self.values[usize::from(key)] = Some(Kept { version, generation });
        self.tidy(without);
    }

    /// The values under these keys are no longer valid. Nobody looks for them.
    pub fn gone(&mut self, keys: Set, without: Option<Mutant>) {
        for key in members(keys) {
            self.told += 1;
            self.fences[key] = self.told;
            if without == Some(Mutant::NearUnfenced) {
                // What the usual caches do: remove what is there.
                self.values[key] = None;
            }
        }
        self.tidy(without);
    }

    /// Something may have been missed.
    pub fn forget_all(&mut self, without: Option<Mutant>) {
        self.told += 1;
        self.floor = self.told;
        if without == Some(Mutant::NearUnfenced) {
            self.values = [None; KEYS];
        }
        self.tidy(without);
    }

    /// The store has answered.
    pub fn trust(&mut self, until: u8) {
        self.trusted_until = self.trusted_until.max(until);
    }

    /// A message arrives.
    pub fn message(&mut self, message: Message, without: Option<Mutant>) {
        let follows = message.from.is_some() && self.last == message.from;
        if !follows && without != Some(Mutant::WithoutChain) {
            self.forget_all(without);
        }
        self.last = Some(message.to);
        self.gone(message.keys, without);
    }

    /// An answer arrives, which was given at this time.
    pub fn check(&mut self, token: Token, without: Option<Mutant>) {
        let complete = |last: Token| last.epoch == token.epoch && last.clock >= token.clock;
        if !self.last.is_some_and(complete) {
            if without != Some(Mutant::WithoutChain) {
                self.forget_all(without);
            }
            self.last = Some(token);
        }
    }

    /// A new connection, over which nothing was heard yet.
    pub fn reconnect(&mut self, without: Option<Mutant>) {
        self.last = None;
        self.forget_all(without);
    }

    /// A value that can never be served again is as good as none: so there are fewer states.
    fn tidy(&mut self, without: Option<Mutant>) {
        if without == Some(Mutant::NearUnfenced) {
            return;
        }
        for (value, fence) in self.values.iter_mut().zip(self.fences) {
            if value.is_some_and(|it| it.generation < fence.max(self.floor)) {
                *value = None;
            }
        }
    }
}
