//! The protocol in a cluster: a key on one node, a tag of it on
//! another, so that no script sees both.
//!
//! There is no cluster store yet; this is what one has to do, and what it must not leave
//! out (DESIGN: "Register the key with each tag's partition first, then set the value under
//! the key's own fence; a partition's clock may be a stale observation made any time before
//! the load began. Index members leave only by expiry").

use stateright::{Model, Property};

use crate::Wrong;
use crate::mutant::mutants;
use crate::store::Version;

mutants! {
    /// A fill does not ask the tag's fence.
    WithoutFence,
    /// A fill does not ask the key's own fence.
    NoKeyFence,
    /// An invalidation takes out of the index what it has deleted.
    RemovesMembers,
    /// A fill sets the value first, then registers the key with the tag.
    SetsFirst,
    /// The tag's clock is observed when the value is offered.
    ObservesLate,
}

/// Who is there, and how much may happen.
#[derive(Clone, Copy, Debug)]
pub struct Partitioned {
    /// Readers, each in a process of its own.
    pub readers: usize,
    /// Writers, each of which writes once.
    pub writers: usize,
    /// Whether the value may be evicted.
    pub evicts: bool,
    /// What is taken out.
    pub without: Option<Mutant>,
}

/// Everything at one moment.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct State {
    source: Version,
    applied: Version,
    key: Node,
    tag: Node,
    value: Option<Version>,
    indexed: bool,
    readers: Vec<Reader>,
    writers: Vec<Writer>,
    wrong: Option<Wrong>,
}

/// A node's clock, and the fence of what it has.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
struct Node {
    clock: u8,
    fence: u8,
}

