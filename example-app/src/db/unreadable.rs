//! Rows that are not what the tables promise: a NULL, or a text where a number should be.

use std::error::Error;
use std::fmt;

/// Which row cannot be read. It says nothing of what is in it.
#[derive(Debug)]
pub(super) struct Unreadable {
    /// Names the table.
    statement: String,
    id: Option<i64>,
    error: sqlx::Error,
}

impl Unreadable {
    pub(super) fn new(statement: &str, id: Option<i64>, error: sqlx::Error) -> Unreadable {
        Unreadable {
            statement: statement.split_whitespace().collect::<Vec<_>>().join(" "),
            id,
            error,
        }
    }
}

impl fmt::Display for Unreadable {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.id {
            Some(id) => write!(f, "the row with the id {id}")?,
            None => f.write_str("a row")?,
        }
        write!(f, " of `{}` cannot be read: {}", self.statement, self.error)
    }
}

impl Error for Unreadable {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        Some(&self.error)
    }
}

impl From<Unreadable> for sqlx::Error {
    fn from(row: Unreadable) -> sqlx::Error {
        sqlx::Error::Decode(row.into())
    }
}
