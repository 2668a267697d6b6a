//! The `!` commands: typed as a line of text by anybody, answered to the asker alone, in the language of the command.
//!
//! They carry out IRC commands and add words: the rules are in one place, and what is refused here is refused there.

mod account;
mod bans;
mod dates;
mod everyday;
mod files;
mod groups;
mod look;
mod moderation;
mod parse;
mod refusal;
mod show;
mod words;

use std::borrow::Cow;
use std::fmt::Write;

use crate::wire::escape::{printable, strip_formatting};
use crate::wire::line::{Line, Tags, clip, split_text};
use crate::wire::reply::Numeric;

use self::parse::Rest;
use self::words::Command;
use super::join::clip_word;
use super::turn::Turn;
use super::{RoomId, SERVER_NAME};

pub(super) use self::parse::spoken;
pub(super) use self::refusal::of_name as bad_name;
pub use self::show::Question;
pub(super) use self::words::Tongue;

/// Bytes of text in one notice: with the longest room name it fits a classic line of 512.
const ANSWER_BYTES: usize = 400;

/// The sentence in the language of the command.
macro_rules! phrase {
    ($tongue:expr, $chinese:literal, $english:literal) => {
        match $tongue {
            $crate::chat::bang::words::Tongue::Chinese => format!($chinese),
            $crate::chat::bang::words::Tongue::English => format!($english),
        }
    };
}
use phrase;

/// A command that is being carried out.
#[derive(Clone, Debug)]
pub struct Asked {
    tongue: Tongue,
    /// Where it was typed: a room or a nick.
    target: Box<str>,
    /// The room, when the asker is in it.
    room: Option<RoomId>,
    /// Something was refused.
    refused: bool,
}

