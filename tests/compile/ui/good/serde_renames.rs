#[path = "rest/mod.rs"]
mod rest;
use rest::*;

#[derive(Cached, Serialize, Deserialize)]
#[serde(rename_all(serialize = "camelCase"))]
struct Plio {
    id: i64,
    #[serde(rename(serialize = "publicId"))]
    uuid: String,
    #[serde(rename(deserialize = "film"))]
    video: Option<Video>,
    created_by: User,
    // Both are read by what they are written as.
    #[serde(rename(serialize = "parts"), alias = "parts")]
    items: Vec<Item>,
    #[serde(rename = "title")]
    name: String,
}

serve!(Plio);
serve_by_uuid!(Plio, PlioLookup);

fn main() {}
