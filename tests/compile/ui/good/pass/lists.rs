//! Lists: of all rows, by a column, by several, over a join table; their keys take what is natural,
//! and say of which type they are.

use std::sync::Arc;

use cache_runtime::{Cache, Cached, Error, Reader};
use serde::{Deserialize, Serialize};
use sqlx::SqlitePool;

#[derive(Cached, Serialize, Deserialize)]
struct Artist {
    id: i32,
}

#[derive(Cached, Serialize, Deserialize)]
#[cached(load, by("sculpture-tag.tag": Box<str>, "type": String))]
struct Sculpture {
    id: i64,
    /// The key of the list of an artist is this one's id.
    artist: Artist,
    year: i32,
}

async fn read<R: Reader<Source = SqlitePool> + Copy>(from: R) -> Result<usize, Error> {
    let all: Vec<Arc<Sculpture>> = Sculpture::sculptures(from).page(0, 20).await?;
    let ids: Vec<i64> = Sculpture::sculptures_of_artist(from, 7_i32).ids().await?;
    let typed = Sculpture::sculptures_by_type(from, "bust", 1900).count().await?;
    let tagged = Sculpture::sculptures_by_tag(from, "bronze").after(3, 10).await?;
    Ok(all.len() + ids.len() + typed + tagged.len())
}

fn main() {
    let _ = |cache: Cache<SqlitePool>| async move { read(&cache).await };
}
