//! References and `depends-on`: the models they name, and the columns.

use std::ops::Range;

use crate::diagnostic::Errors;
use crate::raw::{File, RawModel, RawReference};
use crate::suggest::did_you_mean;

pub(super) fn references(file: &File, errors: &mut Errors) {
    for model in file.rows() {
        for (index, reference) in model.references.iter().enumerate() {
            let name = reference.target.get_ref();
            match file.model(name) {
                None => unknown_model(file, model.name(), reference.target.span(), name, errors),
                Some(target) if target.of.is_some() => {
                    not_of_rows(model, reference, target, errors)
                }
                Some(target) => as_many_columns_as_the_id(model, reference, target, errors),
            }
            same_columns_twice(model, index, reference, errors);
        }
    }
}

pub(super) fn unknown_model(
    file: &File,
    model: &str,
    span: Range<usize>,
    name: &str,
    errors: &mut Errors,
) {
    errors
        .error(span, format!("unknown model `{name}`"))
        .label("no such model in this file")
        .help(format!("declare it: [model.{name}]"))
        .help_if(did_you_mean(name, file.names()))
        .model(model);
}

/// A column holds the id of a row, of which there may be several values.
fn not_of_rows(model: &RawModel, reference: &RawReference, target: &RawModel, errors: &mut Errors) {
    let Some(rows) = &target.of else {
        return;
    };
    errors
        .error(reference.target.span(), format!("`{}` has no rows of its own", target.name()))
        .label(format!("another value of `{}`", rows.get_ref()))
        .help(format!(
            "name the model of the rows, `{}`: that reaches every value of them",
            rows.get_ref()
        ))
        .model(model.name());
}

fn as_many_columns_as_the_id(
    model: &RawModel,
    reference: &RawReference,
    target: &RawModel,
    errors: &mut Errors,
) {
    let (columns, id) = (reference.columns.get_ref().len(), target.id.len());
    if columns == id || !target.sound {
        return;
    }
    let names =
        target.id.iter().map(|column| column.get_ref().as_str()).collect::<Vec<_>>().join(", ");
    let plural = |count: usize| if count == 1 { "" } else { "s" };
    errors
        .error(
            reference.columns.span(),
            format!(
                "the reference has {columns} column{}, the id of `{}` has {id}",
                plural(columns),
                target.name()
            ),
        )
        .label(format!("{columns} column{}", plural(columns)))
        .related(target.name.span(), format!("its id is ({names})"))
        .help(format!(
            "name {id} column{} of `{}`, in the order of ({names})",
            plural(id),
            model.name()
        ))
        .model(model.name());
}

fn same_columns_twice(
    model: &RawModel,
    index: usize,
    reference: &RawReference,
    errors: &mut Errors,
) {
    let columns = reference.columns.get_ref();
    let mut seen = Vec::new();
    for column in columns {
        if seen.contains(&column) {
            errors
                .error(
                    reference.columns.span(),
                    format!("`{column}` is listed twice in a reference"),
                )
                .label("listed twice")
                .help("name each column once")
                .model(model.name());
        }
        seen.push(column);
    }
    let earlier =
        model.references[..index].iter().find(|earlier| earlier.columns.get_ref() == columns);
    if let Some(earlier) = earlier {
        errors
            .error(reference.columns.span(), "two references over the same columns")
            .label("again")
            .related(earlier.columns.span(), "first here")
            .help("remove one of them")
            .model(model.name());
    }
}

pub(super) fn dependencies(file: &File, errors: &mut Errors) {
    for model in &file.models {
        for dependency in &model.depends_on {
            let name = dependency.get_ref();
            if file.model(name).is_none() {
                unknown_model(file, model.name(), dependency.span(), name, errors);
            }
        }
    }
}
