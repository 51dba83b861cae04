#[path = "rest/mod.rs"]
mod rest;
use cache_runtime::{Dependencies, Tags, tag};
use rest::*;

// Its comments are found by the article, which only the hook knows.
#[derive(Cached, Serialize, Deserialize)]
#[cached(dependencies("article"))]
struct Digest {
    id: i64,
    text: String,
}

impl Dependencies for Digest {
    fn dependencies(&self, tags: &mut Tags) {
        tags.add(tag!("article#id"), &self.id);
    }
}

serve!(Digest);

fn main() {}
