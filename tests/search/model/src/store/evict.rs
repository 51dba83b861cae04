//! What goes without being invalidated: what is evicted, has expired, or is tidied away.

use super::{Key, Message, Set, Store, members};
use crate::Mutant;

impl Store {
    /// So much time goes by that nothing from before may be filled any more.
    pub fn grow_old(&mut self) {
        if let Some(clock) = self.clock {
            self.horizon = clock.clock + 1;
        }
    }

    /// The server needs room, or a value expires. Says whether it was there.
    pub fn evict(&mut self, key: Key) -> bool {
        match key {
            Key::Value(key) => self.values[usize::from(key)].take().is_some(),
            Key::Index(tag) => std::mem::take(&mut self.index[usize::from(tag)]) != 0,
            Key::Clock => self.clock.take().is_some(),
            Key::Fences => self.fences.take().is_some(),
            Key::Tags => self.tags.take().is_some(),
            Key::Blocks => self.blocks.take().is_some(),
        }
    }

    /// The keys in a tag's index.
    pub fn index(&self, tag: usize) -> Set {
        self.index[tag]
    }

    /// Which of them have no value of this line.
    pub fn dead(&self, tag: usize) -> Set {
        let line = self.clock.map(|clock| clock.epoch.line);
        let is_dead = |key: &usize| self.values[*key].map(|value| value.line) != line;
        let dead = members(self.index[tag]).filter(is_dead);
        dead.fold(0, |set, key| set | 1 << key)
    }

    /// `fill.lua` tidies up, of whatever value: some dead edges are forgotten, and
    /// what is void. With the message that it publishes.
    pub fn tidy(&mut self, tag: usize, keys: Set, without: Option<Mutant>) -> Option<Message> {
        let is_void = |key: &usize| self.values[*key].is_some();
        let void = members(keys).filter(is_void).collect::<Vec<_>>();
        self.index[tag] &= !keys;
        if let Some(known) = self.tags.as_mut().filter(|_| self.index[tag] == 0) {
            *known &= !(1 << tag);
        }
        let mut told = keys;
        for key in void {
            // A near cache has nothing of a line that is over.
            told &= !(1 << key);
            self.values[key] = None;
        }
        let clock = self.clock?;
        (told != 0 && without != Some(Mutant::TidiesUntold)).then_some(Message {
            from: Some(clock),
            to: clock,
            keys: told,
        })
    }
}
