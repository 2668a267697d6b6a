//! The `!` commands: what each is called, and how each is explained, in both languages.

/// The language of a command, and so of its answer.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Tongue {
    /// The command was typed by its Chinese name.
    Chinese,
    /// The command was typed by its English name.
    English,
}

impl Tongue {
    /// The sentence in this language.
    pub fn either(self, chinese: &str, english: &str) -> String {
        if self == Tongue::Chinese { chinese } else { english }.to_owned()
    }
}

/// What somebody wants.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Command {
    /// The list of commands, or one explained.
    Help,
    /// How many people are in the room.
    HowMany,
    /// Who is in the room.
    Users,
    /// Another nick.
    Nick,
    /// A private message.
    Msg,
    /// What was last said in the room.
    History,
    /// Who said a word, and when.
    Search,
    /// A new group.
    Create,
    /// Into a group.
    Join,
    /// Somebody asked into a group.
    Invite,
    /// An invitation declined.
    Decline,
    /// Out of a group for good.
    Leave,
    /// One's groups.
    Groups,
    /// The end of a group.
    Delete,
    /// An operator's office given.
    Op,
    /// An operator's office taken.
    Deop,
    /// A group given away.
    Owner,
    /// What the room is about.
    Topic,
    /// Out of the room.
    Kick,
    /// Out of the room for good.
    Ban,
    /// A ban taken back.
    Unban,
    /// Not a word from somebody.
    Mute,
    /// A mute taken back.
    Unmute,
    /// The files here.
    Ls,
    /// A file, or where it is.
    Get,
    /// A file brought.
    Put,
    /// A file for one person.
    Send,
    /// A file removed.
    Rm,
    /// Goodbye.
    Bye,
    /// A new account.
    Register,
    /// Logging in.
    Login,
    /// Another password.
    Password,
}

/// A command in one language.
pub struct Wording {
    /// What it is called, without the `!`; the first is the one that help shows.
    pub names: &'static [&'static str],
    /// What follows the name, as help shows it.
    pub takes: &'static str,
    /// What it does, in a few words.
    pub does: &'static str,
    /// What else there is to know, with an example.
    pub more: &'static str,
}

/// A command in both languages.
pub struct Entry {
    /// Which.
    pub command: Command,
    /// In English.
    pub english: Wording,
    /// In Chinese.
    pub chinese: Wording,
}

impl Command {
    /// Whether only those who run a room or a group have a use for it.
    pub fn is_for_operators(self) -> bool {
        use Command::*;
        matches!(self, Kick | Ban | Unban | Mute | Unmute | Op | Deop | Owner | Delete)
    }

    /// Whether it is about files; help shows these in one line.
    pub fn is_about_files(self) -> bool {
        matches!(self, Command::Ls | Command::Get | Command::Put | Command::Send | Command::Rm)
    }

    /// Whether what follows its name is a secret.
    pub fn carries_password(self) -> bool {
        matches!(self, Command::Register | Command::Login | Command::Password)
    }
}

impl Entry {
    /// Its wording in one language.
    pub fn wording(&self, tongue: Tongue) -> &Wording {
        match tongue {
            Tongue::Chinese => &self.chinese,
            Tongue::English => &self.english,
        }
    }

    /// How it is typed, as help shows it: `!msg WHO TEXT`, `！私聊*谁*内容`.
    pub fn usage(&self, tongue: Tongue) -> String {
        let wording = self.wording(tongue);
        let (bang, between) = match tongue {
            Tongue::Chinese => ("！", if wording.takes.starts_with('[') { "" } else { "*" }),
            Tongue::English => ("!", " "),
        };
        let between = if wording.takes.is_empty() { "" } else { between };
        format!("{bang}{}{between}{}", wording.names[0], wording.takes)
    }
}

macro_rules! commands {
    ($($command:ident {
        en: $($en:literal)|+, $en_takes:literal, $en_does:literal, $en_more:literal;
        zh: $($zh:literal)|+, $zh_takes:literal, $zh_does:literal, $zh_more:literal;
    })*) => {
        /// Every command that help shows, in its order.
        pub const COMMANDS: &[Entry] = &[$(Entry {
            command: Command::$command,
            english: Wording { names: &[$($en),+], takes: $en_takes, does: $en_does, more: $en_more },
            chinese: Wording { names: &[$($zh),+], takes: $zh_takes, does: $zh_does, more: $zh_more },
        }),*];
    };
}

