//! Values on their way into a statement.

/// A value to bind. `None` is a NULL of that type: PostgreSQL wants to know which.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Value {
    Text(Option<String>),
    Integer(Option<i64>),
    Number(Option<f64>),
    Boolean(Option<bool>),
    Json(Option<serde_json::Value>),
}

impl Value {
    /// A list of ids, which a statement reads as `{ids}`.
    pub(crate) fn ids(ids: &[i64]) -> String {
        serde_json::json!(ids).to_string()
    }
}

impl From<i64> for Value {
    fn from(integer: i64) -> Value {
        Value::Integer(Some(integer))
    }
}

impl From<String> for Value {
    fn from(text: String) -> Value {
        Value::Text(Some(text))
    }
}
