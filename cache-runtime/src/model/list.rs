//! Lists: ids of a model's rows, in an order.

use std::hash::Hash;

use crate::model::key::KeyWriter;
use crate::model::tag::Tags;
use crate::model::{Cached, Policy};

/// A list of `cache.toml`, with its key: the rows of a model that have the key, in an order.
///
/// Implemented by `#[derive(Cached)]`, which makes a struct of each `[list.x]` of its model, and a
/// function that reads it: `Plio::plios_of_user(&cache, user)`.
pub trait List: Clone + Eq + Hash + Send + Sync + 'static {
    /// What is listed.
    type Of: Cached;

    /// The columns of the key: one, or a tuple of them, or `()`.
    type Key: Send;

    /// The `[list.x]`.
    const NAME: &'static str;

    /// How its ids are stored.
    const POLICY: Policy;

    /// Changes with what is in it.
    const SHAPE: u64;

    /// How many ids are kept at most.
    const LIMIT: usize;

    /// How the database finds them.
    const SQL: ListSql;

    /// The columns of the key.
    fn key(&self) -> Self::Key;

    /// Writes the key under which it is stored.
    fn write_key(&self, key: &mut KeyWriter);

    /// Adds the tag of the rows that have the key.
    fn tag(&self, tags: &mut Tags);
}

/// The parts of a list's statements. `{keys}` stands for a table `k` of the key.
#[derive(Debug, Clone, Copy)]
pub struct ListSql {
    /// The columns of the id: `t."id"`.
    pub id: &'static [&'static str],
    /// The rows that are listed: `FROM … WHERE …`.
    pub from: &'static str,
    /// `ORDER BY …`
    pub order: &'static str,
    /// What leads from the key to the rows, where that is more than one step.
    pub steps: &'static [ListStep],
}

/// What leads to the rows of a step.
#[derive(Debug, Clone, Copy)]
pub struct ListStep {
    /// What the list registers of each value: `feed:article#author_id`.
    pub tag: &'static str,
    /// The columns that hold it: `j."followed_id"`.
    pub columns: &'static [&'static str],
    /// The rows that have them: `FROM … WHERE …`.
    pub from: &'static str,
}

/// Which of a list's ids.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Part<Id> {
    /// So many at most, after this many.
    Page {
        /// How many come before.
        offset: usize,
        /// How many at most.
        limit: usize,
    },
    /// So many at most, of those that come after this one.
    After {
        /// The one before.
        id: Id,
        /// How many at most.
        limit: usize,
    },
}
