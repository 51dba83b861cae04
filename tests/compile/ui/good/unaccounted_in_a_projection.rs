#[path = "rest/mod.rs"]
mod rest;
use rest::*;

// Which organizations they are, a role does not say; nobody minds until a value is built from them.
#[derive(Cached, Serialize, Deserialize)]
#[cached(projection = "organization-user")]
struct Role {
    role: String,
}

#[derive(Cached, Serialize, Deserialize)]
#[cached(model = "user")]
struct Person {
    id: i64,
    #[cached(embeds = "organization-user")]
    roles: Vec<Role>,
}

serve!(Person);

fn main() {}
