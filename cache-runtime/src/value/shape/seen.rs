//! What a type was seen to read, and when that is enough.

use std::collections::BTreeSet;
use std::fmt::Display;

/// How many facts are noted.
const MOST_FACTS: usize = 5_000;

/// How many questions are asked in all: an array of arrays has few facts, and asks for each of its
/// values.
const MOST_QUESTIONS: usize = 200_000;

/// How deep it goes: a thread's stack bounds that, and a frame has a whole value of what it reads.
const DEEPEST: usize = 64;

/// What a type was seen to read.
#[derive(Default)]
pub(super) struct Seen {
    /// Paths, and what was read there.
    pub(super) facts: BTreeSet<String>,
    /// The fields whose types took nothing: with them the struct's other fields would not be seen.
    pub(super) failing: BTreeSet<String>,
    /// Where it is.
    pub(super) path: Vec<&'static str>,
    /// The structs and enums that it is in, by their visitors (a name may be that of several): one
    /// in itself is followed once.
    pub(super) within: Vec<&'static str>,
    /// How deep it is, and how much was asked.
    pub(super) depth: usize,
    pub(super) questions: usize,
    /// Which variant of the enums it is given.
    pub(super) variant: usize,
    pub(super) most_variants: usize,
}

impl Seen {
    pub(super) fn note(&mut self, what: impl Display) -> Result<(), Stop> {
        self.questions += 1;
        if self.facts.len() > MOST_FACTS || self.questions > MOST_QUESTIONS {
            return Err(Stop);
        }
        self.facts.insert(format!("{}: {what}", self.path.join(".")));
        Ok(())
    }

    /// What is in something else.
    pub(super) fn deeper<T>(
        &mut self,
        ask: impl FnOnce(&mut Seen) -> Result<T, Stop>,
    ) -> Result<T, Stop> {
        if self.depth == DEEPEST {
            return Err(Stop);
        }
        self.depth += 1;
        let value = ask(self);
        self.depth -= 1;
        value
    }
}

/// The type does not take what it is given, or it is enough.
#[derive(Debug)]
pub(super) struct Stop;

impl Display for Stop {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("asked enough")
    }
}

impl std::error::Error for Stop {}

impl serde::de::Error for Stop {
    fn custom<T: Display>(_: T) -> Self {
        Stop
    }
}
