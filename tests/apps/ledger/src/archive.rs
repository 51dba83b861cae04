//! What is verified at every hit. Most stories bring a source of their own, and its loaders.

use std::sync::Arc;

use cache_runtime::{BoxError, Cached, Load, LoadContext};
use serde::{Deserialize, Serialize};
use sqlx::{FromRow, Pool};

use crate::{Base, rows};

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

impl<DB: Base> Load<Pool<DB>> for Fact {
    async fn load(cx: &LoadContext<Pool<DB>>, ids: &[i64]) -> Result<Vec<Fact>, BoxError> {
        let sql = "SELECT id, slug, text, weight, views FROM fact WHERE id = $1";
        rows(cx, sql, ids.iter().map(|id| vec![(*id).into()])).await
    }
}
