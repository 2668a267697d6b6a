//! Which pieces of a text go into the search index, and when a text holds a word. Pure.
//!
//! Chinese has no spaces, and SQLite's own cutting finds neither 上海 in 我在上海 nor a single 海. So the text is cut here:
//! a run of *dense* characters (Chinese, Japanese, Korean, Thai, emoji …) becomes its overlapping pairs and its last character;
//! a run of *word* characters (Latin, Greek, Cyrillic, Arabic …) becomes one piece; everything else only separates.
//!
//! [`holds`] is the meaning of a search. The pieces only narrow down what has to be looked at: whatever holds a word has all the
//! pieces that [`wanted`] names for it (a property test at the bottom says so).

use crate::wire::name;

/// Longer words are indexed by their first characters only: nobody types more of them, and a line of base64 costs one piece.
const WORD_CHARS_MAX: usize = 32;

/// The index keeps the first characters of all pieces ready (`prefix = '1'`). For other beginnings SQLite gathers every piece that
/// begins so before it tells the first hit; for beginnings this short that would be half of all messages, and without a bound.
const PREFIX_CHARS_MIN: usize = 3;

/// A piece that every hit has.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Wanted {
    /// The piece, or how it begins.
    pub piece: Box<str>,
    /// The pieces that merely begin so count too.
    pub as_prefix: bool,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Class {
    /// Belongs to a word that spaces set apart.
    Word,
    /// Is written without spaces between words.
    Dense,
    /// Separates: spaces, punctuation, controls.
    Gap,
}

/// Text as it is compared: as names are, which takes a shorter way for most Chinese and English.
pub fn fold(text: &str) -> String {
    if text.chars().all(is_inert) {
        return text.to_ascii_lowercase();
    }
    name::fold(text).into()
}

/// Appends the pieces of a folded text to `pieces`, each with a space before it.
pub fn cut(folded: &str, pieces: &mut String) {
    for (class, run) in Runs(folded) {
        if class == Class::Word {
            pieces.push(' ');
            pieces.push_str(first_chars(run, WORD_CHARS_MAX));
            continue;
        }
        for piece in pairs(run) {
            pieces.push(' ');
            pieces.push_str(piece);
        }
    }
}

/// The pieces that every text that [`holds`] this folded word has. Empty for a word of separators only.
pub fn wanted(folded_word: &str) -> Vec<Wanted> {
    let mut all = Vec::new();
    for (class, run) in Runs(folded_word) {
        let is_last = std::ptr::eq(run.as_bytes().as_ptr_range().end, folded_word.as_bytes().as_ptr_range().end);
        if class == Class::Word {
            let is_short = run.chars().nth(PREFIX_CHARS_MIN - 1).is_none();
            let chars = if is_last && is_short { 1 } else { WORD_CHARS_MAX };
            all.push(Wanted { piece: first_chars(run, chars).into(), as_prefix: is_last });
        } else if run.chars().nth(1).is_none() {
            all.push(Wanted { piece: run.into(), as_prefix: true });
        } else {
            // The last piece of a run is its last character alone, which in the text may be followed by another one.
            let whole_pairs = pairs(run).filter(|piece| piece.chars().nth(1).is_some());
            all.extend(whole_pairs.map(|piece| Wanted { piece: piece.into(), as_prefix: false }));
        }
    }
    all
}

/// Whether a folded text holds a folded word: anywhere, but where the word begins with a letter of a spaced script, there must a
/// word of the text begin too (`shang` finds `Shanghai`, `hai` does not).
pub fn holds(folded_text: &str, folded_word: &str) -> bool {
    let begins_a_word = folded_word.chars().next().is_some_and(|first| class_of(first) == Class::Word);
    if !begins_a_word {
        return folded_text.contains(folded_word);
    }
    let inside_a_word = |at: usize| folded_text[..at].chars().next_back().is_some_and(|c| class_of(c) == Class::Word);
    folded_text.match_indices(folded_word).any(|(at, _)| !inside_a_word(at))
        || overlapping_hit(folded_text, folded_word, inside_a_word)
}

/// `match_indices` skips hits that overlap an earlier one: `aa a` occurs twice in `aaa aa a`, and only the second begins a word.
fn overlapping_hit(text: &str, word: &str, inside_a_word: impl Fn(usize) -> bool) -> bool {
    let has_gap = word.chars().any(|c| class_of(c) != Class::Word);
    has_gap && text.char_indices().any(|(at, _)| !inside_a_word(at) && text[at..].starts_with(word))
}

/// Characters that neither normalisation nor case folding touches, ASCII letters aside: nearly all of Chinese and English chat.
fn is_inert(c: char) -> bool {
    matches!(c, '\0'..='\x7f' | '\u{3001}'..='\u{3011}' | '\u{3400}'..='\u{4dbf}' | '\u{4e00}'..='\u{9fff}'
        | '\u{ff01}'..='\u{ff0f}' | '\u{ff1a}'..='\u{ff20}')
}

