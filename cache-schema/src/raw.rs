//! What the file says: types are right, names are not resolved yet, everything has its span.

use toml::Spanned;

use crate::schema::{Constant, Policy, Settings};

/// The whole file.
#[derive(Debug)]
pub(crate) struct File {
    pub(crate) settings: Settings,
    /// Where the outbox is named; the default has no place.
    pub(crate) outbox: Option<Spanned<String>>,
    /// Where the prefix is.
    pub(crate) prefix: Option<Spanned<String>>,
    pub(crate) models: Vec<RawModel>,
    pub(crate) lists: Vec<RawList>,
}

/// A `[model.x]`.
#[derive(Debug)]
pub(crate) struct RawModel {
    pub(crate) name: Spanned<String>,
    /// Whose rows its values are made of, if it says so; the table, the id, the references and what
    /// is ignored are then those of that model.
    pub(crate) of: Option<Spanned<String>>,
    /// The keys that only the model of the rows can have, where they are written.
    pub(crate) of_rows: Vec<Spanned<String>>,
    pub(crate) table: Spanned<String>,
    pub(crate) id: Vec<Spanned<String>>,
    pub(crate) cached: Option<RawPolicy>,
    pub(crate) references: Vec<RawReference>,
    pub(crate) depends_on: Vec<Spanned<String>>,
    pub(crate) via: Vec<RawVia>,
    pub(crate) ignores: Vec<Spanned<String>>,
    /// Whether all that the graph is made of could be read. Where it could not, the graph has a
    /// hole that no other message should be blamed for.
    pub(crate) sound: bool,
}

/// How a model's values are stored. What it is built from may make it strict, which is not known
/// here.
#[derive(Debug)]
pub(crate) struct RawPolicy {
    pub(crate) policy: Policy,
    pub(crate) key: Spanned<String>,
    pub(crate) lookups: Vec<Spanned<String>>,
    /// The keys that a strict model cannot have, where they are written.
    pub(crate) not_strict: Vec<Spanned<String>>,
}

/// A `[list.x]`.
#[derive(Debug)]
pub(crate) struct RawList {
    pub(crate) name: Spanned<String>,
    pub(crate) of: Spanned<String>,
    pub(crate) by: Vec<Spanned<String>>,
    pub(crate) via: Option<Spanned<String>>,
    pub(crate) order: Vec<Spanned<String>>,
    pub(crate) conditions: Vec<(Spanned<String>, Constant)>,
    pub(crate) limit: usize,
    pub(crate) policy: RawPolicy,
}

/// An entry of `references`.
#[derive(Debug, Clone)]
pub(crate) struct RawReference {
    pub(crate) columns: Spanned<Vec<String>>,
    pub(crate) target: Spanned<String>,
}

/// An entry of `via`.
#[derive(Debug)]
pub(crate) struct RawVia {
    pub(crate) dependency: Spanned<String>,
    pub(crate) references: Vec<Spanned<String>>,
}

impl File {
    pub(crate) fn model(&self, name: &str) -> Option<&RawModel> {
        self.models.iter().find(|model| model.name() == name)
    }

    pub(crate) fn names(&self) -> impl Iterator<Item = &str> {
        self.models.iter().map(RawModel::name)
    }

    /// The models that say what rows are: all but those that are other values of the same rows.
    pub(crate) fn rows(&self) -> impl Iterator<Item = &RawModel> {
        self.models.iter().filter(|model| model.of.is_none())
    }

    /// The model whose rows the values of this one are made of: itself, or what `of` names.
    pub(crate) fn rows_of<'a>(&'a self, model: &'a RawModel) -> &'a RawModel {
        let named = model.of.as_ref().and_then(|of| self.model(of.get_ref()));
        named.filter(|rows| rows.of.is_none()).unwrap_or(model)
    }
}

impl RawList {
    pub(crate) fn name(&self) -> &str {
        self.name.get_ref()
    }

    /// The columns of its key as they are written, each with its model, if another one's rows have
    /// it than those that are listed.
    pub(crate) fn key<'a>(
        &'a self,
        file: &'a File,
    ) -> impl Iterator<Item = (&'a Spanned<String>, Option<&'a str>, &'a str)> {
        let listed = file.model(self.of.get_ref()).map(|of| file.rows_of(of).name());
        self.by.iter().map(move |written| match written.get_ref().split_once('.') {
            Some((model, column)) if Some(model.trim()) != listed => {
                (written, Some(model.trim()), column.trim())
            }
            Some((_, column)) => (written, None, column.trim()),
            None => (written, None, written.get_ref().as_str()),
        })
    }
}

/// A column to order by, and whether it descends: `-created_at`.
pub(crate) fn order(written: &str) -> (&str, bool) {
    match written.strip_prefix('-') {
        Some(column) => (column, true),
        None => (written, false),
    }
}

impl RawModel {
    pub(crate) fn name(&self) -> &str {
        self.name.get_ref()
    }

    pub(crate) fn has_id(&self, column: &str) -> bool {
        self.id.iter().any(|id| id.get_ref() == column)
    }

    pub(crate) fn lookups(&self) -> &[Spanned<String>] {
        self.cached.as_ref().map_or(&[], |policy| &policy.lookups)
    }
}

/// A list of columns in one string: "tenant, video_id".
pub(crate) fn columns(written: &str) -> Vec<String> {
    written.split(',').map(|column| column.trim().to_owned()).collect()
}

/// The texts without their places.
pub(crate) fn strings(spanned: &[Spanned<String>]) -> Vec<String> {
    spanned.iter().map(|string| string.get_ref().clone()).collect()
}
