#[path = "rest/mod.rs"]
mod rest;
use rest::*;

#[derive(Cached, Serialize, Deserialize)]
struct Account {
    id: serde_json::Value,
}

fn main() {}
