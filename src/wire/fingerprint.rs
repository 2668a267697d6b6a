//! How a server's key is written down, so that people and programs know it again.
//!
//! The pin is the SHA-256 of the key's `SubjectPublicKeyInfo`: it stays the same when the certificate around the key is renewed, and it is what other programs
//! (irssi's `-tls_pinned_pubkey`, curl's `--pinnedpubkey`) pin too.

use std::fmt;
use std::str::FromStr;

use sha2::{Digest, Sha256};

/// How an invitation begins.
const SCHEME: &str = "gzy://";
/// How a fingerprint begins behind the `#` of an invitation.
const PIN: &str = "sha256=";
/// Crockford's 32 signs: no `i`, `l`, `o`, `u`, so that nothing looks or sounds like another.
const SPOKEN: &[u8; 32] = b"0123456789abcdefghjkmnpqrstvwxyz";
/// Signs of the short form: 80 bits, out of reach for somebody who tries keys until one fits.
const SHORT_SIGNS: usize = 16;
/// Signs in a group, of both forms.
const GROUP: usize = 4;
/// Bytes of an invitation's host: the longest name in DNS.
const HOST_BYTES: usize = 255;

/// The SHA-256 of a public key. `Display` is hex in groups: `sha256 ab12 cd34 …`.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Fingerprint(pub [u8; 32]);

/// Why a text is no fingerprint or no invitation. Its `Display` is a sentence.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum BadFingerprint {
    /// Not 64 hex digits.
    NotHex,
    /// It does not begin with `gzy://`.
    NoScheme,
    /// There is no host, or something that no host holds.
    NoHost,
    /// What follows the colon is not a port from 1 to 65535.
    NoPort,
    /// Behind `#` there is something else than `sha256=`.
    NoPin,
}

impl fmt::Display for BadFingerprint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            BadFingerprint::NotHex => {
                "the fingerprint is not 64 hex digits; copy it whole from the server's first lines"
            }
            BadFingerprint::NoScheme => "it does not begin with gzy://",
            BadFingerprint::NoHost => "there is no host in it; write gzy://HOST:PORT#sha256=…",
            BadFingerprint::NoPort => "the port is not a number from 1 to 65535",
            BadFingerprint::NoPin => "behind the # there is no sha256=…; copy the address whole",
        })
    }
}

impl std::error::Error for BadFingerprint {}

impl Fingerprint {
    /// The fingerprint of a DER `SubjectPublicKeyInfo`.
    pub fn of_spki(spki: &[u8]) -> Fingerprint {
        Fingerprint(Sha256::digest(spki).into())
    }

    /// The fingerprint of the key in a DER certificate; `None` when the certificate cannot be read.
    pub fn of_certificate(der: &[u8]) -> Option<Fingerprint> {
        super::certificate::spki(der).map(Fingerprint::of_spki)
    }

    /// 64 hex digits without spaces.
    pub fn hex(&self) -> String {
        self.0.iter().map(|byte| format!("{byte:02x}")).collect()
    }

    /// The first 80 bits as four groups of four signs, for two people to read to each other: `7k2m-…`.
    pub fn short(&self) -> String {
        let sign = |at: usize| {
            let bit = at * 5;
            let pair = u16::from_be_bytes([self.0[bit / 8], self.0[bit / 8 + 1]]);
            let five = (pair >> (11 - bit % 8)) & 0x1f;
            char::from(SPOKEN[usize::from(five)])
        };
        let signs: Vec<char> = (0..SHORT_SIGNS).map(sign).collect();
        let groups: Vec<String> = signs.chunks(GROUP).map(|group| group.iter().collect()).collect();
        groups.join("-")
    }
}

impl fmt::Display for Fingerprint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("sha256")?;
        for pair in self.0.chunks(GROUP / 2) {
            f.write_str(" ")?;
            for byte in pair {
                write!(f, "{byte:02x}")?;
            }
        }
        Ok(())
    }
}

impl fmt::Debug for Fingerprint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl FromStr for Fingerprint {
    type Err = BadFingerprint;

