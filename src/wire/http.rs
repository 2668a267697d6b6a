//! What does HTTP/1.1 say here? Heads of requests and answers, framing, ranges, conditions, digests, dates, names: text in, types out.
//!
//! Strict where two readers of one request could disagree about where it ends (RFC 9112 section 11.2), lenient nowhere else than the standards ask for.

pub mod answer;
pub mod auth;
pub mod chunked;
pub mod condition;
pub mod date;
pub mod digests;
pub mod disposition;
pub mod head;
pub mod path;
pub mod range;

use std::fmt;

/// Why a request is refused because of how it is written.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct BadRequest {
    /// The HTTP status.
    pub status: u16,
    /// One clear sentence.
    pub sentence: &'static str,
}

impl BadRequest {
    /// It breaks the grammar (400).
    pub const fn grammar(sentence: &'static str) -> BadRequest {
        BadRequest { status: 400, sentence }
    }
}

impl fmt::Display for BadRequest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.sentence)
    }
}

impl std::error::Error for BadRequest {}

/// A number as HTTP writes sizes: digits and nothing else.
pub fn number(text: &str) -> Option<u64> {
    if text.is_empty() || !text.bytes().all(|byte| byte.is_ascii_digit()) {
        return None;
    }
    text.parse().ok()
}

/// A truth value of a structured field (RFC 9651): `?1` or `?0`.
pub fn truth(text: &str) -> Option<bool> {
    match text.trim() {
        "?1" => Some(true),
        "?0" => Some(false),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_digits_and_nothing_else() {
        assert_eq!(number("18446744073709551615"), Some(u64::MAX));
        assert_eq!(number("007"), Some(7));
        for wrong in ["", "+1", "-1", " 1", "1 ", "0x1", "1.0", "18446744073709551616", "１"] {
            assert_eq!(number(wrong), None, "{wrong}");
        }
    }

    #[test]
    fn truth_is_written_with_a_question_mark() {
        assert_eq!((truth("?1"), truth(" ?0"), truth("1"), truth("true")), (Some(true), Some(false), None, None));
    }
}
