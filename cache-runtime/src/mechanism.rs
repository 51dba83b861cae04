//! What can be switched off, to see whether a test would notice: with the feature `mechanisms`,
//! which is for the tests of this repository (`tests/chaos`) alone. Without it everything is on, at
//! no cost.

/// One of the things that keep what is stale from being served.
#[doc(hidden)]
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[cfg_attr(not(feature = "mechanisms"), allow(dead_code, unreachable_pub))]
pub enum Mechanism {
    /// The store refuses a load that began before an invalidation of its tags.
    Fence,
    /// A reader who comes late is not served a load that was refused.
    Joiner,
    /// Nor is it kept near.
    Keep,
    /// A near value's generation is from before the read.
    NearGeneration,
    /// What a loaded value embeds does not come from the near cache.
    NestedFar,
    /// Nothing near is served for longer than `near.max-staleness` without a word from the store.
    Trust,
    /// Nor while the store is away.
    Distrust,
    /// The process hears what is invalidated.
    Messages,
    /// It notices that messages were lost.
    Chain,
    /// A store that could not be told something is out of use.
    Away,
    /// Before it is used again, it is told what waits.
    CatchUp,
    /// A server that missed what another was told is told it before it is adopted.
    Redelivery,
    /// A commit has invalidated when it returns.
    Commit,
    /// Strict values are not stored while a write to them is about to commit.
    Block,
    /// A value registers the rows that it embeds.
    EmbeddedTags,
    /// A list registers what leads to its rows.
    ListSteps,
    /// What others write is delivered.
    Relay,
}

/// Which mechanisms are on.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Mechanisms {
    #[cfg(feature = "mechanisms")]
    pub(crate) off: Option<Mechanism>,
}

impl Mechanisms {
    #[cfg(feature = "mechanisms")]
    pub(crate) fn has(self, mechanism: Mechanism) -> bool {
        self.off != Some(mechanism)
    }

    #[cfg(not(feature = "mechanisms"))]
    #[inline]
    pub(crate) const fn has(self, _: Mechanism) -> bool {
        true
    }
}
