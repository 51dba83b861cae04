//! From a JSON body to typed values, or a sentence that says why not.

use serde_json::{Map, Value as Json};

use super::table::{Column, Kind};
use crate::db::Value;
use crate::problem::Problem;

/// What the server fills in.
const READ_ONLY: [&str; 4] = ["id", "uuid", "created_at", "updated_at"];

/// Deeper JSON than this could be stored, but not be read back once it is inside a plio: serde_json
/// stops at 128.
const DEPTH: usize = 64;

/// A new row needs all the required columns.
pub(super) fn check_complete(
    columns: &'static [Column],
    body: &Map<String, Json>,
) -> Result<(), Problem> {
    match columns.iter().find(|column| column.required && !body.contains_key(column.field)) {
        Some(column) => Err(Problem::invalid(format!("`{}` is missing.", column.field))),
        None => Ok(()),
    }
}

/// The columns that the body sets, with their values.
pub(super) fn read(
    columns: &'static [Column],
    body: Map<String, Json>,
) -> Result<Vec<(&'static Column, Value)>, Problem> {
    body.into_iter()
        .map(|(field, json)| match columns.iter().find(|column| column.field == field) {
            Some(column) => Ok((column, value(column, json)?)),
            None => Err(unknown(columns, &field)),
        })
        .collect()
}

fn unknown(columns: &[Column], field: &str) -> Problem {
    if READ_ONLY.contains(&field) {
        return Problem::invalid(format!("`{field}` is set by the server."));
    }
    let known: Vec<_> = columns.iter().map(|column| format!("`{}`", column.field)).collect();
    Problem::invalid(format!("There is no field `{field}`; there are {}.", known.join(", ")))
}

fn value(column: &Column, json: Json) -> Result<Value, Problem> {
    let field = column.field;
    if json.is_null() && !column.nullable {
        return Err(Problem::invalid(format!("`{field}` must not be null.")));
    }
    if has_nul(&json) {
        return Err(Problem::invalid(format!("`{field}` contains the character U+0000.")));
    }
    let wrong = |expected: &str, json: &Json| {
        Problem::invalid(format!("`{field}` must be {expected}, not {}.", describe(json)))
    };
    Ok(match (&column.kind, json) {
        (Kind::Text(_), Json::Null) => Value::Text(None),
        (Kind::Text(most), Json::String(text)) => {
            if text.chars().count() > *most {
                let sentence = format!("`{field}` is longer than {most} characters.");
                return Err(Problem::invalid(sentence));
            }
            Value::Text(Some(text))
        }
        (Kind::Text(_), json) => return Err(wrong("a string", &json)),

        (Kind::Integer | Kind::Reference(_), Json::Null) => Value::Integer(None),
        (kind @ (Kind::Integer | Kind::Reference(_)), json) => match (json.as_i64(), kind) {
            (Some(integer), _) => Value::Integer(Some(integer)),
            (None, Kind::Reference(table)) => {
                return Err(wrong(&format!("the id of a row of `{table}`"), &json));
            }
            (None, _) => return Err(wrong("a whole number of 64 bits", &json)),
        },

        (Kind::Number, Json::Null) => Value::Number(None),
        (Kind::Number, json) => match json.as_f64() {
            Some(number) => Value::Number(Some(number)),
            None => return Err(wrong("a number", &json)),
        },

        (Kind::Boolean, Json::Null) => Value::Boolean(None),
        (Kind::Boolean, Json::Bool(boolean)) => Value::Boolean(Some(boolean)),
        (Kind::Boolean, json) => return Err(wrong("true or false", &json)),

        (Kind::Json, Json::Null) => Value::Json(None),
        (Kind::Json, json) if is_deeper(&json, DEPTH) => {
            let sentence = format!("`{field}` is nested more than {DEPTH} levels deep.");
            return Err(Problem::invalid(sentence));
        }
        (Kind::Json, json) => Value::Json(Some(json)),
    })
}

fn describe(json: &Json) -> String {
    match json {
        Json::Null => "null".to_owned(),
        Json::Bool(boolean) => boolean.to_string(),
        Json::Number(number) => number.to_string(),
        Json::String(_) => "a string".to_owned(),
        Json::Array(_) => "an array".to_owned(),
        Json::Object(_) => "an object".to_owned(),
    }
}

