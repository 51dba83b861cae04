#[path = "rest/mod.rs"]
mod rest;
use rest::*;

#[derive(Cached, Serialize, Deserialize)]
struct User(i64);

serve!(User);

#[derive(Cached, Serialize, Deserialize)]
struct Video;

fn main() {}
