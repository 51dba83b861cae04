//! The strict model of the chaos service.

use cache_runtime::{BoxError, Cached, Load, LoadContext, Schema};
use serde::{Deserialize, Serialize};
use sqlx::{FromRow, PgPool};

/// What `cache.toml` beside this crate says.
pub static SCHEMA: Schema = cache_runtime::schema!();

/// A row with a version, which every write raises by one.
#[derive(Clone, Debug, Cached, Serialize, Deserialize, FromRow)]
#[allow(missing_docs, reason = "the fields are the columns")]
pub struct Account {
    pub id: i64,
    pub version: i64,
}

/// Where it is loaded from.
pub trait Source: Send + Sync + 'static {
    /// The database.
    fn pool(&self) -> &PgPool;

    /// Waits for a moment, now and then: called between the query
    /// and its answer, where much can happen.
    fn pause(&self) -> impl Future<Output = ()> + Send;
}

impl<Db: Source> Load<Db> for Account {
    async fn load(cx: &LoadContext<Db>, ids: &[i64]) -> Result<Vec<Account>, BoxError> {
        let rows = sqlx::query_as("SELECT id, version FROM account WHERE id = ANY($1)")
            .bind(ids)
            .fetch_all(cx.db().pool())
            .await?;
        cx.db().pause().await;
        Ok(rows)
    }
}
