//! Who says that they are who (RFC 7617): `Authorization: Basic …`.

use base64ct::{Base64, Encoding};

/// Bytes of the base64 that are looked at: two names and a password of a thousand characters.
const LONGEST: usize = 4096;

/// Name and password; `None` for another scheme and for what is none.
pub fn basic(field: &str) -> Option<(Box<str>, Box<str>)> {
    let (scheme, encoded) = field.split_once(' ')?;
    let encoded = encoded.trim();
    if !scheme.eq_ignore_ascii_case("basic") || encoded.len() > LONGEST {
        return None;
    }
    let text = String::from_utf8(Base64::decode_vec(encoded).ok()?).ok()?;
    let (name, password) = text.split_once(':')?;
    Some((name.into(), password.into()))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn pair(name: &str, password: &str) -> Option<(Box<str>, Box<str>)> {
        Some((name.into(), password.into()))
    }

    #[test]
    fn name_and_password_are_read() {
        assert_eq!(basic("Basic QWxhZGRpbjpvcGVuIHNlc2FtZQ=="), pair("Aladdin", "open sesame"));
        assert_eq!(basic("basic  5bCP6ZizOmE6Yg=="), pair("小阳", "a:b"));
    }

    #[test]
    fn anything_else_is_none() {
        for wrong in ["", "Basic", "Basic !", "Basic QWxhZGRpbg==", "Bearer QWxhZGRpbjpvcGVu", "Basic /zo="] {
            assert_eq!(basic(wrong), None, "{wrong}");
        }
        assert_eq!(basic(&format!("Basic {}", "QUFB".repeat(LONGEST))), None);
    }

    proptest! {
        #[test]
        fn nothing_makes_it_panic(field in ".*") {
            let _ = basic(&field);
        }
    }
}
