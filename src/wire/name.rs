//! The only doors from text to names: what may be a nick or a room, and which names are the same.

use std::borrow::Borrow;
use std::fmt;

use caseless::Caseless;
use unicode_normalization::UnicodeNormalization;
use unicode_normalization::char::{is_combining_mark, is_public_assigned};

use super::escape::is_invisible;

/// The longest name in bytes, a room's `#` included: 21 Chinese characters, and a `nick!user@host` still leaves most of a
/// classic 512-byte line to the text.
pub const NAME_BYTES: usize = 64;

/// No text longer than this is worth normalising: NFC makes text at most three times shorter, the fourth is reserve.
const NAME_BYTES_BEFORE_NFC: usize = 4 * NAME_BYTES;

/// The most combining marks in a row. Burmese spells everyday words with four; more is a tower that covers other lines.
const MARKS_IN_A_ROW: usize = 4;

/// How many numbers `suggestion` tries in order, and then how many scattered ones. The second hundred makes a miss
/// practically impossible with the 20 000 names that a server can hold.
const SUGGESTION_TRIES: u32 = 100;

/// The name that a connection shows: legal, NFC-normalised, at most `NAME_BYTES` long.
///
/// Two nicks may be in use together only if both their `key`s and their `skeleton`s differ.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub struct Nick(Box<str>);

impl Nick {
    /// Takes `text` as a nick, or says why it cannot be one.
    pub fn parse(text: &str) -> Result<Nick, BadName> {
        let name = legal(text, nick_fault)?;
        let first = name.chars().next().ok_or(BadName::Empty)?;
        if std::iter::once(first).nfkc().next().is_some_and(|c| NICK_NEVER_FIRST.contains(c)) {
            return Err(BadName::StartsWith(first));
        }
        if name.chars().nfkc().all(|c| c.is_ascii_digit()) {
            return Err(BadName::OnlyDigits);
        }
        Ok(Nick(name))
    }

    /// The nick as its owner wrote it, in NFC.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// What this nick is compared and looked up by.
    pub fn key(&self) -> Key {
        Key::of(&self.0)
    }

    /// What this nick looks like.
    pub fn skeleton(&self) -> Skeleton {
        Skeleton::of(&self.0)
    }
}

/// The name of a room: `#` and at least one character more, NFC-normalised, at most `NAME_BYTES` long.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub struct RoomName(Box<str>);

impl RoomName {
    /// Takes `text` as the name of a room, or says why it cannot be one.
    pub fn parse(text: &str) -> Result<RoomName, BadName> {
        match text.strip_prefix('#') {
            None => Err(BadName::NotARoom),
            Some("") => Err(BadName::Empty),
            Some(_) => legal(text, room_fault).map(RoomName),
        }
    }

    /// The name as its founder wrote it, in NFC, with its `#`.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// What this name is compared and looked up by.
    pub fn key(&self) -> Key {
        Key::of(&self.0)
    }
}

/// What names are compared by: two names are the same name exactly when their keys are equal.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct Key(Box<str>);

impl Key {
    /// The key that `text` would have if it were a name, for looking up what somebody typed.
    pub fn of(text: &str) -> Key {
        Key(fold(text))
    }

    /// The folded text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl Borrow<str> for Key {
    fn borrow(&self) -> &str {
        &self.0
    }
}

/// `text` without the difference of case: Unicode's canonical caseless form (full case folding), in NFC.
pub fn fold(text: &str) -> Box<str> {
    if text.is_ascii() {
        return text.to_ascii_lowercase().into();
    }
    // Decomposed first, as the Unicode Standard (3.13, D145) asks: a few Greek letters fold differently when composed.
    text.nfd().default_case_fold().nfc().collect::<String>().into()
}

/// What a name looks like to a reader in a hurry: look-alikes have equal skeletons. Never shown, never sent.
///
/// The rules are those of Unicode's UTS #39, applied to the name as it is displayed. They are no substitute for
/// keys: `ВОВА` and `вова` are one name, and look like `BOBA` and like nothing Latin.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub struct Skeleton(Box<str>);

