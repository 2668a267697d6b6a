//! What a typed line means.

use super::account::Wanted;
use super::commands;
use crate::wire::name::Nick;

mod files;

pub use files::{FileWish, Paths, wants_names, words_before_paths};

/// A typed line, understood.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Typed {
    /// Nothing was typed.
    Nothing,
    /// A text for the room that is talked to; commands that the server answers are such texts too.
    Say(Box<str>),
    /// A private message.
    To {
        /// For whom.
        who: Box<str>,
        /// The text.
        text: Box<str>,
    },
    /// A private message whose parts are asked for.
    AskTo,
    /// Another nick.
    Nick(Box<str>),
    /// Enter a room and talk there.
    Join(Box<str>),
    /// Leave a room; the one that is talked to when `None`.
    Part(Option<Box<str>>),
    /// Talk to another room or person that there is talk with already: a name, or a number.
    Room(Box<str>),
    /// Talk to a person alone from here on.
    Query(Box<str>),
    /// The rooms and people that there is talk with.
    Rooms,
    /// An empty screen.
    Clear,
    /// What can be typed: the client's part, and this line to the server for the rest.
    Help(Box<str>),
    /// Log in, or register, under this name; the password is asked for when `None`.
    Account(Wanted, Box<str>, Option<Box<str>>),
    /// Another password for the account; the line to the server.
    Password(Box<str>, Box<str>),
    /// Find what was said with these words; the line to the server where the client cannot show what is found.
    Search(Box<str>, Box<str>),
    /// Something with files; the line to the server where it has no cloud for them.
    Files(FileWish, Box<str>),
    /// Do not log in by itself any more.
    Forget,
    /// Leave the server.
    Quit,
    /// The command is known and its words are not right: how it is written.
    Usage(&'static str),
    /// A `/` command that nobody knows, and the one that was probably meant.
    Unknown(Box<str>, Option<&'static str>),
}

/// Understands a line. `is_here` says whether somebody of that name is here.
pub fn read(line: &str, is_here: impl Fn(&str) -> bool) -> Typed {
    let line = line.trim_end_matches(['\r', '\n']);
    if line.trim().is_empty() {
        return Typed::Nothing;
    }
    if line.trim() == "PC" {
        return Typed::AskTo;
    }
    // What was pasted in several lines is a text, whatever it starts with.
    if !line.contains('\n')
        && let Some(command) = command(line)
    {
        return command;
    }
    let tilde = line.rfind(['~', '～']);
    if let Some((text, who)) =
        tilde.map(|at| (line[..at].trim_end(), line[at..].trim_start_matches(['~', '～']).trim()))
        && !text.is_empty()
        && !who.is_empty()
        && is_here(who)
    {
        return Typed::To { who: who.into(), text: text.into() };
    }
    Typed::Say(line.into())
}

/// A line with `!`, `！` or `/` in front; `None` when it is talk all the same.
fn command(line: &str) -> Option<Typed> {
    let mark = line.chars().next().filter(|c| commands::is_mark(*c))?;
    let rest = &line[mark.len_utf8()..];
    // "!!text" is the server's to unwrap; "/ text", "//" and "/*" are what people write, too.
    if !rest.starts_with(char::is_alphanumeric) {
        return None;
    }
    let (name, words) = cut(rest);
    let lower = name.to_lowercase();
    let one = || Some(cut(words).0).filter(|word| !word.is_empty());
    let is_room = |name: &str| name.starts_with(['#', '&']);
    let is_slash = matches!(mark, '/' | '／');
    if let Some(wish) = files::read(&lower, &rest[name.len()..]) {
        return Some(wish.map_or_else(Typed::Usage, |wish| Typed::Files(wish, format!("!{rest}").into())));
    }
    Some(match &*lower {
        "bye" | "quit" | "退出" => Typed::Quit,
        "nick" | "改名" => match one().map(Nick::parse) {
            Some(Ok(nick)) => Typed::Nick(nick.as_str().into()),
            // The server says what is wrong with it.
            Some(Err(_)) => Typed::Nick(cut(words).0.into()),
            None => Typed::Usage("!nick NAME"),
        },
        "msg" | "私聊" => match cut(words) {
            (who, text) if !who.is_empty() && !text.is_empty() => Typed::To { who: who.into(), text: text.into() },
            _ => Typed::Usage("!msg WHO TEXT"),
        },
        "pc" => Typed::AskTo,
        "me" | "动作" if !words.is_empty() => Typed::Say(format!("\u{1}ACTION {words}\u{1}").into()),
        "join" | "进入" | "加群" => match one() {
            Some(room) if is_room(room) => Typed::Join(room.into()),
            // A group by its number.
            Some(room) if room.bytes().all(|b| b.is_ascii_digit()) => Typed::Join(room.into()),
            Some(room) if is_slash => Typed::Join(format!("#{room}").into()),
            _ if is_slash => Typed::Usage("/join #ROOM, /join 1000"),
            _ => return None,
        },
        "part" | "离开" if words.is_empty() || one().is_some_and(is_room) => Typed::Part(one().map(Into::into)),
        "room" | "房间" => one().map_or(Typed::Usage("/room #NAME, /room 2"), |name| Typed::Room(name.into())),
        "rooms" | "房间列表" => Typed::Rooms,
        "query" | "对话" => one().map_or(Typed::Usage("/query WHO"), |who| Typed::Query(who.into())),
        "clear" | "清屏" => Typed::Clear,
        "login" | "登录" => account(Wanted::LogIn, words),
        "register" | "注册" => account(Wanted::Register, words),
        "search" | "搜索" => Typed::Search(words.replace(['*', '＊'], " ").trim().into(), format!("!{rest}").into()),
        "password" | "passwd" | "改密码" | "改口令" if !words.is_empty() => {
            Typed::Password(words.into(), format!("!{rest}").into())
        }
        "forget" | "忘记" if words.is_empty() => Typed::Forget,
        "help" | "帮助" => Typed::Help(format!("!{rest}").into()),
        _ if !is_slash => return None,
        known if commands::OF_SERVER.contains(&known) => Typed::Say(format!("!{rest}").into()),
        _ => Typed::Unknown(format!("/{name}").into(), commands::nearest(&lower)),
    })
}

fn account(wanted: Wanted, words: &str) -> Typed {
    match (cut(words), wanted) {
        (("", _), Wanted::LogIn) => Typed::Usage("/login NAME PASSWORD, ！登录*名字*密码"),
        (("", _), Wanted::Register) => Typed::Usage("/register NAME PASSWORD, ！注册*名字*密码"),
        ((name, password), _) => {
            Typed::Account(wanted, name.into(), Some(password).filter(|word| !word.is_empty()).map(Into::into))
        }
    }
}

/// The first word and the rest; words are separated by spaces or `*`.
fn cut(text: &str) -> (&str, &str) {
    let is_between = |c: char| c.is_whitespace() || matches!(c, '*' | '＊');
    let text = text.trim_start_matches(is_between);
    match text.find(is_between) {
        Some(at) => (&text[..at], text[at..].trim_start_matches(is_between).trim_end()),
        None => (text, ""),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn typed(line: &str) -> Typed {
        read(line, |who| matches!(who, "小阳" | "ben"))
    }

    fn say(text: &str) -> Typed {
        Typed::Say(text.into())
    }

    #[test]
    fn talk_is_talk() {
        for line in ["你好", "  hello", "/ and so on", "// a remark", "/* c */", "!!bye", "! hey", "3~4", "~ben", "! !"]
        {
            assert_eq!(typed(line), say(line), "{line}");
        }
        assert_eq!(typed("你好\r\n"), say("你好"));
        assert_eq!((typed(""), typed(" \n")), (Typed::Nothing, Typed::Nothing));
    }

    #[test]
    fn a_tilde_and_a_name_make_it_private() {
        let to = |who: &str, text: &str| Typed::To { who: who.into(), text: text.into() };
        assert_eq!(typed("嘘~小阳"), to("小阳", "嘘"));
        assert_eq!(typed("a ~ b～ ben"), to("ben", "a ~ b"));
        assert_eq!(typed("hello~eve"), say("hello~eve"));
        assert_eq!(typed("!msg ben  hello there"), to("ben", "hello there"));
        assert_eq!(typed("！私聊*小阳*你好 呀"), to("小阳", "你好 呀"));
        assert_eq!(typed("/msg ben"), Typed::Usage("!msg WHO TEXT"));
    }

    #[test]
    fn commands_work_in_both_languages_and_with_each_mark() {
        for line in ["!bye", "/quit", "！退出", "!BYE now", "/退出"] {
            assert_eq!(typed(line), Typed::Quit, "{line}");
        }
        assert_eq!(typed("！改名*小阴"), Typed::Nick("小阴".into()));
        assert_eq!(typed("/nick anna"), Typed::Nick("anna".into()));
        assert_eq!(typed("/join #other"), Typed::Join("#other".into()));
        assert_eq!(typed("/part"), Typed::Part(None));
        assert_eq!(typed("/room #lobby"), Typed::Room("#lobby".into()));
        assert_eq!(typed("/join 茶"), Typed::Join("#茶".into()));
        for line in ["/join 1000", "!join 1000", "！加群*1000"] {
            assert_eq!(typed(line), Typed::Join("1000".into()));
        }
        assert_eq!(typed("/room 2"), Typed::Room("2".into()));
        assert_eq!((typed("/房间列表"), typed("/对话 小阳")), (Typed::Rooms, Typed::Query("小阳".into())));
        assert_eq!(typed("！帮助*踢"), Typed::Help("!帮助*踢".into()));
        assert_eq!(typed("/ls"), Typed::Files(FileWish::List(None), "!ls".into()));
        assert_eq!(typed("！查看文件"), Typed::Files(FileWish::List(None), "!查看文件".into()));
        assert!(matches!(typed("!put"), Typed::Usage(_)));
        assert_eq!(typed("!bye\n!quit"), say("!bye\n!quit"));
        assert_eq!(typed("PC"), Typed::AskTo);
        assert_eq!(typed("/me waves"), say("\u{1}ACTION waves\u{1}"));
    }

    #[test]
    fn accounts_are_the_clients_business() {
        let account =
            |wanted, name: &str, password: Option<&str>| Typed::Account(wanted, name.into(), password.map(Into::into));
        for line in ["!login anna correct horse", "/login anna correct horse", "！登录*anna*correct horse"] {
            assert_eq!(typed(line), account(Wanted::LogIn, "anna", Some("correct horse")), "{line}");
        }
        assert_eq!(typed("/登录 1000"), account(Wanted::LogIn, "1000", None));
        assert_eq!(typed("！注册*小阳*开门开门"), account(Wanted::Register, "小阳", Some("开门开门")));
        assert!(matches!((typed("/login"), typed("/forget")), (Typed::Usage(_), Typed::Forget)));
        assert_eq!(typed("!forget it"), say("!forget it"));
    }

    #[test]
    fn what_the_server_answers_is_passed_on_and_slips_are_not() {
        assert_eq!(typed("/users"), say("!users"));
        let search = Typed::Search("上海 茶".into(), "!search 上海 茶".into());
        assert_eq!((typed("/search 上海 茶"), typed("!search 上海 茶")), (search.clone(), search));
        assert_eq!(typed("！搜索*上海"), Typed::Search("上海".into(), "!搜索*上海".into()));
        assert_eq!(typed("！聊天记录*20"), say("！聊天记录*20"));
        assert_eq!(typed("！创建群*茶"), say("！创建群*茶"));
        assert_eq!(typed("!wow"), say("!wow"));
        assert_eq!(typed("/mgs ben secret"), Typed::Unknown("/mgs".into(), Some("msg")));
        assert_eq!(typed("/etc/passwd"), Typed::Unknown("/etc/passwd".into(), None));
    }
}
