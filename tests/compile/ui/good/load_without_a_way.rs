#[path = "rest/mod.rs"]
mod rest;
use rest::*;

#[derive(Cached, Serialize, Deserialize)]
struct Volume {
    title: String,
}

// Neither a plio nor a thing that is not there leads to a shelf; and there are two users of a volume.
#[derive(Cached, Serialize, Deserialize)]
#[cached(load)]
struct Shelf {
    id: i64,
    volumes: Vec<Volume>,
    videos: Vec<Video>,
    #[cached(count = "plios")]
    plios: i64,
    #[cached(from = "image")]
    image: String,
}

#[derive(Cached, Serialize, Deserialize)]
#[cached(load)]
struct Review {
    id: i64,
    written_by: User,
    checked_by: User,
    #[cached(from = "user.name")]
    name: String,
}

fn main() {}
