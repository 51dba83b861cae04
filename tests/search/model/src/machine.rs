//! The machine: one row of the source, values built from it, and everybody who reads and writes
//! them. Every step is atomic, and any step that is possible may be the next.
//!
//! The steps of reading are in `read`, of writing in `write`, the way back of a store in `recover`,
//! what goes wrong in `fault`. They are named as in the runtime: `Look`, `Fill` and `Land` are
//! `read/probe.rs`, `read/fill.rs` and `FlightGuard::complete`.

use stateright::{Model, Property};

use crate::Mutant;
use crate::action::Action;
use crate::fault::Left;
use crate::near::Near;
use crate::promise::Promise;
use crate::read::{Flight, Reader};
use crate::recover::{Health, Recovery};
use crate::store::{How, Message, Set, Store, Token, Version};
use crate::world::World;
use crate::write::{Place, Relay, Row, Writer};

/// The value that is read.
pub const VALUE: u8 = 0;
/// The cached value that it embeds, in worlds where it does.
pub const NESTED: u8 = 1;
/// The tag of the row, which both are built from.
pub const TAGS: Set = 1;
/// What nothing is built from.
pub const OTHER_TAGS: Set = 2;
/// How many writes there are at the most.
pub const WRITES: usize = 4;

/// A world, with all mechanisms or without one.
#[derive(Clone, Debug)]
pub struct Protocol {
    /// What there is.
    pub world: World,
    /// What is taken out.
    pub without: Option<Mutant>,
}

/// Everything at one moment.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct State {
    /// The committed version of the row.
    pub source: Version,
    /// The outbox: of each version the row that reports it.
    pub rows: [Row; WRITES],
    /// What the server holds, of each prefix or logical database.
    pub(crate) stores: Vec<Shared>,
    /// A fill that a process has sent, and that was not answered; it may still be executed.
    pub(crate) stray: Option<(u8, Token, u8, Version)>,
    pub(crate) processes: Vec<Process>,
    pub(crate) readers: Vec<Reader>,
    pub(crate) writers: Vec<Writer>,
    /// What the last commit returned, where readers show it.
    pub(crate) promise: Option<Promise>,
    /// What may still happen.
    pub(crate) left: Left,
    pub(crate) now: u8,
    /// The first wrong answer.
    pub wrong: Option<Wrong>,
}

/// A store, which some processes share.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Shared {
    pub(crate) store: Store,
    /// What a replica has, or a file.
    pub(crate) snapshot: Option<Store>,
    /// The newest version whose invalidation was complete here: no reader
    /// who comes later may be answered with less.
    pub(crate) applied: Version,
    /// Of each version, when it was.
    applied_at: [u8; WRITES + 1],
}

/// A process of the service.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Process {
    /// Which store it uses.
    pub(crate) store: u8,
    /// Whom it is connected to.
    pub(crate) server: u8,
    /// Whether it reaches it.
    pub(crate) linked: bool,
    pub(crate) health: Health,
    pub(crate) recovery: Recovery,
    pub(crate) near: Option<Near>,
    /// What the store has sent over the connection, in order.
    pub(crate) queue: Vec<Sent>,
    /// Of each key.
    pub(crate) flights: [Option<Flight>; 2],
    pub(crate) relay: Relay,
    /// The rows delivered elsewhere that it has told its store of,
    /// when that was this place: `deliver_from_others`.
    pub(crate) told: (Place, Set),
    /// When it asked the store for nothing, to hear whether it is well.
    pub(crate) asked: Option<u8>,
    /// The newest version whose commit has returned here.
    pub(crate) returned: Version,
    /// The newest version of which a message has arrived here.
    pub(crate) heard: Version,
    /// `Heard`: the moment of its store until which it has heard of everything.
    pub(crate) heard_until: Option<Token>,
}

/// Something that the store has sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Sent {
    /// To the near caches; with it the version that is invalidated everywhere by then.
    Message(Message, Version),
    /// To a reader.
    Answer(u8, Option<Version>, Token),
    /// To the process, which asked for nothing at this time.
    Nothing(u8, Token),
    /// To a writer whose rows somebody else has delivered.
    Heard(u8),
}

/// An answer that shows less than it must.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Wrong {
    /// What was read.
    pub version: Version,
    /// The least that it should have been.
    pub least: Version,
    /// Whether the near cache said so.
    pub near: bool,
}

