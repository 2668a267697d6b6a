//! Names in the path of a URL: percent-encoded there, plain text here.

use super::BadRequest;

const BROKEN: BadRequest = BadRequest::grammar("the path has a % that no two hex digits follow; write %25 for a %");
const NOT_UTF8: BadRequest = BadRequest::grammar("the path is not UTF-8; percent-encode the UTF-8 bytes of the name");

/// Takes the percent-encoding away, once. A query is not part of the path.
pub fn decode(encoded: &str) -> Result<String, BadRequest> {
    if !encoded.contains('%') {
        return Ok(encoded.to_owned());
    }
    let mut bytes = Vec::with_capacity(encoded.len());
    let mut rest = encoded.bytes();
    while let Some(byte) = rest.next() {
        if byte != b'%' {
            bytes.push(byte);
            continue;
        }
        let mut digit = || rest.next().and_then(|byte| char::from(byte).to_digit(16)).ok_or(BROKEN);
        bytes.push((digit()? << 4 | digit()?) as u8);
    }
    String::from_utf8(bytes).map_err(|_| NOT_UTF8)
}

/// Writes a name so that it can stand in a path: everything but letters, digits, `-._~` and `/` is percent-encoded (RFC 3986).
pub fn encode(name: &str) -> String {
    let mut encoded = String::with_capacity(name.len() + 16);
    for byte in name.bytes() {
        push_encoded(byte, byte == b'/', &mut encoded);
    }
    encoded
}

/// Appends a byte, percent-encoded unless it is unreserved or `stays`.
pub fn push_encoded(byte: u8, stays: bool, to: &mut String) {
    const HEX: &[u8; 16] = b"0123456789ABCDEF";
    if stays || byte.is_ascii_alphanumeric() || b"-._~".contains(&byte) {
        to.push(char::from(byte));
    } else {
        to.push('%');
        to.push(char::from(HEX[usize::from(byte >> 4)]));
        to.push(char::from(HEX[usize::from(byte & 15)]));
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn a_name_is_decoded_once_and_strictly() {
        assert_eq!(decode("/cloud/%E4%BD%9C%e4%b8%9a%201.zip").unwrap(), "/cloud/作业 1.zip");
        assert_eq!(decode("/%252e%252e/").unwrap(), "/%2e%2e/");
        assert_eq!(decode("/a+b").unwrap(), "/a+b");
        for broken in ["/%", "/%4", "/%zz", "/%+1", "/%%41"] {
            assert_eq!(decode(broken), Err(BROKEN), "{broken}");
        }
        for wrong in ["/%ff", "/%C0%AF", "/%ED%A0%80", "/%E4%BD"] {
            assert_eq!(decode(wrong), Err(NOT_UTF8), "{wrong}");
        }
    }

    proptest! {
        #[test]
        fn every_name_survives_the_path(name in "\\PC*") {
            let encoded = encode(&name);
            prop_assert!(encoded.is_ascii() && !encoded.contains([' ', '"', '<', '?', '#', '\r', '\n']));
            prop_assert_eq!(decode(&encoded).unwrap(), name);
        }

        #[test]
        fn nothing_makes_it_panic(text in ".*") {
            let _ = decode(&text);
        }
    }
}
