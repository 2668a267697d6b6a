//! The grammar of an IRC line: tags, source, command, parameters; cutting bytes into lines and texts into pieces.
//!
//! Grammar: modern.ircdocs.horse and IRCv3 message-tags.

use std::borrow::Cow;

use super::limits::{CLIENT_TAGS_BYTES, LINE_BYTES, PARAMS, SERVER_TAGS_BYTES};

/// One parsed line; everything borrows from the text.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Line<'a> {
    /// What stood between `@` and the first space.
    pub tags: Tags<'a>,
    /// What stood after `:` in front of the command.
    pub source: Option<&'a str>,
    /// The command as written.
    pub command: &'a str,
    params: [&'a str; PARAMS],
    count: usize,
}

impl<'a> Line<'a> {
    /// Parses one line without its line end. `None` when it holds no command.
    pub fn parse(text: &'a str) -> Option<Line<'a>> {
        let mut rest = text.trim_start_matches(' ');
        let mut tags = Tags("");
        if let Some(tagged) = rest.strip_prefix('@') {
            let (raw, after) = tagged.split_once(' ')?;
            tags = Tags(raw);
            rest = after.trim_start_matches(' ');
        }
        let mut source = None;
        if let Some(sourced) = rest.strip_prefix(':') {
            let (name, after) = sourced.split_once(' ')?;
            source = Some(name);
            rest = after.trim_start_matches(' ');
        }
        let (command, mut rest) = rest.split_once(' ').unwrap_or((rest, ""));
        if command.is_empty() {
            return None;
        }
        let mut line = Line { tags, source, command, params: [""; PARAMS], count: 0 };
        loop {
            rest = rest.trim_start_matches(' ');
            if rest.is_empty() {
                return Some(line);
            }
            if let Some(trailing) = rest.strip_prefix(':') {
                line.push(trailing);
                return Some(line);
            }
            if line.count == PARAMS - 1 {
                line.push(rest);
                return Some(line);
            }
            let (param, after) = rest.split_once(' ').unwrap_or((rest, ""));
            line.push(param);
            rest = after;
        }
    }

    /// All parameters.
    pub fn params(&self) -> &[&'a str] {
        &self.params[..self.count]
    }

    /// The parameter at `index`, when it is there and not empty.
    pub fn param(&self, index: usize) -> Option<&'a str> {
        self.params().get(index).copied().filter(|p| !p.is_empty())
    }

    fn push(&mut self, param: &'a str) {
        self.params[self.count] = param;
        self.count += 1;
    }
}

/// The tags of a line, as they stood on it.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Tags<'a>(pub &'a str);

impl<'a> Tags<'a> {
    /// The unescaped value of a tag; `""` for a tag without a value. The last one counts when a key is there twice.
    pub fn value(self, key: &str) -> Option<Cow<'a, str>> {
        self.iter().filter(|(k, _)| *k == key).last().map(|(_, v)| unescape(v))
    }

    /// Keys and values as written.
    pub fn iter(self) -> impl Iterator<Item = (&'a str, &'a str)> {
        self.0.split(';').filter(|tag| !tag.is_empty()).map(|tag| tag.split_once('=').unwrap_or((tag, "")))
    }

    /// The client-only tags (`+…`), as they may be passed on to others; `None` when there are none.
    pub fn client_only(self) -> Option<Box<str>> {
        let mut kept = String::new();
        for tag in self.0.split(';').filter(|tag| tag.starts_with('+') && tag.len() > 1) {
            if !kept.is_empty() {
                kept.push(';');
            }
            kept.push_str(tag);
        }
        (!kept.is_empty()).then(|| kept.into())
    }
}

/// Takes the escapes out of a tag's value (IRCv3 message-tags).
pub fn unescape(value: &str) -> Cow<'_, str> {
    if !value.contains('\\') {
        return Cow::Borrowed(value);
    }
    let mut plain = String::with_capacity(value.len());
    let mut chars = value.chars();
    while let Some(c) = chars.next() {
        let unescaped = match c {
            '\\' => match chars.next() {
                Some(':') => ';',
                Some('s') => ' ',
                Some('r') => '\r',
                Some('n') => '\n',
                Some(other) => other,
                None => break,
            },
            other => other,
        };
        plain.push(unescaped);
    }
    Cow::Owned(plain)
}

