//! Any bytes as a row of the outbox.

use std::pin::pin;
use std::task::{Context, Poll, Waker};
use std::time::Duration;

use cache_runtime::fuzzing::tag_of_row;
use cache_runtime::store::{Fill, Reply};
use cache_runtime::{Dialect, MemoryStore, Schema, Store, Tag, TagColumns, Tags};

/// Takes bytes for the text of a row: it is a tag or dead-lettered, and a tag is one that a store
/// can do everything with. Then takes them for the values of columns, one a line: what a value
/// registers for them is what the row of a write says.
pub fn outbox(data: &[u8]) {
    let tag = tag_of_row(data.to_vec());
    let is_fit = (1..=Tag::LONGEST).contains(&data.len()) && std::str::from_utf8(data).is_ok();
    assert_eq!(tag.is_some(), is_fit, "{tag:?}");
    if let Some(tag) = tag {
        let is_whole = tag.as_str().as_bytes() == data;
        assert!(is_whole || data.len() > SHORT, "{tag}");
        assert_eq!(tag_of_row(tag.as_str().into()).as_ref(), Some(&tag));
        assert_eq!(tag.whole_model(), whole_model(tag.as_str()));
        is_invalidated(&tag);
    }
    columns(&String::from_utf8_lossy(data));
}

/// `model#*`, and nothing that has a value.
fn whole_model(text: &str) -> Option<&str> {
    let model = text.strip_suffix("#*")?;
    (!text.contains('=')).then_some(model)
}

fn columns(text: &str) {
    let values: Vec<&str> = text.split('\n').collect();
    for value in &values {
        written("video#id", &[value]);
        if let Ok(number) = value.parse::<i64>() {
            let mut tags = Tags::of(Dialect::Postgres);
            tags.add(TagColumns::checked("video#id"), &Some(number));
            tags.add(TagColumns::checked("video#id"), &number.to_string());
            tags.add(TagColumns::checked("video#id"), &None::<i64>);
            assert_eq!(tags.finish().len(), 1, "{number} and its text");
        }
    }
    for pair in values.windows(2) {
        written("video#tenant,id", pair);
    }
    for three in values.windows(3) {
        written("organization-user#a,b,c", three);
    }
}

/// Bytes of a tag that stays what it is.
const SHORT: usize = 200;

/// What a value with these columns registers, against what the trigger of such a row writes.
fn written(columns: &'static str, values: &[&str]) {
    let row = format!("{columns}={}", values.join(","));
    let owned: Vec<String> = values.iter().map(|value| (*value).to_owned()).collect();
    let mut tags = Tags::of(Dialect::Postgres);
    let columns = TagColumns::checked(columns);
    match &owned[..] {
        [value] => tags.add(columns, value),
        [a, b] => tags.add_composite(columns, &[a, b]),
        _ => tags.add_composite(columns, &[&owned[0], &owned[1], &owned[2]]),
    }
    let tags = tags.finish();
    let [tag] = &tags[..] else {
        panic!("{tags:?} for {row}");
    };
    // Of a long one it has a hash, and one that is too long no value is stored under.
    let (bytes, is_short) = (row.len(), row.len() <= SHORT);
    assert_eq!(tag.as_str() == row, is_short || bytes > Tag::LONGEST);
    assert_eq!(tag.whole_model(), None, "{tag}");
    let of_row = tag_of_row(row.into_bytes());
    assert_eq!(of_row.is_some(), bytes <= Tag::LONGEST);
    assert!(of_row.is_none_or(|of_row| of_row == *tag));
}

fn is_invalidated(tag: &Tag) {
    let store = MemoryStore::new(&SCHEMA);
    let keys = ["built_from_it", "built_from_others"].map(str::to_owned);
    let other = Tag::from_text(format!("{tag}0"));
    let fills = [vec![tag.clone(), other.clone()], vec![other]];
    let fills: Vec<Fill> = keys.iter().zip(fills).map(|(key, tags)| fill(key, tags)).collect();
    let stored = || {
        let read = now(store.read(&keys));
        let is_there = read.values.iter().map(Option::is_some).collect::<Vec<_>>();
        (read.token, is_there)
    };

    let (token, _) = stored();
    assert_eq!(now(store.fill(token, &fills)), [true, true]);
    assert_eq!(stored().1, [true, true]);
    now(store.invalidate(std::slice::from_ref(tag)));
    assert_eq!(stored().1, [false, true], "after the invalidation of {tag}");
    assert_eq!(now(store.fill(token, &fills)), [false, true], "a late fill");
    let (token, _) = stored();
    now(store.block(1, std::slice::from_ref(tag), Duration::from_secs(60)));
    assert_eq!(now(store.fill(token, &fills)), [false, true], "a blocked fill");
    now(store.unblock(1, std::slice::from_ref(tag)));
    assert_eq!(now(store.fill(token, &fills)), [true, true]);
}

fn fill(key: &str, tags: Vec<Tag>) -> Fill {
    Fill {
        key: key.to_owned(),
        tags,
        value: "value".into(),
        ttl: Duration::from_secs(60),
        strict: true,
    }
}

/// Memory answers at once.
fn now<T>(answer: Reply<'_, T>) -> T {
    match pin!(answer).poll(&mut Context::from_waker(Waker::noop())) {
        Poll::Ready(Ok(answer)) => answer,
        Poll::Ready(Err(error)) => panic!("{error}"),
        Poll::Pending => panic!("it waits"),
    }
}

const TRIGGERS: cache_runtime::__private::Triggers = cache_runtime::__private::Triggers {
    fingerprint: "",
    outbox: &[],
    checks: &[],
    types: &[],
    tables: &[],
    removal: "",
    exact: &[],
    spellings: "",
};

/// Of it, the store wants to know of the times alone.
const SCHEMA: Schema = Schema {
    file: cache_runtime::__private::File { name: "", package: "", hash: 0 },
    nearer: &[],
    prefix: "",
    max_load: Duration::from_secs(30),
    max_commit: Duration::from_secs(5),
    max_loads: 64,
    models: 0,
    max_staleness: None,
    strict: &[],
    outbox: "cache_outbox",
    retention: Duration::from_secs(3600),
    poll: Duration::from_secs(1),
    postgres: TRIGGERS,
    sqlite: TRIGGERS,
};
