//! The search for paths.

use std::collections::VecDeque;

use super::{Edge, Graph, MANY, Route, Step};
use crate::schema::Direction;

impl Graph<'_> {
    /// The shortest of the simple routes between two models, of those that contain the edge
    /// `through` if one is given; all of them, up to [`MANY`].
    pub(crate) fn shortest(&self, from: usize, to: usize, through: Option<usize>) -> Vec<Route> {
        if through.is_some_and(|edge| !self.is_on_some_route(edge, from, to)) {
            return Vec::new();
        }
        let distance = self.distances(to);
        let over =
            through.map(|edge| Over { edge, distance: self.distances_over(edge, &distance) });
        let least = over.as_ref().map_or(&distance, |over| &over.distance);
        let Some(nearest) = least[from] else {
            return Vec::new();
        };
        // A simple route has no more steps than there are other models. Of the given length at
        // first, then longer: so the first that are found are the shortest.
        (nearest..self.models.len())
            .map(|length| {
                let mut search = Search {
                    graph: self,
                    to,
                    distance: &distance,
                    visited: vec![false; self.models.len()],
                    route: Vec::new(),
                    found: Vec::new(),
                };
                search.walk(from, length, over.as_ref());
                search.found
            })
            .find(|found| !found.is_empty())
            .unwrap_or_default()
    }

    /// The steps that leave a model, and where they lead.
    fn steps(&self, from: usize) -> impl Iterator<Item = (Step, usize)> {
        self.edges.iter().enumerate().flat_map(move |(edge, ends)| {
            let forward = (ends.owner == from)
                .then_some((Step { edge, direction: Direction::Forward }, ends.target));
            let reverse = (ends.target == from)
                .then_some((Step { edge, direction: Direction::Reverse }, ends.owner));
            forward.into_iter().chain(reverse)
        })
    }

    /// How many steps each model is away from one.
    fn distances(&self, to: usize) -> Vec<Option<usize>> {
        let mut distance = vec![None; self.models.len()];
        distance[to] = Some(0);
        let mut queue = VecDeque::from([(to, 0)]);
        while let Some((model, steps)) = queue.pop_front() {
            for (_, next) in self.steps(model) {
                if distance[next].is_none() {
                    distance[next] = Some(steps + 1);
                    queue.push_back((next, steps + 1));
                }
            }
        }
        distance
    }

    /// How many steps each model is away from one at least, if the edge is among them; `to` is how
    /// many without.
    fn distances_over(&self, edge: usize, to: &[Option<usize>]) -> Vec<Option<usize>> {
        let Edge { owner, target, .. } = self.edges[edge];
        let ways = [(owner, target), (target, owner)].map(|(first, then)| {
            let to_edge = self.distances(first);
            move |model: usize| Some(to_edge[model]? + 1 + to[then]?)
        });
        (0..self.models.len()).map(|model| ways.iter().filter_map(|way| way(model)).min()).collect()
    }

    /// Whether any simple route from one model to the other contains the edge.
    ///
    /// It does if two routes that share no model join the edge's ends to the two models. By
    /// Menger's theorem that is so if no single model lies on everything between them. Asking this
    /// first keeps the search from trying every route of a large graph in vain.
    fn is_on_some_route(&self, edge: usize, from: usize, to: usize) -> bool {
        let ends = [self.edges[edge].owner, self.edges[edge].target];
        let goals = [from, to];
        ends[0] != ends[1]
            && (0..self.models.len()).all(|removed| {
                let mut reached = vec![false; self.models.len()];
                let mut stack: Vec<usize> =
                    ends.into_iter().filter(|end| *end != removed).collect();
                while let Some(model) = stack.pop() {
                    if !reached[model] {
                        reached[model] = true;
                        stack.extend(
                            self.steps(model).map(|(_, next)| next).filter(|next| *next != removed),
                        );
                    }
                }
                goals.into_iter().any(|goal| reached[goal])
            })
    }
}

/// An edge that a route has to contain.
struct Over {
    edge: usize,
    /// How many steps each model is away, over the edge.
    distance: Vec<Option<usize>>,
}

struct Search<'a> {
    graph: &'a Graph<'a>,
    to: usize,
    distance: &'a [Option<usize>],
    visited: Vec<bool>,
    route: Route,
    found: Vec<Route>,
}

impl Search<'_> {
    /// Walks on from `at`, with exactly `left` steps to go; `over`: with this edge among them.
    fn walk(&mut self, at: usize, left: usize, over: Option<&Over>) {
        if at == self.to {
            if left == 0 && over.is_none() {
                self.found.push(self.route.clone());
            }
            return;
        }
        self.visited[at] = true;
        for (step, next) in self.graph.steps(at) {
            let over = over.filter(|over| over.edge != step.edge);
            let distance = over.map_or(self.distance, |over| &over.distance)[next];
            let in_reach = distance.is_some_and(|distance| distance < left);
            if in_reach && !self.visited[next] && self.found.len() < MANY {
                self.route.push(step);
                self.walk(next, left - 1, over);
                self.route.pop();
            }
        }
        self.visited[at] = false;
    }
}
