//! Any ids in the keys of any schema.

use std::collections::HashMap;

use cache_runtime::__private::KeyWriter;
use cache_schema::{KeyTemplate, Schema, Segment};

/// Bytes of a key.
const LONGEST: usize = 200;

/// Writes keys for ids. An input is lines: the prefix; then the models, each `name
/// template`, and after them any columns to look it up by; after a line `=` the values
/// of columns, with `\n` for a line's end. From each key the values can be told again,
/// and no two templates or ids of the schema share one.
pub fn keys(data: &[u8]) {
    let text = String::from_utf8_lossy(data);
    let (schema, values) = text.split_once("\n=\n").unwrap_or((&text, "1\n2"));
    let Ok(schema) = Schema::parse("cache.toml", &cache_toml(schema)) else {
        return;
    };
    let values: Vec<String> = values.lines().map(|value| value.replace("\\n", "\n")).collect();
    let prefix = &schema.settings.prefix;
    let policies = schema.models().filter_map(|model| model.cached.as_ref());
    let templates = policies.flat_map(|policy| {
        let lookups = policy.lookups.iter().map(|lookup| &lookup.key);
        lookups.chain([&policy.key])
    });
    let mut seen: HashMap<String, (&KeyTemplate, &[String])> = HashMap::new();
    for template in templates {
        for id in values.windows(columns(template)) {
            let key = key(prefix, template, id);
            // Of a long one it has a hash, with a space before it.
            if key.len() > LONGEST || !key.contains(' ') {
                assert_eq!(parts(prefix, template, &key).as_deref(), Some(id), "{key}");
                assert!(key.bytes().all(|byte| byte.is_ascii_graphic()), "{key:?}");
            }
            assert!(key.len() <= LONGEST, "{key}");
            assert!(!key.starts_with("cache:"), "{key} is reserved");
            if let Some(other) = seen.insert(key.clone(), (template, id)) {
                let is_the_same = std::ptr::eq(other.0, template) && other.1 == id;
                assert!(is_the_same, "{other:?} and {template}, {id:?} share {key}");
            }
        }
    }
}

/// What the lines mean, as `cache.toml` says it. A key names its
/// model's id, so a template says it all.
fn cache_toml(lines: &str) -> String {
    let quoted = |text: &str| format!("\"{}\"", text.replace('\\', "\\\\").replace('"', "\\\""));
    let mut lines = lines.lines();
    let prefix = lines.next().unwrap_or_default();
    let mut toml = format!("[cache]\nprefix = {}\n", quoted(prefix));
    for line in lines {
        let mut words = line.split(' ');
        let (name, template) = (words.next().unwrap_or_default(), words.next().unwrap_or_default());
        let named = template.split('{').skip(1).filter_map(|rest| rest.split('}').next());
        let [id, lookups] = [named.collect::<Vec<_>>(), words.collect()]
            .map(|columns| columns.into_iter().map(quoted).collect::<Vec<_>>().join(", "));
        toml += &format!(
            "[model.{name}]\nid = [{id}]\nkey = {}\nlookup = [{lookups}]\n",
            quoted(template)
        );
    }
    toml
}

fn columns(template: &KeyTemplate) -> usize {
    let columns = template.segments().iter();
    columns.filter(|segment| matches!(segment, Segment::Column(_))).count()
}

/// As the code does that is generated for the template.
fn key(prefix: &str, template: &KeyTemplate, id: &[String]) -> String {
    let mut key = KeyWriter::default();
    key.literal(prefix);
    let mut id = id.iter();
    for segment in template.segments() {
        match segment {
            Segment::Literal(text) => key.literal(text),
            Segment::Column(_) => {
                let value = id.next().expect("as many values as columns");
                // An integer is written as its text is.
                match value.parse::<i64>() {
                    Ok(number) if number.to_string() == *value => key.part(&number),
                    _ => key.part(value),
                }
            }
        };
    }
    key.finish()
}

/// The inverse: the values that are in a key.
fn parts(prefix: &str, template: &KeyTemplate, key: &str) -> Option<Vec<String>> {
    let mut rest = key.strip_prefix(prefix)?;
    let mut parts = Vec::new();
    let mut segments = template.segments().iter().peekable();
    while let Some(segment) = segments.next() {
        match (segment, segments.peek()) {
            (Segment::Literal(text), _) => rest = rest.strip_prefix(text.as_str())?,
            (Segment::Column(_), None) => parts.push(unescaped(std::mem::take(&mut rest))?),
            (Segment::Column(_), Some(Segment::Literal(text))) => {
                // It begins with what a part can have as well, and ends the
                // part with what none has, or ends the key.
                let common = text.find(|c| !is_in_parts(c));
                let end = match common {
                    Some(common) => rest.find(|c| !is_in_parts(c))?.checked_sub(common)?,
                    None => rest.len().checked_sub(text.len())?,
                };
                parts.push(unescaped(rest.get(..end)?)?);
                rest = &rest[end..];
            }
            (Segment::Column(_), Some(Segment::Column(_))) => return None,
        }
    }
    rest.is_empty().then_some(parts)
}

fn is_in_parts(c: char) -> bool {
    c.is_ascii_alphanumeric() || matches!(c, '.' | '-' | '%')
}

fn unescaped(part: &str) -> Option<String> {
    let mut pieces = part.split('%');
    let mut bytes = pieces.next()?.as_bytes().to_vec();
    for piece in pieces {
        let (digits, plain) = piece.split_at_checked(2)?;
        bytes.push(u8::from_str_radix(digits, 16).ok()?);
        bytes.extend(plain.as_bytes());
    }
    String::from_utf8(bytes).ok()
}
