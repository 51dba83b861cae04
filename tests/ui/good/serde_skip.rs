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
    // Nothing is found by it.
    #[serde(skip)]
    name: String,
}

serve!(Plio);
serve_by_uuid!(Plio, PlioLookup);

fn main() {}
