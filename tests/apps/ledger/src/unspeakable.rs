//! A value that cannot be encoded.

use cache_runtime::{BoxError, Cached, Load, LoadContext};
use serde::ser::Error;
use serde::{Deserialize, Serialize, Serializer};
use sqlx::{FromRow, Pool};

use crate::{Base, rows};

/// A note whose `Serialize` panics, or, of a note without a slug, fails.
#[derive(Debug, Cached, Deserialize, FromRow)]
#[cached(model = "note")]
#[allow(missing_docs, reason = "the fields are the columns")]
pub struct Unspeakable {
    pub id: String,
    pub slug: Option<String>,
    pub text: String,
}

impl Serialize for Unspeakable {
    fn serialize<S: Serializer>(&self, _: S) -> Result<S::Ok, S::Error> {
        match self.slug {
            Some(_) => panic!("{} is not to be told", self.id),
            None => Err(S::Error::custom("it is not to be told")),
        }
    }
}

impl<DB: Base> Load<Pool<DB>> for Unspeakable {
    async fn load(
        cx: &LoadContext<Pool<DB>>,
        ids: &[String],
    ) -> Result<Vec<Unspeakable>, BoxError> {
        let sql = "SELECT id, slug, text FROM note WHERE id = $1";
        rows(cx, sql, ids.iter().map(|id| vec![id.into()])).await
    }
}