impl Skeleton {
    fn of(text: &str) -> Skeleton {
        if text.is_ascii() { Skeleton(ascii_skeleton(text)) } else { Skeleton(unicode_skeleton(text)) }
    }
}

/// What `unicode_skeleton` does to ASCII, without its tables.
fn ascii_skeleton(text: &str) -> Box<str> {
    let mut out = String::with_capacity(text.len() + 8);
    for byte in text.bytes() {
        match byte.to_ascii_lowercase() {
            b'm' => out.push_str("rn"),
            b'0' => out.push('o'),
            b'1' | b'i' | b'|' => out.push('l'),
            b'`' => out.push('\''),
            other => out.push(char::from(other)),
        }
    }
    out.into()
}

/// Full-width and other compatibility forms first, then look-alikes of what is displayed, then case, then the
/// look-alikes among the small letters (a Cyrillic `М` is an `M` is an `m` is `rn`).
///
/// At the end `i` joins `l`: a capital `i` is the perfect twin of `l`, and case must not tell people apart.
fn unicode_skeleton(text: &str) -> Box<str> {
    // Compatibility forms make an `s` of the long s, readers make it an `f`.
    let plain: String = text.chars().map(|c| if c == 'ſ' { 'f' } else { c }).nfkc().collect();
    let displayed: String = unicode_security::skeleton(&plain).collect();
    let small: String = unicode_security::skeleton(&fold(&displayed)).collect();
    fold(&small).replace('i', "l").into()
}

/// Why a text cannot be a name. Its `Display` is a sentence for the person who chose it.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum BadName {
    /// Nothing, or nothing behind the `#`.
    Empty,
    /// More than `NAME_BYTES`.
    TooLong,
    /// A control character.
    Control,
    /// White space of any kind.
    Space,
    /// Zero-width, bidirectional, format, variation, private and unassigned characters.
    Invisible,
    /// A character that means something else in commands and masks; always printable ASCII.
    Special(char),
    /// A first character that means something else in front of a name; always printable.
    StartsWith(char),
    /// A combining mark without a letter, or too many on one.
    Marks,
    /// A nick of digits only, which would be an account's id.
    OnlyDigits,
    /// A room's name without its `#`.
    NotARoom,
}

impl fmt::Display for BadName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            BadName::Empty => write!(f, "that name is empty; give it at least one letter"),
            BadName::TooLong => write!(
                f,
                "that name is longer than {NAME_BYTES} bytes; choose a shorter one (a Chinese character counts as 3)"
            ),
            BadName::Control => {
                write!(f, "that name has a control character in it, which nobody can see; leave it out")
            }
            BadName::Space => write!(f, "that name has a space in it, which ends a name; try _ or - instead"),
            BadName::Invisible => {
                write!(f, "that name has a character in it that not every screen can show; use letters and digits")
            }
            BadName::Special(c) => write!(f, "that name has {c} in it, which has a meaning in commands; leave it out"),
            BadName::StartsWith(c) => {
                write!(f, "that name starts with {c}, which has a meaning in front of a name; start with a letter")
            }
            BadName::Marks => write!(f, "that name has accents without a letter or too many on one; use fewer accents"),
            BadName::OnlyDigits => {
                write!(f, "that name is only digits, which would be an account's number; add a letter")
            }
            BadName::NotARoom => write!(f, "that is no room, because rooms start with #; put a # in front of the name"),
        }
    }
}

impl std::error::Error for BadName {}

/// What may not begin a nick, and its full-width forms neither: options and prefixes (`-`), rooms, ranks, commands.
const NICK_NEVER_FIRST: &str = "-#&~@%+!$:/*=";

/// The punctuation that RFC 2812 lets into a nick. All other of ASCII means something somewhere: `! @ * ?` in masks,
/// `* ~` in our commands, `,` in lists, `.` in a server's name, `: # & + % $ /` in targets, `= ; "` in tags and options.
const NICK_PUNCTUATION: &[u8] = b"-_[]{}\\|^`";

/// What may not be in a room's name: lists, masks, trailing parameters, our separators, and paths.
const ROOM_SPECIALS: &str = ",*?:/\\";

