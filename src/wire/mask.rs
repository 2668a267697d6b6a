//! Which people a ban mask means, and which names a pattern means.

use std::fmt;
use std::hash::{Hash, Hasher};

use unicode_normalization::UnicodeNormalization;

use super::limits::MASK_BYTES;
use super::name::{character_fault, fold};

/// What stands before a mask that mutes instead of banning (ISUPPORT `EXTBAN=,m`).
const MUTE_PREFIX: &str = "m:";

/// A `nick!user@host` pattern for bans, exceptions and invitations. Equal masks mean the same people: case does not count.
#[derive(Clone, Debug)]
pub struct Mask {
    shown: Box<str>,
    folded: Box<str>,
    mutes: bool,
}

impl Mask {
    /// Takes what an operator typed and completes it: `anna` is `anna!*@*`, `*@host` is `*!*@host`, `a!b` is `a!b@*`.
    pub fn parse(text: &str) -> Result<Mask, BadMask> {
        if text.len() > MASK_BYTES {
            return Err(BadMask::TooLong);
        }
        let (mutes, people) = match text.strip_prefix(MUTE_PREFIX) {
            Some(people) => (true, people),
            None => (false, text),
        };
        let people: String = people.nfc().collect();
        if let Some(fault) = fault(&people) {
            return Err(fault);
        }
        let people = completed(&people);
        let shown = if mutes { format!("{MUTE_PREFIX}{people}") } else { people.clone() };
        if shown.len() > MASK_BYTES {
            return Err(BadMask::TooLong);
        }
        Ok(Mask { shown: shown.into(), folded: fold(&people), mutes })
    }

    /// The completed mask, with its `m:` if it has one: what lists show.
    pub fn as_str(&self) -> &str {
        &self.shown
    }

    /// True when the mask is to silence people, not to keep them out.
    pub fn mutes(&self) -> bool {
        self.mutes
    }

    /// True when the mask means the person whose `nick!user@host`, folded as a whole, is `folded_source`.
    pub fn matches(&self, folded_source: &str) -> bool {
        glob(&self.folded, folded_source)
    }
}

impl PartialEq for Mask {
    fn eq(&self, other: &Mask) -> bool {
        self.mutes == other.mutes && self.folded == other.folded
    }
}

impl Eq for Mask {}

impl Hash for Mask {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.mutes.hash(state);
        self.folded.hash(state);
    }
}

/// Why a text cannot be a mask. Its `Display` is a sentence for the operator who typed it.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum BadMask {
    /// Nothing, or nothing behind the `m:`.
    Empty,
    /// More than `MASK_BYTES`, as written or as completed.
    TooLong,
    /// A space, or a character that nobody can see.
    Unseen,
    /// A colon in the nick: a kind of mask that GZY does not have, or a nick that nobody can have.
    UnknownKind,
}

impl fmt::Display for BadMask {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            BadMask::Empty => write!(f, "that mask is empty; give a nick, or nick!user@host with * and ?"),
            BadMask::TooLong => write!(f, "that mask is longer than {MASK_BYTES} bytes; put a * for a part of it"),
            BadMask::Unseen => {
                write!(f, "that mask has a space or an invisible character in it, which no name has; put a ? for it")
            }
            BadMask::UnknownKind => {
                write!(
                    f,
                    "that mask has a colon in its nick, which no nick has; to mute somebody write m:nick!user@host"
                )
            }
        }
    }
}

impl std::error::Error for BadMask {}

fn fault(people: &str) -> Option<BadMask> {
    if people.is_empty() {
        return Some(BadMask::Empty);
    }
    if people.chars().any(|c| character_fault(c).is_some()) {
        return Some(BadMask::Unseen);
    }
    nick_part(people).contains(':').then_some(BadMask::UnknownKind)
}

/// What `people` says about the nick; nothing where it has an `@` and no `!`.
fn nick_part(people: &str) -> &str {
    match (people.split_once('!'), people.contains('@')) {
        (Some((nick, _)), _) => nick,
        (None, true) => "",
        (None, false) => people,
    }
}

/// `people` with all three parts, a `*` for each that is missing, and no `*` beside another.
fn completed(people: &str) -> String {
    let nick = nick_part(people);
    let rest = &people[nick.len()..];
    let rest = rest.strip_prefix('!').unwrap_or(rest);
    let (user, host) = rest.rsplit_once('@').unwrap_or((rest, ""));
    let [nick, user, host] = [nick, user, host].map(|part| if part.is_empty() { "*" } else { part });
    let mut mask = format!("{nick}!{user}@{host}");
    while mask.contains("**") {
        mask = mask.replace("**", "*");
    }
    mask
}

/// True when `pattern` describes all of `text`: `*` is any number of characters, `?` exactly one. Case counts: fold both.
///
/// Never takes more steps than the product of the two lengths, because only the last `*` is ever tried again.
pub fn glob(pattern: &str, text: &str) -> bool {
    let (mut pattern_rest, mut text_rest) = (pattern, text);
    // Where to go on when the straight way fails: behind the last `*`, and the text that it has not swallowed yet.
    let mut retry: Option<(&str, &str)> = None;
    loop {
        let (head, pattern_tail) = pop(pattern_rest);
        if head == Some('*') {
            if pattern_tail.is_empty() {
                return true;
            }
            retry = Some((pattern_tail, text_rest));
            pattern_rest = pattern_tail;
            continue;
        }
        let (letter, text_tail) = pop(text_rest);
        match (head, letter) {
            (None, None) => return true,
            (Some(h), Some(l)) if h == l || h == '?' => (pattern_rest, text_rest) = (pattern_tail, text_tail),
            // Out of text with pattern left: swallowing more can only leave less.
            (Some(_), None) => return false,
            _ => {
                let Some((after_star, unswallowed)) = retry else { return false };
                let shorter = pop(unswallowed).1;
                retry = Some((after_star, shorter));
                (pattern_rest, text_rest) = (after_star, shorter);
            }
        }
    }
}

