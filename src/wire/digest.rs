//! SHA-256 digests of files: how they are written on the chat lines (hex) and in HTTP heads (base64).

use std::fmt;

use base64ct::{Base64, Encoding};

/// The SHA-256 of a file (FIPS 180-4): 32 bytes.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Digest(pub [u8; 32]);

impl Digest {
    /// From 64 hex digits, upper or lower case.
    pub fn from_hex(text: &str) -> Option<Digest> {
        let bytes = text.as_bytes();
        if bytes.len() != 64 {
            return None;
        }
        let mut digest = [0; 32];
        for (byte, pair) in digest.iter_mut().zip(bytes.chunks_exact(2)) {
            *byte = (hex_value(pair[0])? << 4) | hex_value(pair[1])?;
        }
        Some(Digest(digest))
    }

    /// From the base64 of `Repr-Digest` (RFC 9530), padded.
    pub fn from_base64(text: &str) -> Option<Digest> {
        let mut digest = [0; 32];
        let decoded = Base64::decode(text, &mut digest).ok()?;
        (decoded.len() == 32).then_some(Digest(digest))
    }

    /// The base64 of `Repr-Digest`.
    pub fn base64(&self) -> String {
        Base64::encode_string(&self.0)
    }

    /// The first eight hex digits: enough for people to compare.
    pub fn short(&self) -> String {
        self.to_string()[..8].to_owned()
    }
}

impl fmt::Display for Digest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // Written thousands of times for a folder of small files: at once, not byte by byte.
        const HEX: &[u8; 16] = b"0123456789abcdef";
        let mut text = [0; 64];
        for (pair, byte) in text.chunks_exact_mut(2).zip(self.0) {
            pair.copy_from_slice(&[HEX[usize::from(byte >> 4)], HEX[usize::from(byte & 15)]]);
        }
        f.write_str(std::str::from_utf8(&text).map_err(|_| fmt::Error)?)
    }
}

impl fmt::Debug for Digest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Digest({self})")
    }
}

fn hex_value(digit: u8) -> Option<u8> {
    char::from(digit).to_digit(16).map(|value| value as u8)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Of no bytes at all.
    const EMPTY: &str = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";

    #[test]
    fn a_digest_is_the_same_in_hex_and_base64() {
        let digest = Digest::from_hex(EMPTY).unwrap();
        assert_eq!(digest.to_string(), EMPTY);
        assert_eq!(digest.base64(), "47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=");
        assert_eq!(Digest::from_base64(&digest.base64()), Some(digest));
        assert_eq!(Digest::from_hex(&EMPTY.to_uppercase()), Some(digest));
        assert_eq!(digest.short(), "e3b0c442");
    }

    #[test]
    fn what_is_no_digest_is_none() {
        for wrong in ["", "e3", &EMPTY[1..], &format!("{EMPTY}0"), &EMPTY.replace('e', "g"), &"é".repeat(32)] {
            assert_eq!(Digest::from_hex(wrong), None, "{wrong}");
        }
        for wrong in ["", "47DE", "47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU", "!"] {
            assert_eq!(Digest::from_base64(wrong), None, "{wrong}");
        }
    }
}
