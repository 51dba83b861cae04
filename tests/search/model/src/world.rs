//! Worlds: who is there, and how much may happen.

use crate::fault::Left;
use crate::store::Key;

/// How large the worlds are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Bounds {
    /// As CI checks them.
    Small,
    /// One more write, and one more eviction where there is one;
    /// where the store goes away, one more reader.
    Large,
}

/// Who is there, and how much may happen.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct World {
    /// Its name.
    pub name: &'static str,
    /// How many processes the service has.
    pub processes: u8,
    /// Of each process, which store of the server it uses: those with another prefix,
    /// or in another logical database, have another one.
    pub stores: Vec<u8>,
    /// Of each reader, its process.
    pub readers: Vec<u8>,
    /// Which reader shows what the last commit has returned, if one does.
    pub shows: Option<usize>,
    /// Of each writer, its process; `None`: it knows nothing of the cache.
    pub writers: Vec<Option<u8>>,
    /// Which processes relay.
    pub relays: Vec<u8>,
    /// Whether they keep values near.
    pub near: bool,
    /// Whether messages come over the connection of the answers, in the order of both.
    pub ordered: bool,
    /// Whether the value embeds another cached one.
    pub nested: bool,
    /// Whether it is strict.
    pub strict: bool,
    /// How many keys one script deletes.
    pub slice: u32,
    /// What may be evicted.
    pub evicts: Vec<Key>,
    /// `near.max-staleness`, in moments.
    pub max_staleness: u8,
    /// How much may happen.
    pub left: Left,
}

/// Longer than any world lasts.
const FOR_EVER: u8 = 100;
const VALUE: Key = Key::Value(0);
const INDEX: Key = Key::Index(0);

impl World {
    /// One process with so many readers of a value, and so many writers elsewhere.
    fn new(name: &'static str, readers: usize, writers: usize, writes: u8) -> World {
        World {
            name,
            processes: 2,
            stores: vec![0, 0],
            readers: vec![0; readers],
            shows: None,
            writers: vec![Some(1); writers],
            relays: Vec::new(),
            near: false,
            ordered: true,
            nested: false,
            strict: false,
            slice: 100,
            evicts: Vec::new(),
            max_staleness: FOR_EVER,
            left: Left { writes, ..Left::default() },
        }
    }

    fn with(mut self, change: impl FnOnce(&mut World)) -> World {
        change(&mut self);
        self
    }

    /// Readers who join each other's loads, two writers; values expire.
    pub fn flights() -> World {
        World::new("flights", 2, 2, 2).with(|world| {
            world.evicts = vec![VALUE];
            world.left.evictions = 1;
        })
    }

    /// Readers in two processes, each with flights of its own.
    pub fn two_processes() -> World {
        World::new("two processes", 2, 1, 3).with(|world| world.readers = vec![0, 1])
    }

    /// A value and another that it embeds, deleted one after the other.
    pub fn slices() -> World {
        World::new("slices", 1, 1, 2).with(|world| {
            (world.nested, world.slice) = (true, 1);
        })
    }

    /// Loads that take longer than a fence lives.
    pub fn old_loads() -> World {
        World::new("old loads", 1, 1, 2).with(|world| (world.left.ages, world.left.others) = (1, 2))
    }

    /// Values kept near, and a writer elsewhere.
    pub fn near() -> World {
        World::new("near", 2, 1, 2).with(|world| world.near = true)
    }

    /// Their own process writes, and another.
    pub fn near_own() -> World {
        World::new("near, own", 1, 2, 2).with(|world| {
            world.near = true;
            world.writers = vec![Some(0), Some(1)];
        })
    }

    /// A value that embeds another cached one; both are kept near.
    pub fn nested() -> World {
        World::new("nested", 1, 1, 2).with(|world| (world.near, world.nested) = (true, true))
    }

    /// Messages that come over a connection of their own: an
    /// answer does not say that they were heard.
    pub fn nested_unordered() -> World {
        World::nested().with(|world| {
            (world.name, world.ordered) = ("nested, unordered", false);
            world.evicts = vec![VALUE];
            world.left.evictions = 1;
        })
    }

