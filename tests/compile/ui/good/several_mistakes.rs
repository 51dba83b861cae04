#[path = "rest/mod.rs"]
mod rest;
use rest::*;

// Each is said, at once.
#[derive(Cached, Serialize, Deserialize)]
struct Plio {
    uuid: String,
    #[cached(colum = "video_id")]
    video: Option<i64>,
    #[serde(skip)]
    items: Vec<Item>,
}

serve!(Plio);
serve_by_uuid!(Plio, PlioLookup);

fn main() {}
