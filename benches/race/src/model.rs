//! The value that is read: a plio, under several policies; see `cache.toml`.

use std::sync::LazyLock;
use std::time::Duration;

use cache_runtime::{
    BoxError, Cached, Dependencies, Dialect, Load, LoadContext, RedisStore, Schema, TagColumns, Tags,
};
use example_app::Plio;
use serde::{Deserialize, Serialize};

use crate::harness::Outcome;
use crate::stampede;

pub(crate) static SCHEMA: Schema = cache_runtime::schema!();

pub(crate) type Cache = cache_runtime::Cache<Source>;

/// So many values are read in turn, where they are hits.
pub(crate) const KEYS: i64 = 1000;

/// A value has so many tags in row 4, its own among them.
pub(crate) const TAGS: i64 = 30;

/// How long the load of a stampede takes.
pub(crate) const SLOW: Duration = Duration::from_millis(50);

/// Where values come from: nowhere, they are ready.
pub(crate) struct Source {
    /// Where the loads of a stampede are counted.
    pub(crate) redis: redis::aio::MultiplexedConnection,
}

/// A cache in front of it, whose values live in this Redis.
pub(crate) async fn cache(url: &str) -> Outcome<Cache> {
    let redis = crate::peers::connect(url).await?;
    let store = RedisStore::new(url, &SCHEMA)?;
    let builder = Cache::builder(Source { redis }, &SCHEMA).without_outbox().store(store);
    Ok(builder.relay(false).build().await?)
}

static PLIO: LazyLock<Plio> = LazyLock::new(|| {
    serde_json::from_str(include_str!("plio.json"))
        .expect("plio.json is a plio as the example answers it")
});

/// What peers store as well. The others have the same fields.
#[derive(Clone, Debug, Cached, Serialize, Deserialize)]
pub(crate) struct FarJson {
    pub(crate) id: i64,
    plio: Plio,
}

impl FarJson {
    pub(crate) fn new(id: i64) -> FarJson {
        let plio = PLIO.clone();
        FarJson { id, plio }
    }
}

#[derive(Clone, Debug, Cached, Serialize, Deserialize)]
pub(crate) struct FarMsgpack {
    id: i64,
    plio: Plio,
}

#[derive(Clone, Debug, Cached, Serialize, Deserialize)]
pub(crate) struct Near {
    id: i64,
    plio: Plio,
}

#[derive(Clone, Debug, Cached, Serialize, Deserialize)]
pub(crate) struct Lone {
    id: i64,
    plio: Plio,
}

#[derive(Clone, Debug, Cached, Serialize, Deserialize)]
#[cached(dependencies("leaf"))]
pub(crate) struct Tagged {
    id: i64,
    plio: Plio,
}

impl Dependencies for Tagged {
    fn dependencies(&self, tags: &mut Tags) {
        for leaf in leaves(self.id) {
            // Nothing writes leaves here: what is measured is how many tags there are.
            tags.add(TagColumns::checked("leaf#id"), &leaf);
        }
    }
}

/// The leaves that this value of row 4 is built from.
pub(crate) fn leaves(id: i64) -> impl Iterator<Item = i64> {
    (1..TAGS).map(move |n| id * TAGS + n)
}

fn made<T>(ids: &[i64], new: impl Fn(i64, Plio) -> T) -> Vec<T> {
    ids.iter().map(|id| new(*id, PLIO.clone())).collect()
}

impl Load<Source> for FarJson {
    async fn load(_: &LoadContext<Source>, ids: &[i64]) -> Result<Vec<FarJson>, BoxError> {
        Ok(made(ids, |id, plio| FarJson { id, plio }))
    }
}

impl Load<Source> for FarMsgpack {
    async fn load(_: &LoadContext<Source>, ids: &[i64]) -> Result<Vec<FarMsgpack>, BoxError> {
        Ok(made(ids, |id, plio| FarMsgpack { id, plio }))
    }
}

impl Load<Source> for Near {
    async fn load(_: &LoadContext<Source>, ids: &[i64]) -> Result<Vec<Near>, BoxError> {
        Ok(made(ids, |id, plio| Near { id, plio }))
    }
}

impl Load<Source> for Tagged {
    async fn load(_: &LoadContext<Source>, ids: &[i64]) -> Result<Vec<Tagged>, BoxError> {
        Ok(made(ids, |id, plio| Tagged { id, plio }))
    }
}

impl Load<Source> for Lone {
    async fn load(cx: &LoadContext<Source>, ids: &[i64]) -> Result<Vec<Lone>, BoxError> {
        for id in ids {
            stampede::note_load(&cx.db().redis, "ours", *id).await?;
        }
        Ok(made(ids, |id, plio| Lone { id, plio }))
    }
}

/// Row 4 is to be what it says.
pub(crate) fn check() -> Outcome<()> {
    let mut tags = Tags::of(Dialect::Postgres);
    let value = made(&[1], |id, plio| Tagged { id, plio });
    cache_runtime::Rows::tags(&value, &mut tags);
    match tags.finish().len() as i64 {
        TAGS => Ok(()),
        other => Err(format!("a value of row 4 has {other} tags, not {TAGS}").into()),
    }
}
