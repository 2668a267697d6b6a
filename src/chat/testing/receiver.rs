//! What a client can take, by its capabilities: checked for every line that any test of the chat sends to anybody.

use crate::wire::caps::{Caps, MULTILINE};
use crate::wire::limits::{CLASSIC_LINE_BYTES, CLIENT_TAGS_BYTES, LINE_BYTES};
use crate::wire::line::Line;

/// Panics when a client with these capabilities could not take the line, or did not ask for what is in it.
pub fn check(line: &str, caps: Caps) {
    let tags_bytes = if line.starts_with('@') { line.find(' ').map_or(0, |at| at + 1) } else { 0 };
    // The tags of the client who sent it, and as much again for the server's own.
    assert!(tags_bytes <= usize::from(CLIENT_TAGS_BYTES) * 2, "too many tags: {line}");
    let limit = if caps.has(Caps::LONG_LINES) { LINE_BYTES } else { CLASSIC_LINE_BYTES };
    assert!(line.len() - tags_bytes + 2 <= limit, "{} bytes are too long: {line}", line.len());
    assert!(!line.contains(['\r', '\n', '\0']), "more than a line: {line:?}");
    let Some(parsed) = Line::parse(line) else { panic!("no line: {line:?}") };
    for (key, _) in parsed.tags.iter() {
        assert!(caps.has(cap_of_tag(key)), "the tag {key} was not asked for: {line}");
    }
    assert!(caps.has(cap_of_command(&parsed)), "that kind of line was not asked for: {line}");
}

fn cap_of_tag(key: &str) -> Caps {
    match key {
        "time" => Caps::SERVER_TIME,
        "account" => Caps::ACCOUNT_TAG,
        "batch" => Caps::BATCH,
        "draft/multiline-concat" => Caps::MULTILINE,
        "label" => Caps::LABELED_RESPONSE.with(Caps::BATCH),
        _ => Caps::MESSAGE_TAGS,
    }
}

fn cap_of_command(line: &Line) -> Caps {
    match line.command {
        "BATCH" if line.param(1) == Some(MULTILINE) => Caps::MULTILINE.with(Caps::BATCH).with(Caps::MESSAGE_TAGS),
        "BATCH" => Caps::BATCH,
        "FAIL" | "WARN" | "NOTE" => Caps::STANDARD_REPLIES,
        "TAGMSG" => Caps::MESSAGE_TAGS,
        "FILE" => Caps::FILES.with(Caps::LONG_LINES),
        "ACK" => Caps::LABELED_RESPONSE.with(Caps::BATCH),
        "MARKREAD" => Caps::READ_MARKER,
        "REDACT" => Caps::MESSAGE_REDACTION,
        "ACCOUNT" => Caps::ACCOUNT_NOTIFY,
        "AWAY" => Caps::AWAY_NOTIFY,
        "CHGHOST" => Caps::CHGHOST,
        "SETNAME" => Caps::SETNAME,
        "JOIN" if line.params().len() > 1 => Caps::EXTENDED_JOIN,
        _ => Caps::NONE,
    }
}
