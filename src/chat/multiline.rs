//! Messages of several lines: gathered line by line, said as one (IRCv3 draft/multiline).

use crate::store::record::Kind;
use crate::wire::caps::{Caps, MULTILINE};
use crate::wire::limits::{LINE_BYTES, MULTILINE_BYTES, MULTILINE_LINES, MULTILINE_MS, MULTILINES_BYTES};
use crate::wire::line::{Line, Tags};
use crate::wire::name::fold;
use crate::wire::verb::Verb;

use super::bang::spoken;
use super::replies::Replies;
use super::talk::Utterance;
use super::turn::Turn;
use super::{Effect, Now};

/// The tag of a line that goes on where the line before it stopped.
const CONCAT: &str = "draft/multiline-concat";

/// A message whose sender has not said its last line yet. One at a time for each session.
#[derive(Debug)]
pub struct OpenBatch {
    /// What the sender calls it.
    reference: Box<str>,
    /// A room's name or a nick, as written.
    target: Box<str>,
    /// All tags of its first line.
    tags: Box<str>,
    label: Option<Box<str>>,
    /// When it counts as given up (monotonic milliseconds).
    until_ms: u64,
    /// `None` before the first line.
    kind: Option<Kind>,
    lines: usize,
    text: String,
    /// It was refused, and its sender told. What still comes of it is thrown away.
    is_refused: bool,
}

impl OpenBatch {
    /// Whether its end should have come.
    pub fn is_late(&self, now: Now) -> bool {
        !self.is_refused && self.until_ms <= now.mono_ms
    }

    /// Bytes of text that wait in it.
    pub fn bytes(&self) -> usize {
        self.text.len()
    }

    /// What is wrong with a line of it, in the words of the specification: the code, its context, and a sentence.
    fn fault(&self, kind: Kind, line: &Line) -> Option<(&'static str, Vec<String>, &'static str)> {
        let invalid = |sentence| Some(("MULTILINE_INVALID", Vec::new(), sentence));
        let (target, text) = (line.param(0).unwrap_or("*"), line.params().get(1).copied());
        if *target != *self.target && fold(target) != fold(&self.target) {
            let context = vec![self.target.to_string(), target.to_owned()];
            return Some(("MULTILINE_INVALID_TARGET", context, "all lines of a message go to the same room or person"));
        }
        if self.kind.is_some_and(|other| other != kind) {
            return invalid("a message is either PRIVMSG or NOTICE");
        }
        let Some(text) = text else { return invalid("there is no text in that line") };
        if self.lines == MULTILINE_LINES {
            let limit = vec![MULTILINE_LINES.to_string()];
            return Some(("MULTILINE_MAX_LINES", limit, "that message has too many lines; send it in parts"));
        }
        if self.text.len() + 1 + text.len() > MULTILINE_BYTES {
            let limit = vec![MULTILINE_BYTES.to_string()];
            return Some(("MULTILINE_MAX_BYTES", limit, "that message is too long; send it in parts"));
        }
        (text.is_empty() && is_concat(line)).then_some(())?;
        invalid("an empty line has nothing to go on with")
    }
}

fn is_concat(line: &Line) -> bool {
    line.tags.iter().any(|(key, _)| key == CONCAT)
}