    /// Messages of the near cache that are lost, and time.
    pub fn lost_messages() -> World {
        World::new("lost messages", 1, 1, 1).with(|world| {
            world.near = true;
            world.max_staleness = 2;
            (world.left.losses, world.left.ticks) = (1, 4);
        })
    }

    /// Relays that are quicker than the writer.
    pub fn near_relayed() -> World {
        World::new("near, relayed", 1, 1, 2).with(|world| {
            (world.near, world.relays) = (true, vec![1]);
            world.writers = vec![Some(0)];
        })
    }

    /// A near cache whose process loses the store.
    pub fn near_away() -> World {
        World::new("near, away", 1, 1, 2).with(|world| {
            world.near = true;
            world.writers = vec![Some(0)];
            world.left.cuts = 1;
        })
    }

    /// A near cache whose process loses the database after a commit, and time.
    pub fn near_outage() -> World {
        World::new("near, outage", 1, 1, 1).with(|world| {
            world.near = true;
            (world.writers, world.max_staleness) = (vec![Some(0)], 2);
            (world.left.outages, world.left.ticks) = (1, 2);
        })
    }

    /// Strict values, two writers.
    pub fn strict() -> World {
        World::new("strict", 1, 2, 2).with(|world| world.strict = true)
    }

    /// A strict write that takes longer than its block, and one that dies.
    pub fn strict_late() -> World {
        World::new("strict, late", 1, 1, 2).with(|world| {
            (world.strict, world.relays) = (true, vec![0]);
            (world.left.lates, world.left.crashes) = (1, 1);
        })
    }

    /// Strict values, and anything can be evicted.
    pub fn strict_evictions() -> World {
        World::new("strict, evictions", 1, 1, 2).with(|world| {
            world.strict = true;
            world.evicts = vec![INDEX, Key::Clock, Key::Fences, Key::Tags, Key::Blocks];
            world.left.evictions = 2;
        })
    }

    /// Strict values, and a replica takes over.
    pub fn strict_failover() -> World {
        World::new("strict, fail-over", 1, 1, 2).with(|world| {
            (world.strict, world.left.failovers) = (true, 1);
        })
    }

    /// Anything can be evicted.
    pub fn evictions() -> World {
        World::new("evictions", 2, 1, 2).with(|world| {
            world.evicts = vec![VALUE, INDEX, Key::Clock, Key::Fences, Key::Tags];
            world.left.evictions = 1;
        })
    }

    /// The same with a near cache, which is emptied as well.
    pub fn near_evictions() -> World {
        World::new("near, evictions", 1, 1, 2).with(|world| {
            world.near = true;
            world.evicts = vec![VALUE, INDEX, Key::Clock, Key::Fences, Key::Tags];
            (world.left.evictions, world.left.clears) = (1, 1);
        })
    }

    /// Writers and relays that die, a writer that knows nothing of the cache.
    pub fn crashes() -> World {
        World::new("crashes", 1, 1, 2).with(|world| {
            world.relays = vec![0];
            world.writers = vec![Some(1), None];
            world.left.crashes = 1;
        })
    }

    /// Processes that lose the store, and come back.
    pub fn away() -> World {
        World::new("away", 1, 1, 2).with(|world| {
            (world.writers, world.relays) = (vec![Some(0)], vec![1]);
            world.left.cuts = 1;
        })
    }

    /// A replica that misses what was told last takes over.
    pub fn failover() -> World {
        World::new("fail-over", 1, 1, 2).with(|world| world.left.failovers = 1)
    }

    /// The same, for readers in two processes.
    pub fn failover_of_two() -> World {
        World::new("fail-over, two processes", 2, 1, 1).with(|world| {
            (world.readers, world.left.failovers) = (vec![0, 1], 1);
        })
    }

    /// The same with near caches.
    pub fn near_failover() -> World {
        World::new("near, fail-over", 1, 1, 1).with(|world| {
            (world.near, world.left.failovers) = (true, 1);
        })
    }

