use cache_runtime::{Cache, Cached, Error};
use serde::{Deserialize, Serialize};

#[derive(Cached, Serialize, Deserialize)]
#[cached(load)]
struct Category {
    id: i64,
}

struct Db;

async fn read(cache: &Cache<Db>) -> Result<(), Error> {
    Category::get(cache, 1).await?;
    Ok(())
}

fn main() {}
