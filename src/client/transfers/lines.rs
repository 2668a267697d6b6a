//! What is said about files on the chat link: the lines that ask, and the answers.

use unicode_normalization::UnicodeNormalization;

use super::Listed;
use crate::wire::digest::Digest;
use crate::wire::line::Line;
use crate::wire::timestamp;

/// Begins the labels of questions about files; no other part of the client gives such labels.
const LABEL: &str = "f";

/// The longest ticket that is believed: it goes into the head of an HTTP request.
const TOKEN_BYTES: usize = 128;

/// An answer to a question about files.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Answer {
    /// The label of the question.
    pub label: Box<str>,
    /// What the server says.
    pub said: Said,
}

/// What a server answers about files.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Said {
    /// Bytes may be brought.
    PutTicket {
        /// The ticket.
        token: Box<str>,
        /// So many bytes are there already.
        offset: u64,
    },
    /// Bytes may be fetched.
    GetTicket {
        /// The ticket.
        token: Box<str>,
        /// How many bytes there are.
        size: u64,
        /// Their SHA-256.
        digest: Digest,
    },
    /// It is there, without a byte being moved.
    Stored,
    /// It is removed.
    Gone,
    /// What there is.
    Listing {
        /// The files.
        files: Vec<Listed>,
        /// There are more behind the file of this name.
        more: Option<Box<str>>,
    },
    /// No, with the code and the sentence.
    Refused {
        /// `NO_SUCH_FILE`, …
        code: Box<str>,
        /// In the server's words.
        sentence: Box<str>,
    },
    /// There is no link that it could be said on.
    Unsent,
    /// Nothing that makes sense.
    Odd,
}

/// The label of the question with this number.
pub fn label(number: u64) -> Box<str> {
    format!("{LABEL}{number}").into()
}

/// The number of a question, by its label.
pub fn number(label: &str) -> Option<u64> {
    label.strip_prefix(LABEL)?.parse().ok()
}

/// Offers a file.
pub fn put(scope: &str, size: u64, digest: &Digest, name: &str, replace: bool) -> Box<str> {
    let verb = if replace { "REPLACE" } else { "PUT" };
    format!("FILE {verb} {} {size} {digest} :{name}", word(scope)).into()
}

/// Asks for a file.
pub fn get(scope: &str, name: &str) -> Box<str> {
    format!("FILE GET {} :{name}", word(scope)).into()
}

/// Asks for a file to be removed.
pub fn remove(scope: &str, name: &str) -> Box<str> {
    format!("FILE DEL {} :{name}", word(scope)).into()
}

/// Asks what there is.
pub fn list(scope: &str, pattern: Option<&str>) -> Box<str> {
    let pattern = pattern.map_or_else(String::new, |pattern| format!(" :{pattern}"));
    format!("FILE LIST {}{pattern}", word(scope)).into()
}

/// Asks what there is behind the file of a name.
pub fn list_more(scope: &str, pattern: Option<&str>, after: &str) -> Box<str> {
    // Here it is a word in the middle of a line, where a blank cannot be. What fits too much is left out by [`fits`].
    let pattern = match pattern.filter(|pattern| !pattern.is_empty()) {
        None => "*".to_owned(),
        Some(name) if name.contains(' ') && !name.contains(['*', '?']) => format!("{}/*", name.trim_matches('/')),
        Some(pattern) => pattern.to_owned(),
    };
    format!("FILE LIST {} {} :{after}", word(scope), pattern.replace(char::is_whitespace, "?")).into()
}

/// Whether a pattern means a name: as the server does, by the name of a file or folder, or with `*` and `?`.
pub fn fits(pattern: Option<&str>, name: &str) -> bool {
    // Names are kept in one form of Unicode.
    let pattern: String = pattern.unwrap_or("*").trim_matches('/').nfc().collect();
    let pattern = if pattern.is_empty() { "*" } else { &pattern };
    match pattern.contains(['*', '?']) {
        true => is_match(pattern, name),
        false => name.strip_prefix(pattern).is_some_and(|rest| rest.is_empty() || rest.starts_with('/')),
    }
}

