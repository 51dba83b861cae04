#[path = "rest/mod.rs"]
mod rest;
use rest::*;

#[derive(Cached, Serialize, Deserialize)]
struct Volume {
    title: String,
}

#[derive(Cached, Serialize, Deserialize)]
#[cached(load)]
struct Shelf {
    id: i64,
    #[cached(order_by = "title DESC, id")]
    volumes: Vec<Volume>,
    #[cached(count = "volume", filter(wear = 3))]
    worn: i64,
    #[cached(from = "volume.title", filter(title = 1.5))]
    titles: Vec<String>,
}

fn main() {}
