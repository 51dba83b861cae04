//! Claims: the rules of every store, and those of one that several processes share.

use std::time::{Duration, Instant};

use bytes::Bytes;

use super::told;
use super::tools::{LONG, SOURCE, fill, fill_since, invalidate, new_fill, read, schema};
use crate::model::schema::Schema;
use crate::store::{Claim, Fill, InvalidationSink, Store};

/// Of a claim whose end is waited for.
const SHORT: Duration = Duration::from_millis(50);

/// Of a claim whose end is waited for, and which is used before.
const SOME: Duration = Duration::from_millis(300);

pub(super) async fn a_claim_reads_what_is_there_and_claims_the_rest(store: &dyn Store) {
    fill(store, "a", &["t"], b"1").await;
    fill(store, "b", &[], &[0, 255, 13, 10]).await;
    let claim = claim(store, 1, &["none", "b", "a", "neither"], LONG).await;
    let values = claim.read.values.iter().map(Option::as_deref);
    let expected: [Option<&[u8]>; 4] = [None, Some(&[0, 255, 13, 10]), Some(b"1"), None];
    assert_eq!(values.collect::<Vec<_>>(), expected);
    assert_eq!(claim.claimed, [true, false, false, true]);
}

pub(super) async fn a_claim_of_many_keys_is_one_of_each(store: &dyn Store) {
    let keys: Vec<String> = (0..350).map(|n| format!("key_{n}")).collect();
    let fills: Vec<Fill> =
        keys.iter().step_by(3).map(|key| new_fill(key, &[key], key.as_bytes(), LONG)).collect();
    let token = read(store, &[]).await.token;
    store.fill(token, &fills).await.expect("fill");
    let claim = claim(store, 1, &keys, LONG).await;
    for (n, key) in keys.iter().enumerate() {
        let value = (n % 3 == 0).then(|| Bytes::from(key.clone()));
        assert_eq!(claim.read.values[n], value, "{key}");
        assert_eq!(claim.claimed[n], value.is_none(), "{key}");
    }
    release(store, 1, &keys).await;
}

pub(super) async fn a_claims_token_fills_unless_something_was_invalidated_since(store: &dyn Store) {
    let before = claim(store, 1, &["a", "b"], LONG).await.read;
    invalidate(store, &["t"]).await;
    assert!(!fill_since(store, &before, "a", &["s", "t"], b"stale").await);
    assert!(fill_since(store, &before, "b", &["s"], b"1").await);
    let claim = claim(store, 1, &["a", "b"], LONG).await;
    assert_eq!(claim.read.values, [None, Some(Bytes::from("1"))]);
    assert_eq!(claim.claimed, [true, false]);
}

pub(super) async fn a_claimant_may_claim_again(store: &dyn Store) {
    assert!(claims(store, 1, "a", LONG).await);
    assert!(claims(store, 1, "a", LONG).await);
    let twice = claim(store, 1, &["b", "b"], LONG).await;
    assert_eq!(twice.claimed, [true, true]);
}

pub(super) async fn a_released_key_can_be_claimed(store: &dyn Store) {
    claim(store, 1, &["a", "b"], LONG).await;
    release(store, 1, &["a", "b", "never claimed"]).await;
    release(store, 1, &["a"; 0]).await;
    let other = claim(store, 2, &["a", "b"], LONG).await;
    assert_eq!(other.claimed, [true, true]);
}

pub(super) async fn a_claim_ends_with_its_time(store: &dyn Store) {
    assert!(claims(store, 1, "a", SHORT).await);
    can_be_claimed(store, 2, "a").await;
    // As short as can be is not for ever.
    assert!(claims(store, 1, "b", Duration::ZERO).await);
    can_be_claimed(store, 2, "b").await;
}

pub(super) async fn what_was_cleared_or_invalidated_is_claimed(store: &dyn Store) {
    for key in ["a", "b"] {
        fill(store, key, &[key], b"1").await;
    }
    invalidate(store, &["a"]).await;
    assert!(claims(store, 1, "a", LONG).await);
    assert!(!claims(store, 1, "b", LONG).await);
    store.clear().await.expect("clear");
    assert!(claims(store, 1, "b", LONG).await);
}

/// Runs the suite of stores that several processes share: `new` makes two of one empty place, as
/// two processes have them.
///
/// # Panics
/// When the store breaks a rule.
pub async fn run_shared<S: Store>(new: impl AsyncFn(&Schema) -> [S; 2]) {
    macro_rules! rules {
        ($($rule:ident),* $(,)?) => {$(
            let stores = new(&schema(LONG)).await;
            for store in &stores {
                store.connect(SOURCE).await.expect("connect");
            }
            $rule(&stores[0], &stores[1]).await;
        )*};
    }
    rules! {
        one_of_two_claimants_loads,
        of_many_keys_each_has_one_claimant,
        a_claim_keeps_others_out_until_its_claimant_releases_it,
        a_late_release_does_not_end_the_claim_of_another,
        others_read_what_the_claimant_stored,
        a_claim_ends_with_its_time_for_others,
        a_repeated_claim_does_not_last_longer,
    }
    let ([one, two], near) = (new(&schema(LONG)).await, told::near());
    one.keep_told(InvalidationSink::new(near.clone()));
    for store in [&one, &two] {
        store.connect(SOURCE).await.expect("connect");
    }
    told::what_another_invalidates_is_told(&one, &two, &near).await;
}

