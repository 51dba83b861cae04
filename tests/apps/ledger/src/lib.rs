//! A small service for what the example does not use: strict models, text ids, composite ids,
//! ignored columns, leases. It runs on a pool of either database, and is generic over which.

mod archive;
mod base;
mod crowd;
mod hall;
mod library;
mod press;
mod unspeakable;
pub mod versions;

use std::sync::Arc;

use cache_runtime::{BoxError, Cached, Find, Load, LoadContext, Schema};
use serde::{Deserialize, Serialize};
use sqlx::{FromRow, Pool};

pub use archive::{Fact, FactLookup, Report, Rumour};
pub use base::{Base, Row, Value};
pub use crowd::{Badge, Crowd, Member, OddNote};
pub use hall::{Booking, Diary, Genre, Guest, GuestId, Hall, HallLookup, Kind, Remark, Signal};
pub use library::{Shelf, Volume};
pub use press::{Digest, OldPage, Page, Quote, Rate, SecretPage};
pub use unspeakable::Unspeakable;

/// What `cache.toml` beside this crate says.
pub static SCHEMA: Schema = cache_runtime::schema!();

/// Strict.
#[derive(Clone, Debug, PartialEq, Cached, Serialize, Deserialize, FromRow)]
#[allow(missing_docs, reason = "the fields are the columns")]
pub struct Account {
    pub id: String,
    pub owner_id: Option<i64>,
    pub version: i64,
    /// From other tables.
    #[sqlx(skip)]
    pub owner: Option<Arc<Owner>>,
    #[sqlx(skip)]
    pub entries: Vec<Entry>,
}

/// Strict as well, as accounts embed it.
#[derive(Clone, Debug, PartialEq, Cached, Serialize, Deserialize, FromRow)]
#[allow(missing_docs, reason = "the fields are the columns")]
pub struct Owner {
    pub id: i64,
    pub version: i64,
}

/// Not cached by itself.
#[derive(Clone, Debug, PartialEq, Cached, Serialize, Deserialize, FromRow)]
#[allow(missing_docs, reason = "the fields are the columns")]
pub struct Entry {
    pub id: i64,
    pub account_id: Option<String>,
    pub amount: i64,
}

/// Eventual, with a lookup and an ignored column.
#[derive(Clone, Debug, PartialEq, Cached, Serialize, Deserialize, FromRow)]
#[allow(missing_docs, reason = "the fields are the columns")]
pub struct Note {
    pub id: String,
    pub slug: Option<String>,
    pub text: String,
}

/// With an id of two columns.
#[derive(Clone, Debug, PartialEq, Cached, Serialize, Deserialize, FromRow)]
#[allow(missing_docs, reason = "the fields are the columns")]
pub struct Seat {
    pub tenant: String,
    pub id: i64,
    pub text: String,
}

impl<DB: Base> Load<Pool<DB>> for Account {
    async fn load(cx: &LoadContext<Pool<DB>>, ids: &[String]) -> Result<Vec<Account>, BoxError> {
        let mut accounts: Vec<Account> = rows(
            cx,
            "SELECT id, owner_id, version FROM account WHERE id = $1",
            ids.iter().map(|id| vec![id.into()]),
        )
        .await?;
        for account in &mut accounts {
            account.entries = rows(
                cx,
                "SELECT id, account_id, amount FROM entry WHERE account_id = $1 ORDER BY id",
                [vec![Value::from(&account.id)]],
            )
            .await?;
            if let Some(owner) = account.owner_id {
                account.owner = cx.get::<Owner>(owner).await?;
            }
        }
        Ok(accounts)
    }
}

impl<DB: Base> Load<Pool<DB>> for Owner {
    async fn load(cx: &LoadContext<Pool<DB>>, ids: &[i64]) -> Result<Vec<Owner>, BoxError> {
        let sql = "SELECT id, version FROM owner WHERE id = $1";
        rows(cx, sql, ids.iter().map(|id| vec![(*id).into()])).await
    }
}

impl<DB: Base> Load<Pool<DB>> for Note {
    async fn load(cx: &LoadContext<Pool<DB>>, ids: &[String]) -> Result<Vec<Note>, BoxError> {
        let sql = "SELECT id, slug, text FROM note WHERE id = $1";
        rows(cx, sql, ids.iter().map(|id| vec![id.into()])).await
    }
}

impl<DB: Base> Find<Pool<DB>> for Note {
    async fn find(cx: &LoadContext<Pool<DB>>, by: &NoteLookup) -> Result<Option<String>, BoxError> {
        let NoteLookup::Slug(slug) = by;
        let sql = "SELECT id, slug, text FROM note WHERE slug = $1";
        let found: Vec<Note> = rows(cx, sql, [vec![slug.into()]]).await?;
        Ok(found.into_iter().next().map(|note| note.id))
    }
}

impl<DB: Base> Load<Pool<DB>> for Seat {
    async fn load(
        cx: &LoadContext<Pool<DB>>,
        ids: &[(String, i64)],
    ) -> Result<Vec<Seat>, BoxError> {
        let sql = "SELECT tenant, id, text FROM seat WHERE tenant = $1 AND id = $2";
        let ids = ids.iter().map(|(tenant, id)| vec![tenant.into(), (*id).into()]);
        rows(cx, sql, ids).await
    }
}

/// One statement for each id: simple, and whatever text an id
/// is, no list of them has to be written.
async fn rows<DB: Base, T: Row>(
    cx: &LoadContext<Pool<DB>>,
    sql: &'static str,
    ids: impl IntoIterator<Item = Vec<Value>>,
) -> Result<Vec<T>, BoxError> {
    let ids: Vec<Vec<Value>> = ids.into_iter().collect();
    let mut connection = cx.acquire(cx.db()).await?;
    let mut rows = Vec::new();
    for id in ids {
        rows.extend(DB::select(&mut connection, sql, id).await?);
    }
    Ok(rows)
}
