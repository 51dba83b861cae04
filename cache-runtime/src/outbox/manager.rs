//! How a transaction begins and ends on a connection. sqlx keeps that in `TransactionManager`,
//! which its documentation does not show, and which only `sqlx-core` exports: `sqlx::Transaction`
//! cannot be used, as it borrows its connection. It is used here alone.

use sqlx::Database;
use sqlx::SqlStr;
use sqlx_core::transaction::TransactionManager;

/// Begins one with this statement.
pub(super) async fn begin<DB: Database>(
    connection: &mut DB::Connection,
    statement: SqlStr,
) -> Result<(), sqlx::Error> {
    DB::TransactionManager::begin(connection, Some(statement)).await
}

/// Commits the one that is open.
pub(super) async fn commit<DB: Database>(
    connection: &mut DB::Connection,
) -> Result<(), sqlx::Error> {
    DB::TransactionManager::commit(connection).await
}

/// Rolls the one back that is open, if one is.
pub(super) async fn rollback<DB: Database>(
    connection: &mut DB::Connection,
) -> Result<(), sqlx::Error> {
    DB::TransactionManager::rollback(connection).await
}

/// The same, with the next use of the connection.
pub(super) fn start_rollback<DB: Database>(connection: &mut DB::Connection) {
    DB::TransactionManager::start_rollback(connection);
}
