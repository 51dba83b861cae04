//! Items: what happens at a moment of a plio.

use std::sync::Arc;

use cache_runtime::Cached;
use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use utoipa::ToSchema;

use crate::db::Tx;
use crate::problem::Problem;
use crate::resource::{Column, Found, Resource, Table, row_within, rows};
use crate::{Cache, Question, Seconds};

/// An item inside a plio, with its question.
#[derive(Clone, Debug, Cached, Serialize, Deserialize, ToSchema, sqlx::FromRow)]
#[schema(as = PlioItem)]
#[allow(missing_docs, reason = "the fields are the columns")]
pub struct Item {
    pub id: i64,
    #[serde(rename = "plio")]
    pub plio_id: i64,
    pub r#type: String,
    pub time: Seconds,
    #[sqlx(json(nullable))]
    pub meta: Option<Value>,
    /// Its question, from another table; `{}` in JSON without one.
    #[sqlx(skip)]
    #[serde(with = "details")]
    #[schema(schema_with = details::schema)]
    pub details: Option<Question>,
    pub created_at: DateTime<Utc>,
    pub updated_at: DateTime<Utc>,
}

/// An item by itself, as the table holds it.
#[derive(Debug, Serialize, ToSchema, sqlx::FromRow)]
#[schema(as = Item)]
pub(crate) struct ItemRow {
    id: i64,
    #[serde(rename = "plio")]
    plio_id: i64,
    r#type: String,
    time: Seconds,
    #[sqlx(json(nullable))]
    meta: Option<Value>,
    created_at: DateTime<Utc>,
    updated_at: DateTime<Utc>,
}

impl Resource for ItemRow {
    const TABLE: Table = Table {
        name: "item",
        path: "/api/v1/items",
        columns: &[
            Column::reference("plio", "plio").required(),
            Column::line("type"),
            Column::number("time"),
            Column::json("meta"),
        ],
    };

    async fn find(cache: &Cache, ids: &[i64]) -> Result<Vec<Found<ItemRow>>, Problem> {
        rows(cache, ids).await
    }

    async fn within(tx: &mut Tx, id: i64) -> Result<Option<Arc<ItemRow>>, Problem> {
        row_within(tx, id).await
    }
}

/// Plio's API says `{}` where there is no question.
mod details {
    use serde::ser::SerializeMap;
    use serde::{Deserialize, Deserializer, Serialize, Serializer};
    use utoipa::ToSchema;
    use utoipa::openapi::schema::AdditionalProperties::FreeForm;
    use utoipa::openapi::{ObjectBuilder, OneOf, Ref, Schema};

    use crate::Question;

    pub(super) fn serialize<S: Serializer>(
        question: &Option<Question>,
        serializer: S,
    ) -> Result<S::Ok, S::Error> {
        match question {
            Some(question) => question.serialize(serializer),
            None => serializer.serialize_map(Some(0))?.end(),
        }
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(
        deserializer: D,
    ) -> Result<Option<Question>, D::Error> {
        Ok(match Details::deserialize(deserializer)? {
            Details::Some(question) => Some(*question),
            Details::None(Nothing {}) => None,
        })
    }

    #[derive(Deserialize)]
    #[serde(untagged)]
    enum Details {
        Some(Box<Question>),
        None(Nothing),
    }

    pub(super) fn schema() -> Schema {
        let nothing = ObjectBuilder::new().additional_properties(Some(FreeForm(false)));
        OneOf::builder().item(nothing).item(Ref::from_schema_name(Question::name())).build().into()
    }

    // Without this a damaged question would pass for none.
    #[derive(Deserialize)]
    #[serde(deny_unknown_fields)]
    struct Nothing {}
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::Item;

    fn item(details: Value) -> Value {
        let time = "2026-01-01T00:00:00Z";
        json!({
            "id": 1, "plio": 2, "type": "question", "time": 42, "meta": null, "details": details,
            "created_at": time, "updated_at": time,
        })
    }

    #[test]
    fn an_item_without_a_question_is_read_back_as_it_was_sent() {
        let sent = item(json!({}));
        let read: Item = serde_json::from_value(sent.clone()).expect("an item");
        assert!(read.details.is_none());
        assert_eq!(json!(read), sent);
    }

    #[test]
    fn a_damaged_question_does_not_pass_for_none() {
        assert!(serde_json::from_value::<Item>(item(json!({"id": 3}))).is_err());
    }
}
