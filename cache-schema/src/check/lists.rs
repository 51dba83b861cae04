//! Lists: of what, by what, in which order.

use toml::Spanned;

use super::columns::identifier;
use super::references::unknown_model;
use super::strict::why_not;
use crate::diagnostic::Errors;
use crate::names::snake;
use crate::raw::{File, RawList, RawModel, order};
use crate::schema::Consistency;

/// What a struct has already: the functions that its values are read by.
const GETTERS: &[&str] = &[
    "key",
    "get",
    "get_many",
    "fetch",
    "fetch_many",
    "fetch_json",
    "fetch_json_many",
    "invalidate",
    "refresh",
];

pub(super) fn lists(file: &File, errors: &mut Errors) {
    for (index, list) in file.lists.iter().enumerate() {
        of(file, list, errors);
        by(file, list, errors);
        orders(list, errors);
        for (column, _) in &list.conditions {
            own_column(list, column, column.get_ref(), "have a condition on", errors);
        }
        function(list, &file.lists[..index], errors);
        strict(list, errors);
    }
}

/// What is listed are the ids of values.
fn of(file: &File, list: &RawList, errors: &mut Errors) {
    let name = list.of.get_ref();
    match file.model(name) {
        None => unknown_model(file, name, list.of.span(), name, errors),
        Some(model) if model.cached.is_none() => {
            errors
                .error(list.of.span(), format!("a list of `{name}`, which is not cached"))
                .label("has no values that could be listed")
                .related(model.name.span(), "it has no `key`")
                .help(format!(
                    "cache it: key = \"{}{}\" in [model.{name}]",
                    snake(name),
                    in_key(model)
                ))
                .model(name);
        }
        Some(_) => {}
    }
}

/// `_{tenant}_{id}`
fn in_key(model: &RawModel) -> String {
    model.id.iter().map(|id| format!("_{{{}}}", id.get_ref())).collect()
}

/// The columns of its key, of no more than one other model.
fn by(file: &File, list: &RawList, errors: &mut Errors) {
    let mut far: Option<(&Spanned<String>, &str)> = None;
    let mut seen: Vec<(&str, &Spanned<String>)> = Vec::new();
    for (written, model, column) in list.key(file) {
        identifier(list.of.get_ref(), written, column, errors);
        if let Some((_, first)) = seen.iter().find(|(known, _)| *known == column) {
            errors
                .error(written.span(), format!("two columns of the key are called `{column}`"))
                .label("again")
                .related(first.span(), "first here")
                .help("a list's function takes each by its name: leave one of them out")
                .model(list.of.get_ref());
        }
        seen.push((column, written));
        let Some(model) = model else {
            continue;
        };
        if file.model(model).is_none() {
            unknown_model(file, list.of.get_ref(), written.span(), model, errors);
        }
        let (first, other) = *far.get_or_insert((written, model));
        if other != model {
            errors
                .error(written.span(), "the key of a list has columns of two other models")
                .label(format!("a column of `{model}`"))
                .related(first.span(), format!("a column of `{other}`"))
                .help("a list runs over one path: leave one of them out")
                .model(list.of.get_ref());
        }
    }
}

fn orders(list: &RawList, errors: &mut Errors) {
    let mut seen: Vec<(&str, &Spanned<String>)> = Vec::new();
    for written in &list.order {
        let (column, _) = order(written.get_ref());
        if let Some((name, _)) = column.split_once(' ') {
            errors
                .error(written.span(), format!("`{column}` is no column to order by"))
                .label("more than a name")
                .help(format!("write \"{name}\", or \"-{name}\" where it descends"))
                .model(list.of.get_ref());
            continue;
        }
        own_column(list, written, column, "be ordered by", errors);
        if let Some((_, first)) = seen.iter().find(|(known, _)| *known == column) {
            errors
                .error(written.span(), format!("the list is ordered by `{column}` twice"))
                .label("again")
                .related(first.span(), "first here")
                .help("remove one of them")
                .model(list.of.get_ref());
        }
        seen.push((column, written));
    }
}

/// A column of the rows that are listed.
fn own_column(
    list: &RawList,
    written: &Spanned<String>,
    column: &str,
    what: &str,
    errors: &mut Errors,
) {
    let of = list.of.get_ref();
    match column.split_once('.') {
        Some((model, _)) => {
            errors
                .error(written.span(), format!("a list cannot {what} another model's column"))
                .label(format!("a column of `{model}`"))
                .help(format!("name a column of `{of}`"))
                .model(of);
        }
        None => identifier(of, written, column, errors),
    }
}

/// Each list is a function of its struct.
fn function(list: &RawList, earlier: &[RawList], errors: &mut Errors) {
    let name = snake(list.name());
    let is_getter = GETTERS.contains(&&*name) || name.starts_with("get_by_");
    let is_getter = is_getter || name.starts_with("fetch_by_") || name.starts_with("fetch_json_by");
    if is_getter {
        errors
            .error(list.name.span(), format!("a list cannot be called `{}`", list.name()))
            .label(format!("its values are read by a function `{name}` already"))
            .help("give it the name of what is in it, such as [list.plios-of-user]")
            .model(list.of.get_ref());
    }
    if let Some(first) = earlier.iter().find(|it| snake(it.name()) == name) {
        errors
            .error(list.name.span(), format!("two lists would be the function `{name}`"))
            .label("again")
            .related(first.name.span(), "first here")
            .help("give one of them another name")
            .model(list.of.get_ref());
    }
}

fn strict(list: &RawList, errors: &mut Errors) {
    if list.policy.policy.consistency != Consistency::Strict {
        return;
    }
    for key in &list.policy.not_strict {
        errors
            .error(key.span(), format!("`{}` on a list that is strict", key.get_ref()))
            .label(why_not(key.get_ref()))
            .help("remove it, or `consistency = \"strict\"`")
            .model(list.of.get_ref());
    }
}
