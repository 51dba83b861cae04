//! What a strict model cannot have.

use crate::diagnostic::Errors;
use crate::graph;
use crate::raw::File;

/// Why what is strict cannot have this key.
pub(super) fn why_not(key: &str) -> &'static str {
    match key {
        "near" => "what a process remembers cannot be linearizable",
        "on-write" => "what is deleted before a commit would be read again too early",
        // Nothing is stored while a write is under way.
        _ => "what another process loads may not be stored: nobody should wait for it",
    }
}

pub(super) fn strict(file: &File, errors: &mut Errors) {
    for (model, because_of) in graph::strict(file) {
        for key in model.cached.iter().flat_map(|policy| &policy.not_strict) {
            let (name, itself) = (key.get_ref(), because_of.name() == model.name());
            let label = why_not(name);
            let help = match itself {
                true => "remove it, or `consistency = \"strict\"`".to_owned(),
                false => {
                    format!("remove it, or `consistency = \"strict\"` from `{}`", because_of.name())
                }
            };
            let diagnostic = errors
                .error(key.span(), format!("`{name}` on a model that is strict"))
                .label(label)
                .help(help)
                .model(model.name());
            if !itself {
                diagnostic.related(
                    because_of.name.span(),
                    format!("strict, and built from `{}`", model.name()),
                );
            }
        }
    }
}
