//! Names that are not long, of things that have long ones.
//!
//! Keys and tags have texts in them that a stranger may choose: whoever looks up addresses of 7,000
//! characters must not fill the memory with them. A name of more than [`LONGEST`] bytes keeps its
//! beginning, and what it was is told by its SHA-256 (FIPS 180-4,
//! <https://csrc.nist.gov/pubs/fips/180-4/upd1/final>): nobody finds two texts that have the same.

use std::fmt::Write;

use sha2::{Digest, Sha256};

/// Bytes of a name that stays what it is.
pub(crate) const LONGEST: usize = 200;

/// How much of a long one can be read.
const BEGINNING: usize = 64;

/// What comes before the hash.
const MARK: &str = " sha256:";

/// Bytes of a hash as it is written.
const HASH: usize = 64;

/// The name itself; or, of a long one, the beginning and the hash, between them a space, which no
/// short key has. At least so many bytes of it are kept. What it makes of a name it leaves as that
/// is: a report may have come through here before.
pub(crate) fn short(name: String, at_least: usize) -> String {
    if name.len() <= LONGEST.max(at_least + MARK.len() + HASH) {
        return name;
    }
    let mut end = at_least.max(BEGINNING);
    while !name.is_char_boundary(end) {
        end += 1;
    }
    let mut short = format!("{}{MARK}", &name[..end]);
    for byte in Sha256::digest(name.as_bytes()) {
        // Writing to a `String` cannot fail.
        let _ = write!(short, "{byte:02x}");
    }
    short
}

/// Whether it is one of a long one.
pub(crate) fn is_of_long(name: &str) -> bool {
    name.contains(MARK)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_short_name_stays_and_a_long_one_is_another_with_every_letter() {
        let name = |letters: usize| short("é".repeat(letters), 0);
        assert_eq!(name(100), "é".repeat(100));
        let long = name(101);
        assert!(long.starts_with(&"é".repeat(32)), "{long}");
        assert!(long.len() < LONGEST, "{long}");
        assert_eq!(long, name(101));
        assert_ne!(long, name(102));
        assert!(short("x".repeat(300), 150).starts_with(&"x".repeat(150)));
    }
}
