//! A list's way from its key to the rows that it lists.

use toml::Spanned;

use super::policy;
use crate::diagnostic::Errors;
use crate::graph::{Graph, MANY, Route};
use crate::once::each_once;
use crate::raw::{self, File, RawList, RawModel, order, strings};
use crate::schema::{Condition, Consistency, Direction, Hop, List, ListKey, ListStep, Order};
use crate::suggest::did_you_mean;

pub(super) fn list(
    file: &File,
    graph: &Graph<'_>,
    list: &RawList,
    errors: &mut Errors,
) -> Option<List> {
    // What is itself wrong with these has its own message.
    let of = file.model(list.of.get_ref())?;
    let by: Vec<ListKey> = list
        .key(file)
        .map(|(written, model, column)| ListKey {
            written: written.get_ref().clone(),
            column: column.to_owned(),
            is_own: model.is_none(),
            position: errors.source().position(written.span().start),
        })
        .collect();
    let rows = file.rows_of(of);
    let mut far = list.key(file).filter_map(|(written, model, _)| Some((written, model?)));
    let (far, others) = (far.next(), far);
    let far = match far {
        Some((_, model)) if others.into_iter().any(|(_, other)| other != model) => return None,
        far => far,
    };
    let steps = match far {
        None if list.via.is_some() => return no_path_needs_via(list, errors),
        None => vec![ListStep {
            model: rows.name().to_owned(),
            found_by: by.iter().map(|key| key.column.clone()).collect(),
            leads: Vec::new(),
        }],
        Some((written, model)) => {
            let found_by = by.iter().filter(|key| !key.is_own).map(|key| key.column.clone());
            let way = Way { graph, list, of: rows, written, to: model };
            way.steps(found_by.collect(), errors)?
        }
    };
    Some(List {
        name: list.name().to_owned(),
        position: errors.source().position(list.name.span().start),
        of: of.name().to_owned(),
        by,
        steps,
        order: orders(list, &strings(&rows.id)),
        conditions: list
            .conditions
            .iter()
            .map(|(column, constant)| Condition {
                column: column.get_ref().clone(),
                constant: constant.clone(),
            })
            .collect(),
        limit: list.limit,
        policy: policy::resolved(
            &list.policy,
            list.policy.policy.consistency == Consistency::Strict,
        ),
    })
}

fn no_path_needs_via(list: &RawList, errors: &mut Errors) -> Option<List> {
    let via = list.via.as_ref()?;
    errors
        .error(via.span(), format!("`via` on the list `{}`, which has no path", list.name()))
        .label("the rows that it lists have its key")
        .help("remove it; or name the column of another model in `by`: [\"article-tag.tag\"]")
        .model(list.of.get_ref());
    None
}

/// What tells no two rows apart is no order: the id ends it, and goes the way of the last column,
/// so that an index is read in one direction.
fn orders(list: &RawList, id: &[String]) -> Vec<Order> {
    let mut orders: Vec<Order> = list
        .order
        .iter()
        .map(|written| {
            let (column, descends) = order(written.get_ref());
            Order { column: column.to_owned(), descends }
        })
        .collect();
    let descends = orders.last().is_some_and(|last| last.descends);
    for column in id {
        if !orders.iter().any(|order| order.column == *column) {
            orders.push(Order { column: column.clone(), descends });
        }
    }
    orders
}

/// How to get from the rows that are listed to those that have the key?
struct Way<'a> {
    graph: &'a Graph<'a>,
    list: &'a RawList,
    of: &'a RawModel,
    /// The column of the key.
    written: &'a Spanned<String>,
    /// Its model.
    to: &'a str,
}

