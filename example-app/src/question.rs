//! Questions: what an item asks.

use std::sync::Arc;

use cache_runtime::Cached;
use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use utoipa::ToSchema;

use crate::db::Tx;
use crate::problem::Problem;
use crate::resource::{Column, Found, Resource, Table, row_within, rows};
use crate::{Cache, Image};

/// A question inside a plio, with its image.
#[derive(Clone, Debug, Cached, Serialize, Deserialize, ToSchema, sqlx::FromRow)]
#[schema(as = PlioQuestion)]
#[allow(missing_docs, reason = "the fields are the columns")]
pub struct Question {
    pub id: i64,
    #[serde(rename = "item")]
    pub item_id: i64,
    pub r#type: String,
    pub text: String,
    #[sqlx(json(nullable))]
    pub options: Option<Value>,
    #[sqlx(json(nullable))]
    pub correct_answer: Option<Value>,
    pub survey: bool,
    /// From another table.
    #[sqlx(skip)]
    pub image: Option<Image>,
    pub has_char_limit: bool,
    pub max_char_limit: Option<i64>,
    pub created_at: DateTime<Utc>,
    pub updated_at: DateTime<Utc>,
}

/// A question by itself, as the table holds it.
#[derive(Debug, Serialize, ToSchema, sqlx::FromRow)]
#[schema(as = Question)]
pub(crate) struct QuestionRow {
    id: i64,
    #[serde(rename = "item")]
    item_id: i64,
    r#type: String,
    text: String,
    #[sqlx(json(nullable))]
    options: Option<Value>,
    #[sqlx(json(nullable))]
    correct_answer: Option<Value>,
    survey: bool,
    #[serde(rename = "image")]
    image_id: Option<i64>,
    has_char_limit: bool,
    max_char_limit: Option<i64>,
    created_at: DateTime<Utc>,
    updated_at: DateTime<Utc>,
}

impl Resource for QuestionRow {
    const TABLE: Table = Table {
        name: "question",
        path: "/api/v1/questions",
        columns: &[
            Column::reference("item", "item").required(),
            Column::line("type"),
            Column::text("text"),
            Column::json("options"),
            Column::json("correct_answer"),
            Column::boolean("survey"),
            Column::reference("image", "image").nullable(),
            Column::boolean("has_char_limit"),
            Column::integer("max_char_limit").nullable(),
        ],
    };

    async fn find(cache: &Cache, ids: &[i64]) -> Result<Vec<Found<QuestionRow>>, Problem> {
        rows(cache, ids).await
    }

    async fn within(tx: &mut Tx, id: i64) -> Result<Option<Arc<QuestionRow>>, Problem> {
        row_within(tx, id).await
    }
}
