//! What is cached, and how it is loaded.

use cache_runtime::{BoxError, Cached, Find, Load, LoadContext, Schema};
use serde::{Deserialize, Serialize};
use sqlx::{FromRow, PgPool};

/// What `cache.toml` beside this crate says.
pub static SCHEMA: Schema = cache_runtime::schema!();

/// How many there are,
pub const THINGS: i64 = 50_000;
/// and what each takes in Redis, at least: its text.
pub const BYTES: usize = 2048;

#[derive(Clone, Debug, Cached, Serialize, Deserialize, FromRow)]
pub struct Thing {
    pub id: i64,
    pub name: String,
    pub body: String,
}

/// The table, filled.
pub async fn create(pool: &PgPool) -> Result<(), sqlx::Error> {
    let sql = format!(
        "CREATE TABLE thing (id BIGINT PRIMARY KEY, name TEXT NOT NULL UNIQUE, body TEXT NOT NULL, version BIGINT NOT NULL);
         INSERT INTO thing SELECT id, 'name ' || id, repeat(md5(id::text), {BYTES} / 32), 0 FROM generate_series(0, {THINGS} - 1) id;"
    );
    let create = sqlx::raw_sql(sqlx::AssertSqlSafe(sql));
    create.execute(pool).await?;
    SCHEMA.install(pool).await
}

impl Load<PgPool> for Thing {
    async fn load(cx: &LoadContext<PgPool>, ids: &[i64]) -> Result<Vec<Thing>, BoxError> {
        let rows = sqlx::query_as("SELECT id, name, body FROM thing WHERE id = ANY($1)");
        Ok(rows.bind(ids).fetch_all(cx.db()).await?)
    }
}

impl Find<PgPool> for Thing {
    async fn find(cx: &LoadContext<PgPool>, by: &ThingLookup) -> Result<Option<i64>, BoxError> {
        let ThingLookup::Name(name) = by;
        let id = sqlx::query_scalar("SELECT id FROM thing WHERE name = $1");
        Ok(id.bind(name).fetch_optional(cx.db()).await?)
    }
}
