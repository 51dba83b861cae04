//! Lists: ids of a model's rows, in an order.

use std::fmt;

use crate::schema::policy::Policy;
use crate::source::Position;

/// `[list.x]`: the rows of a model that have the same key, in an order.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct List {
    /// Its name: the `x` of `[list.x]`.
    pub name: String,
    /// Where the name stands in the table's header.
    pub position: Position,
    /// The cached model whose values it lists.
    pub of: String,
    /// The columns of its key, in order; none: all rows are in one list.
    pub by: Vec<ListKey>,
    /// From the rows that have the key to the rows that are listed. Only one, the rows themselves,
    /// if they have the whole key.
    pub steps: Vec<ListStep>,
    /// The columns that it is ordered by; the id is among them.
    pub order: Vec<Order>,
    /// What the rows have to hold.
    pub conditions: Vec<Condition>,
    /// How many ids are kept at most.
    pub limit: usize,
    /// How it is stored; there are no lookups, and it is never "no such row".
    pub policy: Policy,
}

/// A column of a list's key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ListKey {
    /// As it is written: `created_by_id`, `article-tag.tag`.
    pub written: String,
    /// The column.
    pub column: String,
    /// Whether the rows that are listed have it; if not, those of the first step do.
    pub is_own: bool,
    /// Where it stands in `by`.
    pub position: Position,
}

/// Rows on the way from a list's key to the rows that it lists.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ListStep {
    /// The model of the rows.
    pub model: String,
    /// The columns by which they are found: those of the key, then those that hold what the step
    /// before leads to.
    pub found_by: Vec<String>,
    /// The columns that say by what the next ones are found; none in the last step.
    pub leads: Vec<String>,
}

/// A column that a list is ordered by.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Order {
    /// The column.
    pub column: String,
    /// Whether it descends.
    pub descends: bool,
}

/// What a column of a row has to hold for the row to be listed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Condition {
    /// The column.
    pub column: String,
    /// What it is compared with.
    pub constant: Constant,
}

/// What a column is compared with.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Constant {
    /// `"published"`
    Text(String),
    /// `7`: its decimal digits, after a `-` if it is negative.
    Integer(String),
    /// `true`
    Bool(bool),
    /// `{ null = true }`, `{ null = false }`: whether it is NULL.
    Null(bool),
}

impl List {
    /// The rows that it lists: the last step.
    pub fn listed(&self) -> &ListStep {
        &self.steps[self.steps.len() - 1]
    }

    /// The columns of its key, of the rows that are listed or of those of the first step.
    pub fn key_columns(&self, own: bool) -> impl Iterator<Item = &String> {
        self.by.iter().filter(move |key| key.is_own == own).map(|key| &key.column)
    }
}

/// As `cache.toml` has it: `"published"`, `{ null = true }`.
impl fmt::Display for Constant {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Text(text) => write!(f, "{text:?}"),
            Self::Integer(digits) => f.write_str(digits),
            Self::Bool(is) => write!(f, "{is}"),
            Self::Null(is) => write!(f, "{{ null = {is} }}"),
        }
    }
}

/// As SQL: `"status" = 'published'`, with the column behind an alias.
impl Condition {
    /// The condition on a row with this alias.
    pub fn sql(&self, alias: &str) -> String {
        let column = format!("{alias}.\"{}\"", self.column);
        match &self.constant {
            // `{keys}` stands for the key in the statements that have the condition.
            Constant::Text(text) => {
                let text = text.replace('\'', "''").replace("{keys}", "{' || 'keys}");
                format!("{column} = '{text}'")
            }
            Constant::Integer(digits) => format!("{column} = {digits}"),
            Constant::Bool(true) => format!("{column} = TRUE"),
            Constant::Bool(false) => format!("{column} = FALSE"),
            Constant::Null(true) => format!("{column} IS NULL"),
            Constant::Null(false) => format!("{column} IS NOT NULL"),
        }
    }
}

/// As it is written: `-created_at`.
impl fmt::Display for Order {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}{}", if self.descends { "-" } else { "" }, self.column)
    }
}
