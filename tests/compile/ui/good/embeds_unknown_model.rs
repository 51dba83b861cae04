#[path = "rest/mod.rs"]
mod rest;
use rest::*;

#[derive(Cached, Serialize, Deserialize)]
struct Plio {
    id: i64,
    uuid: String,
    video: Option<Video>,
    created_by: User,
    #[cached(embeds = "itme")]
    items: Vec<Item>,
}

serve!(Plio);
serve_by_uuid!(Plio, PlioLookup);

fn main() {}
