//! Everyday commands: help, who is here, one's nick, private messages, goodbye.

use crate::store::record::Kind;
use crate::wire::caps::Caps;
use crate::wire::line::Tags;
use crate::wire::name::{Nick, suggestion};

use super::super::talk::Utterance;
use super::super::turn::Turn;
use super::super::{Room, RoomId};
use super::parse::Rest;
use super::words::{self, COMMANDS, Command, Entry, Tongue};
use super::{phrase, refusal, shown, shown_text};

/// Names that `!users` shows: some screens full. A room of thousands would fill the asker's send queue.
const NAMES_SHOWN: usize = 500;

impl Turn<'_> {
    pub(super) fn bang_help(&mut self, rest: Rest) {
        let (tongue, name) = (self.tongue(), rest.name());
        if !name.is_empty() {
            return self.explain(name);
        }
        self.answer(&phrase!(
            tongue,
            "可以输入的命令（！和 ! 一样，* 可以换成空格）：",
            "Commands, typed as a line of text (a space or * between words):"
        ));
        let (for_some, for_all): (Vec<&Entry>, Vec<&Entry>) =
            COMMANDS.iter().partition(|entry| entry.command.is_for_operators());
        let (of_files, others): (Vec<&Entry>, Vec<&Entry>) =
            for_all.into_iter().partition(|entry| entry.command.is_about_files());
        for entry in others {
            self.answer(&help_line(entry, tongue));
        }
        let head = phrase!(tongue, "文件：", "files: ");
        self.answer_list(head, of_files.into_iter().map(|entry| entry.usage(tongue)));
        // Few need these, and all of it should fit on a screen.
        let head = phrase!(tongue, "管理员和群主：", "for operators and owners: ");
        self.answer_list(head, for_some.into_iter().map(|entry| entry.usage(tongue)));
        self.answer(&phrase!(
            tongue,
            "！帮助*命令 说明一条命令；想说以 ！ 开头的话，就写两个 ！！",
            "!help COMMAND explains one; !!text says !text"
        ));
    }

    fn explain(&mut self, name: &str) {
        let tongue = self.tongue();
        match words::named(name.trim_start_matches(['!', '！'])) {
            None => {
                let name = shown(name);
                self.refuse(&phrase!(
                    tongue,
                    "没有 {name} 这条命令；！帮助 列出全部命令",
                    "there is no command {name}; !help lists them all"
                ));
            }
            Some((command, _)) => {
                if let Some(entry) = words::entry(command) {
                    self.answer(&help_line(entry, tongue));
                    self.answer(entry.wording(tongue).more);
                }
            }
        }
    }

    pub(super) fn bang_howmany(&mut self) {
        let Some(room) = self.here() else { return };
        let people = self.people_in(room);
        self.answer(&people);
    }

    pub(super) fn bang_users(&mut self) {
        let Some(room) = self.here() else { return };
        let tongue = self.tongue();
        let here = self.chat.people_in_room(room);
        let members = self.chat.members(room).iter().filter(|member| !member.further);
        let away = phrase!(tongue, "（离开）", " (away)");
        let names = members.filter_map(|member| {
            let session = self.chat.session(member.conn)?;
            let away = if session.away.is_some() { away.as_str() } else { "" };
            Some(format!("{}{}{away}", member.standing.prefixes(false), session.nick.as_str()))
        });
        let offline = phrase!(tongue, "（离线）", " (offline)");
        let absent = self.chat.rooms.get(&room).into_iter().flat_map(|room| self.chat.away_in(room));
        let absent = absent
            .map(|(seat, account)| format!("{}{}{offline}", seat.standing.prefixes(false), account.name.as_str()));
        let all = here + self.chat.rooms.get(&room).map_or(0, |room| self.chat.away_in(room).count());
        let mut names: Vec<String> = names.chain(absent).take(NAMES_SHOWN).collect();
        if all > NAMES_SHOWN {
            let more = all - NAMES_SHOWN;
            names.push(phrase!(tongue, "还有 {more} 人", "and {more} more"));
        }
        let people = self.people_in(room);
        self.answer_list(phrase!(tongue, "{people}：", "{people}: "), names);
    }

    /// How many people are in a room, and of how many in a group.
    fn people_in(&self, room: RoomId) -> String {
        let (tongue, here) = (self.tongue(), self.chat.people_in_room(room));
        let people = people_here(tongue, here);
        match self.chat.rooms.get(&room).filter(|room| room.group.is_some()).map(Room::size) {
            None => people,
            Some(1) => phrase!(tongue, "{people}，群里共 1 人", "{people}, 1 member in all"),
            Some(all) => phrase!(tongue, "{people}，群里共 {all} 人", "{people}, {all} members in all"),
        }
    }

    pub(super) fn bang_nick(&mut self, rest: Rest) {
        let tongue = self.tongue();
        let text = rest.name();
        if text.is_empty() {
            return self.refuse_usage(Command::Nick);
        }
        let nick = match Nick::parse(text) {
            Ok(nick) => nick,
            Err(why) => return self.refuse(&refusal::of_name(tongue, why)),
        };
        let name = nick.as_str();
        if nick == self.session().nick {
            return self.refuse(&phrase!(tongue, "你已经叫 {name} 了", "you are {name} already"));
        }
        if !self.chat.is_free(&nick, self.me) {
            let free = suggestion(&nick, |other| self.chat.is_free(other, self.me));
            let free = free.as_str();
            return self.refuse(&phrase!(
                tongue,
                "{name} 有人用了（或者太像别人的名字）；{free} 没人用",
                "{name} is taken (or looks like a nick that is); {free} is free"
            ));
        }
        self.attempt(&format!("NICK {name}"), Self::nick);
    }

    pub(super) fn bang_msg(&mut self, mut rest: Rest, tags: Tags) {
        let (Some(who), text) = (rest.word(), rest.text()) else { return self.refuse_usage(Command::Msg) };
        if text.is_empty() {
            return self.refuse_usage(Command::Msg);
        }
        let account = self.chat.accounts.meant(who).and_then(|id| self.chat.accounts.get(id));
        let guest = self.chat.session_named(who);
        let Some(nick) = account.map(|account| &account.name).or(guest.map(|guest| &guest.nick)).cloned() else {
            return self.refuse_nobody(who);
        };
        // Only what is kept can prove to have been sent before.
        let is_kept = account.is_some() && self.session().account.is_some();
        let utterance = Utterance {
            kind: Kind::Privmsg,
            target: nick.as_str().into(),
            text: text.into(),
            tags: None,
            sent_as: if is_kept { self.sent_as(tags) } else { None },
        };
        self.say(utterance);
        if self.replies.deferred {
            // The receipt carries the label.
            self.replies.label = None;
        }
        let refused = self.asked.as_ref().is_some_and(|asked| asked.refused);
        if !refused && nick != self.session().nick && !self.session().caps.has(Caps::ECHO_MESSAGE) {
            self.answer(&format!("→ {}: {}", nick.as_str(), shown_text(text)));
        }
    }

    pub(super) fn bang_bye(&mut self, rest: Rest) {
        let nick = self.session().nick.clone();
        let nick = nick.as_str();
        self.answer(&phrase!(self.tongue(), "再见，{nick}！", "Bye, {nick}!"));
        self.attempt(&format!("QUIT :{}", rest.text()), Self::quit);
    }
}

