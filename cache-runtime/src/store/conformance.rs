//! What every [`Store`] must do: one suite, which all of them pass unchanged.
//!
//! A store that several processes share passes [`run_shared`] as well.
//!
//! ```ignore
//! #[tokio::test]
//! async fn my_store_conforms() {
//!     cache_runtime::store::conformance::run(async |schema| MyStore::new(schema)).await;
//! }
//! ```

use std::future::poll_fn;
use std::pin::pin;
use std::time::{Duration, Instant};

use super::{Connected, Fill, InvalidationSink, Read, Store};
use bytes::Bytes;

use crate::model::File;
use crate::model::schema::{Schema, Triggers};
use crate::model::tag::Tag;

mod leases;
mod told;

pub use leases::run_shared;

/// The identity of the database.
const SOURCE: &str = "one";

/// Short, as blocks are waited for.
const MAX_COMMIT: Duration = Duration::from_millis(200);

/// Longer than the suite takes: no token grows too old by chance.
const LONG: Duration = Duration::from_secs(600);

/// Runs the suite. `new` makes an empty store, for every rule another.
///
/// # Panics
/// When the store breaks a rule.
pub async fn run<S: Store>(new: impl AsyncFn(&Schema) -> S) {
    macro_rules! rules {
        ($($($rule:ident)::+($fences:expr)),* $(,)?) => {$(
            let store = new(&schema($fences)).await;
            store.keep_told(InvalidationSink::new(told::near()));
            store.connect(SOURCE).await.expect("connect");
            $($rule)::+(&store).await;
        )*};
    }
    macro_rules! near_rules {
        ($($rule:ident),* $(,)?) => {$(
            let (store, near) = (new(&schema(LONG)).await, told::near());
            store.keep_told(InvalidationSink::new(near.clone()));
            store.connect(SOURCE).await.expect("connect");
            told::$rule(&store, &near).await;
        )*};
    }
    near_rules! {
        what_is_invalidated_is_told,
        a_wide_tag_is_told_whole,
        another_source_empties_near,
    }
    rules! {
        reads_back_what_was_stored(LONG),
        an_invalidation_deletes_what_its_tag_indexes_and_nothing_else(LONG),
        an_invalidation_refuses_the_fills_that_began_before_it(LONG),
        an_invalidation_of_something_else_refuses_nothing(LONG),
        each_fill_of_a_batch_is_judged_by_its_own_tags(LONG),
        an_invalidation_may_be_repeated(LONG),
        a_value_stored_anew_goes_with_its_new_tags(LONG),
        a_wide_tag_goes_whole(LONG),
        what_is_read_while_a_wide_tag_goes_is_not_built_in(LONG),
        many_tags_go_at_once(LONG),
        a_cleared_store_has_nothing_and_refuses_what_began_before(LONG),
        connecting_again_keeps_what_is_there(LONG),
        values_expire(LONG),
        any_text_is_a_key_and_a_tag(LONG),
        a_token_older_than_the_fences_is_refused(Duration::from_millis(50)),
        more_fences_than_a_store_keeps_still_refuse(LONG),
        values_of_another_source_are_gone(LONG),
        a_block_refuses_strict_fills_only(LONG),
        a_block_lasts_until_its_last_writer_unblocks(LONG),
        a_block_ends_with_its_time(LONG),
        a_cleared_store_blocks_for_as_long_as_a_commit_may_take(LONG),
        leases::a_claim_reads_what_is_there_and_claims_the_rest(LONG),
        leases::a_claim_of_many_keys_is_one_of_each(LONG),
        leases::a_claims_token_fills_unless_something_was_invalidated_since(LONG),
        leases::a_claimant_may_claim_again(LONG),
        leases::a_released_key_can_be_claimed(LONG),
        leases::a_claim_ends_with_its_time(LONG),
        leases::what_was_cleared_or_invalidated_is_claimed(LONG),
    }
}

async fn reads_back_what_was_stored(store: &dyn Store) {
    assert!(fill(store, "a", &["t"], b"1").await);
    assert!(fill(store, "b", &[], &[0, 255, 13, 10]).await);
    let keys = ["b", "none", "a", "a"].map(str::to_owned);
    let values = read(store, &keys).await.values;
    let expected: [Option<&[u8]>; 4] = [Some(&[0, 255, 13, 10]), None, Some(b"1"), Some(b"1")];
    assert_eq!(
        values.iter().map(Option::as_deref).collect::<Vec<_>>(),
        expected
    );
}

