//! What strict writes block, and what a new epoch does.

use super::{Set, Store, members};

impl Store {
    /// `block.lua`; `false`: the clock or the blocks are gone.
    pub fn block(&mut self, writer: u8, tags: Set) -> bool {
        self.change_blocks(tags, |writers| *writers |= 1 << writer)
    }

    /// `block.lua`, with a life of zero.
    pub fn unblock(&mut self, writer: u8, tags: Set) -> bool {
        self.change_blocks(tags, |writers| *writers &= !(1 << writer))
    }

    fn change_blocks(&mut self, tags: Set, change: impl Fn(&mut Set)) -> bool {
        let (Some(_), Some(blocks)) = (self.clock, &mut self.blocks) else {
            return false;
        };
        members(tags).for_each(|tag| change(&mut blocks.writers[tag]));
        true
    }

    /// A writer's block is over by itself.
    pub fn block_ends(&mut self, writer: u8) {
        if let Some(blocks) = &mut self.blocks {
            (blocks.writers.iter_mut()).for_each(|writers| *writers &= !(1 << writer));
        }
    }

    /// Whether an epoch has begun so lately that everything is blocked.
    pub fn is_blocked(&self) -> bool {
        self.blocks.as_ref().is_some_and(|blocks| blocks.all)
    }

    /// What a new epoch has blocked is over.
    pub fn blocks_end(&mut self) {
        if let Some(blocks) = &mut self.blocks {
            blocks.all = false;
        }
    }
}
