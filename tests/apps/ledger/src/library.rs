//! A list whose loader leaves out what is there: the row of a
//! shelf that is empty, or whose room is gone.

use cache_runtime::{BoxError, Cached, Load, LoadContext};
use serde::{Deserialize, Serialize};
use sqlx::{FromRow, Pool};

use crate::{Base, Value, rows};

/// The volumes on it, of which there is one at least.
#[derive(Clone, Debug, PartialEq, Cached, Serialize, Deserialize, FromRow)]
#[allow(missing_docs, reason = "the fields are the columns")]
pub struct Shelf {
    pub id: i64,
    pub room_id: i64,
    #[sqlx(skip)]
    pub volumes: Vec<Volume>,
}

/// One of them.
#[derive(Clone, Debug, PartialEq, Cached, Serialize, Deserialize, FromRow)]
#[allow(missing_docs, reason = "the fields are the columns")]
pub struct Volume {
    pub shelf_id: i64,
    pub title: String,
}

impl<DB: Base> Load<Pool<DB>> for Shelf {
    async fn load(cx: &LoadContext<Pool<DB>>, ids: &[i64]) -> Result<Vec<Shelf>, BoxError> {
        let sql = "SELECT shelf.id, room_id FROM shelf JOIN room ON room.id = room_id WHERE shelf.id = $1";
        let mut shelves: Vec<Shelf> =
            rows(cx, sql, ids.iter().map(|id| vec![Value::from(*id)])).await?;
        for shelf in &mut shelves {
            let sql = "SELECT shelf_id, title FROM volume WHERE shelf_id = $1 ORDER BY id";
            shelf.volumes = rows(cx, sql, [vec![Value::from(shelf.id)]]).await?;
        }
        shelves.retain(|shelf| !shelf.volumes.is_empty());
        Ok(shelves)
    }
}
