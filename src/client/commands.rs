//! What can be typed behind `!`, `！` and `/`, in both languages, and which of it somebody meant.

/// The commands that the server answers, as its `!help` lists them, and those that it keeps for passwords.
pub const OF_SERVER: &[&str] = &[
    "help",
    "帮助",
    "howmany",
    "人数",
    "users",
    "user",
    "用户",
    "history",
    "聊天记录",
    "search",
    "搜索",
    "topic",
    "主题",
    "kick",
    "踢",
    "ban",
    "封",
    "unban",
    "解封",
    "mute",
    "禁言",
    "unmute",
    "解禁言",
    "password",
    "passwd",
    "改口令",
    "改密码",
    "create",
    "创建群",
    "建群",
    "invite",
    "邀请",
    "decline",
    "拒绝",
    "leave",
    "退群",
    "groups",
    "群列表",
    "delete",
    "解散群",
    "op",
    "任命",
    "deop",
    "免职",
    "owner",
    "转让",
];

/// The commands that the client carries out.
pub const OF_CLIENT: &[&str] = &[
    "bye",
    "quit",
    "退出",
    "nick",
    "改名",
    "msg",
    "私聊",
    "me",
    "动作",
    "join",
    "进入",
    "加群",
    "part",
    "离开",
    "room",
    "房间",
    "rooms",
    "房间列表",
    "query",
    "对话",
    "clear",
    "清屏",
    "register",
    "注册",
    "login",
    "登录",
    "forget",
    "忘记",
    "put",
    "上传文件",
    "ft",
    "传文件",
    "get",
    "下载文件",
    "ls",
    "查看文件",
    "rm",
    "删除文件",
    "send",
    "发文件",
    "cancel",
    "取消",
    "transfers",
    "传输",
];

/// Those that carry passwords: they are neither shown nor remembered.
const SECRET: &[&str] = &["register", "注册", "login", "登录", "oper", "password", "passwd", "改口令", "改密码"];

/// Letters that a word may differ in to be a slip of the fingers.
const SLIPS: usize = 2;

/// The mark in front of a command.
pub fn is_mark(c: char) -> bool {
    matches!(c, '!' | '！' | '/' | '／')
}

/// The name of the command in a line, in small letters; `None` when nothing in it looks like one.
pub fn name_in(line: &str) -> Option<String> {
    let rest = line.trim_start().strip_prefix(is_mark)?;
    let end = rest.find(|c: char| c.is_whitespace() || matches!(c, '*' | '＊')).unwrap_or(rest.len());
    Some(rest[..end].to_lowercase()).filter(|name| name.starts_with(char::is_alphanumeric))
}

/// Whether a line may have a password in it, also when the command is misspelled.
pub fn is_secret(line: &str) -> bool {
    name_in(line).is_some_and(|name| {
        SECRET.contains(&&*name) || !is_known(&name) && SECRET.iter().any(|secret| is_near(secret, &name))
    })
}

/// Whether there is a command of this name.
pub fn is_known(name: &str) -> bool {
    all().any(|known| known == name)
}

/// Every command.
pub fn all() -> impl Iterator<Item = &'static str> {
    OF_CLIENT.iter().chain(OF_SERVER).copied()
}

/// The command that somebody probably meant.
pub fn nearest(name: &str) -> Option<&'static str> {
    all().filter(|known| is_near(known, name)).min_by_key(|known| distance(known, name))
}

/// Whether a word may be a misspelled command. A short word is near to everything; at least half of it has to be right.
fn is_near(known: &str, name: &str) -> bool {
    let far = distance(known, name);
    far <= SLIPS && far * 2 <= name.chars().count().min(known.chars().count())
}

/// The command that a `!` word is one slip away from. Only long words count: short ones are more likely to be talk (`!wow`, `！帮忙`).
pub fn slip_of(name: &str) -> Option<&'static str> {
    let is_long = |word: &str| word.chars().count() >= if word.is_ascii() { 4 } else { 3 };
    all().find(|known| is_long(known) && is_long(name) && distance(known, name) == 1)
}

/// How many letters have to be put in, left out, exchanged, or swapped with their neighbour.
fn distance(one: &str, other: &str) -> usize {
    let (one, other): (Vec<char>, Vec<char>) = (one.chars().collect(), other.chars().collect());
    let mut before_last: Vec<usize> = Vec::new();
    let mut last: Vec<usize> = (0..=other.len()).collect();
    for i in 0..one.len() {
        let mut row = vec![i + 1];
        for j in 0..other.len() {
            let exchanged = last[j] + usize::from(one[i] != other[j]);
            let mut least = exchanged.min(last[j + 1] + 1).min(row[j] + 1);
            if i > 0 && j > 0 && one[i] == other[j - 1] && one[i - 1] == other[j] {
                least = least.min(before_last[j - 1] + 1);
            }
            row.push(least);
        }
        before_last = std::mem::replace(&mut last, row);
    }
    last[other.len()]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_distance_counts_slips_of_the_fingers() {
        for (one, other, far) in [
            ("users", "users", 0),
            ("users", "uesrs", 1),
            ("users", "user", 1),
            ("搜索", "收索", 1),
            ("", "abc", 3),
            ("kick", "lock", 2),
        ] {
            assert_eq!((distance(one, other), distance(other, one)), (far, far), "{one} {other}");
        }
    }

    #[test]
    fn the_nearest_command_is_found_in_both_languages() {
        for (typed, meant) in
            [("hlep", "help"), ("mgs", "msg"), ("聊天纪录", "聊天记录"), ("histroy", "history"), ("rom", "room")]
        {
            assert_eq!(nearest(typed), Some(meant), "{typed}");
        }
        assert_eq!((nearest("etc/passwd"), nearest("x"), nearest("天气")), (None, None, None));
    }

    #[test]
    fn exclamations_are_talk_and_slips_in_long_commands_are_not() {
        assert_eq!(
            (slip_of("hlep"), slip_of("聊天纪录"), slip_of("histroy")),
            (Some("help"), Some("聊天记录"), Some("history"))
        );
        for talk in ["wow", "帮忙", "hey", "no", "用途", "help"] {
            assert_eq!(slip_of(talk), None, "{talk}");
        }
    }

    #[test]
    fn passwords_are_recognised_even_behind_a_slip() {
        for line in [
            "!login anna secret",
            "！注册*小阳*secret",
            "/LOGIN x y",
            "!lgoin anna secret",
            "  /regsiter a b",
            "！改口令*geheim",
        ] {
            assert!(is_secret(line), "{line}");
        }
        for line in ["login anna", "!join #a", "!history", "hello", "!me logs in"] {
            assert!(!is_secret(line), "{line}");
        }
    }
}
