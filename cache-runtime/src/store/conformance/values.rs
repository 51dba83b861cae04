//! Values: read, stored, invalidated, refused.

use std::future::poll_fn;
use std::pin::pin;
use std::task::Poll;
use std::time::{Duration, Instant};

use bytes::Bytes;

use super::tools::{LONG, SOURCE, fill, fill_since, invalidate, new_fill, present, read};
use crate::model::tag::Tag;
use crate::store::{Connected, Fill, Store};

pub(super) async fn reads_back_what_was_stored(store: &dyn Store) {
    assert!(fill(store, "a", &["t"], b"1").await);
    assert!(fill(store, "b", &[], &[0, 255, 13, 10]).await);
    let keys = ["b", "none", "a", "a"].map(str::to_owned);
    let values = read(store, &keys).await.values;
    let expected: [Option<&[u8]>; 4] = [Some(&[0, 255, 13, 10]), None, Some(b"1"), Some(b"1")];
    assert_eq!(values.iter().map(Option::as_deref).collect::<Vec<_>>(), expected);
}

pub(super) async fn an_invalidation_deletes_what_its_tag_indexes_and_nothing_else(
    store: &dyn Store,
) {
    fill(store, "both", &["s", "t"], b"1").await;
    fill(store, "t", &["t"], b"1").await;
    fill(store, "s", &["s"], b"1").await;
    fill(store, "none", &[], b"1").await;
    invalidate(store, &["t"]).await;
    assert_eq!(present(store, &["both", "t", "s", "none"]).await, ["s", "none"]);
}

pub(super) async fn an_invalidation_refuses_the_fills_that_began_before_it(store: &dyn Store) {
    let before = read(store, &[]).await;
    invalidate(store, &["t"]).await;
    assert!(!fill_since(store, &before, "a", &["s", "t"], b"stale").await);
    assert_eq!(present(store, &["a"]).await, [""; 0]);
    // Refused for good: also after another one has stored.
    assert!(fill(store, "a", &["t"], b"fresh").await);
    assert!(!fill_since(store, &before, "a", &["t"], b"stale").await);
    assert_eq!(read(store, &["a".to_owned()]).await.values, [Some(Bytes::from("fresh"))]);
}

pub(super) async fn an_invalidation_of_something_else_refuses_nothing(store: &dyn Store) {
    invalidate(store, &["a", "b"]).await;
    let before = read(store, &[]).await;
    invalidate(store, &["b", "c"]).await;
    assert!(fill_since(store, &before, "a", &["a"], b"1").await);
    assert_eq!(present(store, &["a"]).await, ["a"]);
}

pub(super) async fn each_fill_of_a_batch_is_judged_by_its_own_tags(store: &dyn Store) {
    let before = read(store, &[]).await;
    invalidate(store, &["t"]).await;
    let fills =
        [("a", "s"), ("b", "t"), ("c", "u")].map(|(key, tag)| new_fill(key, &[tag], b"1", LONG));
    assert_eq!(store.fill(before.token, &fills).await.expect("fill"), [true, false, true]);
    assert_eq!(present(store, &["a", "b", "c"]).await, ["a", "c"]);
}

pub(super) async fn an_invalidation_may_be_repeated(store: &dyn Store) {
    fill(store, "a", &["t"], b"1").await;
    invalidate(store, &["t", "t"]).await;
    invalidate(store, &["t"]).await;
    assert!(fill(store, "a", &["t"], b"2").await);
    assert_eq!(present(store, &["a"]).await, ["a"]);
    invalidate(store, &["t"]).await;
    assert_eq!(present(store, &["a"]).await, [""; 0]);
}

