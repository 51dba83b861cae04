//! Blocks: for a while no strict value with a tag is stored.

use std::time::{Duration, Instant};

use super::tools::{LONG, MAX_COMMIT, fill, new_fill, read};
use crate::model::tag::Tag;
use crate::store::{Fill, Store};

pub(super) async fn a_block_refuses_strict_fills_only(store: &dyn Store) {
    becomes_strict(store).await;
    block(store, 1, &["t"], LONG).await;
    assert!(!fill_strictly(store, "a", &["s", "t"]).await);
    assert!(fill_strictly(store, "b", &["s"]).await);
    assert!(fill(store, "c", &["t"], b"1").await);
}

pub(super) async fn a_block_lasts_until_its_last_writer_unblocks(store: &dyn Store) {
    becomes_strict(store).await;
    block(store, 1, &["s", "t"], LONG).await;
    block(store, 2, &["t"], LONG).await;
    unblock(store, 1, &["s", "t"]).await;
    assert!(fill_strictly(store, "a", &["s"]).await);
    assert!(!fill_strictly(store, "a", &["t"]).await);
    // Repeated, and by one who has not blocked.
    unblock(store, 1, &["t"]).await;
    assert!(!fill_strictly(store, "a", &["t"]).await);
    unblock(store, 2, &["t"]).await;
    assert!(fill_strictly(store, "a", &["t"]).await);
}

pub(super) async fn a_block_ends_with_its_time(store: &dyn Store) {
    becomes_strict(store).await;
    block(store, 1, &["t"], MAX_COMMIT).await;
    block(store, 2, &["s"], LONG).await;
    assert!(!fill_strictly(store, "a", &["t"]).await);
    tokio::time::sleep(2 * MAX_COMMIT).await;
    assert!(fill_strictly(store, "a", &["t"]).await);
    assert!(!fill_strictly(store, "a", &["s"]).await);
}

pub(super) async fn a_cleared_store_blocks_for_as_long_as_a_commit_may_take(store: &dyn Store) {
    becomes_strict(store).await;
    block(store, 1, &["t"], MAX_COMMIT).await;
    store.clear().await.expect("clear");
    let began = Instant::now();
    let refused = !fill_strictly(store, "a", &["t"]).await;
    assert!(refused || began.elapsed() >= MAX_COMMIT);
    becomes_strict(store).await;
    assert!(fill_strictly(store, "a", &["t"]).await);
}

/// A store that has begun a moment ago takes nothing strict yet.
pub(super) async fn becomes_strict(store: &dyn Store) {
    let deadline = Instant::now() + Duration::from_secs(5);
    while !fill_strictly(store, "anything", &[]).await {
        assert!(Instant::now() < deadline, "blocked for ever");
        tokio::time::sleep(MAX_COMMIT / 10).await;
    }
}

pub(super) async fn fill_strictly(store: &dyn Store, key: &str, tags: &[&str]) -> bool {
    let token = read(store, &[]).await.token;
    let fill = Fill { strict: true, ..new_fill(key, tags, b"1", LONG) };
    store.fill(token, &[fill]).await.expect("fill") == [true]
}

pub(super) async fn block(store: &dyn Store, writer: i64, tags: &[&str], life: Duration) {
    let tags: Vec<Tag> = tags.iter().map(|tag| Tag::from_text(*tag)).collect();
    store.block(writer, &tags, life).await.expect("block");
}

pub(super) async fn unblock(store: &dyn Store, writer: i64, tags: &[&str]) {
    let tags: Vec<Tag> = tags.iter().map(|tag| Tag::from_text(*tag)).collect();
    store.unblock(writer, &tags).await.expect("unblock");
}
