//! How what there is to show becomes lines of text.

use std::borrow::Cow;

use time::{Date, OffsetDateTime, UtcOffset};
use unicode_width::UnicodeWidthStr;

use super::commands::is_secret;
use super::shown::{Said, Shown, What};
use super::words::{Language, sentence};
use crate::wire::escape::{printable, strip_formatting};
use crate::wire::name::fold;
use crate::wire::timestamp;

/// What stands where a password was typed.
const HIDDEN: &str = "••••";

/// Columns that the lines of one message are moved in at most: a long nick should not push a poem out of a narrow window.
const INDENT: usize = 16;

/// Makes lines of what there is to show.
#[derive(Clone, Debug)]
pub struct Writer {
    /// The language of the user.
    pub language: Language,
    /// The time zone of the user.
    pub offset: UtcOffset,
    /// The room that needs no mention because it is the one that is looked at.
    pub current: Box<str>,
}

/// The parts of a line, each safe to print.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Parts<'a> {
    /// The room, when it has to be mentioned.
    pub room: Option<Cow<'a, str>>,
    /// In front of who speaks.
    pub before: &'static str,
    /// Who speaks, or between whom; empty when nobody does.
    pub who: Cow<'a, str>,
    /// Between who speaks and what is said.
    pub between: &'static str,
    /// What is said, or what happened; a message of several lines has `\n` between them.
    pub text: Cow<'a, str>,
}

impl Writer {
    /// One line, safe to print; those of a message of several stand under each other. `now_ms` tells whether the day has to be mentioned.
    pub fn line(&self, shown: &Shown, now_ms: u64) -> String {
        let Parts { room, before, who, between, text } = self.parts(shown);
        let time = self.time(shown.at_ms, now_ms);
        let room = room.map_or_else(String::new, |room| format!("{room} "));
        let head = format!("{time} {room}{before}{who}{between}");
        let indent = indent(&head);
        let mut lines = text.split('\n');
        let mut whole = head + lines.next().unwrap_or_default();
        for line in lines {
            whole.push('\n');
            whole.push_str(format!("{indent}{line}").trim_end());
        }
        whole
    }

    /// What a line is made of behind its time.
    pub fn parts<'a>(&self, shown: &'a Shown) -> Parts<'a> {
        let room = shown.room.as_deref().filter(|room| fold(room) != fold(&self.current)).map(printable);
        match &shown.what {
            What::Said(said) => {
                let (before, between) = match (said.is_action, said.is_notice) {
                    (true, _) => ("* ", " "),
                    (false, true) => ("-", "- "),
                    (false, false) => ("", ": "),
                };
                Parts { room, before, who: self.speaker(said), between, text: text_of(said) }
            }
            other => {
                let text = sentence(self.language, shown.room.as_deref().unwrap_or_default(), other).into();
                Parts { room, before: "· ", who: "".into(), between: "", text }
            }
        }
    }

    /// `12:01`.
    pub fn clock(&self, at_ms: u64) -> String {
        let at = self.local(at_ms);
        format!("{:02}:{:02}", at.hour(), at.minute())
    }

    /// The day of a moment, where the user is.
    pub fn day(&self, at_ms: u64) -> Date {
        self.local(at_ms).date()
    }

    /// `12:01`, with the date in front when it is not the day of `now_ms`.
    pub fn time(&self, at_ms: u64, now_ms: u64) -> String {
        let (at, now, clock) = (self.day(at_ms), self.day(now_ms), self.clock(at_ms));
        match (at == now, at.year() == now.year()) {
            (true, _) => clock,
            (false, true) => format!("{:02}-{:02} {clock}", u8::from(at.month()), at.day()),
            (false, false) => format!("{:04}-{:02}-{:02} {clock}", at.year(), u8::from(at.month()), at.day()),
        }
    }

    fn local(&self, at_ms: u64) -> OffsetDateTime {
        let at = timestamp::from_ms(at_ms);
        at.checked_to_offset(self.offset).unwrap_or(at)
    }

    fn speaker<'a>(&self, said: &'a Said) -> Cow<'a, str> {
        let me = match self.language {
            Language::Zh => "我",
            Language::En => "me",
        };
        let who = printable(&said.who);
        match &said.with {
            Some(with) if said.own => format!("{me} → {}", printable(with)).into(),
            Some(_) => format!("{who} → {me}").into(),
            None => who,
        }
    }
}

