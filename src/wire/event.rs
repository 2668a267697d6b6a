//! A line for many receivers: made once, encoded once per set of tags, never once per receiver.

use std::fmt::Write;
use std::rc::Rc;

use super::caps::{Caps, MULTILINE};
use super::limits::{CLASSIC_LINE_BYTES, LINE_AROUND_BYTES, LINE_BYTES};
use super::line::split_text;
use super::msgid::MsgId;
use super::timestamp;

/// Which form of a line a receiver takes: the capabilities that change its bytes, packed into five bits.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct TagSet(u8);

const TIME: u8 = 1;
const TAGS: u8 = 2;
const ACCOUNT: u8 = 4;
const LONG: u8 = 8;
const LINES: u8 = 16;

impl TagSet {
    /// How many different sets there are.
    pub const COUNT: usize = 32;

    /// The set for a receiver with these capabilities.
    pub fn of(caps: Caps) -> TagSet {
        let bit = |cap, bit| if caps.has(cap) { bit } else { 0 };
        TagSet(
            bit(Caps::SERVER_TIME, TIME)
                | bit(Caps::MESSAGE_TAGS, TAGS)
                | bit(Caps::ACCOUNT_TAG, ACCOUNT)
                | bit(Caps::LONG_LINES, LONG)
                // A client that asks for it without what it needs could not read it.
                | bit(Caps::MULTILINE.with(Caps::BATCH).with(Caps::MESSAGE_TAGS), LINES),
        )
    }

    /// A number below [`TagSet::COUNT`].
    pub fn index(self) -> usize {
        self.0.into()
    }

    fn has(self, bit: u8) -> bool {
        self.0 & bit != 0
    }
}

/// Something that happened and is told to many: a message, a join, a topic.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Event {
    /// When, in milliseconds since 1970 (UTC).
    pub time_ms: u64,
    /// The id of a message; other events have none.
    pub msgid: Option<MsgId>,
    /// The account of the source, when logged in.
    pub account: Option<Rc<str>>,
    /// The source is marked as a bot.
    pub bot: bool,
    /// Client-only tags as written (`+a=b;+c`).
    pub client_tags: Option<Box<str>>,
    /// Source, command and all parameters but the text: `:anna!u@h PRIVMSG #大厅`. No line end.
    pub head: Box<str>,
    /// The last parameter, when the line has one that is free text. It is what gets split for classic clients.
    /// A message of several lines has `\n` in it (IRCv3 draft/multiline).
    pub text: Option<Box<str>>,
    /// There is `\n` in the text. Looked for once, when the event is made: a break that got out as it is would begin a line of its own.
    has_lines: bool,
}

impl Event {
    /// An event without message id or tags of its own.
    pub fn plain(time_ms: u64, head: String, text: Option<&str>) -> Event {
        Event::owning(time_ms, head, text.map(Into::into))
    }

    /// The same, around a text that nobody else needs.
    pub fn owning(time_ms: u64, head: String, text: Option<Box<str>>) -> Event {
        let has_lines = text.as_deref().is_some_and(|text| text.contains('\n'));
        Event { time_ms, head: head.into(), text, has_lines, ..Event::default() }
    }

    /// Bytes that it takes about when it is sent: its text, and for each line of it what stands around that.
    pub fn bytes(&self) -> usize {
        match self.text.as_deref() {
            Some(text) if self.has_lines => sent_bytes(text),
            text => LINE_AROUND_BYTES + text.map_or(0, str::len),
        }
    }

    /// Appends the event as one line (or several, where a classic client could not take one) to `out`.
    /// `extra` holds the batch that it is in (`batch=…`), or nothing.
    ///
    /// What does not fit one line is a batch of lines for who takes that, else a line for each. How its sender cut it is not
    /// kept: it was cut for the sender's lines, and receivers have shorter or longer ones.
    pub fn encode(&self, set: TagSet, extra: &str, out: &mut String) {
        let Some(text) = self.text.as_deref() else {
            self.push_tags(set, extra, true, out);
            out.push_str(&self.head);
            out.push_str("\r\n");
            return;
        };
        let limit = if set.has(LONG) { LINE_BYTES } else { CLASSIC_LINE_BYTES };
        // " :" in front of the text, "\r\n" behind it.
        let room = limit.saturating_sub(self.head.len() + 4).max(4);
        if text.len() <= room && !self.has_lines {
            self.push_tags(set, extra, true, out);
            return self.push_text(text, out);
        }
        match self.msgid.filter(|_| set.has(LINES)) {
            Some(id) => self.encode_batch(set, extra, id, text, room, out),
            None => self.encode_lines(set, extra, text, room, out),
        }
    }

