//! Who belongs to which organization, and as what.

use std::sync::Arc;

use cache_runtime::Cached;
use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::Cache;
use crate::db::Tx;
use crate::problem::Problem;
use crate::resource::{Column, Found, Resource, Table, row_within, rows};

/// A user's membership in an organization, as the table holds it. Inside a user it is a
/// [`Membership`](crate::Membership).
#[derive(Clone, Debug, Cached, Serialize, Deserialize, ToSchema, sqlx::FromRow)]
#[allow(missing_docs, reason = "the fields are the columns")]
pub struct OrganizationUser {
    pub id: i64,
    #[serde(rename = "user")]
    pub user_id: i64,
    #[serde(rename = "organization")]
    pub organization_id: i64,
    pub role: String,
    pub is_owner: bool,
    pub created_at: DateTime<Utc>,
    pub updated_at: DateTime<Utc>,
}

impl Resource for OrganizationUser {
    const TABLE: Table = Table {
        name: "organization_user",
        path: "/api/v1/organization-users",
        columns: &[
            Column::reference("user", "user").required(),
            Column::reference("organization", "organization").required(),
            Column::line("role"),
            Column::boolean("is_owner"),
        ],
    };

    async fn find(cache: &Cache, ids: &[i64]) -> Result<Vec<Found<OrganizationUser>>, Problem> {
        rows(cache, ids).await
    }

    async fn within(tx: &mut Tx, id: i64) -> Result<Option<Arc<OrganizationUser>>, Problem> {
        row_within(tx, id).await
    }
}
