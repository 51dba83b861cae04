//! `[model.x]`.

use toml::Spanned;
use toml::de::{DeString, DeValue};

use super::policy;
use super::reader::{Reader, this_is};
use crate::diagnostic::Errors;
use crate::keys;
use crate::names::snake;
use crate::raw::{RawModel, RawPolicy, RawReference, RawVia, columns};
use crate::schema::{Lookup, Policy, Settings};
use crate::template::KeyTemplate;

const COLUMNS: &str = "an array of columns, such as [\"id\"]";

pub(super) fn read<'a>(
    name: &'a Spanned<DeString<'a>>,
    value: &'a Spanned<DeValue<'a>>,
    defaults: &Settings,
    errors: &mut Errors,
) -> Option<RawModel> {
    let model: &str = name.get_ref();
    let DeValue::Table(table) = value.get_ref() else {
        errors
            .error(value.span(), format!("`model.{model}` is of the wrong type"))
            .label(this_is(value))
            .help(format!("write [model.{model}]"));
        return None;
    };
    let mut reader = Reader::new(table, keys::MODEL, "a model", Some(model), errors);

    let before = reader.unread;
    let of = reader.string("of", "the name of the model whose rows it is made of");
    let of_rows = reader.written(keys::OF_ROWS);
    let table = reader.string("table", "the name of a table");
    let ignores = reader.strings("ignores", COLUMNS).unwrap_or_default();
    let id = id(&mut reader, name);
    let references = references(&mut reader);
    let depends_on = reader.strings("depends-on", "an array of models, such as [\"video\"]");
    let via = via(&mut reader);
    let sound = reader.unread == before;
    let cached = policy(&mut reader, model, defaults);

    Some(RawModel {
        name: Spanned::new(name.span(), model.to_owned()),
        of,
        of_rows,
        table: table.unwrap_or_else(|| Spanned::new(name.span(), snake(model))),
        id,
        cached,
        references,
        depends_on: depends_on.unwrap_or_default(),
        via,
        ignores,
        sound,
    })
}

/// One column, or an array of them.
fn id(reader: &mut Reader<'_, '_>, name: &Spanned<DeString<'_>>) -> Vec<Spanned<String>> {
    const EXPECTED: &str = "a column, such as \"id\", or several, such as [\"tenant\", \"id\"]";
    let id = match reader.entry("id") {
        Some((_, value)) if value.get_ref().is_array() => reader.strings("id", EXPECTED),
        Some(_) => reader.string("id", EXPECTED).map(|column| vec![column]),
        None => None,
    };
    if id.as_ref().is_some_and(Vec::is_empty)
        && let Some((_, value)) = reader.entry("id")
    {
        reader
            .wrong(
                value,
                "`id` is empty".to_owned(),
                "a row is known by at least one column".to_owned(),
            )
            .help(format!("write {EXPECTED}"));
    }
    id.filter(|id| !id.is_empty())
        .unwrap_or_else(|| vec![Spanned::new(name.span(), "id".to_owned())])
}

fn policy(reader: &mut Reader<'_, '_>, model: &str, defaults: &Settings) -> Option<RawPolicy> {
    if reader.entry("key").is_none() {
        not_cached(reader, model);
        return None;
    }
    let lookups = reader.strings("lookup", COLUMNS).unwrap_or_default();
    let negative_ttl = reader.duration("negative-ttl");
    let version = reader.count("version").unwrap_or(1);
    let policy = policy::read(reader, defaults);
    // The last, so that the others are read even if it is wrong.
    let key = reader.string("key", "a template, such as \"plio_{id}\"")?;
    let policy = Policy {
        key: KeyTemplate::parse(key.get_ref()).0,
        negative_ttl: negative_ttl.unwrap_or(defaults.negative_ttl),
        version,
        lookups: lookups.iter().map(|it| lookup(reader, model, it)).collect(),
        ..policy
    };
    let not_strict = reader.written(keys::NOT_STRICT);
    Some(RawPolicy { policy, key, lookups, not_strict })
}

fn lookup(reader: &Reader<'_, '_>, model: &str, column: &Spanned<String>) -> Lookup {
    Lookup {
        column: column.get_ref().clone(),
        key: KeyTemplate::lookup(model, column.get_ref()),
        position: reader.errors.source().position(column.span().start),
    }
}

/// What says how a value is stored says nothing where none is.
fn not_cached(reader: &mut Reader<'_, '_>, model: &str) {
    for key in keys::STORED {
        let Some((key, _)) = reader.entry(key) else {
            continue;
        };
        let name = key.get_ref();
        let message = format!("`{name}` on a model that is not cached");
        let snake = snake(model);
        reader
            .errors
            .error(key.span(), message)
            .label("says how a value is stored, but there is none")
            .help(format!("remove it, or cache the model: key = \"{snake}_{{id}}\""))
            .model(model);
    }
}

/// `{ video_id = "video", "tenant, user_id" = "user" }`
fn references(reader: &mut Reader<'_, '_>) -> Vec<RawReference> {
    const EXPECTED: &str = "a table of columns and models, such as { video_id = \"video\" }";
    let mut references = Vec::new();
    for (key, value) in reader.tables("references", EXPECTED) {
        let target = reader.as_string("references", value, "the name of a model");
        let columns = Spanned::new(key.span(), columns(key.get_ref()));
        references.extend(target.map(|target| RawReference { columns, target }));
    }
    references
}

/// `{ user = "created_by_id", video = ["item.video_id", "video_id"] }`
fn via(reader: &mut Reader<'_, '_>) -> Vec<RawVia> {
    const EXPECTED: &str =
        "a reference, such as \"created_by_id\" or \"item.plio_id\", or an array of them";
    const TABLE: &str =
        "a table of dependencies and references, such as { user = \"created_by_id\" }";
    let mut entries = Vec::new();
    for (key, value) in reader.tables("via", TABLE) {
        let references = match value.get_ref() {
            DeValue::Array(_) => reader.as_strings("via", value, EXPECTED),
            _ => reader.as_string("via", value, EXPECTED).map(|reference| vec![reference]),
        };
        if references.as_ref().is_some_and(Vec::is_empty) {
            let message = format!("`via` names no reference for `{}`", key.get_ref());
            reader
                .wrong(value, message, "this is empty".to_owned())
                .help(format!("write {EXPECTED}"));
        }
        let dependency = Spanned::new(key.span(), key.get_ref().to_string());
        entries.extend(references.map(|references| RawVia { dependency, references }));
    }
    entries
}