fn class_of(c: char) -> Class {
    match c {
        '\0'..='\x7f' if c.is_ascii_alphanumeric() => Class::Word,
        '\0'..='\x7f' => Class::Gap,
        '\u{4e00}'..='\u{9fff}' => Class::Dense,
        '\u{80}'..='\u{2ff}' if c.is_alphanumeric() => Class::Word,
        '\u{80}'..='\u{2ff}' => Class::Gap,
        // Greek to Sinhala, with their combining marks, which are no letters but belong to the word.
        '\u{300}'..='\u{dff}' => Class::Word,
        // Georgian, Ethiopic, and the later Latin and Greek blocks.
        '\u{10a0}'..='\u{10ff}' | '\u{1200}'..='\u{139f}' | '\u{1e00}'..='\u{1fff}' => Class::Word,
        _ if c.is_alphanumeric() => Class::Dense,
        _ if c.is_whitespace() || c.is_control() => Class::Gap,
        // General, supplementary, Chinese, compatibility and full-width punctuation. Other symbols (emoji) can be searched for.
        '\u{180e}' | '\u{2000}'..='\u{206f}' | '\u{2e00}'..='\u{2e7f}' | '\u{3000}'..='\u{303f}' => Class::Gap,
        '\u{fe10}'..='\u{fe1f}' | '\u{fe30}'..='\u{fe6f}' | '\u{ff00}'..='\u{ff65}' => Class::Gap,
        _ => Class::Dense,
    }
}

fn first_chars(run: &str, count: usize) -> &str {
    let end = run.char_indices().nth(count).map_or(run.len(), |(at, _)| at);
    &run[..end]
}

/// The overlapping pairs of a run, and its last character.
fn pairs(run: &str) -> impl Iterator<Item = &str> {
    run.char_indices().map(|(at, _)| first_chars(&run[at..], 2))
}

/// The longest stretches of one class, gaps left out.
struct Runs<'a>(&'a str);

impl<'a> Iterator for Runs<'a> {
    type Item = (Class, &'a str);

    fn next(&mut self) -> Option<(Class, &'a str)> {
        let text = self.0.trim_start_matches(|c| class_of(c) == Class::Gap);
        let class = class_of(text.chars().next()?);
        let (run, rest) = text.split_at(text.find(|c| class_of(c) != class).unwrap_or(text.len()));
        self.0 = rest;
        Some((class, run))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn cut_of(text: &str) -> Vec<String> {
        let mut pieces = String::new();
        cut(&fold(text), &mut pieces);
        pieces.split_whitespace().map(str::to_owned).collect()
    }

    fn holds_raw(text: &str, word: &str) -> bool {
        holds(&fold(text), &fold(word))
    }

    #[test]
    fn chinese_becomes_pairs_and_the_last_character_and_latin_becomes_words() {
        assert_eq!(cut_of("我在上海"), ["我在", "在上", "上海", "海"]);
        assert_eq!(cut_of("我用Rust写，very Fast！"), ["我用", "用", "rust", "写", "very", "fast"]);
        assert_eq!(cut_of(" ,。！ \u{3000}"), Vec::<String>::new());
        assert_eq!(cut_of(&"x".repeat(4000)), ["x".repeat(WORD_CHARS_MAX)]);
    }

    #[test]
    fn a_chinese_word_is_found_inside_a_longer_run_and_so_is_one_character() {
        assert!(holds_raw("我在上海", "上海") && holds_raw("我在上海", "海") && !holds_raw("我在上海", "海上"));
        assert!(holds_raw("哈哈😀好", "😀好"));
    }

    #[test]
    fn a_latin_word_is_found_by_its_beginning_whatever_its_case_and_normalisation() {
        assert!(holds_raw("See you in Shanghai", "shang"));
        assert!(!holds_raw("See you in Shanghai", "hai"));
        assert!(holds_raw("hai Shanghai hai", "HAI"));
        assert!(holds_raw("CAFE\u{301} Straße", "café") && holds_raw("Straße", "STRASSE"));
        assert!(holds_raw("c++ is fine", "c++") && !holds_raw("c is fine", "c++"));
        assert!(
            holds_raw("aaa aa a", "aa a"),
            "the first hit begins inside a word, the second overlaps it and does not"
        );
    }

    #[test]
    fn what_the_index_is_asked_for_is_never_a_short_beginning_but_one_character() {
        let asked =
            |word| wanted(word).into_iter().map(|w| format!("{}{}", w.piece, if w.as_prefix { "*" } else { "" }));
        let asked = |word| asked(word).collect::<Vec<_>>();
        assert_eq!(asked("上海"), ["上海"]);
        assert_eq!(asked("海"), ["海*"]);
        assert_eq!(asked("在上海t"), ["在上", "上海", "t*"]);
        assert_eq!(asked("of tea"), ["of", "tea*"]);
        assert_eq!(asked("to"), ["t*"]);
        assert_eq!(asked("%!。"), [""; 0]);
    }

    #[test]
    fn the_quick_way_of_folding_agrees_with_the_long_one() {
        for text in ["Hello 上海！", "我在、上海（Shanghai）：ＯＫ", "、〒々〇", "İstanbul", "ﬁ", "e\u{301}", "각", "ǅ"]
        {
            assert_eq!(*fold(text), *name::fold(text), "{text}");
        }
        for code in (0..=0x9fff).chain(0xff00..=0xff65) {
            let Some(c) = char::from_u32(code).filter(|c| is_inert(*c) && !c.is_ascii()) else { continue };
            assert_eq!(*name::fold(&c.to_string()), *c.to_string(), "{code:x}");
        }
    }

    proptest! {
        #[test]
        fn whatever_holds_a_word_has_all_its_wanted_pieces(
            before in "[ab上海😀é, ]{0,8}", word in "([ab上海😀é,]{1,6}|[a上]{30,40})", after in "[ab上海😀é, ]{0,8}",
        ) {
            let text = format!("{before}{word}{after}");
            if holds_raw(&text, &word) {
                let has = cut_of(&text);
                for want in wanted(&fold(&word)) {
                    let found = |p: &String| if want.as_prefix { p.starts_with(&*want.piece) } else { **p == *want.piece };
                    prop_assert!(has.iter().any(found), "{want:?} is not in {has:?}");
                }
            }
            let begun = [" ", &word, &after].concat();
            prop_assert!(holds_raw(&begun, &word));
        }
    }
}
