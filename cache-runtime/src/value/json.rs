//! Values as they are stored, for responses that need no decoding.

use std::fmt;

use bytes::Bytes;

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
        let hash = hash(&bytes);
        Json { bytes, hash }
    }

    /// The text.
    pub fn bytes(&self) -> &Bytes {
        &self.bytes
    }

    /// A strong entity tag (RFC 9110, 8.8.3,
    /// <https://www.rfc-editor.org/rfc/rfc9110#section-8.8.3>), with its quotes: another as soon as
    /// a byte is. It is a hash of the bytes, so all processes agree on it.
    pub fn etag(&self) -> String {
        self.quoted_hash().into_iter().map(char::from).collect()
    }

    /// The entity tag, without an allocation.
    pub(crate) fn quoted_hash(&self) -> [u8; 18] {
        let mut etag = [b'"'; 18];
        for (digit, shift) in etag[1..17].iter_mut().zip((0..64).step_by(4).rev()) {
            *digit = b"0123456789abcdef"[(self.hash >> shift) as usize & 0xf];
        }
        etag
    }
}

impl fmt::Debug for Json {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&String::from_utf8_lossy(&self.bytes))
    }
}

/// Says whether bytes are the same; stable, as stored values outlive builds, and not for attackers.
/// A product for every eight bytes, of which both halves count; four lanes at once, as a value is
/// hashed whenever it comes from the store.
pub(crate) fn hash(bytes: &[u8]) -> u64 {
    let mix = |hash: u64, word: [u8; 8]| {
        let product = u128::from(hash ^ u64::from_le_bytes(word)) * 0x9e37_79b9_7f4a_7c15;
        product as u64 ^ (product >> 64) as u64
    };
    let (words, rest) = bytes.as_chunks::<8>();
    let (fours, words) = words.as_chunks::<4>();
    let start = 0xcbf2_9ce4_8422_2325 ^ bytes.len() as u64;
    let mut lanes = [start, start ^ 1, start ^ 2, start ^ 3];
    for four in fours {
        for (lane, word) in lanes.iter_mut().zip(four) {
            *lane = mix(*lane, *word);
        }
    }
    let hash = lanes.iter().fold(start, |hash, lane| mix(hash, lane.to_le_bytes()));
    let hash = words.iter().fold(hash, |hash, word| mix(hash, *word));
    let mut last = [0; 8];
    last[..rest.len()].copy_from_slice(rest);
    mix(hash, last)
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;

    #[test]
    fn the_tag_is_the_hash_in_hexadecimal() {
        for hash in [0, 1, 0x0123_4567_89ab_cdef, u64::MAX] {
            let json = Json::new(Bytes::new(), hash);
            assert_eq!(json.etag(), format!("\"{hash:016x}\""));
        }
    }

    #[test]
    fn every_bit_and_the_length_count() {
        let text = vec![b'a'; 100];
        let mut hashes = HashSet::from([hash(&text)]);
        for bit in 0..800 {
            let mut changed = text.clone();
            changed[bit / 8] ^= 1 << (bit % 8);
            assert!(hashes.insert(hash(&changed)), "bit {bit}");
        }
        for length in 0..200 {
            assert!(hashes.insert(hash(&vec![0; length])), "{length} zeros");
        }
    }

    #[test]
    fn all_builds_agree() {
        assert_eq!(hash(b"{\"id\":1,\"name\":\"plio\"}"), 0x81d4e68d04497d4d);
    }
}
