#[path = "rest/mod.rs"]
mod rest;
use rest::*;

#[derive(Cached, Serialize, Deserialize)]
#[cached(model = "user", projection = "user")]
struct Creator {
    id: i64,
    #[cached(embeds = "organization-user")]
    organizations: Vec<Membership>,
}

fn main() {}
