//! The names of models, and what `[cache]` names.

use toml::Spanned;

use crate::diagnostic::Errors;
use crate::names::{is_identifier, is_model_name};
use crate::raw::File;
use crate::template::is_in_literals;

pub(super) fn settings(file: &File, errors: &mut Errors) {
    if let Some(prefix) = &file.prefix {
        let text = prefix.get_ref();
        if let Some((offset, c)) = text.char_indices().find(|(_, c)| !is_in_literals(*c)) {
            let span = errors.source().inside(&prefix.span(), text, offset..offset + c.len_utf8());
            errors
                .error(span, format!("the prefix cannot contain {c:?}"))
                .label("not a character of keys")
                .help("use printable ASCII without spaces and braces");
        } else if text.starts_with(super::keys::RESERVED) {
            errors
                .error(prefix.span(), format!("the prefix starts with `{}`", super::keys::RESERVED))
                .label("reserved for the runtime")
                .help("start it with another word, such as \"app:\"");
        }
    }
    if let Some(outbox) = file.outbox.as_ref().filter(|outbox| !is_identifier(outbox.get_ref())) {
        errors
            .error(
                outbox.span(),
                format!("`{}` cannot be the name of the outbox", outbox.get_ref()),
            )
            .label("not an SQL identifier")
            .help("use letters, digits and `_`, not beginning with a digit");
    }
}

pub(super) fn models(file: &File, errors: &mut Errors) {
    for model in &file.models {
        kebab_case(&model.name, "model", model.name(), errors);
    }
    for list in &file.lists {
        kebab_case(&list.name, "list", list.of.get_ref(), errors);
    }
}

/// `table` is what it is a name of, and how its table begins.
fn kebab_case(name: &Spanned<String>, table: &str, model: &str, errors: &mut Errors) {
    let (text, kebab) = (name.get_ref(), kebab(name.get_ref()));
    if is_model_name(text) {
        return;
    }
    let help = match is_model_name(&kebab) {
        true => format!("write [{table}.{kebab}]"),
        false => format!(
            "use small letters and digits, words joined by `-`: [{table}.organization-user]"
        ),
    };
    errors
        .error(name.span(), format!("`{text}` cannot be the name of a {table}"))
        .label(format!("names of {table}s are in kebab-case"))
        .help(help)
        .model(model);
}

/// The name in kebab-case: `OrganizationUser`, `organization_user` → `organization-user`.
fn kebab(name: &str) -> String {
    let mut kebab = String::new();
    for c in name.chars() {
        if c.is_uppercase() && !kebab.is_empty() && !kebab.ends_with('-') {
            kebab.push('-');
        }
        match c {
            '_' | ' ' | '.' => kebab.push('-'),
            _ => kebab.extend(c.to_lowercase()),
        }
    }
    kebab
}
