//! What a typed line means.

use crate::wire::name::Nick;

/// The commands that the server answers, in both languages, as `product.md` of the design and `!help` list them. With `/` only these
/// are passed on: a slip of the fingers should not be said to everybody.
const SERVER_COMMANDS: &[&str] = &[
    "help",
    "帮助",
    "howmany",
    "人数",
    "users",
    "user",
    "用户",
    "register",
    "注册",
    "login",
    "登录",
    "create",
    "创建群",
    "join",
    "加群",
    "invite",
    "邀请",
    "leave",
    "退群",
    "groups",
    "群列表",
    "history",
    "聊天记录",
    "search",
    "搜索",
    "ls",
    "查看文件",
    "get",
    "下载文件",
    "put",
    "上传文件",
    "send",
    "发文件",
    "rm",
    "删除文件",
    "kick",
    "踢",
    "ban",
    "封",
    "unban",
    "解封",
    "mute",
    "禁言",
    "unmute",
    "topic",
    "主题",
];

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
    /// Talk to another room.
    Room(Box<str>),
    /// Leave the server.
    Quit,
    /// The command is known and its words are not right: how it is written.
    Usage(&'static str),
    /// A `/` command that nobody knows.
    Unknown(Box<str>),
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
    if let Some(command) = command(line) {
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
    let mark = line.chars().next().filter(|c| matches!(c, '!' | '！' | '/'))?;
    let rest = &line[mark.len_utf8()..];
    // "!!text" is the server's to unwrap; "/ text", "//" and "/*" are what people write, too.
    if !rest.starts_with(char::is_alphanumeric) {
        return None;
    }
    let (name, words) = cut(rest);
    let lower = name.to_lowercase();
    let one = || Some(cut(words).0).filter(|word| !word.is_empty());
    let is_room = |name: &str| name.starts_with(['#', '&']);
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
        "me" if !words.is_empty() => Typed::Say(format!("\u{1}ACTION {words}\u{1}").into()),
        "join" if one().is_some_and(is_room) => Typed::Join(cut(words).0.into()),
        "part" if words.is_empty() || one().is_some_and(is_room) => Typed::Part(one().map(Into::into)),
        "room" if one().is_some_and(is_room) => Typed::Room(cut(words).0.into()),
        "room" => Typed::Usage("/room #NAME"),
        _ if mark != '/' => return None,
        known if SERVER_COMMANDS.contains(&known) => Typed::Say(format!("!{rest}").into()),
        _ => Typed::Unknown(format!("/{name}").into()),
    })
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
        assert_eq!(typed("PC"), Typed::AskTo);
        assert_eq!(typed("/me waves"), say("\u{1}ACTION waves\u{1}"));
    }

    #[test]
    fn what_the_server_answers_is_passed_on_and_slips_are_not() {
        assert_eq!(typed("/users"), say("!users"));
        assert_eq!(typed("/search 上海"), say("!search 上海"));
        assert_eq!(typed("！聊天记录*20"), say("！聊天记录*20"));
        assert_eq!(typed("!join 1000"), say("!join 1000"));
        assert_eq!(typed("!wow"), say("!wow"));
        assert_eq!(typed("/mgs ben secret"), Typed::Unknown("/mgs".into()));
        assert_eq!(typed("/etc/passwd"), Typed::Unknown("/etc/passwd".into()));
    }
}
