//! What the fuzz targets of this repository call. Not part of the API.

use std::time::Duration;

use bytes::Bytes;
use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::model::Codec;
use crate::value::entry::{self, Entry};
use crate::value::json::{Json, hash};

/// The bytes that are stored for a value of this shape; `None`: there is no such row.
pub fn encode<V: Serialize>(value: Option<&V>, codec: Codec, shape: u64) -> Option<Bytes> {
    entry::encode(value, codec, shape, Duration::from_secs(60)).ok()
}

/// What a reader takes stored bytes for; `None`: a miss.
pub fn decode<V: DeserializeOwned>(bytes: &Bytes, shape: u64) -> Option<Option<V>> {
    let entry = Entry::open(bytes, shape).ok()?;
    let _ = entry.fresh_for();
    entry.decode().ok()
}

/// What a reader of JSON takes them for.
pub fn json(bytes: &Bytes, shape: u64) -> Option<Option<Json>> {
    Entry::open(bytes, shape).ok()?.json().ok()
}

/// Writes into these bytes the hash of their payload, if they are long enough to have one.
pub fn seal(bytes: &mut [u8]) {
    if let Some((header, payload)) = bytes.split_first_chunk_mut::<{ entry::HEADER }>() {
        header[entry::HEADER - 8..].copy_from_slice(&hash(payload).to_le_bytes());
    }
}

/// What a row of the outbox says; `None`: it is dead-lettered.
#[cfg(any(feature = "postgres", feature = "sqlite"))]
pub fn tag_of_row(bytes: Vec<u8>) -> Option<crate::Tag> {
    crate::Tag::from_bytes(bytes)
}
