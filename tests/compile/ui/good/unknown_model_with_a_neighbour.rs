#[path = "rest/mod.rs"]
mod rest;
use rest::*;

#[derive(Cached, Serialize, Deserialize)]
struct Pilo {
    id: i64,
    uuid: String,
}

serve!(Pilo);
serve_by_uuid!(Pilo, PiloLookup);

fn main() {}
