//! Why a commit failed.

use std::fmt;
use std::io;

use crate::error::Error;
use crate::store::StoreError;

/// Why [`Transaction::commit`](crate::Transaction::commit) failed.
pub struct CommitError(Kind);

enum Kind {
    /// The database did not commit.
    Database(sqlx::Error),
    /// It has not answered.
    Unknown(sqlx::Error),
    /// Strict values could not be blocked.
    Refused(StoreError),
    Misuse(Error),
}

impl CommitError {
    /// Before `COMMIT` was sent.
    pub(super) fn before(error: sqlx::Error) -> CommitError {
        CommitError(Kind::Database(error))
    }

    /// The answer to `COMMIT`. Who stands between may have made it up: a pooler whose server has
    /// gone says so with a code of the class 08, "connection exception"
    /// (<https://www.postgresql.org/docs/current/errcodes-appendix.html>; 40003 is "statement
    /// completion unknown").
    pub(super) fn of_commit(error: sqlx::Error) -> CommitError {
        let database = error.as_database_error();
        let is_known = database.is_some_and(|it| {
            let code = it.code().unwrap_or_default();
            !code.starts_with("08") && code != "40003"
        });
        match is_known {
            true => CommitError(Kind::Database(error)),
            false => CommitError(Kind::Unknown(error)),
        }
    }

    pub(super) fn refused(error: StoreError) -> CommitError {
        CommitError(Kind::Refused(error))
    }

    pub(super) fn misuse(error: Error) -> CommitError {
        CommitError(Kind::Misuse(error))
    }

    /// Whether the database did not commit, and says why ([`database`](Self::database)): a
    /// constraint that is checked at the commit, a conflict of two transactions, a connection that
    /// broke before.
    pub fn is_database(&self) -> bool {
        matches!(self.0, Kind::Database(_))
    }

    /// Whether it is not known if there was a commit: the database has not answered. What was
    /// written is invalidated in any case, if it was committed.
    pub fn is_unknown(&self) -> bool {
        matches!(self.0, Kind::Unknown(_))
    }

    /// Whether nothing was committed because strict values (`consistency = "strict"`) are built
    /// from what was written, and could not be blocked: the store is away, or took too long.
    pub fn is_refused(&self) -> bool {
        matches!(self.0, Kind::Refused(_))
    }

    /// Whether nothing was committed because the program is wrong: a struct of another `cache.toml`
    /// was reported, or a loader has kept the transaction's connection.
    pub fn is_misuse(&self) -> bool {
        matches!(self.0, Kind::Misuse(_))
    }

    /// What the database, or its driver, said.
    pub fn database(&self) -> Option<&sqlx::Error> {
        match &self.0 {
            Kind::Database(error) | Kind::Unknown(error) => Some(error),
            Kind::Refused(_) | Kind::Misuse(_) => None,
        }
    }
}

/// For a service whose functions return the errors of sqlx. What the database said stays as it is;
/// a refusal is as good as a database that does not answer, and may be tried again.
impl From<CommitError> for sqlx::Error {
    fn from(error: CommitError) -> sqlx::Error {
        match error.0 {
            Kind::Database(error) | Kind::Unknown(error) => error,
            Kind::Refused(_) => sqlx::Error::Io(io::Error::other(error)),
            Kind::Misuse(_) => sqlx::Error::Configuration(error.into()),
        }
    }
}

impl fmt::Display for CommitError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.0 {
            Kind::Database(error) => write!(f, "not committed: {error}"),
            Kind::Unknown(error) => write!(f, "it is not known whether it was committed: {error}"),
            Kind::Refused(error) => {
                write!(f, "not committed, as others may read strict values from the store: {error}")
            }
            Kind::Misuse(error) => write!(f, "not committed: {error}"),
        }
    }
}

impl fmt::Debug for CommitError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl std::error::Error for CommitError {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match &self.0 {
            Kind::Database(error) | Kind::Unknown(error) => Some(error),
            Kind::Refused(error) => Some(error),
            Kind::Misuse(error) => Some(error),
        }
    }
}