    /// One line for each line of the text, and for each piece of a long one. Nothing can show an empty line there.
    fn encode_lines(&self, set: TagSet, extra: &str, text: &str, room: usize, out: &mut String) {
        let mut is_first = true;
        for piece in text.split('\n').flat_map(|line| split_text(line, room)) {
            self.push_tags(set, extra, std::mem::take(&mut is_first), out);
            self.push_text(piece, out);
        }
    }

    /// A `draft/multiline` batch. What is true of the message stands on its first line, the batch around it on its last one as well.
    fn encode_batch(&self, set: TagSet, extra: &str, id: MsgId, text: &str, room: usize, out: &mut String) {
        let (source, command) = self.head.split_once(' ').unwrap_or(("", &self.head));
        let target = command.split_once(' ').map_or("*", |(_, target)| target);
        self.push_tags(set, extra, true, out);
        let _ = write!(out, "{source} BATCH +m{id} {MULTILINE} {target}\r\n");
        for line in text.split('\n') {
            // Splitting finds no piece in an empty line, which counts all the same.
            let empty = line.is_empty().then_some("");
            for (at, piece) in empty.into_iter().chain(split_text(line, room)).enumerate() {
                let concat = if at > 0 { ";draft/multiline-concat" } else { "" };
                let _ = write!(out, "@batch=m{id}{concat} {} :{piece}\r\n", self.head);
            }
        }
        if !extra.is_empty() {
            let _ = write!(out, "@{extra} ");
        }
        let _ = write!(out, "{source} BATCH -m{id}\r\n");
    }

    fn push_text(&self, piece: &str, out: &mut String) {
        out.push_str(&self.head);
        out.push_str(" :");
        out.push_str(piece);
        out.push_str("\r\n");
    }

    /// The tags and the space behind them. What names the message stands on its first line only: the others are not that message again.
    fn push_tags(&self, set: TagSet, extra: &str, is_first: bool, out: &mut String) {
        let start = out.len();
        if !extra.is_empty() {
            out.push('@');
            out.push_str(extra);
        }
        let mut between = if extra.is_empty() { '@' } else { ';' };
        let mut tag = |out: &mut String| {
            out.push(between);
            between = ';';
        };
        if set.has(TIME) {
            tag(out);
            out.push_str("time=");
            timestamp::write_utc(self.time_ms, out);
        }
        if let Some(account) = self.account.as_deref().filter(|_| set.has(ACCOUNT)) {
            tag(out);
            out.push_str("account=");
            out.push_str(account);
        }
        if set.has(TAGS) {
            if let Some(id) = self.msgid.filter(|_| is_first) {
                tag(out);
                let _ = write!(out, "msgid={id}");
            }
            if self.bot {
                tag(out);
                out.push_str("bot");
            }
            if let Some(tags) = self.client_tags.as_deref().filter(|_| is_first) {
                tag(out);
                out.push_str(tags);
            }
        }
        if out.len() > start {
            out.push(' ');
        }
    }
}

