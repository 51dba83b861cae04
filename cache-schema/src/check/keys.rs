//! Keys: each by itself, then each against every other.

use std::ops::Range;

use crate::diagnostic::Errors;
use crate::raw::{File, RawModel, RawPolicy};
use crate::suggest::did_you_mean;
use crate::template::KeyTemplate;
use crate::template::collision::Pattern;

/// The runtime's own keys start with this.
pub(super) const RESERVED: &str = "cache:";

/// A template that is right by itself, and where it is written.
struct Written<'a> {
    model: &'a RawModel,
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
        all.extend(own_key(file, model, policy, errors));
        all.extend(policy.lookups.iter().map(|column| Written {
            model,
            span: column.span(),
            key: KeyTemplate::lookup(model.name(), column.get_ref()),
        }));
    }
    for (index, later) in all.iter().enumerate() {
        for earlier in &all[..index] {
            collision(earlier, later, errors);
        }
    }
}

fn own_key<'a>(
    file: &File,
    model: &'a RawModel,
    policy: &RawPolicy,
    errors: &mut Errors,
) -> Option<Written<'a>> {
    let (text, span) = (policy.key.get_ref(), policy.key.span());
    let (key, flaws) = KeyTemplate::parse(text);
    if !flaws.is_empty() {
        for flaw in flaws {
            let place = errors.source().inside(&span, text, flaw.range);
            errors.error(place, flaw.message).label(flaw.label).help(flaw.help).model(model.name());
        }
        return None;
    }
    let names_the_id =
        unknown_columns(model, &key, &span, errors) && id_columns(model, &key, &span, errors);
    if !names_the_id {
        return None;
    }
    reserved(file, model, &key, &span, errors);
    Some(Written { model, span, key })
}

fn unknown_columns(
    model: &RawModel,
    key: &KeyTemplate,
    span: &Range<usize>,
    errors: &mut Errors,
) -> bool {
    let text = key.to_string();
    let mut right = true;
    for column in key.columns().filter(|column| !model.has_id(column)) {
        right = false;
        let placeholder = format!("{{{column}}}");
        let start = text.find(&placeholder).unwrap_or_default();
        let place = errors.source().inside(span, &text, start..start + placeholder.len());
        let id = model.id.iter().map(|id| id.get_ref().as_str());
        errors
            .error(place, format!("unknown column `{column}` in the key"))
            .label(format!("not in the id of `{}`", model.name()))
            .help(format!("a key is made of the id: {}", in_braces(model)))
            .help_if(did_you_mean(column, id))
            .model(model.name());
    }
    right
}

/// Each column of the id once: fewer, and two rows would share a key.
fn id_columns(
    model: &RawModel,
    key: &KeyTemplate,
    span: &Range<usize>,
    errors: &mut Errors,
) -> bool {
    let mut right = true;
    for id in &model.id {
        let column = id.get_ref();
        let (message, label) = match key.columns().filter(|named| named == column).count() {
            1 => continue,
            0 => (
                format!("the key lacks the id column `{column}`"),
                "two rows would have the same key",
            ),
            _ => (format!("the key names `{column}` more than once"), "once is enough"),
        };
        right = false;
        errors
            .error(span.clone(), message)
            .label(label)
            .help(format!("name each of {} once", in_braces(model)))
            .model(model.name());
    }
    right
}

fn in_braces(model: &RawModel) -> String {
    model.id.iter().map(|id| format!("{{{}}}", id.get_ref())).collect::<Vec<_>>().join(", ")
}

/// With the prefix or without it: the runtime may put its own keys behind the prefix too.
fn reserved(
    file: &File,
    model: &RawModel,
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
            .model(model.name());
    }
}

fn collision(earlier: &Written<'_>, later: &Written<'_>, errors: &mut Errors) {
    let pattern = |written: &Written<'_>| Pattern::new("", &written.key);
    let Some(text) = pattern(earlier).common_text(&pattern(later)) else {
        return;
    };
    let (a, b) = (earlier.model.name(), later.model.name());
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
        .model(b);
}
