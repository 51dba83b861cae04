//! From what the file says to what it means.

mod paths;

use std::time::Duration;

use toml::Spanned;

use crate::diagnostic::Errors;
use crate::graph::{Graph, strict};
use crate::raw::{File, RawModel, RawPolicy};
use crate::schema::{Consistency, Lookup, Model, Policy, Reference};
use crate::template::KeyTemplate;

/// Finds the paths, and puts the models together.
pub(crate) fn models(file: &File, errors: &mut Errors) -> Vec<Model> {
    let graph = Graph::new(file);
    let strict = strict(file);
    let is_strict = |model: &RawModel| strict.iter().any(|(it, _)| it.name() == model.name());
    file.models
        .iter()
        .map(|model| self::model(&graph, model, is_strict(model), errors))
        .collect()
}

fn model(graph: &Graph<'_>, raw: &RawModel, is_strict: bool, errors: &mut Errors) -> Model {
    Model {
        name: raw.name().to_owned(),
        position: errors.source().position(raw.name.span().start),
        table: raw.table.get_ref().clone(),
        id: strings(&raw.id),
        cached: raw
            .cached
            .as_ref()
            .map(|policy| self::policy(raw, policy, is_strict, errors)),
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

fn policy(model: &RawModel, raw: &RawPolicy, is_strict: bool, errors: &Errors) -> Policy {
    let lookup = |column: &Spanned<String>| Lookup {
        column: column.get_ref().clone(),
        key: KeyTemplate::lookup(model.name(), column.get_ref()),
        position: errors.source().position(column.span().start),
    };
    Policy {
        key: KeyTemplate::parse(raw.key.get_ref()).0,
        ttl: raw.ttl,
        jitter: raw.jitter,
        negative_ttl: raw.negative_ttl,
        codec: raw.codec,
        version: raw.version,
        max_value: raw.max_value,
        max_tags: raw.max_tags,
        grace: raw.grace,
        load_timeout: raw.load_timeout,
        // What [cache] says is for those who can have one.
        lease: if is_strict { Duration::ZERO } else { raw.lease },
        near: raw.near,
        on_write: raw.on_write,
        verify: raw.verify,
        consistency: match is_strict {
            true => Consistency::Strict,
            false => Consistency::Eventual,
        },
        lookups: raw.lookups.iter().map(lookup).collect(),
    }
}

fn strings(spanned: &[Spanned<String>]) -> Vec<String> {
    spanned
        .iter()
        .map(|string| string.get_ref().clone())
        .collect()
}