impl Protocol {
    pub(crate) fn is(&self, mutant: Mutant) -> bool {
        self.without == Some(mutant)
    }
}

impl State {
    fn new(world: &World) -> State {
        let store = Store::new(0);
        let near = world.near.then(|| Near::new(store.clock(), world.max_staleness));
        let process = Process {
            store: 0,
            server: 0,
            linked: true,
            health: Health::InUse,
            recovery: Recovery::Idle,
            near,
            queue: Vec::new(),
            flights: [None, None],
            relay: Relay::Idle,
            told: (Place::default(), 0),
            asked: None,
            returned: 0,
            heard: 0,
            heard_until: None,
        };
        // Where nobody reads, nothing is near.
        let processes = (0..world.processes).map(|at| Process {
            store: world.stores[usize::from(at)],
            near: process.near.clone().filter(|_| world.readers.contains(&at)),
            ..process.clone()
        });
        let shows = |at: usize| world.shows == Some(at);
        let readers = world.readers.iter().enumerate();
        let readers = readers.map(|(n, at)| Reader::new(*at, VALUE, shows(n)));
        let nested = (0..world.processes).map(|at| Reader::new(at, NESTED, false));
        let stores = world.stores.iter().copied().max().unwrap_or(0);
        let shared = Shared { store, snapshot: None, applied: 0, applied_at: [0; WRITES + 1] };
        State {
            source: 0,
            rows: [Row::None; WRITES],
            stores: vec![shared; usize::from(stores) + 1],
            stray: None,
            processes: processes.collect(),
            readers: readers.chain(nested).collect(),
            writers: world.writers.iter().map(|at| Writer::new(*at)).collect(),
            promise: None,
            left: world.left,
            now: 0,
            wrong: None,
        }
    }

    pub(crate) fn process(&mut self, at: u8) -> &mut Process {
        &mut self.processes[usize::from(at)]
    }

    fn shared(&self, at: u8) -> &Shared {
        &self.stores[usize::from(self.processes[usize::from(at)].store)]
    }

    /// The store of a process.
    pub(crate) fn store(&self, at: u8) -> &Store {
        &self.shared(at).store
    }

    pub(crate) fn store_mut(&mut self, at: u8) -> &mut Store {
        let store = self.processes[usize::from(at)].store;
        &mut self.stores[usize::from(store)].store
    }

    /// The process whose connection leads to the store that there is.
    pub(crate) fn reaches(&self, at: u8) -> bool {
        let process = &self.processes[usize::from(at)];
        process.linked && process.server == self.store(at).server
    }

    /// A message of a store to all who are connected to it.
    pub(crate) fn publish(&mut self, store: u8, message: Option<Message>, applied: Version) {
        let server = self.stores[usize::from(store)].store.server;
        let Some(message) = message else {
            return;
        };
        for process in &mut self.processes {
            let is_connected = process.store == store && process.server == server;
            if is_connected && process.near.is_some() {
                process.queue.push(Sent::Message(message, applied));
            }
        }
    }

    /// `renew_epoch`, of a process that found something evicted. In the code it is a script of its
    /// own; whoever comes between finds no clock, and does the same.
    pub(crate) fn renew_epoch(&mut self, at: u8, protocol: &Protocol) {
        let (_, message) = self.store_mut(at).connect(How::Find, protocol.without);
        self.publish(self.processes[usize::from(at)].store, message, 0);
        if let Some(near) = &mut self.process(at).near {
            near.forget_all(protocol.without);
        }
    }

    /// Everything up to this version is invalidated in the store of
    /// this process, wherever it was built in.
    pub(crate) fn is_applied(&mut self, at: u8, version: Version) {
        let (store, now) = (self.processes[usize::from(at)].store, self.now);
        let shared = &mut self.stores[usize::from(store)];
        for version in shared.applied + 1..=version {
            shared.applied_at[usize::from(version)] = now;
        }
        shared.applied = shared.applied.max(version);
    }

    /// The least that a reader who comes now to this process may be answered with.
    pub(crate) fn least(&self, at: u8, protocol: &Protocol) -> Version {
        match protocol.world.strict {
            true => self.source,
            false => (self.shared(at).applied).max(self.processes[usize::from(at)].returned),
        }
    }