    /// Two processes, each with a store of its own on one server, and one outbox.
    pub fn two_lines() -> World {
        World::new("two lines", 1, 2, 2).with(|world| {
            world.stores = vec![0, 1];
            (world.writers, world.relays) = (vec![Some(0), Some(1)], vec![0, 1]);
        })
    }

    /// The same, and they lose the server.
    pub fn two_lines_away() -> World {
        World::two_lines().with(|world| {
            world.name = "two lines, away";
            (world.left.writes, world.left.cuts) = (1, 1);
        })
    }

    /// The same, and a replica takes over.
    pub fn two_lines_failover() -> World {
        World::two_lines().with(|world| {
            world.name = "two lines, fail-over";
            (world.writers, world.relays) = (vec![Some(1)], vec![0]);
            (world.left.writes, world.left.failovers) = (1, 1);
        })
    }

    /// A reader who shows the token of a commit in another process, beside one who does not; near.
    pub fn tokens() -> World {
        World::new("tokens", 2, 1, 2).with(|world| (world.near, world.shows) = (true, Some(1)))
    }

    /// The same, and a relay is quicker than the writer.
    pub fn tokens_relayed() -> World {
        World::tokens().with(|world| {
            (world.name, world.relays) = ("tokens, relayed", vec![1]);
            world.left.writes = 1;
        })
    }

    /// The writer, or the readers, lose the store; what is read embeds another cached value.
    pub fn tokens_away() -> World {
        World::new("tokens, away", 2, 1, 1).with(|world| {
            (world.nested, world.shows, world.left.cuts) = (true, Some(1), 1);
        })
    }

    /// Both do, and nobody else reads.
    pub fn tokens_away_both() -> World {
        World::new("tokens, both away", 1, 1, 1).with(|world| {
            (world.nested, world.shows, world.left.cuts) = (true, Some(0), 2);
        })
    }

    /// A replica takes over.
    pub fn tokens_failover() -> World {
        World::new("tokens, fail-over", 2, 1, 1).with(|world| {
            (world.shows, world.left.failovers) = (Some(1), 1);
        })
    }

    /// Each process has a store of its own, with a clock of its own.
    pub fn tokens_of_two_lines() -> World {
        World::new("tokens, two lines", 1, 1, 1).with(|world| {
            (world.stores, world.relays, world.shows) = (vec![0, 1], vec![0, 1], Some(0));
            world.left.others = 1;
        })
    }

    /// Whether processes ask how the store is: where time counts.
    pub(crate) fn listens(&self) -> bool {
        self.left.ticks > 0
    }

    /// Every one, within these bounds.
    pub fn all(bounds: Bounds) -> Vec<World> {
        let small = vec![
            World::flights(),
            World::two_processes(),
            World::slices(),
            World::old_loads(),
            World::near(),
            World::near_own(),
            World::nested(),
            World::nested_unordered(),
            World::lost_messages(),
            World::near_relayed(),
            World::near_away(),
            World::near_outage(),
            World::strict(),
            World::strict_late(),
            World::strict_evictions(),
            World::strict_failover(),
            World::evictions(),
            World::near_evictions(),
            World::crashes(),
            World::away(),
            World::failover(),
            World::failover_of_two(),
            World::near_failover(),
            World::two_lines(),
            World::two_lines_away(),
            World::two_lines_failover(),
            World::tokens(),
            World::tokens_relayed(),
            World::tokens_away(),
            World::tokens_away_both(),
            World::tokens_failover(),
            World::tokens_of_two_lines(),
        ];
        match bounds {
            Bounds::Small => small,
            Bounds::Large => small.into_iter().map(World::larger).collect(),
        }
    }

    fn larger(self) -> World {
        self.with(|world| {
            let left = &mut world.left;
            if left.cuts + left.outages + left.failovers > 0 {
                return world.readers.push(0);
            }
            left.writes += 1;
            left.evictions += u8::from(left.evictions > 0);
        })
    }
}
