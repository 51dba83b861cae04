#[path = "rest/mod.rs"]
mod rest;
use rest::*;

#[derive(Cached, Serialize, Deserialize)]
#[cached(embeds = "organization-user")]
struct User {
    id: i64,
    #[cached(projection = "organization-user")]
    organizations: Vec<Membership>,
}

serve!(User);

fn main() {}