async fn an_invalidation_deletes_what_its_tag_indexes_and_nothing_else(store: &dyn Store) {
    fill(store, "both", &["s", "t"], b"1").await;
    fill(store, "t", &["t"], b"1").await;
    fill(store, "s", &["s"], b"1").await;
    fill(store, "none", &[], b"1").await;
    invalidate(store, &["t"]).await;
    assert_eq!(
        present(store, &["both", "t", "s", "none"]).await,
        ["s", "none"]
    );
}

async fn an_invalidation_refuses_the_fills_that_began_before_it(store: &dyn Store) {
    let before = read(store, &[]).await;
    invalidate(store, &["t"]).await;
    assert!(!fill_since(store, &before, "a", &["s", "t"], b"stale").await);
    assert_eq!(present(store, &["a"]).await, [""; 0]);
    // Refused for good: also after another one has stored.
    assert!(fill(store, "a", &["t"], b"fresh").await);
    assert!(!fill_since(store, &before, "a", &["t"], b"stale").await);
    assert_eq!(
        read(store, &["a".to_owned()]).await.values,
        [Some(Bytes::from("fresh"))]
    );
}

async fn an_invalidation_of_something_else_refuses_nothing(store: &dyn Store) {
    invalidate(store, &["a", "b"]).await;
    let before = read(store, &[]).await;
    invalidate(store, &["b", "c"]).await;
    assert!(fill_since(store, &before, "a", &["a"], b"1").await);
    assert_eq!(present(store, &["a"]).await, ["a"]);
}

async fn each_fill_of_a_batch_is_judged_by_its_own_tags(store: &dyn Store) {
    let before = read(store, &[]).await;
    invalidate(store, &["t"]).await;
    let fills =
        [("a", "s"), ("b", "t"), ("c", "u")].map(|(key, tag)| new_fill(key, &[tag], b"1", LONG));
    assert_eq!(
        store.fill(before.token, &fills).await.expect("fill"),
        [true, false, true]
    );
    assert_eq!(present(store, &["a", "b", "c"]).await, ["a", "c"]);
}

async fn an_invalidation_may_be_repeated(store: &dyn Store) {
    fill(store, "a", &["t"], b"1").await;
    invalidate(store, &["t", "t"]).await;
    invalidate(store, &["t"]).await;
    assert!(fill(store, "a", &["t"], b"2").await);
    assert_eq!(present(store, &["a"]).await, ["a"]);
    invalidate(store, &["t"]).await;
    assert_eq!(present(store, &["a"]).await, [""; 0]);
}

async fn a_value_stored_anew_goes_with_its_new_tags(store: &dyn Store) {
    fill(store, "a", &["old"], b"1").await;
    fill(store, "a", &["new"], b"2").await;
    invalidate(store, &["new"]).await;
    assert_eq!(present(store, &["a"]).await, [""; 0]);
}

async fn a_wide_tag_goes_whole(store: &dyn Store) {
    let keys = fill_widely(store).await;
    invalidate(store, &["wide"]).await;
    assert!(read(store, &keys).await.values.iter().all(Option::is_none));
}

/// It may go in slices. Whoever reads, in between, what is still there, and builds it into another value, is refused.
async fn what_is_read_while_a_wide_tag_goes_is_not_built_in(store: &dyn Store) {
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
    let mut is_gone = false;
    let tokens = poll_fn(|cx| {
        is_gone = is_gone || going.as_mut().poll(cx).is_ready();
        reading.as_mut().poll(cx)
    })
    .await;
    if !is_gone {
        going.await;
    }
    for token in tokens {
        let fills = [new_fill("built", &["wide"], b"stale", LONG)];
        assert_eq!(store.fill(token, &fills).await.expect("fill"), [false]);
    }
}

/// Stores so many values with one tag that they do not go at once.
async fn fill_widely(store: &dyn Store) -> Vec<String> {
    let keys: Vec<String> = (0..5000).map(|n| format!("key_{n}")).collect();
    let fills: Vec<Fill> = keys
        .iter()
        .map(|key| new_fill(key, &["wide", key], b"1", LONG))
        .collect();
    let token = read(store, &[]).await.token;
    for fills in fills.chunks(500) {
        let stored = store.fill(token, fills).await.expect("fill");
        assert!(stored.iter().all(|stored| *stored));
    }
    keys
}

