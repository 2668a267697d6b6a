//! What one command is answered: collected while it is handled, sent as one piece, with the asker's label where there is one.
//!
//! IRCv3 labeled-response: no line becomes an `ACK`, one line carries the label, several become a batch.

use std::fmt::Write;

use crate::wire::line::Line;

use super::SERVER_NAME;

/// Complete lines for one connection, and the label they answer.
#[derive(Default, Debug)]
pub struct Replies {
    /// The label of the command that is being answered, as it stood on the line.
    pub label: Option<Box<str>>,
    /// The answer comes later; nothing is sent for the label yet.
    pub deferred: bool,
    lines: String,
}

impl Replies {
    /// Lines that answer a label.
    pub fn answering(label: Option<Box<str>>, lines: String) -> Replies {
        Replies { label, deferred: false, lines }
    }

    /// Takes out what was answered so far when the label's answer comes later: a label gets one answer.
    pub fn take_until_later(&mut self) -> String {
        if self.deferred && self.label.is_some() { std::mem::take(&mut self.lines) } else { String::new() }
    }

    /// Where lines are appended; each with its line end, each with at most one block of tags.
    pub fn lines(&mut self) -> &mut String {
        &mut self.lines
    }

    /// All that is to be sent. `batch` names a labelled batch; it is not used otherwise.
    pub fn finish(self, batch: &str) -> String {
        let Some(label) = self.label.filter(|_| !self.deferred || !self.lines.is_empty()) else { return self.lines };
        let count = self.lines.split_terminator("\r\n").count();
        match count {
            0 => format!("@label={label} :{SERVER_NAME} ACK\r\n"),
            _ if count == 1 || is_one_batch(&self.lines) => with_tag(&self.lines, "label", &label, 1),
            _ => {
                let mut out = format!("@label={label} :{SERVER_NAME} BATCH +{batch} labeled-response\r\n");
                out.push_str(&with_tag(&self.lines, "batch", batch, count));
                let _ = write!(out, ":{SERVER_NAME} BATCH -{batch}\r\n");
                out
            }
        }
    }
}

/// Whether the lines are one batch from its first to its last line, as an answer of CHATHISTORY is, or a message of several lines.
fn is_one_batch(lines: &str) -> bool {
    let Some(first) = lines.split("\r\n").next().and_then(Line::parse).filter(|line| line.command == "BATCH") else {
        return false;
    };
    let Some(name) = first.param(0).and_then(|name| name.strip_prefix('+')) else { return false };
    lines.ends_with(&format!(" BATCH -{name}\r\n"))
}

/// Adds a tag to the first `count` lines. A line that is in a batch of its own already (`batch=`) keeps that.
fn with_tag(lines: &str, key: &str, value: &str, count: usize) -> String {
    let mut out = String::with_capacity(lines.len() + count * (key.len() + value.len() + 3));
    for (at, line) in lines.split_terminator("\r\n").enumerate() {
        let nested = key == "batch" && line.starts_with("@batch=");
        match line.strip_prefix('@') {
            _ if at >= count || nested => out.push_str(line),
            Some(tagged) => {
                let _ = write!(out, "@{key}={value};{tagged}");
            }
            None => {
                let _ = write!(out, "@{key}={value} {line}");
            }
        }
        out.push_str("\r\n");
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    fn answered(label: Option<&str>, lines: &str) -> String {
        Replies { label: label.map(Into::into), deferred: false, lines: lines.into() }.finish("b1")
    }

    #[test]
    fn without_a_label_lines_go_out_as_they_are() {
        assert_eq!(answered(None, ""), "");
        assert_eq!(answered(None, "A\r\nB\r\n"), "A\r\nB\r\n");
    }

    #[test]
    fn a_label_comes_back_on_an_ack_a_line_or_a_batch() {
        assert_eq!(answered(Some("x"), ""), "@label=x :gzy.local ACK\r\n");
        assert_eq!(answered(Some("x"), "@time=1 PONG\r\n"), "@label=x;time=1 PONG\r\n");
        assert_eq!(
            answered(Some("x"), "A\r\n@time=1 B\r\n"),
            "@label=x :gzy.local BATCH +b1 labeled-response\r\n@batch=b1 A\r\n@batch=b1;time=1 B\r\n:gzy.local BATCH -b1\r\n"
        );
    }

    #[test]
    fn an_answer_that_is_a_batch_itself_carries_the_label_on_its_first_line() {
        let history = ":gzy.local BATCH +h chathistory #a\r\n@batch=h X\r\n:gzy.local BATCH -h\r\n";
        assert_eq!(answered(Some("x"), history), format!("@label=x {history}"));
        let lines = "@msgid=1 :anna!u@h BATCH +m1 draft/multiline #a\r\n@batch=m1 X\r\n:anna!u@h BATCH -m1\r\n";
        assert_eq!(answered(Some("x"), lines), format!("@label=x;{}", &lines[1..]));
        let away = answered(Some("x"), &format!(":gzy.local 301\r\n{lines}"));
        assert!(away.starts_with("@label=x :gzy.local BATCH +b1 labeled-response\r\n@batch=b1 :gzy.local 301\r\n"));
        assert!(away.contains("@batch=b1;msgid=1 :anna!u@h BATCH +m1 ") && away.contains("\r\n@batch=m1 X\r\n"));
    }

    #[test]
    fn an_answer_that_comes_later_sends_nothing_yet() {
        let later = Replies { label: Some("x".into()), deferred: true, lines: String::new() };
        assert_eq!(later.finish("b1"), "");
    }
}