impl Turn<'_> {
    /// Handles a text that is a command; false when it is ordinary talk.
    pub(super) fn bang(&mut self, target: &str, text: &str, tags: Tags) -> bool {
        let Some(typed) = parse::parse(text) else { return false };
        // One line may have several targets; who left at the first one has nothing more to ask.
        if self.ended {
            return true;
        }
        let room = Some(target).filter(|target| target.starts_with('#'));
        let room =
            room.and_then(|name| self.chat.room_meant(self.me, name)).filter(|room| room.standing(self.me).is_some());
        let asked = Asked {
            tongue: typed.tongue,
            target: room.map_or(clip_word(target), |room| room.name.as_str()).into(),
            room: room.map(|room| room.id),
            refused: false,
        };
        let shown = if typed.command.carries_password() { masked(text) } else { text.into() };
        self.echo_command(&asked.target, &shown, tags);
        self.asked = Some(asked);
        self.carry_out(typed.command, typed.rest, tags);
        self.asked = None;
        true
    }

    /// The asker's own line, at once: nothing of it is kept, so there is nothing to wait for.
    fn echo_command(&mut self, target: &str, text: &str, tags: Tags) {
        if self.session().echoes() {
            let mut event = self.my_event(format_args!("PRIVMSG {target}"), Some(text));
            event.client_tags = tags.client_only();
            self.reply_event(&event, "");
        }
    }

    fn carry_out(&mut self, command: Command, rest: Rest, tags: Tags) {
        match command {
            Command::Help => self.bang_help(rest),
            Command::HowMany => self.bang_howmany(),
            Command::Users => self.bang_users(),
            Command::Nick => self.bang_nick(rest),
            Command::Msg => self.bang_msg(rest, tags),
            Command::History => self.bang_history(rest),
            Command::Search => self.bang_search(rest),
            Command::Create => self.bang_create(rest),
            Command::Join => self.bang_join(rest),
            Command::Invite => self.bang_invite(rest),
            Command::Decline => self.bang_decline(rest),
            Command::Leave => self.bang_leave(rest),
            Command::Groups => self.bang_groups(),
            Command::Delete => self.bang_delete(rest),
            Command::Op | Command::Deop | Command::Owner => self.bang_appoint(command, rest),
            Command::Topic => self.bang_topic(rest),
            Command::Kick => self.bang_kick(rest),
            Command::Ban => self.bang_forbid(Command::Ban, rest),
            Command::Unban => self.bang_allow(Command::Unban, rest),
            Command::Mute => self.bang_forbid(Command::Mute, rest),
            Command::Unmute => self.bang_allow(Command::Unmute, rest),
            Command::Ls => self.bang_ls(rest),
            Command::Get => self.bang_get(rest),
            Command::Put | Command::Send => self.bang_put(command),
            Command::Rm => self.bang_rm(rest),
            Command::Bye => self.bang_bye(rest),
            Command::Register => self.bang_register(rest),
            Command::Login => self.bang_login(rest),
            Command::Password => self.bang_password(rest),
        }
    }

    // Answers.

    fn tongue(&self) -> Tongue {
        self.asked.as_ref().map_or(Tongue::English, |asked| asked.tongue)
    }

    /// Says something to the asker: in the room where it was asked, while the asker is in it.
    fn answer(&mut self, text: &str) {
        let room = self.asked.as_ref().and_then(|asked| asked.room).and_then(|id| self.chat.rooms.get(&id));
        let to = match room.filter(|room| room.standing(self.me).is_some()) {
            Some(room) => room.name.as_str().to_owned(),
            None => self.session().shown_nick().to_owned(),
        };
        for piece in split_text(text, ANSWER_BYTES) {
            let _ = write!(self.replies.lines(), ":{SERVER_NAME} NOTICE {to} :{piece}\r\n");
        }
    }

    /// Says a list, wrapped between its items.
    fn answer_list(&mut self, head: String, items: impl IntoIterator<Item = String>) {
        let between = phrase!(self.tongue(), "、", ", ");
        let mut text = head;
        let mut is_first = true;
        for item in items {
            if !std::mem::take(&mut is_first) {
                text.push_str(&between);
            }
            if text.len() + item.len() + between.len() > ANSWER_BYTES {
                self.answer(text.trim_end());
                text.clear();
            }
            text.push_str(&item);
        }
        self.answer(&text);
    }

    fn refuse(&mut self, text: &str) {
        self.answer(text);
        if let Some(asked) = &mut self.asked {
            asked.refused = true;
        }
    }

    /// Says a refusal of the rules in the language of the command; false for a numeric that refuses nothing.
    pub(super) fn said_in_words(&mut self, code: Numeric, params: &[&str], sentence: &str) -> bool {
        if let Some(text) = refusal::fact(self.tongue(), code, params, sentence) {
            self.answer(&text);
            return true;
        }
        let refuses = refusal::is_refusal(code);
        if refuses {
            let text = refusal::of_numeric(self.tongue(), code, params, sentence);
            self.refuse(&text);
        }
        refuses
    }

    /// Says a refusal in the language of the command; false when no command is carried out.
    pub(super) fn refused_as(&mut self, sentence: impl FnOnce(Tongue) -> String) -> bool {
        let Some(tongue) = self.asked.as_ref().map(|asked| asked.tongue) else { return false };
        self.refuse(&sentence(tongue));
        true
    }

    /// Says a refusal that has no numeric in the language of the command.
    pub(super) fn refused_in_words(&mut self, code: &str, sentence: &str) {
        let text = refusal::of_standard_reply(self.tongue(), code, sentence);
        self.refuse(&text);
    }

    fn refuse_usage(&mut self, command: Command) {
        let tongue = self.tongue();
        if let Some(usage) = words::entry(command).map(|entry| entry.usage(tongue)) {
            self.refuse(&phrase!(tongue, "这样写：{usage}", "type it like this: {usage}"));
        }
    }

    /// Carries out an IRC command; false when it was refused, and the asker knows why by then.
    fn attempt(&mut self, line: &str, command: impl FnOnce(&mut Self, &Line)) -> bool {
        let Some(line) = Line::parse(line) else { return false };
        if let Some(asked) = &mut self.asked {
            asked.refused = false;
        }
        command(self, &line);
        !self.asked.as_ref().is_some_and(|asked| asked.refused)
    }

    /// The room where the command was typed; says so when there is none, or the asker is not in it.
    fn here(&mut self) -> Option<RoomId> {
        let asked = self.asked.as_ref()?;
        if asked.room.is_some() {
            return asked.room;
        }
        let (tongue, target) = (asked.tongue, asked.target.clone());
        let text = if target.starts_with('#') {
            phrase!(tongue, "你不在 {target} 里，先进去再问", "you are not in {target}; JOIN it first")
        } else {
            phrase!(tongue, "这条命令要在房间里说", "that is about a room; say it in one")
        };
        self.refuse(&text);
        None
    }

    fn name_of(&self, room: RoomId) -> String {
        self.chat.rooms.get(&room).map_or("*", |room| room.name.as_str()).to_owned()
    }

    fn refuse_nobody(&mut self, who: &str) {
        let who = shown(who);
        self.refuse(&phrase!(self.tongue(), "这里没有叫 {who} 的人", "nobody called {who} is here"));
    }
}

