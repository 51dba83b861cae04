#[path = "rest/mod.rs"]
mod rest;
use rest::*;

#[derive(Cached, Serialize, Deserialize)]
#[cached(model = "organisation")]
struct Company {
    id: i64,
}

fn main() {}