fn help_line(entry: &Entry, tongue: Tongue) -> String {
    format!("{} — {}", entry.usage(tongue), entry.wording(tongue).does)
}

fn people_here(tongue: Tongue, here: usize) -> String {
    match (tongue, here) {
        (Tongue::English, 1) => "1 person here".to_owned(),
        _ => phrase!(tongue, "现在 {here} 人", "{here} people here"),
    }
}

#[cfg(test)]
mod tests {
    use super::super::super::testing::World;
    use super::NAMES_SHOWN;

    fn asked(w: &mut World, who: crate::chat::ConnId, text: &str) -> Vec<String> {
        let lines = w.ask(who, &format!("PRIVMSG #lobby :{text}"));
        lines.iter().map(|line| line.strip_prefix(":gzy.local NOTICE #lobby :").unwrap_or(line).to_owned()).collect()
    }

    #[test]
    fn help_fits_a_screen_and_is_in_the_language_of_the_question() {
        let mut w = World::new();
        let anna = w.join("anna");
        let english = asked(&mut w, anna, "!help");
        assert!(english.len() <= 23, "a screen has 24 lines, and one is the prompt");
        assert_eq!(english[0], "Commands, typed as a line of text (a space or * between words):");
        assert_eq!(english[4], "!nick NAME — changes your nick");
        assert_eq!(english[english.len() - 1], "!help COMMAND explains one; !!text says !text");
        let chinese = asked(&mut w, anna, "！帮助");
        assert!(chinese.len() <= 23);
        assert!(chinese[20].starts_with("管理员和群主：！解散群*群号、"), "{chinese:#?}");
        assert_eq!(chinese[8], "！私聊*谁*内容 — 悄悄话，只有对方看得到");
        assert_eq!(asked(&mut w, anna, "!帮助"), chinese);
        assert_eq!(asked(&mut w, anna, "！HELP"), english);
    }

