#[path = "rest/mod.rs"]
mod rest;
use rest::*;

#[derive(Cached, Serialize, Deserialize)]
#[cached(modle = "user")]
struct User {
    id: i64,
    #[cached(embed = "organization-user")]
    organizations: Vec<Membership>,
    #[cached(default)]
    name: String,
    #[cached(serde::skip)]
    email: String,
}

serve!(User);

fn main() {}
