//! `via`: it names dependencies, and references for them.

use toml::Spanned;

use super::references::unknown_model;
use crate::diagnostic::Errors;
use crate::graph::Graph;
use crate::raw::{File, RawModel, columns};
use crate::suggest::did_you_mean;

pub(super) fn via(file: &File, errors: &mut Errors) {
    let graph = Graph::new(file);
    for model in file.models.iter().filter(|model| model.sound) {
        for via in &model.via {
            names_a_dependency(model, &via.dependency, errors);
            for reference in &via.references {
                names_a_reference(file, &graph, model, reference, errors);
            }
        }
    }
}

fn names_a_dependency(model: &RawModel, written: &Spanned<String>, errors: &mut Errors) {
    let name = written.get_ref();
    let known: Vec<&str> = model.depends_on.iter().map(|known| known.get_ref().as_str()).collect();
    if known.contains(&name.as_str()) {
        return;
    }
    let message = format!("`via` names `{name}`, which `{}` does not depend on", model.name());
    errors
        .error(written.span(), message)
        .label("not in `depends-on`")
        .help("remove it, or add the model to `depends-on`")
        .help_if(did_you_mean(name, known))
        .model(model.name());
}

fn names_a_reference(
    file: &File,
    graph: &Graph<'_>,
    model: &RawModel,
    written: &Spanned<String>,
    errors: &mut Errors,
) {
    let text = written.get_ref();
    let (owner, column) = match text.split_once('.') {
        None => (model, text.as_str()),
        Some((owner, column)) => match file.model(owner.trim()) {
            Some(owner) => (owner, column),
            None => return unknown_model(file, model.name(), written.span(), owner, errors),
        },
    };
    let named = columns(column);
    // One that is written but leads nowhere, or cannot be read, has its own message.
    let exists = owner.references.iter().any(|known| *known.columns.get_ref() == named);
    if exists || !owner.sound {
        return;
    }
    let all: Vec<String> = graph.edges.iter().map(|edge| graph.name_of(edge, model)).collect();
    errors
        .error(written.span(), format!("`{text}` is not a reference"))
        .label(format!("not in the `references` of `{}`", owner.name()))
        .help(references_of(owner))
        .help_if(did_you_mean(text, all.iter().map(String::as_str)))
        .model(model.name());
}

fn references_of(owner: &RawModel) -> String {
    let references = owner.references.iter().map(|known| known.columns.get_ref().join(", "));
    let references: Vec<String> = references.map(|columns| format!("`{columns}`")).collect();
    let what_it_has = match references.as_slice() {
        [] => format!("`{}` has no references", owner.name()),
        some => format!("the references of `{}` are {}", owner.name(), some.join(", ")),
    };
    format!("{what_it_has}; name another model's as \"model.column\"")
}
