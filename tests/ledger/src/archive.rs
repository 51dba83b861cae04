//! What is verified at every hit, for stories that bring a source of their own, and its loaders.

use std::sync::Arc;

use cache_runtime::Cached;
use serde::{Deserialize, Serialize};
use sqlx::FromRow;

/// With a lookup, and near.
#[derive(Clone, Debug, PartialEq, Cached, Serialize, Deserialize, FromRow)]
#[allow(missing_docs, reason = "the fields are the columns")]
pub struct Fact {
    pub id: i64,
    pub slug: String,
    pub text: String,
    /// JSON is not exact about it.
    pub weight: f64,
    /// Ignored: it may be old.
    #[serde(rename = "seen-by")]
    pub views: i64,
}

/// With a fact.
#[derive(Clone, Debug, PartialEq, Cached, Serialize, Deserialize, FromRow)]
#[allow(missing_docs, reason = "the fields are the columns")]
pub struct Report {
    pub id: i64,
    pub fact_id: Option<i64>,
    #[sqlx(skip)]
    pub fact: Option<Arc<Fact>>,
}

/// With grace.
#[derive(Clone, Debug, PartialEq, Cached, Serialize, Deserialize, FromRow)]
#[allow(missing_docs, reason = "the fields are the columns")]
pub struct Rumour {
    pub id: i64,
    pub text: String,
}
