//! The mechanisms that can be taken out of the machine, one at a time.

use crate::World;

macro_rules! mutants {
    ($($(#[doc = $doc:literal])+ $name:ident in $world:ident,)+) => {
        /// A mechanism that is taken out.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
        pub enum Mutant {
            $($(#[doc = $doc])+ $name,)+
        }

        impl Mutant {
            /// Every one.
            pub const ALL: &[Mutant] = &[$(Mutant::$name),+];

            /// What is taken out.
            pub fn what(self) -> &'static str {
                match self {
                    $(Mutant::$name => concat!($($doc),+).trim_ascii(),)+
                }
            }

            /// The world in which that must be noticed.
            pub fn noticed_in(self) -> World {
                match self {
                    $(Mutant::$name => World::$world(),)+
                }
            }
        }
    };
}

mutants! {
    /// Fills are not fenced.
    NoFence in flights,
    /// The token is taken when the loaded value is offered.
    TokenAfterLoad in flights,
    /// An invalidation in slices sets its fences in the first only.
    FencesFirst in slices,
    /// A late joiner is served what a fence refused.
    JoinsRefused in flights,
    /// A late joiner is served whatever was stored, asked for before it missed or not.
    JoinsStored in flights,
    /// A token may be older than the fences that are kept.
    TokenAgeIgnored in old_loads,
    /// A near value's stamp is taken after the read.
    NearStampLate in near,
    /// Messages remove near values, as in the usual caches, and raise no fence.
    NearUnfenced in near,
    /// A joined load is kept near, whenever it began.
    KeepsJoined in near,
    /// What a value embeds is taken from near.
    NestedNear in nested_unordered,
    /// Lost messages are not noticed.
    MessagesUnchained in lost_messages,
    /// The store is trusted from its answer on, rather than from the question.
    TrustFromAnswer in lost_messages,
    /// A commit whose rows others have delivered returns without having heard of it.
    ReturnsUnheard in near_relayed,
    /// Near values are served while the store is away.
    NearTrustsAway in near_away,
    /// A strict write blocks nothing.
    NoBlock in strict,
    /// A strict write is not invalidated after its commit.
    NoStampOnUnblock in strict,
    /// A strict write deletes first, then blocks.
    DeletesThenBlocks in strict,
    /// A transaction may commit when its block is over.
    CommitsLate in strict_late,
    /// A new epoch forgets the blocks, and blocks nothing itself.
    EpochForgetsBlocks in strict_evictions,
    /// Another server's memory is adopted although there are strict values.
    AdoptsStrict in strict_failover,
    /// A fill is accepted in another epoch.
    EpochIgnored in failover,
    /// A value of a line that is over is a hit.
    LineIgnored in evictions,
    /// The fences can be evicted unnoticed.
    FencesEvictedAlone in evictions,
    /// An index can be evicted unnoticed.
    IndexEvictedAlone in evictions,
    /// Rows are marked before they are delivered.
    MarksFirst in crashes,
    /// A store that was away is used again before it has been told what it missed.
    SkipsCatchUp in away,
    /// Another server's memory is adopted, and not told what was delivered elsewhere.
    NoRedelivery in failover,
    /// An answer that was under way when the store failed is taken for an answer of a store in use.
    AnswersAfterFailure in near_away,
}
