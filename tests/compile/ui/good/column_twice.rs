#[path = "rest/mod.rs"]
mod rest;
use rest::*;

#[derive(Cached, Serialize, Deserialize)]
struct Playlist {
    id: i64,
    #[cached(column = "intro_id")]
    opening: i64,
    intro_id: i64,
}

serve!(Playlist);

fn main() {}
