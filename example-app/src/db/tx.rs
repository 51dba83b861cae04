//! A transaction whose commit has invalidated what it changed.

use std::sync::Arc;

use cache_runtime::{CommitError, ConsistencyToken, Load, Transaction};
use sqlx::{AssertSqlSafe, Postgres, Row as _, Sqlite};

use super::dialect::Dialect;
use super::unreadable::Unreadable;
use super::{Db, Row, Value, fetch_ids, fetch_rows, on};
use crate::Cache;

/// A transaction of the cache, on either database. Dropped without a commit, it is rolled back.
pub(crate) enum Tx {
    Sqlite(Transaction<Sqlite, Db>),
    Postgres(Transaction<Postgres, Db>),
}

impl Tx {
    pub(crate) async fn begin(cache: &Cache) -> Result<Tx, sqlx::Error> {
        Ok(match cache.db() {
            Db::Sqlite(pool) => Tx::Sqlite(cache.begin_on(pool).await?),
            Db::Postgres(pool) => Tx::Postgres(cache.begin_on(pool).await?),
        })
    }

    /// Like `begin`; and what other writers commit in the meantime stays invisible to it.
    pub(crate) async fn begin_snapshot(cache: &Cache) -> Result<Tx, sqlx::Error> {
        let mut tx = Tx::begin(cache).await?;
        if let Some(sql) = tx.dialect().snapshot {
            tx.ids(sql, []).await?;
        }
        Ok(tx)
    }

    /// Runs one statement; the ids that it answers with, usually through `RETURNING id`.
    pub(crate) async fn ids(
        &mut self,
        sql: &str,
        values: impl IntoIterator<Item = Value> + Send,
    ) -> Result<Vec<i64>, sqlx::Error> {
        let sql = self.dialect().spell(sql);
        on!(self, tx => fetch_ids!(&mut **tx, sql, values))
    }

    /// The rows that belong to `ids`; `{ids}` in the statement stands for them.
    pub(crate) async fn select<T: Row>(
        &mut self,
        sql: &str,
        ids: &[i64],
    ) -> Result<Vec<T>, sqlx::Error> {
        let sql = self.dialect().spell(sql);
        on!(self, tx => fetch_rows!(&mut **tx, sql, ids))
    }

    /// A cached noun's value, loaded within the transaction.
    pub(crate) async fn get<T: Load<Db, Id = i64>>(
        &mut self,
        id: i64,
    ) -> Result<Option<Arc<T>>, cache_runtime::Error> {
        on!(self, tx => tx.get::<T>(id).await)
    }

    pub(crate) async fn commit(self) -> Result<ConsistencyToken, CommitError> {
        on!(self, tx => tx.commit().await)
    }

    fn dialect(&self) -> &'static Dialect {
        match self {
            Tx::Sqlite(_) => &Dialect::SQLITE,
            Tx::Postgres(_) => &Dialect::POSTGRES,
        }
    }
}
