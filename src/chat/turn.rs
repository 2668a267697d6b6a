//! One session's turn: the session acts, the chat changes, answers and orders are collected.
//!
//! Every command is a method of [`Turn`], in the file of its subject.

use std::fmt::Write;
use std::rc::Rc;

use crate::wire::caps::Caps;
use crate::wire::event::{Event, TagSet};
use crate::wire::limits::{ANSWER_MS, CLASSIC_LINE_BYTES};
use crate::wire::line::{Line, LineFault};
use crate::wire::reply::*;
use crate::wire::verb::Verb;

use super::bang::Asked;
use super::receipt::Receipt;
use super::replies::Replies;
use super::session::{Purpose, Wait};
use super::{Asker, Audience, Chat, ConnId, Effect, Now, RoomId, SERVER_NAME, Session, Token};

/// A session acting. The session exists until [`Turn::finish`].
pub struct Turn<'a> {
    pub(super) chat: &'a mut Chat,
    pub(super) me: ConnId,
    pub(super) now: Now,
    pub(super) effects: &'a mut Vec<Effect>,
    pub(super) replies: Replies,
    /// What the session is owed when it is on disk.
    pub(super) receipt: Option<Receipt>,
    pub(super) ended: bool,
    /// The `!` command that is being carried out: refusals are then sentences in its language.
    pub(super) asked: Option<Asked>,
}

