#[path = "rest/mod.rs"]
mod rest;
use rest::{Cached, Deserialize, Serialize, serve};

// Not the rows that a playlist depends on.
#[derive(Cached, Serialize, Deserialize)]
#[cached(model = "image")]
struct Video {
    id: i64,
}

#[derive(Cached, Serialize, Deserialize)]
struct Playlist {
    id: i64,
    intro: Option<Video>,
}

serve!(Playlist);

fn main() {}
