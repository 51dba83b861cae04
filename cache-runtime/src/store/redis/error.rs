//! What an error of the client says of the server.

use redis::{ErrorKind, RedisError, ServerErrorKind};

use crate::store::StoreError;

/// An answer that was not to be had.
pub(super) fn error(error: RedisError) -> StoreError {
    StoreError::away(error)
}

/// Whether somebody has put another thing under a name of ours. The next `connect.lua` replaces it.
pub(super) fn is_foreign(error: &RedisError) -> bool {
    let all = error.clone().into_server_errors();
    all.is_some_and(|all| all.iter().any(|(_, error)| error.code() == "WRONGTYPE"))
}

/// A server that answers a fill with an error (out of memory, say) does not store it, and may be
/// well otherwise.
pub(super) fn fill_error(error: RedisError) -> StoreError {
    match error.kind() {
        // It has become a replica.
        ErrorKind::Server(ServerErrorKind::ReadOnly) => StoreError::away(error),
        ErrorKind::Server(_) | ErrorKind::Extension => StoreError::refused(error),
        _ => StoreError::away(error),
    }
}