impl Turn<'_> {
    /// `BATCH +<reference> draft/multiline <target>`, `BATCH -<reference>`
    pub(super) fn batch(&mut self, line: &Line) {
        let name = line.params()[0];
        if !self.session().caps.has(Caps::MULTILINE.with(Caps::BATCH).with(Caps::MESSAGE_TAGS)) {
            let sentence = "ask for draft/multiline, batch and message-tags first";
            return self.fail("BATCH", "NEED_CAPABILITY", &[], sentence);
        }
        if let Some(reference) = name.strip_prefix('+').filter(|reference| !reference.is_empty()) {
            return self.open_batch(reference, line);
        }
        let is_its_end = |open: &str| name.strip_prefix('-') == Some(open);
        if !self.session().batch().is_some_and(|batch| is_its_end(&batch.reference)) {
            self.give_up_batch();
            return self.fail("BATCH", "MULTILINE_INVALID", &[], "no message of that name has begun");
        }
        self.end_batch();
    }

    /// Takes a line into the message that is under way; true when that is all there is to do with it.
    ///
    /// Clients must not send anything else in between, which ends the message. What a client says without being told to (`PONG`),
    /// or to be told whether the server is there, is let through all the same.
    pub(super) fn gather(&mut self, verb: Verb, line: &Line) -> bool {
        let kind = match verb {
            Verb::Privmsg => Some(Kind::Privmsg),
            Verb::Notice => Some(Kind::Notice),
            _ => None,
        };
        let named = kind.and_then(|_| line.tags.value("batch"));
        let Some(open) = self.session().batch() else {
            if named.is_some() {
                self.fail("BATCH", "MULTILINE_INVALID", &[], "no message of that name has begun");
            }
            return named.is_some();
        };
        match (kind, named) {
            (Some(kind), Some(named)) if *open.reference == *named => {
                self.take_line(kind, line);
                true
            }
            (Some(_), Some(_)) => {
                self.give_up_batch();
                self.fail("BATCH", "MULTILINE_INVALID", &[], "no message of that name has begun");
                true
            }
            _ => {
                if !matches!(verb, Verb::Batch | Verb::Ping | Verb::Pong | Verb::Quit) {
                    self.refuse_batch("MULTILINE_INVALID", &[], "that message was broken off by another command");
                }
                false
            }
        }
    }

    fn open_batch(&mut self, reference: &str, line: &Line) {
        if self.session().batch().is_some() {
            self.give_up_batch();
        }
        if line.param(1) != Some(MULTILINE) {
            return self.fail("BATCH", "UNKNOWN_TYPE", &[], "the only batches that clients send are draft/multiline");
        }
        let Some(target) = line.param(2) else {
            return self.fail(
                "BATCH",
                "MULTILINE_INVALID",
                &[],
                "say to whom: BATCH +<name> draft/multiline <room or nick>",
            );
        };
        let until_ms = self.now.mono_ms + MULTILINE_MS;
        let batch = OpenBatch {
            reference: reference.into(),
            target: target.into(),
            tags: line.tags.0.into(),
            // Answered when the message is said, or refused.
            label: self.replies.label.take(),
            until_ms,
            kind: None,
            lines: 0,
            text: String::new(),
            is_refused: false,
        };
        *self.session_mut().batch_mut() = Some(Box::new(batch));
        self.chat.wake_at(until_ms, self.me);
    }

    fn take_line(&mut self, kind: Kind, line: &Line) {
        let is_crowded = self.chat.batch_bytes >= MULTILINES_BYTES;
        let Some(batch) = self.session_mut().batch_mut().as_mut().filter(|batch| !batch.is_refused) else { return };
        if let Some((code, context, sentence)) = batch.fault(kind, line) {
            let context: Vec<&str> = context.iter().map(String::as_str).collect();
            return self.refuse_batch(code, &context, sentence);
        }
        if is_crowded {
            let sentence = "too many long messages are on their way; send that again in a moment";
            return self.refuse_batch("MULTILINE_INVALID", &[], sentence);
        }
        let before = batch.text.len();
        if batch.lines > 0 && !is_concat(line) {
            batch.text.push('\n');
        }
        batch.text.push_str(line.params().get(1).copied().unwrap_or_default());
        batch.lines += 1;
        batch.kind = Some(kind);
        let added = batch.text.len() - before;
        self.chat.batch_bytes += added;
    }

    /// The last line has come: says it.
    fn end_batch(&mut self) {
        let Some(batch) = self.session_mut().batch_mut().take() else { return };
        self.chat.batch_bytes -= batch.bytes();
        if batch.is_refused {
            return;
        }
        let OpenBatch { target, tags, label, kind: Some(kind), text, .. } = *batch else {
            return self.fail_for(batch.label, "MULTILINE_INVALID", &[], "there is no text to send");
        };
        if text.bytes().all(|byte| byte == b'\n') {
            return self.fail_for(label, "MULTILINE_INVALID", &[], "a message of empty lines says nothing");
        }
        self.replies.label = label.or(self.replies.label.take());
        self.session_mut().spoke_ms = self.now.wall_ms;
        let tags = Tags(&tags);
        // A text of several lines is talk, whatever it starts with: somebody who pastes a list of commands wants to show it,
        // not to carry out its first one. What no single line could hold is no command either.
        let is_as_typed = kind == Kind::Privmsg && text.len() <= LINE_BYTES && !text.contains('\n');
        if is_as_typed && self.bang(&target, &text, tags) {
            return;
        }
        let text = if is_as_typed { spoken(&text).into() } else { text.into() };
        let (sent_as, tags) = (self.sent_as(tags), tags.client_only());
        self.say(Utterance { kind, target, text, tags, sent_as });
    }

    /// What was begun is not waited for any longer.
    pub(super) fn give_up_batch(&mut self) {
        self.refuse_batch("MULTILINE_INVALID", &[], "that message was not ended; send it again");
    }

    /// Refuses the message that is under way, once. Its text is let go of; what still comes of it is thrown away.
    fn refuse_batch(&mut self, code: &str, context: &[&str], sentence: &str) {
        let Some(batch) = self.session_mut().batch_mut().as_mut().filter(|batch| !batch.is_refused) else { return };
        batch.is_refused = true;
        let (label, text) = (batch.label.take(), std::mem::take(&mut batch.text));
        self.chat.batch_bytes -= text.len();
        self.fail_for(label, code, context, sentence);
    }

    /// Refuses with an answer of its own: this turn may be about something else, with another label.
    fn fail_for(&mut self, label: Option<Box<str>>, code: &str, context: &[&str], sentence: &str) {
        let own = std::mem::replace(&mut self.replies, Replies::answering(label, String::new()));
        self.fail("BATCH", code, context, sentence);
        let refusal = std::mem::replace(&mut self.replies, own).finish("");
        self.effects.push(Effect::Send { to: self.me, lines: refusal });
    }

    /// The session ends, and what it has not finished is gone.
    pub(super) fn forget_batch(&mut self) {
        self.chat.batch_bytes -= self.session().batch().map_or(0, OpenBatch::bytes);
    }
}

#[cfg(test)]
mod tests;
