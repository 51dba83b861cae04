//! What the service caches, and how it is loaded. Every row has a version.

use std::collections::HashMap;
use std::sync::Arc;

use cache_runtime::{BoxError, Cached, Load, LoadContext, Schema};
use chaos_strict::Source;
use serde::{Deserialize, Serialize};
use sqlx::{AssertSqlSafe, FromRow, PgPool, Postgres};

use crate::record::{Line, Model, Register};
use crate::serve::Pauses;
use crate::tickets;

/// What `cache.toml` beside this crate says.
pub static SCHEMA: Schema = cache_runtime::schema!();

pub const AUTHORS: i64 = 16;
/// More than authors: several embed the same.
pub const BOOKS: i64 = 24;
pub const REVIEWS_OF_A_BOOK: i64 = 3;
pub const ACCOUNTS_OF_A_LINE: i64 = 4;
pub const ACCOUNTS: i64 = ACCOUNTS_OF_A_LINE * Line::ALL.len() as i64;
/// The pages that are often written to,
pub const HOT_PAGES: i64 = 6;
/// and all of them, with so much text that they fill three times what a full server may have.
pub const PAGES: i64 = 4000;
pub const PAGE_BYTES: usize = 4096;

/// An author or a book: half of the time one of a few, so that some are
/// written to all the time and others rarely.
pub fn one_of(all: i64) -> i64 {
    match fastrand::bool() {
        true => fastrand::i64(0..all / 6),
        false => fastrand::i64(0..all),
    }
}

/// The next version. After the database has lost its last commits,
/// versions go on above all that there were.
pub const NEXT: &str = "greatest(version, (SELECT floor FROM era)) + 1";

/// The tables, filled.
pub async fn create(pool: &PgPool) -> Result<(), sqlx::Error> {
    let sql = format!(
        "CREATE TABLE author (id BIGINT PRIMARY KEY, version BIGINT NOT NULL);
         CREATE TABLE book (id BIGINT PRIMARY KEY, author_id BIGINT NOT NULL, version BIGINT NOT NULL);
         CREATE TABLE review (id BIGSERIAL PRIMARY KEY, book_id BIGINT NOT NULL, slot BIGINT NOT NULL, version BIGINT NOT NULL);
         CREATE TABLE page (id BIGINT PRIMARY KEY, version BIGINT NOT NULL, text TEXT NOT NULL);
         CREATE TABLE account (id BIGINT PRIMARY KEY, version BIGINT NOT NULL);
         CREATE TABLE era (floor BIGINT NOT NULL);
         CREATE TABLE shown (process BIGINT PRIMARY KEY, token TEXT NOT NULL, written TEXT NOT NULL);
         CREATE INDEX ON review (book_id);
         INSERT INTO era VALUES (0);
         INSERT INTO author SELECT id, 0 FROM generate_series(0, {AUTHORS} - 1) id;
         INSERT INTO book SELECT id, id % {AUTHORS}, 0 FROM generate_series(0, {BOOKS} - 1) id;
         INSERT INTO review (book_id, slot, version)
           SELECT book, slot, 0 FROM generate_series(0, {BOOKS} - 1) book, generate_series(0, {REVIEWS_OF_A_BOOK} - 1) slot;
         INSERT INTO page SELECT id, 0, repeat(md5(id::text), {PAGE_BYTES} / 32) FROM generate_series(0, {PAGES} - 1) id;
         INSERT INTO account SELECT id, 0 FROM generate_series(0, {ACCOUNTS} - 1) id;"
    );
    sqlx::raw_sql(AssertSqlSafe(sql)).execute(pool).await?;
    tickets::create(pool).await?;
    SCHEMA.install(pool).await?;
    chaos_strict::SCHEMA.install(pool).await
}

/// What a review is known by, in SQL: its row may be replaced.
pub fn review() -> String {
    format!("book_id * {REVIEWS_OF_A_BOOK} + slot")
}