commands! {
    Help {
        en: "help", "[COMMAND]", "lists the commands, or explains one",
            "Example: !help kick. Words are separated by spaces or by *; capitals do not matter.";
        zh: "帮助", "[*命令]", "列出命令，或说明一条命令",
            "例：！帮助*踢。词之间用空格或 * 隔开，！和 ! 一样。";
    }
    HowMany {
        en: "howmany", "", "how many people are here", "It counts the people in the room where you ask.";
        zh: "人数", "", "现在有多少人", "数的是你所在的这个房间。";
    }
    Users {
        en: "users" | "user", "", "who is here", "~ marks the owner of a group, @ operators, + those with a voice; who is away is marked too.";
        zh: "用户", "", "都有谁在", "~ 是群主，@ 是管理员，+ 是可以发言的人；离开的人会标出来。";
    }
    Nick {
        en: "nick", "NAME", "changes your nick", "Example: !nick anna2. A nick has no spaces; a taken one is answered with a free one.";
        zh: "改名", "名字", "换个名字", "例：！改名*小阳。名字里没有空格；被占用时会告诉你一个没人用的。";
    }
    Register {
        en: "register", "NAME PASSWORD", "makes an account, with a number of its own",
            "Example: !register anna correct-horse. The name becomes your nick, and nobody else can have it. Nobody sees what you type.";
        zh: "注册", "名字*密码", "注册账号，得到一个编号", "例：！注册*小阳*今天天气不错。账号名就是你的名字，别人用不了。你输入的话没有人看得到。";
    }
    Login {
        en: "login", "NAME-or-NUMBER PASSWORD", "logs in", "Example: !login anna correct-horse, or !login 1000 correct-horse.";
        zh: "登录", "名字或编号*密码", "登录", "例：！登录*小阳*今天天气不错，或 ！登录*1000*今天天气不错。";
    }
    Password {
        en: "password" | "passwd", "NEW", "changes your password", "Example: !password battery-staple. You have to be logged in.";
        zh: "改密码" | "改口令", "新密码", "换一个密码", "例：！改密码*明天会更好的。要先登录。";
    }
    Msg {
        en: "msg", "WHO TEXT", "a private message", "Example: !msg ben see you at eight. Nobody else in the room sees it.";
        zh: "私聊", "谁*内容", "悄悄话，只有对方看得到", "例：！私聊*小阳*今晚 吃什么。房间里别人看不到。";
    }
    History {
        en: "history", "[WHO] [N]", "what was said here last, or in private",
            "Example: !history 50, or !history ben 50 for your talk with ben. Without a number it shows twenty lines, fifty at most.";
        zh: "聊天记录", "[*谁][*条数]", "这里最近说了什么，或和某人的私聊", "例：！聊天记录*50，和小阳的私聊：！聊天记录*小阳*50。不写条数就是二十条，最多五十条。";
    }
    Search {
        en: "search", "WORDS", "finds what was said",
            "All words must occur. Narrow it down with from:WHO in:ROOM-or-WHO since:DATE before:DATE, for example !search dinner from:ben since:yesterday (or 2026-11-01, 11-01, today).";
        zh: "搜索", "词", "找以前说过的话",
            "每个词都要出现。可以加 来自:谁 在:房间或谁 从:日期 早于:日期（也可写 from: in: since: before:），例：！搜索*晚饭*来自:小阳*从:昨天（日期也可以是 2026-11-01、11-01、今天）。";
    }
    Create {
        en: "create", "NAME [private]", "makes a group, which has an id and stays",
            "Example: !create tea, or !create tea private. A private group is seen and entered by invitation only. You have to be logged in.";
        zh: "创建群" | "建群", "名字[*私密]", "建一个群，有群号，一直都在",
            "例：！创建群*茶，或 ！创建群*茶*私密。私密的群别人看不到，受邀才能进。要先登录。";
    }
    Join {
        en: "join", "ID-or-NAME", "becomes a member of a group", "Example: !join 1000, or !join tea. You stay a member when you are away; !leave ends it.";
        zh: "加群", "群号或名字", "加入一个群", "例：！加群*1000，或 ！加群*茶。不在线也还是成员；退出用 ！退群。";
    }
    Invite {
        en: "invite", "WHO [GROUP]", "asks somebody into a group, here or away",
            "Example: !invite ben 1000; in the group itself !invite ben is enough. Whoever is away sees it at the next login.";
        zh: "邀请", "谁[*群号]", "请人进群，不在线也行", "例：！邀请*小王*1000；在群里说 ！邀请*小王 就行。不在线的人下次登录会看到。";
    }
    Decline {
        en: "decline", "GROUP", "declines an invitation", "Example: !decline 1000. To accept it, !join 1000.";
        zh: "拒绝", "群号", "谢绝一个邀请", "例：！拒绝*1000。想接受就用 ！加群*1000。";
    }
    Leave {
        en: "leave", "[GROUP]", "leaves a group for good",
            "Example: !leave 1000; in the group itself !leave is enough. When the owner leaves, the group is the oldest operator's or member's.";
        zh: "退群", "[*群号]", "退出一个群", "例：！退群*1000；在群里说 ！退群 就行。群主退了，群归最早的管理员或成员。";
    }
    Groups {
        en: "groups", "", "lists your groups, what is unread there, and who invites you", "It shows the id of each group, how many of its members are here, and what you are in it.";
        zh: "群列表", "", "列出你的群、未读和收到的邀请", "会列出群号、多少成员在线、你的身份。";
    }
    Delete {
        en: "delete", "GROUP", "ends a group and deletes what was said there", "Example: !delete 1000. It asks before it does so. For owners.";
        zh: "解散群", "群号", "解散一个群，删掉聊天记录", "例：！解散群*1000。会先问一遍。群主可用。";
    }
    Op {
        en: "op", "WHO", "makes somebody an operator of the group", "Example: !op ben. Operators kick, ban, mute and set the topic. For owners.";
        zh: "任命", "谁", "让人当管理员", "例：！任命*小王。管理员可以踢人、封人、禁言、改主题。群主可用。";
    }
    Deop {
        en: "deop", "WHO", "makes an operator a plain member again", "Example: !deop ben. For owners.";
        zh: "免职", "谁", "不再当管理员", "例：！免职*小王。群主可用。";
    }
    Owner {
        en: "owner", "WHO", "gives the group to another member", "Example: !owner ben. You stay an operator of it. For owners.";
        zh: "转让", "谁", "把群交给另一个成员", "例：！转让*小王。你还是管理员。群主可用。";
    }
    Topic {
        en: "topic", "[TEXT]", "shows or sets what the room is about", "Example: !topic homework is due on Friday. In most rooms only operators may set it.";
        zh: "主题", "[*内容]", "看或改房间的主题", "例：！主题*周五交作业。多数房间只有管理员能改。";
    }
    Kick {
        en: "kick", "WHO [REASON]", "throws somebody out of the room", "Example: !kick eve enough. They may come back; !ban keeps them out. For operators.";
        zh: "踢", "谁[*原因]", "把人请出房间", "例：！踢*小王*太吵了。对方可以再进来；不让再进来用 ！封。管理员可用。";
    }
    Ban {
        en: "ban", "WHO", "throws somebody out and keeps them out",
            "Example: !ban eve. Somebody who is not here is banned by a mask, such as !ban eve!*@*. For operators.";
        zh: "封", "谁", "请出房间，不让再进来",
            "例：！封*小王。对方不在时写成 ！封 小王!*@*。管理员可用。";
    }
    Unban {
        en: "unban", "WHO", "takes a ban back", "Example: !unban eve. Without a name it shows who is banned. For operators.";
        zh: "解封", "谁", "取消封禁", "例：！解封*小王。不写名字就列出被封的人。管理员可用。";
    }
    Mute {
        en: "mute", "WHO", "lets somebody read here, but not speak", "Example: !mute eve. !unmute takes it back. For operators.";
        zh: "禁言", "谁", "让人只能看，不能说", "例：！禁言*小王。取消用 ！解禁言。管理员可用。";
    }
    Unmute {
        en: "unmute", "WHO", "takes a mute back", "Example: !unmute eve. Without a name it shows who is muted. For operators.";
        zh: "解禁言", "谁", "取消禁言", "例：！解禁言*小王。不写名字就列出被禁言的人。管理员可用。";
    }
    Ls {
        en: "ls" | "files", "[PATTERN]", "lists the files here", "Example: !ls, !ls homework, !ls *.zip. In a group it lists the group's files, in private talk those between you two.";
        zh: "查看文件" | "文件列表", "[*名字]", "列出这里的文件", "例：！查看文件，！查看文件*作业，！查看文件 *.zip。在群里列出群的文件，私聊里列出你们两人的。";
    }
    Get {
        en: "get", "NAME", "fetches a file", "Example: !get homework/a.zip. gzy client saves it in Recv; other programs are told a link.";
        zh: "下载文件" | "下载", "名字", "下载一个文件", "例：！下载文件*作业/a.zip。gzy client 会存到 Recv 里；别的程序会得到一个链接。";
    }
    Put {
        en: "put" | "ft", "[PATH]", "brings files or a folder to the cloud", "Example: !put homework. In gzy client; other programs use curl -T FILE http://SERVER:PORT/cloud/ or a browser.";
        zh: "上传文件" | "上传", "[*路径]", "把文件或文件夹放到云里", "例：！上传文件*作业。在 gzy client 里用；别的程序用 curl -T 文件 http://服务器:端口/cloud/ 或浏览器。";
    }
    Send {
        en: "send", "WHO PATH", "a file for one person, also one who is away", "Example: !send ben photo.jpg. In gzy client; both of you need an account.";
        zh: "发文件", "谁*路径", "给一个人发文件，不在线也行", "例：！发文件*小王*照片.jpg。在 gzy client 里用；两个人都要有账号。";
    }
    Rm {
        en: "rm", "NAME", "removes a file", "Example: !rm homework/a.zip. For who brought it, who runs the group, and the server's operators.";
        zh: "删除文件" | "删文件", "名字", "删除一个文件", "例：！删除文件*作业/a.zip。上传的人、群的管理员和服务器管理员可用。";
    }
    Bye {
        en: "bye" | "quit", "[WORDS]", "leaves; the room sees that you left", "Example: !bye see you tomorrow.";
        zh: "退出", "[*留言]", "离开，大家会看到你走了", "例：！退出*明天见。";
    }
}

