//! What a schema answers: what a write yields and reaches, what a value must register.

mod lists;
mod tag;

use std::collections::{BTreeSet, VecDeque};
use std::fmt;

pub use lists::ListReport;
pub use tag::TagColumns;

use crate::once::each_once;
use crate::schema::{
    Consistency, Dependency, Direction, Hop, Model, Path, Policy, Reference, Schema, write_chain,
};

/// A tag that a write to a model yields.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Report {
    /// The tag, whose values are the row's; the old row's and the new one's.
    pub tag: TagColumns,
    /// The writes that yield it.
    pub on: Change,
}

/// Which writes to a row yield a tag.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Change {
    /// Any change of the row that is not ignored: values are built from the row.
    Row,
    /// Only inserts, deletes and changes of the model's link columns: values are built from rows
    /// that are found through this one.
    Link,
}

/// What could make a row appear that a loader left out.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Absence {
    /// Tags whose value is the id of the row that is not there: rows that refer to it.
    pub of_id: Vec<TagColumns>,
    /// Models any row of which may matter: which one cannot be told without the row.
    pub some_row: Vec<String>,
}

/// A hop on the way from a value to something that it is built from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Wanted<'a> {
    /// The hop.
    pub hop: &'a Hop,
    /// The dependency on whose path it is first.
    pub dependency: &'a Dependency,
    /// That path.
    pub path: &'a Path,
}

/// A cached model that a write to another one reaches, and how.
///
/// `Display` shows `plio ← item.plio_id ← question.item_id`.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Reach {
    /// The cached model.
    pub model: String,
    /// The hops from it to the model that is written, also through what its dependencies depend on.
    pub path: Vec<Hop>,
    /// The writes that reach it.
    pub on: Change,
}

impl Hop {
    /// What a value that takes this hop must register: the row it arrives at (forward), or the rows
    /// that point back (reverse), also those that are not there yet.
    pub fn tag(&self, schema: &Schema) -> TagColumns {
        let columns = match self.direction {
            Direction::Forward => {
                schema.model(&self.to).map(|to| to.id.clone()).unwrap_or_default()
            }
            Direction::Reverse => self.columns.clone(),
        };
        TagColumns { model: self.to.clone(), columns }
    }
}

impl Schema {
    /// All hops of all declared paths, each once, in the order of the file.
    pub fn hops(&self) -> Vec<&Hop> {
        each_once(self.walked().map(|(hop, _)| hop))
    }

    /// The same, as often as they are walked, each with whether it is the last of its path.
    fn walked(&self) -> impl Iterator<Item = (&Hop, bool)> {
        let dependencies = self.models.iter().flat_map(|model| &model.depends_on);
        dependencies.flat_map(|dependency| &dependency.paths).flat_map(|path| {
            let last = path.hops.len() - 1;
            path.hops.iter().enumerate().map(move |(index, hop)| (hop, index == last))
        })
    }

    /// The model of the rows that values of this one are made of.
    pub fn rows_of<'a>(&'a self, model: &'a str) -> &'a str {
        self.model(model).map_or(model, Model::rows)
    }

    /// The references that connect these rows, each as a hop from the first to the second.
    pub fn steps(&self, from: &str, to: &str) -> Vec<Hop> {
        let (from, to) = (self.rows_of(from), self.rows_of(to));
        let hops = |owner: &str, target: &str, direction: Direction| {
            let references = self.model(owner).map_or(&[][..], |owner| &owner.references);
            let references = references.iter().filter(|it| it.target == target);
            let hop = |it: &Reference| Hop {
                from: from.to_owned(),
                to: to.to_owned(),
                direction,
                columns: it.columns.clone(),
            };
            references.map(hop).collect::<Vec<Hop>>()
        };
        let mut steps = hops(from, to, Direction::Forward);
        steps.extend(hops(to, from, Direction::Reverse));
        steps
    }

    /// The reference that a hop walks.
    pub fn reference_of(&self, hop: &Hop) -> Option<&Reference> {
        let (owner, target) = match hop.direction {
            Direction::Forward => (&hop.from, &hop.to),
            Direction::Reverse => (&hop.to, &hop.from),
        };
        let mut references = self.model(owner)?.references.iter();
        references.find(|it| it.columns == hop.columns && it.target == *target)
    }