fn nick_fault(c: char) -> Option<BadName> {
    let legal = !c.is_ascii() || c.is_ascii_alphanumeric() || NICK_PUNCTUATION.contains(&(c as u8));
    (!legal).then_some(BadName::Special(c))
}

fn room_fault(c: char) -> Option<BadName> {
    ROOM_SPECIALS.contains(c).then_some(BadName::Special(c))
}

/// Normalises `text` and applies the rules that all names share, and then `fault` to each character.
fn legal(text: &str, fault: fn(char) -> Option<BadName>) -> Result<Box<str>, BadName> {
    if text.is_empty() {
        return Err(BadName::Empty);
    }
    if text.len() > NAME_BYTES_BEFORE_NFC {
        return Err(BadName::TooLong);
    }
    let name: Box<str> = if text.is_ascii() { text.into() } else { text.nfc().collect::<String>().into() };
    if name.len() > NAME_BYTES {
        return Err(BadName::TooLong);
    }
    let mut marks = MARKS_IN_A_ROW; // a mark at the start, or on the # of a room, has no letter to sit on
    for c in name.chars() {
        if let Some(bad) = character_fault(c).or_else(|| fault(c)) {
            return Err(bad);
        }
        marks = match c {
            '#' => MARKS_IN_A_ROW,
            c if is_combining_mark(c) || is_skin_tone(c) => marks + 1,
            _ => 0,
        };
        if marks > MARKS_IN_A_ROW {
            return Err(BadName::Marks);
        }
    }
    Ok(name)
}

/// Why `c` can be in no name, mask or the like, whatever their own rules are.
pub(super) fn character_fault(c: char) -> Option<BadName> {
    match c {
        '\u{21}'..='\u{7e}' => None,
        c if c.is_control() => Some(BadName::Control),
        c if c.is_whitespace() => Some(BadName::Space),
        c if is_invisible(c) || !is_public_assigned(c) => Some(BadName::Invisible),
        _ => None,
    }
}

/// Skin tones colour the emoji before them, so they count as marks.
fn is_skin_tone(c: char) -> bool {
    matches!(c, '\u{1f3fb}'..='\u{1f3ff}')
}

/// The first free one of 小阳2, 小阳3, … for somebody whose nick is taken (小阳7 leads to 小阳8), cut to be legal.
///
/// Asks `is_free` a bounded number of times; if it says no to all, the last candidate comes back, and the
/// server will refuse it like any other nick in use.
pub fn suggestion(taken: &Nick, is_free: impl Fn(&Nick) -> bool) -> Nick {
    let (stem, first) = counted(taken.as_str());
    let in_order = (first..).take(SUGGESTION_TRIES as usize);
    // 799 819 and 900 000 have no common factor, so these have six digits and are all different.
    let scattered = (1..=SUGGESTION_TRIES).map(|i| 100_000 + i * 799_819 % 900_000);
    let mut last = None;
    for number in in_order.chain(scattered) {
        let nick = numbered(stem, number);
        if is_free(&nick) {
            return nick;
        }
        last = Some(nick);
    }
    last.expect("there is at least one number to try")
}

/// Splits a nick into what stays and the number to try first. Only short numbers count on; a year or a phone number
/// that somebody wears is left whole.
fn counted(nick: &str) -> (&str, u32) {
    let stem = nick.trim_end_matches(|c: char| c.is_ascii_digit());
    let digits = &nick[stem.len()..];
    match digits.parse::<u32>() {
        Ok(number) if digits.len() <= 3 && !digits.starts_with('0') && !stem.is_empty() => (stem, number + 1),
        _ => (nick, 2),
    }
}

/// `stem` and `number` as a nick, the stem cut at a character border where both are too long together.
fn numbered(stem: &str, number: u32) -> Nick {
    let number = number.to_string();
    let room = stem.floor_char_boundary(NAME_BYTES - number.len());
    let whole = format!("{}{number}", &stem[..room]);
    // Cutting off the only letter can leave nothing but digits.
    Nick::parse(&whole).unwrap_or_else(|_| Nick(format!("guest{number}").into()))
}
