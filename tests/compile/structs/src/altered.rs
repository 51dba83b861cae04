//! Values that come back as other ones: said, counted, and never the
//! reason why a write does not reach somebody.

use std::collections::HashMap;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use cache_runtime::{BoxError, Cache, Cached, Event, Load, LoadContext, Verdict};
use serde::{Deserialize, Serialize};

use crate::source::{Read, SCHEMA, Source, read, served};

fn is_odd(number: &Option<i64>) -> bool {
    number.is_some_and(|it| it % 2 != 0)
}

/// An odd owner is lost on the way.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, Cached)]
struct Parcel {
    id: i64,
    #[serde(default, skip_serializing_if = "is_odd")]
    owner_id: Option<i64>,
}

/// What embeds it would not be found by its owner: it is not stored.
#[tokio::test]
async fn a_reference_that_is_lost_is_not_stored() {
    let even = Parcel { id: 1, owner_id: Some(2) };
    let Read { loads, .. } = read(even).await;
    assert_eq!(loads, 1);
    let odd = Parcel { id: 1, owner_id: Some(3) };
    let read = read(odd.clone()).await;
    assert_eq!((&*read.loaded, &*read.again, read.loads), (&odd, &odd, 2));
    assert_eq!(read.unstorable.len(), 2, "{read:?}");
    let why = &read.unstorable[0];
    assert!(why.contains("`owner#id=3`"), "{why}");
    assert!(read.altered.is_empty(), "{read:?}");
}

#[derive(Debug, Clone, Serialize, Deserialize, Cached)]
struct Owner {
    id: i64,
}

#[derive(Debug, Clone, Serialize, Deserialize, Cached)]
struct Shelf {
    id: i64,
    parcel: Arc<Parcel>,
}

/// All that there is: a shelf with a parcel, of an owner. Counts how often the shelf is loaded.
#[derive(Default)]
struct Store(AtomicUsize);

impl Load<Store> for Owner {
    async fn load(_: &LoadContext<Store>, ids: &[i64]) -> Result<Vec<Owner>, BoxError> {
        Ok(ids.iter().map(|id| Owner { id: *id }).collect())
    }
}

impl Load<Store> for Parcel {
    async fn load(_: &LoadContext<Store>, ids: &[i64]) -> Result<Vec<Parcel>, BoxError> {
        let owner_id = Some(3);
        Ok(ids.iter().map(|id| Parcel { id: *id, owner_id }).collect())
    }
}

impl Load<Store> for Shelf {
    async fn load(cx: &LoadContext<Store>, ids: &[i64]) -> Result<Vec<Shelf>, BoxError> {
        cx.db().0.fetch_add(1, Ordering::Relaxed);
        let parcel = cx.get::<Parcel>(7).await?.ok_or("no parcel")?;
        let shelf = |id: &i64| Shelf { id: *id, parcel: parcel.clone() };
        Ok(ids.iter().map(shelf).collect())
    }
}

/// Whoever came first has read the parcel, so that the shelf might have
/// had it from the store, without its owner.
#[tokio::test]
async fn what_embeds_it_is_found_by_what_was_lost() {
    let cache = Cache::builder(Store::default(), &SCHEMA).without_outbox().build().await;
    let cache = cache.expect("built");
    for _ in 0..2 {
        Parcel::get(&cache, 7).await.expect("read");
    }
    Shelf::get(&cache, 1).await.expect("read");
    let loads = cache.db().0.load(Ordering::Relaxed);
    // The owner is another one now.
    cache.refresh::<Owner>(3).await.expect("invalidated");
    Shelf::get(&cache, 1).await.expect("read");
    assert!(cache.db().0.load(Ordering::Relaxed) > loads, "stale");
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
struct Stamp {
    at: i64,
    /// No derive of ours sees it.
    #[serde(skip)]
    secret: String,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, Cached)]
struct Letter {
    id: i64,
    owner_id: Option<i64>,
    stamp: Stamp,
    weight: Option<f64>,
}

fn letter() -> Letter {
    let stamp = Stamp { at: 7, secret: String::new() };
    Letter { id: 1, owner_id: None, stamp, weight: Some(1.5) }
}

#[tokio::test]
async fn what_a_plain_struct_leaves_out_is_left_out_for_all_and_said() {
    let same = read(letter()).await;
    assert!(same.altered.is_empty(), "{same:?}");
    let mut with_secret = letter();
    with_secret.stamp.secret = "secret".to_owned();
    let read = read(with_secret).await;
    assert_eq!(read.altered, ["what serde leaves out"]);
    assert_eq!((&*read.loaded, &*read.again, read.loads), (&letter(), &letter(), 1));
}

