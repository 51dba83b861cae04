//! The service of which the history checker runs several processes, and what they tell it.
#![allow(missing_docs, reason = "a part of tests/search/chaos, and of nothing else")]

pub mod clock;
pub mod models;
pub mod record;
mod serve;
mod tickets;

pub use serve::{ORDERS, serve};