    /// Every cached value of these rows.
    fn values_of(&self, rows: &str) -> impl Iterator<Item = &Policy> {
        let values = self.models.iter().filter(move |it| it.rows() == rows);
        values.filter_map(|it| it.cached.as_ref())
    }

    /// The columns that some value of a row of `model` can be got by, each once.
    pub fn lookups(&self, model: &str) -> Vec<String> {
        let lookups = self.values_of(self.rows_of(model)).flat_map(|policy| &policy.lookups);
        each_once(lookups.map(|lookup| lookup.column.clone()))
    }

    /// What a row of `model` must register for its neighbours: the hops that leave it on any
    /// declared path, each once, in the order of the file.
    pub fn hops_from(&self, model: &str) -> Vec<&Hop> {
        let rows = self.rows_of(model);
        let mut hops = self.hops();
        hops.retain(|hop| hop.from == rows);
        hops
    }

    /// The tags a write to a row of `model` yields, each once: its own if a value of it is cached,
    /// then those of the hops that arrive at it in the order of the file, then those of its
    /// lookups.
    pub fn reports(&self, model: &str) -> Vec<Report> {
        let Some(model) = self.model(self.rows_of(model)) else {
            return Vec::new();
        };
        let tag = |columns: &[String]| TagColumns {
            model: model.name.clone(),
            columns: columns.to_vec(),
        };
        let mut reports: Vec<Report> = Vec::new();
        let mut add =
            |tag: TagColumns, on: Change| match reports.iter_mut().find(|report| report.tag == tag)
            {
                Some(known) if on == Change::Row => known.on = Change::Row,
                Some(_) => {}
                None => reports.push(Report { tag, on }),
            };

        if self.values_of(&model.name).next().is_some() {
            add(tag(&model.id), Change::Row);
        }
        for (hop, is_last) in self.walked().filter(|(hop, _)| hop.to == model.name) {
            add(hop.tag(self), if is_last { Change::Row } else { Change::Link });
        }
        // Of any change: the query of a lookup may have a condition (`AND deleted_at IS NULL`) that
        // becomes true.
        for lookup in self.lookups(&model.name) {
            add(tag(std::slice::from_ref(&lookup)), Change::Row);
        }
        reports
    }

    /// The columns whose change moves a row to other neighbours: its id, its references that some
    /// path uses, its lookups. Each once, in that order.
    pub fn link_columns(&self, model: &str) -> Vec<String> {
        let Some(model) = self.model(self.rows_of(model)) else {
            return Vec::new();
        };
        let used = self.walked().filter(|(hop, _)| match hop.direction {
            Direction::Forward => hop.from == model.name,
            Direction::Reverse => hop.to == model.name,
        });
        let lookups = self.lookups(&model.name);
        let all = model.id.iter().chain(used.flat_map(|(hop, _)| &hop.columns)).chain(&lookups);
        each_once(all.cloned())
    }

    /// What a write to a row of `model` reaches: every cached model, by every path from it. Its own
    /// values with an empty path.
    ///
    /// A cached model whose paths only pass through `model` is reached as well, by a change of its
    /// link columns: see [`Reach::on`].
    ///
    /// There may be many paths: where `n` diamonds follow each other, two to the power of `n`.
    pub fn reach(&self, model: &str) -> Vec<Reach> {
        let model = self.rows_of(model);
        let mut reached = Vec::new();
        for cached in self.models.iter().filter(|model| model.cached.is_some()) {
            if cached.rows() == model {
                add_reach(&mut reached, cached, &[], Change::Row);
            }
            let mut chain = Vec::new();
            self.chains(cached, &mut chain, &mut |chain, on| {
                if chain.last().is_some_and(|hop| hop.to == model) {
                    add_reach(&mut reached, cached, chain, on);
                }
            });
        }
        reached
    }

    /// What a value of `model` must register besides its own row: the tags of all hops on all its
    /// paths, also through what its dependencies depend on. Sorted.
    pub fn needs(&self, model: &str) -> Vec<TagColumns> {
        let hops = self.wanted(model);
        let needs: BTreeSet<TagColumns> = hops.iter().map(|it| it.hop.tag(self)).collect();
        needs.into_iter().collect()
    }

