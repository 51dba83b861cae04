//! What near caches are told: the rules of every store, and those of one that several processes
//! share.

use std::sync::Arc;
use std::time::Duration;

use super::tools::{LONG, SHORT, SOURCE, fill, invalidate, new_fill, read};
use crate::local::near::{Moment, NearFence};
use crate::store::{Fill, Store};

/// A near cache, and of some keys whether it may still serve them.
pub(super) fn near() -> Arc<NearFence> {
    Arc::new(NearFence::new(LONG))
}

/// Which of these keys, kept now, outlive what happens.
async fn survivors(near: &NearFence, keys: &[&str], happens: impl Future) -> Vec<bool> {
    near.trust(Moment::now());
    let minute = Duration::from_secs(60);
    let kept = |key: &&str| near.validity(key, near.generation(), minute);
    let kept: Vec<_> = keys.iter().map(kept).collect();
    assert!(kept.iter().all(|kept| near.allows(kept)));
    happens.await;
    kept.iter().map(|kept| near.allows(kept)).collect()
}

/// Stores a value under each of the keys, whose first letter is its tag.
async fn fill_all(store: &dyn Store, keys: &[&str]) {
    for key in keys {
        fill(store, key, &[&key[..1]], b"1").await;
    }
}

pub(super) async fn what_is_invalidated_is_told(store: &dyn Store, near: &NearFence) {
    let keys = ["s1", "s2", "t1"];
    fill_all(store, &keys).await;
    let left = survivors(near, &keys, invalidate(store, &["s", "none"])).await;
    assert_eq!(left, [false, false, true]);
    // Nobody knows what is stored since.
    fill_all(store, &keys).await;
    let left = survivors(near, &keys, async {
        store.clear().await.expect("clear");
    });
    assert_eq!(left.await, [false; 3]);
}

/// A near cache may have the value for longer than the store.
pub(super) async fn what_has_expired_is_told_when_it_is_invalidated(
    store: &dyn Store,
    near: &NearFence,
) {
    for tidies in [false, true] {
        let token = read(store, &[]).await.token;
        let short = new_fill("s1", &["s"], b"1", SHORT);
        store.fill(token, &[short]).await.expect("fill");
        let left = survivors(near, &["s1"], async {
            let key = ["s1".to_owned()];
            while read(store, &key).await.values[0].is_some() {
                tokio::time::sleep(SHORT / 10).await;
            }
            while tidies && !store.tidy().await.expect("tidy") {}
            invalidate(store, &["s"]).await;
        });
        assert_eq!(left.await, [false], "tidied: {tidies}");
    }
}

/// A near cache may have the value from before.
pub(super) async fn what_is_stored_anew_is_told_by_its_old_tags(
    store: &dyn Store,
    near: &NearFence,
) {
    fill(store, "s1", &["s"], b"1").await;
    let left = survivors(near, &["s1"], async {
        fill(store, "s1", &["t"], b"2").await;
        invalidate(store, &["s"]).await;
    });
    assert_eq!(left.await, [false]);
}

pub(super) async fn a_wide_tag_is_told_whole(store: &dyn Store, near: &NearFence) {
    let keys: Vec<String> = (0..2500).map(|n| format!("key_{n}")).collect();
    let fills = keys.iter().map(|key| new_fill(key, &["t"], b"1", LONG));
    let fills: Vec<Fill> = fills.collect();
    let token = read(store, &[]).await.token;
    store.fill(token, &fills).await.expect("fill");
    let keys: Vec<&str> = keys.iter().map(String::as_str).collect();
    let left = survivors(near, &keys, invalidate(store, &["t"])).await;
    assert_eq!(left.iter().filter(|left| **left).count(), 0);
}

pub(super) async fn another_source_empties_near(store: &dyn Store, near: &NearFence) {
    fill_all(store, &["t1"]).await;
    let left = survivors(near, &["t1"], async {
        store.connect("another").await.expect("connect");
    });
    assert_eq!(left.await, [false]);
    store.connect(SOURCE).await.expect("connect");
}

/// By the end of a read that begins after it.
pub(super) async fn what_another_invalidates_is_told(
    one: &dyn Store,
    two: &dyn Store,
    near: &NearFence,
) {
    let keys = ["s1", "s2", "t1"];
    for _ in 0..20 {
        fill_all(one, &keys).await;
        let left = survivors(near, &keys, async {
            let done = invalidate(two, &["s"]).await;
            let after = read(one, &[]).await.token;
            assert!(after.includes(done), "{after:?} is from after {done:?}");
        });
        assert_eq!(left.await, [false, false, true]);
    }
    fill_all(one, &keys).await;
    let left = survivors(near, &keys, async {
        two.clear().await.expect("clear");
        read(one, &[]).await;
    });
    assert_eq!(left.await, [false; 3]);
}
