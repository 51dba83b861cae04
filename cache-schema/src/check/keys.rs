//! Keys: each by itself, then each against every other.

use std::ops::Range;

use crate::diagnostic::Errors;
use crate::once::each_once;
use crate::raw::{File, RawList, RawModel, RawPolicy};
use crate::suggest::did_you_mean;
use crate::template::KeyTemplate;
use crate::template::collision::Pattern;

/// The runtime's own keys start with this.
pub(super) const RESERVED: &str = "cache:";

/// What has a key: a model, or a list.
struct Owner<'a> {
    name: &'a str,
    /// The model whose struct is told.
    model: &'a str,
    /// What the key is made of, as it is called, and its columns.
    made_of: String,
    columns: Vec<&'a str>,
    /// What has one key each.
    each: &'static str,
}

/// A template that is right by itself, and where it is written.
struct Written<'a> {
    name: &'a str,
    model: &'a str,
    span: Range<usize>,
    key: KeyTemplate,
}

pub(super) fn keys(file: &File, errors: &mut Errors) {
    let mut all: Vec<Written<'_>> = Vec::new();
    for model in &file.models {
        let Some(policy) = &model.cached else {
            continue;
        };
        // Whose rows it is made of is not known: so neither is its id.
        if model.of.is_some() && !model.sound {
            continue;
        }
        all.extend(own_key(file, Owner::model(model), policy, errors));
        all.extend(policy.lookups.iter().map(|column| Written {
            name: model.name(),
            model: model.name(),
            span: column.span(),
            key: KeyTemplate::lookup(model.name(), column.get_ref()),
        }));
    }
    for list in &file.lists {
        all.extend(own_key(file, Owner::list(file, list), &list.policy, errors));
    }
    for (index, later) in all.iter().enumerate() {
        for earlier in &all[..index] {
            collision(earlier, later, errors);
        }
    }
}

impl<'a> Owner<'a> {
    fn model(model: &'a RawModel) -> Owner<'a> {
        Owner {
            name: model.name(),
            model: model.name(),
            made_of: format!("the id of `{}`", model.name()),
            columns: model.id.iter().map(|id| id.get_ref().as_str()).collect(),
            each: "rows",
        }
    }

    fn list(file: &'a File, list: &'a RawList) -> Owner<'a> {
        // That two of them have one name has its own message.
        let columns = each_once(list.key(file).map(|(_, _, column)| column));
        Owner {
            name: list.name(),
            model: list.of.get_ref(),
            made_of: format!("`by` of `{}`", list.name()),
            columns,
            each: "lists",
        }
    }

    fn in_braces(&self) -> String {
        let columns: Vec<String> = self.columns.iter().map(|it| format!("{{{it}}}")).collect();
        columns.join(", ")
    }
}

fn own_key<'a>(
    file: &File,
    owner: Owner<'a>,
    policy: &RawPolicy,
    errors: &mut Errors,
) -> Option<Written<'a>> {
    let (text, span) = (policy.key.get_ref(), policy.key.span());
    let (key, flaws) = KeyTemplate::parse(text);
    if !flaws.is_empty() {
        for flaw in flaws {
            let place = errors.source().inside(&span, text, flaw.range);
            errors.error(place, flaw.message).label(flaw.label).help(flaw.help).model(owner.model);
        }
        return None;
    }
    let names_them_all =
        unknown_columns(&owner, &key, &span, errors) && each_column(&owner, &key, &span, errors);
    if !names_them_all {
        return None;
    }
    reserved(file, &owner, &key, &span, errors);
    Some(Written { name: owner.name, model: owner.model, span, key })
}

fn unknown_columns(
    owner: &Owner<'_>,
    key: &KeyTemplate,
    span: &Range<usize>,
    errors: &mut Errors,
) -> bool {
    let text = key.to_string();
    let mut right = true;
    for column in key.columns().filter(|column| !owner.columns.contains(column)) {
        right = false;
        let placeholder = format!("{{{column}}}");
        let start = text.find(&placeholder).unwrap_or_default();
        let place = errors.source().inside(span, &text, start..start + placeholder.len());
        let help = match owner.columns.is_empty() {
            true => "there is one list of all rows: its key has no column".to_owned(),
            false => format!("a key is made of {}", owner.in_braces()),
        };
        errors
            .error(place, format!("unknown column `{column}` in the key"))
            .label(format!("not in {}", owner.made_of))
            .help(help)
            .help_if(did_you_mean(column, owner.columns.iter().copied()))
            .model(owner.model);
    }
    right
}

/// Each column once: fewer, and two rows would share a key.
fn each_column(
    owner: &Owner<'_>,
    key: &KeyTemplate,
    span: &Range<usize>,
    errors: &mut Errors,
) -> bool {
    let mut right = true;
    for column in &owner.columns {
        let (message, label) = match key.columns().filter(|named| named == column).count() {
            1 => continue,
            0 => (
                format!("the key lacks the column `{column}`"),
                format!("two {} would have the same key", owner.each),
            ),
            _ => (format!("the key names `{column}` more than once"), "once is enough".to_owned()),
        };
        right = false;
        errors
            .error(span.clone(), message)
            .label(label)
            .help(format!("name each of {} once", owner.in_braces()))
            .model(owner.model);
    }
    right
}

/// With the prefix or without it: the runtime may put its own keys behind the prefix too.
fn reserved(
    file: &File,
    owner: &Owner<'_>,
    key: &KeyTemplate,
    span: &Range<usize>,
    errors: &mut Errors,
) {
    // A prefix that is itself reserved has its own message.
    let prefix = Some(file.settings.prefix.as_str()).filter(|prefix| !prefix.starts_with(RESERVED));
    let reserved = Pattern::starting_with(RESERVED);
    let text = ["", prefix.unwrap_or_default()]
        .iter()
        .find_map(|prefix| Pattern::new(prefix, key).common_text(&reserved));
    if let Some(text) = text {
        errors
            .error(span.clone(), format!("the key can start with `{RESERVED}`"))
            .label(format!("it could be `{text}`, reserved for the runtime"))
            .help("begin it with another word, such as the model's name")
            .model(owner.model);
    }
}

fn collision(earlier: &Written<'_>, later: &Written<'_>, errors: &mut Errors) {
    let pattern = |written: &Written<'_>| Pattern::new("", &written.key);
    let Some(text) = pattern(earlier).common_text(&pattern(later)) else {
        return;
    };
    let (a, b) = (earlier.name, later.name);
    let message = if a == b {
        format!("two keys of `{a}` can collide")
    } else {
        format!("keys of `{a}` and `{b}` can collide")
    };
    errors
        .error(later.span.clone(), message)
        .label(format!("`{}` could be `{text}`", later.key))
        .related(earlier.span.clone(), format!("and so could `{}`", earlier.key))
        .help("begin each key with a word of its own, such as the model's name and `_`")
        .model(later.model);
}
