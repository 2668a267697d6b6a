//! What simulated people type: mostly sense, sometimes nonsense.

use crate::wire::caps::MULTILINE;
use crate::wire::line::Line;

use super::super::ConnId;
use super::dice::Dice;
use super::files;

const NICKS: &[&str] = &["anna", "ben", "小阳", "eve", "ANNA", "\u{430}nna", "张三", "bob_", "x", "阿明", "admin"];
const ROOMS: &[&str] = &["#lobby", "#lobby", "#a", "#A", "#小屋", "#b"];
const CAPS: &[&str] = &[
    "server-time",
    "message-tags",
    "batch",
    "echo-message",
    "labeled-response",
    "multi-prefix",
    "userhost-in-names",
    "extended-join",
    "account-tag",
    "account-notify",
    "away-notify",
    "invite-notify",
    "setname",
    "standard-replies",
    "draft/no-implicit-names",
    "draft/chathistory",
    "gzy/long-lines",
    "gzy/files",
    "soju.im/search",
    "draft/read-marker",
    "draft/message-redaction",
    "draft/multiline",
];
const MODES: &[&str] = &[
    "+i",
    "-i",
    "+m",
    "-m",
    "+n",
    "-n",
    "+s",
    "-s",
    "+t",
    "+k key",
    "-k key",
    "+l 3",
    "-l",
    "+b eve!*@*",
    "-b eve!*@*",
    "+b m:ben!*@*",
    "+b",
    "+e *!*@*.gzy",
    "+I anna!*@*",
    "+ov anna ben",
    "-o anna",
    "+v 小阳",
    "+mnik key",
    "-mnik key",
    "+zzz",
    "",
];
const BANGS: &[&str] = &[
    "!help",
    "！帮助*踢",
    "!howmany",
    "！用户",
    "!nick ben2",
    "！改名*小阳",
    "!history 5",
    "！聊天记录",
    "!history admin 5",
    "!search 上海 in:admin",
    "!search 上海",
    "！搜索*海*来自:小阳",
    "!topic 作业",
    "!kick eve enough",
    "！封*eve",
    "!unban eve",
    "！禁言*ben",
    "!unmute ben",
    "!bye",
    "!login anna secret",
    "!!literal",
    "!no such command",
];
/// What only those ask for who have accounts and groups.
const GROUP_ERRANDS: &[&str] = &[
    "PRIVMSG #lobby :!login anna right",
    "PRIVMSG #lobby :！登录*小阳*right",
    "PRIVMSG #lobby :!login dora right",
    "PRIVMSG #lobby :!create a",
    "PRIVMSG #lobby :！创建群*小屋*私密",
    "PRIVMSG #lobby :!create b private",
    "PRIVMSG #lobby :!groups",
    "PRIVMSG #lobby :!join a",
    "PRIVMSG #lobby :！加群*1000",
    "PRIVMSG #lobby :!join 1001",
    "PRIVMSG #lobby :!delete 1000",
    "PRIVMSG #lobby :！解散群*1001",
    "PRIVMSG #lobby :!decline 1000",
    "PRIVMSG #a :!leave",
    "PRIVMSG #b :！退群",
    "PRIVMSG #a :!op 小阳",
    "PRIVMSG #b :!deop anna",
    "PRIVMSG #a :!owner dora",
    "PRIVMSG #a :!users",
    "PRIVMSG #a :!ban dora",
    "PRIVMSG #b :！封*anna",
    "PRIVMSG #a :！解封*dora",
    "PRIVMSG #a :!mute 1002",
    "PRIVMSG #a :!history",
    "JOIN #a,#b,#小屋",
    "JOIN #a",
    "JOIN #小屋",
    "JOIN 1000",
    "JOIN 1001 key",
    "PART #1000",
    "INVITE dora #a",
    "INVITE 1001 #b",
    "INVITE 小阳 #小屋",
    "INVITE anna #a",
    "INVITE",
    "MODE #a +q anna",
    "MODE #a +o dora",
    "MODE #b +oov 小阳 1003 anna",
    "MODE #a -o dora",
    "MODE #a +is",
    "MODE #a -is",
    "MODE #小屋 -is",
    "KICK #a dora :出去",
    "KICK #b 小阳",
    "KICK #小屋 1001",
    "NAMES #a,#b",
    "WHO #a",
    "WHO #a %nfar",
    "LIST",
    "TOPIC #a :龙井",
    "QUIT :睡了",
    "MARKREAD #a timestamp=2026-11-20T13:30:00.000Z",
];

