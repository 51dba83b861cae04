//! Any bytes as a stored value.

use std::collections::BTreeMap;
use std::fmt::Debug;

use bytes::Bytes;
use cache_runtime::__private::Codec;
use cache_runtime::fuzzing::{decode, encode, json, seal};
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

/// What the cache writes begins with this: the format, the content,
/// the shape, when it expires, and the hash.
const HEADER: usize = 26;
const SHAPE: u64 = u64::from_le_bytes(*b"a shape ");

/// Reads bytes as a stored value: they are one or a miss. They are no value unless all of
/// the header is right, also the hash; then with the hash made right, so that what
/// decodes JSON and MessagePack sees any bytes as well. A value that decodes can be
/// stored and read again, and not a bit of it can be another.
pub fn entry(data: &[u8]) {
    read(&Bytes::copy_from_slice(data));
    let mut sealed = data.to_vec();
    seal(&mut sealed);
    read(&sealed.into());
}

fn read(bytes: &Bytes) {
    let ours = is_ours(bytes);
    let readings = [
        read_as::<Value>(bytes),
        read_as::<Internal>(bytes),
        read_as::<serde_json::Value>(bytes),
        read_as::<Vec<(String, Option<i64>)>>(bytes),
        read_as::<(i64, String)>(bytes),
        json(bytes, SHAPE).is_some(),
    ];
    let is_a_value = readings.contains(&true);
    assert!(ours || !is_a_value, "a value by luck");
    if !is_a_value {
        return;
    }
    if let Some(Some(json)) = json(bytes, SHAPE) {
        assert_eq!(json.bytes(), &bytes[HEADER..]);
    }
    assert_eq!(decode::<serde_json::Value>(bytes, !SHAPE), None);
    // One bit of what counts, another one for every input.
    let counted: Vec<usize> = [0].into_iter().chain(2..10).chain(18..bytes.len()).collect();
    let at = counted[bytes.len() % counted.len()];
    let mut broken = bytes.to_vec();
    broken[at] ^= 1 << (bytes[HEADER - 1] % 8);
    let broken = Bytes::from(broken);
    assert_eq!(decode::<serde_json::Value>(&broken, SHAPE), None);
    assert_eq!(json(&broken, SHAPE), None);
    let cut = bytes.slice(..bytes.len() - 1);
    assert_eq!(decode::<serde_json::Value>(&cut, SHAPE), None);
}

/// Whether the format, the shape and the hash are right.
fn is_ours(bytes: &Bytes) -> bool {
    let mut sealed = bytes.to_vec();
    seal(&mut sealed);
    bytes.len() >= HEADER
        && bytes[0] == 3
        && bytes[2..10] == SHAPE.to_le_bytes()
        && sealed == *bytes
}

/// Whether it is such a value, which then is what it was after having been stored once more.
fn read_as<V: Serialize + DeserializeOwned + Debug>(bytes: &Bytes) -> bool {
    let Some(value) = decode::<V>(bytes, SHAPE) else {
        return false;
    };
    for codec in [Codec::Json, Codec::Msgpack] {
        // What JSON cannot say (a map with keys that are no text) is not stored.
        if let Some(stored) = encode(value.as_ref(), codec, SHAPE) {
            let again = decode::<V>(&stored, SHAPE);
            let again = again.unwrap_or_else(|| panic!("not read again as {codec:?}: {value:?}"));
            assert_eq!(shown(&value, codec), shown(&again, codec), "as {codec:?}");
        }
    }
    true
}

/// JSON has no NaN, and says `null` for it.
fn shown<V: Serialize + Debug>(value: &V, codec: Codec) -> String {
    match codec {
        Codec::Json => serde_json::to_string(value).expect("it was stored"),
        Codec::Msgpack => format!("{value:?}"),
    }
}

/// A struct with everything that a model's may have.
#[derive(Debug, Serialize, Deserialize)]
struct Value {
    id: i64,
    name: String,
    #[serde(default)]
    flag: bool,
    #[serde(default)]
    score: Option<f64>,
    #[serde(default)]
    ratio: Option<f32>,
    #[serde(default)]
    large: Option<i128>,
    #[serde(default)]
    letter: Option<char>,
    #[serde(default)]
    items: Vec<Value>,
    #[serde(default)]
    parent: Option<Box<Value>>,
    #[serde(default)]
    kind: Kind,
    #[serde(default)]
    labels: BTreeMap<String, u32>,
    #[serde(default)]
    anything: serde_json::Value,
}

#[derive(Debug, Default, Serialize, Deserialize)]
enum Kind {
    #[default]
    Plain,
    Sized(u16),
    Pair(i8, String),
    Named {
        size: u64,
    },
}

/// What serde reads into a buffer first.
#[derive(Debug, Serialize, Deserialize)]
#[serde(tag = "type")]
enum Internal {
    Leaf {
        size: i64,
    },
    Node {
        #[serde(flatten)]
        rest: BTreeMap<String, serde_json::Value>,
    },
    List {
        items: Vec<Untagged>,
    },
}

#[derive(Debug, Serialize, Deserialize)]
#[serde(untagged)]
enum Untagged {
    Number(i64),
    Text(String),
    More(Box<Internal>),
    Both { number: i64, text: String },
}