    /// Likewise from its near cache: what it was told; and what has been
    /// applied for so long that it must have been.
    pub(crate) fn least_near(&self, at: u8, protocol: &Protocol) -> Version {
        let process = &self.processes[usize::from(at)];
        let bound = protocol.world.max_staleness;
        let shared = self.shared(at);
        let old = (1..=shared.applied)
            .filter(|it| shared.applied_at[usize::from(*it)].saturating_add(bound) <= self.now);
        (process.returned).max(process.heard).max(old.max().unwrap_or(0))
    }

    /// The liveness half: if from here on nothing more goes wrong and nobody writes, then
    /// everything that is under way ends, the relays deliver what waits, and a read is answered
    /// with the newest version, and stores it.
    fn settles(&self, protocol: &Protocol) -> bool {
        const READS: usize = 4;
        let mut state = self.clone();
        state.calm_down(protocol);
        // What is near may be old for a while, and says nothing of the store.
        state.processes.iter_mut().for_each(|it| it.near = None);
        // Nor does what a reader loads past it.
        state.promise = None;
        // A fill may be refused (its token looks old after a quiet
        // time) or find that something was evicted.
        for _ in 0..READS {
            state = protocol.after(&state, Action::Read(0));
            state.calm_down(protocol);
        }
        let delivered = !state.rows.contains(&Row::Waiting);
        let stored = (state.store(protocol.world.readers[0])).read(VALUE, protocol.without);
        let is_right = |version| version == state.source;
        let right = stored.and_then(|(value, _)| value).is_some_and(is_right);
        // A wrong answer on the way is the other property's to find.
        state.wrong.is_some() || delivered && right
    }

    fn calm_down(&mut self, protocol: &Protocol) {
        const LONGEST: usize = 300;
        for _ in 0..LONGEST {
            let mut actions = Vec::new();
            protocol.actions(self, &mut actions);
            match actions.into_iter().find(|it| it.ends_something(self)) {
                Some(action) => *self = protocol.after(self, action),
                None => return,
            }
        }
    }
}

impl Protocol {
    fn after(&self, state: &State, action: Action) -> State {
        let mut state = state.clone();
        match action {
            Action::Read(reader) => state.read(reader, self),
            Action::StoreReads(reader) => state.store_reads(reader, self),
            Action::Hear(process) => state.hear(process, false, self),
            Action::HearMessage(process) => state.hear(process, true, self),
            Action::Look(reader) => state.look(reader, self),
            Action::Load(process, key) => state.load(process, key, self),
            Action::Fill(process, key) => state.fill(process, key, self),
            Action::Land(process, key) => state.land(process, key, self),
            Action::StartOver(reader) => state.begin_look(reader),
            Action::Ask(process) => state.ask(process),
            Action::StoreAnswers(process) => state.store_answers(process, self),
            Action::Block(writer) => state.block(writer, self),
            Action::DeleteBefore(writer) => state.delete_before(writer, self),
            Action::Commit(writer) => state.commit(writer),
            Action::Invalidate(writer) => state.invalidate(writer, self),
            Action::Mark(writer) => state.mark(writer, self),
            Action::Unblock(writer) => state.unblock(writer, self),
            Action::Relay(process) => state.relay(process, self),
            Action::Recover(process) => state.recover(process, self),
            fault => state.suffer(fault, self),
        }
        state
    }
}

impl Model for Protocol {
    type State = State;
    type Action = Action;

    fn init_states(&self) -> Vec<State> {
        vec![State::new(&self.world)]
    }

    fn actions(&self, state: &State, actions: &mut Vec<Action>) {
        if state.wrong.is_some() {
            return;
        }
        state.reading(self, actions);
        state.writing(self, actions);
        state.relaying(self, actions);
        state.recovering(self, actions);
        state.going_wrong(self, actions);
    }

    fn next_state(&self, state: &State, action: Action) -> Option<State> {
        let next = self.after(state, action);
        (next != *state).then_some(next)
    }

    /// Between two slices somebody may always store again what the
    /// first has deleted: so often, and no more.
    fn within_boundary(&self, state: &State) -> bool {
        const LAST: u8 = 10;
        let is_within = |it: &Shared| it.store.clock().is_none_or(|token| token.clock <= LAST);
        state.stores.iter().all(is_within)
    }

    fn properties(&self) -> Vec<Property<Self>> {
        vec![
            Property::always("no answer is older than it may be", |_, state: &State| {
                state.wrong.is_none()
            }),
            Property::always("it settles", |protocol: &Protocol, state: &State| {
                state.settles(protocol)
            }),
        ]
    }
}
