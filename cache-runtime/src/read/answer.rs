//! What a reader is answered, and how that was come by.

use std::fmt;
use std::time::Duration;

use crate::local::near;
use crate::value::json::Json;

/// A value and how it was come by.
#[derive(Debug)]
pub struct Fetched<V> {
    /// The value; `None` when there is no such row.
    pub value: Option<V>,
    /// For the `Cache-Status` header.
    pub status: CacheStatus,
}

impl<V> Fetched<V> {
    pub(crate) fn near(value: Option<V>) -> Fetched<V> {
        let status = CacheStatus { tier: near::NAME, answer: Answer::Hit };
        Fetched { value, status }
    }

    /// With this made of the value, if there is one.
    ///
    /// ```
    /// # use cache_runtime::{Error, Fetched, Json};
    /// # async fn fetched() -> Result<Fetched<Json>, Error> { unimplemented!() }
    /// # async fn answer(count: Json) -> Result<Fetched<Json>, Error> {
    /// let thread = fetched().await?;
    /// Ok(thread.map(|thread| Json::object([("comments", thread), ("count", count)])))
    /// # }
    /// ```
    pub fn map<U>(self, made: impl FnOnce(V) -> U) -> Fetched<U> {
        Fetched { value: self.value.map(made), status: self.status }
    }
}

impl Fetched<Json> {
    /// As the only member of an object: `{"article": …}`. What it costs is one copy of the bytes.
    ///
    /// ```
    /// # use cache_runtime::{Error, Fetched, Json};
    /// # struct Article;
    /// # impl Article {
    /// #     async fn fetch_json(_: &(), _: i64) -> Result<Fetched<Json>, Error> { unimplemented!() }
    /// # }
    /// # async fn answer(cache: &(), id: i64) -> Result<Fetched<Json>, Error> {
    /// Ok(Article::fetch_json(cache, id).await?.wrap("article"))
    /// # }
    /// ```
    pub fn wrap(self, name: &str) -> Fetched<Json> {
        self.map(|json| Json::object([(name, json)]))
    }
}

/// How a read was answered. Its `Display` is a member of the `Cache-Status` header, RFC 9211
/// (<https://www.rfc-editor.org/rfc/rfc9211>): `near; hit`, `redis; hit`, `redis; hit; ttl=-3`
/// (expired), `redis; fwd=miss; stored`, `redis; fwd=miss; stored; collapsed`, `redis; fwd=bypass`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct CacheStatus {
    /// `near`, or the store's name: `redis`, `memory`.
    pub tier: &'static str,
    /// What it did.
    pub answer: Answer,
}

/// What the cache did for a read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Answer {
    /// It had the value.
    Hit,
    /// It had the value, expired; it is loaded anew in the background, unless that failed a moment
    /// ago.
    Stale {
        /// For how long.
        since: Duration,
    },
    /// The value was loaded.
    Miss {
        /// And is stored now: no fence refused it.
        stored: bool,
        /// By another reader's load, which this one waited for.
        collapsed: bool,
    },
    /// The value was loaded and not stored: the store is away, or what it has may be from before
    /// what this reader was promised ([`Cache::at_least`](crate::Cache::at_least)).
    Bypass,
}

impl CacheStatus {
    /// Of what the store was not asked for.
    pub(crate) fn bypass(tier: &'static str) -> CacheStatus {
        CacheStatus { tier, answer: Answer::Bypass }
    }

    /// Of what is put together from two: the first of them that is no hit, or no near one.
    pub(crate) fn and(self, other: CacheStatus) -> CacheStatus {
        let is_hit = |it: &CacheStatus| it.answer == Answer::Hit;
        match (is_hit(&self), is_hit(&other)) {
            (false, _) => self,
            (true, false) => other,
            (true, true) if self.tier == near::NAME => other,
            (true, true) => self,
        }
    }
}

impl fmt::Display for CacheStatus {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.tier)?;
        match self.answer {
            Answer::Hit => f.write_str("; hit"),
            Answer::Stale { since } => write!(f, "; hit; ttl=-{}", since.as_secs()),
            Answer::Bypass => f.write_str("; fwd=bypass"),
            Answer::Miss { stored, collapsed } => {
                f.write_str("; fwd=miss")?;
                f.write_str(if stored { "; stored" } else { "" })?;
                f.write_str(if collapsed { "; collapsed" } else { "" })
            }
        }
    }
}
