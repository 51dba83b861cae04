//! One read, from key to answer. The files are in the order in which they build on each other.

pub(crate) mod answer;
#[cfg(any(feature = "postgres", feature = "sqlite"))]
pub(crate) mod connection;
#[cfg(any(feature = "postgres", feature = "sqlite"))]
pub(crate) mod declared;
pub(crate) mod fill;
pub(crate) mod get;
#[cfg(feature = "axum")]
pub(crate) mod http;
pub(crate) mod job;
pub(crate) mod list;
pub(crate) mod load;
pub(crate) mod mode;
pub(crate) mod nested;
pub(crate) mod probe;
pub(crate) mod query;
pub(crate) mod reader;
pub(crate) mod refresh;
pub(crate) mod representation;
pub(crate) mod round;
pub(crate) mod run;
pub(crate) mod stored;
pub(crate) mod turn;
pub(crate) mod verify;
