//! Requests drawn from the document: as it says, and with a twist.

use std::collections::HashMap;

use fastrand::Rng;
use serde_json::{Map, Value, json};

use super::document::{Document, Operation, types};

pub struct Draw<'d> {
    pub random: Rng,
    pub document: &'d Document,
    pub operations: Vec<Operation<'d>>,
    /// The ids of a noun's rows, as far as is known.
    pub rows: HashMap<String, Vec<i64>>,
    /// The plios' names beside their ids.
    pub uuids: Vec<String>,
    /// Those of writes.
    pub tokens: Vec<String>,
    /// What was last seen at a path.
    pub etags: HashMap<String, String>,
}

#[derive(Clone)]
pub struct Drawn<'d> {
    pub operation: Operation<'d>,
    /// Another one than the operation's, perhaps.
    pub method: String,
    pub path: String,
    pub headers: Vec<(&'static str, Vec<u8>)>,
    pub body: Option<Vec<u8>>,
    /// What is wrong with it, if anything is.
    pub twist: Option<&'static str>,
}

const TEXTS: [&str; 10] = [
    "",
    " ",
    "naïve ☃ 😀",
    "'; DROP TABLE plio; --",
    "\u{202e}\u{1}\u{7f}",
    "\"\\",
    "null",
    "<script>",
    "{}",
    "\u{10ffff}\u{feff}",
];
const IDS: [&str; 14] = [
    "0",
    "-1",
    "9223372036854775807",
    "9223372036854775808",
    "-9223372036854775808",
    "1.0",
    "1e3",
    "0x1",
    "%00",
    "%FF",
    "%F0%9F%92%A9",
    "1%2F2",
    "%zz",
    "abc",
];
const TAGS: [&[u8]; 7] =
    [b"\"nonsense\"", b"nonsense", b"", b"W/\"x\"", b"\"", b"\xff\xfe", b"W/*"];

