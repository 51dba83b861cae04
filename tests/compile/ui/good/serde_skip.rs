#[path = "rest/mod.rs"]
mod rest;
use rest::*;

#[derive(Cached, Serialize, Deserialize)]
struct Plio {
    #[serde(skip)]
    id: i64,
    uuid: String,
    video: Option<Video>,
    created_by: User,
    #[serde(default, skip_serializing)]
    items: Vec<Item>,
    // Nothing is found by it, and it would be another one all the same.
    #[serde(skip_deserializing)]
    name: String,
    // May come back as it was.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    rank: Option<i64>,
}

serve!(Plio);
serve_by_uuid!(Plio, PlioLookup);

fn main() {}
