//! What happened, told outward.

pub(crate) mod event;
#[cfg(feature = "metrics")]
pub(crate) mod metrics;
pub(crate) mod observer;
pub(crate) mod said;
