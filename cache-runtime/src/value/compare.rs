//! Values side by side.

use serde_json::Value;

/// How many of the places that differ are named.
const NAMED: usize = 10;

/// Without the fields of these names, wherever they are, and in whichever case (`last_seen`,
/// `lastSeen`) they are written.
pub(crate) fn without(value: Value, names: &[&str]) -> Value {
    if names.is_empty() {
        return value;
    }
    match value {
        Value::Object(fields) => {
            let is_ignored = |field: &str| names.iter().any(|name| plain(name).eq(plain(field)));
            let kept = fields.into_iter().filter(|(field, _)| !is_ignored(field));
            kept.map(|(field, value)| (field, without(value, names))).collect()
        }
        Value::Array(values) => values.into_iter().map(|value| without(value, names)).collect(),
        value => value,
    }
}

fn plain(name: &str) -> impl Iterator<Item = char> {
    let letters = name.chars().filter(|letter| letter.is_alphanumeric());
    letters.flat_map(char::to_lowercase)
}

/// With every list in one order.
pub(crate) fn sorted(value: Value) -> Value {
    match value {
        Value::Object(fields) => {
            fields.into_iter().map(|(field, value)| (field, sorted(value))).collect()
        }
        Value::Array(values) => {
            let mut values: Vec<Value> = values.into_iter().map(sorted).collect();
            values.sort_by_cached_key(Value::to_string);
            Value::Array(values)
        }
        value => value,
    }
}

/// Where they differ, as JSON pointers (RFC 6901, <https://www.rfc-editor.org/rfc/rfc6901>), but
/// for "all of it".
pub(crate) fn differences(a: &Value, b: &Value) -> Vec<String> {
    let mut found = Vec::new();
    collect(a, b, String::new(), &mut found);
    found.truncate(NAMED);
    found
}

fn collect(a: &Value, b: &Value, at: String, found: &mut Vec<String>) {
    if a == b || found.len() >= NAMED {
        return;
    }
    match (a, b) {
        (Value::Object(a), Value::Object(b)) => {
            let only_in_b = b.keys().filter(|field| !a.contains_key(*field));
            for field in a.keys().chain(only_in_b) {
                let at = format!("{at}/{}", field.replace('~', "~0").replace('/', "~1"));
                match (a.get(field), b.get(field)) {
                    (Some(a), Some(b)) => collect(a, b, at, found),
                    _ => found.push(at),
                }
            }
        }
        (Value::Array(a), Value::Array(b)) if a.len() == b.len() => {
            for (n, (a, b)) in a.iter().zip(b).enumerate() {
                collect(a, b, format!("{at}/{n}"), found);
            }
        }
        _ if at.is_empty() => found.push("all of it".to_owned()),
        _ => found.push(at),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn ignored_fields_are_left_out_everywhere() {
        let value = json!({"id": 1, "lastSeen": 2, "items": [{"last_seen": 3, "x": {"LAST-SEEN": 4, "seen": 5}}]});
        let kept = json!({"id": 1, "items": [{"x": {"seen": 5}}]});
        assert_eq!(without(value.clone(), &["last_seen", "other"]), kept);
        assert_eq!(without(value.clone(), &[]), value);
    }

    #[test]
    fn lists_have_no_order_when_they_are_sorted() {
        let [a, b] = [json!({"a": [[2, 1], [3], []]}), json!({"a": [[], [1, 2], [3]]})];
        assert_ne!(a, b);
        assert_eq!(sorted(a), sorted(b.clone()));
        assert_ne!(sorted(b), sorted(json!({"a": [[], [1, 2], [3], [3]]})));
    }

    #[test]
    fn differences_are_named_by_their_places() {
        let a = json!({"id": 1, "items": [{"text": "a", "n": 1}, 2], "gone": null, "a/b~": [1]});
        let b = json!({"id": 1, "items": [{"text": "b", "n": 1}, 3], "new": 1, "a/b~": []});
        assert_eq!(differences(&a, &b), ["/a~1b~0", "/gone", "/items/0/text", "/items/1", "/new"]);
        assert_eq!(differences(&a, &a), [""; 0]);
        assert_eq!(differences(&Value::Null, &a), ["all of it"]);
        let many = |value: i64| Value::from(vec![value; 99]);
        assert_eq!(differences(&many(1), &many(2)).len(), NAMED);
    }
}