    /// Takes every way in which it is shown: with or without `sha256`, spaces, colons, hyphens; capital letters too.
    fn from_str(text: &str) -> Result<Fingerprint, BadFingerprint> {
        let text = text.trim();
        let has_name = text.get(..6).is_some_and(|name| name.eq_ignore_ascii_case("sha256"));
        let digits = if has_name { text[6..].trim_start_matches([' ', ':', '=']) } else { text };
        let mut bytes = [0; 32];
        let mut count = 0;
        for sign in digits.chars().filter(|c| !matches!(c, ' ' | ':' | '-')) {
            let digit = sign.to_digit(16).ok_or(BadFingerprint::NotHex)? as u8;
            let byte = bytes.get_mut(count / 2).ok_or(BadFingerprint::NotHex)?;
            *byte = *byte << 4 | digit;
            count += 1;
        }
        if count == 64 { Ok(Fingerprint(bytes)) } else { Err(BadFingerprint::NotHex) }
    }
}

/// Where a server is and how to know it: `gzy://HOST[:PORT][#sha256=HEX]`. `Display` and `FromStr` are each other's inverse.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Invitation {
    /// The host, without brackets.
    pub host: Box<str>,
    /// The port; `None` for the usual ones.
    pub port: Option<u16>,
    /// The server's key; `None` when the invitation does not say.
    pub fingerprint: Option<Fingerprint>,
}

impl Invitation {
    /// Whether a text wants to be an invitation: it begins with `gzy://`.
    pub fn is_meant_by(text: &str) -> bool {
        text.trim().get(..SCHEME.len()).is_some_and(|scheme| scheme.eq_ignore_ascii_case(SCHEME))
    }

    /// `HOST[:PORT]` as it can be typed, IPv6 in brackets where a port follows.
    pub fn address(&self) -> String {
        match self.port {
            Some(port) if self.host.contains(':') => format!("[{}]:{port}", self.host),
            Some(port) => format!("{}:{port}", self.host),
            None if self.host.contains(':') => format!("[{}]", self.host),
            None => self.host.to_string(),
        }
    }
}

impl fmt::Display for Invitation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{SCHEME}{}", self.address())?;
        match &self.fingerprint {
            Some(fingerprint) => write!(f, "#{PIN}{}", fingerprint.hex()),
            None => Ok(()),
        }
    }
}

impl FromStr for Invitation {
    type Err = BadFingerprint;

    fn from_str(text: &str) -> Result<Invitation, BadFingerprint> {
        if !Invitation::is_meant_by(text) {
            return Err(BadFingerprint::NoScheme);
        }
        let rest = &text.trim()[SCHEME.len()..];
        let (place, pin) = match rest.split_once('#') {
            Some((place, pin)) => (place, Some(pin)),
            None => (rest, None),
        };
        let fingerprint = match pin {
            Some(pin) => Some(pin.strip_prefix(PIN).ok_or(BadFingerprint::NoPin)?.parse()?),
            None => None,
        };
        // Programs that know the web put a slash behind a host.
        let (host, port) = split_port(place.strip_suffix('/').unwrap_or(place))?;
        Ok(Invitation { host: host.into(), port, fingerprint })
    }
}

