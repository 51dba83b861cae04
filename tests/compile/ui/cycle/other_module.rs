// The mistake is in `cache.toml`: the struct whose model it is in says it in full, the others only
// where it is, and what is done with them compiles.
use std::sync::Arc;

use cache_runtime::{BoxError, Cache, Cached, Error, Find, Load, LoadContext};
use serde::{Deserialize, Serialize};

use models::{Plio, PlioLookup};

struct Db;

#[derive(Cached, Serialize, Deserialize)]
struct Video {
    id: i64,
}

#[derive(Cached, Serialize, Deserialize)]
struct User {
    id: i64,
}

#[derive(Cached, Serialize, Deserialize)]
struct Item {
    id: i64,
}

// Not one that a value could be made from.
#[derive(Cached)]
struct PlioOfUser {
    user_id: i64,
}

mod models {
    use std::sync::Arc;

    use cache_runtime::Cached;
    use serde::{Deserialize, Serialize};

    use super::{Item, User, Video};

    #[derive(Cached, Serialize, Deserialize)]
    pub struct Plio {
        id: i64,
        uuid: String,
        video: Option<Video>,
        created_by: Arc<User>,
        items: Vec<Item>,
    }
}

impl Load<Db> for Plio {
    async fn load(_: &LoadContext<Db>, ids: &[i64]) -> Result<Vec<Plio>, BoxError> {
        let _: Option<&i64> = ids.first();
        Ok(Vec::new())
    }
}

impl Load<Db> for User {
    async fn load(cx: &LoadContext<Db>, _: &[i64]) -> Result<Vec<User>, BoxError> {
        let _: Option<Arc<Plio>> = cx.get::<Plio>(1).await?;
        Ok(Vec::new())
    }
}

impl Find<Db> for Plio {
    async fn find(_: &LoadContext<Db>, by: &PlioLookup) -> Result<Option<i64>, BoxError> {
        match by {
            PlioLookup::Uuid(uuid) => Ok(uuid.parse().ok()),
        }
    }
}

async fn handler(cache: &Cache<Db>) -> Result<String, Error> {
    let _: Option<Arc<Plio>> = Plio::get(cache, 1).await?;
    let _: Vec<Option<Arc<User>>> = User::get_many(cache, &[1]).await?;
    let _: Option<Arc<Plio>> = Plio::get_by_uuid(cache, "a").await?;
    let fetched = Plio::fetch(cache, 1).await?;
    Ok(fetched.status.to_string() + &Plio::key(1))
}

fn main() {
    let _ = handler;
}
