//! A version that only rises, over time.

use std::collections::BTreeMap;

use chaos_service::clock::Nanos;

/// From which moment on it is at least which version. It begins with 0.
#[derive(Debug, Clone)]
pub(super) struct Stairs(BTreeMap<Nanos, i64>);

impl Default for Stairs {
    fn default() -> Stairs {
        Stairs(BTreeMap::from([(0, 0)]))
    }
}

impl Stairs {
    /// From this moment on, at least this.
    pub(super) fn raise(&mut self, at: Nanos, version: i64) {
        if self.at(at) >= version {
            return;
        }
        let lower = self.0.range(at..).take_while(|(_, it)| **it <= version);
        let lower: Vec<Nanos> = lower.map(|(at, _)| *at).collect();
        for at in lower {
            self.0.remove(&at);
        }
        self.0.insert(at, version);
    }

    /// The version at that moment.
    pub(super) fn at(&self, moment: Nanos) -> i64 {
        let step = self.0.range(..=moment).next_back();
        step.map_or(0, |(_, version)| *version)
    }

    /// Since when it is above this version.
    pub(super) fn above(&self, version: i64) -> Option<Nanos> {
        let steps = self.0.iter().rev().take_while(|(_, it)| **it > version);
        steps.last().map(|(at, _)| *at)
    }

    /// For how long it had been above this version at that moment.
    pub(super) fn age(&self, version: i64, moment: Nanos) -> Nanos {
        self.above(version).map_or(0, |since| moment.saturating_sub(since))
    }

    /// It has never been above this.
    pub(super) fn was_never_above(&mut self, version: i64) {
        self.0.retain(|_, it| *it <= version);
    }

    /// What it was before that moment is no longer of interest.
    pub(super) fn forget_before(&mut self, moment: Nanos) {
        if let Some((&last, _)) = self.0.range(..=moment).next_back() {
            self.0 = self.0.split_off(&last);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn old_stairs_are_forgotten_but_for_the_last() {
        let mut stairs = Stairs::default();
        for (at, version) in [(10, 1), (30, 3), (20, 2), (40, 3), (15, 2)] {
            stairs.raise(at, version);
        }
        assert_eq!([5, 10, 15, 25, 30, 99].map(|at| stairs.at(at)), [0, 1, 2, 2, 3, 3]);
        assert_eq!((stairs.above(1), stairs.above(3)), (Some(15), None));
        stairs.forget_before(32);
        assert_eq!((stairs.at(32), stairs.above(0)), (3, Some(30)));
        // One that is told late is from before all of them.
        stairs.raise(5, 3);
        assert_eq!((stairs.at(6), stairs.above(2)), (3, Some(5)));
    }
}
