//! How strangers' text is shown without being obeyed.

use std::borrow::Cow;
use std::fmt::Write;

/// True for characters that show nothing and change how their neighbours look: zero-width and bidirectional
/// marks, format characters, variation selectors, fillers and blanks that only look like a space.
///
/// The ranges are Unicode's `Default_Ignorable_Code_Point`, its general category `Cf`, and the blanks that both forget.
pub fn is_invisible(c: char) -> bool {
    if c < '\u{ad}' {
        return false;
    }
    matches!(c,
        '\u{ad}' | '\u{34f}' | '\u{61c}' | '\u{115f}'..='\u{1160}' | '\u{17b4}'..='\u{17b5}' | '\u{180b}'..='\u{180f}'
        | '\u{200b}'..='\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2060}'..='\u{206f}' | '\u{3164}'
        | '\u{fe00}'..='\u{fe0f}' | '\u{feff}' | '\u{ffa0}' | '\u{fff0}'..='\u{fffb}' | '\u{1bca0}'..='\u{1bca3}'
        | '\u{1d173}'..='\u{1d17a}' | '\u{e0000}'..='\u{e0fff}'
        // Category Cf beyond those: number and verse signs, hieroglyph joiners.
        | '\u{600}'..='\u{605}' | '\u{6dd}' | '\u{70f}' | '\u{890}'..='\u{891}' | '\u{8e2}' | '\u{110bd}' | '\u{110cd}'
        | '\u{13430}'..='\u{1343f}'
        // Blanks: an empty braille cell, a filler, a note without a head.
        | '\u{2800}' | '\u{16fe4}' | '\u{1d159}')
}

/// `text` as it may be printed on a terminal or into a log: whatever would be obeyed is shown, so one line stays one line.
///
/// Control characters become their pictures (`␛`, `␊`), the others a `\u{…}`. A variation selector or joiner stays
/// where it belongs to an emoji, because there it only chooses between pictures.
pub fn printable(text: &str) -> Cow<'_, str> {
    if text.bytes().all(|b| (b' '..=b'~').contains(&b)) || !text.chars().any(is_obeyed) {
        return Cow::Borrowed(text);
    }
    let mut shown = String::with_capacity(text.len() + 16);
    let mut in_emoji = false;
    for c in text.chars() {
        let belongs = in_emoji && is_emoji_glue(c);
        match picture(c) {
            Some(picture) => shown.push(picture),
            None if belongs || !is_obeyed(c) => shown.push(c),
            None => {
                // Writing to a String cannot fail.
                let _ = write!(shown, "\\u{{{:x}}}", u32::from(c));
            }
        }
        in_emoji = belongs || is_emoji_like(c);
    }
    Cow::Owned(shown)
}

/// True for what a terminal or a log reader would act on instead of showing it.
fn is_obeyed(c: char) -> bool {
    c.is_control() || is_invisible(c) || matches!(c, '\u{2028}' | '\u{2029}')
}

/// The picture that Unicode has for an ASCII control character.
fn picture(c: char) -> Option<char> {
    match c {
        '\0'..='\u{1f}' => char::from_u32(0x2400 + u32::from(c)),
        '\u{7f}' => Some('␡'),
        _ => None,
    }
}

/// The two variation selectors for text and emoji, and the joiner that makes a family of people.
fn is_emoji_glue(c: char) -> bool {
    matches!(c, '\u{fe0e}' | '\u{fe0f}' | '\u{200d}')
}

/// Roughly the characters that come as emoji, and those that make keycaps (1️⃣). Roughly will do: the glue behind a
/// wrong one shows nothing and moves nothing.
fn is_emoji_like(c: char) -> bool {
    matches!(c, '0'..='9' | '#' | '*' | '©' | '®' | '\u{203c}'..='\u{2049}' | '\u{2122}'..='\u{2bff}'
        | '\u{3030}' | '\u{303d}' | '\u{3297}' | '\u{3299}' | '\u{1f000}'..='\u{1faff}')
}

/// The code that a colour in decimal digits follows.
const COLOUR: u8 = 0x03;
/// The code that a colour in hexadecimal digits follows.
const HEX_COLOUR: u8 = 0x04;

/// `text` without the codes that IRC programs use for colours, bold and the like.
pub fn strip_formatting(text: &str) -> Cow<'_, str> {
    if !text.contains(is_format_code) {
        return Cow::Borrowed(text);
    }
    let mut plain = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(at) = rest.find(is_format_code) {
        plain.push_str(&rest[..at]);
        let behind = &rest[at + 1..];
        rest = match rest.as_bytes()[at] {
            COLOUR => behind_colours(behind, decimal_colour),
            HEX_COLOUR => behind_colours(behind, hex_colour),
            _ => behind,
        };
    }
    plain.push_str(rest);
    Cow::Owned(plain)
}

