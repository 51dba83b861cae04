//! The stored bytes of a value: a short header, then the payload.
//!
//! | bytes | what |
//! | --- | --- |
//! | 1 | format, [`FORMAT`] |
//! | 1 | content: absent, JSON or MessagePack |
//! | 8 | fingerprint of the struct's shape, little-endian |
//! | 8 | when it expires, Unix milliseconds, little-endian |
//! | 8 | hash of the payload, little-endian: the `ETag` |
//! | … | the payload, empty for absent |
//!
//! An expired value is still served within `grace`, while it is loaded anew. This clock may differ
//! from that of who filled it, so it decides on no more than that; the store decides when a value
//! is gone.
//!
//! Bytes of another format or shape, or whose hash is another, are a miss, not a decode error: two
//! versions of a service can share a store during a deployment.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use bytes::Bytes;
use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::boxed::BoxError;
use crate::model::Codec;
use crate::value::json::{Json, hash};

const FORMAT: u8 = 3;
pub(crate) const HEADER: usize = 26;

/// How deep arrays and maps nest in MessagePack at most: as deep as serde_json takes them.
/// rmp-serde's own 1024 may be more than the stack of a worker thread holds, which ends the
/// process.
const DEPTH: usize = 127;

const ABSENT: u8 = 0;
const JSON: u8 = 1;
const MSGPACK: u8 = 2;

/// What the stored bytes say, not decoded yet.
#[derive(Debug, Clone)]
pub(crate) struct Entry {
    content: u8,
    expires_ms: u64,
    hash: u64,
    payload: Bytes,
}

/// Why stored bytes are a miss.
#[derive(Debug, PartialEq)]
pub(crate) enum Unusable {
    /// Of another version of the struct: nothing to worry about.
    Outdated,
    /// Nothing that this cache can have written.
    Unreadable(String),
}

pub(crate) fn encode<V: Serialize>(
    value: Option<&V>,
    codec: Codec,
    shape: u64,
    life: Duration,
) -> Result<Bytes, BoxError> {
    let content = match (value, codec) {
        (None, _) => ABSENT,
        (Some(_), Codec::Json) => JSON,
        (Some(_), Codec::Msgpack) => MSGPACK,
    };
    let mut bytes = Vec::with_capacity(256);
    bytes.extend([FORMAT, content]);
    bytes.extend(shape.to_le_bytes());
    let expires_ms = now_ms().saturating_add(life.as_millis() as u64);
    bytes.extend(expires_ms.to_le_bytes());
    bytes.extend([0; 8]);
    if let Some(value) = value {
        write(&mut bytes, value, codec)?;
    }
    let hash = hash(&bytes[HEADER..]);
    bytes[HEADER - 8..HEADER].copy_from_slice(&hash.to_le_bytes());
    Ok(bytes.into())
}

fn write<V: Serialize>(bytes: &mut Vec<u8>, value: &V, codec: Codec) -> Result<(), BoxError> {
    match codec {
        Codec::Json => serde_json::to_writer(bytes, value)?,
        Codec::Msgpack => rmp_serde::encode::write_named(bytes, value)?,
    }
    Ok(())
}

impl Entry {
    pub(crate) fn open(bytes: &Bytes, shape: u64) -> Result<Entry, Unusable> {
        let Some(header) = bytes.first_chunk::<HEADER>() else {
            return Err(unreadable("shorter than a header"));
        };
        let [format, content, rest @ ..] = header;
        if *format != FORMAT {
            return Err(unreadable("not in this cache's format"));
        }
        let number = |at: usize| u64::from_le_bytes(std::array::from_fn(|i| rest[at + i]));
        if number(0) != shape {
            return Err(Unusable::Outdated);
        }
        let payload = bytes.slice(HEADER..);
        // JSON is handed out unread: it has to be whole.
        if hash(&payload) != number(16) {
            return Err(unreadable("not as it was stored"));
        }
        Ok(Entry { content: *content, expires_ms: number(8), hash: number(16), payload })
    }

    /// Whether this value has the same bytes.
    pub(crate) fn is_of<V: Serialize>(&self, value: &V, codec: Codec) -> bool {
        let mut bytes = Vec::with_capacity(self.payload.len());
        write(&mut bytes, value, codec).is_ok() && bytes == self.payload
    }

    /// The value; `None`: there is no such row.
    pub(crate) fn decode<V: DeserializeOwned>(&self) -> Result<Option<V>, Unusable> {
        match self.content {
            ABSENT if self.payload.is_empty() => Ok(None),
            JSON => serde_json::from_slice(&self.payload)
                .map(Some)
                .map_err(|e| unreadable(&e.to_string())),
            MSGPACK => {
                let mut payload = rmp_serde::Deserializer::from_read_ref(&self.payload);
                payload.set_max_depth(DEPTH);
                V::deserialize(&mut payload).map(Some).map_err(|e| unreadable(&e.to_string()))
            }
            _ => Err(unreadable("unknown content")),
        }
    }

    /// The JSON as it is; `None`: there is no such row.
    pub(crate) fn json(&self) -> Result<Option<Json>, Unusable> {
        match self.content {
            ABSENT if self.payload.is_empty() => Ok(None),
            JSON => Ok(Some(Json::new(self.payload.clone(), self.hash))),
            // From before the codec was changed.
            MSGPACK => Err(Unusable::Outdated),
            _ => Err(unreadable("unknown content")),
        }
    }

