#[path = "rest/mod.rs"]
mod rest;
use rest::*;

#[derive(Cached, Serialize, Deserialize)]
enum User {
    Known,
}

serve!(User);

#[derive(Cached)]
union Video {
    id: i64,
}

fn main() {}
