#[path = "rest/mod.rs"]
mod rest;
use rest::*;

#[derive(Cached, Serialize, Deserialize)]
struct Account {
    id: Vec<u8>,
}

fn main() {}
