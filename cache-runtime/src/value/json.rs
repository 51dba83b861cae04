//! Values in JSON, for responses that need no decoding.

use std::fmt;

use bytes::Bytes;
use serde::Serialize;

use crate::boxed::BoxError;
use crate::model::Rows;
use crate::value::shown::shown;

/// A value's JSON, as it is stored but for what is hidden, and its entity tag. Cheap to clone.
#[derive(Clone, PartialEq, Eq)]
pub struct Json {
    bytes: Bytes,
    hash: u64,
}

impl Json {
    /// A value as it would be stored, for what is not: with the entity tag that it has there.
    ///
    /// # Errors
    /// When it cannot be said in JSON.
    pub fn encode(value: &impl Serialize) -> Result<Json, BoxError> {
        Ok(Json::of(serde_json::to_vec(value)?.into()))
    }

    /// Rows as `fetch_json` answers them, with the entity tag that they have there: without what is
    /// `#[cached(hidden)]`. What hides nothing is [encoded](Json::encode).
    ///
    /// # Errors
    /// As there.
    pub fn shown<R: Rows + Serialize>(rows: &R) -> Result<Json, BoxError> {
        let json = Json::encode(rows)?.without_hidden::<R>();
        json.ok_or_else(|| "it nests too deep".into())
    }

    /// What is answered of the JSON of such rows; `None`: it cannot be told.
    pub(crate) fn without_hidden<R: Rows>(self) -> Option<Json> {
        match const { R::HIDDEN.is_nothing() } {
            true => Some(self),
            false => Some(Json::of(shown(&self.bytes, const { &R::HIDDEN })?.into())),
        }
    }

    /// An object of these members, in their order. Nothing is decoded: their bytes are copied,
    /// once. Its entity tag is of all that is in it.
    ///
    /// ```
    /// # use cache_runtime::Json;
    /// let articles = Json::array([Json::encode(&1)?, Json::encode(&2)?]);
    /// let page = Json::object([("articles", articles), ("articlesCount", Json::encode(&2)?)]);
    /// assert_eq!(page.bytes(), r#"{"articles":[1,2],"articlesCount":2}"#);
    /// # Ok::<(), cache_runtime::BoxError>(())
    /// ```
    pub fn object<N: AsRef<str>>(members: impl IntoIterator<Item = (N, Json)>) -> Json {
        let named = |(name, json): (N, Json)| {
            let name = serde_json::Value::from(name.as_ref()).to_string();
            [Bytes::from(name + ":"), json.bytes]
        };
        let members: Vec<[Bytes; 2]> = members.into_iter().map(named).collect();
        Json::enclosed(b'{', &members, b'}')
    }

    /// An array of these, in their order, as [`object`](Json::object) is made.
    pub fn array(elements: impl IntoIterator<Item = Json>) -> Json {
        let elements: Vec<[Bytes; 1]> = elements.into_iter().map(|json| [json.bytes]).collect();
        Json::enclosed(b'[', &elements, b']')
    }

    /// The items, with commas between them.
    fn enclosed<const N: usize>(open: u8, items: &[[Bytes; N]], close: u8) -> Json {
        let length: usize = items.iter().flatten().map(Bytes::len).sum();
        let mut bytes = Vec::with_capacity(length + items.len() + 2);
        bytes.push(open);
        for (n, item) in items.iter().enumerate() {
            if n > 0 {
                bytes.push(b',');
            }
            item.iter().for_each(|part| bytes.extend_from_slice(part));
        }
        bytes.push(close);
        Json::of(bytes.into())
    }

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

    fn json(text: &str) -> Json {
        Json::of(Bytes::copy_from_slice(text.as_bytes()))
    }

    #[test]
    fn an_object_is_its_members_as_they_are() {
        let number = json("1.50e+01");
        let members = [("b", json("[ ]")), ("a", number.clone()), ("b", json("null"))];
        let object = Json::object(members);
        assert_eq!(object, json(r#"{"b":[ ],"a":1.50e+01,"b":null}"#));
        assert_eq!(Json::object([("", object)]).bytes(), r#"{"":{"b":[ ],"a":1.50e+01,"b":null}}"#);
        assert_eq!(Json::object::<&str>([]), json("{}"));
        assert_eq!(Json::array([number, json("\"a\"")]), json(r#"[1.50e+01,"a"]"#));
        assert_eq!(Json::array([]), json("[]"));
    }

    #[test]
    fn the_name_of_a_member_is_a_text_of_any_letters() {
        for name in ["\"", "\\", "a\nb", "\u{1f980}", "\0", "ä:{"] {
            let object = Json::object([(name.to_owned(), json("1"))]);
            let read: serde_json::Value = serde_json::from_slice(object.bytes()).unwrap();
            assert_eq!(read, serde_json::json!({ name: 1 }));
        }
    }

    #[test]
    fn the_tag_of_an_object_is_of_all_that_is_in_it() {
        let tag = |name: &str, of: &str| Json::object([(name, json(of))]).etag();
        assert_eq!(tag("a", "1"), tag("a", "1"));
        assert_ne!(tag("a", "1"), tag("b", "1"));
        assert_ne!(tag("a", "1"), tag("a", "2"));
        assert_ne!(tag("a", "1"), json("1").etag());
    }

    #[test]
    fn all_builds_agree() {
        assert_eq!(hash(b"{\"id\":1,\"name\":\"plio\"}"), 0x81d4e68d04497d4d);
    }
}
