//! The models and their references as a graph.

mod routes;
mod strictness;

use crate::raw::{self, File, RawModel};
use crate::schema::{Direction, Hop, Path};
pub(crate) use strictness::strict;

/// Models are nodes, references are edges; both are known by their index. Several values of the
/// same rows are one node.
pub(crate) struct Graph<'a> {
    file: &'a File,
    pub(crate) models: &'a [RawModel],
    pub(crate) edges: Vec<Edge<'a>>,
    /// Whether every reference that is written is an edge. Where one is broken, a missing path
    /// proves nothing: the broken reference has its own message.
    pub(crate) complete: bool,
}

/// A reference.
pub(crate) struct Edge<'a> {
    /// The model that has the columns.
    owner: usize,
    /// The model whose id they hold.
    target: usize,
    columns: &'a [String],
}

/// One edge, walked in one direction.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Step {
    pub(crate) edge: usize,
    pub(crate) direction: Direction,
}

pub(crate) type Route = Vec<Step>;

/// As many routes as are found before the search stops: two are ambiguous, more are only listed.
pub(crate) const MANY: usize = 6;

impl<'a> Graph<'a> {
    pub(crate) fn new(file: &'a File) -> Self {
        let mut graph = Self { file, models: &file.models, edges: Vec::new(), complete: true };
        for (owner, model) in file.models.iter().enumerate() {
            graph.complete &= model.sound;
            if model.of.is_some() {
                continue;
            }
            for reference in &model.references {
                let columns = reference.columns.get_ref();
                match graph.index_of(reference.target.get_ref()) {
                    Some(target) if file.models[target].id.len() == columns.len() => {
                        graph.edges.push(Edge { owner, target, columns });
                    }
                    _ => graph.complete = false,
                }
            }
        }
        graph
    }

    /// The node of a model: that of its rows.
    pub(crate) fn index_of(&self, name: &str) -> Option<usize> {
        let rows = self.file.rows_of(self.file.model(name)?);
        self.models.iter().position(|model| model.name() == rows.name())
    }

    /// The edge that `via` of `model` means: "column" of the model itself, or "model.column".
    pub(crate) fn edge_named(&self, model: &RawModel, written: &str) -> Option<usize> {
        let own = self.file.rows_of(model).name();
        let (owner, columns) = written.split_once('.').unwrap_or((own, written));
        let columns = raw::columns(columns);
        self.edges.iter().position(|edge| {
            self.models[edge.owner].name() == owner.trim() && edge.columns == columns
        })
    }

    /// How `via` of `model` names this edge.
    pub(crate) fn name_of(&self, edge: &Edge<'_>, model: &RawModel) -> String {
        let (owner, columns) = (self.models[edge.owner].name(), edge.columns.join(", "));
        if owner == self.file.rows_of(model).name() {
            columns
        } else {
            format!("{owner}.{columns}")
        }
    }

    /// The name of a reference that selects just this one of the routes between two models.
    pub(crate) fn only_on(
        &self,
        route: &Route,
        from: usize,
        to: usize,
        model: &RawModel,
    ) -> Option<String> {
        let selects = |edge: usize| self.shortest(from, to, Some(edge)) == [route.clone()];
        let step = route.iter().find(|step| selects(step.edge))?;
        Some(self.name_of(&self.edges[step.edge], model))
    }

    /// The columns of a model's id.
    pub(crate) fn id_of(&self, name: &str) -> Vec<String> {
        let model = self.file.model(name).into_iter();
        model.flat_map(|model| &model.id).map(|id| id.get_ref().clone()).collect()
    }

    fn hop(&self, step: Step) -> Hop {
        let edge = &self.edges[step.edge];
        let (owner, target) = (self.models[edge.owner].name(), self.models[edge.target].name());
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

    pub(crate) fn path(&self, route: &Route) -> Path {
        Path { hops: route.iter().map(|step| self.hop(*step)).collect() }
    }
}