    #[test]
    fn help_explains_one_command_by_any_of_its_names() {
        let mut w = World::new();
        let anna = w.join("anna");
        let kick = [
            "!kick WHO [REASON] — throws somebody out of the room",
            "Example: !kick eve enough. They may come back; !ban keeps them out. For operators.",
        ];
        for text in ["!help kick", "!help !KICK", "!help 踢", "!help*！踢"] {
            assert_eq!(asked(&mut w, anna, text), kick, "{text}");
        }
        assert_eq!(
            asked(&mut w, anna, "！帮助*quit"),
            ["！退出[*留言] — 离开，大家会看到你走了", "例：！退出*明天见。"]
        );
        assert_eq!(asked(&mut w, anna, "!help dance\u{1b}"), ["there is no command dance␛; !help lists them all"]);
        assert_eq!(asked(&mut w, anna, "！帮助 跳舞"), ["没有 跳舞 这条命令；！帮助 列出全部命令"]);
        assert_eq!(asked(&mut w, anna, "！帮助 登录")[0], "！登录*名字或编号*密码 — 登录");
    }

    #[test]
    fn users_are_listed_with_their_standing_and_absence() {
        let mut w = World::new();
        let 小阳 = w.join("小阳");
        let anna = w.join("anna");
        let ben = w.join("ben");
        for conn in [小阳, anna, ben] {
            w.line(conn, "JOIN #茶");
        }
        w.drain();
        w.chat.session_mut(ben).unwrap().away = Some("吃饭".into());
        let ask = |w: &mut World, text: &str| w.ask(anna, &format!("PRIVMSG #茶 :{text}"));
        assert_eq!(ask(&mut w, "!user"), [":gzy.local NOTICE #茶 :3 people here: @小阳, anna, ben (away)"]);
        assert_eq!(ask(&mut w, "！用户"), [":gzy.local NOTICE #茶 :现在 3 人：@小阳、anna、ben（离开）"]);
    }

    #[test]
    fn a_crowd_is_wrapped_between_names_and_ends_in_a_number() {
        let mut w = World::new();
        let anna = w.join("anna");
        for at in 0..NAMES_SHOWN + 4 {
            w.join(&format!("visitor-{at}"));
        }
        w.drain();
        let lines = asked(&mut w, anna, "!users");
        assert!(lines.len() > 10 && lines.iter().all(|line| line.len() <= super::super::ANSWER_BYTES));
        assert!(lines[0].starts_with("505 people here: anna, visitor-0, "));
        assert!(lines[..lines.len() - 1].iter().all(|line| line.ends_with(',')));
        assert!(lines.last().unwrap().ends_with("visitor-498, and 5 more"));
    }

    #[test]
    fn a_nick_is_changed_as_with_nick() {
        let mut w = World::new();
        let anna = w.join("anna");
        let ben = w.join("ben");
        w.drain();
        let told = [format!(":{} NICK 小阳", w.source(anna))];
        assert_eq!(asked(&mut w, anna, "！改名*小阳"), told);
        assert_eq!(w.said_to(ben), told);
        assert_eq!(w.session(anna).nick.as_str(), "小阳");
    }

