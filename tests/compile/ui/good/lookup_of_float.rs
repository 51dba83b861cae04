#[path = "rest/mod.rs"]
mod rest;
use rest::*;

#[derive(Cached, Serialize, Deserialize)]
struct Plio {
    id: i64,
    uuid: f64,
    video: Option<Video>,
    created_by: User,
    items: Vec<Item>,
}

serve!(Plio);

fn main() {}
