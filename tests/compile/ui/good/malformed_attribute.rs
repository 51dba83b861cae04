#[path = "rest/mod.rs"]
mod rest;
use rest::*;

#[derive(Cached, Serialize, Deserialize)]
#[cached]
struct Image {
    id: i64,
}

#[derive(Cached, Serialize, Deserialize)]
#[cached = "video"]
struct Video {
    id: i64,
}

#[derive(Cached, Serialize, Deserialize)]
#[cached(model("user"), crate = "not a path")]
struct User {
    #[cached(column = id)]
    id: i64,
    #[cached(embeds = "organization-user", embeds = "organization-user")]
    organizations: Vec<Membership>,
}

#[derive(Cached, Serialize, Deserialize)]
#[cached(dependencies = "organization")]
struct Invoice {
    id: i64,
    organization_id: i64,
}

#[derive(Cached, Serialize, Deserialize)]
#[cached(crate = "not a path")]
struct Account {
    id: i64,
}

fn main() {}
