//! What a write does to lists.

use crate::answers::tag::TagColumns;
use crate::once::each_once;
use crate::schema::{Condition, Consistency, List, ListStep, Schema};

/// A tag of a list that a write to a model yields: of rows that come into the list, leave it, or
/// move in it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ListReport<'a> {
    /// The tag, whose values are the row's; the old row's and the new one's.
    pub tag: TagColumns,
    /// Only a change of these moves a row: its id, what it is found by, its order.
    pub columns: Vec<&'a String>,
    /// Only a row that meets them is listed.
    pub conditions: &'a [Condition],
}

impl ListReport<'_> {
    /// The name of the list.
    pub(crate) fn name(&self) -> &str {
        self.tag.model.split(':').next().unwrap_or_default()
    }

    /// What a row with this alias has to meet to be listed, if there is something.
    pub(crate) fn is_met(&self, alias: &str) -> Option<String> {
        let conditions: Vec<String> = self.conditions.iter().map(|it| it.sql(alias)).collect();
        (!conditions.is_empty()).then(|| conditions.join(" AND "))
    }
}

impl List {
    /// What a list registers of the rows of a step: `feed:article#author_id`. The name is not that
    /// of the model, so that other changes of the same rows do not touch the list.
    pub fn tag(&self, step: &ListStep) -> TagColumns {
        TagColumns {
            model: format!("{}:{}", self.name, step.model),
            columns: step.found_by.clone(),
        }
    }

    /// What of these rows moves them in the list.
    fn report<'a>(&'a self, step: &'a ListStep, id: &'a [String]) -> ListReport<'a> {
        let is_listed = std::ptr::eq(step, self.listed());
        let of_listed = is_listed.then(|| {
            let order = self.order.iter().map(|order| &order.column);
            self.key_columns(true).chain(order)
        });
        let all = id.iter().chain(&step.found_by).chain(&step.leads);
        let columns = each_once(all.chain(of_listed.into_iter().flatten()));
        let conditions = if is_listed { &self.conditions[..] } else { &[] };
        ListReport { tag: self.tag(step), columns, conditions }
    }
}

impl Schema {
    /// All lists, in the order of the file.
    pub fn lists(&self) -> impl Iterator<Item = &List> {
        self.lists.iter()
    }

    /// The lists of this model's values.
    pub fn lists_of<'a>(&'a self, model: &'a str) -> impl Iterator<Item = &'a List> {
        self.lists.iter().filter(move |list| list.of == model)
    }

    /// What a write to a row of `model` reports for lists.
    pub fn list_reports(&self, model: &str) -> Vec<ListReport<'_>> {
        let Some(model) = self.model(self.rows_of(model)) else {
            return Vec::new();
        };
        let steps = self.lists.iter().flat_map(|list| list.steps.iter().map(move |it| (list, it)));
        let steps = steps.filter(|(_, step)| step.model == model.name);
        steps.map(|(list, step)| list.report(step, &model.id)).collect()
    }

    /// The tags that strict lists register.
    pub(crate) fn tags_of_strict_lists(&self) -> impl Iterator<Item = TagColumns> {
        let strict = self.lists.iter();
        let strict = strict.filter(|list| list.policy.consistency == Consistency::Strict);
        strict.flat_map(|list| list.steps.iter().map(|step| list.tag(step)))
    }
}
