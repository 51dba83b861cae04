//! A value as bytes: encoded, and what its type reads of them.

pub(crate) mod compare;
pub(crate) mod entry;
pub(crate) mod json;
pub(crate) mod shape;
pub(crate) mod shown;
