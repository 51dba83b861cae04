//! The meaning of `cache.toml`: what is cached, what each value is built from, and the triggers
//! that report changes.
//!
//! [`Schema::parse`] takes the text all the way: read → check → resolve. What comes out is right,
//! or it is a list of [`Diagnostics`] that says everything that is wrong at once. A [`Schema`] then
//! answers questions: which tags does a write to this model yield ([`Schema::reports`]), which
//! cached models does it reach ([`Schema::reach`]), what must a value register
//! ([`Schema::needs`]), and which SQL makes a database report its changes ([`Schema::triggers`]).
//!
//! ```
//! use cache_schema::Schema;
//!
//! let schema = Schema::parse("cache.toml", r#"
//!     [model.plio]
//!     key = "plio_{id}"
//!     depends-on = ["question"]
//!
//!     [model.item]
//!     references = { plio_id = "plio" }
//!
//!     [model.question]
//!     references = { item_id = "item" }
//! "#)?;
//!
//! let reached = schema.reach("question");
//! assert_eq!(reached[0].to_string(), "plio ← item.plio_id ← question.item_id");
//! # Ok::<(), cache_schema::Diagnostics>(())
//! ```
//!
//! The crate knows no syntax trees and no runtime, and its only I/O is finding the file
//! ([`locate()`]).

mod answers;
mod check;
mod diagnostic;
mod graph;
mod keys;
mod locate;
mod names;
mod once;
mod parse;
mod raw;
mod read;
mod resolve;
mod schema;
mod source;
mod suggest;
mod template;
mod triggers;

pub use answers::{Absence, Change, ListReport, Reach, Report, TagColumns, Wanted};
pub use diagnostic::{Diagnostic, Diagnostics};
pub use locate::{Located, NotFound, locate};
pub use schema::{
    Capacity, Codec, Condition, Consistency, Constant, Dependency, Direction, Hop, List, ListKey,
    ListStep, Lookup, Model, OnWrite, Order, Outbox, Path, Policy, Reference, Schema, Settings,
};
pub use source::Position;
pub use suggest::suggest;
pub use template::{KeyTemplate, Segment};
pub use triggers::{ColumnsOf, Dialect, ExactColumn, Table, Trigger, Triggers};

/// The examples of the README are tests.
#[cfg(doctest)]
#[doc = include_str!("../README.md")]
struct Readme;
