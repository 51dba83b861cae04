//! The store: what `connect.lua`, `fill.lua`, `invalidate.lua` and `block.lua` do, step for step,
//! with numbers that count instead of the time.
//!
//! Time is one number, the [`horizon`](Store::horizon): a generation below it
//! is older than `max-load`, the life of a fence.

use crate::Mutant;

mod blocks;
mod evict;

/// How many keys there are.
pub const KEYS: usize = 3;
/// How many tags there are.
pub const TAGS: usize = 3;

/// The server of an epoch that is to be told what it missed.
const NOBODY: u8 = u8::MAX;

/// A set of keys, of tags, of writers or of readers: a bit for each.
pub type Set = u8;

/// What a value says: of which version of its row it is.
pub type Version = u8;

/// The members of a set.
pub fn members(set: Set) -> impl Iterator<Item = usize> {
    (0..8).filter(move |n| set & (1 << n) != 0)
}

/// A line of values, and the server that holds it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Epoch {
    /// Another one voids every value.
    pub line: u8,
    /// Another one has to be told what it missed.
    pub server: u8,
}

/// The moment before a load.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Token {
    /// Which life of the store.
    pub epoch: Epoch,
    /// How many invalidations it had seen.
    pub clock: u8,
}

impl Token {
    /// Whether it is the same moment as the other, or a later one of its epoch.
    pub(crate) fn includes(self, other: Token, without: Option<Mutant>) -> bool {
        let is_comparable = self.epoch == other.epoch || without == Some(Mutant::AnyEpochAnswers);
        is_comparable && self.clock >= other.clock
    }
}

/// A stored value.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
struct Value {
    line: u8,
    version: Version,
}

/// Who blocks what.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
struct Blocks {
    /// Whether everything is blocked, as an epoch has begun lately.
    all: bool,
    /// Of each tag its writers.
    writers: [Set; TAGS],
}

/// What Redis has in its memory.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Store {
    /// Who it is.
    pub server: u8,
    /// How many lines have begun, here or elsewhere: each has a name of its own.
    pub lines: u8,
    /// Stamps below this are older than a fence lives, and a load may take.
    pub horizon: u8,
    clock: Option<Token>,
    /// Of each tag; 0: none. `None`: evicted, with the sentinel.
    fences: Option<[u8; TAGS]>,
    /// Which tags have an index. `None`: evicted, with the sentinel.
    tags: Option<Set>,
    /// Of each tag the keys built from it.
    index: [Set; TAGS],
    /// `None`: evicted, with the sentinel.
    blocks: Option<Blocks>,
    values: [Option<Value>; KEYS],
    /// Whether a value that goes leaves all indexes, as in memory. In Redis it
    /// goes on being deleted by tags that it once had.
    exact: bool,
}

/// In which state a store was found.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Connected {
    /// It is who it was.
    Same,
    /// It has begun anew.
    New,
    /// It has another server's memory.
    Behind,
}

/// How to connect.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum How {
    /// Take what is there.
    Find,
    /// Begin a new epoch.
    Void,
    /// Keep what another server left.
    Adopt,
}

/// How a fill ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Filled {
    /// It is stored.
    Stored,
    /// A fence, a block or the epoch refused it.
    Refused,
    /// An edge was evicted: an epoch has to begin.
    Lost,
}

/// How one slice of an invalidation ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Slice {
    /// All is deleted.
    Done(Message),
    /// There is more to delete.
    Again(Message),
    /// Something was evicted: an epoch has to begin.
    Lost,
}

/// What the near caches are told.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Message {
    /// Where the last message led to; `None`: this one follows nothing.
    pub from: Option<Token>,
    /// Where this one leads to.
    pub to: Token,
    /// What was deleted.
    pub keys: Set,
}

/// What can be evicted.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[allow(missing_docs, reason = "they are the keys of Redis")]
pub enum Key {
    Value(u8),
    Index(u8),
    Clock,
    Fences,
    Tags,
    Blocks,
}

impl Store {
    /// A server that holds nothing, connected.
    pub fn new(server: u8) -> Store {
        let mut store = Store {
            server,
            lines: 0,
            horizon: 0,
            clock: None,
            fences: None,
            tags: None,
            index: [0; TAGS],
            blocks: None,
            values: [None; KEYS],
            exact: false,
        };
        store.connect(How::Find, None);
        store.blocks_end();
        store
    }

    /// The store in memory.
    pub fn in_memory() -> Store {
        Store { exact: true, ..Store::new(0) }
    }

    /// The clock, by which a reader knows what it has missed.
    pub fn clock(&self) -> Option<Token> {
        self.clock
    }

    /// `connect.lua`; with the message that it publishes.
    pub fn connect(&mut self, how: How, without: Option<Mutant>) -> (Connected, Option<Message>) {
        let complete = self.fences.is_some() && self.tags.is_some() && self.blocks.is_some();
        let Some(clock) = self.clock.filter(|_| complete && how != How::Void) else {
            return (Connected::New, Some(self.begin(without)));
        };
        if clock.epoch.server == self.server {
            return (Connected::Same, None);
        }
        if how != How::Adopt {
            // What was read before is no token from here on, wherever the clock will be.
            if without != Some(Mutant::BehindUnmarked) {
                self.clock =
                    Some(Token { epoch: Epoch { server: NOBODY, ..clock.epoch }, ..clock });
            }
            return (Connected::Behind, None);
        }
        let adopted =
            Token { epoch: Epoch { server: self.server, ..clock.epoch }, clock: clock.clock + 1 };
        self.clock = Some(adopted);
        (Connected::Same, Some(follows_nothing(adopted)))
    }

