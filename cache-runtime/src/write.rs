//! One commit, and what is read before it.

mod commit;
mod error;
mod lent;
mod transaction;

pub use error::CommitError;
pub use transaction::Transaction;
