//! A write through the cache: one commit.

pub(crate) mod transaction;
