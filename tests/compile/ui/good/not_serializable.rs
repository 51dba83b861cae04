#[path = "rest/mod.rs"]
mod rest;
use rest::*;

#[derive(Cached, Serialize)]
struct Account {
    id: i64,
}

serve!(Account);

fn main() {}
