//! What the rules are written with.

use std::time::Duration;

use bytes::Bytes;

use crate::model::File;
use crate::model::schema::{Schema, Triggers};
use crate::model::tag::Tag;
use crate::store::{Fill, Read, Store, Token};

/// The identity of the database.
pub(super) const SOURCE: &str = "one";

/// Short, as blocks are waited for.
pub(super) const MAX_COMMIT: Duration = Duration::from_millis(200);

/// Longer than the suite takes: no token grows too old by chance.
pub(super) const LONG: Duration = Duration::from_secs(600);

/// The longest load, where one is to be too old.
pub(super) const SHORT: Duration = Duration::from_millis(50);

/// Of a service without models.
pub(super) fn schema(max_load: Duration) -> Schema {
    let none = Triggers {
        fingerprint: "",
        outbox: &[],
        checks: &[],
        types: &[],
        tables: &[],
        removal: "",
        exact: &[],
        spellings: "",
    };
    Schema {
        file: File { name: "cache.toml", package: "", hash: 0 },
        nearer: &[],
        prefix: "",
        max_load,
        max_loads: 64,
        max_commit: MAX_COMMIT,
        models: 0,
        max_staleness: None,
        strict: &[],
        outbox: "",
        retention: LONG,
        poll: LONG,
        postgres: none,
        sqlite: none,
    }
}

pub(super) fn new_fill(key: &str, tags: &[&str], value: &[u8], ttl: Duration) -> Fill {
    let tags = tags.iter().map(|tag| Tag::from_text(*tag)).collect();
    Fill { key: key.to_owned(), tags, value: Bytes::copy_from_slice(value), ttl, strict: false }
}

/// Reads, loads and fills without anything in between.
pub(super) async fn fill(store: &dyn Store, key: &str, tags: &[&str], value: &[u8]) -> bool {
    let before = read(store, &[]).await;
    fill_since(store, &before, key, tags, value).await
}

pub(super) async fn fill_since(
    store: &dyn Store,
    before: &Read,
    key: &str,
    tags: &[&str],
    value: &[u8],
) -> bool {
    let fills = [new_fill(key, tags, value, LONG)];
    store.fill(before.token, &fills).await.expect("fill") == [true]
}

pub(super) async fn invalidate(store: &dyn Store, tags: &[&str]) -> Token {
    let tags: Vec<Tag> = tags.iter().map(|tag| Tag::from_text(*tag)).collect();
    store.invalidate(&tags).await.expect("invalidate")
}

pub(super) async fn read(store: &dyn Store, keys: &[String]) -> Read {
    let read = store.read(keys).await.expect("read");
    assert_eq!(read.values.len(), keys.len());
    read
}

/// Which of the keys have a value.
pub(super) async fn present<'a>(store: &dyn Store, keys: &[&'a str]) -> Vec<&'a str> {
    let names: Vec<String> = keys.iter().map(|key| (*key).to_owned()).collect();
    let values = read(store, &names).await.values;
    keys.iter().zip(values).filter_map(|(key, value)| value.map(|_| *key)).collect()
}
