//! The columns of a tag.

use std::fmt;

/// Columns of a model whose values make a tag: `item#plio_id`, `video#tenant,id`.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct TagColumns {
    /// The model.
    pub model: String,
    /// Its columns.
    pub columns: Vec<String>,
}

impl fmt::Display for TagColumns {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}#{}", self.model, self.columns.join(","))
    }
}
