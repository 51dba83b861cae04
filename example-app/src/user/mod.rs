//! Users, a cached noun.

use std::sync::Arc;

use axum::response::Response;
use cache_runtime::{Cached, IfNoneMatch};
use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use utoipa::ToSchema;

use crate::Cache;
use crate::db::Tx;
use crate::problem::Problem;
use crate::resource::{Column, Found, Resource, Table};

/// A user, with the organizations it belongs to.
#[derive(Clone, Debug, Cached, Serialize, Deserialize, ToSchema)]
#[cached(load)]
#[allow(missing_docs, reason = "the fields are the columns")]
pub struct User {
    pub id: i64,
    pub email: String,
    pub first_name: String,
    pub last_name: String,
    pub mobile: Option<String>,
    #[sqlx(json(nullable))]
    pub config: Option<Value>,
    pub status: String,
    /// In the order in which they were made.
    #[cached(embeds = "organization-user")]
    pub organizations: Vec<Membership>,
    pub created_at: DateTime<Utc>,
    pub updated_at: DateTime<Utc>,
}

/// An organization as its member sees it: two columns of `organization`, one of
/// `organization_user`.
#[derive(Clone, Debug, Cached, Serialize, Deserialize, ToSchema)]
#[cached(projection = "organization-user")]
#[allow(missing_docs, reason = "the fields are the columns")]
pub struct Membership {
    /// The organization's.
    #[cached(column = "organization_id")]
    pub id: i64,
    #[cached(from = "organization.name")]
    pub name: String,
    #[cached(from = "organization.shortcode")]
    pub shortcode: String,
    pub role: String,
}

impl Resource for User {
    const TABLE: Table = Table {
        name: "user",
        path: "/api/v1/users",
        columns: &[
            Column::line("email").required(),
            Column::line("first_name"),
            Column::line("last_name"),
            Column::line("mobile").nullable(),
            Column::json("config"),
            Column::line("status"),
        ],
    };

    async fn find(cache: &Cache, ids: &[i64]) -> Result<Vec<Found<User>>, Problem> {
        let fetched = User::fetch_many(cache, ids).await?;
        Ok(fetched.into_iter().map(Found::from).collect())
    }

    async fn show(cache: &Cache, id: i64, client: &IfNoneMatch) -> Result<Response, Problem> {
        let fetched = User::fetch_json(cache, id).await?;
        Ok(fetched.respond(client, User::none))
    }

    async fn within(tx: &mut Tx, id: i64) -> Result<Option<Arc<User>>, Problem> {
        Ok(tx.get(id).await?)
    }
}