impl<'a> Turn<'a> {
    /// Begins the turn of a session that exists.
    pub(super) fn new(chat: &'a mut Chat, me: ConnId, now: Now, effects: &'a mut Vec<Effect>) -> Turn<'a> {
        Turn { chat, me, now, effects, replies: Replies::default(), receipt: None, ended: false, asked: None }
    }

    /// Sends the answers, and forgets the session when its turn ended it.
    pub(super) fn finish(mut self) {
        if self.ended {
            self.forget_batch();
        } else {
            self.put_answers_off();
        }
        let batch = format!("r{}", self.chat.last_token);
        let lines = self.replies.finish(&batch);
        if !lines.is_empty() {
            // What a turn answers comes before the closing that it may have ordered.
            let at =
                if self.ended { self.effects.iter().position(|e| *e == Effect::Close { conn: self.me }) } else { None };
            let at = at.unwrap_or(self.effects.len());
            self.effects.insert(at, Effect::Send { to: self.me, lines });
        }
        if self.ended {
            self.chat.sessions[self.me.slot as usize] = None;
            self.chat.connections -= 1;
        }
    }

    /// Puts down the receipt; what was answered beside it, or beside a question to the store, waits for the label's one answer.
    fn put_answers_off(&mut self) {
        if let Some(wait) = self.chat.session_mut(self.me).and_then(|session| session.wait.as_mut()) {
            wait.lines.push_str(&self.replies.take_until_later());
        }
        if let Some(mut receipt) = self.receipt.take() {
            receipt.lines = self.replies.take_until_later();
            self.chat.receipts.await_saving(receipt);
        }
    }

    /// The session whose turn it is.
    pub(super) fn session(&self) -> &Session {
        self.chat.session(self.me).expect("a turn's session exists until the turn is finished")
    }

    /// The same, to be changed.
    pub(super) fn session_mut(&mut self) -> &mut Session {
        self.chat.session_mut(self.me).expect("a turn's session exists until the turn is finished")
    }

    /// Handles one line of the client.
    pub(super) fn line(&mut self, text: &str) {
        let Some(line) = Line::parse(text) else { return };
        if self.session().answers_labels() {
            self.replies.label = line
                .tags
                .iter()
                .find(|(key, value)| *key == "label" && !value.is_empty())
                .map(|(_, value)| value.into());
        }
        let Some(verb) = Verb::named(line.command) else {
            let command = crate::wire::line::clip(line.command, 32).to_owned();
            return self.numeric(ERR_UNKNOWNCOMMAND, &[&command], "no such command; HELP lists those there are");
        };
        if !self.session().is_registered() && !may_come_before_welcome(verb) {
            return self.numeric(ERR_NOTREGISTERED, &[], "say who you are first (NICK and USER)");
        }
        if line.params().len() < verb.needs() {
            return self.numeric(ERR_NEEDMOREPARAMS, &[verb.text()], "not enough parameters");
        }
        if self.session().caps.has(Caps::MULTILINE) && self.gather(verb, &line) {
            return;
        }
        self.command(verb, &line);
    }

    fn command(&mut self, verb: Verb, line: &Line) {
        match verb {
            Verb::Batch => self.batch(line),
            Verb::Cap => self.cap(line),
            Verb::File => self.file(line),
            Verb::Pass => self.pass(line),
            Verb::Nick => self.nick(line),
            Verb::User => self.user(line),
            Verb::Ping => self.ping(line),
            Verb::Pong => {}
            Verb::Quit => self.quit(line),
            Verb::Join => self.join(line),
            Verb::Part => self.part(line),
            Verb::Privmsg | Verb::Notice | Verb::Tagmsg => self.talk(verb, line),
            Verb::ChatHistory => self.chathistory(line),
            Verb::MarkRead => self.mark_read(line),
            Verb::Redact => self.redact(line),
            Verb::Search => self.search(line),
            Verb::Mode => self.mode(line),
            Verb::Kick => self.kick(line),
            Verb::Invite => self.invite(line),
            Verb::Topic => self.topic(line),
            Verb::Names => self.names(line),
            Verb::List => self.list(line),
            Verb::Who => self.who(line),
            Verb::Whois => self.whois(line),
            Verb::Whowas => self.whowas(line),
            Verb::Userhost => self.userhost(line),
            Verb::Ison => self.ison(line),
            Verb::Monitor => self.monitor(line),
            Verb::Authenticate => self.authenticate(line),
            Verb::Register => self.register(line),
            Verb::NickServ => self.nickserv(line),
            Verb::Away => self.away(line),
            Verb::Setname => self.setname(line),
            Verb::Oper => self.oper(line),
            Verb::Kill => self.kill(line),
            Verb::Wallops => self.wallops(line),
            Verb::Motd | Verb::Version | Verb::Time | Verb::Info | Verb::Admin => self.inform(verb, line),
            Verb::Lusers => self.lusers(),
            Verb::Help => self.help(line),
            Verb::Links => self.links(),
        }
    }

    /// Refuses a line that was not even text.
    pub(super) fn refuse_unreadable(&mut self, fault: LineFault) {
        match fault {
            LineFault::TooLong => {
                self.numeric(ERR_INPUTTOOLONG, &[], "that line is too long; send it in pieces (LINELEN says how long)")
            }
            LineFault::NotUtf8 => {
                self.fail("*", "INVALID_UTF8", &[], "that line is not UTF-8; set your client to UTF-8")
            }
            LineFault::Nul => {
                self.fail("*", "INVALID_UTF8", &[], "that line holds a NUL byte; nothing here can show it")
            }
        }
    }

    /// Answers with a numeric: the nick, `params`, and a sentence.
    pub(super) fn numeric(&mut self, code: Numeric, params: &[&str], sentence: &str) {
        if self.asked.is_some() && self.said_in_words(code, params, sentence) {
            return;
        }
        self.open_numeric(code, params);
        let lines = self.replies.lines();
        lines.push_str(" :");
        lines.push_str(sentence);
        lines.push_str("\r\n");
    }

    /// Answers with a numeric that has no sentence.
    pub(super) fn bare_numeric(&mut self, code: Numeric, params: &[&str]) {
        self.open_numeric(code, params);
        self.replies.lines().push_str("\r\n");
    }

    /// Answers with as many lines of a numeric as `words` need, `between` them, so that each fits a classic line; with one when there are none.
    pub(super) fn packed_numeric(&mut self, code: Numeric, params: &[&str], words: &[String], between: char) {
        let params_bytes: usize = params.iter().map(|param| param.len() + 1).sum();
        // `:<server> 123 <nick> … :` in front, `\r\n` behind.
        let around_bytes = SERVER_NAME.len() + self.session().shown_nick().len() + params_bytes + 10;
        for packed in pack(words, between, CLASSIC_LINE_BYTES.saturating_sub(around_bytes)) {
            self.numeric(code, params, &packed);
        }
    }

    fn open_numeric(&mut self, code: Numeric, params: &[&str]) {
        let session = self.chat.session(self.me).expect("a turn's session exists until the turn is finished");
        let lines = self.replies.lines();
        let _ = write!(lines, ":{SERVER_NAME} {:03} {}", code.0, session.shown_nick());
        for param in params {
            lines.push(' ');
            lines.push_str(param);
        }
    }

    /// Refuses with a standard reply: `FAIL command code context… :sentence`. Clients without the capability read it as a notice.
    pub(super) fn fail(&mut self, command: &str, code: &str, context: &[&str], sentence: &str) {
        self.standard_reply("FAIL", command, code, context, sentence);
    }

    /// Tells something without refusing: `NOTE command code context… :sentence`.
    pub(super) fn note(&mut self, command: &str, code: &str, context: &[&str], sentence: &str) {
        self.standard_reply("NOTE", command, code, context, sentence);
    }

    fn standard_reply(&mut self, kind: &str, command: &str, code: &str, context: &[&str], sentence: &str) {
        if self.asked.is_some() && kind == "FAIL" {
            return self.refused_in_words(code, sentence);
        }
        if !self.session().caps.has(Caps::STANDARD_REPLIES) {
            return self.server_notice(sentence);
        }
        let context: String = context.iter().flat_map(|word| [" ", word]).collect();
        let _ = write!(self.replies.lines(), ":{SERVER_NAME} {kind} {command} {code}{context} :{sentence}\r\n");
    }

    /// A notice from the server to this session.
    pub(super) fn server_notice(&mut self, sentence: &str) {
        let nick = self.session().shown_nick().to_owned();
        let _ = write!(self.replies.lines(), ":{SERVER_NAME} NOTICE {nick} :{sentence}\r\n");
    }

    /// Answers with an event, in the form this session takes it. `extra` holds further tags (`batch=…`).
    pub(super) fn reply_event(&mut self, event: &Event, extra: &str) {
        let set = TagSet::of(self.session().caps);
        event.encode(set, extra, self.replies.lines());
    }

    /// An event of this session: `:nick!user@host <rest>`, with account and bot mark.
    pub(super) fn my_event(&self, rest: std::fmt::Arguments, text: Option<&str>) -> Event {
        let me = self.session();
        let mut event = Event::plain(self.now.wall_ms, format!(":{} {rest}", me.source()), text);
        event.account = me.account.as_ref().map(|login| login.name.clone());
        event.bot = me.bot;
        event
    }

    /// Tells a room, but not this session.
    pub(super) fn tell_others_in(&mut self, room: RoomId, only: Audience, event: &Rc<Event>) {
        self.effects.push(Effect::ToRoom { room, except: Some(self.me), only, event: event.clone() });
    }

    /// Tells a room, and this session when it is in it.
    pub(super) fn tell_all_in(&mut self, room: RoomId, event: &Rc<Event>) {
        if self.session().rooms.contains(&room) {
            self.reply_event(event, "");
        }
        self.tell_others_in(room, Audience::ALL, event);
    }

    /// A notice from the server to this session alone, in a room.
    pub(super) fn room_says_to_me(&mut self, room: &str, sentence: &str) {
        let _ = write!(self.replies.lines(), ":{SERVER_NAME} NOTICE {room} :{sentence}\r\n");
    }

    /// Writes to the log, about this connection. `text` is escaped already.
    pub(super) fn log(&mut self, text: String) {
        self.effects.push(Effect::Log { conn: Some(self.me), text });
    }

    /// Makes the session wait for an answer; its later lines are held until then.
    pub(super) fn wait_for(&mut self, purpose: Purpose) -> Token {
        self.wait_within(ANSWER_MS, purpose)
    }

    /// The same, for an answer that may take `ms`.
    pub(super) fn wait_within(&mut self, ms: u64, purpose: Purpose) -> Token {
        let token = self.chat.next_token(Asker::Session(self.me));
        self.replies.deferred = true;
        let label = self.replies.label.clone();
        let until_ms = self.now.mono_ms + ms;
        self.session_mut().wait = Some(Box::new(Wait { token, until_ms, label, lines: String::new(), purpose }));
        self.chat.wake_at(until_ms, self.me);
        token
    }
}

/// Words with `between` them, in as few texts of at most `max_bytes` as they fit in; one when there are none. A longer word stands alone.
pub(super) fn pack(words: &[String], between: char, max_bytes: usize) -> Vec<String> {
    let mut packed = vec![String::new()];
    for word in words {
        let last = packed.last_mut().expect("there is always one");
        if last.is_empty() {
            last.push_str(word);
        } else if last.len() + 1 + word.len() <= max_bytes {
            last.push(between);
            last.push_str(word);
        } else {
            packed.push(word.clone());
        }
    }
    packed
}

/// Whether a command makes sense before registration is complete.
fn may_come_before_welcome(verb: Verb) -> bool {
    matches!(
        verb,
        Verb::Cap
            | Verb::Authenticate
            | Verb::Register
            | Verb::Pass
            | Verb::Nick
            | Verb::User
            | Verb::Ping
            | Verb::Pong
            | Verb::Quit
    )
}
