//! Loaders that write themselves: a value is loaded by what its struct and `cache.toml` declare.
//!
//! `#[cached(load)]` says which columns a struct has, and over which statement each of its parts is
//! found; what is done with that is here. One statement for the rows, one for each kind of part,
//! however many rows there are: each answers for all keys that it is asked for, and says of each
//! row for which. What is cached itself is read through the cache at the end, when no connection is
//! held any more.

pub(crate) mod database;
pub(crate) mod draft;
pub(crate) mod expected;
pub(crate) mod key;
pub(crate) mod list;
pub(crate) mod nested;
pub(crate) mod part;
mod prepare;
pub(crate) mod source;
