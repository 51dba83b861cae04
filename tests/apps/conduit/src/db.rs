//! The database: either, and the tables in it.

use std::time::Duration;

use cache_runtime::{Builder, Cache, EitherPool, Schema, Source};
use sqlx::postgres::PgPoolOptions;
use sqlx::sqlite::{SqliteConnectOptions, SqliteJournalMode, SqlitePoolOptions, SqliteTypeInfo};
use sqlx::{AssertSqlSafe, PgPool, Postgres, Sqlite, SqlitePool};

use crate::{SCHEMA, UserName};

/// How many connections it has.
const CONNECTIONS: u32 = 8;

/// On PostgreSQL, ids are of a type of their own, and so are names in whatever letters.
const ON_POSTGRES: [&str; 2] = ["uuid", "citext UNIQUE"];

/// On SQLite, ids are bytes.
const ON_SQLITE: [&str; 2] = ["BLOB", "TEXT COLLATE NOCASE UNIQUE"];

const TABLES: &str = r#"
CREATE TABLE "user" (id {id} PRIMARY KEY NOT NULL, username {name} NOT NULL, bio TEXT NOT NULL DEFAULT '');
CREATE TABLE article (id {id} PRIMARY KEY NOT NULL, slug TEXT NOT NULL UNIQUE, title TEXT NOT NULL,
  author_id {id} NOT NULL REFERENCES "user" (id), created_at BIGINT NOT NULL DEFAULT 0,
  is_draft BOOLEAN NOT NULL DEFAULT FALSE);
CREATE INDEX article_created_at ON article (created_at, id);
CREATE INDEX article_author ON article (author_id, created_at, id);
CREATE TABLE article_tag (article_id {id} NOT NULL REFERENCES article (id) ON DELETE CASCADE, tag TEXT NOT NULL,
  PRIMARY KEY (article_id, tag));
CREATE INDEX article_tag_tag ON article_tag (tag);
CREATE TABLE comment (id BIGINT PRIMARY KEY, body TEXT NOT NULL, is_gone BOOLEAN NOT NULL DEFAULT FALSE,
  article_id {id} NOT NULL REFERENCES article (id) ON DELETE CASCADE, author_id {id} NOT NULL REFERENCES "user" (id));
CREATE INDEX comment_article ON comment (article_id);
CREATE TABLE favorite (user_id {id} NOT NULL REFERENCES "user" (id),
  article_id {id} NOT NULL REFERENCES article (id) ON DELETE CASCADE, PRIMARY KEY (user_id, article_id));
CREATE INDEX favorite_article ON favorite (article_id);
CREATE TABLE follow (follower_id {id} NOT NULL REFERENCES "user" (id), followed_id {id} NOT NULL REFERENCES "user" (id),
  PRIMARY KEY (follower_id, followed_id));
"#;

/// On PostgreSQL the derive says it.
impl sqlx::Type<Sqlite> for UserName {
    fn type_info() -> SqliteTypeInfo {
        <String as sqlx::Type<Sqlite>>::type_info()
    }
}

/// The database that it runs on.
#[derive(Clone, Debug)]
pub enum Db {
    /// A server.
    Postgres(PgPool),
    /// A file.
    Sqlite(SqlitePool),
}

impl Source for Db {
    type Databases = (Postgres, Sqlite);

    fn pool(&self) -> EitherPool<'_> {
        match self {
            Db::Postgres(pool) => EitherPool::Postgres(pool),
            Db::Sqlite(pool) => EitherPool::Sqlite(pool),
        }
    }
}

impl Db {
    /// Connects to `sqlite://…` or `postgres://…`.
    ///
    /// # Errors
    /// When that is no address of a database, or nobody answers.
    pub async fn connect(url: &str) -> Result<Db, sqlx::Error> {
        if url.starts_with("postgres") {
            let pool = PgPoolOptions::new().max_connections(CONNECTIONS).connect(url).await?;
            return Ok(Db::Postgres(pool));
        }
        let options: SqliteConnectOptions = url.parse()?;
        let options = options
            .create_if_missing(true)
            .journal_mode(SqliteJournalMode::Wal)
            .busy_timeout(Duration::from_secs(10))
            .pragma("recursive_triggers", "on");
        let pool = SqlitePoolOptions::new().max_connections(CONNECTIONS);
        Ok(Db::Sqlite(pool.connect_with(options).await?))
    }

    /// Makes the tables, the outbox and the triggers.
    ///
    /// # Errors
    /// Whatever the database says.
    pub async fn set_up(&self) -> Result<(), sqlx::Error> {
        let [id, name] = match self {
            Db::Postgres(_) => ON_POSTGRES,
            Db::Sqlite(_) => ON_SQLITE,
        };
        let tables = AssertSqlSafe(TABLES.replace("{id}", id).replace("{name}", name));
        match self {
            Db::Postgres(pool) => {
                sqlx::raw_sql("CREATE EXTENSION IF NOT EXISTS citext").execute(pool).await?;
                sqlx::raw_sql(tables).execute(pool).await?;
                SCHEMA.install(pool).await
            }
            Db::Sqlite(pool) => {
                sqlx::raw_sql(tables).execute(pool).await?;
                SCHEMA.install(pool).await
            }
        }
    }

    /// A cache in front of it.
    pub fn cache(&self, schema: &'static Schema) -> Builder<Db> {
        let builder = Cache::builder(self.clone(), schema);
        match self {
            Db::Postgres(pool) => builder.outbox(pool),
            Db::Sqlite(pool) => builder.outbox(pool),
        }
    }
}
