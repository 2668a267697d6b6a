//! Every sentence that a client says to its user, in Chinese and in English.

use super::Trouble;
use super::shown::What;
use crate::net::BadAddress;
use crate::wire::escape::printable;
use crate::wire::name::{BadName, NAME_BYTES};

mod account;
pub mod amount;
mod bottom;
mod files;
mod key;
mod opening;
mod reading;
mod shared;

pub use account::AccountSaying;
pub use bottom::{BarWord, TalkLine, bar_word, unread_count};
pub use files::{FileSaying, Many};
pub use opening::{Opening, opening};
pub use reading::ReadSaying;
pub use shared::kind;

/// Names that are listed when entering a room; the rest is a number.
const NAMES_LISTED: usize = 40;

/// The language of a person.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Language {
    /// Chinese.
    Zh,
    /// English.
    En,
}

impl Language {
    /// The language of a locale such as `zh_CN.UTF-8`; English for all but Chinese.
    pub fn of_locale(locale: &str) -> Language {
        if locale.to_ascii_lowercase().starts_with("zh") { Language::Zh } else { Language::En }
    }

    /// The language that the environment asks for. `variable` looks one up.
    pub fn of_environment(variable: impl Fn(&str) -> Option<String>) -> Language {
        let set = ["LC_ALL", "LC_MESSAGES", "LANG"].into_iter().filter_map(variable).find(|value| !value.is_empty());
        set.map_or(Language::En, |locale| Language::of_locale(&locale))
    }
}

