use cache_runtime::{Cache, Cached, Error};
use serde::{Deserialize, Serialize};

#[derive(Serialize, Deserialize)]
struct Colour;

#[derive(Cached, Serialize, Deserialize)]
#[cached(load)]
struct Category {
    id: i64,
    colour: Colour,
}

async fn read(cache: &Cache<sqlx::SqlitePool>) -> Result<(), Error> {
    Category::get(cache, 1).await?;
    Ok(())
}

fn main() {}