/// Bytes that a text takes about when it is sent: itself, and for each of its lines what stands around that.
pub fn sent_bytes(text: &str) -> usize {
    text.len() + LINE_AROUND_BYTES * (1 + text.bytes().filter(|byte| *byte == b'\n').count())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::wire::line::Line;
    use proptest::prelude::*;

    const NOON_MS: u64 = 1_795_180_761_007;

    fn message(text: &str) -> Event {
        Event {
            msgid: Some(MsgId(0xabc)),
            account: Some("小阳".into()),
            bot: true,
            client_tags: Some("+draft/reply=1".into()),
            ..Event::plain(NOON_MS, ":小阳!u@h PRIVMSG #大厅".into(), Some(text))
        }
    }

    fn encoded(event: &Event, caps: Caps, extra: &str) -> String {
        let mut out = String::new();
        event.encode(TagSet::of(caps), extra, &mut out);
        out
    }

    #[test]
    fn each_receiver_gets_the_tags_it_asked_for() {
        let event = message("你好");
        let bare = ":小阳!u@h PRIVMSG #大厅 :你好\r\n";
        assert_eq!(encoded(&event, Caps::NONE, ""), bare);
        assert_eq!(encoded(&event, Caps::NONE, "batch=1"), format!("@batch=1 {bare}"));
        assert_eq!(encoded(&event, Caps::SERVER_TIME, ""), format!("@time=2026-11-20T13:19:21.007Z {bare}"));
        let all = Caps::SERVER_TIME.with(Caps::MESSAGE_TAGS).with(Caps::ACCOUNT_TAG);
        assert_eq!(
            encoded(&event, all, "label=x"),
            format!(
                "@label=x;time=2026-11-20T13:19:21.007Z;account=小阳;msgid=0000000000000abc;bot;+draft/reply=1 {bare}"
            )
        );
    }

    #[test]
    fn an_event_without_text_is_one_line() {
        let joined = Event::plain(0, ":anna!u@h JOIN #大厅".into(), None);
        assert_eq!(encoded(&joined, Caps::LONG_LINES, ""), ":anna!u@h JOIN #大厅\r\n");
    }

    #[test]
    fn several_lines_are_a_batch_for_who_takes_that_and_a_line_each_for_others() {
        let event = message("床前\n\n明月");
        let (head, time) = (":小阳!u@h PRIVMSG #大厅", "time=2026-11-20T13:19:21.007Z");
        let lines = Caps::MULTILINE.with(Caps::BATCH).with(Caps::MESSAGE_TAGS);
        let (bot, name) = ("msgid=0000000000000abc;bot;+draft/reply=1", "m0000000000000abc");
        let opened = format!(":小阳!u@h BATCH +{name} draft/multiline #大厅\r\n");
        let said = format!("@batch={name} {head} :床前\r\n@batch={name} {head} :\r\n@batch={name} {head} :明月\r\n");
        let closed = format!(":小阳!u@h BATCH -{name}\r\n");
        assert_eq!(encoded(&event, lines, ""), format!("@{bot} {opened}{said}{closed}"));
        let inside = format!("@batch=h1;{time};{bot} {opened}{said}@batch=h1 {closed}");
        assert_eq!(encoded(&event, lines.with(Caps::SERVER_TIME), "batch=h1"), inside);
        let one_by_one = format!("@{time};{bot} {head} :床前\r\n@{time};bot {head} :明月\r\n");
        assert_eq!(encoded(&event, Caps::SERVER_TIME.with(Caps::MESSAGE_TAGS), ""), one_by_one);
        let without_batch = encoded(&event, Caps::MULTILINE.with(Caps::MESSAGE_TAGS), "");
        assert!(!without_batch.contains("BATCH"), "{without_batch}");
    }

    /// Puts a batch together as a client does.
    fn put_together(bytes: &str) -> String {
        let mut lines = bytes.split_terminator("\r\n").map(|line| Line::parse(line).unwrap()).peekable();
        assert!(lines.next_if(|line| line.command == "BATCH").is_some());
        let mut text = String::new();
        let mut is_first = true;
        while let Some(line) = lines.next_if(|line| line.command == "PRIVMSG") {
            if !std::mem::take(&mut is_first) && line.tags.value("draft/multiline-concat").is_none() {
                text.push('\n');
            }
            text.push_str(line.params()[1]);
        }
        assert!(lines.next().is_some_and(|line| line.command == "BATCH") && lines.next().is_none());
        text
    }

    proptest! {
        #[test]
        fn a_batch_reads_back_to_the_letter(text in "[a-z 上海😀\n]{1,900}\n[a上]?", long in any::<bool>()) {
            let lines = Caps::MULTILINE.with(Caps::BATCH).with(Caps::MESSAGE_TAGS);
            let (caps, limit) = if long { (lines.with(Caps::LONG_LINES), LINE_BYTES) } else { (lines, CLASSIC_LINE_BYTES) };
            let bytes = encoded(&message(&text), caps, "");
            for line in bytes.split_terminator("\r\n") {
                let tags_bytes = line.find(' ').map_or(0, |at| if line.starts_with('@') { at + 1 } else { 0 });
                prop_assert!(line.len() - tags_bytes + 2 <= limit);
            }
            prop_assert_eq!(put_together(&bytes), text);
        }

        #[test]
        fn a_long_text_reaches_everybody_whole(text in "[a-z 上海😀]{1,900}", long in any::<bool>()) {
            let (caps, limit) = if long { (Caps::LONG_LINES, LINE_BYTES) } else { (Caps::NONE, CLASSIC_LINE_BYTES) };
            let bytes = encoded(&message(&text), caps, "");
            let mut joined = String::new();
            for line in bytes.split_terminator("\r\n") {
                prop_assert!(line.len() + 2 <= limit);
                joined.push_str(Line::parse(line).unwrap().params()[1]);
            }
            prop_assert_eq!(joined, text);
        }
    }
}