/// The blanks in front of the second line of a message and those after it: they stand under the first one, as far as that leaves room.
pub fn indent(head: &str) -> String {
    " ".repeat(head.width().min(INDENT))
}

/// The text as it may be shown: without the colours of other programs, and without passwords.
fn text_of(said: &Said) -> Cow<'_, str> {
    if said.own && is_secret(&said.text) {
        let end = said.text.find(|c: char| c.is_whitespace() || matches!(c, '*' | '＊')).unwrap_or(said.text.len());
        return format!("{} {HIDDEN}", printable(&said.text[..end])).into();
    }
    if said.text.contains('\n') {
        let lines: Vec<Cow<str>> = said.text.split('\n').map(line_of).collect();
        return lines.join("\n").into();
    }
    line_of(&said.text)
}

fn line_of(text: &str) -> Cow<'_, str> {
    match strip_formatting(text) {
        Cow::Borrowed(text) => printable(text),
        Cow::Owned(text) => printable(&text).into_owned().into(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOON_MS: u64 = 1_795_180_761_007; // 2026-11-20T13:19:21Z

    fn writer(language: Language) -> Writer {
        Writer { language, offset: UtcOffset::from_hms(8, 0, 0).unwrap(), current: "#lobby".into() }
    }

    fn said(who: &str, text: &str) -> Said {
        Said { who: who.into(), text: text.into(), ..Said::default() }
    }

    fn line(said: Said, room: Option<&str>, at_ms: u64) -> String {
        let shown = Shown { at_ms, room: room.map(Into::into), what: What::Said(said) };
        writer(Language::Zh).line(&shown, NOON_MS)
    }

    #[test]
    fn talk_looks_like_talk() {
        assert_eq!(line(said("小阳", "你好"), Some("#lobby"), NOON_MS), "21:19 小阳: 你好");
        assert_eq!(line(said("小阳", "你好"), Some("#other"), NOON_MS), "21:19 #other 小阳: 你好");
        let to_me = Said { with: Some("小阳".into()), ..said("小阳", "嘘") };
        assert_eq!(line(to_me, None, NOON_MS), "21:19 小阳 → 我: 嘘");
        let by_me = Said { with: Some("小阳".into()), own: true, ..said("anna", "嘘") };
        assert_eq!(line(by_me, None, NOON_MS), "21:19 我 → 小阳: 嘘");
        let action = Said { is_action: true, ..said("ben", "waves") };
        assert_eq!(line(action, Some("#LOBBY"), NOON_MS), "21:19 * ben waves");
    }

    #[test]
    fn the_lines_of_a_message_stand_under_each_other_and_obey_nobody() {
        let poem = line(said("小阳", "床前\n\n\u{1b}[2J明月\u{2}光\r"), Some("#lobby"), NOON_MS);
        assert_eq!(poem, "21:19 小阳: 床前\n\n            ␛[2J明月光␍");
        let long = line(said(&"长".repeat(20), "一\n二"), Some("#lobby"), NOON_MS);
        assert!(long.ends_with("\n                二"), "{long}");
    }

    #[test]
    fn other_days_are_named() {
        const DAY_MS: u64 = 86_400_000;
        let at = |at_ms| line(said("a", "b"), None, at_ms);
        assert_eq!(at(NOON_MS - DAY_MS), "11-19 21:19 a: b");
        assert_eq!(at(NOON_MS - 400 * DAY_MS), "2025-10-16 21:19 a: b");
        // Already the next day in China.
        assert_eq!(at(NOON_MS + 3 * 3_600_000), "11-21 00:19 a: b");
    }

    #[test]
    fn passwords_and_the_colours_of_others_are_not_shown() {
        let own = Said { own: true, ..said("anna", "！登录*anna*secret") };
        assert_eq!(line(own, None, NOON_MS), "21:19 anna: ！登录 ••••");
        assert_eq!(line(said("ben", "\u{3}04red\u{3} \u{2}bold"), None, NOON_MS), "21:19 ben: red bold");
    }
}
