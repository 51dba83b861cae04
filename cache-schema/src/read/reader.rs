//! A table being read: get a key, check its type, collect what is wrong.

use toml::Spanned;
use toml::de::{DeString, DeTable, DeValue};

use crate::diagnostic::{Diagnostic, Errors};
use crate::suggest::did_you_mean;

type Key<'a> = &'a Spanned<DeString<'a>>;
type Value<'a> = &'a Spanned<DeValue<'a>>;

pub(super) struct Reader<'a, 'e> {
    table: &'a DeTable<'a>,
    known: &'static [&'static str],
    model: Option<&'a str>,
    /// How many values could not be read at all.
    pub(super) unread: usize,
    pub(super) errors: &'e mut Errors,
}

impl<'a, 'e> Reader<'a, 'e> {
    /// Begins to read a table; keys that are not `known` are errors. `what` is its name in
    /// messages.
    pub(super) fn new(
        table: &'a DeTable<'a>,
        known: &'static [&'static str],
        what: &str,
        model: Option<&'a str>,
        errors: &'e mut Errors,
    ) -> Self {
        for key in table.keys().filter(|key| !known.contains(&key.get_ref().as_ref())) {
            let name = key.get_ref();
            let all = known.iter().map(|key| format!("`{key}`")).collect::<Vec<_>>().join(", ");
            errors
                .error(key.span(), format!("unknown key `{name}`"))
                .label(format!("{what} has no such key"))
                .help(format!("the keys here are {all}"))
                .help_if(did_you_mean(name, known.iter().copied()))
                .model = model.map(str::to_owned);
        }
        Self { table, known, model, unread: 0, errors }
    }

    /// Those of the keys that are there, where they are.
    pub(super) fn written(&self, keys: &[&str]) -> Vec<Spanned<String>> {
        let entries = keys.iter().filter_map(|key| self.entry(key));
        entries.map(|(key, _)| Spanned::new(key.span(), key.get_ref().to_string())).collect()
    }

    pub(super) fn is_empty(&self) -> bool {
        self.table.is_empty()
    }

    pub(super) fn entry(&self, key: &str) -> Option<(Key<'a>, Value<'a>)> {
        debug_assert!(self.known.contains(&key), "`{key}` is missing in keys.rs");
        self.table.get_key_value(key)
    }

    pub(super) fn table(
        &mut self,
        key: &str,
        known: &'static [&'static str],
        what: &str,
        expected: &str,
    ) -> Option<Reader<'a, '_>> {
        let (_, value) = self.entry(key)?;
        match value.get_ref() {
            DeValue::Table(table) => Some(Reader::new(table, known, what, self.model, self.errors)),
            _ => {
                self.wrong_type(key, value, expected);
                None
            }
        }
    }

    /// The entries of a table with free keys, in the order of the file.
    pub(super) fn tables(&mut self, key: &str, expected: &str) -> Vec<(Key<'a>, Value<'a>)> {
        match self.entry(key).map(|(_, value)| (value, value.get_ref())) {
            None => Vec::new(),
            Some((_, DeValue::Table(table))) => {
                let mut entries: Vec<_> = table.iter().collect();
                entries.sort_by_key(|(key, _)| key.span().start);
                entries
            }
            Some((value, _)) => {
                self.wrong_type(key, value, expected);
                Vec::new()
            }
        }
    }

    pub(super) fn string(&mut self, key: &str, expected: &str) -> Option<Spanned<String>> {
        let (_, value) = self.entry(key)?;
        self.as_string(key, value, expected)
    }

    /// An array of strings, each at most once.
    pub(super) fn strings(&mut self, key: &str, expected: &str) -> Option<Vec<Spanned<String>>> {
        let (_, value) = self.entry(key)?;
        self.as_strings(key, value, expected)
    }

    pub(super) fn as_string(
        &mut self,
        key: &str,
        value: Value<'_>,
        expected: &str,
    ) -> Option<Spanned<String>> {
        if let DeValue::String(text) = value.get_ref() {
            return Some(Spanned::new(value.span(), text.to_string()));
        }
        self.wrong_type(key, value, expected);
        None
    }

    pub(super) fn as_strings(
        &mut self,
        key: &str,
        value: Value<'_>,
        expected: &str,
    ) -> Option<Vec<Spanned<String>>> {
        let DeValue::Array(array) = value.get_ref() else {
            self.wrong_type(key, value, expected);
            return None;
        };
        let mut strings: Vec<Spanned<String>> = Vec::new();
        for element in array.iter() {
            let Some(string) = self.as_string(key, element, expected) else {
                continue;
            };
            match strings.iter().find(|earlier| earlier.get_ref() == string.get_ref()) {
                Some(earlier) => self.twice(key, earlier, &string),
                None => strings.push(string),
            }
        }
        Some(strings)
    }

    fn twice(&mut self, key: &str, first: &Spanned<String>, again: &Spanned<String>) {
        self.errors
            .error(again.span(), format!("`{}` is listed twice in `{key}`", again.get_ref()))
            .label("listed again")
            .related(first.span(), "first listed here")
            .help("remove one of them")
            .model = self.model.map(str::to_owned);
    }

    pub(super) fn wrong_type(&mut self, key: &str, value: Value<'_>, expected: &str) {
        self.unread += 1;
        self.wrong(value, format!("`{key}` is of the wrong type"), this_is(value))
            .help(format!("write {expected}"));
    }

    pub(super) fn wrong(
        &mut self,
        value: Value<'_>,
        message: String,
        label: String,
    ) -> &mut Diagnostic {
        let diagnostic = self.errors.error(value.span(), message).label(label);
        diagnostic.model = self.model.map(str::to_owned);
        diagnostic
    }
}

/// "this is an integer"
pub(super) fn this_is(value: Value<'_>) -> String {
    let found = value.get_ref().type_str();
    let article = if found.starts_with(['a', 'i']) { "an" } else { "a" };
    format!("this is {article} {found}")
}