impl Way<'_> {
    fn steps(&self, key: Vec<String>, errors: &mut Errors) -> Option<Vec<ListStep>> {
        let (from, to) = (self.graph.index_of(self.of.name())?, self.graph.index_of(self.to)?);
        if !self.graph.complete {
            return None;
        }
        let via = self.list.via.as_ref();
        let mut routes = match via {
            Some(written) => match self.graph.edge_named(self.of, written.get_ref()) {
                Some(edge) => self.routes(from, to, Some(edge), &key),
                None => return self.no_such_reference(written, errors),
            },
            None => self.routes(from, to, None, &key),
        };
        if routes.is_empty() && via.is_none() {
            // The shortest begin with the key; others may be longer.
            let edges = 0..self.graph.edges.len();
            let all = edges.flat_map(|edge| self.routes(from, to, Some(edge), &key));
            let all: Vec<Route> = all.collect();
            let shortest = all.iter().map(Vec::len).min();
            routes = each_once(all.into_iter().filter(|route| Some(route.len()) == shortest));
        }
        match (routes.pop(), routes.len()) {
            (Some(route), 0) => {
                let hops = self.graph.path(&route).hops;
                Some(steps(&hops, self.of, key, |model| self.graph.id_of(model)))
            }
            (None, _) => self.no_path(&key, errors),
            (Some(last), _) => {
                routes.push(last);
                self.ambiguous(&routes, (from, to), errors)
            }
        }
    }

    /// The shortest ways. One that begins with the key's own column would list the rows that have
    /// the key themselves: of a follow's two users, the articles of the one who follows.
    fn routes(&self, from: usize, to: usize, through: Option<usize>, key: &[String]) -> Vec<Route> {
        let mut routes = self.graph.shortest(from, to, through);
        routes.retain(|route| {
            let last = self.graph.path(route).hops.pop();
            last.is_some_and(|hop| hop.direction == Direction::Forward || hop.columns != key)
        });
        routes
    }

    fn no_such_reference<T>(&self, via: &Spanned<String>, errors: &mut Errors) -> Option<T> {
        let all = self.graph.edges.iter().map(|edge| self.graph.name_of(edge, self.of));
        let all: Vec<String> = all.collect();
        errors
            .error(via.span(), format!("`{}` is not a reference", via.get_ref()))
            .label("no model has it in its `references`")
            .help(format!("the references are {}", all.join(", ")))
            .help_if(did_you_mean(via.get_ref(), all.iter().map(String::as_str)))
            .model(self.list.of.get_ref());
        None
    }

    fn no_path<T>(&self, key: &[String], errors: &mut Errors) -> Option<T> {
        let (of, to) = (self.of.name(), self.to);
        let (place, label, help) = match &self.list.via {
            Some(via) => {
                let is_key = via.get_ref().split_once('.').is_some_and(|(model, columns)| {
                    model.trim() == to && raw::columns(columns) == key
                });
                let label = match is_key {
                    true => "this is the key itself: a path begins with another reference",
                    false => "leads elsewhere",
                };
                (via, label, "name a reference between the two in `via`, or remove it".to_owned())
            }
            None => (
                self.written,
                "no references lead there",
                format!(
                    "declare the column that holds the other's id: references of `{to}`, or of `{of}`"
                ),
            ),
        };
        errors
            .error(place.span(), format!("there is no path from `{of}` to `{to}`"))
            .label(label)
            .help(help)
            .model(self.list.of.get_ref());
        None
    }

    fn ambiguous<T>(
        &self,
        routes: &[Route],
        (from, to): (usize, usize),
        errors: &mut Errors,
    ) -> Option<T> {
        let mut help = String::from("say which:");
        for route in routes {
            let path = self.graph.path(route);
            match self.graph.only_on(route, from, to, self.of) {
                Some(reference) => help += &format!("\nvia = \"{reference}\"  # {path}"),
                None => help += &format!("\n(no single reference selects {path})"),
            }
        }
        if routes.len() >= MANY {
            help += "\n(there may be more)";
        }
        let message = format!("the path from `{}` to `{}` is ambiguous", self.of.name(), self.to);
        errors
            .error(self.written.span(), message)
            .label("several shortest paths")
            .help(help)
            .model(self.list.of.get_ref());
        None
    }
}

/// The hops, which lead from the rows that are listed to those that have the key, walked the other
/// way round. `id` is that of a model.
fn steps(
    hops: &[Hop],
    of: &RawModel,
    key: Vec<String>,
    id: impl Fn(&str) -> Vec<String>,
) -> Vec<ListStep> {
    let mut steps: Vec<ListStep> = Vec::new();
    let mut found_by = key;
    for hop in hops.iter().rev() {
        let (leads, next) = match hop.direction {
            Direction::Forward => (id(&hop.to), hop.columns.clone()),
            Direction::Reverse => (hop.columns.clone(), id(&hop.from)),
        };
        // Rows that are found by what leads on add nothing: it is known before they are read. (Of
        // the articles of those whom a user follows, the users.)
        if steps.is_empty() || found_by != leads {
            steps.push(ListStep { model: hop.to.clone(), found_by, leads });
        }
        found_by = next;
    }
    steps.push(ListStep { model: of.name().to_owned(), found_by, leads: Vec::new() });
    steps
}
