//! What cannot be right is an error that says so, at the first use.

use std::sync::Arc;

use cache_runtime::{BoxError, Cache, Cached, Error, Load, LoadContext};
use serde::{Deserialize, Serialize};

use crate::source::{SCHEMA, Source, served};

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, Cached)]
struct Parcel {
    id: i64,
    owner_id: Option<i64>,
}
served!(Parcel);

const PARCEL: Parcel = Parcel { id: 1, owner_id: None };

/// Another struct of the same model, from the same source.
#[derive(Debug, Clone, Serialize, Deserialize, Cached)]
#[cached(model = "parcel")]
struct Package {
    id: i64,
    owner_id: Option<i64>,
    text: String,
}

impl Load<Source<Parcel>> for Package {
    async fn load(_: &LoadContext<Source<Parcel>>, _: &[i64]) -> Result<Vec<Package>, BoxError> {
        Ok(Vec::new())
    }
}

#[tokio::test]
async fn two_structs_of_one_key_are_an_error_for_the_second() {
    let cache = Cache::builder(Source(PARCEL), &SCHEMA).without_outbox().build().await;
    let cache = cache.expect("built");
    for _ in 0..2 {
        Parcel::get(&cache, 1).await.expect("read");
        let error = Package::get(&cache, 1).await.expect_err("a misuse");
        assert!(error.is_misuse(), "{error}");
        assert_eq!(
            error.to_string(),
            "`structs::misuse::Parcel` and `structs::misuse::Package` are both read as the value of `[model.parcel]`: they have one key, \
             and each would make the other's reads misses\n\
             help: read one of them; what another value embeds may be a struct with `#[cached(projection = \"parcel\")]`, which has no key"
        );
    }
    // In another cache it may be the other.
    let other = Cache::builder(Source(PARCEL), &SCHEMA).without_outbox().build().await;
    assert!(Package::get(&other.expect("built"), 1).await.is_ok());
}

#[derive(Debug, Clone, Serialize, Deserialize, Cached)]
struct Label {
    id: i64,
    text: String,
}

/// Its JSON is near under the ids of the other.
#[derive(Debug, Clone, Serialize, Deserialize, Cached)]
#[cached(model = "label")]
struct Price {
    id: i64,
    amount: i64,
}

struct Labels;

impl Load<Labels> for Label {
    async fn load(_: &LoadContext<Labels>, ids: &[i64]) -> Result<Vec<Label>, BoxError> {
        let text = "secret".to_owned();
        Ok(ids.iter().map(|id| Label { id: *id, text: text.clone() }).collect())
    }
}

impl Load<Labels> for Price {
    async fn load(_: &LoadContext<Labels>, ids: &[i64]) -> Result<Vec<Price>, BoxError> {
        Ok(ids.iter().map(|id| Price { id: *id, amount: 1 }).collect())
    }
}

#[tokio::test]
async fn what_is_near_of_one_struct_does_not_answer_for_another() {
    let cache = Cache::builder(Labels, &SCHEMA).without_outbox().build().await;
    let cache = cache.expect("built");
    let other = Cache::builder(Labels, &SCHEMA).without_outbox().build().await;
    let other = other.expect("built");
    for _ in 0..2 {
        let label = Label::fetch_json(&cache, 1).await.expect("read");
        assert!(label.value.is_some());
        let error = Price::fetch_json(&cache, 1).await.expect_err("a misuse");
        assert!(error.is_misuse(), "{error}");
        // Who asks first, and is refused, takes nobody's place.
        assert!(Price::fetch_json(&other, 1).await.is_ok());
    }
    let status = Label::fetch_json(&cache, 1).await.expect("read").status;
    assert_eq!(status.to_string(), "near; hit");
}

