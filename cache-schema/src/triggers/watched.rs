//! A model whose changes are reported, and what of it.

use std::collections::BTreeSet;

use super::ExactColumn;
use super::sql::{quoted, quoted_table};
use crate::answers::{Change, TagColumns};
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
}

impl<'a> Watched<'a> {
    pub(super) fn new(schema: &Schema, model: &'a Model) -> Option<Self> {
        let reports = match model.of {
            None => schema.reports(&model.name),
            // It is that one whose rows are reported.
            Some(_) => Vec::new(),
        };
        let on = |change: Change| {
            reports
                .iter()
                .filter(|report| report.on == change)
                .map(|report| report.tag.clone())
                .collect()
        };
        (!reports.is_empty()).then(|| Self {
            model,
            row: on(Change::Row),
            link: on(Change::Link),
            link_columns: schema.link_columns(&model.name),
            lookups: schema.lookups(&model.name),
        })
    }

    /// A statement that fails where the table lacks a column that the file names.
    pub(super) fn check(&self) -> String {
        let references = self.model.references.iter().flat_map(|reference| &reference.columns);
        let columns = self.link_columns.iter().chain(references).chain(&self.model.ignores);
        // Sorted, each once; qualified, as SQLite takes an unknown quoted name alone for a string.
        let columns: BTreeSet<String> =
            columns.map(|column| format!("r.{}", quoted(column))).collect();
        let columns: Vec<String> = columns.into_iter().collect();
        let table = quoted_table(&self.model.table);
        format!("SELECT {} FROM {table} r WHERE 1 = 0", columns.join(", "))
    }

    /// The columns of its tags, but for those of lookups: those may be spelt in several ways.
    pub(super) fn exact(&self) -> Vec<ExactColumn> {
        let of_tags = self.tags().flat_map(|tag| &tag.columns);
        let mut columns: Vec<&String> = Vec::new();
        for column in of_tags {
            let is_id = self.model.id.contains(column);
            let mut references = self.model.references.iter();
            let is_reference = references.any(|it| it.columns.contains(column));
            if (is_id || is_reference) && !columns.contains(&column) {
                columns.push(column);
            }
        }
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
