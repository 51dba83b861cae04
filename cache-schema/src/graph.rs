//! The models and their references as a graph, and from it the resolved models.

mod cycles;
mod paths;
mod routes;
mod strictness;

use std::time::Duration;

use crate::diagnostic::Errors;
use crate::key::KeyTemplate;
use crate::read::{self, File, RawModel, RawPolicy};
use crate::schema::{Consistency, Direction, Hop, Lookup, Model, Path, Policy, Reference};
use routes::{Route, Step};
pub(crate) use strictness::strict;

/// Models are nodes, references are edges; both are known by their index.
pub(crate) struct Graph<'a> {
    models: &'a [RawModel],
    edges: Vec<Edge<'a>>,
    /// Whether every reference that is written is an edge. Where one is broken, a missing path proves
    /// nothing: the broken reference has its own message.
    complete: bool,
}

/// A reference.
pub(crate) struct Edge<'a> {
    /// The model that has the columns.
    owner: usize,
    /// The model whose id they hold.
    target: usize,
    columns: &'a [String],
}

impl<'a> Graph<'a> {
    pub(crate) fn new(file: &'a File) -> Self {
        let index_of = |name: &str| file.models.iter().position(|model| model.name() == name);
        let mut graph = Self {
            models: &file.models,
            edges: Vec::new(),
            complete: true,
        };
        for (owner, model) in file.models.iter().enumerate() {
            graph.complete &= model.sound;
            for reference in &model.references {
                let columns = reference.columns.get_ref();
                match index_of(reference.target.get_ref()) {
                    Some(target) if file.models[target].id.len() == columns.len() => {
                        graph.edges.push(Edge {
                            owner,
                            target,
                            columns,
                        });
                    }
                    _ => graph.complete = false,
                }
            }
        }
        graph
    }

    pub(crate) fn edges(&self) -> &[Edge<'a>] {
        &self.edges
    }

    fn index_of(&self, name: &str) -> Option<usize> {
        self.models.iter().position(|model| model.name() == name)
    }

    /// The edge that `via` of `model` means: "column" of the model itself, or "model.column".
    pub(crate) fn edge_named(&self, model: &RawModel, written: &str) -> Option<usize> {
        let (owner, columns) = written.split_once('.').unwrap_or((model.name(), written));
        let columns = read::columns(columns);
        self.edges.iter().position(|edge| {
            self.models[edge.owner].name() == owner.trim() && edge.columns == columns
        })
    }

    /// How `via` of `model` names this edge.
    pub(crate) fn name_of(&self, edge: &Edge<'_>, model: &RawModel) -> String {
        let (owner, columns) = (self.models[edge.owner].name(), edge.columns.join(", "));
        if owner == model.name() {
            columns
        } else {
            format!("{owner}.{columns}")
        }
    }

    fn hop(&self, step: Step) -> Hop {
        let edge = &self.edges[step.edge];
        let (owner, target) = (
            self.models[edge.owner].name(),
            self.models[edge.target].name(),
        );
        let (from, to) = match step.direction {
            Direction::Forward => (owner, target),
            Direction::Reverse => (target, owner),
        };
        Hop {
            from: from.to_owned(),
            to: to.to_owned(),
            direction: step.direction,
            columns: edge.columns.to_vec(),
        }
    }

    fn path(&self, route: &Route) -> Path {
        Path {
            hops: route.iter().map(|step| self.hop(*step)).collect(),
        }
    }
}

/// Finds the paths, and puts the models together.
pub(crate) fn resolve(file: &File, errors: &mut Errors) -> Vec<Model> {
    let graph = Graph::new(file);
    let strict = strict(file);
    let is_strict = |model: &RawModel| strict.iter().any(|(it, _)| it.name() == model.name());
    cycles::check(file, errors);
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
    let lookup = |column: &toml::Spanned<String>| Lookup {
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

fn strings(spanned: &[toml::Spanned<String>]) -> Vec<String> {
    spanned
        .iter()
        .map(|string| string.get_ref().clone())
        .collect()
}
