use cache_runtime::Cached;
use serde::{Deserialize, Serialize};

#[derive(Cached, Serialize, Deserialize)]
#[cached(filter(is_gone = false))]
struct Genre {
    id: i64,
}

#[derive(Cached, Serialize, Deserialize)]
struct Scene {
    id: i64,
    #[cached(count = "take")]
    takes: i64,
}

// A genre may come back, and nothing here says which.
#[derive(Cached, Serialize, Deserialize)]
#[cached(load)]
struct Film {
    id: i64,
    studio_id: i64,
    scenes: Vec<Scene>,
    genres: Vec<Genre>,
}

// Its scene counts its takes, on which it does not depend.
#[derive(Cached, Serialize, Deserialize)]
#[cached(load)]
struct Trailer {
    id: i64,
    scene: Scene,
}

fn main() {}
