//! Tags: the one-row facts a value was built from.

use std::collections::BTreeSet;
use std::fmt;

use crate::model::column::{Column, Dialect, Written};
use crate::model::name;

/// One fact a value was built from, such as `video#id=7` or `item#plio_id=1`: model, columns,
/// values.
///
/// To a store a tag is opaque text. Two different facts may share a tag (composite values are
/// joined by commas, unescaped): that invalidates too much, never too little. Of a long value the
/// tag has a hash.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Tag(String);

impl Tag {
    /// The tag as the database wrote it into the outbox.
    pub fn from_text(text: impl Into<String>) -> Tag {
        let text = text.into();
        // What is too long stays so: the outbox does not tell it whole.
        if text.len() > Tag::LONGEST {
            return Tag(text);
        }
        match text.find('=') {
            Some(at) => Tag(name::short(text, at + 1)),
            None => Tag(text),
        }
    }

    /// The text.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Bytes that a fact has at most. No value is stored that depends on a longer one.
    pub const LONGEST: usize = 8 << 10;

    /// The tag as a row of the outbox has it, unless no value can have such a one.
    #[cfg(any(feature = "postgres", feature = "sqlite"))]
    pub(crate) fn from_bytes(bytes: Vec<u8>) -> Option<Tag> {
        let tag = Tag::from_text(String::from_utf8(bytes).ok()?);
        tag.is_fit().then_some(tag)
    }

    /// Stands for every row of every model.
    pub(crate) fn everything() -> Tag {
        Tag("*#*".to_owned())
    }

    /// Stands for some row of this model, whichever.
    pub(crate) fn some_row(model: &str) -> Tag {
        Tag(format!("{model}#?"))
    }

    /// The model, if this stands for some row of it.
    #[cfg(any(feature = "postgres", feature = "sqlite"))]
    pub(crate) fn model_of_some_row(&self) -> Option<&str> {
        self.0.strip_suffix("#?").filter(|model| !model.contains('='))
    }

    /// That of the model that this is about.
    pub(crate) fn some_row_of_its_model(&self) -> Option<Tag> {
        self.0.split_once('#').map(|(model, _)| Tag::some_row(model))
    }

    /// With these, the tags that stand for some row of their models: what is to be told to a store.
    /// What could not say of which row it depends on, such as "no such row", hears of each.
    pub(crate) fn with_some_rows(mut tags: Vec<Tag>) -> Vec<Tag> {
        let some_rows: BTreeSet<Tag> = tags.iter().filter_map(Tag::some_row_of_its_model).collect();
        tags.extend(some_rows);
        tags
    }

    /// The columns that it is about, `model#column`, if it is about one row.
    pub(crate) fn columns(&self) -> Option<&str> {
        self.0.split_once('=').map(|(columns, _)| columns)
    }

    /// Whether it is one that stores take: not empty, and not too long.
    pub(crate) fn is_fit(&self) -> bool {
        (1..=Tag::LONGEST).contains(&self.0.len())
    }

    /// The model, if this stands for every row of it (`item#*`): what `TRUNCATE` reports.
    pub fn whole_model(&self) -> Option<&str> {
        // What comes before a value may not have a `=`; the value may be anything, also `#*`.
        self.0.strip_suffix("#*").filter(|model| !model.contains('='))
    }
}

impl fmt::Debug for Tag {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl fmt::Display for Tag {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// The columns of a tag: `item#plio_id`.
///
/// [`tag!`](crate::tag) makes one, and checks it against `cache.toml`: a tag that no write reports
/// would be waited for in vain.
#[derive(Debug, Clone, Copy)]
pub struct TagColumns(&'static str);

impl TagColumns {
    /// What a macro has checked.
    #[doc(hidden)]
    pub const fn checked(columns: &'static str) -> TagColumns {
        TagColumns(columns)
    }
}

/// Collects the tags of a value.
#[derive(Debug)]
pub struct Tags {
    dialect: Dialect,
    tags: Vec<Tag>,
    /// What the value is built from, if that is known.
    needs: Option<&'static [&'static str]>,
}

impl Tags {
    /// No tags yet; they will have the texts of this database.
    pub fn of(dialect: Dialect) -> Tags {
        Tags { dialect, tags: Vec::new(), needs: None }
    }

    /// Of a value that is built from these: see [`Cached::NEEDS`](crate::Cached::NEEDS).
    #[must_use]
    pub fn built_from(self, needs: &'static [&'static str]) -> Tags {
        Tags { needs: Some(needs), ..self }
    }

