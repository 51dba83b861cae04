#[path = "rest/mod.rs"]
mod rest;
use rest::*;

#[derive(Cached, Serialize, Deserialize)]
#[cached(dependencies("organization"))]
struct Invoice {
    id: i64,
    total: i64,
}

serve!(Invoice);

fn main() {}