    #[test]
    fn a_nick_that_cannot_be_is_refused_with_the_next_step() {
        let mut w = World::new();
        let anna = w.join("anna");
        w.join("ben");
        w.drain();
        let cases = [
            ("!nick", "type it like this: !nick NAME"),
            ("！改名**", "这样写：！改名*名字"),
            ("!nick anna", "you are anna already"),
            ("!nick ben", "ben is taken (or looks like a nick that is); ben2 is free"),
            ("！改名*BEN", "BEN 有人用了（或者太像别人的名字）；BEN2 没人用"),
            ("!nick an na", "that name has a space in it, which ends a name; try _ or - instead"),
            ("！改名*小 阳", "名字里有空格；可以换成 _ 或 -"),
            ("！改名*1000", "名字全是数字，会和账号的编号混淆；加一个字"),
            ("！改名*a:b", "名字里有 :，它在命令里有别的意思；去掉它"),
        ];
        for (typed, answer) in cases {
            assert_eq!(asked(&mut w, anna, typed), [answer], "{typed}");
        }
        assert_eq!(w.session(anna).nick.as_str(), "anna");
    }

    #[test]
    fn a_private_message_reaches_one_person_and_is_confirmed() {
        let mut w = World::new();
        let anna = w.join("anna");
        let ben = w.join("Ben");
        let eve = w.join("eve");
        w.drain();
        assert_eq!(asked(&mut w, anna, "!msg ben hi \u{3}4there\u{7}"), ["→ Ben: hi there␇"]);
        assert_eq!(w.said_to(ben), [format!(":{} PRIVMSG Ben :hi \u{3}4there\u{7}", w.source(anna))]);
        assert_eq!(asked(&mut w, anna, "！私聊*ben*今晚 吃什么"), ["→ Ben: 今晚 吃什么"]);
        w.chat.session_mut(ben).unwrap().away = Some("吃饭".into());
        assert_eq!(asked(&mut w, anna, "！私聊*ben*在吗"), ["Ben 离开了：吃饭", "→ Ben: 在吗"]);
        assert_eq!(asked(&mut w, anna, "!msg ben hello"), ["Ben is away: 吃饭", "→ Ben: hello"]);
        assert_eq!(asked(&mut w, anna, "!msg dora hi"), ["nobody called dora is here"]);
        assert_eq!(asked(&mut w, anna, "！私聊*小王*在吗"), ["这里没有叫 小王 的人"]);
        assert_eq!(asked(&mut w, anna, "!msg ben"), ["type it like this: !msg WHO TEXT"]);
        assert_eq!(asked(&mut w, anna, "！私聊"), ["这样写：！私聊*谁*内容"]);
        assert_eq!(w.said_to(eve), [""; 0]);
    }

    #[test]
    fn with_echo_message_the_private_message_itself_is_the_confirmation() {
        let mut w = World::new();
        let anna = w.join_with_caps("anna", "echo-message batch labeled-response");
        let ben = w.join("ben");
        w.drain();
        let source = w.source(anna);
        let (command, message) =
            (format!(":{source} PRIVMSG #lobby :!msg ben hi"), format!(":{source} PRIVMSG ben :hi"));
        assert_eq!(w.ask(anna, "PRIVMSG #lobby :!msg ben hi"), [command.clone(), message.clone()]);
        w.log_in(anna, "anna");
        w.log_in(ben, "ben");
        w.drain();
        let source = w.source(anna);
        let (command, message) =
            (format!(":{source} PRIVMSG #lobby :!msg ben hi"), format!(":{source} PRIVMSG ben :hi"));
        assert_eq!(w.ask(anna, "@label=m PRIVMSG #lobby :!msg ben hi"), [command]);
        assert_eq!(w.unsaved.len(), 1);
        w.save();
        assert_eq!(w.said_to(anna), [format!("@label=m {message}")], "what is kept is confirmed when it is on disk");
    }

    #[test]
    fn goodbye_is_said_and_heard() {
        let mut w = World::new();
        let anna = w.join("anna");
        let ben = w.join("ben");
        w.drain();
        let source = w.source(anna);
        assert_eq!(asked(&mut w, anna, "！退出*明天见"), ["再见，anna！", "ERROR :Closing link: bye"]);
        assert!(w.is_closed(anna));
        assert_eq!(w.said_to(ben)[0], format!(":{source} QUIT :Quit: 明天见"));
    }
}
