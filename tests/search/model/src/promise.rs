//! The token that a commit returns: `store/consistency.rs`, `engine/heard.rs` and
//! `Reading::bypass`.

use crate::Mutant;
use crate::machine::{Protocol, State};
use crate::store::{Token, Version};

/// What a reader shows: a commit in whichever process.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Promise {
    /// What it wrote: the least that is right.
    pub(crate) version: Version,
    /// Which store was told, and when that had been done; `None`: undelivered. The epochs of two
    /// stores have two names.
    told: Option<(u8, Token)>,
}

impl Promise {
    /// Whether what this store said is from after it.
    pub(crate) fn is_before(self, store: u8, said: Token, protocol: &Protocol) -> bool {
        match self.told {
            Some((at, told)) => {
                let is_its = at == store || protocol.is(Mutant::AnyEpochAnswers);
                is_its && said.includes(told, protocol.without)
            }
            None => protocol.is(Mutant::UndeliveredAnswered),
        }
    }
}

impl State {
    /// The moment at which the process that commits has invalidated what it wrote, if it is known.
    pub(crate) fn told_now(&self, process: u8, protocol: &Protocol) -> Option<Token> {
        let is_shown = protocol.world.shows.is_some() && self.reaches(process);
        self.store(process).clock().filter(|_| is_shown)
    }

    /// `commit()` returns it.
    pub(crate) fn promises(&mut self, process: u8, version: Version, told: Option<Token>) {
        let store = self.processes[usize::from(process)].store;
        self.promise = Some(Promise { version, told: told.map(|told| (store, told)) });
    }

    /// An answer of the store has arrived.
    pub(crate) fn answered(&mut self, process: u8, token: Token, protocol: &Protocol) {
        if protocol.world.shows.is_some() {
            let until = &mut self.process(process).heard_until;
            if !until.is_some_and(|until| until.includes(token, None)) {
                *until = Some(token);
            }
        }
    }

    /// `Gate::has_heard`
    pub(crate) fn has_heard(&self, process: u8, promise: Promise, protocol: &Protocol) -> bool {
        let process = &self.processes[usize::from(process)];
        let is_before = |until| promise.is_before(process.store, until, protocol);
        process.heard_until.is_some_and(is_before) || protocol.is(Mutant::NearUnheard)
    }
}
