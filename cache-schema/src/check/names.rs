//! The names of models, and what `[cache]` names.

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
    for model in file.models.iter().filter(|model| !is_model_name(model.name())) {
        let kebab = kebab(model.name());
        let help = if is_model_name(&kebab) {
            format!("write [model.{kebab}]")
        } else {
            "use small letters and digits, words joined by `-`: [model.organization-user]"
                .to_owned()
        };
        errors
            .error(model.name.span(), format!("`{}` cannot be the name of a model", model.name()))
            .label("names of models are in kebab-case")
            .help(help)
            .model(model.name());
    }
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