pub(super) async fn an_invalidation_returns_when_it_was_done(store: &dyn Store) {
    for tags in [&["t"][..], &["t", "none"], &["none"]] {
        fill(store, "a", &["t"], b"1").await;
        let before = read(store, &[]).await.token;
        let done = invalidate(store, tags).await;
        assert!(!before.includes(done), "{before:?} is from before {done:?}");
        let after = read(store, &[]).await.token;
        assert!(after.includes(done), "{after:?} is from after {done:?}");
    }
    let done = invalidate(store, &[]).await;
    assert!(read(store, &[]).await.token.includes(done));
    store.clear().await.expect("clear");
    let after = read(store, &[]).await.token;
    assert!(!after.includes(done), "{after:?} is of another epoch than {done:?}");
}

pub(super) async fn a_value_stored_anew_goes_with_its_new_tags(store: &dyn Store) {
    fill(store, "a", &["old"], b"1").await;
    fill(store, "a", &["new"], b"2").await;
    invalidate(store, &["new"]).await;
    assert_eq!(present(store, &["a"]).await, [""; 0]);
}

pub(super) async fn a_wide_tag_goes_whole(store: &dyn Store) {
    let keys = fill_widely(store).await;
    invalidate(store, &["wide"]).await;
    assert!(read(store, &keys).await.values.iter().all(Option::is_none));
}

/// It may go in slices. Whoever reads, in between, what is still there, and builds it into another
/// value, is refused.
pub(super) async fn what_is_read_while_a_wide_tag_goes_is_not_built_in(store: &dyn Store) {
    let keys = fill_widely(store).await;
    let some: Vec<String> = keys.into_iter().step_by(100).collect();
    let mut reading = pin!(async {
        let mut tokens = Vec::new();
        loop {
            let read = read(store, &some).await;
            match read.values.iter().flatten().count() {
                0 => return tokens,
                _ => tokens.push(read.token),
            }
        }
    });
    let mut going = pin!(invalidate(store, &["wide"]));
    let mut gone = Poll::Pending;
    let tokens = poll_fn(|cx| {
        if gone.is_pending() {
            gone = going.as_mut().poll(cx);
        }
        reading.as_mut().poll(cx)
    })
    .await;
    let done = match gone {
        Poll::Ready(done) => done,
        Poll::Pending => going.await,
    };
    for token in tokens {
        assert!(!token.includes(done), "what was read is from before it");
        let fills = [new_fill("built", &["wide"], b"stale", LONG)];
        assert_eq!(store.fill(token, &fills).await.expect("fill"), [false]);
    }
}

/// Stores so many values with one tag that they do not go at once.
pub(super) async fn fill_widely(store: &dyn Store) -> Vec<String> {
    let keys: Vec<String> = (0..5000).map(|n| format!("key_{n}")).collect();
    let fills: Vec<Fill> =
        keys.iter().map(|key| new_fill(key, &["wide", key], b"1", LONG)).collect();
    let token = read(store, &[]).await.token;
    for fills in fills.chunks(500) {
        let stored = store.fill(token, fills).await.expect("fill");
        assert!(stored.iter().all(|stored| *stored));
    }
    keys
}

pub(super) async fn many_tags_go_at_once(store: &dyn Store) {
    let tags: Vec<String> = (0..3000).map(|n| format!("t#{n}")).collect();
    let before = read(store, &[]).await;
    fill(store, "first", &[&tags[0]], b"1").await;
    fill(store, "last", &[&tags[2999]], b"1").await;
    let done = invalidate(store, &tags.iter().map(String::as_str).collect::<Vec<_>>()).await;
    assert!(read(store, &[]).await.token.includes(done));
    assert_eq!(present(store, &["first", "last"]).await, [""; 0]);
    assert!(!fill_since(store, &before, "middle", &[&tags[1500]], b"1").await);
}

pub(super) async fn a_cleared_store_has_nothing_and_refuses_what_began_before(store: &dyn Store) {
    fill(store, "a", &["t"], b"1").await;
    let before = read(store, &[]).await;
    store.clear().await.expect("clear");
    assert_eq!(present(store, &["a"]).await, [""; 0]);
    assert!(!fill_since(store, &before, "a", &["t"], b"stale").await);
    assert!(fill(store, "a", &["t"], b"fresh").await);
    assert_eq!(present(store, &["a"]).await, ["a"]);
}