/// `*` is any text, `?` one character. Takes pattern × name steps at most.
fn is_match(pattern: &str, name: &str) -> bool {
    let (pattern, name): (Vec<char>, Vec<char>) = (pattern.chars().collect(), name.chars().collect());
    let (mut at, mut seen) = (0, 0);
    // Where the last star was, and how far the text that it stands for goes.
    let mut star = None;
    while seen < name.len() {
        match pattern.get(at) {
            Some('*') => {
                star = Some((at, seen));
                at += 1;
            }
            Some(c) if *c == '?' || *c == name[seen] => (at, seen) = (at + 1, seen + 1),
            _ => {
                let Some((star_at, taken)) = star else { return false };
                star = Some((star_at, taken + 1));
                (at, seen) = (star_at + 1, taken + 1);
            }
        }
    }
    pattern[at..].iter().all(|c| *c == '*')
}

/// What a scope is on a line: one word. What somebody typed with a blank in it is none, and the server says so.
fn word(scope: &str) -> String {
    let word: String = scope.trim().trim_start_matches(':').replace(char::is_whitespace, "_");
    if word.is_empty() { "*".to_owned() } else { word }
}

/// What a labelled line answers; `None` for a line that has nothing to do with files.
pub fn answer(line: &Line) -> Option<Said> {
    match (line.command, line.param(0)) {
        ("FILE", Some("TICKET")) => Some(ticket(line).unwrap_or(Said::Odd)),
        ("FILE", Some("STORED")) => Some(Said::Stored),
        ("FILE", Some("GONE")) => Some(Said::Gone),
        ("FILE", Some("ENTRY")) => Some(Said::Listing { files: entry(line).into_iter().collect(), more: None }),
        ("FAIL", Some(_)) => Some(Said::Refused {
            code: line.param(1).unwrap_or_default().into(),
            sentence: line.params().last().copied().unwrap_or_default().into(),
        }),
        // A server that does not know the word, or not the person that is meant.
        ("401" | "403" | "421" | "461", _) => Some(Said::Refused {
            code: line.command.into(),
            sentence: line.params().last().copied().unwrap_or_default().into(),
        }),
        ("ACK", _) => Some(Said::Odd),
        _ => None,
    }
}

fn ticket(line: &Line) -> Option<Said> {
    let token: Box<str> = line.param(2).filter(|token| is_token(token))?.into();
    match line.param(1)? {
        "PUT" => Some(Said::PutTicket { token, offset: line.param(3)?.parse().ok()? }),
        "GET" => {
            let (size, digest) = (line.param(3)?.parse().ok()?, Digest::from_hex(line.param(4)?)?);
            Some(Said::GetTicket { token, size, digest })
        }
        _ => None,
    }
}

/// Whether a ticket can stand in an HTTP path as it is.
fn is_token(token: &str) -> bool {
    token.len() <= TOKEN_BYTES && token.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-._~".contains(&byte))
}

