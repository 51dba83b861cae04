//! `of`: another value of a model's rows.

use toml::Spanned;

use super::references::unknown_model;
use crate::diagnostic::Errors;
use crate::names::snake;
use crate::raw::{File, RawModel};

pub(super) fn of(file: &File, errors: &mut Errors) {
    for model in &file.models {
        let Some(of) = &model.of else {
            continue;
        };
        match file.model(of.get_ref()) {
            None => unknown_model(file, model.name(), of.span(), of.get_ref(), errors),
            Some(rows) if rows.of.is_some() => not_rows(model, of, rows, errors),
            Some(rows) => {
                says_nothing_of_rows(model, rows, errors);
                is_cached(model, of, errors);
            }
        }
    }
}

fn not_rows(model: &RawModel, of: &Spanned<String>, named: &RawModel, errors: &mut Errors) {
    let (message, help) = match &named.of {
        Some(rows) if named.name() != model.name() && rows.get_ref() != named.name() => (
            format!("`{}` has no rows of its own", named.name()),
            format!("name the model of the rows: of = \"{}\"", rows.get_ref()),
        ),
        _ => (
            format!("`{}` would be another value of itself", named.name()),
            "name the model whose rows it is made of, or remove `of`".to_owned(),
        ),
    };
    errors.error(of.span(), message).label("not a model with rows").help(help).model(model.name());
}

fn says_nothing_of_rows(model: &RawModel, rows: &RawModel, errors: &mut Errors) {
    for key in &model.of_rows {
        let name = key.get_ref();
        errors
            .error(key.span(), format!("`{name}` on another value of `{}`", rows.name()))
            .label("says what the rows are")
            .related(rows.name.span(), "which is said here")
            .help(format!("move it to [model.{}], or remove it", rows.name()))
            .model(model.name());
    }
}

fn is_cached(model: &RawModel, of: &Spanned<String>, errors: &mut Errors) {
    if model.cached.is_none() && model.sound {
        errors
            .error(model.name.span(), format!("`{}` has no `key`", model.name()))
            .label("another value of rows that are known already")
            .related(of.span(), "these")
            .help(format!("cache it: key = \"{}_{{id}}\"; or remove it", snake(model.name())))
            .model(model.name());
    }
}

/// A value is built from its row; another value of that row is beside it, not in it.
pub(super) fn dependencies(file: &File, errors: &mut Errors) {
    for model in &file.models {
        for dependency in &model.depends_on {
            let Some(other) = file.model(dependency.get_ref()) else {
                continue;
            };
            let same_rows = file.rows_of(model).name() == file.rows_of(other).name();
            // That a model depends on itself has its own message.
            if !same_rows || other.name() == model.name() {
                continue;
            }
            let (label, help) = match model.of.is_some() && other.of.is_none() {
                true => ("the rows that it is made of anyway", "remove it"),
                false => (
                    "another value of the same rows",
                    "remove it, and name what that value depends on, if this one has it as well",
                ),
            };
            errors
                .error(
                    dependency.span(),
                    format!("`{}` cannot depend on `{}`", model.name(), other.name()),
                )
                .label(label)
                .help(help)
                .model(model.name());
        }
    }
}