/// A command with a password, as its own client is shown it: scrollback and logs are read by others.
fn masked(text: &str) -> Cow<'_, str> {
    let end = text.find(|c: char| parse::is_separator(c)).unwrap_or(text.len());
    format!("{} ******", &text[..end]).into()
}

/// A word that somebody typed, as it may be shown or logged: short and harmless.
pub(super) fn shown(word: &str) -> String {
    printable(clip(word, crate::wire::name::NAME_BYTES)).into_owned()
}

/// A text that somebody wrote, as it may be shown: without colours, and nothing in it is obeyed.
fn shown_text(text: &str) -> String {
    printable(&strip_formatting(text)).into_owned()
}

#[cfg(test)]
mod tests {
    use super::super::testing::{World, settings};

    #[test]
    fn only_the_asker_hears_and_nothing_is_kept() {
        let mut w = World::new();
        let anna = w.join("anna");
        let 小阳 = w.join("小阳");
        w.drain();
        assert_eq!(w.ask(anna, "PRIVMSG #lobby :！人数"), [":gzy.local NOTICE #lobby :现在 2 人"]);
        assert_eq!(w.ask(anna, "PRIVMSG #LOBBY :!howmany"), [":gzy.local NOTICE #lobby :2 people here"]);
        assert_eq!(w.said_to(小阳), [""; 0]);
        assert!(w.unsaved.is_empty());
    }

    #[test]
    fn what_is_no_command_is_said_and_two_bangs_say_one() {
        let mut w = World::new();
        let anna = w.join("anna");
        let ben = w.join("ben");
        w.drain();
        for (typed, said) in [
            ("! users", "! users"),
            ("！人数！", "！人数！"),
            ("!list", "!list"),
            ("!!help", "!help"),
            ("！！帮助", "！帮助"),
        ] {
            assert_eq!(w.ask(anna, &format!("PRIVMSG #lobby :{typed}")), [""; 0]);
            assert_eq!(w.said_to(ben), [format!(":{} PRIVMSG #lobby :{said}", w.source(anna))]);
        }
        w.line(anna, "NOTICE #lobby :!users");
        assert_eq!(w.said_to(ben), [format!(":{} NOTICE #lobby :!users", w.source(anna))], "programs talk in notices");
    }

    #[test]
    fn an_echo_comes_at_once_and_a_label_holds_the_answer_together() {
        let mut w = World::new();
        let anna = w.join_with_caps("anna", "echo-message message-tags batch labeled-response");
        let source = w.source(anna);
        assert_eq!(
            w.ask(anna, "@+gzy/id=7 PRIVMSG #lobby :!howmany"),
            [
                format!("@+gzy/id=7 :{source} PRIVMSG #lobby :!howmany"),
                ":gzy.local NOTICE #lobby :1 person here".to_owned()
            ]
        );
        let answer = w.ask(anna, "@label=x PRIVMSG #lobby :！人数");
        assert_eq!(
            answer,
            [
                "@label=x :gzy.local BATCH +r1 labeled-response".to_owned(),
                format!("@batch=r1 :{source} PRIVMSG #lobby :！人数"),
                "@batch=r1 :gzy.local NOTICE #lobby :现在 1 人".to_owned(),
                ":gzy.local BATCH -r1".to_owned(),
            ]
        );
    }

