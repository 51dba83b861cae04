#[path = "rest/mod.rs"]
mod rest;
use rest::*;

// The creator's organizations are shown, but only a `User` knows which they are.
#[derive(Cached, Serialize, Deserialize)]
struct Plio {
    id: i64,
    uuid: String,
    video: Option<Video>,
    created_by_id: i64,
    items: Vec<Item>,
}

serve!(Plio);
serve_by_uuid!(Plio, PlioLookup);

fn main() {}
