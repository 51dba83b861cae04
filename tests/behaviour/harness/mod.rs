//! What the stories are told with.

pub mod app;
pub mod events;
pub mod fixtures;
pub mod held;
pub mod http;
pub mod mutant;
pub mod serve;
pub mod service;
pub mod setup;
pub mod soon;
pub mod sql;
pub mod statements;
pub mod story;
pub mod world;

pub use ::servers::{self, Proxy, Redis};
pub use app::App;
pub use events::{Seen, observed};
pub use fixtures::{NOUNS, Plio};
pub use http::Answer;
pub use mutant::Without;
pub use setup::with_store;
pub(crate) use story::story;
pub use story::{Of, Place, Story};
pub use world::{World, without};
