//! The steps: whatever somebody may do next.

use crate::machine::State;
use crate::store::Key;

/// A step.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Action {
    /// A reader comes, and looks near.
    Read(u8),
    /// The store reads for it.
    StoreReads(u8),
    /// What the store has sent arrives at a process.
    Hear(u8),
    /// Likewise a message, where they come over a connection of their own.
    HearMessage(u8),
    /// A reader takes the hit, joins a flight or starts one.
    Look(u8),
    /// The load of a flight reads its source.
    Load(u8, u8),
    /// It offers the store what it loaded.
    Fill(u8, u8),
    /// It lands, and its readers have their answer, or are to start over.
    Land(u8, u8),
    /// A reader does.
    StartOver(u8),
    /// Asks the store for nothing.
    Ask(u8),
    /// The store answers that.
    StoreAnswers(u8),
    /// A writer blocks the tags that it has written.
    Block(u8),
    /// And deletes what they index.
    DeleteBefore(u8),
    /// Commits.
    Commit(u8),
    /// Invalidates what it wrote, or finds that somebody has; one slice.
    Invalidate(u8),
    /// Marks its row as delivered.
    Mark(u8),
    /// Ends its block.
    Unblock(u8),
    /// A relay's pass goes on.
    Relay(u8),
    /// A process' way back to the store goes on.
    Recover(u8),
    /// The writer's process dies.
    Crash(u8),
    /// The outbox cannot be read after a commit.
    LoseOutbox(u8),
    /// A relay dies in the middle of a pass.
    CrashRelay(u8),
    /// A writer's block has lasted too long.
    BlockEnds(u8),
    /// What a new epoch has blocked is over.
    BlocksEnd,
    /// Redis needs room, or a value expires.
    Evict(Key),
    /// Of a tag, a fill of something else forgets the edges that are dead.
    Tidy(u8),
    /// The longest load and the life of a fence go by.
    GrowOld,
    /// Something else is written to; fences that are too old are forgotten then.
    WriteElsewhere,
    /// Somebody empties the cache.
    Clear,
    /// The replica has everything up to now.
    Snapshot,
    /// The replica takes over.
    FailOver,
    /// A process loses the store.
    Cut(u8),
    /// And has it again.
    Mend(u8),
    /// The fill that was not answered is executed after all.
    Thaw,
    /// The next thing that a process would hear is lost; if it is a message.
    Lose(u8),
    /// Time goes by.
    Tick,
}

impl Action {
    /// Whether it takes what is under way to its end, rather than beginning something.
    pub(crate) fn ends_something(self, state: &State) -> bool {
        match self {
            Action::Block(writer) | Action::Commit(writer) => state.is_writing(writer),
            Action::StoreReads(_)
            | Action::Hear(_)
            | Action::Look(_)
            | Action::Load(..)
            | Action::Fill(..)
            | Action::Land(..)
            | Action::StartOver(_)
            | Action::HearMessage(_)
            | Action::StoreAnswers(_)
            | Action::DeleteBefore(_)
            | Action::Invalidate(_)
            | Action::Mark(_)
            | Action::Unblock(_)
            | Action::Relay(_)
            | Action::Recover(_)
            | Action::BlockEnds(_)
            | Action::BlocksEnd
            | Action::Mend(_) => true,
            Action::Read(_)
            | Action::Ask(_)
            | Action::Crash(_)
            | Action::CrashRelay(_)
            | Action::LoseOutbox(_)
            | Action::Evict(_)
            | Action::Tidy(_)
            | Action::GrowOld
            | Action::WriteElsewhere
            | Action::Clear
            | Action::Snapshot
            | Action::FailOver
            | Action::Cut(_)
            | Action::Thaw
            | Action::Lose(_)
            | Action::Tick => false,
        }
    }
}
