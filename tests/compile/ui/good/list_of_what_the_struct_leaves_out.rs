use cache_runtime::Cached;
use serde::{Deserialize, Serialize};

#[derive(Cached, Serialize, Deserialize)]
#[cached(load, by("sculpture-tag.tag": String), filter(is_lost = false))]
struct Sculpture {
    id: i64,
    artist_id: i64,
    r#type: String,
    year: i32,
}

fn main() {}
