//! Organizations.

use std::sync::Arc;

use cache_runtime::Cached;
use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::Cache;
use crate::db::Tx;
use crate::problem::Problem;
use crate::resource::{Column, Found, Resource, Table, row_within, rows};

/// An organization that users belong to.
#[derive(Clone, Debug, Cached, Serialize, Deserialize, ToSchema, sqlx::FromRow)]
#[allow(missing_docs, reason = "the fields are the columns")]
pub struct Organization {
    pub id: i64,
    pub name: String,
    pub shortcode: String,
    pub created_at: DateTime<Utc>,
    pub updated_at: DateTime<Utc>,
}

impl Resource for Organization {
    const TABLE: Table = Table {
        name: "organization",
        path: "/api/v1/organizations",
        columns: &[Column::line("name").required(), Column::line("shortcode").required()],
    };

    async fn find(cache: &Cache, ids: &[i64]) -> Result<Vec<Found<Organization>>, Problem> {
        rows(cache, ids).await
    }

    async fn within(tx: &mut Tx, id: i64) -> Result<Option<Arc<Organization>>, Problem> {
        row_within(tx, id).await
    }
}
