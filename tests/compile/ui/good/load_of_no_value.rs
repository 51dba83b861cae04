use cache_runtime::Cached;
use serde::{Deserialize, Serialize};

// It has no key.
#[derive(Cached, Serialize, Deserialize)]
#[cached(load)]
struct Video {
    id: i64,
}

#[derive(Cached, Serialize, Deserialize)]
#[cached(projection = "organization", load)]
struct Name {
    name: String,
}

fn main() {}
