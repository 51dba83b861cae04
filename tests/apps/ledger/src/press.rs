//! What is loaded under a lease, within a limit, and served for a while after its time: for stories
//! that bring a source of their own, and its loaders.

use std::sync::Arc;

use cache_runtime::Cached;
use serde::{Deserialize, Serialize, Serializer};
use sqlx::FromRow;

/// With a lease.
#[derive(Clone, Debug, PartialEq, Cached, Serialize, Deserialize, FromRow)]
#[allow(missing_docs, reason = "the fields are the columns")]
pub struct Page {
    pub id: i64,
    pub text: String,
    /// Which load it is from.
    #[sqlx(skip)]
    pub edition: i64,
}

/// An older version of it.
#[derive(Clone, Debug, PartialEq, Cached, Serialize, Deserialize, FromRow)]
#[cached(model = "page")]
#[allow(missing_docs, reason = "the fields are the columns")]
pub struct OldPage {
    pub id: i64,
    pub text: String,
}

/// One whose `Serialize` panics.
#[derive(Debug, Cached, Deserialize, FromRow)]
#[cached(model = "page")]
#[allow(missing_docs, reason = "the fields are the columns")]
pub struct SecretPage {
    pub id: i64,
    pub text: String,
}

impl Serialize for SecretPage {
    fn serialize<S: Serializer>(&self, _: S) -> Result<S::Ok, S::Error> {
        panic!("{} is not to be told", self.id)
    }
}

/// With grace, and a limit.
#[derive(Clone, Debug, PartialEq, Cached, Serialize, Deserialize, FromRow)]
#[allow(missing_docs, reason = "the fields are the columns")]
pub struct Quote {
    pub id: i64,
    pub text: String,
    /// Which load it is from.
    #[sqlx(skip)]
    pub edition: i64,
}

/// With a quote.
#[derive(Clone, Debug, PartialEq, Cached, Serialize, Deserialize, FromRow)]
#[allow(missing_docs, reason = "the fields are the columns")]
pub struct Digest {
    pub id: i64,
    pub quote_id: Option<i64>,
    #[sqlx(skip)]
    pub quote: Option<Arc<Quote>>,
}

/// Read again on every write.
#[derive(Clone, Debug, PartialEq, Cached, Serialize, Deserialize, FromRow)]
#[allow(missing_docs, reason = "the fields are the columns")]
pub struct Rate {
    pub id: i64,
    pub text: String,
}