impl<'d> Draw<'d> {
    /// A request; half of them with a twist.
    pub fn request(&mut self) -> Drawn<'d> {
        let operation = self.operations[self.random.usize(..self.operations.len())];
        let mut drawn = self.valid(operation);
        if self.random.bool() {
            self.twist(&mut drawn);
        }
        drawn
    }

    fn valid(&mut self, operation: Operation<'d>) -> Drawn<'d> {
        let (mut path, mut query, mut headers) = (operation.path.to_owned(), vec![], vec![]);
        for parameter in operation.parameters() {
            let name = parameter["name"].as_str().unwrap_or_default();
            match (parameter["in"].as_str(), name) {
                (Some("path"), "id") => {
                    path = path.replace("{id}", &self.id(operation.noun()).to_string());
                }
                (Some("path"), _) => {
                    let uuid = self.one_of(&self.uuids.clone()).unwrap_or_default();
                    path = path.replace("{uuid}", &uuid);
                }
                (Some("query"), _) if self.random.bool() => {
                    query.push(format!("{name}={}", self.random.u8(1..20)));
                }
                (Some("header"), "Consistency-Token") if self.random.u8(..3) == 0 => {
                    let token = self.one_of(&self.tokens.clone());
                    let token = token.unwrap_or("undelivered".to_owned());
                    headers.push(("consistency-token", token.into_bytes()));
                }
                (Some("header"), name) if self.random.u8(..3) == 0 && name.starts_with("If") => {
                    let name = if name == "If-Match" { "if-match" } else { "if-none-match" };
                    let tag = self.etags.get(&path).filter(|_| self.random.u8(..4) > 0);
                    let tag = tag.cloned().unwrap_or("*".to_owned());
                    headers.push((name, tag.into_bytes()));
                }
                _ => {}
            }
        }
        if !query.is_empty() {
            path = format!("{path}?{}", query.join("&"));
        }
        if self.random.u8(..10) == 0 && !path.contains('?') {
            path.push('/');
        }
        let body = operation.body().map(|schema| {
            headers.push(("content-type", b"application/json".to_vec()));
            self.object(self.document.resolve(schema)).to_string().into_bytes()
        });
        let method = operation.method.to_uppercase();
        Drawn { operation, method, path, headers, body, twist: None }
    }

    /// As long as there are twists: one arm each.
    #[expect(clippy::too_many_lines, reason = "one arm each")]
    fn twist(&mut self, drawn: &mut Drawn<'d>) {
        let twist = match (self.random.u8(..10), &mut drawn.body) {
            (0, _) => {
                let methods = [
                    "PUT", "DELETE", "POST", "PATCH", "HEAD", "OPTIONS", "TRACE", "PROPFIND", "get",
                ];
                drawn.method = methods[self.random.usize(..methods.len())].to_owned();
                "method"
            }
            (1, _) if drawn.operation.path.contains('{') => {
                let odd = IDS[self.random.usize(..IDS.len())];
                drawn.path = drawn.operation.path.replace("{id}", odd).replace("{uuid}", odd);
                "path"
            }
            (2, _) => {
                let queries = [
                    "limit=0",
                    "limit=-1",
                    "limit=1001",
                    "limit=x",
                    "offset=-1",
                    "offset=9223372036854775808",
                    "limit=1&limit=2",
                    "%ff=%00",
                    "=&&=",
                    "limit=%zz",
                    "limit",
                ];
                let path = drawn.path.split('?').next().unwrap_or_default();
                drawn.path = format!("{path}?{}", queries[self.random.usize(..queries.len())]);
                "query"
            }
            (3, _) => {
                drawn.headers.retain(|(name, _)| *name != "if-match");
                drawn.headers.push(("if-match", TAGS[self.random.usize(..TAGS.len())].to_vec()));
                "if-match"
            }
            (4, _) => {
                drawn
                    .headers
                    .push(("if-none-match", TAGS[self.random.usize(..TAGS.len())].to_vec()));
                drawn.headers.push(("accept", b"\xff, text/;q=nan".to_vec()));
                drawn.headers.push(("range", b"bytes=5-1".to_vec()));
                "headers"
            }
            (5, Some(_)) => {
                let types = [
                    "text/plain",
                    "application/xml",
                    "multipart/form-data",
                    "application",
                    "\u{e9}",
                ];
                drawn.headers.retain(|(name, _)| *name != "content-type");
                if self.random.bool() {
                    let odd = types[self.random.usize(..types.len())];
                    drawn.headers.push(("content-type", odd.as_bytes().to_vec()));
                }
                "content type"
            }
            (6, Some(body)) => {
                match self.random.u8(..5) {
                    0 => body.truncate(self.random.usize(..body.len())),
                    1 => body.insert(self.random.usize(..body.len()), self.random.u8(..)),
                    2 => *body = b"[".repeat(100_000),
                    3 => *body = json!([1, "text", null]).to_string().into_bytes(),
                    _ => *body = vec![b' '; 1024 * 1024 + 1],
                }
                "bytes"
            }
            (_, Some(_)) => {
                let schema = drawn.operation.body().map(|it| self.document.resolve(it));
                drawn.body = schema.map(|it| self.broken(it).to_string().into_bytes());
                "field"
            }
            _ => return,
        };
        drawn.twist = Some(twist);
    }

    fn id(&mut self, noun: &str) -> i64 {
        let rows = self.rows.get(noun).cloned().unwrap_or_default();
        self.one_of(&rows).unwrap_or(1)
    }

    fn one_of<T: Clone>(&mut self, list: &[T]) -> Option<T> {
        (!list.is_empty()).then(|| list[self.random.usize(..list.len())].clone())
    }

    /// What is required, and some of the rest.
    fn object(&mut self, schema: &Value) -> Value {
        let mut object = Map::new();
        for (name, field) in schema["properties"].as_object().into_iter().flatten() {
            let required =
                schema["required"].as_array().is_some_and(|it| it.contains(&json!(name)));
            if required || self.random.u8(..3) == 0 {
                object.insert(name.clone(), self.field(name, field));
            }
        }
        Value::Object(object)
    }

    fn field(&mut self, name: &str, schema: &Value) -> Value {
        let kinds = types(schema);
        match kinds.get(self.random.usize(..kinds.len().max(1))) {
            Some(&"string") => json!(self.text(schema)),
            Some(&"integer") => self.integer(name),
            Some(&"number") => self.number(),
            Some(&"boolean") => json!(self.random.bool()),
            Some(_) => Value::Null,
            None => self.any(0),
        }
    }

    fn text(&mut self, schema: &Value) -> String {
        match (self.random.u8(..4), schema["maxLength"].as_u64()) {
            (0, Some(most)) => "é".repeat(most as usize),
            (1, _) => (0..12).map(|_| self.random.lowercase()).collect(),
            _ => TEXTS[self.random.usize(..TEXTS.len())].to_owned(),
        }
    }

    fn integer(&mut self, name: &str) -> Value {
        let noun = match name {
            "created_by" => "users".to_owned(),
            name => format!("{name}s"),
        };
        match self.rows.contains_key(&noun) && self.random.u8(..8) > 0 {
            true => json!(self.id(&noun)),
            false => json!([0, -1, 1, i64::MIN, i64::MAX][self.random.usize(..5)]),
        }
    }

    fn number(&mut self) -> Value {
        let numbers = [
            json!(0),
            json!(-0.0),
            json!(0.1),
            json!(1e300),
            json!(5e-324),
            json!(i64::MAX),
            json!(u64::MAX),
        ];
        numbers[self.random.usize(..numbers.len())].clone()
    }

    fn any(&mut self, depth: u8) -> Value {
        match self.random.u8(..if depth < 3 { 7 } else { 4 }) {
            0 => Value::Null,
            1 => json!(self.random.bool()),
            2 => self.number(),
            3 => json!(TEXTS[self.random.usize(..TEXTS.len())]),
            4 => (0..self.random.u8(..4)).map(|_| self.any(depth + 1)).collect(),
            _ => {
                let members =
                    (0..self.random.u8(..4)).map(|n| (format!("{n}"), self.any(depth + 1)));
                Value::Object(members.collect())
            }
        }
    }

    /// Of a right object, with one thing in it that is wrong.
    fn broken(&mut self, schema: &Value) -> Value {
        let mut object = self.object(schema);
        let names: Vec<String> = schema["properties"]
            .as_object()
            .into_iter()
            .flatten()
            .map(|(name, _)| name.clone())
            .collect();
        let name = self.one_of(&names).unwrap_or_default();
        match self.random.u8(..8) {
            0 => drop(object.as_object_mut().map(|it| it.remove(&name))),
            1 => object["nonsense \u{0}"] = json!(1),
            2 => object["id"] = json!(1),
            3 => object[name] = json!("NUL \u{0}"),
            4 => object[name] = json!("x".repeat(2_001)),
            5 => object[name] = (0..70).fold(json!(1), |inner, _| json!([inner])),
            6 => object[name] = json!(u64::MAX),
            _ => object[name] = self.any(0),
        }
        object
    }
}
