//! Which path a dependency takes; no path and several are errors.

use toml::Spanned;

use crate::diagnostic::Errors;
use crate::graph::{Graph, MANY, Route};
use crate::names::snake;
use crate::once::each_once;
use crate::raw::RawModel;
use crate::schema::{Dependency, Path};

pub(super) fn dependencies(
    graph: &Graph<'_>,
    model: &RawModel,
    errors: &mut Errors,
) -> Vec<Dependency> {
    model
        .depends_on
        .iter()
        .map(|dependency| Dependency {
            model: dependency.get_ref().clone(),
            position: errors.source().position(dependency.span().start),
            paths: Question { graph, model, dependency }.paths(errors),
        })
        .collect()
}

/// How to get from a model to its dependency?
struct Question<'a> {
    graph: &'a Graph<'a>,
    model: &'a RawModel,
    dependency: &'a Spanned<String>,
}

impl Question<'_> {
    fn paths(&self, errors: &mut Errors) -> Vec<Path> {
        let (from, to) = (
            self.graph.index_of(self.model.name()),
            self.graph.index_of(self.dependency.get_ref()),
        );
        let (Some(from), Some(to)) = (from, to) else {
            return Vec::new();
        };
        // What is itself a cycle or missed by a broken reference has its own message.
        if from == to || !self.graph.complete {
            return Vec::new();
        }
        let mut routes = Vec::new();
        match self.via() {
            None => routes.extend(self.the_only(from, to, None, errors)),
            Some(references) => {
                for reference in references {
                    routes.extend(self.the_only(from, to, Some(reference), errors));
                }
            }
        }
        each_once(routes.iter().map(|route| self.graph.path(route)))
    }

    /// The references that `via` names for the dependency.
    fn via(&self) -> Option<&[Spanned<String>]> {
        let entry = self
            .model
            .via
            .iter()
            .find(|via| via.dependency.get_ref() == self.dependency.get_ref())?;
        Some(&entry.references)
    }

    fn the_only(
        &self,
        from: usize,
        to: usize,
        via: Option<&Spanned<String>>,
        errors: &mut Errors,
    ) -> Option<Route> {
        let through = match via {
            // A reference that does not exist has its own message.
            Some(written) => Some(self.graph.edge_named(self.model, written.get_ref())?),
            None => None,
        };
        let mut routes = self.graph.shortest(from, to, through);
        match (routes.len(), via) {
            (1, _) => return routes.pop(),
            (0, None) => self.no_path(to, errors),
            (0, Some(via)) => self.not_on_a_path(via, errors),
            (_, via) => self.ambiguous(from, to, &routes, via, errors),
        }
        None
    }

    fn no_path(&self, to: usize, errors: &mut Errors) {
        let (model, dependency) = (self.model, &self.graph.models[to]);
        let reference = |target: &RawModel| {
            let columns = target.id.iter().map(|id| match target.id.as_slice() {
                [_] => format!("{}_{}", snake(target.name()), id.get_ref()),
                _ => id.get_ref().clone(),
            });
            match columns.collect::<Vec<_>>().as_slice() {
                [column] => format!("references = {{ {column} = \"{}\" }}", target.name()),
                columns => {
                    format!("references = {{ \"{}\" = \"{}\" }}", columns.join(", "), target.name())
                }
            }
        };
        errors
            .error(
                self.dependency.span(),
                format!("there is no path from `{}` to `{}`", model.name(), dependency.name()),
            )
            .label("no references lead there")
            .help(format!(
                "declare the column that holds the other's id, such as\n\
                 [model.{}] {}\n\
                 [model.{}] {}",
                model.name(),
                reference(dependency),
                dependency.name(),
                reference(model),
            ))
            .model(model.name());
    }

    fn not_on_a_path(&self, via: &Spanned<String>, errors: &mut Errors) {
        let (model, dependency) = (self.model.name(), self.dependency.get_ref());
        errors
            .error(
                via.span(),
                format!("no path from `{model}` to `{dependency}` runs over `{}`", via.get_ref()),
            )
            .label("leads elsewhere")
            .related(self.dependency.span(), "the path to this one")
            .help("name a reference between the two, or remove the entry")
            .model(model);
    }

    fn ambiguous(
        &self,
        from: usize,
        to: usize,
        routes: &[Route],
        via: Option<&Spanned<String>>,
        errors: &mut Errors,
    ) {
        let dependency = self.dependency.get_ref();
        let mut help = String::from("say which:");
        let mut references = Vec::new();
        for route in routes {
            let path = self.graph.path(route);
            match self.graph.only_on(route, from, to, self.model) {
                Some(reference) => {
                    help += &format!("\nvia = {{ {dependency} = \"{reference}\" }}  # {path}");
                    references.push(format!("\"{reference}\""));
                }
                None => help += &format!("\n(no single reference selects {path})"),
            }
        }
        if routes.len() == MANY {
            help += "\n(there may be more)";
        } else if references.len() > 1 {
            help +=
                &format!("\nvia = {{ {dependency} = [{}] }}  # all of them", references.join(", "));
        }
        let (place, over) = match via {
            Some(via) => (via.span(), format!(" over `{}`", via.get_ref())),
            None => (self.dependency.span(), String::new()),
        };
        errors
            .error(
                place,
                format!(
                    "the path from `{}` to `{dependency}`{over} is ambiguous",
                    self.model.name()
                ),
            )
            .label("several shortest paths")
            .help(help)
            .model(self.model.name());
    }
}
