#![doc = include_str!("../README.md")]

mod boxed;
mod builder;
mod cache;
mod engine;
mod error;
#[cfg(feature = "fuzzing")]
#[doc(hidden)]
pub mod fuzzing;
mod local;
mod lock;
mod mechanism;
mod model;
mod observe;
#[cfg_attr(
    not(any(feature = "postgres", feature = "sqlite")),
    expect(dead_code, reason = "no database reports anything")
)]
mod outbox;
mod read;
pub mod store;
mod value;
#[cfg(any(feature = "postgres", feature = "sqlite"))]
mod write;

pub use cache_derive::{Cached, Column, schema, tag};

pub use boxed::BoxError;
pub use builder::Builder;
pub use cache::Cache;
pub use error::Error;
#[cfg(feature = "mechanisms")]
#[doc(hidden)]
pub use mechanism::Mechanism;
pub use model::column::{Column, Dialect, Id, Written};
pub use model::list::{List, Part};
pub use model::schema::Schema;
pub use model::tag::{Tag, TagColumns, Tags};
pub use model::{Cached, Dependencies, Lookup, Model, Reported, Rows};
pub use observe::event::{Event, Verdict};
#[cfg(any(feature = "postgres", feature = "sqlite"))]
pub use outbox::database::OutboxDatabase;
pub use read::answer::{Answer, CacheStatus, Fetched};
#[cfg(any(feature = "postgres", feature = "sqlite"))]
pub use read::connection::LoadConnection;
#[cfg(all(feature = "postgres", feature = "sqlite"))]
pub use read::declared::source::EitherPool;
#[cfg(any(feature = "postgres", feature = "sqlite"))]
pub use read::declared::{database::LoadDatabase, source::Source};
#[cfg(feature = "axum")]
pub use read::http::{IfMatch, IfNoneMatch};
pub use read::list::ids::{IdOf, LoadList};
pub use read::list::listing::Listing;
pub use read::load::{Find, Load, LoadContext};
pub use read::reader::{CacheReader, Reader};
pub use store::Store;
pub use store::consistency::{ConsistencyToken, NoConsistencyToken};
pub use store::memory::MemoryStore;
#[cfg(feature = "redis")]
pub use store::redis::RedisStore;
pub use value::json::Json;
#[cfg(any(feature = "postgres", feature = "sqlite"))]
pub use write::{CommitError, Transaction};

/// What generated code names. Not part of the API.
#[doc(hidden)]
pub mod __private {
    pub use serde::Serialize;
    pub use serde::de::DeserializeOwned;

    pub use crate::model::column::{References, assert_references};
    pub use crate::model::hidden::Hidden;
    pub use crate::model::key::KeyWriter;
    pub use crate::model::lacks::{Lack, Lacks, Read, Want, is_same};
    pub use crate::model::list::{ListSql, ListStep};
    pub use crate::model::schema::{ColumnsOf, ExactColumn, Table, Trigger, Triggers};
    pub use crate::model::tag::{tag, tag_of};
    pub use crate::model::{ByEq, Capacity, Codec, File, Pair, Policy, Unknown, shape};
    pub use crate::parts;
    #[cfg(any(feature = "postgres", feature = "sqlite"))]
    pub use crate::read::declared::database::{Value, get_from};
    #[cfg(any(feature = "postgres", feature = "sqlite"))]
    pub use crate::read::declared::draft::{
        Drafts, and, drafts, finished, keys, no_parts, number, want,
    };
    #[cfg(any(feature = "postgres", feature = "sqlite"))]
    pub use crate::read::declared::expected::{Expected, expect};
    #[cfg(any(feature = "postgres", feature = "sqlite"))]
    pub use crate::read::declared::key::{Bind, Key, expect_key};
    #[cfg(any(feature = "postgres", feature = "sqlite"))]
    pub use crate::read::declared::nested::{Found, Held, Wanted};
    #[cfg(any(feature = "postgres", feature = "sqlite"))]
    pub use crate::read::declared::part::{Lookups, Part, Reading, Whole};
    #[cfg(any(feature = "postgres", feature = "sqlite"))]
    pub use crate::read::declared::source::{Databases, Declared, LookedUp};
    pub use crate::read::list::listing::listing;
    pub use crate::read::query::key;
    #[cfg(any(feature = "postgres", feature = "sqlite"))]
    pub use sqlx;
}

/// Generated code that needs a database: it is left out where the runtime was built without one.
#[cfg(any(feature = "postgres", feature = "sqlite"))]
#[doc(hidden)]
#[macro_export]
macro_rules! parts {
    ($($item:item)*) => { $($item)* };
}

/// As there is none.
#[cfg(not(any(feature = "postgres", feature = "sqlite")))]
#[doc(hidden)]
#[macro_export]
macro_rules! parts {
    ($($item:item)*) => {};
}
