//! The protocol of `docs/ARCHITECTURE.md` as a small machine,
//! checked exhaustively within small bounds.
//!
//! | file | the one thing in it |
//! | --- | --- |
//! | `store.rs` | what the scripts of Redis do; the real stores are held against it in `tests/stores.rs` |
//! | `near.rs` | the near cache of a process, and how it hears |
//! | `machine.rs`, `action.rs` | the state, the steps, and what must hold: no answer older than it may be, and everything settles |
//! | `promise.rs` | the token that a commit returns, and what it promises to a reader |
//! | `read.rs`, `write.rs`, `recover.rs`, `fault.rs` | the steps: reading, writing and relaying, the way back, what goes wrong |
//! | `lists.rs` | a list over a path: what its load reads, at which moments, and what it registers |
//! | `partitioned.rs` | a key and a tag on two nodes of a cluster: the protocol that a cluster store is to have |
//! | `world.rs` | who is there, and how much may happen: the bounds |
//! | `mutant.rs` | the mechanisms that can be taken out, and in which world that is noticed |
//! | `check.rs` | runs the checker, and tells a counter-example |
//!
//! `tests/search/model/run` checks larger bounds, and prints the
//! shortest counter-example of each mutant.

mod action;
mod check;
mod fault;
pub mod lists;
mod machine;
mod mutant;
mod near;
pub mod partitioned;
mod promise;
mod read;
mod recover;
pub mod store;
mod world;
mod write;

pub use action::Action;
pub use check::{Found, check};
pub use machine::{Protocol, State, Wrong};
pub use mutant::Mutant;
pub use world::{Bounds, World};
