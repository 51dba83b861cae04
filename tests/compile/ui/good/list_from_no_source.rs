use cache_runtime::{BoxError, Cache, Cached, Error, Load, LoadContext};
use serde::{Deserialize, Serialize};

#[derive(Cached, Serialize, Deserialize)]
#[cached(by("sculpture-tag.tag": String))]
struct Sculpture {
    id: i64,
    artist_id: i64,
    r#type: String,
    year: i32,
}

struct Db;

impl Load<Db> for Sculpture {
    async fn load(_: &LoadContext<Db>, _: &[i64]) -> Result<Vec<Sculpture>, BoxError> {
        Ok(Vec::new())
    }
}

async fn read(cache: &Cache<Db>) -> Result<usize, Error> {
    let page = Sculpture::sculptures_by_tag(cache, "bronze").page(0, 20).await?;
    Ok(page.len())
}

fn main() {}