/// Appends a tag's value with escapes (IRCv3 message-tags).
pub fn escape_into(value: &str, out: &mut String) {
    for c in value.chars() {
        match c {
            ';' => out.push_str("\\:"),
            ' ' => out.push_str("\\s"),
            '\\' => out.push_str("\\\\"),
            '\r' => out.push_str("\\r"),
            '\n' => out.push_str("\\n"),
            other => out.push(other),
        }
    }
}

/// Splits a text into pieces of at most `max_bytes`, never inside a character, at a space when one is in the last quarter.
/// Nothing is lost: the pieces joined are the text. A `max_bytes` below 4 counts as 4, so that every character fits.
pub fn split_text(text: &str, max_bytes: usize) -> impl Iterator<Item = &str> {
    let max_bytes = max_bytes.max(4);
    let mut rest = text;
    std::iter::from_fn(move || {
        if rest.is_empty() {
            return None;
        }
        if rest.len() <= max_bytes {
            return Some(std::mem::take(&mut rest));
        }
        let border = rest.floor_char_boundary(max_bytes);
        let at = match rest[..border].rfind(' ') {
            Some(space) if space >= border - border / 4 => space + 1,
            _ => border,
        };
        let (piece, after) = rest.split_at(at);
        rest = after;
        Some(piece)
    })
}

/// The longest beginning of `text` that fits in `max_bytes` without cutting a character.
pub fn clip(text: &str, max_bytes: usize) -> &str {
    &text[..text.floor_char_boundary(max_bytes)]
}

/// Why a line could not be taken.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum LineFault {
    /// Longer than [`LINE_BYTES`] (or its tags than [`CLIENT_TAGS_BYTES`]).
    TooLong,
    /// Not valid UTF-8.
    NotUtf8,
    /// Holds a NUL.
    Nul,
}

/// Cuts a stream of bytes into lines. Holds memory only while half a line is waiting.
#[derive(Debug)]
pub struct LineCutter {
    partial: Vec<u8>,
    tags_bytes: u16,
    overlong: bool,
}

impl LineCutter {
    /// For what a client sends.
    pub fn of_client() -> LineCutter {
        LineCutter { partial: Vec::new(), tags_bytes: CLIENT_TAGS_BYTES, overlong: false }
    }

    /// For what a server sends: it adds tags of its own.
    pub fn of_server() -> LineCutter {
        LineCutter { partial: Vec::new(), tags_bytes: SERVER_TAGS_BYTES, overlong: false }
    }

    /// Takes the next bytes and calls `each` for every line that ends in them. `\r` ends a line as `\n` does, so that none can be smuggled through.
    pub fn feed(&mut self, mut bytes: &[u8], mut each: impl FnMut(Result<&str, LineFault>)) {
        while let Some(end) = bytes.iter().position(|b| matches!(b, b'\n' | b'\r')) {
            let (head, tail) = (&bytes[..end], &bytes[end + 1..]);
            bytes = tail;
            if std::mem::take(&mut self.overlong) {
                self.partial = Vec::new();
                each(Err(LineFault::TooLong));
            } else if self.partial.is_empty() {
                hand_over(head, self.tags_bytes, &mut each);
            } else {
                let mut line = std::mem::take(&mut self.partial);
                line.extend_from_slice(head);
                hand_over(&line, self.tags_bytes, &mut each);
            }
        }
        if self.partial.len() + bytes.len() > usize::from(self.tags_bytes) + LINE_BYTES {
            self.overlong = true;
            self.partial = Vec::new();
        } else if !self.overlong && !bytes.is_empty() {
            self.partial.extend_from_slice(bytes);
        }
    }
}

