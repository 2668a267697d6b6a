//! The only doors from text to names: what may be a nick or a room, and which names are the same.

use std::borrow::Borrow;
use std::fmt;

use caseless::Caseless;
use unicode_normalization::UnicodeNormalization;
use unicode_normalization::char::{is_combining_mark, is_public_assigned};

use super::escape::is_invisible;

mod skeleton;
mod suggestion;

pub use skeleton::Skeleton;
pub use suggestion::suggestion;

/// The longest name in bytes, a room's `#` included: 21 Chinese characters, and a `nick!user@host` still leaves most of a
/// classic 512-byte line to the text.
pub const NAME_BYTES: usize = 64;

/// No text longer than this is worth normalising: NFC makes text at most three times shorter, the fourth is reserve.
const NAME_BYTES_BEFORE_NFC: usize = 4 * NAME_BYTES;

/// The most combining marks in a row. Burmese spells everyday words with four; more is a tower that covers other lines.
const MARKS_IN_A_ROW: usize = 4;

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
        if first.encode_utf8(&mut [0; 4]).nfkc().next().is_some_and(|c| NICK_NEVER_FIRST.contains(c)) {
            return Err(BadName::StartsWith(first));
        }
        if name.nfkc().all(|c| c.is_ascii_digit()) {
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

    /// What this name looks like.
    pub fn skeleton(&self) -> Skeleton {
        Skeleton::of(&self.0)
    }

    /// Whether it is a number in any kind of digits, which may be taken for a group's.
    pub fn is_number(&self) -> bool {
        self.0[1..].chars().nfkc().all(|c| c.is_ascii_digit())
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
    // Chinese characters have no case and are never taken apart, so names in them need no tables either.
    if text.chars().all(|c| c.is_ascii() || matches!(c, '\u{4e00}'..='\u{9fff}')) {
        return text.to_ascii_lowercase().into();
    }
    // Decomposed first, as the Unicode Standard (3.13, D145) asks: a few Greek letters fold differently when composed.
    // In two steps, because each kind of text to normalise is a copy of the normalising code in the program.
    let folded: String = text.nfd().default_case_fold().collect();
    folded.nfc().collect::<String>().into()
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

#[cfg(test)]
pub(super) mod tests {
    use proptest::prelude::*;

    use super::*;

    pub(in crate::wire) fn nick(text: &str) -> Nick {
        Nick::parse(text).unwrap_or_else(|bad| panic!("{text:?}: {bad}"))
    }

    #[test]
    fn people_keep_the_names_they_have() {
        let names = [
            "anna",
            "Ben_2",
            "小阳",
            "2班小王",
            "Ольга",
            "Zoë",
            "นที่",
            "မြို့",
            "😀",
            "👍🏽",
            "a-b",
            "[x]\\`^{|}",
            "かな",
            "김철수",
        ];
        for name in names {
            assert_eq!(nick(name).as_str(), name);
        }
    }

    #[test]
    fn what_would_confuse_people_or_commands_is_refused_with_its_reason() {
        let cases = [
            ("", BadName::Empty),
            ("a\0b", BadName::Control),
            ("a\u{9b}b", BadName::Control),
            ("an na", BadName::Space),
            ("小\u{3000}阳", BadName::Space),
            ("an\u{200b}na", BadName::Invisible),
            ("\u{202e}anna", BadName::Invisible),
            ("❤\u{fe0f}", BadName::Invisible),
            ("a\u{200d}b", BadName::Invisible),
            ("\u{e000}", BadName::Invisible),
            ("\u{ffff}", BadName::Invisible),
            ("\u{378}", BadName::Invisible),
            ("\u{3164}", BadName::Invisible),
            ("a!b", BadName::Special('!')),
            ("a@b", BadName::Special('@')),
            ("小*阳", BadName::Special('*')),
            ("小~阳", BadName::Special('~')),
            ("irc.example", BadName::Special('.')),
            ("#lobby", BadName::Special('#')),
            ("a,b", BadName::Special(',')),
            ("a:b", BadName::Special(':')),
            ("\u{37e}", BadName::Special(';')),
            ("-f", BadName::StartsWith('-')),
            ("＃大厅", BadName::StartsWith('＃')),
            ("＠anna", BadName::StartsWith('＠')),
            ("！帮助", BadName::StartsWith('！')),
            ("1001", BadName::OnlyDigits),
            ("１００１", BadName::OnlyDigits),
            ("\u{301}a", BadName::Marks),
            ("z\u{335}\u{336}\u{337}\u{338}\u{321}", BadName::Marks),
        ];
        for (text, reason) in cases {
            assert_eq!(Nick::parse(text), Err(reason), "{text:?}");
        }
    }

    #[test]
    fn a_name_may_fill_its_64_bytes_and_not_one_more() {
        assert!(Nick::parse(&"a".repeat(64)).is_ok());
        assert_eq!(Nick::parse(&"a".repeat(65)), Err(BadName::TooLong));
        assert!(Nick::parse(&"阳".repeat(21)).is_ok());
        assert_eq!(Nick::parse(&"阳".repeat(22)), Err(BadName::TooLong));
        assert_eq!(Nick::parse(&"e\u{301}".repeat(32)).map(|n| n.as_str().len()), Ok(64), "counted after NFC");
        assert_eq!(Nick::parse(&"x".repeat(10_000)), Err(BadName::TooLong));
        assert!(RoomName::parse(&format!("#{}", "a".repeat(63))).is_ok());
        assert_eq!(RoomName::parse(&format!("#{}", "a".repeat(64))), Err(BadName::TooLong));
    }

    #[test]
    fn rooms_start_with_a_hash_and_have_no_separators() {
        for name in ["#lobby", "#大厅", "#c++", "#c#", "##linux", "#1", "#v1.0", "#a!b"] {
            assert_eq!(RoomName::parse(name).map(|room| room.as_str().to_owned()), Ok(name.to_owned()));
        }
        let cases = [
            ("lobby", BadName::NotARoom),
            ("", BadName::NotARoom),
            ("＃大厅", BadName::NotARoom),
            ("#", BadName::Empty),
            ("#a,b", BadName::Special(',')),
            ("#a b", BadName::Space),
            ("#a\u{7}", BadName::Control),
            ("#*", BadName::Special('*')),
            ("#../x", BadName::Special('/')),
            ("#\u{20e3}", BadName::Marks),
        ];
        for (text, reason) in cases {
            assert_eq!(RoomName::parse(text), Err(reason), "{text:?}");
        }
    }

    #[test]
    fn case_and_composition_make_no_second_person() {
        for (a, b) in
            [("Anna", "aNNA"), ("Zoe\u{308}", "ZOË"), ("straße", "STRASSE"), ("ОЛЬГА", "ольга"), ("ΣΟΦΟΣ", "σοφος")]
        {
            assert_eq!(nick(a).key(), nick(b).key(), "{a} {b}");
        }
        assert_ne!(nick("小阳").key(), nick("小陽").key());
        assert_eq!(RoomName::parse("#lobby").map(|room| room.key()), Ok(Key::of("#LOBBY")));
        assert_ne!(Key::of("a[b"), Key::of("a{b"), "brackets are no letters, whatever RFC 1459 says");
    }

    /// Text made of what names stumble over, so that many of the cases are names or nearly so.
    pub(in crate::wire) fn tricky() -> impl Strategy<Value = String> {
        let piece = prop_oneof![
            "[a-zA-Z0-9]{1,3}",
            "[ -~]",
            any::<char>().prop_map(String::from),
            prop::sample::select(vec![
                "小", "阳", "ß", "İ", "ſ", "ΐ", "ᾳ", "\u{345}", "\u{301}", "ᄒ", "ᅡ", "ᆫ", "ǰ", "Σ", "ς", "９", "😀", "#"
            ])
            .prop_map(String::from),
        ];
        prop::collection::vec(piece, 0..30).prop_map(|pieces| pieces.concat())
    }

    proptest! {
        #[test]
        fn any_text_is_a_lasting_name_or_a_refusal(text in prop_oneof![tricky(), any::<String>()]) {
            if let Ok(nick) = Nick::parse(&text) {
                prop_assert!(nick.as_str().len() <= NAME_BYTES);
                prop_assert_eq!(Nick::parse(nick.as_str()), Ok(nick.clone()));
                prop_assert!(!nick.as_str().contains([' ', ',', '*', '?', '!', '@', '.', ':', '#', '~']));
            }
            let hashed = format!("#{text}");
            if let Ok(room) = RoomName::parse(&hashed) {
                prop_assert!(room.as_str().len() <= NAME_BYTES);
                prop_assert_eq!(RoomName::parse(room.as_str()), Ok(room.clone()));
            }
        }

        #[test]
        fn the_short_way_to_fold_agrees_with_the_tables(text in "[ -~\u{4e00}-\u{9fff}]{0,64}") {
            let by_table: String = text.nfd().default_case_fold().nfc().collect();
            prop_assert_eq!(fold(&text), by_table.into_boxed_str());
        }

        #[test]
        fn a_key_is_its_own_key(text in prop_oneof![tricky(), any::<String>()]) {
            let key = Key::of(&text);
            prop_assert_eq!(Key::of(key.as_str()), key.clone());
            let composed: String = text.nfc().collect();
            prop_assert_eq!(Key::of(&composed), key);
        }
    }
}
