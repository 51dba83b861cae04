//! `[list.x]`.

use toml::Spanned;
use toml::de::{DeString, DeValue};

use super::policy;
use super::reader::{Reader, this_is};
use crate::diagnostic::Errors;
use crate::keys;
use crate::names::snake;
use crate::once::each_once;
use crate::raw::{RawList, RawPolicy};
use crate::schema::{Constant, Policy, Settings};
use crate::template::KeyTemplate;

/// How many ids are kept where it is not said.
const LIMIT: usize = 1000;

pub(super) fn read<'a>(
    name: &'a Spanned<DeString<'a>>,
    value: &'a Spanned<DeValue<'a>>,
    defaults: &Settings,
    errors: &mut Errors,
) -> Option<RawList> {
    let list: &str = name.get_ref();
    let DeValue::Table(table) = value.get_ref() else {
        errors
            .error(value.span(), format!("`list.{list}` is of the wrong type"))
            .label(this_is(value))
            .help(format!("write [list.{list}]"));
        return None;
    };
    let of = table.get("of").and_then(|of| of.get_ref().as_str());
    let mut reader = Reader::new(table, keys::LIST, "a list", of, errors);

    let before = reader.unread;
    let by = by(&mut reader, name);
    let via = reader.string("via", "a reference, such as \"follow.followed_id\"");
    let order = reader.strings("order", "an array of columns, such as [\"-created_at\", \"id\"]");
    let conditions = conditions(&mut reader);
    let limit = reader.count("limit").unwrap_or(LIMIT);
    let policy = policy(&mut reader, name, &by, defaults);
    let of = of_whom(&mut reader, name)?;
    // Of what could not be read there is a message already, and nothing more to say.
    (reader.unread == before).then(|| RawList {
        name: Spanned::new(name.span(), list.to_owned()),
        of,
        by: by.unwrap_or_default(),
        via,
        order: order.unwrap_or_default(),
        conditions,
        limit,
        policy,
    })
}

fn of_whom(reader: &mut Reader<'_, '_>, name: &Spanned<DeString<'_>>) -> Option<Spanned<String>> {
    const EXPECTED: &str = "the model whose values it lists, such as \"plio\"";
    if reader.entry("of").is_none() {
        let list = name.get_ref();
        reader
            .errors
            .error(name.span(), format!("the list `{list}` does not say of what"))
            .label("it has no `of`")
            .help("name the model whose values it lists: of = \"plio\"");
    }
    reader.string("of", EXPECTED)
}

/// Without it there would be one list of all rows, which is to be said.
fn by(reader: &mut Reader<'_, '_>, name: &Spanned<DeString<'_>>) -> Option<Vec<Spanned<String>>> {
    const EXPECTED: &str =
        "an array of columns, such as [\"created_by_id\"] or [\"article-tag.tag\"]";
    if reader.entry("by").is_none() {
        let list = name.get_ref();
        reader
            .errors
            .error(name.span(), format!("the list `{list}` does not say by what"))
            .label("it has no `by`")
            .help(format!("write {EXPECTED}; or by = [], for one list of all rows"));
    }
    reader.strings("by", EXPECTED)
}

/// `{ status = "published", deleted_at = { null = true } }`
fn conditions(reader: &mut Reader<'_, '_>) -> Vec<(Spanned<String>, Constant)> {
    const EXPECTED: &str =
        "a table of columns and constants, such as { status = \"published\", is_hidden = false }";
    const CONSTANT: &str = "a text, an integer, true or false; or { null = true }";
    let mut conditions = Vec::new();
    for (key, value) in reader.tables("where", EXPECTED) {
        let constant = match value.get_ref() {
            DeValue::String(text) if text.contains('\0') => None,
            DeValue::String(text) => Some(Constant::Text(text.to_string())),
            DeValue::Boolean(is) => Some(Constant::Bool(*is)),
            DeValue::Integer(number) => {
                let number = i64::from_str_radix(number.as_str(), number.radix()).ok();
                number.map(|number| Constant::Integer(number.to_string()))
            }
            DeValue::Table(table) => table
                .get("null")
                .filter(|_| table.len() == keys::CONDITION.len())
                .and_then(|is| is.get_ref().as_bool())
                .map(Constant::Null),
            _ => None,
        };
        match constant {
            Some(constant) => {
                let column = Spanned::new(key.span(), key.get_ref().to_string());
                conditions.push((column, constant));
            }
            None => {
                let message = format!("`{}` is compared with no constant", key.get_ref());
                let label = match value.get_ref() {
                    DeValue::String(_) => "no column holds a text with a NUL".to_owned(),
                    DeValue::Integer(_) => "no column holds an integer as large".to_owned(),
                    _ => this_is(value),
                };
                reader.wrong(value, message, label).help(format!("write {CONSTANT}"));
                reader.unread += 1;
            }
        }
    }
    conditions
}

/// Its key is that of its name and of what it is by, unless it says another.
fn policy(
    reader: &mut Reader<'_, '_>,
    name: &Spanned<DeString<'_>>,
    by: &Option<Vec<Spanned<String>>>,
    defaults: &Settings,
) -> RawPolicy {
    let policy = policy::read(reader, defaults);
    let key = reader.string("key", "a template, such as \"plios_of_{created_by_id}\"");
    let key = key.unwrap_or_else(|| {
        let columns = by.iter().flatten().map(|written| {
            let written = written.get_ref().as_str();
            written.split_once('.').map_or(written, |(_, column)| column.trim())
        });
        let columns = each_once(columns);
        let by = columns.iter().map(|column| format!("_{{{column}}}"));
        let key = format!("{}{}", snake(name.get_ref()), by.collect::<String>());
        Spanned::new(name.span(), key)
    });
    RawPolicy {
        policy: Policy { key: KeyTemplate::parse(key.get_ref()).0, ..policy },
        key,
        lookups: Vec::new(),
        not_strict: reader.written(keys::NOT_STRICT),
    }
}
