//! A model whose changes are reported, and what of it.

use std::collections::BTreeSet;

use super::ExactColumn;
use super::sql::{quoted, quoted_table};
use crate::answers::{Change, ListReport, TagColumns};
use crate::once::each_once;
use crate::schema::{Model, Schema};

/// A model whose changes are reported.
pub(super) struct Watched<'a> {
    pub(super) model: &'a Model,
    /// Tags of any change that is not ignored.
    pub(super) row: Vec<TagColumns>,
    /// Tags of inserts, deletes and changes of link columns.
    pub(super) link: Vec<TagColumns>,
    pub(super) link_columns: Vec<String>,
    /// The columns that a value of its rows can be got by besides the id.
    pub(super) lookups: Vec<String>,
    /// What lists are told of its rows.
    pub(super) lists: Vec<ListReport<'a>>,
}

impl<'a> Watched<'a> {
    pub(super) fn new(schema: &'a Schema, model: &'a Model) -> Option<Self> {
        // Otherwise it is that one whose rows are reported.
        if model.of.is_some() {
            return None;
        }
        let (reports, lists) = (schema.reports(&model.name), schema.list_reports(&model.name));
        let on = |change: Change| {
            reports
                .iter()
                .filter(|report| report.on == change)
                .map(|report| report.tag.clone())
                .collect()
        };
        (!reports.is_empty() || !lists.is_empty()).then(|| Self {
            model,
            row: on(Change::Row),
            link: on(Change::Link),
            link_columns: schema.link_columns(&model.name),
            lookups: schema.lookups(&model.name),
            lists,
        })
    }

    /// A statement that fails where the table lacks a column that the file names.
    pub(super) fn check(&self) -> String {
        let references = self.model.references.iter().flat_map(|reference| &reference.columns);
        let of_lists = self.lists.iter().flat_map(|list| list.columns.iter().copied());
        let columns = self.link_columns.iter().chain(references).chain(&self.model.ignores);
        // Sorted, each once; qualified, as SQLite takes an unknown quoted name alone for a string.
        let columns: BTreeSet<String> =
            columns.chain(of_lists).map(|column| format!("r.{}", quoted(column))).collect();
        let conditions = self.lists.iter().flat_map(|list| list.conditions);
        let conditions: BTreeSet<String> = conditions.map(|it| it.sql("r")).collect();
        let columns: Vec<String> = columns.into_iter().chain(conditions).collect();
        let table = quoted_table(&self.model.table);
        format!("SELECT {} FROM {table} r WHERE 1 = 0", columns.join(", "))
    }

    /// The columns of its tags, but for those of lookups, and of lists' keys: those may be spelt in
    /// several ways.
    pub(super) fn exact(&self) -> Vec<ExactColumn> {
        let of_lists = self.lists.iter().map(|list| &list.tag);
        let of_tags = self.tags().chain(of_lists).flat_map(|tag| &tag.columns);
        let columns = each_once(of_tags.filter(|column| self.is_link(column)));
        let exact = columns.into_iter().map(|column| ExactColumn {
            what: match self.model.id.contains(column) {
                true => format!("the id of {}", self.model.name),
                false => format!("a reference of {}", self.model.name),
            },
            table: self.model.table.clone(),
            column: column.clone(),
        });
        exact.collect()
    }

    fn is_link(&self, column: &String) -> bool {
        let mut references = self.model.references.iter();
        self.model.id.contains(column) || references.any(|it| it.columns.contains(column))
    }

    /// The columns of lists' keys that are no ids, each with the beginning of the list's tags.
    pub(super) fn keys_of_lists(&self) -> Vec<(String, ExactColumn)> {
        let keys = self.lists.iter().flat_map(|list| {
            let columns = list.tag.columns.iter().filter(|column| !self.is_link(column));
            columns.map(|column| {
                let column = ExactColumn {
                    what: format!("a key of lists of {}", self.model.name),
                    table: self.model.table.clone(),
                    column: column.clone(),
                };
                (list.tag.to_string(), column)
            })
        });
        keys.collect()
    }

    /// Its lookups, each with the beginning of its tags.
    pub(super) fn lookups(&self) -> Vec<(String, ExactColumn)> {
        let lookup = |column: &String| {
            let tag = TagColumns { model: self.model.name.clone(), columns: vec![column.clone()] };
            let column = ExactColumn {
                what: format!("a lookup of {}", self.model.name),
                table: self.model.table.clone(),
                column: column.clone(),
            };
            (tag.to_string(), column)
        };
        self.lookups.iter().map(lookup).collect()
    }

    pub(super) fn tags(&self) -> impl Iterator<Item = &TagColumns> + Clone {
        self.row.iter().chain(&self.link)
    }
}