async fn many_tags_go_at_once(store: &dyn Store) {
    let tags: Vec<String> = (0..3000).map(|n| format!("t#{n}")).collect();
    let before = read(store, &[]).await;
    fill(store, "first", &[&tags[0]], b"1").await;
    fill(store, "last", &[&tags[2999]], b"1").await;
    invalidate(store, &tags.iter().map(String::as_str).collect::<Vec<_>>()).await;
    assert_eq!(present(store, &["first", "last"]).await, [""; 0]);
    assert!(!fill_since(store, &before, "middle", &[&tags[1500]], b"1").await);
}

async fn a_cleared_store_has_nothing_and_refuses_what_began_before(store: &dyn Store) {
    fill(store, "a", &["t"], b"1").await;
    let before = read(store, &[]).await;
    store.clear().await.expect("clear");
    assert_eq!(present(store, &["a"]).await, [""; 0]);
    assert!(!fill_since(store, &before, "a", &["t"], b"stale").await);
    assert!(fill(store, "a", &["t"], b"fresh").await);
    assert_eq!(present(store, &["a"]).await, ["a"]);
}

async fn connecting_again_keeps_what_is_there(store: &dyn Store) {
    fill(store, "a", &["t"], b"1").await;
    let before = read(store, &[]).await;
    invalidate(store, &["s"]).await;
    store.connect(SOURCE).await.expect("connect");
    assert_eq!(present(store, &["a"]).await, ["a"]);
    assert!(!fill_since(store, &before, "b", &["s"], b"stale").await);
}

