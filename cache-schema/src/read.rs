//! From the text to what it says.

mod duration;
mod list;
mod model;
mod policy;
mod reader;
mod settings;
mod size;
mod values;

use toml::de::DeTable;

use crate::diagnostic::Errors;
use crate::keys;
use crate::raw::{File, RawModel};
use crate::schema::Settings;
use reader::Reader;

pub(crate) fn file(text: &str, errors: &mut Errors) -> File {
    let (document, syntax_errors) = DeTable::parse_recoverable(text);
    let broken = !syntax_errors.is_empty();
    for error in syntax_errors {
        syntax_error(&error, text, errors);
    }

    let mut file = File {
        settings: Settings::default(),
        outbox: None,
        prefix: None,
        models: Vec::new(),
        lists: Vec::new(),
    };
    // What could be recovered from broken TOML is not what was meant: say no more about it.
    if broken {
        return file;
    }

    let mut reader = Reader::new(document.get_ref(), keys::FILE, "the file", None, errors);
    if let Some(mut cache) = reader.table("cache", keys::CACHE, "[cache]", "a table: [cache]") {
        settings::cache(&mut cache, &mut file);
    }
    if let Some(mut outbox) = reader.table("outbox", keys::OUTBOX, "[outbox]", "a table: [outbox]")
    {
        settings::outbox(&mut outbox, &mut file);
    }
    for (name, value) in reader.tables("model", "a table for each model, such as [model.plio]") {
        if let Some(model) = model::read(name, value, &file.settings, reader.errors) {
            file.models.push(model);
        }
    }
    for (name, value) in reader.tables("list", "a table for each list, such as [list.plios]") {
        if let Some(list) = list::read(name, value, &file.settings, reader.errors) {
            file.lists.push(list);
        }
    }
    take_rows(&mut file);
    file
}

/// A model that is another value of a model's rows has what that says of them.
fn take_rows(file: &mut File) {
    let rows = |model: &RawModel| {
        let rows = file.rows_of(model);
        let facts =
            (rows.table.clone(), rows.id.clone(), rows.references.clone(), rows.ignores.clone());
        (facts, rows.sound && rows.of.is_none())
    };
    let all: Vec<_> = file.models.iter().map(rows).collect();
    for (model, (facts, is_known)) in file.models.iter_mut().zip(all) {
        if model.of.is_some() {
            (model.table, model.id, model.references, model.ignores) = facts;
            model.sound &= is_known;
        }
    }
}

/// `toml` says "<what>, expected <what instead>".
fn syntax_error(error: &toml::de::Error, text: &str, errors: &mut Errors) {
    let span = error.span().unwrap_or(text.len()..text.len());
    let (what, expected) = match error.message().split_once(", expected ") {
        Some((what, expected)) => (what, Some(format!("expected {expected}"))),
        None => (error.message(), None),
    };
    errors.error(span, format!("this is not TOML: {what}")).label = expected;
}