impl Node {
    fn advance(&mut self) {
        self.clock += 1;
        self.fence = self.clock;
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
struct Reader {
    /// When it last saw the clock of the tag's node.
    tag_seen: u8,
    stage: Stage,
}

/// The tokens are from before the load: of the key's node, and of the tag's.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
enum Stage {
    Idle,
    Missed { key: u8, tag: u8, least: Version },
    Loaded { key: u8, tag: u8, version: Version },
    Half { key: u8, tag: u8, version: Version },
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
enum Writer {
    Idle,
    Committed(Version),
    Fenced(Version, bool),
    Deleted(Version),
    Done,
}

/// A step.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Action {
    /// A reader sees the clock of the tag's node, with whatever it asked there.
    Observe(usize),
    /// It reads the key's node.
    Read(usize),
    /// It loads.
    Load(usize),
    /// It registers the key with the tag, under the tag's fence.
    Register(usize),
    /// It sets the value, under the key's fence.
    Set(usize),
    /// A writer commits.
    Commit(usize),
    /// It fences the tag, and reads its index.
    Fence(usize),
    /// It fences and deletes the key, if the index had it.
    Delete(usize),
    /// It is done.
    Finish(usize),
    /// The value expires, or its node needs room.
    Evict,
}

impl Partitioned {
    fn is(&self, mutant: Mutant) -> bool {
        self.without == Some(mutant)
    }
}

impl Model for Partitioned {
    type State = State;
    type Action = Action;

    fn init_states(&self) -> Vec<State> {
        let reader = Reader { tag_seen: 0, stage: Stage::Idle };
        vec![State {
            source: 0,
            applied: 0,
            key: Node::default(),
            tag: Node::default(),
            value: None,
            indexed: false,
            readers: vec![reader; self.readers],
            writers: vec![Writer::Idle; self.writers],
            wrong: None,
        }]
    }

    fn actions(&self, state: &State, actions: &mut Vec<Action>) {
        if state.wrong.is_some() {
            return;
        }
        let set_first = self.is(Mutant::SetsFirst);
        for (at, reader) in state.readers.iter().enumerate() {
            if reader.tag_seen != state.tag.clock && matches!(reader.stage, Stage::Idle) {
                actions.push(Action::Observe(at));
            }
            actions.push(match reader.stage {
                Stage::Idle => Action::Read(at),
                Stage::Missed { .. } => Action::Load(at),
                Stage::Loaded { .. } if set_first => Action::Set(at),
                Stage::Half { .. } if !set_first => Action::Set(at),
                Stage::Loaded { .. } | Stage::Half { .. } => Action::Register(at),
            });
        }
        for (at, writer) in state.writers.iter().enumerate() {
            actions.push(match writer {
                Writer::Idle => Action::Commit(at),
                Writer::Committed(_) => Action::Fence(at),
                Writer::Fenced(..) => Action::Delete(at),
                Writer::Deleted(_) => Action::Finish(at),
                Writer::Done => continue,
            });
        }
        if self.evicts && state.value.is_some() {
            actions.push(Action::Evict);
        }
    }

    fn next_state(&self, state: &State, action: Action) -> Option<State> {
        let mut next = state.clone();
        match action {
            Action::Observe(at) => next.readers[at].tag_seen = state.tag.clock,
            Action::Read(at) => next.read(at),
            Action::Load(at) => next.load(at),
            Action::Register(at) => next.register(at, self),
            Action::Set(at) => next.set(at, self),
            Action::Evict => next.value = None,
            Action::Commit(at) => {
                next.source += 1;
                next.writers[at] = Writer::Committed(next.source);
            }
            Action::Fence(at) => {
                next.tag.advance();
                if let Writer::Committed(version) = state.writers[at] {
                    next.writers[at] = Writer::Fenced(version, next.indexed);
                }
            }
            Action::Delete(at) => {
                if let Writer::Fenced(version, indexed) = state.writers[at] {
                    if indexed {
                        next.key.advance();
                        next.value = None;
                    }
                    next.writers[at] = Writer::Deleted(version);
                }
            }
            Action::Finish(at) => {
                if let Writer::Deleted(version) = state.writers[at] {
                    next.indexed &= !self.is(Mutant::RemovesMembers);
                    next.applied = next.applied.max(version);
                    next.writers[at] = Writer::Done;
                }
            }
        }
        Some(next)
    }

    fn properties(&self) -> Vec<Property<Self>> {
        vec![Property::always("no answer is older than it may be", |_, state: &State| {
            state.wrong.is_none()
        })]
    }
}

impl State {
    fn read(&mut self, at: usize) {
        match self.value {
            Some(version) => self.judge(version, self.applied),
            None => {
                self.readers[at].stage = Stage::Missed {
                    key: self.key.clock,
                    tag: self.readers[at].tag_seen,
                    least: self.applied,
                }
            }
        }
    }

    fn load(&mut self, at: usize) {
        if let Stage::Missed { key, tag, least } = self.readers[at].stage {
            let version = self.source;
            self.judge(version, least);
            self.readers[at].stage = Stage::Loaded { key, tag, version };
        }
    }

    fn register(&mut self, at: usize, world: &Partitioned) {
        let (Stage::Loaded { key, mut tag, version } | Stage::Half { key, mut tag, version }) =
            self.readers[at].stage
        else {
            return;
        };
        if world.is(Mutant::ObservesLate) {
            tag = self.tag.clock;
        }
        let refused = self.tag.fence > tag && !world.is(Mutant::WithoutFence);
        self.indexed |= !refused;
        self.readers[at].stage = match refused || world.is(Mutant::SetsFirst) {
            true => Stage::Idle,
            false => Stage::Half { key, tag, version },
        };
    }

    fn set(&mut self, at: usize, world: &Partitioned) {
        let (Stage::Loaded { key, tag, version } | Stage::Half { key, tag, version }) =
            self.readers[at].stage
        else {
            return;
        };
        let refused = self.key.fence > key && !world.is(Mutant::NoKeyFence);
        if !refused {
            self.value = Some(version);
        }
        self.readers[at].stage = match !refused && world.is(Mutant::SetsFirst) {
            true => Stage::Half { key, tag, version },
            false => Stage::Idle,
        };
    }

    fn judge(&mut self, version: Version, least: Version) {
        if version < least {
            self.wrong = Some(Wrong { version, least, near: false });
        }
    }
}
