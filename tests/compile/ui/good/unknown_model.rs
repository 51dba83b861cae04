#[path = "rest/mod.rs"]
mod rest;
use rest::*;

#[derive(Cached, Serialize, Deserialize)]
struct Banana {
    id: i64,
}

serve!(Banana);

fn main() {}
