#[path = "rest/mod.rs"]
mod rest;
use rest::{Cached, Deserialize, Serialize, User, Video, serve, serve_by_uuid};

#[derive(Serialize, Deserialize)]
struct Item {
    id: i64,
}

#[derive(Cached, Serialize, Deserialize)]
struct Plio {
    id: i64,
    uuid: String,
    video: Option<Video>,
    created_by: User,
    items: Vec<Item>,
}

serve!(Plio);
serve_by_uuid!(Plio, PlioLookup);

fn main() {}
