// The mistake is on `user`, though another model is what makes it one.
use cache_runtime::Cached;
use serde::{Deserialize, Serialize};

#[derive(Cached, Serialize, Deserialize)]
struct User {
    id: i64,
}

#[derive(Cached, Serialize, Deserialize)]
struct Plio {
    id: i64,
    created_by: User,
}

fn main() {}
