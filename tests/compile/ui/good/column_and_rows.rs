#[path = "rest/mod.rs"]
mod rest;
use rest::*;

#[derive(Cached, Serialize, Deserialize)]
struct Playlist {
    id: i64,
    #[cached(column = "intro_id", embeds = "video")]
    intro: Option<Video>,
}

serve!(Playlist);

fn main() {}
