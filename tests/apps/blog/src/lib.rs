//! A blog in memory: what the examples in the documentation of `cache-runtime` read and write.

use cache_runtime::{BoxError, Cache, Cached, Find, Load, LoadContext, Schema};
use serde::{Deserialize, Serialize};
use sqlx::sqlite::SqlitePoolOptions;
use sqlx::{FromRow, QueryBuilder, Sqlite, SqlitePool};

/// From `cache.toml`.
pub static SCHEMA: Schema = cache_runtime::schema!();

/// An author.
#[derive(Debug, Clone, Serialize, Deserialize, FromRow, Cached)]
pub struct Author {
    /// The id.
    pub id: i64,
    /// The name.
    pub name: String,
}

/// A comment on a post.
#[derive(Debug, Clone, Serialize, Deserialize, FromRow, Cached)]
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

#[derive(FromRow)]
struct PostRow {
    id: i64,
    slug: String,
    title: String,
    author_id: i64,
}

impl Load<SqlitePool> for Author {
    async fn load(cx: &LoadContext<SqlitePool>, ids: &[i64]) -> Result<Vec<Author>, BoxError> {
        rows(cx, "SELECT id, name FROM author WHERE id", ids).await
    }
}

impl Load<SqlitePool> for Post {
    async fn load(cx: &LoadContext<SqlitePool>, ids: &[i64]) -> Result<Vec<Post>, BoxError> {
        let sql = "SELECT id, slug, title, author_id FROM post WHERE id";
        let posts: Vec<PostRow> = rows(cx, sql, ids).await?;
        let sql = "SELECT id, post_id, text FROM comment WHERE post_id";
        let comments: Vec<Comment> = rows(cx, sql, ids).await?;
        let authors: Vec<i64> = posts.iter().map(|post| post.author_id).collect();
        let authors = cx.get_many::<Author>(&authors).await?;
        let posts = posts.into_iter().zip(authors);
        Ok(posts
            .filter_map(|(row, author)| {
                let comments = comments.iter().filter(|comment| comment.post_id == row.id);
                Some(Post {
                    id: row.id,
                    slug: row.slug,
                    title: row.title,
                    author: author?.as_ref().clone(),
                    comments: comments.cloned().collect(),
                })
            })
            .collect())
    }
}

impl Find<SqlitePool> for Post {
    async fn find(cx: &LoadContext<SqlitePool>, by: &PostLookup) -> Result<Option<i64>, BoxError> {
        let PostLookup::Slug(slug) = by;
        let mut db = cx.acquire(cx.db()).await?;
        let found = sqlx::query_scalar("SELECT id FROM post WHERE slug = $1");
        Ok(found.bind(slug).fetch_optional(&mut *db).await?)
    }
}

/// The rows whose column is one of these.
async fn rows<T>(cx: &LoadContext<SqlitePool>, sql: &str, ids: &[i64]) -> Result<Vec<T>, BoxError>
where
    T: for<'r> FromRow<'r, sqlx::sqlite::SqliteRow> + Send + Unpin,
{
    let mut query = QueryBuilder::<Sqlite>::new(sql);
    query.push(" IN (");
    let mut list = query.separated(", ");
    for id in ids {
        list.push_bind(*id);
    }
    query.push(")");
    let mut db = cx.acquire(cx.db()).await?;
    Ok(query.build_query_as().fetch_all(&mut *db).await?)
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