/// The version of every row.
pub async fn versions(pool: &PgPool) -> Result<HashMap<Register, i64>, sqlx::Error> {
    let mut all = HashMap::new();
    for (model, table, id) in [
        (Model::Author, "author", "id"),
        (Model::Book, "book", "id"),
        (Model::Review, "review", &*review()),
        (Model::Page, "page", "id"),
        (Model::Account, "account", "id"),
        (Model::Queue, "queue", "id"),
        (Model::Desk, "desk", "id"),
    ] {
        let sql = AssertSqlSafe(format!("SELECT {id}, version FROM {table}"));
        let rows: Vec<(i64, i64)> = sqlx::query_as(sql).fetch_all(pool).await?;
        let rows = rows.into_iter();
        all.extend(rows.map(|(id, version)| (model.register(id), version)));
    }
    Ok(all)
}

#[derive(Clone, Debug, Cached, Serialize, Deserialize, FromRow)]
pub struct Author {
    pub id: i64,
    pub version: i64,
}

#[derive(Clone, Debug, Cached, Serialize, Deserialize)]
pub struct Book {
    pub id: i64,
    pub author_id: i64,
    pub version: i64,
    pub author: Option<Arc<Author>>,
    pub reviews: Vec<Review>,
}

#[derive(Clone, Debug, Cached, Serialize, Deserialize, FromRow)]
pub struct Review {
    pub id: i64,
    pub book_id: i64,
    /// Its place in the book; the row may be replaced.
    pub slot: i64,
    pub version: i64,
}

#[derive(Clone, Debug, Cached, Serialize, Deserialize, FromRow)]
pub struct Page {
    pub id: i64,
    pub version: i64,
    pub text: String,
}

/// Where all is loaded from.
#[derive(Debug, Clone)]
pub struct Db {
    pub pool: PgPool,
    pub pauses: Pauses,
}

impl Source for Db {
    fn pool(&self) -> &PgPool {
        &self.pool
    }

    async fn pause(&self) {
        self.pauses.in_a_load().await;
    }
}

/// Where lists are read from, which no loader of this service does. Whoever asks for it more than
/// once for a list asks at different moments.
impl cache_runtime::Source for Db {
    type Databases = Postgres;

    fn pool(&self) -> &PgPool {
        self.pauses.before_a_list();
        &self.pool
    }
}

impl Load<Db> for Author {
    async fn load(cx: &LoadContext<Db>, ids: &[i64]) -> Result<Vec<Author>, BoxError> {
        let rows = sqlx::query_as("SELECT id, version FROM author WHERE id = ANY($1)")
            .bind(ids)
            .fetch_all(cx.db().pool())
            .await?;
        cx.db().pause().await;
        Ok(rows)
    }
}

impl Load<Db> for Book {
    async fn load(cx: &LoadContext<Db>, ids: &[i64]) -> Result<Vec<Book>, BoxError> {
        let rows: Vec<(i64, i64, i64)> =
            sqlx::query_as("SELECT id, author_id, version FROM book WHERE id = ANY($1)")
                .bind(ids)
                .fetch_all(cx.db().pool())
                .await?;
        let reviews: Vec<Review> =
            sqlx::query_as("SELECT id, book_id, slot, version FROM review WHERE book_id = ANY($1)")
                .bind(ids)
                .fetch_all(cx.db().pool())
                .await?;
        cx.db().pause().await;
        let of_books: Vec<i64> = rows.iter().map(|(_, author, _)| *author).collect();
        let authors = cx.get_many::<Author>(&of_books).await?;
        let books = rows.into_iter().zip(authors);
        let books = books.map(|((id, author_id, version), author)| Book {
            id,
            author_id,
            version,
            author,
            reviews: reviews.iter().filter(|review| review.book_id == id).cloned().collect(),
        });
        Ok(books.collect())
    }
}

impl Load<Db> for Page {
    async fn load(cx: &LoadContext<Db>, ids: &[i64]) -> Result<Vec<Page>, BoxError> {
        let rows = sqlx::query_as("SELECT id, version, text FROM page WHERE id = ANY($1)")
            .bind(ids)
            .fetch_all(cx.db().pool())
            .await?;
        cx.db().pause().await;
        Ok(rows)
    }
}