/// What the terminal says by itself.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Saying<'a> {
    /// Asks for a nick.
    AskNick,
    /// Asks for another nick; Enter takes the suggestion.
    AskOtherNick(Option<&'a str>),
    /// A nick that cannot be one, with the reason.
    BadNick(BadName),
    /// Asks for whom a private message is.
    AskWho,
    /// Asks for the private message to somebody.
    AskText(&'a str),
    /// Nobody of that name is here.
    NotHere(&'a str),
    /// The room that is talked to from here on.
    TalkingTo(&'a str),
    /// Not in that room.
    NotIn(&'a str),
    /// A command that neither the client nor the server knows, and the one that was probably meant.
    UnknownCommand(&'a str, Option<&'a str>),
    /// A text that is nearly a command of this name, with its mark; it was not said.
    NearlyACommand(&'a str, &'a str),
    /// No conversation has this number.
    NoTalk(usize),
    /// One line of the list of conversations.
    Talk(TalkLine<'a>),
    /// What was said in a conversation while another was looked at: how many lines are shown, how many are not.
    Unread(&'a str, usize, usize),
    /// What keys do, and what only the client knows.
    Keys,
    /// The link is broken: why, the number of the attempt to come back, seconds until then, messages that wait.
    ComingBack(&'a Trouble, u32, u64, usize),
    /// Messages are on their way for longer than usual.
    OnTheWay(usize),
    /// In front of what is searched for among typed lines.
    Searching(&'a str),
    /// So much is waiting that nothing more is taken.
    TooMuchWaits,
    /// How a command is written.
    Usage(&'a str),
    /// Something about a page of earlier talk.
    Read(ReadSaying<'a>),
    /// Something about an account.
    Account(AccountSaying<'a>),
    /// Something about files.
    File(FileSaying<'a>),
    /// Something was not acknowledged in time.
    Undelivered(usize),
}

/// What the lobby of a server is called in a language.
pub fn room_name(language: Language, name: &str, is_lobby: bool) -> String {
    match language {
        Language::Zh if is_lobby && name.eq_ignore_ascii_case("#lobby") => "大厅".to_owned(),
        _ => printable(name).into_owned(),
    }
}

/// A sentence of the terminal.
pub fn say(language: Language, saying: &Saying) -> String {
    use Language::{En, Zh};
    use Saying::*;
    match (language, saying) {
        (Zh, AskNick) => "你的名字：".to_owned(),
        (En, AskNick) => "Your name: ".to_owned(),
        (Zh, AskOtherNick(Some(free))) => format!("换一个名字（直接回车用 {free}）："),
        (En, AskOtherNick(Some(free))) => format!("Another name (Enter takes {free}): "),
        (Zh, AskOtherNick(None)) => "换一个名字：".to_owned(),
        (En, AskOtherNick(None)) => "Another name: ".to_owned(),
        (Zh, BadNick(why)) => format!("这个名字不能用：{}", name_fault(*why)),
        (En, BadNick(why)) => why.to_string(),
        (Zh, AskWho) => "私聊对象：".to_owned(),
        (En, AskWho) => "Private message to: ".to_owned(),
        (Zh, AskText(who)) => format!("对 {} 说：", printable(who)),
        (En, AskText(who)) => format!("To {}: ", printable(who)),
        (Zh, NotHere(who)) => format!("{} 不在这里", printable(who)),
        (En, NotHere(who)) => format!("{} is not here", printable(who)),
        (Zh, TalkingTo(room)) => format!("现在在 {} 里说话", printable(room)),
        (En, TalkingTo(room)) => format!("talking to {}", printable(room)),
        (Zh, NotIn(room)) => format!("你不在 {} 里；先用 /join {0}", printable(room)),
        (En, NotIn(room)) => format!("you are not in {}; enter it with /join {0}", printable(room)),
        (Zh, UnknownCommand(name, None)) => format!("没有命令 {}，什么也没发送；!help 列出命令", printable(name)),
        (En, UnknownCommand(name, None)) => {
            format!("there is no command {}, and nothing was sent; !help lists them", printable(name))
        }
        (Zh, UnknownCommand(name, Some(near))) => {
            format!("没有命令 {}，是 /{near} 吗？什么也没发送；!help 列出命令", printable(name))
        }
        (En, UnknownCommand(name, Some(near))) => {
            format!("there is no command {}; did you mean /{near}? Nothing was sent; !help lists them", printable(name))
        }
        (Zh, NearlyACommand(name, near)) => {
            format!("没有命令 {0}，是 !{near} 吗？什么也没发送；要说这句话请写 !{0}", printable(name))
        }
        (En, NearlyACommand(name, near)) => {
            format!("there is no command {0}; did you mean !{near}? Nothing was sent; write !{0} to say it", printable(name))
        }
        (Zh, NoTalk(number)) => format!("没有第 {number} 个对话；/rooms 列出它们"),
        (En, NoTalk(number)) => format!("there is no conversation {number}; /rooms lists them"),
        (_, Talk(line)) => bottom::talk_line(language, line),
        (Zh, Unread(name, shown, 0)) => format!("{}：{shown} 条未读", printable(name)),
        (En, Unread(name, shown, 0)) => format!("{}: {shown} unread", printable(name)),
        (Zh, Unread(name, shown, lost)) => {
            format!("{}：最后 {shown} 条未读，更早的 {lost} 条用 !history 看", printable(name))
        }
        (En, Unread(name, shown, lost)) => {
            format!("{}: the last {shown} unread; {lost} earlier ones are in !history", printable(name))
        }
        (Zh, Keys) => {
            "Tab 补全，Ctrl-R 搜索输入过的，Alt-Enter 换行，Alt-1…9 或 /room 换对话，/rooms 列出对话和未读，/query 谁 单独聊，内容~谁 或 PC 私聊，PageUp 看以前的，/search 词 搜索，!put 路径 传文件，!ls 和 !get 名字 取文件，/login 名字 登录，/forget 不再自动登录".to_owned()
        }
        (En, Keys) => "Tab completes, Ctrl-R searches what you typed, Alt-Enter breaks the line, Alt-1…9 or /room changes the conversation, /rooms lists them and what is unread, /query WHO talks to one person, TEXT~WHO or PC sends a private message, PageUp shows what was said before, /search WORDS finds it, !put PATH brings files, !ls and !get NAME fetch them, /login NAME logs in, /forget ends logging in by itself".to_owned(),
        (Zh, ComingBack(why, attempt, secs, waiting)) => {
            format!("连接断开（{}），{}{}", reason(language, why), bottom::zh_attempt(*attempt, *secs), bottom::zh_waiting(*waiting))
        }
        (En, ComingBack(why, attempt, secs, waiting)) => {
            let (attempt, waiting) = (bottom::en_attempt(*attempt, *secs), bottom::en_waiting(*waiting));
            format!("the link broke ({}); {attempt}{waiting}", reason(language, why))
        }
        (Zh, OnTheWay(count)) => format!("{count} 条消息正在发送…"),
        (En, OnTheWay(count)) => format!("{count} message(s) on the way…"),
        (Zh, Searching(words)) => format!("搜索“{}”：", printable(words)),
        (En, Searching(words)) => format!("search '{}': ", printable(words)),
        (Zh, TooMuchWaits) => "等待发送的太多了，这一行还没有发送；请稍后再按回车".to_owned(),
        (En, TooMuchWaits) => "too much is waiting to be sent; this line was not taken, press Enter again later".to_owned(),
        (_, Read(saying)) => reading::reading(language, saying),
        (_, Account(saying)) => account::account(language, saying),
        (_, File(saying)) => files::file(language, saying),
        (Zh, Usage(how)) => format!("用法：{how}"),
        (En, Usage(how)) => format!("write: {how}"),
        (Zh, Undelivered(count)) => format!("服务器没有确认 {count} 条消息；请查看房间后再试"),
        (En, Undelivered(count)) => {
            format!("the server did not acknowledge {count} message(s); look into the room before sending again")
        }
    }
}

/// In Chinese, why a text is not an address; in English the fault says so itself.
fn address_fault(why: BadAddress) -> &'static str {
    match why {
        BadAddress::NoHost => "里面没有主机；写成 主机 或 主机:端口",
        BadAddress::NoPort => "端口不是 1 到 65535 的数字",
        BadAddress::Brackets => "方括号不成对；写成 [::1]:510",
    }
}

/// In Chinese, why a text cannot be a name; in English the fault says so itself.
fn name_fault(why: BadName) -> String {
    match why {
        BadName::Empty => "它是空的".to_owned(),
        BadName::TooLong => format!("它超过 {NAME_BYTES} 字节（一个汉字占 3 字节）"),
        BadName::Control => "里面有控制字符".to_owned(),
        BadName::Space => "里面有空格，可以用 _ 或 - 代替".to_owned(),
        BadName::Invisible => "里面有不是每个屏幕都能显示的字符".to_owned(),
        BadName::Special(c) => format!("里面的 {c} 在命令中另有含义"),
        BadName::StartsWith(c) => format!("不能以 {c} 开头"),
        BadName::Marks => "附加符号前面没有字母，或太多".to_owned(),
        BadName::OnlyDigits => "只有数字，像账号的编号；请加一个字".to_owned(),
        BadName::NotARoom => "房间名以 # 开头".to_owned(),
    }
}

/// What happened, as a sentence; safe to print.
pub fn sentence(language: Language, room: &str, what: &What) -> String {
    use Language::{En, Zh};
    use What::*;
    let room = printable(room);
    let p = printable;
    match (language, what) {
        // Front ends show messages in their own way; this one is for those that have none.
        (_, Said(said)) => format!("{}: {}", p(&said.who), p(&said.text)),
        (Zh, Entered { names }) => format!("已进入 {room}，{} 人：{}", names.len(), list(names)),
        (En, Entered { names }) => format!("you are in {room} with {} here: {}", people(names.len()), list(names)),
        (Zh, Joined { who, count }) => format!("{} 来到 {room}，现有 {count} 人", p(who)),
        (En, Joined { who, count }) => format!("{} joined {room}; {} here", p(who), people(*count)),
        (Zh, Left { who, why, count }) => format!("{} 离开 {room}{}，还有 {count} 人", p(who), because(why)),
        (En, Left { who, why, count }) => format!("{} left {room}{}; {} here", p(who), because(why), people(*count)),
        (Zh, Kicked { who, by, why, count }) => {
            format!("{} 被 {} 请出 {room}{}，还有 {count} 人", p(who), p(by), because(why))
        }
        (En, Kicked { who, by, why, count }) => {
            format!("{} was kicked from {room} by {}{}; {} here", p(who), p(by), because(why), people(*count))
        }
        (Zh, Renamed { to, own: true, .. }) => format!("你现在叫 {}", p(to)),
        (En, Renamed { to, own: true, .. }) => format!("you are {} here", p(to)),
        (Zh, Renamed { from, to, .. }) => format!("{} 改名为 {}", p(from), p(to)),
        (En, Renamed { from, to, .. }) => format!("{} is called {} here", p(from), p(to)),
        (Zh, Topic { text, .. }) if text.is_empty() => format!("{room} 没有主题"),
        (En, Topic { text, .. }) if text.is_empty() => format!("{room} has no topic"),
        (Zh, Topic { by: Some(by), text }) => format!("{} 把 {room} 的主题改为：{}", p(by), p(text)),
        (En, Topic { by: Some(by), text }) => format!("{} changed the topic of {room}: {}", p(by), p(text)),
        (Zh, Topic { by: None, text }) => format!("{room} 的主题：{}", p(text)),
        (En, Topic { by: None, text }) => format!("topic of {room}: {}", p(text)),
        (Zh, Mode { by, change }) => format!("{} 设置 {room} {}", p(by), p(change)),
        (En, Mode { by, change }) => format!("{} set {} on {room}", p(by), p(change)),
        (Zh, Removed { by, .. }) => format!("{} 撤回了一条消息", p(by)),
        (En, Removed { by, .. }) => format!("{} took a message back", p(by)),
        (Zh, InvitedTo { number }) => format!("{room} 是群 {number}：/join {number} 加入，/decline {number} 谢绝"),
        (En, InvitedTo { number }) => {
            format!("{room} is group {number}: /join {number} accepts, /decline {number} declines")
        }
        (Zh, Invited { by }) => format!("{} 邀请你进入 {room}；用 /join {room}", p(by)),
        (En, Invited { by }) => format!("{} invites you to {room}; enter it with /join {room}", p(by)),
        (_, Notice(text)) => p(text).into_owned(),
        (Zh, Refused { target, text, why }) => format!("没有送达 {}（{}）：{}", p(target), p(why), short(text)),
        (En, Refused { target, text, why }) => format!("not sent to {} ({}): {}", p(target), p(why), short(text)),
        (Zh, Unreadable) => "收到一行无法读取的内容（不是 UTF-8，或太长）".to_owned(),
        (En, Unreadable) => "a line could not be read (it is not UTF-8, or too long)".to_owned(),
        (Zh, NickRefused { nick, why }) => format!("不能用名字 {}：{}", p(nick), p(why)),
        (En, NickRefused { nick, why }) => format!("cannot take the name {}: {}", p(nick), p(why)),
        (Zh, Connected { nick, again: false }) => format!("已连接，你是 {}", p(nick)),
        (En, Connected { nick, again: false }) => format!("connected; you are {}", p(nick)),
        (Zh, Connected { nick, again: true }) => format!("已重新连接，你是 {}", p(nick)),
        (En, Connected { nick, again: true }) => format!("connected again; you are {}", p(nick)),
        (_, Shared(files)) => shared::shared(language, files),
        (_, LoggedIn { name, number }) => account::logged_in(language, name, number.as_deref()),
        (_, NotLoggedIn { wanted, name, fault }) => account::not_logged_in(language, *wanted, name, fault),
        (_, KeyAccepted { server, key, replaced }) => key::accepted(language, server, key, *replaced),
        (_, Lost(trouble)) => lost(language, trouble),
        (_, Failed(trouble)) => failed(language, trouble),
    }
}

fn lost(language: Language, trouble: &Trouble) -> String {
    let why = reason(language, trouble);
    match language {
        Language::Zh => format!("连接断开（{why}），正在重新连接；期间输入的内容稍后发送"),
        Language::En => format!("the link broke ({why}); reconnecting, what you type is sent later"),
    }
}

fn failed(language: Language, trouble: &Trouble) -> String {
    if let Trouble::NoLogin(name, fault) = trouble {
        return account::not_logged_in(language, super::account::Wanted::LogIn, name, fault);
    }
    let why = reason(language, trouble);
    match language {
        Language::Zh => format!("无法连接：{why}"),
        Language::En => format!("cannot connect: {why}"),
    }
}

fn reason(language: Language, trouble: &Trouble) -> String {
    use Language::{En, Zh};
    match (language, trouble) {
        (Zh, Trouble::NoHost) => "找不到这个主机，请检查地址".to_owned(),
        (En, Trouble::NoHost) => "no such host; check the address".to_owned(),
        (Zh, Trouble::NobodyListens) => "那里没有服务器在运行，请检查端口".to_owned(),
        (En, Trouble::NobodyListens) => "no server runs there; check the port".to_owned(),
        (Zh, Trouble::NoAnswer) => "没有回应".to_owned(),
        (En, Trouble::NoAnswer) => "no answer".to_owned(),
        (Zh, Trouble::Closed(None)) => "服务器关闭了连接".to_owned(),
        (En, Trouble::Closed(None)) => "the server closed it".to_owned(),
        (Zh, Trouble::Closed(Some(words))) => format!("服务器说：{}", printable(words)),
        (En, Trouble::Closed(Some(words))) => format!("the server says: {}", printable(words)),
        (Zh, Trouble::Silent) => "太久没有听到服务器的声音".to_owned(),
        (En, Trouble::Silent) => "nothing was heard from the server for too long".to_owned(),
        (Zh, Trouble::NoNick(words)) => format!("没有可用的名字：{}", printable(words)),
        (En, Trouble::NoNick(words)) => format!("no name was accepted: {}", printable(words)),
        (_, Trouble::NoLogin(name, fault)) => account::fault_of(language, name, fault),
        (_, Trouble::NoTls(said)) => key::no_tls(language, said.as_deref()),
        (_, Trouble::OnlyTls) => key::only_tls(language).to_owned(),
        (_, Trouble::Tls(words)) => key::tls(language, words),
        (_, Trouble::Distrusted(why)) => key::distrusted(language, why),
        (_, Trouble::Other(words)) => printable(words).into_owned(),
    }
}

fn because(why: &str) -> String {
    if why.is_empty() { String::new() } else { format!(" ({})", printable(why)) }
}

fn people(count: usize) -> String {
    if count == 1 { "1 person".to_owned() } else { format!("{count} people") }
}

fn list(names: &[Box<str>]) -> String {
    let mut listed: Vec<String> = names.iter().take(NAMES_LISTED).map(|name| printable(name).into_owned()).collect();
    if names.len() > NAMES_LISTED {
        listed.push("…".to_owned());
    }
    listed.join(", ")
}

/// The beginning of a message of several lines; the whole of any other.
fn short(text: &str) -> String {
    match text.split_once('\n') {
        Some((first, _)) => format!("{} …", printable(first)),
        None => printable(text).into_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn eve_does_not_reach_the_terminal() {
        let evil = "\u{1b}[2J\u{202e}x";
        let every = [
            What::Entered { names: vec![evil.into()] },
            What::Left { who: evil.into(), why: evil.into(), count: 1 },
            What::Kicked { who: evil.into(), by: evil.into(), why: evil.into(), count: 1 },
            What::Renamed { from: evil.into(), to: evil.into(), own: false },
            What::Topic { by: Some(evil.into()), text: evil.into() },
            What::Mode { by: evil.into(), change: evil.into() },
            What::Notice(evil.into()),
            What::Refused { target: evil.into(), text: evil.into(), why: evil.into() },
            What::Lost(Trouble::Closed(Some(evil.into()))),
            What::NickRefused { nick: evil.into(), why: evil.into() },
        ];
        for what in every {
            for language in [Language::Zh, Language::En] {
                let text = sentence(language, evil, &what);
                assert!(!text.contains(['\u{1b}', '\u{202e}']), "{text:?}");
            }
        }
    }

    #[test]
    fn both_languages_speak_in_their_own_letters() {
        let has_chinese = |text: &str| text.chars().any(|c| ('\u{4e00}'..='\u{9fff}').contains(&c));
        let sayings = [
            Saying::AskNick,
            Saying::AskOtherNick(Some("anna2")),
            Saying::AskOtherNick(None),
            Saying::BadNick(BadName::Space),
            Saying::AskWho,
            Saying::AskText("ben"),
            Saying::NotHere("ben"),
            Saying::TalkingTo("#a"),
            Saying::NotIn("#a"),
            Saying::UnknownCommand("/x", None),
            Saying::UnknownCommand("/hlep", Some("help")),
            Saying::NearlyACommand("!hlep", "help"),
            Saying::NoTalk(7),
            Saying::Talk(TalkLine { number: 1, name: "#a", people: Some(2), unread: 3, is_current: true }),
            Saying::Talk(TalkLine { number: 2, name: "ben", people: None, unread: 0, is_current: false }),
            Saying::Unread("#a", 2, 0),
            Saying::Unread("#a", 200, 7),
            Saying::Keys,
            Saying::ComingBack(&Trouble::Silent, 1, 3, 2),
            Saying::OnTheWay(1),
            Saying::Searching("x"),
            Saying::TooMuchWaits,
            Saying::Usage("/x"),
            Saying::Undelivered(2),
        ];
        for saying in sayings {
            assert!(has_chinese(&say(Language::Zh, &saying)), "{saying:?}");
            assert!(!has_chinese(&say(Language::En, &saying)), "{saying:?}");
        }
        let troubles = [
            Trouble::NoHost,
            Trouble::NobodyListens,
            Trouble::NoAnswer,
            Trouble::Closed(None),
            Trouble::Silent,
            Trouble::NoNick("x".into()),
        ];
        for trouble in troubles {
            assert!(has_chinese(&reason(Language::Zh, &trouble)), "{trouble:?}");
            assert!(!has_chinese(&reason(Language::En, &trouble)), "{trouble:?}");
        }
    }

    #[test]
    fn the_locale_chooses_the_language() {
        let of = |set: &[(&str, &str)]| {
            Language::of_environment(|name| {
                set.iter().find(|(key, _)| *key == name).map(|(_, value)| (*value).to_owned())
            })
        };
        assert_eq!(of(&[("LANG", "zh_CN.UTF-8")]), Language::Zh);
        assert_eq!(of(&[("LANG", "zh_CN.UTF-8"), ("LC_ALL", "C.UTF-8")]), Language::En);
        assert_eq!(of(&[("LANG", "zh_TW"), ("LC_ALL", "")]), Language::Zh);
        assert_eq!(of(&[]), Language::En);
    }
}
