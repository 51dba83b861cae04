//! What this process knows; nobody is asked for it.

pub(crate) mod flight;
pub(crate) mod near;
pub(crate) mod query;
pub(crate) mod recent;