async fn one_of_two_claimants_loads(one: &dyn Store, two: &dyn Store) {
    fill(one, "there", &[], b"1").await;
    let first = claim(one, 1, &["a", "there", "b"], LONG).await;
    assert_eq!(first.claimed, [true, false, true]);
    let second = claim(two, 2, &["b", "c", "there", "a"], LONG).await;
    assert_eq!(second.claimed, [false, true, false, false]);
    assert_eq!(second.read.values, [None, None, Some(Bytes::from("1")), None]);
    // Each has still what it had.
    let first = claim(one, 1, &["a", "b", "c"], LONG).await;
    assert_eq!(first.claimed, [true, true, false]);
}

async fn of_many_keys_each_has_one_claimant(one: &dyn Store, two: &dyn Store) {
    let keys: Vec<String> = (0..350).map(|n| format!("key_{n}")).collect();
    let even: Vec<&String> = keys.iter().step_by(2).collect();
    claim(one, 1, &even, LONG).await;
    let odd = claim(two, 2, &keys, LONG).await.claimed;
    assert!(odd.iter().enumerate().all(|(n, it)| *it == (n % 2 == 1)));
    release(one, 1, &keys).await;
    let rest = claim(two, 3, &keys, LONG).await.claimed;
    assert!(rest.iter().enumerate().all(|(n, it)| *it == (n % 2 == 0)));
}

async fn a_claim_keeps_others_out_until_its_claimant_releases_it(one: &dyn Store, two: &dyn Store) {
    assert!(claims(one, 1, "a", LONG).await);
    release(two, 2, &["a"]).await;
    assert!(!claims(two, 2, "a", LONG).await);
    release(one, 1, &["a"]).await;
    assert!(claims(two, 2, "a", LONG).await);
    assert!(!claims(one, 1, "a", LONG).await);
}

async fn a_late_release_does_not_end_the_claim_of_another(one: &dyn Store, two: &dyn Store) {
    assert!(claims(one, 1, "a", SHORT).await);
    can_be_claimed(two, 2, "a").await;
    release(one, 1, &["a"]).await;
    assert!(!claims(one, 1, "a", LONG).await);
    assert!(claims(two, 2, "a", LONG).await);
}

async fn others_read_what_the_claimant_stored(one: &dyn Store, two: &dyn Store) {
    let before = claim(one, 1, &["a"], LONG).await.read;
    assert!(!claims(two, 2, "a", LONG).await);
    assert!(fill_since(one, &before, "a", &["t"], b"1").await);
    // Also before the release.
    let other = claim(two, 2, &["a"], LONG).await;
    assert_eq!(other.read.values, [Some(Bytes::from("1"))]);
    assert_eq!(other.claimed, [false]);
    // A claim is of the key, whatever becomes of the value.
    invalidate(two, &["t"]).await;
    assert!(!claims(two, 2, "a", LONG).await);
    release(one, 1, &["a"]).await;
    assert!(claims(two, 2, "a", LONG).await);
}

async fn a_claim_ends_with_its_time_for_others(one: &dyn Store, two: &dyn Store) {
    let began = Instant::now();
    assert!(claims(one, 1, "a", SOME).await);
    let refused = !claims(two, 2, "a", LONG).await;
    assert!(refused || began.elapsed() >= SOME);
    can_be_claimed(two, 2, "a").await;
}

async fn a_repeated_claim_does_not_last_longer(one: &dyn Store, two: &dyn Store) {
    let began = Instant::now();
    assert!(claims(one, 1, "a", SOME).await);
    assert!(claims(one, 1, "a", LONG).await);
    if began.elapsed() < SOME {
        can_be_claimed(two, 2, "a").await;
    }
}

/// Sooner or later.
async fn can_be_claimed(store: &dyn Store, claimant: u64, key: &str) {
    let deadline = Instant::now() + Duration::from_secs(5);
    while !claims(store, claimant, key, LONG).await {
        assert!(Instant::now() < deadline, "claimed for ever");
        tokio::time::sleep(SHORT / 10).await;
    }
}

async fn claims(store: &dyn Store, claimant: u64, key: &str, life: Duration) -> bool {
    claim(store, claimant, &[key], life).await.claimed == [true]
}

async fn claim(store: &dyn Store, claimant: u64, keys: &[impl ToString], life: Duration) -> Claim {
    let keys: Vec<String> = keys.iter().map(ToString::to_string).collect();
    let claim = store.claim(&keys, claimant, life).await.expect("claim");
    assert_eq!(claim.read.values.len(), keys.len());
    assert_eq!(claim.claimed.len(), keys.len());
    claim
}

async fn release(store: &dyn Store, claimant: u64, keys: &[impl ToString]) {
    let keys: Vec<String> = keys.iter().map(ToString::to_string).collect();
    store.release(&keys, claimant).await.expect("release");
}
