//! The stored bytes of a value: a short header, then the payload.
//!
//! | bytes | what |
//! | --- | --- |
//! | 1 | format, [`FORMAT`] |
//! | 1 | content: absent, JSON or MessagePack |
//! | 8 | fingerprint of the struct's shape, little-endian |
//! | 8 | when it expires, Unix milliseconds, little-endian |
//! | … | the payload, empty for absent |
//!
//! The store expires the value; this clock may differ from the store's, so the expiry is not judged
//! here.
//!
//! Bytes of another format or shape are a miss, not a decode error: two versions of a service can
//! share a store during a deployment.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::error::BoxError;
use crate::model::Codec;

const FORMAT: u8 = 1;
const HEADER: usize = 18;

const ABSENT: u8 = 0;
const JSON: u8 = 1;
const MSGPACK: u8 = 2;

/// What the stored bytes say.
#[derive(Debug, PartialEq)]
pub(crate) enum Entry<V> {
    /// The value.
    Present(V),
    /// There is no such row.
    Absent,
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
) -> Result<Vec<u8>, BoxError> {
    let content = match (value, codec) {
        (None, _) => ABSENT,
        (Some(_), Codec::Json) => JSON,
        (Some(_), Codec::Msgpack) => MSGPACK,
    };
    let mut bytes = Vec::with_capacity(256);
    bytes.extend([FORMAT, content]);
    bytes.extend(shape.to_le_bytes());
    bytes.extend(
        now_ms()
            .saturating_add(life.as_millis() as u64)
            .to_le_bytes(),
    );
    match (value, codec) {
        (None, _) => {}
        (Some(value), Codec::Json) => serde_json::to_writer(&mut bytes, value)?,
        (Some(value), Codec::Msgpack) => rmp_serde::encode::write_named(&mut bytes, value)?,
    }
    Ok(bytes)
}

pub(crate) fn decode<V: DeserializeOwned>(bytes: &[u8], shape: u64) -> Result<Entry<V>, Unusable> {
    let unreadable = |why: &str| Unusable::Unreadable(why.to_owned());
    let Some((header, payload)) = bytes.split_first_chunk::<HEADER>() else {
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
    match *content {
        ABSENT if payload.is_empty() => Ok(Entry::Absent),
        JSON => serde_json::from_slice(payload)
            .map(Entry::Present)
            .map_err(|e| unreadable(&e.to_string())),
        MSGPACK => rmp_serde::from_slice(payload)
            .map(Entry::Present)
            .map_err(|e| unreadable(&e.to_string())),
        _ => Err(unreadable("unknown content")),
    }
}

fn now_ms() -> u64 {
    SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .unwrap_or_default()
        .as_millis() as u64
}

#[cfg(test)]
mod tests {
    use super::*;

    const LIFE: Duration = Duration::from_secs(60);

    #[test]
    fn values_and_absence_survive_the_round_trip() {
        for codec in [Codec::Json, Codec::Msgpack] {
            let value = vec![Some(serde_json::json!({"a": [1, 2.5, null]})), None];
            let bytes = encode(Some(&value), codec, 7, LIFE).unwrap();
            assert_eq!(decode(&bytes, 7), Ok(Entry::Present(value)));
            let absent = encode::<String>(None, codec, 7, LIFE).unwrap();
            assert_eq!(decode::<String>(&absent, 7), Ok(Entry::Absent));
        }
    }

    #[test]
    fn another_shape_is_outdated() {
        let bytes = encode(Some(&1), Codec::Json, 7, LIFE).unwrap();
        assert_eq!(decode::<i32>(&bytes, 8), Err(Unusable::Outdated));
    }

    #[test]
    fn truncated_or_foreign_bytes_are_unreadable() {
        let bytes = encode(Some(&"hello"), Codec::Json, 7, LIFE).unwrap();
        for end in 0..bytes.len() {
            let Err(Unusable::Unreadable(_)) = decode::<String>(&bytes[..end], 7) else {
                panic!("{end} bytes decoded");
            };
        }
        let foreign = decode::<String>(b"{\"name\": \"somebody else's\"}", 7);
        assert!(matches!(foreign, Err(Unusable::Unreadable(_))));
    }
}
