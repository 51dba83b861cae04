//! What is in memory: values, what they are found by, fences.

use std::collections::{HashMap, HashSet, VecDeque};
use std::sync::Arc;
use std::time::Instant;

use bytes::Bytes;
use indexmap::IndexMap;

use crate::model::tag::Tag;
use crate::store::{Epoch, Fill, InvalidationSink};

/// How many entries are looked at to find one to evict: Redis's approximation of LRU
/// (<https://redis.io/docs/latest/develop/reference/eviction/>), which needs no list.
const EVICTION_SAMPLE: usize = 5;

/// How many values are looked at for what has expired, and how many at most while everybody waits:
/// about a millisecond.
const TIDY_SAMPLE: usize = 20;
const TIDIED_AT_MOST: usize = 2000;

/// What an entry costs beside its bytes and texts, roughly: itself, and its places in the maps.
const OVERHEAD: usize = 256;

/// All that the store holds.
pub(super) struct State {
    pub(super) epoch: Epoch,
    pub(super) clock: u64,
    pub(super) entries: IndexMap<Arc<str>, Entry>,
    pub(super) bytes: usize,
    pub(super) index: HashMap<Tag, HashSet<Arc<str>>>,
    pub(super) fences: HashMap<Tag, u64>,
    /// The fences in the order in which they were set, to forget those that have outlived every
    /// fill.
    pub(super) fence_order: VecDeque<(u64, Tag)>,
    /// Stands for fences that were too many: tokens from before it are refused.
    pub(super) floor: u64,
    /// Of each blocked tag the writers and their deadlines.
    pub(super) blocks: HashMap<Tag, Vec<(i64, Instant)>>,
    /// Until then everything is blocked: there may be writers whose blocks are forgotten.
    pub(super) all_blocked_until: Option<Instant>,
    /// What the values are from.
    pub(super) source: Option<String>,
    pub(super) sink: Option<InvalidationSink>,
}

/// A value.
pub(super) struct Entry {
    value: Bytes,
    tags: Vec<Tag>,
    expires: Instant,
    last_used: Instant,
    /// Since it was stored.
    was_read: bool,
}

/// A value with its tags and all that is kept for them.
pub(super) fn size(key: &str, value: &[u8], tags: &[Tag]) -> usize {
    let tags: usize = tags.iter().map(|tag| 2 * tag.as_str().len() + OVERHEAD / 2).sum();
    OVERHEAD + 2 * key.len() + value.len() + tags
}

impl State {
    pub(super) fn new() -> State {
        State {
            epoch: new_epoch(),
            clock: 0,
            entries: IndexMap::new(),
            bytes: 0,
            index: HashMap::new(),
            fences: HashMap::new(),
            fence_order: VecDeque::new(),
            floor: 0,
            blocks: HashMap::new(),
            all_blocked_until: None,
            source: None,
            sink: None,
        }
    }

    pub(super) fn get(&mut self, key: &str, now: Instant) -> Option<Bytes> {
        let entry = self.entries.get_mut(key)?;
        if entry.expires <= now {
            self.remove(key);
            return None;
        }
        entry.last_used = now;
        entry.was_read = true;
        Some(entry.value.clone())
    }

    pub(super) fn blocks_any(&self, tags: &[Tag], now: Instant) -> bool {
        let all = self.all_blocked_until.is_some_and(|until| until > now);
        all || tags
            .iter()
            .filter_map(|tag| self.blocks.get(tag))
            .flatten()
            .any(|(_, deadline)| *deadline > now)
    }

    pub(super) fn insert(&mut self, fill: &Fill, now: Instant) {
        self.remove(&fill.key);
        let key: Arc<str> = fill.key.as_str().into();
        for tag in &fill.tags {
            self.index.entry(tag.clone()).or_default().insert(key.clone());
        }
        self.bytes += size(&fill.key, &fill.value, &fill.tags);
        let entry = Entry {
            value: fill.value.clone(),
            tags: fill.tags.clone(),
            expires: now + fill.ttl,
            last_used: now,
            was_read: false,
        };
        self.entries.insert(key, entry);
    }

    pub(super) fn remove(&mut self, key: &str) {
        let Some((key, entry)) = self.entries.swap_remove_entry(key) else {
            return;
        };
        // Also if it only makes room: nothing would invalidate it any more.
        if let Some(sink) = &self.sink {
            sink.evicted(&key);
        }
        self.bytes -= size(&key, &entry.value, &entry.tags);
        for tag in &entry.tags {
            if let Some(keys) = self.index.get_mut(tag) {
                keys.remove(&key);
                if keys.is_empty() {
                    self.index.remove(tag);
                }
            }
        }
    }

    pub(super) fn make_room(&mut self, capacity: usize) {
        while self.bytes > capacity {
            let oldest = (0..EVICTION_SAMPLE)
                .map(|_| fastrand::usize(..self.entries.len()))
                .min_by_key(|at| {
                    // What nobody has read since: a flood of what is asked for once does not push
                    // out what is read.
                    let entry = &self.entries[*at];
                    (entry.was_read, entry.last_used)
                });
            let Some((key, _)) = oldest.and_then(|at| self.entries.get_index(at)) else {
                return;
            };
            self.remove(&key.clone());
        }
    }

    /// Looks at some values, at random, and on as long as every fourth has expired
    /// (<https://redis.io/docs/latest/commands/expire/>, "How Redis expires keys").
    pub(super) fn tidy(&mut self, now: Instant) {
        for _ in 0..TIDIED_AT_MOST / TIDY_SAMPLE {
            let mut expired = 0;
            for _ in 0..TIDY_SAMPLE.min(self.entries.len()) {
                let at = fastrand::usize(..self.entries.len());
                let entry = self.entries.get_index(at);
                if let Some((key, _)) = entry.filter(|(_, it)| it.expires <= now) {
                    self.remove(&key.clone());
                    expired += 1;
                }
            }
            if expired * 4 < TIDY_SAMPLE {
                return;
            }
        }
    }

    pub(super) fn forget_fences(&mut self, before: u64) {
        while let Some((at, tag)) = self.fence_order.front() {
            if *at >= before {
                return;
            }
            // The tag may have been fenced again since; then the later entry of the queue stands
            // for it.
            if self.fences.get(tag) == Some(at) {
                self.fences.remove(tag);
            }
            self.fence_order.pop_front();
        }
    }
}

/// The name of another life.
pub(super) fn new_epoch() -> Epoch {
    Epoch(std::array::from_fn(|_| fastrand::alphanumeric() as u8))
}
