#[path = "rest/mod.rs"]
mod rest;
use rest::*;

// A review has two references to users, and these are the users of one.
#[derive(Cached, Serialize, Deserialize)]
struct Review {
    id: i64,
    checked_by: User,
    author: String,
}

serve!(Review);

fn main() {}
