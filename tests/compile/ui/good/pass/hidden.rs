//! What is hidden, and the names that serde gives to it.
#![deny(warnings)]

use std::sync::Arc;

use cache_runtime::{Cached, Json};
use serde::{Deserialize, Serialize};

#[derive(Cached, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Item {
    id: i64,
    #[cached(hidden)]
    plio_id: i64,
    #[cached(hidden)]
    #[serde(rename = "kind")]
    r#type: String,
    #[serde(flatten)]
    details: Option<Question>,
}

#[derive(Cached, Serialize, Deserialize)]
struct Question {
    #[cached(hidden)]
    item_id: i64,
    text: String,
    image: Option<Box<Image>>,
}

/// As the row that it holds.
#[derive(Cached, Serialize, Deserialize)]
#[cached(projection = "image")]
#[serde(transparent)]
struct Picture {
    #[cached(embeds = "image")]
    row: Image,
}

#[derive(Cached, Serialize, Deserialize)]
struct Image {
    #[cached(hidden)]
    id: i64,
    url: String,
}

#[derive(Cached, Serialize, Deserialize)]
#[cached(projection = "organization-user")]
struct Membership {
    #[cached(hidden)]
    organization_id: i64,
    name: String,
}

#[derive(Cached, Serialize, Deserialize)]
struct User {
    #[cached(hidden)]
    id: i64,
    #[cached(embeds = "organization-user")]
    organizations: Vec<Membership>,
}

#[derive(Cached, Serialize, Deserialize)]
struct Plio {
    id: i64,
    #[cached(hidden)]
    uuid: String,
    #[cached(hidden)]
    video: Option<Video>,
    created_by: Arc<User>,
    items: Vec<Option<Item>>,
    config: serde_json::Value,
}

#[derive(Cached, Serialize, Deserialize)]
struct Video {
    id: i64,
}

#[derive(Cached, Serialize, Deserialize)]
struct Category {
    #[cached(hidden)]
    id: i64,
    #[cached(hidden)]
    parent_id: Option<i64>,
    name: String,
    children: Vec<Category>,
}

/// In MessagePack, and so never answered as JSON by itself.
#[derive(Cached, Serialize, Deserialize)]
struct Room {
    #[cached(hidden)]
    tenant: i64,
    id: i64,
    #[cached(hidden)]
    owner_id: i64,
}

fn main() {
    let image = || Image { id: 1, url: "a.png".to_owned() };
    let question = Question { item_id: 7, text: "Why?".to_owned(), image: Some(Box::new(image())) };
    let item = Item { id: 7, plio_id: 8, r#type: "question".to_owned(), details: Some(question) };
    let membership = Membership { organization_id: 3, name: "plio".to_owned() };
    let plio = Plio {
        id: 8,
        uuid: "u".to_owned(),
        video: Some(Video { id: 5 }),
        created_by: Arc::new(User { id: 2, organizations: vec![membership] }),
        items: vec![Some(item), None],
        config: serde_json::json!({"id": 1, "uuid": "not a column"}),
    };
    is_shown(
        Json::shown(&plio),
        r#"{"id":8,"created_by":{"organizations":[{"name":"plio"}]},"items":[{"id":7,"text":"Why?","image":{"url":"a.png"}},null],"config":{"id":1,"uuid":"not a column"}}"#,
    );
    is_shown(Json::shown(&plio.created_by), r#"{"organizations":[{"name":"plio"}]}"#);
    is_shown(Json::shown(&Picture { row: image() }), r#"{"url":"a.png"}"#);
    let child = Category { id: 2, parent_id: Some(1), name: "b".to_owned(), children: Vec::new() };
    let tree = Category { id: 1, parent_id: None, name: "a".to_owned(), children: vec![child] };
    is_shown(Json::shown(&tree), r#"{"name":"a","children":[{"name":"b","children":[]}]}"#);
    is_shown(Json::shown(&Room { tenant: 1, id: 2, owner_id: 3 }), r#"{"id":2}"#);
}

fn is_shown(json: Result<Json, cache_runtime::BoxError>, expected: &str) {
    assert_eq!(json.expect("JSON").bytes(), expected);
}
