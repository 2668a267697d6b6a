//! Digests in HTTP fields (RFC 9530): `Repr-Digest: sha-256=:…:`. Only SHA-256 is read; the others are somebody else's check.

use crate::wire::digest::Digest;

use super::BadRequest;

const BROKEN: BadRequest =
    BadRequest::grammar("that digest is not what RFC 9530 writes: Repr-Digest: sha-256=:<base64 of 32 bytes>:");

/// `sha-256=:…:` for an answer.
pub fn sha256(digest: &Digest) -> String {
    format!("sha-256=:{}:", digest.base64())
}

/// The SHA-256 in a `Repr-Digest` or `Content-Digest` field. One that is broken is refused: whoever sent it wanted a check.
pub fn read(field: &str) -> Result<Option<Digest>, BadRequest> {
    member(field).map_or(Ok(None), |value| {
        let value = value.split(';').next().unwrap_or(value).trim();
        let text = value.strip_prefix(':').and_then(|rest| rest.strip_suffix(':')).ok_or(BROKEN)?;
        Digest::from_base64(text).map(Some).ok_or(BROKEN)
    })
}

/// The same of the older `Digest` field (RFC 3230), which has no colons.
pub fn read_old(field: &str) -> Result<Option<Digest>, BadRequest> {
    member(field).map_or(Ok(None), |value| Digest::from_base64(value.trim()).map(Some).ok_or(BROKEN))
}

/// What is said of SHA-256 in a list; the last word counts.
fn member(field: &str) -> Option<&str> {
    let mut members = field.rsplit(',').filter_map(|member| member.split_once('='));
    members.find(|(name, _)| name.trim().eq_ignore_ascii_case("sha-256")).map(|(_, value)| value.trim())
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const SOME: Digest = Digest([7; 32]);

    #[test]
    fn what_is_written_is_read() {
        let ours = sha256(&SOME);
        assert_eq!(read(&ours), Ok(Some(SOME)));
        assert_eq!(read(&format!("sha-512=:AAAA:, {ours}")), Ok(Some(SOME)));
        assert_eq!(read(&format!("{ours};q=1 , md5=:AA==:")), Ok(Some(SOME)));
        assert_eq!(read_old(&format!("MD5=AA==,SHA-256={}", SOME.base64())), Ok(Some(SOME)));
    }

    #[test]
    fn another_algorithm_is_no_digest_and_a_broken_one_is_refused() {
        for none in ["", "sha-512=:AAAA:", "nonsense"] {
            assert_eq!(read(none), Ok(None), "{none}");
        }
        for broken in ["sha-256=AAAA", "sha-256=:AAAA:", "sha-256=", "sha-256=:", "sha-256=::"] {
            assert_eq!(read(broken), Err(BROKEN), "{broken}");
        }
        assert_eq!(read_old("sha-256=AAAA"), Err(BROKEN));
    }

    proptest! {
        #[test]
        fn nothing_makes_it_panic(field in ".*") {
            let _ = (read(&field), read_old(&field));
        }
    }
}
