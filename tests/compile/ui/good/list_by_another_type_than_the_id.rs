use cache_runtime::Cached;
use serde::{Deserialize, Serialize};

#[derive(Cached, Serialize, Deserialize)]
struct Artist {
    id: i64,
}

#[derive(Cached, Serialize, Deserialize)]
#[cached(by("sculpture-tag.tag": String, "artist_id": String))]
struct Sculpture {
    id: i64,
    artist: Artist,
    r#type: String,
    year: i32,
}

fn main() {}
