#[path = "rest/mod.rs"]
mod rest;
use rest::*;

#[derive(Cached, Serialize, Deserialize)]
#[cached(projection = "video")]
struct Title {
    title: String,
}

// A clip has one video, but neither of the two says which.
#[derive(Cached, Serialize, Deserialize)]
struct Clip {
    id: i64,
    #[cached(embeds = "video")]
    title: Option<Title>,
}

fn main() {}
