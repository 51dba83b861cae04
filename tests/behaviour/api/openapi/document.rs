//! The document as the tests read it: operations, and whether JSON is what a schema says.

use serde_json::{Map, Value};

use crate::harness::World;

pub struct Document(pub Value);

/// What can be asked of the service.
#[derive(Clone, Copy)]
pub struct Operation<'d> {
    /// As in the document: `get`.
    pub method: &'d str,
    pub path: &'d str,
    pub says: &'d Value,
}

impl Document {
    pub async fn of(world: &World) -> Self {
        let request = world.request("GET", "/openapi.json");
        Self(world.send(request).await.is(200).body)
    }

    pub fn operations(&self) -> Vec<Operation<'_>> {
        let paths = members(&self.0["paths"]);
        let operations = paths.flat_map(|(path, item)| {
            members(item).map(move |(method, says)| Operation { method, path, says })
        });
        operations.collect()
    }

    /// What it points to, if it points to anything.
    pub fn resolve<'d>(&'d self, place: &'d Value) -> &'d Value {
        let Some(pointer) = place["$ref"].as_str() else {
            return place;
        };
        let target = self.0.pointer(pointer.trim_start_matches('#'));
        target.unwrap_or_else(|| panic!("nothing is at {pointer}"))
    }

    /// Everything that points to something does.
    pub fn is_whole(&self) {
        fn check(document: &Document, place: &Value) {
            document.resolve(place);
            match place {
                Value::Object(object) => object.values().for_each(|it| check(document, it)),
                Value::Array(list) => list.iter().for_each(|it| check(document, it)),
                _ => {}
            }
        }
        check(self, &self.0);
    }

    /// Why this is not what the schema says.
    pub fn differs(&self, value: &Value, schema: &Value) -> Option<String> {
        let schema = self.resolve(schema);
        if let Some(alternatives) = schema["oneOf"].as_array() {
            let fitting = alternatives.iter().filter(|it| self.differs(value, it).is_none());
            let fitting = fitting.count();
            return (fitting != 1).then(|| format!("{value} fits {fitting} of {schema}"));
        }
        if !types(schema).is_empty() && !types(schema).iter().any(|it| is_of(value, it)) {
            return Some(format!("{value} is none of {:?}", types(schema)));
        }
        match value {
            Value::Object(object) => self.object_differs(object, schema),
            Value::Array(list) => {
                let items = schema.get("items")?;
                list.iter().find_map(|it| self.differs(it, items))
            }
            Value::String(text) => {
                let most = schema["maxLength"].as_u64().unwrap_or(u64::MAX);
                let too_long = text.chars().count() as u64 > most;
                // The one pattern that there is.
                let has_nul = schema.get("pattern").is_some() && text.contains('\0');
                (too_long || has_nul).then(|| format!("{text:?} is not as {schema} says"))
            }
            _ => None,
        }
    }

    fn object_differs(&self, object: &Map<String, Value>, schema: &Value) -> Option<String> {
        for name in schema["required"].as_array().into_iter().flatten() {
            if !object.contains_key(name.as_str().unwrap_or_default()) {
                return Some(format!("{name} is missing"));
            }
        }
        object.iter().find_map(|(name, value)| match schema["properties"].get(name) {
            Some(schema) => self.differs(value, schema).map(|why| format!("{name}: {why}")),
            None if schema["additionalProperties"] == false => Some(format!("{name} is unknown")),
            None => None,
        })
    }
}

impl<'d> Operation<'d> {
    pub fn parameters(self) -> impl Iterator<Item = &'d Value> {
        self.says["parameters"].as_array().into_iter().flatten()
    }

    pub fn body(self) -> Option<&'d Value> {
        self.says.pointer("/requestBody/content/application~1json/schema")
    }

    /// `videos`, of `/api/v1/videos/{id}`.
    pub fn noun(self) -> &'d str {
        self.path.split('/').nth(3).unwrap_or_default()
    }
}

/// The names of the types that a schema admits; none if any.
pub fn types(schema: &Value) -> Vec<&str> {
    match &schema["type"] {
        Value::Array(types) => types.iter().filter_map(Value::as_str).collect(),
        one => one.as_str().into_iter().collect(),
    }
}

fn is_of(value: &Value, kind: &str) -> bool {
    match value {
        Value::Null => kind == "null",
        Value::Bool(_) => kind == "boolean",
        Value::Number(number) => kind == "number" || kind == "integer" && number.is_i64(),
        Value::String(_) => kind == "string",
        Value::Array(_) => kind == "array",
        Value::Object(_) => kind == "object",
    }
}

fn members(object: &Value) -> impl Iterator<Item = (&str, &Value)> {
    let members = object.as_object().into_iter().flatten();
    members.map(|(name, value)| (name.as_str(), value))
}
