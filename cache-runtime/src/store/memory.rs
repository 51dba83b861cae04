//! The store in this process: the default for a service of one process, and for development.

use std::collections::{HashMap, VecDeque};
use std::fmt;
use std::sync::{Mutex, MutexGuard};
use std::time::{Duration, Instant};

use super::{
    Claim, Connected, Fill, InvalidationSink, MOST_FENCES, Read, Reply, Store, StoreError, Token,
};
use crate::lock::locked;
use crate::model::schema::Schema;
use crate::model::tag::Tag;

mod state;

use state::{State, new_epoch, size};

/// Values in this process, encoded, bounded by bytes.
///
/// Everything is behind one lock that is never held across an `await`: each operation is atomic, so
/// an entry and its place in the indexes come and go together.
pub struct MemoryStore {
    state: Mutex<State>,
    started: Instant,
    fence_life: Duration,
    block_life: Duration,
    capacity: usize,
    place: i64,
}

impl MemoryStore {
    /// An empty store of at most 64 MiB.
    pub fn new(schema: &Schema) -> MemoryStore {
        MemoryStore {
            state: Mutex::new(State::new()),
            started: Instant::now(),
            fence_life: schema.max_load,
            block_life: schema.max_commit,
            capacity: 64 << 20,
            place: fastrand::i64(..),
        }
    }

    /// Holds at most this many bytes; the least recently used values make room.
    #[must_use]
    pub fn capacity(mut self, bytes: usize) -> MemoryStore {
        self.capacity = bytes;
        self
    }

    /// No operation can leave the state half done, so a poisoned lock is as good as any.
    fn state(&self) -> MutexGuard<'_, State> {
        locked(&self.state)
    }

    fn micros(&self) -> u64 {
        self.started.elapsed().as_micros() as u64
    }

    fn read_now(&self, keys: &[String]) -> Read {
        let now = Instant::now();
        let mut state = self.state();
        let values = keys.iter().map(|key| state.get(key, now)).collect();
        Read { values, token: Token { epoch: state.epoch, clock: state.clock } }
    }

    fn fill_now(&self, token: Token, fills: &[Fill]) -> Vec<bool> {
        let now = Instant::now();
        let mut state = self.state();
        // A token from before the oldest fence still kept proves nothing, unless nothing at all was
        // invalidated since.
        let too_old = token.clock != state.clock
            && self.micros().saturating_sub(token.clock) > self.fence_life.as_micros() as u64;
        let usable = token.epoch == state.epoch && !too_old && token.clock >= state.floor;
        let stored = fills
            .iter()
            .map(|fill| {
                let fenced = |tag| state.fences.get(tag).is_some_and(|at| *at > token.clock);
                let fits = size(&fill.key, &fill.value, &fill.tags) <= self.capacity;
                let blocked = fill.strict && state.blocks_any(&fill.tags, now);
                let stores = usable && fits && !blocked && !fill.tags.iter().any(fenced);
                if stores {
                    state.insert(fill, now);
                }
                stores
            })
            .collect();
        state.make_room(self.capacity);
        stored
    }

    fn invalidate_now(&self, tags: &[Tag]) -> Token {
        let now = self.micros();
        let mut state = self.state();
        state.clock = now.max(state.clock + 1);
        let clock = state.clock;
        for tag in tags {
            state.fences.insert(tag.clone(), clock);
            state.fence_order.push_back((clock, tag.clone()));
            for key in state.index.remove(tag).unwrap_or_default() {
                state.remove(&key);
                if let Some(sink) = &state.sink {
                    sink.invalidated(&key);
                }
            }
        }
        state.forget_fences(now.saturating_sub(self.fence_life.as_micros() as u64));
        if state.fence_order.len() > MOST_FENCES {
            state.floor = clock;
            state.fences = HashMap::new();
            state.fence_order = VecDeque::new();
        }
        Token { epoch: state.epoch, clock }
    }

    fn clear_now(&self) {
        let now = self.micros();
        let mut state = self.state();
        state.epoch = new_epoch();
        state.clock = now.max(state.clock + 1);
        if let Some(sink) = &state.sink {
            sink.forget_all();
        }
        state.entries.clear();
        state.bytes = 0;
        state.index.clear();
        state.fences.clear();
        state.fence_order.clear();
        state.blocks.clear();
        state.all_blocked_until = Some(Instant::now() + self.block_life);
    }

    fn connect_now(&self, source: &str) -> Connected {
        let known = self.state().source.replace(source.to_owned());
        if known.is_none_or(|known| known == source) {
            return Connected::Same(self.started.elapsed());
        }
        self.clear_now();
        Connected::New
    }

    fn block_now(&self, writer: i64, tags: &[Tag], life: Duration) {
        let now = Instant::now();
        let mut state = self.state();
        for tag in tags {
            let mut writers = state.blocks.remove(tag).unwrap_or_default();
            writers.retain(|(other, deadline)| *other != writer && *deadline > now);
            if !life.is_zero() {
                writers.push((writer, now + life));
            }
            if !writers.is_empty() {
                state.blocks.insert(tag.clone(), writers);
            }
        }
    }
}

