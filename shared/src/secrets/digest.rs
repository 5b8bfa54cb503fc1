//! Hashes of values that are random already (passwords have a room of their own).

use std::fmt::Write;

use ring::digest::{SHA256, digest};
use subtle::ConstantTimeEq;

/// SHA-256 in lower-case hexadecimal.
pub fn sha256_hex(data: &[u8]) -> String {
    let hash = digest(&SHA256, data);
    hash.as_ref()
        .iter()
        .fold(String::with_capacity(64), |mut hex, byte| {
            // Writing to a String cannot fail.
            let _ = write!(hex, "{byte:02x}");
            hex
        })
}

/// Whether two texts are equal, in a time that depends on their lengths only.
pub fn equal(a: &str, b: &str) -> bool {
    a.as_bytes().ct_eq(b.as_bytes()).into()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_hash_is_the_published_one() {
        // FIPS 180-4, the example "abc".
        assert_eq!(
            sha256_hex(b"abc"),
            "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"
        );
    }

    #[test]
    fn only_equal_texts_are_equal() {
        assert!(equal("abc", "abc"));
        for other in ["", "ab", "abd", "abcd"] {
            assert!(!equal("abc", other));
        }
    }
}
