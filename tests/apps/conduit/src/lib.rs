//! A service of articles, comments, favourites and follows, in the manner of RealWorld's Conduit
//! (<https://docs.realworld.show>). It has no SQL for what it reads. Ids are for the cache: in what
//! it answers, users are told by their names, and articles by their slugs.

mod db;

use std::sync::Arc;

use cache_runtime::{Cached, Column, Schema};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

pub use crate::db::Db;

/// From `cache.toml`.
pub static SCHEMA: Schema = cache_runtime::schema!();

/// What users are called: in whatever letters, it is the same name.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize, Column, sqlx::Type)]
#[serde(transparent)]
#[sqlx(type_name = "citext")]
pub struct UserName(pub String);

/// A user.
#[derive(Debug, PartialEq, Cached, Serialize, Deserialize)]
#[cached(load)]
#[expect(missing_docs, reason = "the fields are the columns")]
pub struct User {
    #[cached(hidden)]
    pub id: Uuid,
    pub username: UserName,
    pub bio: String,
}

/// An article, with its author; its own, its tags and its number of one moment.
#[derive(Debug, PartialEq, Cached, Serialize, Deserialize)]
#[cached(load(snapshot), by("article-tag.tag": String, "user.username": UserName))]
#[expect(missing_docs, reason = "the fields are the columns")]
pub struct Article {
    #[cached(hidden)]
    pub id: Uuid,
    pub slug: String,
    pub title: String,
    pub author: Arc<User>,
    /// In the order of the alphabet.
    #[cached(from = "article-tag.tag", order_by = "tag")]
    pub tags: Vec<String>,
    /// Of how many users it is a favourite.
    #[cached(count = "favorite")]
    pub favorites: i64,
}

/// What is said below an article.
#[derive(Debug, PartialEq, Cached, Serialize, Deserialize)]
#[cached(load)]
#[expect(missing_docs, reason = "the fields are the columns")]
pub struct Thread {
    #[cached(hidden)]
    pub id: Uuid,
    /// The last first, without those that were taken back.
    #[cached(order_by = "-id", filter(is_gone = false))]
    pub comments: Vec<Comment>,
}

/// A comment, and what its author is called.
#[derive(Debug, PartialEq, Cached, Serialize, Deserialize)]
#[expect(missing_docs, reason = "the fields are the columns")]
pub struct Comment {
    pub id: i64,
    pub body: String,
    #[cached(hidden)]
    pub author_id: Uuid,
    #[cached(from = "user.username")]
    pub author: UserName,
}

/// That an article is a favourite of a user.
#[derive(Debug, PartialEq, Cached, Serialize, Deserialize)]
#[cached(load)]
#[expect(missing_docs, reason = "the fields are the columns")]
pub struct Favorite {
    pub user_id: Uuid,
    pub article_id: Uuid,
}

/// That a user follows another.
#[derive(Debug, PartialEq, Cached, Serialize, Deserialize)]
#[cached(load)]
#[expect(missing_docs, reason = "the fields are the columns")]
pub struct Follow {
    pub follower_id: Uuid,
    pub followed_id: Uuid,
}
