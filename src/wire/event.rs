//! A line for many receivers: made once, encoded once per set of tags, never once per receiver.

use std::fmt::Write;
use std::rc::Rc;

use super::caps::Caps;
use super::limits::{CLASSIC_LINE_BYTES, LINE_BYTES};
use super::line::split_text;
use super::msgid::MsgId;
use super::timestamp;

/// Which form of a line a receiver takes: the capabilities that change its bytes, packed into four bits.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct TagSet(u8);

const TIME: u8 = 1;
const TAGS: u8 = 2;
const ACCOUNT: u8 = 4;
const LONG: u8 = 8;

impl TagSet {
    /// How many different sets there are.
    pub const COUNT: usize = 16;

    /// The set for a receiver with these capabilities.
    pub fn of(caps: Caps) -> TagSet {
        let bit = |cap, bit| if caps.has(cap) { bit } else { 0 };
        TagSet(
            bit(Caps::SERVER_TIME, TIME)
                | bit(Caps::MESSAGE_TAGS, TAGS)
                | bit(Caps::ACCOUNT_TAG, ACCOUNT)
                | bit(Caps::LONG_LINES, LONG),
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
    pub text: Option<Box<str>>,
}

impl Event {
    /// An event without message id or tags of its own.
    pub fn plain(time_ms: u64, head: String, text: Option<&str>) -> Event {
        Event { time_ms, head: head.into(), text: text.map(Into::into), ..Event::default() }
    }

    /// Appends the event as one line (or several, where a classic client could not take one) to `out`.
    /// `extra` holds tags for this receiver alone (`batch=…`, `label=…`), without `@`.
    pub fn encode(&self, set: TagSet, extra: &str, out: &mut String) {
        let Some(text) = self.text.as_deref() else {
            self.open_line(set, extra, out);
            out.push_str("\r\n");
            return;
        };
        let limit = if set.has(LONG) { LINE_BYTES } else { CLASSIC_LINE_BYTES };
        // " :" in front of the text, "\r\n" behind it.
        let room = limit.saturating_sub(self.head.len() + 4).max(4);
        if text.len() <= room {
            return self.encode_piece(set, extra, text, out);
        }
        for piece in split_text(text, room) {
            self.encode_piece(set, extra, piece, out);
        }
    }

    fn encode_piece(&self, set: TagSet, extra: &str, piece: &str, out: &mut String) {
        self.open_line(set, extra, out);
        out.push_str(" :");
        out.push_str(piece);
        out.push_str("\r\n");
    }

    fn open_line(&self, set: TagSet, extra: &str, out: &mut String) {
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
            if let Some(id) = self.msgid {
                tag(out);
                let _ = write!(out, "msgid={id}");
            }
            if self.bot {
                tag(out);
                out.push_str("bot");
            }
            if let Some(tags) = &self.client_tags {
                tag(out);
                out.push_str(tags);
            }
        }
        if out.len() > start {
            out.push(' ');
        }
        out.push_str(&self.head);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::wire::line::Line;
    use proptest::prelude::*;

    const NOON_MS: u64 = 1_795_180_761_007;

    fn message(text: &str) -> Event {
        Event {
            time_ms: NOON_MS,
            msgid: Some(MsgId(0xabc)),
            account: Some("小阳".into()),
            bot: true,
            client_tags: Some("+draft/reply=1".into()),
            head: ":小阳!u@h PRIVMSG #大厅".into(),
            text: Some(text.into()),
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

    proptest! {
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
