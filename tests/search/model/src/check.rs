//! Runs the checker, and tells what it found.

use std::fmt;
use std::hash::Hash;
use std::time::{Duration, Instant};

use stateright::{Checker, HasDiscoveries, Model};

/// What a check found.
#[derive(Debug)]
pub struct Found {
    /// How many different states it looked at.
    pub states: usize,
    /// How many steps the longest of the shortest paths to a state has.
    pub depth: usize,
    /// How long it took.
    pub took: Duration,
    /// The property that does not hold, if one does not, and the steps to
    /// where it does not: the fewest that there are.
    pub counter_example: Option<(&'static str, Vec<String>)>,
}

impl fmt::Display for Found {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (states, depth, took) = (self.states, self.depth, self.took);
        write!(f, "{states} states, at most {depth} steps away, in {took:.1?}")?;
        if let Some((property, steps)) = &self.counter_example {
            write!(f, "; \"{property}\" does not hold after {} steps:", steps.len() - 1)?;
            for (n, step) in (1..).zip(steps) {
                write!(f, "\n{n:4} {}", step.replace('\n', "\n     "))?;
            }
        }
        Ok(())
    }
}

/// Looks at every state that can be reached, nearest first, until a property does not hold.
pub fn check<M>(model: M) -> Found
where
    M: Model + Send + Sync + 'static,
    M::State: Hash + Send + Sync + fmt::Debug + Clone + PartialEq + 'static,
    M::Action: fmt::Debug + Clone + PartialEq + Send + Sync + 'static,
{
    let began = Instant::now();
    // One thread: with more of them, the first counter-example need not be the shortest.
    let checker =
        model.checker().threads(1).finish_when(HasDiscoveries::AnyFailures).spawn_bfs().join();
    let discoveries = checker.discoveries().into_iter().next();
    let counter_example = discoveries.map(|(property, path)| {
        let mut steps = path.into_vec();
        let last = steps.pop().map(|(state, _)| format!("{state:#?}"));
        let steps = steps.into_iter().filter_map(|(_, action)| action);
        let steps = steps.map(|action| format!("{action:?}"));
        (property, steps.chain(last).collect())
    });
    Found {
        states: checker.unique_state_count(),
        depth: checker.max_depth(),
        took: began.elapsed(),
        counter_example,
    }
}