    #[test]
    fn who_asks_in_private_is_answered_in_private() {
        let mut w = World::new();
        let anna = w.join("anna");
        let ben = w.join("ben");
        w.line(ben, "JOIN #茶");
        w.drain();
        assert_eq!(
            w.ask(anna, "PRIVMSG ben :!howmany"),
            [":gzy.local NOTICE anna :that is about a room; say it in one"]
        );
        assert_eq!(w.ask(anna, "PRIVMSG gzy.local :！用户"), [":gzy.local NOTICE anna :这条命令要在房间里说"]);
        assert_eq!(w.ask(anna, "PRIVMSG #茶 :!users"), [":gzy.local NOTICE anna :you are not in #茶; JOIN it first"]);
        assert_eq!(w.ask(anna, "PRIVMSG #nowhere :！人数"), [":gzy.local NOTICE anna :你不在 #nowhere 里，先进去再问"]);
        assert_eq!(w.said_to(ben), [""; 0]);
    }

    #[test]
    fn one_line_to_several_targets_is_answered_for_each() {
        let mut w = World::new();
        let anna = w.join("anna");
        w.line(anna, "JOIN #茶");
        w.drain();
        assert_eq!(
            w.ask(anna, "PRIVMSG #lobby,#茶 :!howmany"),
            [":gzy.local NOTICE #lobby :1 person here", ":gzy.local NOTICE #茶 :1 person here"]
        );
        w.asks_by_hand = true;
        assert_eq!(w.ask(anna, "PRIVMSG #lobby,#茶 :!history"), [":gzy.local NOTICE #茶 :ask in one place at a time"]);
        w.answer_from_memory();
        assert_eq!(w.said_to(anna), [":gzy.local NOTICE #lobby :nobody has said anything here yet"]);
        assert_eq!(
            w.ask(anna, "PRIVMSG #lobby,#茶 :!bye"),
            [":gzy.local NOTICE #lobby :Bye, anna!", "ERROR :Closing link: bye"]
        );
        assert_eq!(w.chat.session_count(), 0);
    }

    #[test]
    fn a_password_typed_into_the_room_is_shown_to_nobody() {
        let mut w = World::new();
        let anna = w.join("anna");
        let eve = w.join("eve");
        w.drain();
        let english = "no password over a link that others can read";
        let chinese = "这条连接别人看得到，不能在上面说密码";
        for (typed, answer) in [
            ("!login anna hunter2", english),
            ("!REGISTER anna hunter2", english),
            ("！注册*小阳*hunter2", chinese),
            ("！登录 1000 hunter2", chinese),
        ] {
            for (target, to) in [("#lobby", "#lobby"), ("eve", "anna")] {
                let told = w.ask(anna, &format!("PRIVMSG {target} :{typed}"));
                assert!(
                    told.len() == 1 && told[0].starts_with(&format!(":gzy.local NOTICE {to} :{answer}")),
                    "{told:?}"
                );
            }
        }
        assert_eq!(w.said_to(eve), [""; 0]);
        assert!(w.unsaved.is_empty() && !w.log.iter().any(|text| text.contains("hunter2")));
    }

    #[test]
    fn a_long_answer_comes_in_pieces_that_everybody_can_take() {
        let mut settings = settings();
        settings.lobby = Some(crate::wire::name::RoomName::parse(&format!("#{}", "厅".repeat(21))).unwrap());
        let mut w = World::with(settings);
        let anna = w.join("anna");
        let lobby = format!("#{}", "厅".repeat(21));
        let long = "很长的话".repeat(80);
        w.join("ben");
        w.drain();
        // The world itself refuses a line of more than 512 bytes.
        w.line(anna, &format!("PRIVMSG {lobby} :!msg ben {long}"));
        let answers = w.said_to(anna);
        let head = format!(":gzy.local NOTICE {lobby} :");
        let pieces: String = answers.iter().map(|line| line.strip_prefix(&head).unwrap()).collect();
        assert_eq!(pieces, format!("→ ben: {long}"));
        assert_eq!(answers.len(), 3);
    }
}
