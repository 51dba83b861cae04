use cache_runtime::Cached;
use serde::{Deserialize, Serialize};

#[derive(Cached, Serialize, Deserialize)]
#[cached(by("sculpture-tag.tag": String))]
struct Sculpture {
    id: i64,
    artist_id: i64,
    r#type: String,
    year: f64,
}

fn main() {}