/// PostgreSQL can store every character but this one.
fn has_nul(json: &Json) -> bool {
    match json {
        Json::String(text) => text.contains('\0'),
        Json::Array(elements) => elements.iter().any(has_nul),
        Json::Object(fields) => fields.iter().any(|(key, it)| key.contains('\0') || has_nul(it)),
        Json::Null | Json::Bool(_) | Json::Number(_) => false,
    }
}

fn is_deeper(json: &Json, levels: usize) -> bool {
    match json {
        Json::Array(elements) => levels == 0 || elements.iter().any(|it| is_deeper(it, levels - 1)),
        Json::Object(fields) => levels == 0 || fields.values().any(|it| is_deeper(it, levels - 1)),
        Json::Null | Json::Bool(_) | Json::Number(_) | Json::String(_) => false,
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    static COLUMNS: [Column; 6] = [
        Column::line("name").required(),
        Column::reference("video", "video").nullable(),
        Column::number("time"),
        Column::integer("limit").nullable(),
        Column::boolean("survey"),
        Column::json("meta"),
    ];

    fn read_body(body: Json) -> Result<Vec<Value>, String> {
        let Json::Object(body) = body else { panic!("not a body: {body}") };
        match read(&COLUMNS, body) {
            Ok(values) => Ok(values.into_iter().map(|(_, value)| value).collect()),
            Err(problem) => Err(problem.detail().to_owned()),
        }
    }

    #[track_caller]
    fn refuses(body: Json, sentence: &str) {
        assert_eq!(read_body(body), Err(sentence.to_owned()));
    }

    #[test]
    fn a_body_becomes_typed_values() {
        assert_eq!(read_body(json!({"name": "a"})), Ok(vec![Value::Text(Some("a".to_owned()))]));
        assert_eq!(read_body(json!({"video": 7})), Ok(vec![Value::Integer(Some(7))]));
        assert_eq!(read_body(json!({"time": 7})), Ok(vec![Value::Number(Some(7.0))]));
        assert_eq!(read_body(json!({})), Ok(vec![]));
    }

    #[test]
    fn a_null_has_the_type_of_its_column() {
        assert_eq!(read_body(json!({"video": null})), Ok(vec![Value::Integer(None)]));
        assert_eq!(read_body(json!({"meta": null})), Ok(vec![Value::Json(None)]));
        refuses(json!({"name": null}), "`name` must not be null.");
    }

    #[test]
    fn what_cannot_be_stored_is_refused_in_a_sentence() {
        refuses(json!({"name": 5}), "`name` must be a string, not 5.");
        refuses(json!({"name": "a\0"}), "`name` contains the character U+0000.");
        refuses(json!({"name": "é".repeat(256)}), "`name` is longer than 255 characters.");
        refuses(json!({"meta": {"a": ["b\0"]}}), "`meta` contains the character U+0000.");
        refuses(json!({"meta": {"a\0": 1}}), "`meta` contains the character U+0000.");
        refuses(json!({"video": "7"}), "`video` must be the id of a row of `video`, not a string.");
        refuses(json!({"limit": 1.5}), "`limit` must be a whole number of 64 bits, not 1.5.");
        refuses(
            json!({"limit": u64::MAX}),
            "`limit` must be a whole number of 64 bits, not 18446744073709551615.",
        );
        refuses(json!({"survey": "yes"}), "`survey` must be true or false, not a string.");
    }

    #[test]
    fn deep_json_is_refused_before_it_cannot_be_read_back() {
        let nested = |levels| (0..levels).fold(json!(1), |inner, _| json!([inner]));
        assert!(read_body(json!({"meta": nested(DEPTH)})).is_ok());
        refuses(json!({"meta": nested(DEPTH + 1)}), "`meta` is nested more than 64 levels deep.");
    }

    #[test]
    fn unknown_fields_are_named_with_the_known_ones() {
        refuses(
            json!({"naem": "a"}),
            "There is no field `naem`; there are `name`, `video`, `time`, `limit`, `survey`, `meta`.",
        );
        refuses(json!({"id": 5}), "`id` is set by the server.");
    }

    #[test]
    fn a_new_row_needs_what_has_no_default() {
        let problem = check_complete(&COLUMNS, &Map::new()).expect_err("`name` is required");
        assert_eq!(problem.detail(), "`name` is missing.");
    }
}
