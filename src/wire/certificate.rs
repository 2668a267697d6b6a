//! What GZY reads from a certificate: the public key in it, and until when it is valid. A walk over the outermost DER elements, not a parser of X.509:
//! whether a signature is right is for the TLS library to say.

use time::{Date, Month, PrimitiveDateTime, Time};

const INTEGER: u8 = 0x02;
const UTC_TIME: u8 = 0x17;
const GENERALIZED_TIME: u8 = 0x18;
const SEQUENCE: u8 = 0x30;
/// The explicit tag around the version.
const VERSION: u8 = 0xa0;

/// The whole `SubjectPublicKeyInfo` element of a DER certificate; `None` when the bytes are no certificate.
pub fn spki(certificate: &[u8]) -> Option<&[u8]> {
    let mut fields = Elements::of_certificate(certificate)?;
    fields.skip_to_validity()?;
    fields.expect(SEQUENCE)?;
    // The subject.
    fields.expect(SEQUENCE)?;
    fields.expect(SEQUENCE).map(|key| key.whole)
}

/// When a DER certificate ends, in seconds since 1970; `None` when the bytes are no certificate.
pub fn not_after_secs(certificate: &[u8]) -> Option<i64> {
    let mut fields = Elements::of_certificate(certificate)?;
    fields.skip_to_validity()?;
    let mut validity = Elements { rest: fields.expect(SEQUENCE)?.content };
    validity.next()?;
    let end = validity.next()?;
    read_time(end.tag, std::str::from_utf8(end.content).ok()?)
}

struct Element<'a> {
    tag: u8,
    /// With tag and length.
    whole: &'a [u8],
    content: &'a [u8],
}

/// The elements inside of another, one after the other.
struct Elements<'a> {
    rest: &'a [u8],
}

impl<'a> Elements<'a> {
    /// The fields of the part that is signed.
    fn of_certificate(der: &'a [u8]) -> Option<Elements<'a>> {
        let certificate = Elements { rest: der }.expect(SEQUENCE)?;
        let signed = Elements { rest: certificate.content }.expect(SEQUENCE)?;
        Some(Elements { rest: signed.content })
    }

    /// Steps over version, serial number, algorithm and issuer.
    fn skip_to_validity(&mut self) -> Option<()> {
        if self.rest.first() == Some(&VERSION) {
            self.next()?;
        }
        self.expect(INTEGER)?;
        self.expect(SEQUENCE)?;
        self.expect(SEQUENCE)?;
        Some(())
    }

    fn expect(&mut self, tag: u8) -> Option<Element<'a>> {
        self.next().filter(|element| element.tag == tag)
    }

    /// Takes one element. Lengths of up to four bytes, tags of one: certificates have no others.
    fn next(&mut self) -> Option<Element<'a>> {
        let (tag, first) = (*self.rest.first()?, *self.rest.get(1)?);
        let (length, header) = match first {
            0..=0x7f => (usize::from(first), 2),
            0x81..=0x84 => {
                let count = usize::from(first & 0x7f);
                let bytes = self.rest.get(2..2 + count)?;
                (bytes.iter().fold(0, |length, byte| length << 8 | usize::from(*byte)), 2 + count)
            }
            _ => return None,
        };
        let whole = self.rest.get(..header.checked_add(length)?)?;
        self.rest = &self.rest[whole.len()..];
        Some(Element { tag, whole, content: &whole[header..] })
    }
}

/// `YYMMDDhhmmssZ` or `YYYYMMDDhhmmssZ`; two digits mean 1950 to 2049 (RFC 5280).
fn read_time(tag: u8, text: &str) -> Option<i64> {
    let (digits, year_digits) = match tag {
        UTC_TIME => (text.strip_suffix('Z')?, 2),
        GENERALIZED_TIME => (text.strip_suffix('Z')?, 4),
        _ => return None,
    };
    if digits.len() != year_digits + 10 || !digits.bytes().all(|b| b.is_ascii_digit()) {
        return None;
    }
    let (year, rest) = digits.split_at(year_digits);
    let year: i32 = year.parse().ok()?;
    let year = match year_digits {
        2 if year < 50 => year + 2000,
        2 => year + 1900,
        _ => year,
    };
    let part = |at: usize| rest[at..at + 2].parse::<u8>().ok();
    let date = Date::from_calendar_date(year, Month::try_from(part(0)?).ok()?, part(2)?).ok()?;
    let time = Time::from_hms(part(4)?, part(6)?, part(8)?).ok()?;
    Some(PrimitiveDateTime::new(date, time).assume_utc().unix_timestamp())
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// A certificate as rcgen makes it, and its public key.
    fn made() -> (Vec<u8>, Vec<u8>) {
        use rcgen::PublicKeyData;
        let key = rcgen::KeyPair::generate().unwrap();
        let mut params = rcgen::CertificateParams::new(vec!["board".to_owned()]).unwrap();
        params.not_after = rcgen::date_time_ymd(2049, 12, 31);
        (params.self_signed(&key).unwrap().der().to_vec(), key.subject_public_key_info())
    }

    #[test]
    fn the_key_in_a_certificate_is_found() {
        let (certificate, key) = made();
        assert_eq!(spki(&certificate), Some(&key[..]));
    }

    #[test]
    fn the_end_of_a_certificate_is_read_in_both_ways_of_writing_it() {
        // 2049-12-31T00:00:00Z
        assert_eq!(not_after_secs(&made().0), Some(2_524_521_600));
        assert_eq!(read_time(UTC_TIME, "700101000001Z"), Some(1));
        assert_eq!(read_time(GENERALIZED_TIME, "20491231000000Z"), Some(2_524_521_600));
        for wrong in ["", "Z", "491231000000", "491331000000Z", "490230000000Z", "4912310000+1Z", "小491231000000Z"] {
            assert_eq!(read_time(UTC_TIME, wrong), None, "{wrong}");
        }
    }

    #[test]
    fn a_certificate_that_is_cut_short_anywhere_has_no_key() {
        let (certificate, _) = made();
        for length in 0..certificate.len() {
            assert_eq!(spki(&certificate[..length]), None, "{length}");
        }
    }

    proptest! {
        #[test]
        fn no_bytes_make_the_walk_panic(bytes in proptest::collection::vec(any::<u8>(), 0..200)) {
            let _ = (spki(&bytes), not_after_secs(&bytes));
        }

        #[test]
        fn no_damage_to_a_certificate_makes_the_walk_panic(at in 0..300_usize, byte in any::<u8>()) {
            let (mut certificate, _) = made();
            let at = at % certificate.len();
            certificate[at] = byte;
            let _ = (spki(&certificate), not_after_secs(&certificate));
        }
    }
}