impl Store for MemoryStore {
    fn name(&self) -> &'static str {
        "memory"
    }

    fn keep_told(&self, sink: InvalidationSink) {
        self.state().sink = Some(sink);
    }

    fn connect<'a>(&'a self, source: &'a str) -> Reply<'a, Connected> {
        Box::pin(async { Ok(self.connect_now(source)) })
    }

    fn place(&self) -> i64 {
        self.place
    }

    fn check(&self) -> Reply<'_, ()> {
        Box::pin(async { Ok(()) })
    }

    fn adopt(&self) -> Reply<'_, ()> {
        Box::pin(async { Ok(()) })
    }

    fn read<'a>(&'a self, keys: &'a [String]) -> Reply<'a, Read> {
        Box::pin(async { Ok::<_, StoreError>(self.read_now(keys)) })
    }

    /// The readers of one process wait for each other without it.
    fn claim<'a>(&'a self, keys: &'a [String], _: u64, _: Duration) -> Reply<'a, Claim> {
        Box::pin(async {
            let read = self.read_now(keys);
            let claimed = read.values.iter().map(Option::is_none).collect();
            Ok(Claim { read, claimed })
        })
    }

    fn release<'a>(&'a self, _: &'a [String], _: u64) -> Reply<'a, ()> {
        Box::pin(async { Ok(()) })
    }

    fn fill<'a>(&'a self, token: Token, fills: &'a [Fill]) -> Reply<'a, Vec<bool>> {
        Box::pin(async move { Ok(self.fill_now(token, fills)) })
    }

    fn invalidate<'a>(&'a self, tags: &'a [Tag]) -> Reply<'a, Token> {
        Box::pin(async { Ok(self.invalidate_now(tags)) })
    }

    fn clear(&self) -> Reply<'_, ()> {
        Box::pin(async {
            self.clear_now();
            Ok(())
        })
    }

    fn tidy(&self) -> Reply<'_, bool> {
        Box::pin(async {
            self.state().tidy(Instant::now());
            Ok(true)
        })
    }

    fn block<'a>(&'a self, writer: i64, tags: &'a [Tag], life: Duration) -> Reply<'a, ()> {
        Box::pin(async move {
            self.block_now(writer, tags, life);
            Ok(())
        })
    }

    fn unblock<'a>(&'a self, writer: i64, tags: &'a [Tag]) -> Reply<'a, ()> {
        self.block(writer, tags, Duration::ZERO)
    }
}

impl fmt::Debug for MemoryStore {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let state = self.state();
        f.debug_struct("MemoryStore")
            .field("values", &state.entries.len())
            .field("bytes", &state.bytes)
            .finish_non_exhaustive()
    }
}