/// Bold, colour, hex colour, reset, monospace, reverse, italics, strike-through, underline.
fn is_format_code(c: char) -> bool {
    matches!(c, '\u{2}'..='\u{4}' | '\u{f}' | '\u{11}' | '\u{16}' | '\u{1d}'..='\u{1f}')
}

/// What follows `4` or `4,12`; a comma that no colour follows is text.
fn behind_colours(text: &str, colour_len: fn(&str) -> usize) -> &str {
    let behind = &text[colour_len(text)..];
    if behind.len() == text.len() {
        return text;
    }
    match behind.strip_prefix(',') {
        Some(second) if colour_len(second) > 0 => &second[colour_len(second)..],
        _ => behind,
    }
}

/// The length of a colour of one or two digits at the start of `text`, or 0.
fn decimal_colour(text: &str) -> usize {
    text.bytes().take(2).take_while(u8::is_ascii_digit).count()
}

/// The length of a colour of exactly six hexadecimal digits at the start of `text`, or 0.
fn hex_colour(text: &str) -> usize {
    let digits = text.bytes().take(6).take_while(u8::is_ascii_hexdigit).count();
    if digits == 6 { 6 } else { 0 }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn ordinary_text_is_left_alone() {
        for text in ["", "hello", "我在上海", "Zoë \\u{1b}", "👍🏽 ❤\u{fe0f} 1\u{fe0f}\u{20e3} 👩\u{200d}💻", "a · b — c"]
        {
            assert_eq!(printable(text), text);
        }
        assert!(matches!(printable("我在上海"), Cow::Borrowed(_)));
    }

    #[test]
    fn eve_can_not_steer_the_terminal_of_anna() {
        let cases = [
            ("\u{1b}[2Jgone", "␛[2Jgone"),
            ("a\r\nb\tc\0\u{7f}", "a␍␊b␉c␀␡"),
            ("\u{9b}31m", "\\u{9b}31m"),
            ("\u{85}\u{2028}\u{2029}", "\\u{85}\\u{2028}\\u{2029}"),
            ("\u{202e}drow", "\\u{202e}drow"),
            ("a\u{200b}b\u{feff}", "a\\u{200b}b\\u{feff}"),
            ("小\u{200d}阳\u{fe0f}", "小\\u{200d}阳\\u{fe0f}"),
            ("\u{e0041}", "\\u{e0041}"),
        ];
        for (said, shown) in cases {
            assert_eq!(printable(said), shown);
        }
    }

    #[test]
    fn colours_and_bold_go_and_the_words_stay() {
        let cases = [
            ("plain 大厅", "plain 大厅"),
            ("\u{2}bold\u{f} \u{1d}it\u{1d} \u{1f}u\u{1f}\u{1e}s\u{11}m\u{16}r", "bold it usmr"),
            ("\u{3}4red\u{3} \u{3}04,12on blue", "red on blue"),
            ("\u{3}123 pieces", "3 pieces"),
            ("\u{3}4,five", ",five"),
            ("\u{3},4", ",4"),
            ("\u{3}阳\u{3}", "阳"),
            ("\u{4}ff0000red \u{4}00ff00,0000ffboth \u{4}abcno", "red both abcno"),
            ("\u{4}ff0000,00", ",00"),
        ];
        for (said, left) in cases {
            assert_eq!(strip_formatting(said), left, "{said:?}");
        }
    }

    #[test]
    fn what_the_standard_calls_ignorable_is_invisible_here() {
        // UTS #39 skeletons drop exactly the default-ignorable characters, so an empty one tells us.
        let missed: Vec<char> = ('\u{a0}'..=char::MAX)
            .filter(|c| unicode_security::skeleton(c.encode_utf8(&mut [0; 4])).next().is_none())
            .collect();
        assert!(missed.len() > 4_000, "the standard has more than four thousand of them");
        assert!(missed.iter().all(|c| is_invisible(*c)), "{:?}", missed.iter().find(|c| !is_invisible(**c)));
    }

    proptest! {
        #[test]
        fn printed_text_is_one_harmless_line(text in any::<String>(), raw in prop::collection::vec(0u32..0x3000, 0..20)) {
            let text: String = text.chars().chain(raw.into_iter().filter_map(char::from_u32)).collect();
            let shown = printable(&text);
            prop_assert!(!shown.chars().any(|c| c.is_control() || (is_obeyed(c) && !is_emoji_glue(c))));
            prop_assert_eq!(shown.lines().count(), usize::from(!text.is_empty()));
            prop_assert_eq!(printable(&shown), shown.clone());
        }

        #[test]
        fn stripped_text_has_no_codes_and_loses_nothing_else(words in "[a-z阳 ]{0,9}", code in "[\u{2}\u{f}\u{16}\u{1d}]{0,3}") {
            let said = format!("{code}{words}{code}");
            prop_assert_eq!(strip_formatting(&said), words);
        }

        #[test]
        fn no_code_survives_stripping(text in "[\u{2}-\u{4}0-9a-f,阳]{0,20}") {
            prop_assert!(!strip_formatting(&text).contains(is_format_code));
        }
    }
}
