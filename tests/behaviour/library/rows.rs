//! Rows at random, and the statements that write them.

use std::fmt::Debug;

use cache_runtime::Reported;
use ledger::{Account, Entry, Note, Owner, Seat};

use super::bank::quoted;

/// Rows at random, few enough to meet.
pub trait Random: Reported + Clone + Debug + PartialEq + Send + Sync {
    fn random() -> Self;
    /// Its table, and its columns with their values in SQL. The first so many are the id.
    fn columns(&self) -> (&'static str, Vec<(&'static str, String)>);
    const ID: usize = 1;
    /// Keeps its id, mostly.
    fn changed(&self) -> Self;

    fn insert(&self) -> String {
        let (table, columns) = self.columns();
        let (names, values): (Vec<&str>, Vec<String>) = columns.into_iter().unzip();
        let (names, values) = (names.join(", "), values.join(", "));
        format!("INSERT INTO {table} ({names}) VALUES ({values})")
    }

    fn update(&self, new: &Self) -> String {
        let (table, columns) = new.columns();
        let set: Vec<String> = columns.iter().map(|(it, to)| format!("{it} = {to}")).collect();
        format!("UPDATE {table} SET {} WHERE {}", set.join(", "), self.at())
    }

    fn delete(&self) -> String {
        format!("DELETE FROM {} WHERE {}", self.columns().0, self.at())
    }

    fn at(&self) -> String {
        let id = self.columns().1.into_iter().take(Self::ID);
        let id: Vec<String> = id.map(|(it, is)| format!("{it} = {is}")).collect();
        id.join(" AND ")
    }
}

fn some_text() -> String {
    let texts = ["", "x", "x,1", "#*", "o'neill", "a=b", "%5F_", "\\", "é", "line\nline", "🦀"];
    fastrand::choice(texts).unwrap_or_default().to_owned()
}

fn maybe<T>(value: T) -> Option<T> {
    fastrand::bool().then_some(value)
}

fn in_sql<T>(value: &Option<T>, sql: impl Fn(&T) -> String) -> String {
    value.as_ref().map_or_else(|| "NULL".to_owned(), sql)
}

impl Random for Account {
    fn random() -> Self {
        Self {
            id: some_text(),
            owner_id: maybe(1),
            version: fastrand::i64(..),
            owner: None,
            entries: Vec::new(),
        }
    }

    fn columns(&self) -> (&'static str, Vec<(&'static str, String)>) {
        let owner = in_sql(&self.owner_id, ToString::to_string);
        let version = self.version.to_string();
        let columns = vec![("id", quoted(&self.id)), ("owner_id", owner), ("version", version)];
        ("account", columns)
    }

    fn changed(&self) -> Self {
        let id = if fastrand::u8(..3) == 0 { some_text() } else { self.id.clone() };
        Self { id, ..Self::random() }
    }
}

impl Random for Owner {
    fn random() -> Self {
        Self { id: fastrand::i64(2..9), version: fastrand::i64(..) }
    }

    fn columns(&self) -> (&'static str, Vec<(&'static str, String)>) {
        let columns = vec![("id", self.id.to_string()), ("version", self.version.to_string())];
        ("owner", columns)
    }

    fn changed(&self) -> Self {
        let id = if fastrand::u8(..3) == 0 { fastrand::i64(2..9) } else { self.id };
        Self { id, ..Self::random() }
    }
}

impl Random for Entry {
    fn random() -> Self {
        Self { id: fastrand::i64(2..99), account_id: maybe(some_text()), amount: fastrand::i64(..) }
    }

    fn columns(&self) -> (&'static str, Vec<(&'static str, String)>) {
        let account = in_sql(&self.account_id, |it| quoted(it));
        let (id, amount) = (self.id.to_string(), self.amount.to_string());
        ("entry", vec![("id", id), ("account_id", account), ("amount", amount)])
    }

    fn changed(&self) -> Self {
        let id = if fastrand::u8(..3) == 0 { fastrand::i64(2..99) } else { self.id };
        Self { id, ..Self::random() }
    }
}

impl Random for Note {
    fn random() -> Self {
        Self { id: some_text(), slug: maybe(some_text()), text: fastrand::u64(..).to_string() }
    }

    fn columns(&self) -> (&'static str, Vec<(&'static str, String)>) {
        let slug = in_sql(&self.slug, |it| quoted(it));
        let columns = vec![("id", quoted(&self.id)), ("slug", slug), ("text", quoted(&self.text))];
        ("note", columns)
    }

    fn changed(&self) -> Self {
        let new = Self::random();
        match fastrand::u8(..3) {
            0 => new,
            1 => Self { id: self.id.clone(), ..new },
            _ => Self { text: new.text, ..self.clone() },
        }
    }
}

impl Random for Seat {
    const ID: usize = 2;

    fn random() -> Self {
        Self { tenant: some_text(), id: fastrand::i64(..3), text: fastrand::u64(..).to_string() }
    }

    fn columns(&self) -> (&'static str, Vec<(&'static str, String)>) {
        let (tenant, text) = (quoted(&self.tenant), quoted(&self.text));
        ("seat", vec![("tenant", tenant), ("id", self.id.to_string()), ("text", text)])
    }

    fn changed(&self) -> Self {
        let new = Self::random();
        match fastrand::bool() {
            true => new,
            false => Self { text: new.text, ..self.clone() },
        }
    }
}
