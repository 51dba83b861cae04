#[path = "rest/mod.rs"]
mod rest;
use rest::*;

#[derive(Serialize, Deserialize)]
struct Config {
    #[cached(hidden)]
    secret: String,
}

#[derive(Cached, Serialize, Deserialize)]
struct Account {
    id: i64,
    config: Config,
}

serve!(Account);

fn main() {}
