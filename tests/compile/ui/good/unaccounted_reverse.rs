#[path = "rest/mod.rs"]
mod rest;
use rest::*;

#[derive(Cached, Serialize, Deserialize)]
struct Plio {
    id: i64,
    uuid: String,
    video: Option<Video>,
    created_by: User,
    number_of_items: i64,
}

serve!(Plio);
serve_by_uuid!(Plio, PlioLookup);

fn main() {}
