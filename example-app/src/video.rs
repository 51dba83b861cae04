//! Videos.

use std::sync::Arc;

use cache_runtime::Cached;
use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::db::Tx;
use crate::problem::Problem;
use crate::resource::{Column, Found, Resource, Table, row_within, rows};
use crate::{Cache, Seconds};

/// A video that plios are made over.
#[derive(Clone, Debug, Cached, Serialize, Deserialize, ToSchema, sqlx::FromRow)]
#[allow(missing_docs, reason = "the fields are the columns")]
pub struct Video {
    pub id: i64,
    pub url: String,
    pub title: String,
    pub duration: Option<Seconds>,
    pub created_at: DateTime<Utc>,
    pub updated_at: DateTime<Utc>,
}

impl Resource for Video {
    const TABLE: Table = Table {
        name: "video",
        path: "/api/v1/videos",
        columns: &[
            Column::url("url").required(),
            Column::line("title"),
            Column::number("duration").nullable(),
        ],
    };

    async fn find(cache: &Cache, ids: &[i64]) -> Result<Vec<Found<Video>>, Problem> {
        rows(cache, ids).await
    }

    async fn within(tx: &mut Tx, id: i64) -> Result<Option<Arc<Video>>, Problem> {
        row_within(tx, id).await
    }
}