#[tokio::test]
async fn a_struct_of_another_file_is_an_error_when_it_is_read() {
    let cache = Cache::builder(Source(PARCEL), &ledger_twin::SCHEMA).without_outbox();
    let cache = cache.build().await.expect("built");
    let error = Parcel::get(&cache, 1).await.expect_err("a misuse");
    assert!(error.is_misuse(), "{error}");
    let said = error.to_string();
    let begins = "`structs::misuse::Parcel` was compiled with `tests/compile/structs/cache.toml` of package `structs`, and this cache's `schema!()` \
                  with another file, `";
    assert!(said.starts_with(begins), "{said}");
    assert!(said.contains("of package `ledger-twin`"), "{said}");
}

/// A function of a service that does not care what it reads.
async fn either<T: Load<Db>, Db: Send + Sync + 'static>(
    cache: &Cache<Db>,
    ids: &[T::Id],
) -> Result<Option<Arc<T>>, Error> {
    let mut found = cache.get_many::<T>(ids).await?.into_iter().flatten();
    Ok(found.next())
}

#[tokio::test]
async fn a_function_may_be_generic_over_what_it_reads() {
    let cache = Cache::builder(Source(PARCEL), &SCHEMA).without_outbox().build().await;
    let cache = cache.expect("built");
    let parcel = either::<Parcel, _>(&cache, &[7, 1]).await.expect("read");
    assert_eq!(parcel.as_deref(), Some(&PARCEL));
    let one = cache.get::<Parcel>(1).await.expect("read");
    assert_eq!(one.as_deref(), Some(&PARCEL));
    let status = cache.fetch::<Parcel>(1).await.expect("read").status;
    assert_eq!(status.to_string(), "memory; hit");
    let many = cache.fetch_many::<Parcel>(&[1]).await.expect("read");
    assert_eq!(many.len(), 1);
}

/// As `futures::executor::block_on` does it, without one.
fn outside<T>(future: impl Future<Output = T>) -> T {
    let mut future = std::pin::pin!(future);
    let mut context = std::task::Context::from_waker(std::task::Waker::noop());
    match future.as_mut().poll(&mut context) {
        std::task::Poll::Ready(done) => done,
        std::task::Poll::Pending => panic!("it waits for a runtime"),
    }
}

#[test]
fn outside_of_a_runtime_everything_is_an_error_that_says_so() {
    let is_told = |error: Error| {
        assert!(error.is_misuse(), "{error}");
        let said = error.to_string();
        assert!(said.starts_with("there is no Tokio runtime here\nhelp: "), "{said}");
    };
    let build = || Cache::builder(Source(PARCEL), &SCHEMA).without_outbox().build();
    is_told(outside(build()).expect_err("no runtime"));
    let runtime = tokio::runtime::Runtime::new().expect("a runtime");
    let cache = runtime.block_on(build()).expect("built");
    is_told(outside(Parcel::get(&cache, 1)).expect_err("no runtime"));
    is_told(outside(Parcel::get_many(&cache, &[1])).expect_err("no runtime"));
    is_told(outside(cache.refresh::<Parcel>(1)).expect_err("no runtime"));
    is_told(outside(cache.deliver_pending()).expect_err("no runtime"));
    is_told(outside(cache.clear()).expect_err("no runtime"));
    assert!(runtime.block_on(Parcel::get(&cache, 1)).is_ok());
}

#[tokio::test]
async fn who_only_invalidates_reads_nothing() {
    let cache = Cache::builder(Source(PARCEL), &SCHEMA).without_outbox();
    let cache = cache.build().await.expect("built");
    let invalidated = Package::invalidate(&cache, 1).await;
    invalidated.expect("invalidated");
    let read = Parcel::get(&cache, 1).await;
    read.expect("no other struct is read");
}

/// A cache may come in other ways than as a `&Cache`.
#[tokio::test]
async fn a_cache_behind_a_pointer_is_read() {
    let cache = Cache::builder(Source(PARCEL), &SCHEMA).without_outbox();
    let cache = Arc::new(cache.build().await.expect("built"));
    let read = Parcel::get(&cache, 1).await;
    assert!(read.expect("read").is_some());
    let read = Parcel::get(&&*cache, 1).await;
    assert!(read.expect("read").is_some());
}