/// A line of a listing; `None` when it makes no sense.
pub fn entry(line: &Line) -> Option<Listed> {
    let ["ENTRY", _scope, size, digest, time, uploader, name] = line.params() else { return None };
    Some(Listed {
        name: (*name).into(),
        size: size.parse().ok()?,
        digest: Digest::from_hex(digest)?,
        stored_ms: timestamp::parse(time)?,
        uploader: Some(*uploader).filter(|who| *who != "*").map(Into::into),
        media: line.tags.value("gzy/media").map(|media| media.into_owned().into()),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    const HEX: &str = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";

    fn said(text: &str) -> Option<Said> {
        answer(&Line::parse(text).unwrap())
    }

    #[test]
    fn a_question_is_one_line_of_words_and_the_name_at_its_end() {
        let digest = Digest::from_hex(HEX).unwrap();
        assert_eq!(&*put("#1000", 5, &digest, "作业 1.zip", false), format!("FILE PUT #1000 5 {HEX} :作业 1.zip"));
        assert_eq!(&*put("*", 0, &digest, "a", true), format!("FILE REPLACE * 0 {HEX} :a"));
        assert_eq!((&*get("ben", "a b"), &*remove("*", "a")), ("FILE GET ben :a b", "FILE DEL * :a"));
        assert_eq!((&*list("*", None), &*list("*", Some("*.zip"))), ("FILE LIST *", "FILE LIST * :*.zip"));
        let more = |pattern| list_more("*", pattern, "a b");
        assert_eq!((&*more(None), &*more(Some("x"))), ("FILE LIST * * :a b", "FILE LIST * x :a b"));
        assert_eq!(
            (&*more(Some("作 业/")), &*more(Some("a b*"))),
            ("FILE LIST * 作?业/* :a b", "FILE LIST * a?b* :a b")
        );
        assert_eq!((&*get("two words", "a"), &*get("", "a")), ("FILE GET two_words :a", "FILE GET * :a"));
        assert_eq!((number(&label(7)), number("m7"), number("fx")), (Some(7), None, None));
    }

    #[test]
    fn a_pattern_means_the_same_here_as_at_the_server() {
        for (pattern, name) in
            [(None, "a/b"), (Some("a"), "a"), (Some("a/"), "a/b"), (Some("a*.?"), "ab/c.d"), (Some("*阳"), "小阳阳")]
        {
            assert!(fits(pattern, name), "{pattern:?} {name}");
        }
        for (pattern, name) in [("a", "ab"), ("a b/*", "a-b/c"), ("a?", "a"), ("*.zip", "a.zip.txt")] {
            assert!(!fits(Some(pattern), name), "{pattern} {name}");
        }
    }

    #[test]
    fn tickets_are_read_and_odd_ones_are_odd() {
        let put = Said::PutTicket { token: "aB-9".into(), offset: 12 };
        assert_eq!(said(&format!("@label=f1 :s FILE TICKET PUT aB-9 12 99 {HEX} :a b")), Some(put));
        let get = Said::GetTicket { token: "t".into(), size: 99, digest: Digest::from_hex(HEX).unwrap() };
        assert_eq!(said(&format!("FILE TICKET GET t 99 {HEX} :a")), Some(get));
        for odd in ["PUT a/b 0 9 x :a", "PUT a%0d 0 9 x :a", "PUT t -1 9 x :a", "GET t 9 xyz :a", "HEAD t", "PUT"] {
            assert_eq!(said(&format!("FILE TICKET {odd}")), Some(Said::Odd), "{odd}");
        }
    }

    #[test]
    fn refusals_keep_their_code_and_sentence_and_talk_is_no_answer() {
        let refused = |code: &str, sentence: &str| Some(Said::Refused { code: code.into(), sentence: sentence.into() });
        assert_eq!(said(":s FAIL FILE QUOTA PUT * a%20b :no room"), refused("QUOTA", "no room"));
        assert_eq!(said(":s 421 anna FILE :Unknown command"), refused("421", "Unknown command"));
        assert_eq!((said(":s NOTICE anna :hi"), said("FILE STORED * 1 x :a")), (None, Some(Said::Stored)));
    }

    #[test]
    fn a_line_of_a_listing_tells_all_about_a_file() {
        let text =
            format!("@gzy/media=image/png,640x480 FILE ENTRY * 7 {HEX} 2026-11-20T13:19:21.007Z 小阳 :周/a b.png");
        let listed = entry(&Line::parse(&text).unwrap()).unwrap();
        assert_eq!((&*listed.name, listed.size, listed.stored_ms), ("周/a b.png", 7, 1_795_180_761_007));
        assert_eq!((listed.uploader.as_deref(), listed.media.as_deref()), (Some("小阳"), Some("image/png,640x480")));
        let host = text.replace("小阳", "*");
        assert_eq!(entry(&Line::parse(&host).unwrap()).unwrap().uploader, None);
        for odd in ["FILE ENTRY * x y z", "FILE ENTRY * 7 00 2026-11-20T13:19:21.007Z * :a"] {
            assert_eq!(entry(&Line::parse(odd).unwrap()), None, "{odd}");
        }
    }
}
