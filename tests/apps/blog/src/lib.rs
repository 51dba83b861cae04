//! A blog in memory: what the examples in the documentation of `cache-runtime` read and write.

use cache_runtime::{BoxError, Cache, Cached, Schema};
use serde::{Deserialize, Serialize};
use sqlx::SqlitePool;
use sqlx::sqlite::SqlitePoolOptions;

/// From `cache.toml`.
pub static SCHEMA: Schema = cache_runtime::schema!();

/// An author.
#[derive(Debug, Clone, Serialize, Deserialize, Cached)]
#[cached(load)]
pub struct Author {
    /// The id.
    pub id: i64,
    /// The name.
    pub name: String,
}

/// A comment on a post.
#[derive(Debug, Serialize, Deserialize, Cached)]
pub struct Comment {
    /// The id.
    pub id: i64,
    /// The post.
    pub post_id: i64,
    /// What it says.
    pub text: String,
}

/// A post, with its author and the comments on it.
#[derive(Debug, Serialize, Deserialize, Cached)]
#[cached(load)]
pub struct Post {
    /// The id.
    pub id: i64,
    /// Its name in a URL.
    pub slug: String,
    /// The title.
    pub title: String,
    /// Who wrote it.
    pub author: Author,
    /// What others say.
    pub comments: Vec<Comment>,
}

/// Two posts of one author in a database of its own.
///
/// # Errors
/// When there is no room for it.
pub async fn database() -> Result<SqlitePool, sqlx::Error> {
    // sqlx itself loses a connection when `acquire` is dropped while it is tested.
    let options = SqlitePoolOptions::new()
        .max_connections(1)
        .test_before_acquire(false)
        .idle_timeout(None)
        .max_lifetime(None);
    let pool = options.connect("sqlite::memory:").await?;
    sqlx::raw_sql(
        "CREATE TABLE author (id INTEGER PRIMARY KEY, name TEXT NOT NULL);
         CREATE TABLE post (id INTEGER PRIMARY KEY, slug TEXT NOT NULL UNIQUE, title TEXT NOT NULL,
                            author_id INTEGER NOT NULL REFERENCES author (id));
         CREATE TABLE comment (id INTEGER PRIMARY KEY, text TEXT NOT NULL,
                               post_id INTEGER NOT NULL REFERENCES post (id));
         INSERT INTO author VALUES (1, 'Ada');
         INSERT INTO post VALUES (1, 'engines', 'On engines', 1), (2, 'looms', 'On looms', 1);",
    )
    .execute(&pool)
    .await?;
    Ok(pool)
}

/// A cache in front of such a database.
///
/// # Errors
/// As [`database`].
pub async fn cache() -> Result<Cache<SqlitePool>, BoxError> {
    let pool = database().await?;
    SCHEMA.install(&pool).await?;
    Ok(Cache::builder(pool, &SCHEMA).build().await?)
}