const QUESTIONS: &[&str] = &[
    "NAMES",
    "NAMES #lobby",
    "LIST",
    "LIST >1",
    "WHO #lobby",
    "WHO *",
    "WHO #a %tcuihsnfdlaor,7",
    "WHOIS anna",
    "WHOIS 小阳",
    "WHOWAS eve",
    "USERHOST anna ben",
    "ISON anna ben eve",
    "MONITOR + anna,ben,eve",
    "MONITOR - ben",
    "MONITOR L",
    "MONITOR S",
    "MONITOR C",
    "AWAY :吃饭",
    "AWAY",
    "SETNAME :阳光",
    "MODE anna",
    "MODE x +iBw",
    "MODE ben -iBw",
    "MOTD",
    "LUSERS",
    "VERSION",
    "TIME",
    "INFO",
    "HELP",
    "HELP JOIN",
    "LINKS",
    "ADMIN",
    "WALLOPS :注意",
    "OPER admin right",
    "OPER admin wrong",
    "OPER nobody right",
    "KILL eve :enough",
    "CHATHISTORY LATEST #lobby * 20",
    "CHATHISTORY BEFORE #a timestamp=2030-01-01T00:00:00.000Z 5",
    "CHATHISTORY AFTER #lobby msgid=0000000000000001 50",
    "CHATHISTORY LATEST #lobby timestamp=2026-11-20T13:19:22.000Z 10",
    "CHATHISTORY BEFORE #lobby msgid=zzz 5",
    "CHATHISTORY BEFORE #a msgid=NEWEST 30",
    "CHATHISTORY AROUND #b msgid=NEWEST 20",
    "CHATHISTORY BETWEEN #lobby msgid=NEWEST timestamp=2026-11-20T13:19:22.000Z 10",
    "CHATHISTORY LATEST admin * 20",
    "CHATHISTORY LATEST 1000 * 20",
    "CHATHISTORY TARGETS timestamp=2030-01-01T00:00:00.000Z timestamp=2020-01-01T00:00:00.000Z 3",
    "SEARCH text=上海",
    "SEARCH in=#a;limit=5",
    "SEARCH from=ben;text=上海;after=2026-11-20T13:19:22.000Z",
    "REDACT #lobby NEWEST :手滑",
    "REDACT #a NEWEST",
    "REDACT admin NEWEST",
    "MARKREAD #lobby timestamp=2026-11-20T13:19:22.000Z",
    "MARKREAD #a",
    "MARKREAD admin timestamp=2026-11-20T13:19:25.000Z",
    "PING 1",
    "PONG",
    "USER again 0 * :again",
    "PASS word",
    "CAP LS 302",
    "CAP LIST",
];

/// Something typed, and what is to be checked about it.
#[derive(Clone, Debug)]
pub struct Typed {
    /// The line, or those of a message of several lines, with `\n` between them.
    pub line: String,
    /// The number of the message in it; each has its own.
    pub number: Option<u64>,
    /// The label on it; each has its own.
    pub label: Option<u64>,
}

/// Numbers messages and labels, and remembers what may be sent again.
#[derive(Default)]
pub struct Script {
    /// There are accounts, and groups.
    has_groups: bool,
    last_number: u64,
    last_label: u64,
    sendable_again: Vec<(u64, String)>,
}

