use cache_runtime::{Cache, Cached, Error};
use serde::{Deserialize, Serialize};
use sqlx::SqlitePool;

#[derive(Cached, Serialize, Deserialize)]
#[cached(load, by("sculpture-tag.tag": String))]
struct Sculpture {
    id: i64,
    artist_id: i64,
    r#type: String,
    year: i32,
}

async fn read(cache: &Cache<SqlitePool>) -> Result<usize, Error> {
    Sculpture::sculptures_of_artists(cache, 1).count().await
}

fn main() {}