async fn values_expire(store: &dyn Store) {
    let token = read(store, &[]).await.token;
    let fills = [
        new_fill("short", &["t"], b"1", Duration::from_millis(50)),
        new_fill("long", &["t"], b"1", LONG),
    ];
    assert_eq!(store.fill(token, &fills).await.expect("fill"), [true, true]);
    let deadline = Instant::now() + Duration::from_secs(5);
    while present(store, &["short"]).await == ["short"] {
        assert!(
            Instant::now() < deadline,
            "a value of 50 ms is still there after 5 s"
        );
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    // What expired with its tag's index must not have taken the others out of it.
    invalidate(store, &["t"]).await;
    assert_eq!(present(store, &["long"]).await, [""; 0]);
}

async fn any_text_is_a_key_and_a_tag(store: &dyn Store) {
    for text in [
        " ",
        "#",
        "a=b_c%",
        "line\nbreak",
        "nul\0",
        "Ünïcödé \u{1F600}",
        &"long".repeat(10_000),
    ] {
        let key = format!("key{text}");
        assert!(fill(store, &key, &[text], b"1").await, "{text:?}");
        invalidate(store, &[text]).await;
        assert_eq!(present(store, &[&key]).await, [""; 0], "{text:?}");
    }
}

async fn a_token_older_than_the_fences_is_refused(store: &dyn Store) {
    let before = read(store, &[]).await;
    invalidate(store, &["t"]).await;
    // Until the fence has outlived its life, and can no longer be what refuses.
    tokio::time::sleep(Duration::from_millis(200)).await;
    invalidate(store, &["something to make the store tidy up"]).await;
    assert!(!fill_since(store, &before, "a", &["t"], b"stale").await);
    assert!(fill(store, "a", &["t"], b"fresh").await);
}

/// It may refuse too much then, of what began before.
async fn more_fences_than_a_store_keeps_still_refuse(store: &dyn Store) {
    let before = read(store, &[]).await;
    let tags: Vec<Tag> = (0..70_000)
        .map(|n| Tag::from_text(format!("t#{n}")))
        .collect();
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

async fn values_of_another_source_are_gone(store: &dyn Store) {
    fill(store, "a", &["t"], b"1").await;
    let before = read(store, &[]).await;
    let found = store.connect("another").await.expect("connect");
    assert_eq!(found, Connected::New);
    assert_eq!(present(store, &["a"]).await, [""; 0]);
    assert!(!fill_since(store, &before, "a", &["t"], b"stale").await);
    let found = store.connect("another").await.expect("connect");
    assert!(matches!(found, Connected::Same(_)), "{found:?}");
}

async fn a_block_refuses_strict_fills_only(store: &dyn Store) {
    becomes_strict(store).await;
    block(store, 1, &["t"], LONG).await;
    assert!(!fill_strictly(store, "a", &["s", "t"]).await);
    assert!(fill_strictly(store, "b", &["s"]).await);
    assert!(fill(store, "c", &["t"], b"1").await);
}

async fn a_block_lasts_until_its_last_writer_unblocks(store: &dyn Store) {
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

async fn a_block_ends_with_its_time(store: &dyn Store) {
    becomes_strict(store).await;
    block(store, 1, &["t"], MAX_COMMIT).await;
    block(store, 2, &["s"], LONG).await;
    assert!(!fill_strictly(store, "a", &["t"]).await);
    tokio::time::sleep(2 * MAX_COMMIT).await;
    assert!(fill_strictly(store, "a", &["t"]).await);
    assert!(!fill_strictly(store, "a", &["s"]).await);
}

async fn a_cleared_store_blocks_for_as_long_as_a_commit_may_take(store: &dyn Store) {
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
async fn becomes_strict(store: &dyn Store) {
    let deadline = Instant::now() + Duration::from_secs(5);
    while !fill_strictly(store, "anything", &[]).await {
        assert!(Instant::now() < deadline, "blocked for ever");
        tokio::time::sleep(MAX_COMMIT / 10).await;
    }
}

async fn fill_strictly(store: &dyn Store, key: &str, tags: &[&str]) -> bool {
    let token = read(store, &[]).await.token;
    let fill = Fill {
        strict: true,
        ..new_fill(key, tags, b"1", LONG)
    };
    store.fill(token, &[fill]).await.expect("fill") == [true]
}

async fn block(store: &dyn Store, writer: i64, tags: &[&str], life: Duration) {
    let tags: Vec<Tag> = tags.iter().map(|tag| Tag::from_text(*tag)).collect();
    store.block(writer, &tags, life).await.expect("block");
}

async fn unblock(store: &dyn Store, writer: i64, tags: &[&str]) {
    let tags: Vec<Tag> = tags.iter().map(|tag| Tag::from_text(*tag)).collect();
    store.unblock(writer, &tags).await.expect("unblock");
}

/// Of a service without models.
fn schema(max_load: Duration) -> Schema {
    let none = Triggers {
        stamp: "",
        outbox: &[],
        checks: &[],
        types: &[],
        tables: &[],
        removal: "",
        exact: &[],
        spellings: "",
    };
    Schema {
        file: File {
            name: "cache.toml",
            package: "",
            hash: 0,
        },
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

fn new_fill(key: &str, tags: &[&str], value: &[u8], ttl: Duration) -> Fill {
    let tags = tags.iter().map(|tag| Tag::from_text(*tag)).collect();
    Fill {
        key: key.to_owned(),
        tags,
        value: Bytes::copy_from_slice(value),
        ttl,
        strict: false,
    }
}

/// Reads, loads and fills without anything in between.
async fn fill(store: &dyn Store, key: &str, tags: &[&str], value: &[u8]) -> bool {
    let before = read(store, &[]).await;
    fill_since(store, &before, key, tags, value).await
}

async fn fill_since(
    store: &dyn Store,
    before: &Read,
    key: &str,
    tags: &[&str],
    value: &[u8],
) -> bool {
    let fills = [new_fill(key, tags, value, LONG)];
    store.fill(before.token, &fills).await.expect("fill") == [true]
}

async fn invalidate(store: &dyn Store, tags: &[&str]) {
    let tags: Vec<Tag> = tags.iter().map(|tag| Tag::from_text(*tag)).collect();
    store.invalidate(&tags).await.expect("invalidate");
}

async fn read(store: &dyn Store, keys: &[String]) -> Read {
    let read = store.read(keys).await.expect("read");
    assert_eq!(read.values.len(), keys.len());
    read
}

/// Which of the keys have a value.
async fn present<'a>(store: &dyn Store, keys: &[&'a str]) -> Vec<&'a str> {
    let names: Vec<String> = keys.iter().map(|key| (*key).to_owned()).collect();
    let values = read(store, &names).await.values;
    keys.iter()
        .zip(values)
        .filter_map(|(key, value)| value.map(|_| *key))
        .collect()
}
