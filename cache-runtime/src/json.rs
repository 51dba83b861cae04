//! Values as they are stored, for responses that need no decoding.

use std::fmt;

use bytes::Bytes;

use crate::model::fnv;

/// A value's JSON, as it is stored, and its entity tag. Cheap to clone.
#[derive(Clone, PartialEq, Eq)]
pub struct Json {
    bytes: Bytes,
    hash: u64,
}

impl Json {
    pub(crate) fn new(bytes: Bytes, hash: u64) -> Json {
        Json { bytes, hash }
    }

    pub(crate) fn of(bytes: Bytes) -> Json {
        let hash = fnv(&bytes);
        Json { bytes, hash }
    }

    /// The text.
    pub fn bytes(&self) -> &Bytes {
        &self.bytes
    }

    /// A strong entity tag (RFC 9110, 8.8.3, <https://www.rfc-editor.org/rfc/rfc9110#section-8.8.3>), with its quotes: another
    /// as soon as a byte is. It is a hash of the bytes, so all processes agree on it.
    pub fn etag(&self) -> String {
        format!("\"{:016x}\"", self.hash)
    }
}

impl fmt::Debug for Json {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&String::from_utf8_lossy(&self.bytes))
    }
}