    /// Whether it says that there is no such row.
    pub(crate) fn is_absent(&self) -> bool {
        self.content == ABSENT
    }

    /// For how long it is fresh, or since when not.
    pub(crate) fn fresh_for(&self) -> Result<Duration, Duration> {
        let now = now_ms();
        match self.expires_ms.checked_sub(now) {
            Some(left) if left > 0 => Ok(Duration::from_millis(left)),
            _ => Err(Duration::from_millis(now - self.expires_ms)),
        }
    }

    /// Bytes that it takes, roughly.
    pub(crate) fn size(&self) -> usize {
        HEADER + self.payload.len()
    }
}

fn unreadable(why: &str) -> Unusable {
    Unusable::Unreadable(why.to_owned())
}

fn now_ms() -> u64 {
    SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default().as_millis() as u64
}

#[cfg(test)]
mod tests {
    use super::*;

    const LIFE: Duration = Duration::from_secs(60);

    fn decode<V: DeserializeOwned>(bytes: &Bytes, shape: u64) -> Result<Option<V>, Unusable> {
        Entry::open(bytes, shape)?.decode()
    }

    #[test]
    fn values_and_absence_survive_the_round_trip() {
        for codec in [Codec::Json, Codec::Msgpack] {
            let value = vec![Some(serde_json::json!({"a": [1, 31.245270191439438, null]})), None];
            let bytes = encode(Some(&value), codec, 7, LIFE).unwrap();
            assert_eq!(decode(&bytes, 7), Ok(Some(value)));
            let absent = encode::<String>(None, codec, 7, LIFE).unwrap();
            assert_eq!(decode::<String>(&absent, 7), Ok(None));
        }
    }

    #[test]
    fn numbers_are_what_they_were_to_the_last_digit() {
        let numbers = [131071.99999999999, 0.1 + 0.2, f64::MIN_POSITIVE, f64::MAX];
        for codec in [Codec::Json, Codec::Msgpack] {
            let bytes = encode(Some(&numbers), codec, 7, LIFE).unwrap();
            assert_eq!(decode(&bytes, 7), Ok(Some(numbers)), "{codec:?}");
        }
    }

    #[test]
    fn json_is_handed_out_as_it_is_stored() {
        let bytes = encode(Some(&[1, 2]), Codec::Json, 7, LIFE).unwrap();
        let json = Entry::open(&bytes, 7).unwrap().json().unwrap().unwrap();
        assert_eq!(json.bytes(), "[1,2]");
        assert_eq!(json, Json::of("[1,2]".into()));
        let other_codec = encode(Some(&[1, 2]), Codec::Msgpack, 7, LIFE).unwrap();
        let json = Entry::open(&other_codec, 7).unwrap().json();
        assert_eq!(json, Err(Unusable::Outdated));
    }

    #[test]
    fn a_value_tells_how_long_it_is_fresh() {
        let bytes = encode(Some(&1), Codec::Json, 7, LIFE).unwrap();
        let left = Entry::open(&bytes, 7).unwrap().fresh_for().unwrap();
        assert!(left <= LIFE && left > LIFE / 2, "{left:?}");
        let bytes = encode(Some(&1), Codec::Json, 7, Duration::ZERO).unwrap();
        let since = Entry::open(&bytes, 7).unwrap().fresh_for().unwrap_err();
        assert!(since < LIFE, "{since:?}");
    }

    #[test]
    fn another_shape_is_outdated() {
        let bytes = encode(Some(&1), Codec::Json, 7, LIFE).unwrap();
        assert_eq!(decode::<i32>(&bytes, 8), Err(Unusable::Outdated));
    }

    #[test]
    fn what_nests_too_deep_for_a_stack_is_unreadable() {
        #[derive(Serialize, serde::Deserialize, Debug, PartialEq)]
        struct Node {
            names: [String; 8],
            parent: Option<Box<Node>>,
        }
        let nested = |depth| {
            (0..depth).fold(None, |parent, _| {
                let names = Default::default();
                Some(Box::new(Node { names, parent }))
            })
        };
        for codec in [Codec::Json, Codec::Msgpack] {
            let deep = encode(Some(&nested(1000)), codec, 7, LIFE).unwrap();
            let decoded = decode::<Box<Node>>(&deep, 7);
            assert!(matches!(decoded, Err(Unusable::Unreadable(_))), "{codec:?}");
            let less = encode(Some(&nested(100)), codec, 7, LIFE).unwrap();
            assert_eq!(decode(&less, 7), Ok(nested(100)), "{codec:?}");
        }
    }

    #[test]
    fn truncated_or_foreign_bytes_are_unreadable() {
        let bytes = encode(Some(&"hello"), Codec::Json, 7, LIFE).unwrap();
        for end in 0..bytes.len() {
            let Err(Unusable::Unreadable(_)) = decode::<String>(&bytes.slice(..end), 7) else {
                panic!("{end} bytes decoded");
            };
            let entry = Entry::open(&bytes.slice(..end), 7);
            assert!(entry.is_err(), "{end} bytes would be sent");
        }
        let foreign = Bytes::from_static(b"{\"name\": \"somebody else's, and long enough\"}");
        assert!(matches!(decode::<String>(&foreign, 7), Err(Unusable::Unreadable(_))));
    }
}
