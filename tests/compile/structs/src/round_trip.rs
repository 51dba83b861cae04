//! Every serde attribute that the derive accepts, on values of many types, in both codecs: key,
//! tags and value are the same before the store and after it.

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet, VecDeque};
use std::fmt::Debug;
use std::sync::Arc;

use cache_runtime::{Cached, Load};
use proptest::prelude::*;
use serde::{Deserialize, Serialize};
use tokio::runtime::Builder;

use crate::source::{Source, read, served, tags};

/// Structs of an id, a reference and something more, each with attributes on the struct, on the
/// reference and on what is more: one of `parcel`, in JSON, and one of `letter`, in MessagePack.
macro_rules! structs {
    ($($name:ident: $(#[$on_struct:meta])* [$(#[$on_owner:meta])*] [$(#[$on_more:meta])*] $more:ty = $strategy:expr;)*) => {$(
        mod $name {
            use super::*;

            structs!(@one Parcel parcel [$(#[$on_struct])*] [$(#[$on_owner])*] [$(#[$on_more])*] $more);
            structs!(@one Letter letter [$(#[$on_struct])*] [$(#[$on_owner])*] [$(#[$on_more])*] $more);

            proptest! {
                #![proptest_config(ProptestConfig { cases: 40, failure_persistence: None, ..ProptestConfig::default() })]
                #[test]
                fn comes_back(id in any::<i64>(), owner_id in any::<Option<i64>>(), more in $strategy) {
                    let parcel = Parcel { id, owner_id, more: more.clone() };
                    let letter = Letter { id, owner_id, more };
                    assert_comes_back(&parcel);
                    assert_comes_back(&letter);
                }
            }
        }
    )*};
    (@one $row:ident $model:ident [$(#[$on_struct:meta])*] [$(#[$on_owner:meta])*] [$(#[$on_more:meta])*] $more:ty) => {
        #[derive(Debug, Clone, PartialEq, Serialize, Deserialize, Cached)]
        $(#[$on_struct])*
        struct $row {
            id: i64,
            $(#[$on_owner])*
            owner_id: Option<i64>,
            $(#[$on_more])*
            more: $more,
        }
        served!($row);
    };
}

fn assert_comes_back<T>(value: &T)
where
    T: Load<Source<T>, Id = i64> + Clone + PartialEq + Debug,
{
    let runtime = Builder::new_current_thread().enable_all().build();
    let read = runtime.expect("a runtime").block_on(read(value.clone()));
    assert!(read.altered.is_empty(), "{read:?}");
    assert!(read.unstorable.is_empty(), "{read:?}");
    assert_eq!(read.loads, 1, "the second read is a hit, of the same key");
    for back in [read.loaded, read.again] {
        assert_eq!(&*back, value);
        assert_eq!(tags(&*back), tags(value));
    }
}

#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
struct Plain {
    first_part: Option<u8>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    others: Vec<Variant>,
    #[serde(flatten)]
    extra: BTreeMap<String, i64>,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
enum Variant {
    Unit,
    Newtype(String),
    Tuple(i8, Option<bool>),
    Struct { deep: Box<Option<Variant>> },
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "kebab-case")]
enum Tagged {
    One { number: i64 },
    Two { text: String },
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "kind", content = "of")]
enum Adjacent {
    One(i64),
    Two,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(untagged)]
enum Untagged {
    Number(i64),
    Text(String),
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(transparent)]
struct Transparent(u64);

/// Written as a text.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
struct Even(i64);

impl From<Even> for String {
    fn from(Even(number): Even) -> String {
        number.to_string()
    }
}

impl TryFrom<String> for Even {
    type Error = std::num::ParseIntError;

    fn try_from(text: String) -> Result<Even, Self::Error> {
        text.parse().map(Even)
    }
}

/// Seconds, as in many an API.
mod as_text {
    use serde::{Deserialize, Deserializer, Serializer};

    pub fn serialize<S: Serializer>(number: &i64, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&number.to_string())
    }

    pub fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<i64, D::Error> {
        let text = String::deserialize(deserializer)?;
        text.parse().map_err(serde::de::Error::custom)
    }
}

fn variant() -> impl Strategy<Value = Variant> {
    let leaf = prop_oneof![
        Just(Variant::Unit),
        any::<String>().prop_map(Variant::Newtype),
        any::<(i8, Option<bool>)>().prop_map(|(a, b)| Variant::Tuple(a, b)),
    ];
    leaf.prop_recursive(4, 8, 1, |inner| {
        proptest::option::of(inner).prop_map(|deep| Variant::Struct { deep: Box::new(deep) })
    })
}

fn plain() -> impl Strategy<Value = Plain> {
    let extra = proptest::collection::btree_map("[x-z]{1,3}", any::<i64>(), 0..3);
    let others = proptest::collection::vec(variant(), 0..3);
    (any::<Option<u8>>(), others, extra).prop_map(|(first_part, others, extra)| Plain {
        first_part,
        others,
        extra,
    })
}

fn finite() -> impl Strategy<Value = f64> {
    any::<f64>().prop_filter("JSON has no other", |number| number.is_finite())
}

structs! {
    nothing: [] [] String = any::<String>();
    named_alike: [#[serde(rename = "owner")]] [#[serde(rename(serialize = "rest", deserialize = "rest"))]] i64 = any::<i64>();
    read_by_several: [#[serde(rename(serialize = "companyId"), alias = "companyId")]] [#[serde(alias = "was")]] u64 = any::<u64>();
    in_a_case: #[serde(rename_all = "camelCase")] [] [] bool = any::<bool>();
    in_a_case_both_ways: #[serde(rename_all(serialize = "PascalCase", deserialize = "PascalCase"))] [] [] char = any::<char>();
    strict: #[serde(deny_unknown_fields)] [] [] u8 = any::<u8>();
    tagged: #[serde(tag = "type")] [] [] i16 = any::<i16>();
    named: #[serde(rename = "Thing")] [] [] i32 = any::<i32>();
    expecting: #[serde(expecting = "a thing")] [] [] (i32, String) = any::<(i32, String)>();
    defaults: [#[serde(default)]] [#[serde(default)]] Vec<Option<i64>> = any::<Vec<Option<i64>>>();
    left_out: [#[serde(skip_serializing_if = "Option::is_none")]] [#[serde(skip_serializing_if = "Option::is_none")]] Option<String> = any::<Option<String>>();
    left_out_with_default: [#[serde(default, skip_serializing_if = "Option::is_none")]] [#[serde(default, skip_serializing_if = "Vec::is_empty")]] Vec<u32> = any::<Vec<u32>>();
    flattened: [] [#[serde(flatten)]] BTreeMap<String, i64> = proptest::collection::btree_map("[x-z]{1,3}", any::<i64>(), 0..3);
    flattened_struct: [] [#[serde(flatten)]] Tagged = prop_oneof![any::<i64>().prop_map(|number| Tagged::One { number }), any::<String>().prop_map(|text| Tagged::Two { text })];
    by_a_module: [] [#[serde(with = "as_text")]] i64 = any::<i64>();
    by_two_functions: [] [#[serde(serialize_with = "as_text::serialize", deserialize_with = "as_text::deserialize")]] i64 = any::<i64>();
    bound: [] [#[serde(bound(serialize = "", deserialize = ""))]] Transparent = any::<u64>().prop_map(Transparent);
    from_and_into: [] [] Even = any::<i64>().prop_map(Even);
    plain_structs: [] [] Option<Plain> = proptest::option::of(plain());
    enums: [] [] Vec<Variant> = proptest::collection::vec(variant(), 0..4);
    adjacent: [] [] Adjacent = prop_oneof![any::<i64>().prop_map(Adjacent::One), Just(Adjacent::Two)];
    untagged: [] [] Untagged = prop_oneof![any::<i64>().prop_map(Untagged::Number), any::<String>().prop_map(Untagged::Text)];
    maps: [] [] HashMap<String, Vec<i64>> = any::<HashMap<String, Vec<i64>>>();
    maps_by_number: [] [] BTreeMap<i32, String> = any::<BTreeMap<i32, String>>();
    sets: [] [] (HashSet<String>, BTreeSet<i64>) = any::<(HashSet<String>, BTreeSet<i64>)>();
    floats: [] [] Vec<f64> = proptest::collection::vec(finite(), 0..4);
    small_floats: [] [] f32 = any::<f32>().prop_filter("JSON has no other", |number| number.is_finite());
    shared: [] [] Arc<VecDeque<Option<(u8, String)>>> = any::<VecDeque<Option<(u8, String)>>>().prop_map(Arc::new);
    arrays: [] [] [Option<Box<str>>; 3] = any::<[Option<String>; 3]>().prop_map(|texts| texts.map(|it| it.map(String::into_boxed_str)));
    durations: [] [] std::time::Duration = (any::<u32>(), 0..1_000_000_000_u32).prop_map(|(s, ns)| std::time::Duration::new(s.into(), ns));
    json: [] [] serde_json::Value = plain().prop_map(|plain| serde_json::to_value(plain).expect("it encodes"));
}
