#[path = "rest/mod.rs"]
mod rest;
use rest::*;

#[derive(Cached, Serialize, Deserialize)]
struct Plio {
    id: i64,
    uuid: String,
    video: Option<Video>,
    created_by: User,
    items: Vec<Item>,
}

serve!(Plio);

async fn handler(cache: &Cache<Db>) -> Result<(), Error> {
    Plio::get_by_uuid(cache, "a").await?;
    Ok(())
}

fn main() {}