/// The first character and what follows it.
fn pop(text: &str) -> (Option<char>, &str) {
    let mut chars = text.chars();
    (chars.next(), chars.as_str())
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn mask(text: &str) -> Mask {
        Mask::parse(text).unwrap_or_else(|bad| panic!("{text:?}: {bad}"))
    }

    #[test]
    fn half_a_mask_is_completed() {
        let cases = [
            ("anna", "anna!*@*"),
            ("小阳", "小阳!*@*"),
            ("*@host", "*!*@host"),
            ("u@host", "*!u@host"),
            ("a!b", "a!b@*"),
            ("a!b@", "a!b@*"),
            ("!b@h", "*!b@h"),
            ("a!@h", "a!*@h"),
            ("a!b@c@d", "a!b@c@d"),
            ("!", "*!*@*"),
            ("***", "*!*@*"),
            ("m:anna", "m:anna!*@*"),
            ("m:m!*@*", "m:m!*@*"),
            ("*!*@2001:db8::1", "*!*@2001:db8::1"),
        ];
        for (typed, whole) in cases {
            assert_eq!(mask(typed).as_str(), whole, "{typed}");
            assert_eq!(mask(whole).as_str(), whole, "{typed}");
        }
        assert!(mask("m:anna").mutes() && !mask("anna").mutes());
    }

    #[test]
    fn what_can_mean_nobody_is_refused() {
        let long = "x".repeat(MASK_BYTES + 1);
        let grows = "x".repeat(MASK_BYTES);
        let cases = [
            ("", BadMask::Empty),
            ("m:", BadMask::Empty),
            ("an na", BadMask::Unseen),
            ("an\u{1b}na", BadMask::Unseen),
            ("an\u{200b}na", BadMask::Unseen),
            ("r:anna", BadMask::UnknownKind),
            (":anna", BadMask::UnknownKind),
            ("m:m:anna", BadMask::UnknownKind),
            (&long, BadMask::TooLong),
            (&grows, BadMask::TooLong),
        ];
        for (text, reason) in cases {
            assert_eq!(Mask::parse(text), Err(reason), "{text:?}");
        }
    }

    #[test]
    fn a_mask_means_a_person_in_any_case() {
        let anna = fold("Anna!Web@a1b2.GZY");
        for yes in ["ANNA", "an?a", "*!web@*", "*@*.gzy", "a*!*w*b*@a1b2*", "*"] {
            assert!(mask(yes).matches(&anna), "{yes}");
        }
        for no in ["ann", "anna?", "ben", "*!we", "*@gzy", "an?na"] {
            assert!(!mask(no).matches(&anna), "{no}");
        }
        assert!(mask("小?").matches(&fold("小阳!u@h")), "a ? is a character, not a byte");
        assert!(!mask("小??").matches(&fold("小阳!u@h")));
        assert_eq!(mask("ANNA"), mask("anna!*@*"));
        assert_ne!(mask("anna"), mask("m:anna"));
    }

    #[test]
    fn a_nasty_pattern_is_done_at_once() {
        let pattern = "*a".repeat(2_000) + "b";
        let text = "a".repeat(4_000);
        assert!(!glob(&pattern, &text), "a matcher that goes back to every star would never come here");
    }

    /// The meaning of a pattern, said in the plainest way.
    fn plain_glob(pattern: &[char], text: &[char]) -> bool {
        match (pattern.split_first(), text.split_first()) {
            (None, None) => true,
            (Some(('*', rest)), _) => (0..=text.len()).any(|n| plain_glob(rest, &text[n..])),
            (Some((p, rest)), Some((t, more))) => (*p == '?' || p == t) && plain_glob(rest, more),
            _ => false,
        }
    }

    proptest! {
        #[test]
        fn globs_agree_with_their_plain_meaning(pattern in "[ab阳*?]{0,8}", text in "[ab阳]{0,10}") {
            let chars = |s: &str| s.chars().collect::<Vec<char>>();
            prop_assert_eq!(glob(&pattern, &text), plain_glob(&chars(&pattern), &chars(&text)));
        }

        #[test]
        fn any_text_is_a_lasting_mask_or_a_refusal(text in prop_oneof![any::<String>(), "[a-c!@*?:m阳]{0,12}"]) {
            if let Ok(mask) = Mask::parse(&text) {
                prop_assert!(mask.as_str().len() <= MASK_BYTES);
                prop_assert!(!mask.as_str().contains("**") && !mask.as_str().starts_with(':'));
                prop_assert!(mask.as_str().contains('!') && mask.as_str().contains('@'));
                let again = Mask::parse(mask.as_str());
                prop_assert_eq!(again.as_ref().map(Mask::as_str), Ok(mask.as_str()));
            }
        }
    }
}
