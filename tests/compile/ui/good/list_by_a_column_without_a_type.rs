use cache_runtime::Cached;
use serde::{Deserialize, Serialize};

#[derive(Cached, Serialize, Deserialize)]
struct Sculpture {
    id: i64,
    artist_id: i64,
    year: i32,
}

fn main() {}
