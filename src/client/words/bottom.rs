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

/// A word in a row about a file on its way.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum BarWord<'a> {
    /// Others are before it.
    Waiting,
    /// Its digest is computed.
    Hashing,
    /// The server was asked.
    Offered,
    /// It is checked.
    Checking,
    /// The next try begins in this time.
    Pausing(&'a str),
    /// It is there in this time.
    Left(&'a str),
    /// So many files more, with so many bytes.
    More(&'a str, &'a str),
}

/// A word in a row about a file on its way.
pub fn bar_word(language: Language, word: &BarWord) -> String {
    use Language::{En, Zh};
    match (language, word) {
        (Zh, BarWord::Waiting) => "等待中".to_owned(),
        (En, BarWord::Waiting) => "waiting".to_owned(),
        (Zh, BarWord::Hashing) => "计算 SHA-256".to_owned(),
        (En, BarWord::Hashing) => "computing its SHA-256".to_owned(),
        (Zh, BarWord::Offered) => "询问服务器".to_owned(),
        (En, BarWord::Offered) => "asking the server".to_owned(),
        (Zh, BarWord::Checking) => "正在核对".to_owned(),
        (En, BarWord::Checking) => "checking".to_owned(),
        (Zh, BarWord::Pausing(time)) => format!("{time}后再试"),
        (En, BarWord::Pausing(time)) => format!("tries again in {time}"),
        (Zh, BarWord::Left(time)) => format!("还有 {time}"),
        (En, BarWord::Left(time)) => format!("{time} left"),
        (Zh, BarWord::More(files, bytes)) => format!("… 还有 {files}，{bytes}"),
        (En, BarWord::More(files, bytes)) => format!("… and {files} more, {bytes}"),
    }
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
