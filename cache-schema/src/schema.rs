//! What the file says once it is resolved: the public types.

mod list;
mod policy;

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use crate::source::{Position, Source, fnv};
pub use list::{Condition, Constant, List, ListKey, ListStep, Order};
pub use policy::{Capacity, Codec, Consistency, Lookup, OnWrite, Policy};

/// A `cache.toml` in which everything is right.
#[derive(Debug, Clone)]
pub struct Schema {
    /// `[cache]`, with the defaults filled in.
    pub settings: Settings,
    pub(crate) models: Vec<Model>,
    pub(crate) lists: Vec<List>,
    pub(crate) source: Arc<Source>,
}

/// `[cache]`: what holds for all models.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Settings {
    /// Put before every key in the store.
    pub prefix: String,
    /// The default life of a value.
    pub ttl: Duration,
    /// A value's life is shortened at random by up to this share, in percent.
    pub jitter: u8,
    /// The default life of "no such row".
    pub negative_ttl: Duration,
    /// The default encoding of values.
    pub codec: Codec,
    /// The longest load whose result may still be stored: the life of a fence.
    pub max_load: Duration,
    /// The longest from the block to the commit of a write that strict values are built from.
    pub max_commit: Duration,
    /// How many loads run at once in a process; the others wait for their turn.
    pub max_loads: usize,
    /// How many bytes a stored value has at most by default.
    pub max_value: usize,
    /// How many tags a stored value has at most by default.
    pub max_tags: usize,
    /// For how long after its `ttl` a value is still served by default, while it is loaded anew.
    pub grace: Duration,
    /// How long a load may take by default.
    pub load_timeout: Duration,
    /// How long a process waits by default for another one that loads the same value; zero: it does
    /// not.
    pub lease: Duration,
    /// `near.max-staleness`: how old a near cache's answer may get when its process is cut off from
    /// the store.
    pub max_staleness: Duration,
    /// How many of the hits are verified by default, out of `u32::MAX`.
    pub verify: u32,
    /// `[outbox]`
    pub outbox: Outbox,
}

/// `[outbox]`: the table the triggers write to, and how it is emptied.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Outbox {
    /// Its name.
    pub table: String,
    /// For how long rows stay after they were delivered, for a store that lost what it was told.
    pub retention: Duration,
    /// How often the relay looks for rows that nobody has delivered.
    pub poll: Duration,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            prefix: String::new(),
            ttl: Duration::from_secs(5 * 60),
            jitter: 10,
            negative_ttl: Duration::from_secs(30),
            codec: Codec::Json,
            max_load: Duration::from_secs(30),
            max_commit: Duration::from_secs(5),
            max_loads: 64,
            max_value: 1_000_000,
            max_tags: 10_000,
            grace: Duration::ZERO,
            load_timeout: Duration::from_secs(30),
            lease: Duration::ZERO,
            max_staleness: Duration::from_secs(2),
            verify: 0,
            outbox: Outbox {
                table: "cache_outbox".to_owned(),
                retention: Duration::from_secs(60 * 60),
                poll: Duration::from_millis(500),
            },
        }
    }
}

/// `[model.x]`: a table's row type.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Model {
    /// Its name: the `x` of `[model.x]`.
    pub name: String,
    /// Where the name stands in the table's header.
    pub position: Position,
    /// The model of the rows that it is another value of; the table, the id, the references and
    /// what is ignored are that one's.
    pub of: Option<String>,
    /// The SQL table; may be "schema.table".
    pub table: String,
    /// The columns of the primary key, in order.
    pub id: Vec<String>,
    /// How its values are stored; none: it is only depended on.
    pub cached: Option<Policy>,
    /// The columns that hold other models' ids.
    pub references: Vec<Reference>,
    /// What it is built from.
    pub depends_on: Vec<Dependency>,
    /// Columns whose change invalidates nothing.
    pub ignores: Vec<String>,
}

/// Columns that hold another model's id.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Reference {
    /// The columns, in the order of the target's id.
    pub columns: Vec<String>,
    /// The model whose id they hold.
    pub target: String,
    /// Where the columns stand in `references`.
    pub position: Position,
}

/// A model that another one is built from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Dependency {
    /// The model depended on.
    pub model: String,
    /// Where it stands in `depends-on`.
    pub position: Position,
    /// How to get from the depending model to it: one path, or one for each reference named in
    /// `via`.
    pub paths: Vec<Path>,
}

/// The way from a depending model to its dependency, over references.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Path {
    /// At least one hop; each begins where the one before it ends.
    pub hops: Vec<Hop>,
}

/// One reference, walked in one direction.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Hop {
    /// The model it leaves.
    pub from: String,
    /// The model it arrives at.
    pub to: String,
    /// Whether it goes along the reference or against it.
    pub direction: Direction,
    /// The reference's columns: columns of `from` when forward, of `to` when reverse.
    pub columns: Vec<String>,
}

/// Which way a hop walks its reference.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Direction {
    /// From the model that has the column to its target: `.video_id → video`.
    Forward,
    /// From the target to the model that has the column: `← item.plio_id`.
    Reverse,
}

impl Model {
    /// The model whose rows its values are made of: what its tags are called by.
    pub fn rows(&self) -> &str {
        self.of.as_ref().unwrap_or(&self.name)
    }
}

impl Schema {
    /// The model of that name.
    pub fn model(&self, name: &str) -> Option<&Model> {
        self.models.iter().find(|model| model.name == name)
    }

    /// All models, in the order of the file.
    pub fn models(&self) -> impl Iterator<Item = &Model> {
        self.models.iter()
    }

    /// The name of the file, as it was given.
    pub fn file(&self) -> &str {
        &self.source.file
    }

    /// A hash of its text: two schemas with the same one are of the same file.
    pub fn fingerprint(&self) -> u64 {
        fnv([&*self.source.text])
    }

    /// A place in the file and its line, for messages about something in the file:
    /// `cache.toml:12:16 | references = { video_id = "video" }`.
    pub fn at(&self, position: Position) -> String {
        self.source.at(position)
    }

    /// The place of a model and its line: `cache.toml:10:8 | [model.plio]`.
    pub fn locate_model(&self, name: &str) -> Option<String> {
        self.model(name).map(|model| self.at(model.position))
    }
}

/// The hop as it continues a path: ` ← item.plio_id`, `.video_id → video`.
impl fmt::Display for Hop {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let columns = self.columns.join(",");
        match self.direction {
            Direction::Forward => write!(f, ".{columns} → {}", self.to),
            Direction::Reverse => write!(f, " ← {}.{columns}", self.to),
        }
    }
}

/// `plio ← item.plio_id ← question.item_id`, `plio.video_id → video`.
impl fmt::Display for Path {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.hops.first() {
            Some(first) => write_chain(f, &first.from, &self.hops),
            None => Ok(()),
        }
    }
}

/// `start`, then the hops. Where a hop that ended in a column is followed by one that begins with
/// one, both are columns of the same model: `user ← organization-user.user_id, .organization_id →
/// organization`.
pub(crate) fn write_chain(f: &mut fmt::Formatter<'_>, start: &str, hops: &[Hop]) -> fmt::Result {
    f.write_str(start)?;
    let mut ended_in_column = false;
    for hop in hops {
        let begins_with_column = hop.direction == Direction::Forward;
        if ended_in_column && begins_with_column {
            f.write_str(", ")?;
        }
        write!(f, "{hop}")?;
        ended_in_column = !begins_with_column;
    }
    Ok(())
}
