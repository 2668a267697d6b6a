//! The `!` commands: typed as a line of text by anybody, answered to the asker alone, in the language of the command.
//!
//! They carry out IRC commands and add words: the rules are in one place, and what is refused here is refused there.

mod moderation;
mod parse;
mod refusal;
mod show;
mod words;

use std::fmt::Write;

use crate::store::record::Kind;
use crate::wire::caps::Caps;
use crate::wire::escape::{printable, strip_formatting};
use crate::wire::line::{Line, clip, split_text};
use crate::wire::name::{Nick, suggestion};
use crate::wire::reply::Numeric;

use self::parse::Rest;
use self::words::{COMMANDS, Command, Entry, Tongue};
use super::join::clip_word;
use super::talk::Utterance;
use super::turn::Turn;
use super::{RoomId, SERVER_NAME};

pub(super) use self::parse::spoken;
pub use self::show::Question;

/// Bytes of text in one notice: with the longest room name it fits a classic line of 512.
const ANSWER_BYTES: usize = 400;

/// Names that `!users` shows: some screens full. A room of thousands would fill the asker's send queue.
const NAMES_SHOWN: usize = 500;

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
    pub(super) fn bang(&mut self, target: &str, text: &str, line: &Line) -> bool {
        let Some(typed) = parse::parse(text) else { return false };
        // One line may have several targets; who left at the first one has nothing more to ask.
        if self.ended {
            return true;
        }
        let room = self.chat.room_named(target);
        let asked = Asked {
            tongue: typed.tongue,
            target: room.map_or(clip_word(target), |room| room.name.as_str()).into(),
            room: room.filter(|room| room.standing(self.me).is_some()).map(|room| room.id),
            refused: false,
        };
        self.echo_command(&asked.target, text, line);
        self.asked = Some(asked);
        self.carry_out(typed.command, typed.rest, line);
        self.asked = None;
        true
    }

    /// The asker's own line, at once: nothing of it is kept, so there is nothing to wait for.
    fn echo_command(&mut self, target: &str, text: &str, line: &Line) {
        if self.session().caps.has(Caps::ECHO_MESSAGE) {
            let mut event = self.my_event(format_args!("PRIVMSG {target}"), Some(text));
            event.client_tags = line.tags.client_only();
            self.reply_event(&event, "");
        }
    }

    fn carry_out(&mut self, command: Command, rest: Rest, line: &Line) {
        match command {
            Command::Help => self.bang_help(rest),
            Command::HowMany => self.bang_howmany(),
            Command::Users => self.bang_users(),
            Command::Nick => self.bang_nick(rest),
            Command::Msg => self.bang_msg(rest, line),
            Command::History => self.bang_history(rest),
            Command::Search => self.bang_search(rest),
            Command::Topic => self.bang_topic(rest),
            Command::Kick => self.bang_kick(rest),
            Command::Ban => self.bang_forbid(Command::Ban, rest),
            Command::Unban => self.bang_allow(Command::Unban, rest),
            Command::Mute => self.bang_forbid(Command::Mute, rest),
            Command::Unmute => self.bang_allow(Command::Unmute, rest),
            Command::Bye => self.bang_bye(rest),
            Command::Account => self.bang_account(),
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

    fn refuse_unknown(&mut self, who: &str) {
        let who = shown(who);
        self.refuse(&phrase!(self.tongue(), "这里没有叫 {who} 的人", "nobody called {who} is here"));
    }

    // Commands about oneself and the people here.

    fn bang_help(&mut self, rest: Rest) {
        let (tongue, name) = (self.tongue(), rest.name());
        if !name.is_empty() {
            return self.explain(name);
        }
        self.answer(&phrase!(
            tongue,
            "可以输入的命令（！和 ! 一样，* 可以换成空格）：",
            "Commands, typed as a line of text (a space or * between words):"
        ));
        for entry in COMMANDS {
            self.answer(&help_line(entry, tongue));
        }
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
            Some((Command::Account, _)) => self.bang_account(),
            Some((command, _)) => {
                if let Some(entry) = words::entry(command) {
                    self.answer(&help_line(entry, tongue));
                    self.answer(entry.wording(tongue).more);
                }
            }
        }
    }

    fn bang_howmany(&mut self) {
        let Some(room) = self.here() else { return };
        let here = self.chat.members(room).len();
        self.answer(&people_here(self.tongue(), here));
    }

    fn bang_users(&mut self) {
        let Some(room) = self.here() else { return };
        let tongue = self.tongue();
        let members = self.chat.members(room);
        let here = members.len();
        let away = phrase!(tongue, "（离开）", " (away)");
        let names = members.iter().take(NAMES_SHOWN).filter_map(|member| {
            let session = self.chat.session(member.conn)?;
            let away = if session.away.is_some() { away.as_str() } else { "" };
            Some(format!("{}{}{away}", member.standing.prefixes(false), session.nick.as_str()))
        });
        let mut names: Vec<String> = names.collect();
        if here > NAMES_SHOWN {
            let more = here - NAMES_SHOWN;
            names.push(phrase!(tongue, "还有 {more} 人", "and {more} more"));
        }
        let people = people_here(tongue, here);
        self.answer_list(phrase!(tongue, "{people}：", "{people}: "), names);
    }

    fn bang_nick(&mut self, rest: Rest) {
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

    fn bang_msg(&mut self, mut rest: Rest, line: &Line) {
        let (Some(who), text) = (rest.word(), rest.text()) else { return self.refuse_usage(Command::Msg) };
        if text.is_empty() {
            return self.refuse_usage(Command::Msg);
        }
        let Some(other) = self.chat.session_named(who) else { return self.refuse_unknown(who) };
        let (to, nick) = (other.conn, other.nick.clone());
        // Only what is kept can prove to have been sent before.
        let is_kept = other.account.is_some() && self.session().account.is_some();
        let utterance = Utterance {
            kind: Kind::Privmsg,
            target: nick.as_str().into(),
            text: text.into(),
            tags: None,
            sent_as: if is_kept { self.sent_as(line) } else { None },
        };
        self.say(utterance);
        if self.replies.deferred {
            // The receipt carries the label.
            self.replies.label = None;
        }
        let refused = self.asked.as_ref().is_some_and(|asked| asked.refused);
        if !refused && to != self.me && !self.session().caps.has(Caps::ECHO_MESSAGE) {
            self.answer(&format!("→ {}: {}", nick.as_str(), shown_text(text)));
        }
    }

    fn bang_bye(&mut self, rest: Rest) {
        let nick = self.session().nick.clone();
        let nick = nick.as_str();
        self.answer(&phrase!(self.tongue(), "再见，{nick}！", "Bye, {nick}!"));
        self.attempt(&format!("QUIT :{}", rest.text()), Self::quit);
    }

    fn bang_account(&mut self) {
        self.refuse(&phrase!(
            self.tongue(),
            "这里还没有账号；你输入的话没有给任何人看",
            "there are no accounts here yet; nobody was shown what you typed"
        ));
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

/// A word that somebody typed, as it may be shown: short and harmless.
fn shown(word: &str) -> String {
    printable(clip(word, crate::wire::name::NAME_BYTES)).into_owned()
}

/// A text that somebody wrote, as it may be shown: without colours, and nothing in it is obeyed.
fn shown_text(text: &str) -> String {
    printable(&strip_formatting(text)).into_owned()
}
