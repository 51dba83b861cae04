//! Plios, a cached noun: a video with questions at some of its moments.

mod duplicate;
mod lists;
mod routes;

use std::sync::Arc;

use axum::response::Response;
use cache_runtime::{Cached, IfNoneMatch};
use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use utoipa::ToSchema;

pub(crate) use self::routes::routes;
use crate::db::Tx;
use crate::problem::Problem;
use crate::resource::{Column, Found, Resource, Table};
use crate::{Cache, Item, User, Video};

/// A plio with everything that a player needs.
#[derive(Clone, Debug, Cached, Serialize, Deserialize, ToSchema)]
#[cached(load, by("organization-user.organization_id": i64))]
#[allow(missing_docs, reason = "the fields are the columns")]
pub struct Plio {
    pub id: i64,
    pub uuid: String,
    pub name: String,
    pub video: Option<Video>,
    pub created_by: Arc<User>,
    pub status: String,
    pub is_public: bool,
    pub failsafe_url: String,
    #[sqlx(json(nullable))]
    pub config: Option<Value>,
    /// In the order of their time.
    #[cached(order_by = "time")]
    pub items: Vec<Item>,
    pub created_at: DateTime<Utc>,
    pub updated_at: DateTime<Utc>,
}

impl Resource for Plio {
    const TABLE: Table = Table {
        name: "plio",
        path: "/api/v1/plios",
        columns: &[
            Column::line("name"),
            Column::reference("video", "video").nullable(),
            Column::reference("created_by", "user").required(),
            Column::line("status"),
            Column::boolean("is_public"),
            Column::url("failsafe_url"),
            Column::json("config"),
        ],
    };

    async fn find(cache: &Cache, ids: &[i64]) -> Result<Vec<Found<Plio>>, Problem> {
        let fetched = Plio::fetch_many(cache, ids).await?;
        Ok(fetched.into_iter().map(Found::from).collect())
    }

    async fn show(cache: &Cache, id: i64, client: &IfNoneMatch) -> Result<Response, Problem> {
        let fetched = Plio::fetch_json(cache, id).await?;
        Ok(fetched.respond(client, Plio::none))
    }

    async fn within(tx: &mut Tx, id: i64) -> Result<Option<Arc<Plio>>, Problem> {
        Ok(tx.get(id).await?)
    }
}