/// The command with this name (no `!`), and the language of the name. Letter case does not count.
pub fn named(name: &str) -> Option<(Command, Tongue)> {
    let same = |known: &str| known.eq_ignore_ascii_case(name);
    for entry in COMMANDS {
        for tongue in [Tongue::English, Tongue::Chinese] {
            if entry.wording(tongue).names.iter().any(|known| same(known)) {
                return Some((entry.command, tongue));
            }
        }
    }
    None
}

/// How help speaks of a command.
pub fn entry(command: Command) -> Option<&'static Entry> {
    COMMANDS.iter().find(|entry| entry.command == command)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn is_chinese(text: &str) -> bool {
        text.chars().any(|c| ('\u{4e00}'..='\u{9fff}').contains(&c))
    }

    #[test]
    fn every_command_is_complete_in_both_languages() {
        for entry in COMMANDS {
            for tongue in [Tongue::English, Tongue::Chinese] {
                let wording = entry.wording(tongue);
                let chinese = tongue == Tongue::Chinese;
                assert!(!wording.names.is_empty(), "{:?} has no name", entry.command);
                for text in wording.names.iter().chain([&wording.does, &wording.more]) {
                    assert_eq!(is_chinese(text), chinese, "{:?}: {text}", entry.command);
                }
                assert!(wording.takes.is_empty() || is_chinese(wording.takes) == chinese, "{:?}", entry.command);
                assert!(
                    wording.more.len() <= super::super::ANSWER_BYTES,
                    "{:?} is explained in one line",
                    entry.command
                );
            }
            let (english, chinese) = (entry.english.takes, entry.chinese.takes);
            assert_eq!(english.is_empty(), chinese.is_empty(), "{:?} takes the same in both", entry.command);
            assert_eq!(english.starts_with('['), chinese.starts_with('['), "{:?}", entry.command);
        }
    }

    #[test]
    fn every_name_means_one_command() {
        let mut names: Vec<&str> =
            COMMANDS.iter().flat_map(|entry| entry.english.names.iter().chain(entry.chinese.names)).copied().collect();
        let count = names.len();
        names.sort_unstable();
        names.dedup();
        assert_eq!(names.len(), count);
        for entry in COMMANDS {
            for tongue in [Tongue::English, Tongue::Chinese] {
                for name in entry.wording(tongue).names {
                    assert_eq!(named(name), Some((entry.command, tongue)), "{name}");
                    assert_eq!(named(&name.to_uppercase()), Some((entry.command, tongue)), "{name}");
                }
            }
        }
        assert_eq!(named("list"), None);
        assert_eq!(named(""), None);
    }

    #[test]
    fn usage_shows_how_to_type_it() {
        let usage = |command, tongue| entry(command).unwrap().usage(tongue);
        assert_eq!(usage(Command::Msg, Tongue::English), "!msg WHO TEXT");
        assert_eq!(usage(Command::Msg, Tongue::Chinese), "！私聊*谁*内容");
        assert_eq!(usage(Command::History, Tongue::Chinese), "！聊天记录[*谁][*条数]");
        assert_eq!(usage(Command::HowMany, Tongue::Chinese), "！人数");
        assert_eq!(usage(Command::Users, Tongue::English), "!users");
    }
}