    /// All hops on all paths of a value of `model`, also through what its dependencies depend on;
    /// each once.
    pub fn wanted(&self, model: &str) -> Vec<Wanted<'_>> {
        let mut wanted: Vec<Wanted<'_>> = Vec::new();
        let (mut visited, mut models) = (BTreeSet::new(), VecDeque::from([model.to_owned()]));
        while let Some(name) = models.pop_front() {
            let Some(model) = self.model(&name).filter(|_| visited.insert(name.clone())) else {
                continue;
            };
            for dependency in &model.depends_on {
                for path in &dependency.paths {
                    for hop in &path.hops {
                        if !wanted.iter().any(|it| it.hop == hop) {
                            wanted.push(Wanted { hop, dependency, path });
                        }
                    }
                }
                models.push_back(dependency.model.clone());
            }
        }
        wanted
    }

    /// What "no such row" of `model` must register besides the row's own tag, as a loader may leave
    /// out a row for what it depends on: a list that is empty, a row joined that is not there. Both
    /// sorted.
    pub fn absence(&self, model: &str) -> Absence {
        let (mut of_id, mut some_row) = (BTreeSet::new(), BTreeSet::new());
        let (mut visited, mut models) = (BTreeSet::new(), vec![model]);
        while let Some(name) = models.pop() {
            let Some(from) = self.model(name).filter(|_| visited.insert(name)) else {
                continue;
            };
            for dependency in &from.depends_on {
                for (at, hop) in dependency.paths.iter().flat_map(|it| it.hops.iter().enumerate()) {
                    match (name == model && at == 0, hop.direction) {
                        (true, Direction::Reverse) => drop(of_id.insert(hop.tag(self))),
                        _ => drop(some_row.insert(hop.to.clone())),
                    }
                }
                models.push(&dependency.model);
            }
        }
        Absence { of_id: of_id.into_iter().collect(), some_row: some_row.into_iter().collect() }
    }

    /// The tags that values of strict models may register, each once: what a write has to block
    /// before it commits. Sorted.
    pub fn strict_tags(&self) -> Vec<TagColumns> {
        let mut tags = BTreeSet::new();
        for model in &self.models {
            let policy = model.cached.as_ref();
            let Some(policy) = policy.filter(|it| it.consistency == Consistency::Strict) else {
                continue;
            };
            let own = std::iter::once(model.id.clone());
            let lookups = policy.lookups.iter().map(|by| vec![by.column.clone()]);
            tags.extend(
                own.chain(lookups)
                    .map(|columns| TagColumns { model: model.rows().to_owned(), columns }),
            );
            tags.extend(self.needs(&model.name));
        }
        tags.extend(self.tags_of_strict_lists());
        tags.into_iter().collect()
    }

    /// Visits every chain of hops that begins at `model` and follows declared paths, hop by hop.
    /// It ends, for `depends-on` has no cycles.
    fn chains(&self, model: &Model, chain: &mut Vec<Hop>, visit: &mut impl FnMut(&[Hop], Change)) {
        for dependency in &model.depends_on {
            for path in &dependency.paths {
                let before = chain.len();
                for (index, hop) in path.hops.iter().enumerate() {
                    chain.push(hop.clone());
                    let is_last = index == path.hops.len() - 1;
                    visit(chain, if is_last { Change::Row } else { Change::Link });
                }
                if let Some(next) = self.model(&dependency.model) {
                    self.chains(next, chain, visit);
                }
                chain.truncate(before);
            }
        }
    }
}

/// Each path once; what any change reaches, a change of links reaches too.
fn add_reach(reached: &mut Vec<Reach>, cached: &Model, path: &[Hop], on: Change) {
    match reached.iter_mut().find(|reach| reach.model == cached.name && reach.path == path) {
        Some(known) if on == Change::Row => known.on = Change::Row,
        Some(_) => {}
        None => reached.push(Reach { model: cached.name.clone(), path: path.to_vec(), on }),
    }
}

impl fmt::Display for Reach {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write_chain(f, &self.model, &self.path)
    }
}
