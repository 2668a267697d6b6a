//! Which names look alike.

use unicode_normalization::UnicodeNormalization;

use super::fold;

// `TWINS`, `ENDS`, `LOOKS`, `IGNORED`: see build.rs.
include!(concat!(env!("OUT_DIR"), "/lookalikes.rs"));

/// What a name looks like to a reader in a hurry: look-alikes have equal skeletons. Never shown, never sent.
///
/// The rules are those of Unicode's UTS #39, applied to the name as it is displayed. They are no substitute for
/// keys: `ВОВА` and `вова` are one name, and look like `BOBA` and like nothing Latin.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub struct Skeleton(Box<str>);

impl Skeleton {
    /// The skeleton as text, for tables.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The skeleton of any text.
    pub(super) fn of(text: &str) -> Skeleton {
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
    let plain: String = text.replace('ſ', "f").nfkc().map(own_look).collect();
    let small = look_of(&fold(&look_of(&plain)));
    fold(&small).replace('i', "l").into()
}

/// The skeleton of UTS #39 of a text without compatibility forms.
fn look_of(text: &str) -> String {
    let mut look = String::with_capacity(text.len());
    for c in text.nfd().filter(|c| !is_ignored(*c)) {
        match TWINS.binary_search(&c) {
            Ok(at) => look.push_str(&LOOKS[at.checked_sub(1).map_or(0, |before| ENDS[before].into())..ENDS[at].into()]),
            Err(_) => look.push(c),
        }
    }
    look.nfd().collect()
}

/// Unicode's `Default_Ignorable_Code_Point`.
fn is_ignored(c: char) -> bool {
    IGNORED.iter().any(|(first, last)| (*first..=*last).contains(&c.into()))
}

/// UTS #39 pairs a few everyday Chinese characters that readers of Chinese never mix up (土士, 未末, 日曰, 鹂鹃). One of
/// each pair goes to a private place that no name can use, so that 小末 and 小未 can both be here.
fn own_look(c: char) -> char {
    match c {
        '士' => '\u{e000}',
        '末' => '\u{e001}',
        '曰' => '\u{e002}',
        '鹃' => '\u{e003}',
        other => other,
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::super::tests::nick;
    use super::*;

    fn alike(a: &str, b: &str) -> bool {
        nick(a).skeleton() == nick(b).skeleton()
    }

    #[test]
    fn eve_cannot_dress_up_as_anna() {
        let twins = [
            ("anna", "аnna"), // a Cyrillic а
            ("anna", "ａｎｎａ"),
            ("annal", "anna1"),
            ("annal", "annaI"),
            ("annal", "anna|"),
            ("ali", "АLІ"), // Cyrillic А and І
            ("bob", "b0b"),
            ("max", "МАХ"), // all Cyrillic
            ("ben", "ВЕN"), // Cyrillic В and Е
            ("modern", "modem"),
            ("fred", "ſred"),
            ("ivan", "iνan"), // a Greek ν
            ("小户", "小戶"),
            ("小o", "小〇"),
            ("小力", "小カ"),
        ];
        for (real, copy) in twins {
            assert!(alike(real, copy), "{real} {copy}");
            assert_ne!(nick(real).key(), nick(copy).key(), "{real} {copy}");
        }
    }

    #[test]
    fn people_who_look_different_can_both_be_here() {
        let pairs = [
            ("小阳", "小杨"),
            ("小阳2", "小阳Z"),
            ("小阳2", "小阳3"),
            ("未", "末"),
            ("土", "士"),
            ("日", "曰"),
            ("小鹃", "小鹂"),
            ("已", "己"),
            ("人", "入"),
            ("大", "太"),
            ("anna", "ann"),
            ("ben", "bev"),
            ("zoe", "zoë"),
            ("вова", "boba"),
        ];
        for (a, b) in pairs {
            assert!(!alike(a, b), "{a} {b}");
        }
    }

    /// `unicode_skeleton` with the tables of the crate.
    fn by_the_crate(text: &str) -> Box<str> {
        let plain: String = text.chars().map(|c| if c == 'ſ' { 'f' } else { c }).nfkc().map(own_look).collect();
        let displayed: String = unicode_security::skeleton(&plain).collect();
        let small: String = unicode_security::skeleton(&fold(&displayed)).collect();
        fold(&small).replace('i', "l").into()
    }

    #[test]
    fn the_small_table_agrees_with_the_large_one_about_every_character() {
        // Between and behind these planes nothing is assigned but private characters.
        for c in ('\0'..='\u{3ffff}').chain('\u{e0000}'..='\u{e0fff}') {
            let text = c.encode_utf8(&mut [0; 4]).to_owned();
            assert_eq!(unicode_skeleton(&text), by_the_crate(&text), "{c:?}");
        }
    }

    proptest! {
        #[test]
        fn the_small_table_agrees_with_the_large_one_about_whole_texts(text in any::<String>()) {
            prop_assert_eq!(unicode_skeleton(&text), by_the_crate(&text));
        }

        #[test]
        fn the_short_way_for_ascii_agrees_with_the_tables(text in "[a-zA-Z0-9_\\[\\]{}\\\\|^`-]{1,64}") {
            prop_assert_eq!(ascii_skeleton(&text), unicode_skeleton(&text));
        }
    }
}