fn hand_over(line: &[u8], most_tags_bytes: u16, each: &mut impl FnMut(Result<&str, LineFault>)) {
    if line.is_empty() {
        return;
    }
    let tags_bytes =
        if line[0] == b'@' { line.iter().position(|b| *b == b' ').map_or(line.len(), |at| at + 1) } else { 0 };
    // Two bytes are kept for the line end that was taken off.
    if tags_bytes > usize::from(most_tags_bytes) || line.len() - tags_bytes > LINE_BYTES - 2 {
        each(Err(LineFault::TooLong));
    } else if line.contains(&0) {
        each(Err(LineFault::Nul));
    } else {
        each(std::str::from_utf8(line).map_err(|_| LineFault::NotUtf8));
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn lines_of(chunks: &[&[u8]]) -> Vec<Result<String, LineFault>> {
        let mut cutter = LineCutter::of_client();
        let mut lines = Vec::new();
        for chunk in chunks {
            cutter.feed(chunk, |line| lines.push(line.map(str::to_owned)));
        }
        lines
    }

    #[test]
    fn a_full_line_parses_into_its_parts() {
        let line = Line::parse("@label=7;+draft/reply=a\\sb :小阳!u@h PRIVMSG #大厅 :你好 world").unwrap();
        assert_eq!(line.tags.value("label").as_deref(), Some("7"));
        assert_eq!(line.tags.value("+draft/reply").as_deref(), Some("a b"));
        assert_eq!(line.tags.client_only().as_deref(), Some("+draft/reply=a\\sb"));
        assert_eq!(line.source, Some("小阳!u@h"));
        assert_eq!(line.command, "PRIVMSG");
        assert_eq!(line.params(), ["#大厅", "你好 world"]);
    }

    #[test]
    fn empty_trailing_counts_and_the_fifteenth_parameter_takes_the_rest() {
        assert_eq!(Line::parse("TOPIC #a :").unwrap().params(), ["#a", ""]);
        assert_eq!(Line::parse("TOPIC #a :").unwrap().param(1), None);
        let many = Line::parse("X 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17").unwrap();
        assert_eq!(many.params().len(), PARAMS);
        assert_eq!(many.params()[14], "15 16 17");
    }

    #[test]
    fn a_line_without_a_command_is_none() {
        for text in ["", "   ", "@a=b", "@a=b ", ":source", ":source ", "@a :b "] {
            assert_eq!(Line::parse(text), None, "{text:?}");
        }
    }

    #[test]
    fn lines_are_cut_across_reads_and_faults_do_not_stop_the_next_line() {
        let long = vec![b'x'; LINE_BYTES];
        let lines = lines_of(&[b"NICK an", b"na\r\nUSER\n", &long, b"\n\xff\xfe\nA\0B\nPING 1\r\nhalf"]);
        let text = |t: &str| Ok(t.to_owned());
        use LineFault::{NotUtf8, Nul, TooLong};
        assert_eq!(lines, [text("NICK anna"), text("USER"), Err(TooLong), Err(NotUtf8), Err(Nul), text("PING 1")]);
    }

    #[test]
    fn a_line_that_never_ends_costs_no_memory_and_is_refused_once() {
        let mut cutter = LineCutter::of_client();
        let mut faults = 0;
        for _ in 0..1000 {
            cutter.feed(&[b'x'; 4096], |_| faults += 1);
            assert!(cutter.partial.len() <= usize::from(CLIENT_TAGS_BYTES) + LINE_BYTES);
        }
        cutter.feed(b"\nPING a\n", |line| faults += usize::from(line.is_err()));
        assert_eq!(faults, 1);
    }

    proptest! {
        #[test]
        fn parsing_never_panics(text in "\\PC*") {
            let _ = Line::parse(&text);
        }

        #[test]
        fn split_pieces_join_to_the_text_and_fit(text in "[a-z 上海😀]{0,300}", max in 0usize..80) {
            let pieces: Vec<&str> = split_text(&text, max).collect();
            prop_assert_eq!(pieces.concat(), text.as_str());
            prop_assert!(pieces.iter().all(|p| !p.is_empty() && p.len() <= max.max(4)));
        }

        #[test]
        fn escaping_reads_back(value in "\\PC*") {
            let mut escaped = String::new();
            escape_into(&value, &mut escaped);
            prop_assert!(!escaped.contains([' ', ';', '\r', '\n']));
            prop_assert_eq!(unescape(&escaped), value);
        }

        #[test]
        fn how_bytes_arrive_does_not_matter(bytes in proptest::collection::vec(any::<u8>(), 0..400), cut in 0usize..400) {
            let cut = cut.min(bytes.len());
            prop_assert_eq!(lines_of(&[&bytes[..cut], &bytes[cut..]]), lines_of(&[&bytes]));
        }
    }
}