fn split_port(place: &str) -> Result<(&str, Option<u16>), BadFingerprint> {
    let (host, port) = match place.strip_prefix('[') {
        Some(rest) => {
            let (host, behind) = rest.split_once(']').ok_or(BadFingerprint::NoHost)?;
            if !host.contains(':') {
                return Err(BadFingerprint::NoHost);
            }
            (host, if behind.is_empty() { None } else { Some(behind.strip_prefix(':').ok_or(BadFingerprint::NoPort)?) })
        }
        None if place.bytes().filter(|b| *b == b':').count() > 1 => (place, None),
        None => match place.split_once(':') {
            Some((host, port)) => (host, Some(port)),
            None => (place, None),
        },
    };
    let is_foreign = |c: char| c.is_whitespace() || c.is_control() || matches!(c, '/' | '@' | '[' | ']' | '#' | '?');
    if host.is_empty() || host.len() > HOST_BYTES || host.contains(is_foreign) {
        return Err(BadFingerprint::NoHost);
    }
    let is_number = |port: &&str| port.bytes().all(|b| b.is_ascii_digit());
    let number = |port: &str| Some(port).filter(is_number)?.parse().ok().filter(|port| *port > 0);
    Ok((host, port.map(|port| number(port).ok_or(BadFingerprint::NoPort)).transpose()?))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn counting() -> Fingerprint {
        Fingerprint(std::array::from_fn(|at| at as u8 * 7))
    }

    #[test]
    fn a_fingerprint_is_shown_in_groups_and_read_back_however_it_is_copied() {
        let shown = counting().to_string();
        assert!(shown.starts_with("sha256 0007 0e15 1c23 "), "{shown}");
        let hex = counting().hex();
        let colons: Vec<&str> = hex.as_bytes().chunks(2).map(|pair| std::str::from_utf8(pair).unwrap()).collect();
        for text in [
            shown,
            hex.clone(),
            hex.to_uppercase(),
            colons.join(":"),
            format!(" SHA256:{hex}\n"),
            format!("sha256={hex}"),
        ] {
            assert_eq!(text.parse(), Ok(counting()), "{text}");
        }
    }

    #[test]
    fn what_is_too_short_too_long_or_no_hex_is_refused() {
        let hex = counting().hex();
        for text in ["", "sha256", &hex[..63], &format!("{hex}0"), &hex.replace('0', "g"), "小阳", &"小".repeat(64)]
        {
            assert_eq!(text.parse::<Fingerprint>(), Err(BadFingerprint::NotHex), "{text}");
        }
    }

    #[test]
    fn the_short_form_is_four_groups_of_the_first_eighty_bits() {
        assert_eq!(Fingerprint([0; 32]).short(), "0000-0000-0000-0000");
        assert_eq!(Fingerprint([0xff; 32]).short(), "zzzz-zzzz-zzzz-zzzz");
        // 00000 00000 00011 10000 11100 00101 …: Crockford's base 32, by hand.
        assert!(counting().short().starts_with("003g-w5"), "{}", counting().short());
        let mut other = counting();
        other.0[9] ^= 1;
        assert_ne!(other.short(), counting().short(), "the eightieth bit counts");
        other = counting();
        other.0[10] ^= 0x80;
        assert_eq!(other.short(), counting().short(), "the next one does not");
    }

    #[test]
    fn an_invitation_says_where_and_whom_and_is_read_back() {
        let hex = counting().hex();
        let is = |text: &str, host: &str, port, fingerprint| {
            let wanted = Invitation { host: host.into(), port, fingerprint };
            assert_eq!(text.parse(), Ok(wanted), "{text}");
        };
        is(&format!("gzy://board:510#sha256={hex}"), "board", Some(510), Some(counting()));
        is(&format!(" GZY://board/#sha256={hex}"), "board", None, Some(counting()));
        is("gzy://[2001:db8::2]:5100", "2001:db8::2", Some(5100), None);
        is("gzy://[::1]", "::1", None, None);
        is("gzy://::1", "::1", None, None);
        is("gzy://客厅.local", "客厅.local", None, None);
    }

    #[test]
    fn what_is_no_invitation_is_refused_with_the_reason() {
        use BadFingerprint::{NoHost, NoPin, NoPort, NoScheme, NotHex};
        for (text, why) in [
            ("board:510", NoScheme),
            ("gzy:/board", NoScheme),
            ("gzy://", NoHost),
            ("gzy://:510", NoHost),
            ("gzy://a b", NoHost),
            ("gzy://anna@board", NoHost),
            ("gzy://board/x", NoHost),
            ("gzy://[::1", NoHost),
            ("gzy://[board]", NoHost),
            ("gzy://[::1]510", NoPort),
            ("gzy://board:0", NoPort),
            ("gzy://board:+5", NoPort),
            ("gzy://board:65536", NoPort),
            ("gzy://board#md5=00", NoPin),
            ("gzy://board#sha256=00", NotHex),
        ] {
            assert_eq!(text.parse::<Invitation>(), Err(why), "{text}");
        }
    }

    proptest! {
        #[test]
        fn no_text_makes_the_parsers_panic(text in "(gzy://)?\\PC{0,80}") {
            let _ = text.parse::<Fingerprint>();
            let _ = text.parse::<Invitation>();
        }

        #[test]
        fn an_invitation_survives_being_written_and_read(
            host in prop_oneof!["[a-z0-9.-]{1,30}", Just("fe80::1%eth0".to_owned())],
            port in proptest::option::of(1..=u16::MAX),
            bytes in proptest::option::of(any::<[u8; 32]>()),
        ) {
            let invitation = Invitation { host: host.into(), port, fingerprint: bytes.map(Fingerprint) };
            prop_assert_eq!(invitation.to_string().parse(), Ok(invitation));
        }
    }
}
