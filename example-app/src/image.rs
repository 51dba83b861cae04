//! Images.

use std::sync::Arc;

use cache_runtime::Cached;
use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::Cache;
use crate::db::Tx;
use crate::problem::Problem;
use crate::resource::{Column, Found, Resource, Table, row_within, rows};

/// An image that goes with a question.
#[derive(Clone, Debug, Cached, Serialize, Deserialize, ToSchema, sqlx::FromRow)]
#[allow(missing_docs, reason = "the fields are the columns")]
pub struct Image {
    pub id: i64,
    pub url: String,
    pub alt_text: String,
    pub created_at: DateTime<Utc>,
    pub updated_at: DateTime<Utc>,
}

impl Resource for Image {
    const TABLE: Table = Table {
        name: "image",
        path: "/api/v1/images",
        columns: &[Column::url("url").required(), Column::text("alt_text")],
    };

    async fn find(cache: &Cache, ids: &[i64]) -> Result<Vec<Found<Image>>, Problem> {
        rows(cache, ids).await
    }

    async fn within(tx: &mut Tx, id: i64) -> Result<Option<Arc<Image>>, Problem> {
        row_within(tx, id).await
    }
}