pub(super) async fn connecting_again_keeps_what_is_there(store: &dyn Store) {
    fill(store, "a", &["t"], b"1").await;
    let before = read(store, &[]).await;
    invalidate(store, &["s"]).await;
    store.connect(SOURCE).await.expect("connect");
    assert_eq!(present(store, &["a"]).await, ["a"]);
    assert!(!fill_since(store, &before, "b", &["s"], b"stale").await);
}

pub(super) async fn values_expire(store: &dyn Store) {
    let token = read(store, &[]).await.token;
    let fills = [
        new_fill("short", &["t"], b"1", Duration::from_millis(50)),
        new_fill("long", &["t"], b"1", LONG),
    ];
    assert_eq!(store.fill(token, &fills).await.expect("fill"), [true, true]);
    let deadline = Instant::now() + Duration::from_secs(5);
    while present(store, &["short"]).await == ["short"] {
        assert!(Instant::now() < deadline, "a value of 50 ms is still there after 5 s");
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    // What expired with its tag's index must not have taken the others out of it.
    invalidate(store, &["t"]).await;
    assert_eq!(present(store, &["long"]).await, [""; 0]);
}

pub(super) async fn any_text_is_a_key_and_a_tag(store: &dyn Store) {
    for text in
        [" ", "#", "a=b_c%", "line\nbreak", "nul\0", "Ünïcödé \u{1F600}", &"long".repeat(10_000)]
    {
        let key = format!("key{text}");
        assert!(fill(store, &key, &[text], b"1").await, "{text:?}");
        invalidate(store, &[text]).await;
        assert_eq!(present(store, &[&key]).await, [""; 0], "{text:?}");
    }
}

pub(super) async fn a_token_older_than_the_fences_is_refused(store: &dyn Store) {
    let before = read(store, &[]).await;
    invalidate(store, &["t"]).await;
    // Until the fence has outlived its life, and can no longer be what refuses.
    tokio::time::sleep(Duration::from_millis(200)).await;
    invalidate(store, &["something to make the store tidy up"]).await;
    assert!(!fill_since(store, &before, "a", &["t"], b"stale").await);
    assert!(fill(store, "a", &["t"], b"fresh").await);
}

/// It may refuse too much then, of what began before.
pub(super) async fn more_fences_than_a_store_keeps_still_refuse(store: &dyn Store) {
    let before = read(store, &[]).await;
    let tags: Vec<Tag> = (0..70_000).map(|n| Tag::from_text(format!("t#{n}"))).collect();
    for tags in tags.chunks(5000) {
        store.invalidate(tags).await.expect("invalidate");
    }
    for tag in ["t#0", "t#40000", "t#69999"] {
        assert!(!fill_since(store, &before, "a", &["s", tag], b"stale").await);
        assert!(fill(store, "a", &["s", tag], b"fresh").await);
    }
    // Likewise what begins from now on.
    let before = read(store, &[]).await;
    invalidate(store, &["t#0"]).await;
    assert!(!fill_since(store, &before, "a", &["t#0"], b"stale").await);
    assert!(fill_since(store, &before, "a", &["t#1"], b"1").await);
}

pub(super) async fn values_of_another_source_are_gone(store: &dyn Store) {
    fill(store, "a", &["t"], b"1").await;
    let before = read(store, &[]).await;
    let found = store.connect("another").await.expect("connect");
    assert_eq!(found, Connected::New);
    assert_eq!(present(store, &["a"]).await, [""; 0]);
    assert!(!fill_since(store, &before, "a", &["t"], b"stale").await);
    let found = store.connect("another").await.expect("connect");
    assert!(matches!(found, Connected::Same(_)), "{found:?}");
}
