#[path = "rest/mod.rs"]
mod rest;
use rest::*;

#[derive(Cached, Serialize, Deserialize)]
#[cached(projection = "organization-user")]
struct Role {
    role: String,
}

fn main() {}