/// `NaN` is written as nothing in JSON, and equals nothing, not even itself.
#[tokio::test]
async fn no_number_is_another_value_in_json_and_the_same_in_messagepack() {
    mod json {
        use super::*;

        #[derive(Debug, Clone, PartialEq, Serialize, Deserialize, Cached)]
        pub(super) struct Parcel {
            pub(super) id: i64,
            pub(super) owner_id: Option<i64>,
            pub(super) weight: Option<f64>,
        }
        served!(Parcel);
    }
    let weight = Some(f64::NAN);
    let packed = read(Letter { weight, ..letter() }).await;
    assert!(packed.altered.is_empty(), "{packed:?}");
    let parcel = json::Parcel { id: 1, owner_id: None, weight };
    let read = read(parcel).await;
    assert_eq!(read.altered, ["what serde leaves out"]);
    assert_eq!((read.loaded.weight, read.again.weight), (None, None));
}

/// Without `PartialEq` what serde says of the two is compared.
#[tokio::test]
async fn a_struct_without_equality_is_compared_by_what_is_written() {
    mod rounded {
        use super::*;

        /// Written without its last digit, as times are without what is below a second.
        #[derive(Debug, Clone)]
        pub(super) struct Rough(pub(super) i64);

        impl Serialize for Rough {
            fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                serializer.serialize_i64(self.0 / 10)
            }
        }

        impl<'de> Deserialize<'de> for Rough {
            fn deserialize<D: serde::Deserializer<'de>>(
                deserializer: D,
            ) -> Result<Rough, D::Error> {
                i64::deserialize(deserializer).map(Rough)
            }
        }

        #[derive(Debug, Clone, Serialize, Deserialize, Cached)]
        pub(super) struct Letter {
            pub(super) id: i64,
            pub(super) owner_id: Option<i64>,
            pub(super) stamp: Rough,
            pub(super) names: std::collections::HashSet<u16>,
        }
        served!(Letter);
    }
    let letter = |number| rounded::Letter {
        id: 1,
        owner_id: None,
        stamp: rounded::Rough(number),
        // In another order each time.
        names: (0..100).collect(),
    };
    let same = read(letter(0)).await;
    assert!(same.altered.is_empty(), "{same:?}");
    let read = read(letter(70)).await;
    assert_eq!(read.altered, ["/stamp"]);
    assert_eq!((read.loaded.stamp.0, read.again.stamp.0), (7, 7));
}

/// A hit is compared with what a miss would be answered with.
#[tokio::test]
async fn what_is_altered_is_not_blamed_on_the_cache() {
    let said = Arc::new(Mutex::new(Vec::new()));
    let hears = said.clone();
    let label = Label { id: 1, count: 0 };
    let cache =
        Cache::builder(Source(label), &SCHEMA).without_outbox().on_event(
            move |event| match event {
                Event::Altered { at, .. } => {
                    hears.lock().expect("well").push(Err((*at).to_owned()))
                }
                Event::Verified { verdict, .. } => hears.lock().expect("well").push(Ok(*verdict)),
                _ => {}
            },
        );
    let cache = cache.build().await.expect("built");
    for _ in 0..2 {
        let read = Label::get(&cache, 1).await.expect("read").expect("there");
        assert_eq!(read.count, 5);
    }
    let is_verified = || said.lock().expect("well").iter().any(Result::is_ok);
    let verified = async {
        while !is_verified() {
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    };
    let verified = tokio::time::timeout(Duration::from_secs(30), verified).await;
    verified.expect("verified");
    let said = said.lock().expect("well").clone();
    assert_eq!(said, [Err("/count".to_owned()), Ok(Verdict::Consistent)]);
}

fn five() -> i64 {
    5
}

fn is_zero(number: &i64) -> bool {
    *number == 0
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, Cached)]
struct Label {
    id: i64,
    #[serde(default = "five", skip_serializing_if = "is_zero")]
    count: i64,
}

/// What has the order of its hash, and no JSON; and what panics when it is compared.
#[tokio::test]
async fn what_cannot_be_compared_is_not_altered() {
    mod odd {
        use super::*;

        #[derive(Debug, Clone, Serialize, Deserialize, Cached)]
        pub(super) struct Letter {
            pub(super) id: i64,
            pub(super) owner_id: Option<i64>,
            pub(super) pairs: HashMap<(i64, i64), String>,
        }
        served!(Letter);
    }
    mod touchy {
        use super::*;

        #[derive(Debug, Clone, Serialize, Deserialize, Cached)]
        pub(super) struct Letter {
            pub(super) id: i64,
            pub(super) owner_id: Option<i64>,
        }
        impl PartialEq for Letter {
            fn eq(&self, _: &Letter) -> bool {
                panic!("it is not to be compared")
            }
        }
        served!(Letter);
    }
    let odd = odd::Letter {
        id: 1,
        owner_id: None,
        pairs: (0..50).map(|n| ((n, n), n.to_string())).collect(),
    };
    let read_odd = read(odd).await;
    assert!(read_odd.altered.is_empty(), "{read_odd:?}");
    let touchy = touchy::Letter { id: 1, owner_id: None };
    let read_touchy = read(touchy).await;
    assert!(read_touchy.altered.is_empty(), "{read_touchy:?}");
    assert_eq!(read_touchy.loads, 1);
}

served!(Label, Parcel, Letter);