/// The lines with which somebody comes in. The second value says whether capabilities are left alone from there on.
pub fn hello(dice: &mut Dice) -> Vec<String> {
    let mut lines = vec![format!("NICK {}", dice.pick(NICKS)), "USER u 0 * :真名".to_owned()];
    if dice.percent(70) {
        // Some programs take everything, which is the only way to some things.
        let chance = if dice.percent(30) { 100 } else { 50 };
        let wanted: Vec<&str> = CAPS.iter().filter(|_| dice.percent(chance)).copied().collect();
        lines.insert(0, format!("CAP REQ :{}", wanted.join(" ")));
        lines.push("CAP END".into());
    }
    lines
}

impl Script {
    /// Nothing was typed yet.
    pub fn new(has_groups: bool) -> Script {
        Script { has_groups, ..Script::default() }
    }

    /// Nothing of before is sent again.
    pub fn forget_sendable(&mut self) {
        self.sendable_again.clear();
    }

    /// The next line of somebody.
    pub fn next(&mut self, dice: &mut Dice) -> Typed {
        let label = dice.percent(30).then(|| {
            self.last_label += 1;
            self.last_label
        });
        let (line, number) = match dice.roll(100) {
            0..20 if self.has_groups => (dice.pick(GROUP_ERRANDS).to_owned(), None),
            0..45 => self.talk(dice),
            45..50 => self.again(dice),
            50..60 => (errand(dice), None),
            60..72 => (format!("{} {}", dice.pick(&["JOIN", "JOIN", "PART"]), dice.pick(ROOMS)), None),
            72..80 => (format!("MODE {} {}", dice.pick(ROOMS), dice.pick(MODES)), None),
            80..84 => (format!("PRIVMSG {} :{}", dice.pick(ROOMS), dice.pick(BANGS)), None),
            84..87 => (files::line(dice), None),
            87..97 => (dice.pick(QUESTIONS).to_owned(), None),
            _ => (rubbish(dice), None),
        };
        let line = match label {
            Some(label) if line.starts_with('@') => format!("@label={label};{}", &line[1..]),
            Some(label) => format!("@label={label} {line}"),
            None => line,
        };
        // What is no line at all is not answered.
        let label = label.filter(|_| line.lines().next().and_then(Line::parse).is_some());
        Typed { line, number, label }
    }

    fn talk(&mut self, dice: &mut Dice) -> (String, Option<u64>) {
        self.last_number += 1;
        let number = self.last_number;
        let to = match dice.roll(10) {
            0..6 => dice.pick(ROOMS).to_owned(),
            6..8 => dice.pick(NICKS).to_owned(),
            8 => format!("{},{}", dice.pick(&["#a", "#b"]), dice.pick(&["#lobby", "anna", "nobody"])),
            _ => "anna,小阳".to_owned(),
        };
        if dice.percent(8) {
            return (format!("@+typing=active TAGMSG {to}"), None);
        }
        let verb = if dice.percent(15) { "NOTICE" } else { "PRIVMSG" };
        let long =
            if dice.percent(10) { "长话，我在上海。".repeat(dice.roll(140)) } else { "在上海".into() };
        if dice.percent(12) {
            return self.paste(dice, verb, &to, number);
        }
        let via =
            if verb == "PRIVMSG" && dice.percent(4) { format!("!msg {} ", dice.pick(NICKS)) } else { String::new() };
        let line = format!("{verb} {to} :{via}m{number} {long}");
        if via.is_empty() && dice.percent(25) && !to.contains(',') {
            let line = format!("@+gzy/id=id{number} {line}");
            self.sendable_again.push((number, line.clone()));
            return (line, Some(number));
        }
        (line, Some(number))
    }

