#[path = "rest/mod.rs"]
mod rest;
use rest::*;

#[derive(Cached, Serialize, Deserialize)]
struct Plio {
    id: i64,
    uuid: String,
    #[cached(embeds = "video")]
    video: Option<Image>,
    created_by: User,
    items: Vec<Item>,
}

serve!(Plio);
serve_by_uuid!(Plio, PlioLookup);

fn main() {}
