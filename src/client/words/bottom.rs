//! The words at the bottom of a screen: which conversations there are, and how a broken link is doing.

use super::{Language, people, printable};
use crate::client::news::UNREAD;

/// One conversation as the list shows it.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct TalkLine<'a> {
    /// Its number.
    pub number: usize,
    /// The room or the person.
    pub name: &'a str,
    /// How many people are in the room; `None` for a person.
    pub people: Option<usize>,
    /// Lines that were not seen.
    pub unread: usize,
    /// It is looked at.
    pub is_current: bool,
}

/// How many messages are unread; nobody counts beyond what is fetched.
pub fn unread_count(count: usize) -> String {
    if count < UNREAD { count.to_string() } else { format!("{}+", UNREAD - 1) }
}

pub(super) fn talk_line(language: Language, line: &TalkLine) -> String {
    let mark = if line.is_current { '>' } else { ' ' };
    let about = match (language, line.people) {
        (Language::Zh, Some(count)) => format!("{count} 人"),
        (Language::En, Some(count)) => people(count),
        (Language::Zh, None) => "私聊".to_owned(),
        (Language::En, None) => "private".to_owned(),
    };
    let unread = match (language, line.unread) {
        (_, 0) => String::new(),
        (Language::Zh, count) => format!("，{} 条未读", unread_count(count)),
        (Language::En, count) => format!(", {} unread", unread_count(count)),
    };
    format!("{mark}{} {} ({about}{unread})", line.number, printable(line.name))
}

pub(super) fn zh_attempt(attempt: u32, secs: u64) -> String {
    if secs == 0 { format!("正在第 {attempt} 次重连") } else { format!("{secs} 秒后第 {attempt} 次重连") }
}

pub(super) fn en_attempt(attempt: u32, secs: u64) -> String {
    if secs == 0 { format!("attempt {attempt} to come back") } else { format!("attempt {attempt} in {secs} s") }
}

pub(super) fn zh_waiting(count: usize) -> String {
    if count == 0 { String::new() } else { format!("，{count} 条待发") }
}

pub(super) fn en_waiting(count: usize) -> String {
    if count == 0 { String::new() } else { format!(", {count} to send") }
}