    fn begin(&mut self, without: Option<Mutant>) -> Message {
        self.lines += 1;
        let begun = Token {
            epoch: Epoch { line: self.lines, server: self.server },
            // The time goes on.
            clock: self.newest_stamp().max(self.horizon) + 1,
        };
        self.clock = Some(begun);
        self.fences.get_or_insert_default();
        // They tell of which line they are, and those of another are none.
        self.tags = Some(0);
        self.blocks =
            Some(Blocks { all: without != Some(Mutant::EpochForgetsBlocks), ..Blocks::default() });
        follows_nothing(begun)
    }

    fn newest_stamp(&self) -> u8 {
        let fences = self.fences.unwrap_or_default();
        let fences = fences.into_iter().max().unwrap_or(0);
        self.clock.map_or(fences, |it| it.clock.max(fences))
    }

    /// `MGET clock key`: the value, and a token; `None`: there is no clock.
    pub fn read(&self, key: u8, without: Option<Mutant>) -> Option<(Option<Version>, Token)> {
        let token = self.clock?;
        let any_line = without == Some(Mutant::LineIgnored);
        let value = self.values[usize::from(key)];
        let value = value.filter(|value| any_line || value.line == token.epoch.line);
        Some((value.map(|value| value.version), token))
    }

    /// `fill.lua`
    pub fn fill(
        &mut self,
        token: Token,
        key: u8,
        tags: Set,
        version: Version,
        strict: bool,
        without: Option<Mutant>,
    ) -> Filled {
        let is = |mutant| without == Some(mutant);
        let Some(clock) = self.clock else {
            return Filled::Refused;
        };
        if clock != token && !is(Mutant::WithoutFence) {
            if clock.epoch != token.epoch && !is(Mutant::EpochIgnored) {
                return Filled::Refused;
            }
            if token.clock < self.horizon && !is(Mutant::TokenAgeIgnored) {
                return Filled::Refused;
            }
            let fences = match self.fences {
                None if is(Mutant::FencesEvictedAlone) => Default::default(),
                None => return Filled::Lost,
                Some(fences) => fences,
            };
            if members(tags).any(|tag| fences[tag] > token.clock) {
                return Filled::Refused;
            }
        }
        if strict {
            let Some(blocks) = &self.blocks else {
                return Filled::Lost;
            };
            if blocks.all || members(tags).any(|tag| blocks.writers[tag] != 0) {
                return Filled::Refused;
            }
        }
        let Some(known) = &mut self.tags else {
            return Filled::Lost;
        };
        let lost = |tag: &usize| *known & (1 << tag) != 0 && self.index[*tag] == 0;
        if members(tags).any(|tag| lost(&tag)) && !is(Mutant::IndexEvictedAlone) {
            *known &= !tags;
            members(tags).for_each(|tag| self.index[tag] = 0);
            self.clock = None;
            return Filled::Lost;
        }
        if self.exact {
            leave(&mut self.index, known, 1 << key);
        }
        *known |= tags;
        members(tags).for_each(|tag| self.index[tag] |= 1 << key);
        let line = clock.epoch.line;
        self.values[usize::from(key)] = Some(Value { line, version });
        Filled::Stored
    }

    /// `invalidate.lua`: one slice, of at most so many keys.
    pub fn invalidate(
        &mut self,
        tags: Set,
        budget: u32,
        first: bool,
        without: Option<Mutant>,
    ) -> Slice {
        let is = |mutant| without == Some(mutant);
        if self.fences.is_none() && is(Mutant::FencesEvictedAlone) {
            self.fences = Some(Default::default());
        }
        let (Some(clock), Some(fences), Some(known)) =
            (&mut self.clock, &mut self.fences, &mut self.tags)
        else {
            return Slice::Lost;
        };
        let from = *clock;
        clock.clock = (clock.clock + 1).max(self.horizon);
        let to = *clock;
        let mut set_fences = || {
            for fence in fences.iter_mut().filter(|fence| **fence < self.horizon) {
                *fence = 0;
            }
            members(tags).for_each(|tag| fences[tag] = to.clock);
        };
        // Each time: until its slice comes, an old value may be read, and built into another.
        if first || !is(Mutant::FencesFirst) {
            set_fences();
        }
        let (mut left, mut keys) = (budget, 0);
        for tag in members(tags) {
            if self.index[tag] == 0 && *known & (1 << tag) != 0 && !is(Mutant::IndexEvictedAlone) {
                *known &= !(1 << tag);
                self.clock = None;
                return Slice::Lost;
            }
            for key in members(self.index[tag]).take(left as usize) {
                self.values[key] = None;
                self.index[tag] &= !(1 << key);
                keys |= 1 << key;
                left -= 1;
            }
            if self.index[tag] == 0 {
                *known &= !(1 << tag);
            }
            if left == 0 {
                break;
            }
        }
        if self.exact {
            leave(&mut self.index, known, keys);
        }
        let message = Message { from: Some(from), to, keys };
        match left {
            0 => Slice::Again(message),
            _ => Slice::Done(message),
        }
    }

    /// Another server goes on with this memory.
    pub fn becomes(&mut self, server: u8, lines: u8) {
        self.server = server;
        self.lines = self.lines.max(lines);
    }
}

fn leave(index: &mut [Set; TAGS], known: &mut Set, keys: Set) {
    for (tag, members) in index.iter_mut().enumerate() {
        *members &= !keys;
        if *members == 0 {
            *known &= !(1 << tag);
        }
    }
}

fn follows_nothing(to: Token) -> Message {
    Message { from: None, to, keys: 0 }
}