    /// Whether the value is built from rows with this tag, `model#columns`. A struct that it embeds
    /// may know of more, which other values are built from.
    pub fn wants(&self, columns: &str) -> bool {
        self.needs.is_none_or(|needs| needs.contains(&columns))
    }

    /// Adds the tag of one column, such as `item#plio_id=7`. A NULL adds nothing: no row is meant.
    /// A value that has several texts in the database adds the tag of some row of the model,
    /// whichever.
    pub fn add(&mut self, columns: TagColumns, value: &impl Column) {
        self.add_composite(columns, &[value]);
    }

    /// Adds the tag of several columns, such as `item#tenant,plio_id=acme,7`. Any NULL adds
    /// nothing.
    pub fn add_composite(&mut self, columns: TagColumns, values: &[&dyn Column]) {
        let TagColumns(columns) = columns;
        let mut text = String::with_capacity(columns.len() + 21);
        text.push_str(columns);
        if values.is_empty() {
            text.push('=');
        }
        let mut is_one_text = true;
        for (i, value) in values.iter().enumerate() {
            text.push(if i == 0 { '=' } else { ',' });
            match value.write(self.dialect, &mut text) {
                Written::Text => {}
                Written::Null => return,
                Written::OneOfSeveral => is_one_text = false,
            }
        }
        let tag = Tag::from_text(text);
        let some_row = tag.some_row_of_its_model().filter(|_| !is_one_text);
        self.tags.push(some_row.unwrap_or(tag));
    }

    /// Adds the tag of some row of a model, whichever: for what depends on one that it cannot name.
    pub fn add_some_row(&mut self, model: &'static str) {
        self.tags.push(Tag::some_row(model));
    }

    /// The tags, each once.
    pub fn finish(mut self) -> Vec<Tag> {
        self.tags.sort_unstable();
        self.tags.dedup();
        self.tags
    }
}

/// Adds a tag that the derive has checked.
pub fn tag(tags: &mut Tags, columns: &'static str, value: &impl Column) {
    tags.add(TagColumns(columns), value);
}

/// The same, of several columns.
pub fn tag_of(tags: &mut Tags, columns: &'static str, values: &[&dyn Column]) {
    tags.add_composite(TagColumns(columns), values);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nulls_add_no_tag_and_repeats_add_one() {
        let mut tags = Tags::of(Dialect::Postgres);
        tags.add(TagColumns("video#id"), &Some(7_i64));
        tags.add(TagColumns("video#id"), &None::<i64>);
        tags.add(TagColumns("video#id"), &7_i64);
        tags.add_composite(TagColumns("item#tenant,id"), &[&"acme".to_owned(), &1_i64]);
        tags.add_composite(TagColumns("item#tenant,id"), &[&None::<String>, &1_i64]);
        let texts: Vec<String> = tags.finish().iter().map(Tag::to_string).collect();
        assert_eq!(texts, ["item#tenant,id=acme,1", "video#id=7"]);
    }

    #[test]
    fn a_long_value_has_a_short_tag_that_says_of_which_column_it_is() {
        let long = |letters: usize| {
            let mut tags = Tags::of(Dialect::Postgres);
            tags.add(TagColumns("user#email"), &"x".repeat(letters));
            tags.finish().remove(0)
        };
        let tag = long(7000);
        assert!(tag.as_str().len() < 200 && tag.is_fit(), "{tag}");
        assert_eq!(tag.columns(), Some("user#email"));
        assert_ne!(tag, long(7001));
        let told = Tag::from_text(format!("user#email={}", "x".repeat(7000)));
        assert_eq!(tag, told, "as the triggers write it");
        assert_eq!(tag, Tag::from_text(tag.as_str()), "and again");
        let columns = "a_model_whose_name_is_as_long_as_postgresql_allows_for_a_table_#the_tenant_that_this_row_belongs_to_by_its_number,the_identity_of_the_row";
        let mut tags = Tags::of(Dialect::Postgres);
        tags.add_composite(TagColumns(columns), &[&"x".repeat(300), &7_i64]);
        let tag = tags.finish().remove(0);
        assert_eq!(tag, Tag::from_text(tag.as_str()), "and again");
        assert!(!long(Tag::LONGEST).is_fit());
    }

    #[test]
    fn a_value_does_not_make_a_tag_that_of_a_whole_model() {
        assert_eq!(Tag::from_text("item#*").whole_model(), Some("item"));
        assert_eq!(Tag::from_text("item#id=*").whole_model(), None);
        assert_eq!(Tag::from_text("item#id=#*").whole_model(), None);
        assert_eq!(Tag::from_text("item#id=item#*").whole_model(), None);
    }
}
