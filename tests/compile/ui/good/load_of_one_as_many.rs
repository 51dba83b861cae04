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
    owner: Vec<User>,
    #[cached(order_by = "name")]
    owner_id: i64,
    volumes: Vec<Option<Volume>>,
    #[cached(count = "user")]
    owners: i64,
    #[cached(count = "volume", order_by = "title")]
    count: i64,
}

fn main() {}
