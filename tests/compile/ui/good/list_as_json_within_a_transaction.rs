use cache_runtime::{Cached, Error, Transaction};
use serde::{Deserialize, Serialize};
use sqlx::{Sqlite, SqlitePool};

#[derive(Cached, Serialize, Deserialize)]
#[cached(load, by("sculpture-tag.tag": String))]
struct Sculpture {
    id: i64,
    artist_id: i64,
    r#type: String,
    year: i32,
}

async fn read(tx: &mut Transaction<Sqlite, SqlitePool>) -> Result<(), Error> {
    Sculpture::sculptures(&mut *tx).page(0, 20).await?;
    Sculpture::sculptures(&mut *tx).fetch_json(0, 20).await?;
    Ok(())
}

fn main() {}
