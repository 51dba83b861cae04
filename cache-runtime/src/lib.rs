//! A declarative, dependency-aware, read-through cache.
//!
//! `cache.toml` says what is cached and what each cached value is built from; `#[derive(Cached)]` on
//! the model structs turns it into keys, read-through getters and invalidation edges; triggers
//! rendered from the same file report every write. See the guide, `docs/GUIDE.md`, for a walk from an
//! empty crate to a cached model, and `docs/ARCHITECTURE.md` for the protocol.
//!
//! | feature | what |
//! | --- | --- |
//! | `redis` | [`RedisStore`], for services of several processes |
//! | `postgres`, `sqlite` | the write path: [`Cache::begin`], [`Schema::install`] |
//! | `axum` | [`Fetched::respond`], [`IfNoneMatch`], [`IfMatch`]: cached JSON as answers, with `ETag`, 304 and `Cache-Status` |
//! | `metrics` | counters and gauges through the `metrics` facade |
//! | `conformance` | the test suite for [`Store`]s |

mod background;
mod cache;
mod deliver;
mod engine;
mod entry;
mod error;
mod event;
mod fill;
mod flight;
#[cfg(feature = "fuzzing")]
#[doc(hidden)]
pub mod fuzzing;
mod health;
#[cfg(feature = "axum")]
mod http;
mod in_use;
mod json;
mod key;
mod kind;
mod load;
mod look;
mod mechanism;
#[cfg(feature = "metrics")]
mod metrics;
mod model;
mod name;
mod near;
#[cfg_attr(
    not(any(feature = "postgres", feature = "sqlite")),
    expect(dead_code, reason = "no database reports anything")
)]
mod outbox;
mod read;
mod relay;
mod said;
mod schema;
mod set_up;
mod shape;
mod status;
pub mod store;
mod tag;
mod verify;

pub use cache_derive::{Cached, schema};

pub use cache::{Builder, Cache};
pub use error::{BoxError, Error};
pub use event::Event;
#[cfg(feature = "axum")]
pub use http::{IfMatch, IfNoneMatch};
pub use json::Json;
#[cfg(any(feature = "postgres", feature = "sqlite"))]
pub use load::LoadConnection;
pub use load::{Find, Load, LoadContext};
#[cfg(feature = "mechanisms")]
#[doc(hidden)]
pub use mechanism::Mechanism;
pub use model::{Cached, Dependencies, Lookup, Model, Reported, Rows};
pub use near::NearFence;
#[cfg(any(feature = "postgres", feature = "sqlite"))]
pub use outbox::{database::OutboxDatabase, transaction::Transaction};
pub use read::Fetched;
pub use schema::Schema;
pub use status::{Answer, CacheStatus};
pub use store::Store;
pub use store::memory::MemoryStore;
#[cfg(feature = "redis")]
pub use store::redis::RedisStore;
pub use tag::{Tag, Tags};
pub use verify::Verdict;

/// What generated code names.
#[doc(hidden)]
pub mod generated {
    pub use crate::key::{Column, Id, KeyWriter, References, assert_references};
    pub use crate::kind::key;
    pub use crate::model::{ByEq, Codec, File, Pair, Policy, Room, Unknown, same_model, shape};
    pub use crate::read::{fetch_json, fetch_json_by};
    pub use crate::schema::{ColumnsOf, ExactColumn, Table, Trigger, Triggers};
}
