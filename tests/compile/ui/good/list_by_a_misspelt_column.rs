use cache_runtime::Cached;
use serde::{Deserialize, Serialize};

#[derive(Cached, Serialize, Deserialize)]
#[cached(by("sculpture_tag.tag": String, "colour": String))]
struct Sculpture {
    id: i64,
    artist_id: i64,
    r#type: String,
    year: i32,
}

fn main() {}
