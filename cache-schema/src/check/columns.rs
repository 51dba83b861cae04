//! Columns.

use toml::Spanned;

use crate::diagnostic::Errors;
use crate::names::is_identifier;
use crate::raw::{File, RawModel};

/// Every column that is named is an SQL identifier.
pub(super) fn columns(file: &File, errors: &mut Errors) {
    for model in &file.models {
        for lookup in model.lookups() {
            identifier(model.name(), lookup, lookup.get_ref(), errors);
        }
    }
    for model in file.rows() {
        for column in model.id.iter().chain(&model.ignores) {
            identifier(model.name(), column, column.get_ref(), errors);
        }
        for reference in &model.references {
            for column in reference.columns.get_ref() {
                identifier(model.name(), &reference.columns, column, errors);
            }
        }
    }
}

pub(super) fn identifier<T>(model: &str, place: &Spanned<T>, column: &str, errors: &mut Errors) {
    if !is_identifier(column) {
        errors
            .error(place.span(), format!("`{column}` cannot be the name of a column"))
            .label("not an SQL identifier")
            .help("use letters, digits and `_`, not beginning with a digit")
            .model(model);
    }
}

/// A lookup by the id is what the key is for.
pub(super) fn lookups(file: &File, errors: &mut Errors) {
    for model in &file.models {
        for lookup in model.lookups().iter().filter(|lookup| is_whole_id(model, lookup.get_ref())) {
            errors
                .error(
                    lookup.span(),
                    format!("`{}` is the id of `{}`", lookup.get_ref(), model.name()),
                )
                .label("values are got by it already")
                .help("remove it; `lookup` is for other unique columns")
                .model(model.name());
        }
    }
}

fn is_whole_id(model: &RawModel, column: &str) -> bool {
    model.id.len() == 1 && model.has_id(column)
}

fn is_lookup(file: &File, rows: &RawModel, column: &str) -> bool {
    let mut values = file.models.iter().filter(|it| file.rows_of(it).name() == rows.name());
    values.any(|it| it.lookups().iter().any(|lookup| lookup.get_ref() == column))
}

/// A column that something hangs on cannot be ignored.
pub(super) fn ignores(file: &File, errors: &mut Errors) {
    for model in file.rows() {
        for ignored in &model.ignores {
            let column = ignored.get_ref();
            let of_reference =
                || model.references.iter().any(|r| r.columns.get_ref().contains(column));
            let label = if model.has_id(column) {
                "part of the id"
            } else if of_reference() {
                "a reference: a path may run over it"
            } else if is_lookup(file, model, column) {
                "values are got by it: it is in `lookup`"
            } else {
                continue;
            };
            errors
                .error(ignored.span(), format!("`{column}` cannot be ignored"))
                .label(label)
                .help("remove it from `ignores`")
                .model(model.name());
        }
    }
}
