//! The mechanisms that can be taken out of the machine, one at a time. `Without…` are those that
//! the runtime knows by this name (`Mechanism`), to be switched off under `search/chaos`.

use crate::World;

/// An enum of mutants, each with its documentation.
macro_rules! mutants {
    ($($(#[doc = $doc:literal])+ $name:ident,)+) => {
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
        }
    };
}
pub(crate) use mutants;

mutants! {
    /// Fills are not fenced.
    WithoutFence,
    /// The token is taken when the loaded value is offered.
    TokenAfterLoad,
    /// An invalidation in slices sets its fences in the first only.
    FencesFirst,
    /// A late joiner is served what a fence refused.
    WithoutJoiner,
    /// A late joiner is served whatever was stored, asked for before it missed or not.
    JoinsStored,
    /// A token may be older than the fences that are kept.
    TokenAgeIgnored,
    /// A near value's generation is taken after the read.
    WithoutNearGeneration,
    /// Messages remove near values, as in the usual caches, and raise no fence.
    NearUnfenced,
    /// A joined load is kept near, whenever it began.
    WithoutKeep,
    /// What a value embeds is taken from near.
    WithoutNestedFar,
    /// Lost messages are not noticed.
    WithoutChain,
    /// The store is trusted from its answer on, rather than from the question.
    TrustFromAnswer,
    /// A commit whose rows others have delivered returns without having heard of it.
    ReturnsUnheard,
    /// What is near is served on when the store is away.
    WithoutDistrust,
    /// A strict write blocks nothing.
    WithoutBlock,
    /// A strict write is not invalidated after its commit.
    NoStampOnUnblock,
    /// A strict write deletes first, then blocks.
    DeletesThenBlocks,
    /// A transaction may commit when its block is over.
    CommitsLate,
    /// A new epoch forgets the blocks, and blocks nothing itself.
    EpochForgetsBlocks,
    /// Another server's memory is adopted although there are strict values.
    AdoptsStrict,
    /// A fill is accepted in another epoch.
    EpochIgnored,
    /// A server that is behind takes fills that began before the one before it was lost.
    BehindUnmarked,
    /// A value of a line that is over is a hit.
    LineIgnored,
    /// The fences can be evicted unnoticed.
    FencesEvictedAlone,
    /// An index can be evicted unnoticed.
    IndexEvictedAlone,
    /// What an evicted value was built from is forgotten, and no near cache is told.
    TidiesUntold,
    /// Rows are marked before they are delivered.
    MarksFirst,
    /// A row is marked with the place where the store is by then.
    PlaceAtMark,
    /// A store that was away is used again before it has been told what it missed.
    WithoutCatchUp,
    /// Another server's memory is adopted, and not told what was delivered elsewhere.
    WithoutRedelivery,
    /// A row is marked with the server, whichever of its stores was told.
    PlaceIsServer,
    /// A commit takes only those of its rows that nobody has delivered anywhere.
    OwnWaitingOnly,
    /// A store on its way back looks for what was delivered elsewhere first, then for what waits.
    ElsewhereFirst,
    /// What one server was told of is taken for told to the next.
    ElsewhereForgetsPlace,
    /// A token is answered from near, whatever was heard.
    NearUnheard,
    /// A commit returns the moment before it has invalidated.
    TokenTooEarly,
    /// A token is compared with the clock of any epoch.
    AnyEpochAnswers,
    /// A token of a commit that was not delivered promises nothing.
    UndeliveredAnswered,
    /// What is loaded past the store embeds what is cached.
    BypassNestsCached,
    /// While the store is away, who shows a token is served as everybody is.
    AwayAsEver,
}

impl Mutant {
    /// The world in which it must be noticed that it is missing.
    pub fn noticed_in(self) -> World {
        match self {
            Mutant::WithoutFence
            | Mutant::TokenAfterLoad
            | Mutant::WithoutJoiner
            | Mutant::JoinsStored => World::flights(),
            Mutant::FencesFirst => World::slices(),
            Mutant::TokenAgeIgnored => World::old_loads(),
            Mutant::WithoutNearGeneration | Mutant::NearUnfenced | Mutant::WithoutKeep => {
                World::near()
            }
            Mutant::WithoutNestedFar => World::nested_unordered(),
            Mutant::WithoutChain | Mutant::TrustFromAnswer => World::lost_messages(),
            Mutant::ReturnsUnheard => World::near_relayed(),
            Mutant::WithoutDistrust => World::near_away(),
            Mutant::WithoutBlock | Mutant::NoStampOnUnblock | Mutant::DeletesThenBlocks => {
                World::strict()
            }
            Mutant::CommitsLate => World::strict_late(),
            Mutant::EpochForgetsBlocks => World::strict_evictions(),
            Mutant::AdoptsStrict => World::strict_failover(),
            Mutant::EpochIgnored | Mutant::BehindUnmarked | Mutant::WithoutRedelivery => {
                World::failover()
            }
            Mutant::PlaceAtMark => World::failover_of_two(),
            Mutant::LineIgnored | Mutant::FencesEvictedAlone | Mutant::IndexEvictedAlone => {
                World::evictions()
            }
            Mutant::TidiesUntold => World::near_evictions(),
            Mutant::MarksFirst => World::crashes(),
            Mutant::WithoutCatchUp => World::away(),
            Mutant::PlaceIsServer | Mutant::OwnWaitingOnly => World::two_lines(),
            Mutant::ElsewhereFirst => World::two_lines_away(),
            Mutant::ElsewhereForgetsPlace => World::two_lines_failover(),
            Mutant::NearUnheard | Mutant::TokenTooEarly => World::tokens(),
            Mutant::AnyEpochAnswers => World::tokens_of_two_lines(),
            Mutant::UndeliveredAnswered | Mutant::BypassNestsCached => World::tokens_away(),
            Mutant::AwayAsEver => World::tokens_away_both(),
        }
    }
}
