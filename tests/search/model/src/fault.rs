//! What goes wrong: crashes, evictions, fail-overs, cut links, lost messages; and time.

use crate::action::Action;
use crate::machine::{OTHER_TAGS, Protocol, Sent, State};
use crate::store::{How, Slice, TAGS};
use crate::write::{Relay, Row};

/// How much may still happen in a world.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct Left {
    /// Writes of the row.
    pub writes: u8,
    /// Writers or relays that die.
    pub crashes: u8,
    /// Transactions that take longer than their block.
    pub lates: u8,
    /// Keys that Redis needs the room of, or that expire.
    pub evictions: u8,
    /// Times that the life of a fence goes by.
    pub ages: u8,
    /// Writes to something else.
    pub others: u8,
    /// Times that the cache is emptied.
    pub clears: u8,
    /// Replicas that take over.
    pub failovers: u8,
    /// Links that break.
    pub cuts: u8,
    /// Commits after which the database cannot be reached.
    pub outages: u8,
    /// Messages that are lost.
    pub losses: u8,
    /// Moments.
    pub ticks: u8,
}

/// The store that things happen to which happen to one: where they do, there is no other.
const ANY: usize = 0;

impl State {
    pub(crate) fn going_wrong(&self, protocol: &Protocol, actions: &mut Vec<Action>) {
        let left = self.left;
        if left.evictions > 0 {
            actions.extend(protocol.world.evicts.iter().map(|key| Action::Evict(*key)));
        }
        // A fill of anything finds what was evicted, or voided.
        if !protocol.world.evicts.is_empty() {
            let tags = (0..TAGS).filter(|tag| self.stores[ANY].store.dead(*tag) != 0);
            actions.extend(tags.map(|tag| Action::Tidy(tag as u8)));
        }
        if left.ages > 0 {
            actions.push(Action::GrowOld);
        }
        if left.others > 0 {
            actions.push(Action::WriteElsewhere);
        }
        if left.clears > 0 {
            actions.push(Action::Clear);
        }
        if left.failovers > 0 {
            actions.push(match self.stores[ANY].snapshot {
                None => Action::Snapshot,
                Some(_) => Action::FailOver,
            });
        }
        if left.ticks > 0 {
            actions.push(Action::Tick);
        }
        if self.stray.is_some() {
            actions.push(Action::Thaw);
        }
        // Whoever blocked before the epoch began has committed and
        // invalidated by then, or cannot any more.
        let is_over = (0..).zip(&self.writers).all(|(at, _)| !self.is_writing(at));
        let is_blocked = self.stores.iter().any(|it| it.store.is_blocked());
        if is_blocked && is_over && !self.rows.contains(&Row::Waiting) {
            actions.push(Action::BlocksEnd);
        }
        for (at, process) in (0..).zip(&self.processes) {
            if !process.linked {
                actions.push(Action::Mend(at));
            } else if left.cuts > 0 {
                actions.push(Action::Cut(at));
            }
            if left.losses > 0 && matches!(process.queue.first(), Some(Sent::Message(..))) {
                actions.push(Action::Lose(at));
            }
        }
    }

    /// As long as there is what can go wrong: one arm each.
    #[expect(clippy::too_many_lines, reason = "one arm each")]
    pub(crate) fn suffer(&mut self, fault: Action, protocol: &Protocol) {
        match fault {
            Action::Crash(writer) => {
                self.left.crashes -= 1;
                self.crash(writer);
            }
            Action::CrashRelay(at) => {
                self.left.crashes -= 1;
                self.process(at).relay = Relay::Idle;
            }
            Action::LoseOutbox(writer) => {
                self.left.outages -= 1;
                self.lose_outbox(writer, protocol);
            }
            Action::BlockEnds(writer) => {
                self.left.lates = self.left.lates.saturating_sub(1);
                self.block_expires(writer, protocol);
            }
            Action::BlocksEnd => {
                (self.stores.iter_mut()).for_each(|it| it.store.blocks_end());
            }
            Action::Evict(key) => {
                let was_there = self.stores[ANY].store.evict(key);
                self.left.evictions -= u8::from(was_there);
            }
            Action::Tidy(tag) => {
                let tag = usize::from(tag);
                let store = &mut self.stores[ANY].store;
                let dead = store.dead(tag);
                let message = store.tidy(tag, dead, protocol.without);
                self.publish(ANY as u8, message, 0);
            }
            Action::GrowOld => {
                self.left.ages -= 1;
                (self.stores.iter_mut()).for_each(|it| it.store.grow_old());
            }
            Action::WriteElsewhere => {
                self.left.others -= 1;
                let store = &mut self.stores[ANY].store;
                let slice = store.invalidate(OTHER_TAGS, 1, true, protocol.without);
                if let Slice::Done(message) = slice {
                    self.publish(ANY as u8, Some(message), 0);
                }
            }
            Action::Clear => {
                self.left.clears -= 1;
                let store = &mut self.stores[ANY].store;
                let (_, message) = store.connect(How::Void, protocol.without);
                self.publish(ANY as u8, message, 0);
            }
            Action::Snapshot => {
                for it in &mut self.stores {
                    it.snapshot = Some(it.store.clone());
                }
            }
            Action::FailOver => {
                self.left.failovers -= 1;
                for it in &mut self.stores {
                    let (server, lines) = (it.store.server + 1, it.store.lines);
                    if let Some(mut store) = it.snapshot.take() {
                        store.becomes(server, lines);
                        it.store = store;
                    }
                }
            }
            Action::Cut(at) => {
                self.left.cuts -= 1;
                self.process(at).linked = false;
            }
            Action::Mend(at) => self.process(at).linked = true,
            Action::Thaw => self.thaw(protocol),
            Action::Lose(at) => {
                self.left.losses -= 1;
                self.process(at).queue.remove(0);
            }
            Action::Tick => {
                self.left.ticks -= 1;
                self.now += 1;
            }
            _ => {}
        }
    }
}