    /// A message of several lines. Some never end, some are broken off, and not everybody has the capability.
    fn paste(&mut self, dice: &mut Dice, verb: &str, to: &str, number: u64) -> (String, Option<u64>) {
        let mut lines =
            vec![format!("BATCH +p {MULTILINE} {to}"), format!("@batch=p {verb} {to} :m{number} 床前明月光")];
        for _ in 0..dice.roll(5) {
            let long = "疑是地上霜，".repeat(dice.roll(60));
            lines.push(match dice.roll(20) {
                0..6 => format!("@batch=p;draft/multiline-concat {verb} {to} :接着 {long}"),
                6..9 => format!("@batch=p {verb} {to} :"),
                9 => format!("@batch=p {verb} #elsewhere :{long}"),
                10 => "PONG x".into(),
                11 => "ISON anna".into(),
                _ => format!("@batch=p {verb} {to} :{long}"),
            });
        }
        if dice.percent(95) {
            lines.push("BATCH -p".into());
        }
        let line = lines.join("\n");
        if dice.percent(30) && !to.contains(',') {
            let line = format!("@+gzy/id=id{number} {line}");
            self.sendable_again.push((number, line.clone()));
            return (line, Some(number));
        }
        (line, Some(number))
    }

    /// A message with a sender's own id, once more: by its sender, or by whoever its sender is after a lost link.
    fn again(&mut self, dice: &mut Dice) -> (String, Option<u64>) {
        let lately = self.sendable_again.len().min(6);
        if lately == 0 {
            return self.talk(dice);
        }
        let (number, line) = self.sendable_again[self.sendable_again.len() - 1 - dice.roll(lately)].clone();
        (line, Some(number))
    }
}

fn errand(dice: &mut Dice) -> String {
    let (room, nick) = (dice.pick(ROOMS), dice.pick(NICKS));
    match dice.roll(12) {
        0 | 1 => format!("NICK {nick}"),
        2 => format!("KICK {room} {nick} :安静"),
        3 => format!("KICK {room} anna,小阳,eve"),
        4 => format!("INVITE {nick} {room}"),
        5 => format!("TOPIC {room} :作业"),
        6 => format!("TOPIC {room}"),
        7 => format!("JOIN {room} key"),
        8 => "JOIN 0".into(),
        9 => format!("CAP REQ :{}{}", dice.pick(&["", "-"]), dice.pick(CAPS)),
        10 => format!("JOIN {},#b key", dice.pick(ROOMS)),
        _ if dice.percent(20) => "QUIT :再见".into(),
        _ => format!("PART {room} :走了"),
    }
}

/// A line that makes little sense: known commands with words that were not meant for them, or nothing known at all.
fn rubbish(dice: &mut Dice) -> String {
    const WORDS: &[&str] = &[
        "JOIN",
        "MODE",
        "KICK",
        "CAP",
        "MONITOR",
        "CHATHISTORY",
        "WHO",
        "PRIVMSG",
        "NICK",
        "FROB",
        ":",
        "::",
        "#",
        "#,#",
        "*",
        "!",
        "@",
        "@a=b",
        "+b",
        "-k",
        "%",
        "\u{7}",
        "😀",
        "\u{202e}",
        "0",
        "99999999999999999999",
        "-1",
        "LS",
        "END",
        "REQ",
        ",",
        ",,,",
        "a!b@c",
        "#小屋",
        "anna",
        ":trailing words",
        "\\:",
        "timestamp=1",
        "msgid=",
        "+",
    ];
    let count = dice.roll(6) + 1;
    let words: Vec<&str> = (0..count).map(|_| dice.pick(WORDS)).collect();
    words.join(" ")
}

/// The number of the message whose text (or whose first piece) this is.
pub fn number_in(text: &str) -> Option<u64> {
    text.strip_prefix('m')?.split_once(' ')?.0.parse().ok()
}

/// A person's line for a log of the day.
pub fn shown(conn: ConnId, typed: &Typed) -> String {
    format!("#{} {}", conn.serial, typed.line.chars().take(120).collect::<String>())
}
