#[path = "rest/mod.rs"]
mod rest;
use rest::*;

#[derive(Cached, Serialize, Deserialize)]
struct Odd {
    id: i64,
    _1: String,
}

serve!(Odd);

fn main() {}
