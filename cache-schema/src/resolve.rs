//! From what the file says to what it means.

mod lists;
mod paths;
mod policy;

use crate::diagnostic::Errors;
use crate::graph::{Graph, strict};
use crate::raw::{File, RawModel, strings};
use crate::schema::{List, Model, Reference};

/// Finds the paths, and puts the models and the lists together.
pub(crate) fn all(file: &File, errors: &mut Errors) -> (Vec<Model>, Vec<List>) {
    let graph = Graph::new(file);
    let strict = strict(file);
    let is_strict = |model: &RawModel| strict.iter().any(|(it, _)| it.name() == model.name());
    let models = file.models.iter();
    let models = models.map(|model| self::model(&graph, model, is_strict(model), errors)).collect();
    let lists = file.lists.iter().filter_map(|list| lists::list(file, &graph, list, errors));
    (models, lists.collect())
}

fn model(graph: &Graph<'_>, raw: &RawModel, is_strict: bool, errors: &mut Errors) -> Model {
    Model {
        name: raw.name().to_owned(),
        position: errors.source().position(raw.name.span().start),
        of: raw.of.as_ref().map(|of| of.get_ref().clone()),
        table: raw.table.get_ref().clone(),
        id: strings(&raw.id),
        cached: raw.cached.as_ref().map(|policy| policy::resolved(policy, is_strict)),
        references: raw
            .references
            .iter()
            .map(|raw| Reference {
                columns: raw.columns.get_ref().clone(),
                target: raw.target.get_ref().clone(),
                position: errors.source().position(raw.columns.span().start),
            })
            .collect(),
        depends_on: paths::dependencies(graph, raw, errors),
        ignores: strings(&raw.ignores),
    }
}
