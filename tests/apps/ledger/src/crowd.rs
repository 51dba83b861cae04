//! Values that may be too large to be stored, depend on too much,
//! or do not come back as they were stored.

use cache_runtime::{BoxError, Cached, Load, LoadContext};
use serde::{Deserialize, Serialize};
use sqlx::{FromRow, Pool};

use crate::{Base, Note, Value, rows};

/// Its members, each of whom may wear a badge.
#[derive(Clone, Debug, PartialEq, Cached, Serialize, Deserialize, FromRow)]
#[allow(missing_docs, reason = "the fields are the columns")]
pub struct Crowd {
    pub id: i64,
    #[sqlx(skip)]
    pub members: Vec<Member>,
}

/// One of them.
#[derive(Clone, Debug, PartialEq, Cached, Serialize, Deserialize, FromRow)]
#[allow(missing_docs, reason = "the fields are the columns")]
pub struct Member {
    pub id: i64,
    pub crowd_id: i64,
    pub about: String,
    #[sqlx(skip)]
    pub badges: Vec<Badge>,
}

/// Nobody has one yet.
#[derive(Clone, Debug, PartialEq, Cached, Serialize, Deserialize, FromRow)]
#[allow(missing_docs, reason = "the fields are the columns")]
pub struct Badge {
    pub member_id: i64,
}

impl<DB: Base> Load<Pool<DB>> for Crowd {
    async fn load(cx: &LoadContext<Pool<DB>>, ids: &[i64]) -> Result<Vec<Crowd>, BoxError> {
        let sql = "SELECT id FROM crowd WHERE id = $1";
        let mut crowds: Vec<Crowd> =
            rows(cx, sql, ids.iter().map(|id| vec![Value::from(*id)])).await?;
        for crowd in &mut crowds {
            let sql = "SELECT id, crowd_id, about FROM member WHERE crowd_id = $1 ORDER BY id";
            crowd.members = rows(cx, sql, [vec![Value::from(crowd.id)]]).await?;
        }
        Ok(crowds)
    }
}

/// A note that its text makes one that JSON takes and does not give back.
#[derive(Clone, Debug, Cached, Serialize, Deserialize)]
#[cached(model = "note")]
#[allow(missing_docs, reason = "the fields are the columns, and what is odd about them")]
pub struct OddNote {
    pub id: String,
    pub slug: Option<String>,
    pub number: f64,
    pub nested: Option<Box<Nest>>,
}

/// One in another.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[allow(missing_docs, reason = "it is what it is")]
pub struct Nest {
    pub inner: Option<Box<Nest>>,
}

impl<DB: Base> Load<Pool<DB>> for OddNote {
    async fn load(cx: &LoadContext<Pool<DB>>, ids: &[String]) -> Result<Vec<OddNote>, BoxError> {
        let sql = "SELECT id, slug, text FROM note WHERE id = $1";
        let notes: Vec<Note> = rows(cx, sql, ids.iter().map(|id| vec![id.into()])).await?;
        let odd = |note: Note| OddNote {
            id: note.id,
            slug: note.slug,
            number: if note.text == "NaN" { f64::NAN } else { 1.0 },
            nested: (0..if note.text == "deep" { 200 } else { 1 })
                .fold(None, |inner, _| Some(Box::new(Nest { inner }))),
        };
        Ok(notes.into_iter().map(odd).collect())
    }
}
