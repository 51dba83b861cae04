//! Lists: the ids are read through the cache, and the values by these.

pub(crate) mod ids;
pub(crate) mod listing;
pub(crate) mod parts;
