//! What the terminal does with a typed line and with an event. Pure: what to print and what to send is collected for the caller.

use std::collections::{BTreeMap, HashMap, VecDeque};

use account::{Password, yes_or_no};
use files::Files;
use places::Expected;
use reading::Reading;
use recall::Wish;

use super::complete::{Completion, Names};
use super::paint::{Painter, calls};
use super::talks::Talks;
use crate::client::account::Credentials;
use crate::client::shown::{Said, Shown, What};
use crate::client::typed::{self, Typed};
use crate::client::view::View;
use crate::client::words::{AccountSaying, FileSaying, Language, Saying, TalkLine, room_name, say};
use crate::client::{Command, Event, Trouble, commands, transfers};
use crate::wire::line::Line;
use crate::wire::name::{Nick, fold};

/// A message without an answer for so long is worth a word.
const SLOW_MS: u64 = 1_000;

/// People who spoke lately: Tab offers them first.
const SPEAKERS: usize = 50;

/// Private conversations that strangers may open; more are shown all the same.
const QUERIES: usize = 50;

/// Refusals to let somebody into a room.
const NOT_LET_IN: &[&str] = &["403", "405", "437", "471", "473", "474", "475", "476", "477", "479", "489"];

/// Where lines are printed and typed.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Front {
    /// Pipes: nobody is asked anything, and what was said by the script itself is printed as well.
    Script,
    /// A terminal that only prints line after line.
    Plain,
    /// A terminal with a line at its bottom that is drawn by us.
    Screen,
}

/// The state of one terminal.
#[derive(Debug)]
pub struct Console {
    /// Lines to print, oldest first.
    pub print: VecDeque<Print>,
    /// Commands for the link, oldest first.
    pub commands: VecDeque<Command>,
    /// What is wanted done with files, oldest first.
    pub wishes: VecDeque<transfers::Wish>,
    /// What is to be kept or forgotten, oldest first.
    pub errands: VecDeque<Errand>,
    view: View,
    painter: Painter,
    front: Front,
    asking: Asking,
    kept_login: Option<Credentials>,
    talks: Talks,
    /// A room whose name is not known is about to be entered, because the user wants that.
    expects_room: Option<Expected>,
    /// What was asked for out of the server's memory.
    asked: HashMap<u64, Wish>,
    reading: Option<Reading>,
    files: Files,
    /// The latest first.
    speakers: VecDeque<Box<str>>,
    /// Messages without an answer, and when they were typed.
    open: BTreeMap<u64, u64>,
    next_key: u64,
    broken: Option<Broken>,
    has_failed: bool,
    is_up: bool,
    is_ready: bool,
    is_leaving: bool,
    has_ended: bool,
}

/// Something to print.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Print {
    /// A line.
    Line(String),
    /// A question; the answer is typed behind it.
    Question(String),
    /// A line about a failure or a key, for the standard error output.
    Failure(String),
    /// A sound.
    Bell,
    /// An empty screen.
    Cleared,
}

/// What is to be kept for the next visit, or not any more.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Errand {
    /// This login.
    KeepLogin(Credentials),
    /// The login for this server.
    ForgetLogin,
}

/// What the next typed line answers.
#[derive(Clone, PartialEq, Eq, Debug)]
enum Asking {
    Nothing,
    /// Which nick; Enter takes the one that is free.
    Nick(Option<Box<str>>),
    /// Who gets a private message.
    Who,
    /// What to tell somebody in private.
    Text(Box<str>),
    /// The path of what is to be brought to the cloud.
    Path,
    /// A password, which nobody sees.
    Password(Password),
    /// Whether to make an account of this name.
    Register(Box<str>),
    /// Whether to log in by oneself the next time.
    Remember(Credentials),
}

/// A broken link.
#[derive(Debug)]
struct Broken {
    why: Trouble,
    attempt: u32,
    /// When the next attempt begins.
    until_ms: u64,
}

impl Console {
    /// A console that knows of nothing yet.
    pub fn new(painter: Painter, front: Front) -> Console {
        Console {
            print: VecDeque::new(),
            commands: VecDeque::new(),
            wishes: VecDeque::new(),
            errands: VecDeque::new(),
            view: View::default(),
            painter,
            front,
            asking: Asking::Nothing,
            kept_login: None,
            talks: Talks::default(),
            expects_room: None,
            asked: HashMap::new(),
            reading: None,
            files: Files::new(),
            speakers: VecDeque::new(),
            open: BTreeMap::new(),
            next_key: 0,
            broken: None,
            has_failed: false,
            is_up: false,
            is_ready: false,
            is_leaving: false,
            has_ended: false,
        }
    }

    /// Whether a typed line can be taken: the room is known, or a question waits for its answer.
    pub fn wants_input(&self) -> bool {
        let is_ready = self.is_ready && !self.asks_at_the_door();
        !self.is_leaving && (is_ready || matches!(self.asking, Asking::Nick(_)))
    }

    /// Whether the room is known, so that what is typed goes where it should.
    pub fn is_ready(&self) -> bool {
        self.is_ready
    }

    /// The room took too long to be known; the talk goes on without.
    pub fn stop_waiting(&mut self) {
        self.is_ready = true;
    }

    /// Whether the user wants to leave, as soon as everything is acknowledged.
    pub fn is_leaving(&self) -> bool {
        self.is_leaving
    }

    /// How many messages have no answer.
    pub fn open_count(&self) -> usize {
        self.open.len()
    }

    /// Whether nothing more will happen.
    pub fn has_ended(&self) -> bool {
        self.has_ended
    }

    /// Whether everything went well: each message was delivered, and the link ended because it was told to.
    pub fn is_success(&self) -> bool {
        !self.has_failed && self.open.is_empty() && !self.waits_for_files()
    }

    /// Whether colours may be used.
    pub fn is_colourful(&self) -> bool {
        self.painter.is_colourful()
    }

    /// Takes what the link tells. `now_ms`: since 1970 (UTC).
    pub fn happened(&mut self, now_ms: u64, event: &Event) {
        let shown: Vec<Shown> = self.view.take(now_ms, event);
        for shown in shown.into_iter().flat_map(|shown| self.arrived(now_ms, shown)).collect::<Vec<_>>() {
            self.show(now_ms, shown);
        }
        match event {
            Event::In { home, .. } => {
                (self.is_up, self.broken) = (true, None);
                if self.current().is_empty() {
                    self.painter.writer.current = home.clone();
                    self.talks.open(home, true);
                    // What comes there is on the screen.
                    self.talks.look_at(home);
                }
            }
            Event::Line { text, history: false } => self.follow(text),
            Event::Settled(room) if fold(room) == fold(self.view.home()) => self.is_ready = true,
            Event::NickRefused { suggestion, asked: true, .. } => {
                self.asking = Asking::Nick(suggestion.clone());
                self.ask();
            }
            Event::Delivered(key) => drop(self.open.remove(key)),
            Event::Refused { key, target, .. } => {
                self.open.remove(key);
                self.has_failed = true;
                if fold(target) == fold(self.current())
                    && self.features().is_room(target)
                    && self.view.room(target).is_none()
                {
                    self.close(target);
                }
            }
            Event::Lost(why) => {
                self.is_up = false;
                self.broken = Some(Broken { why: why.clone(), attempt: 1, until_ms: now_ms });
            }
            Event::Pausing { attempt, pause_ms } => {
                if let Some(broken) = &mut self.broken {
                    (broken.attempt, broken.until_ms) = (*attempt, now_ms + pause_ms);
                }
            }
            Event::Ended(why) => {
                self.tell_all(now_ms);
                self.has_ended = true;
                self.has_failed |= why.is_some();
            }
            Event::Answered { key, answer } => self.answered(now_ms, *key, answer),
            Event::LoggedIn { login, .. } => self.logged_in(login),
            Event::PasswordChanged(login) => self.password_changed(login),
            Event::NotLoggedIn { wanted, name, fault, asked: true } => self.turned_away(*wanted, name, fault),
            Event::NickRefused { .. }
            | Event::NotLoggedIn { .. }
            | Event::KeyAccepted { .. }
            | Event::Line { .. }
            | Event::Settled(_)
            | Event::File(_)
            | Event::Reached { .. }
            | Event::Unreadable => {}
        }
        self.leave_when_done();
    }

    /// Takes a typed line.
    pub fn typed(&mut self, now_ms: u64, line: &str) {
        self.expects_room = None;
        match std::mem::replace(&mut self.asking, Asking::Nothing) {
            Asking::Nothing => self.understood(now_ms, typed::read(line, |who| self.view.is_here(who)), line),
            Asking::Nick(free) => self.nick_typed(line.trim(), free),
            Asking::Who if line.trim().is_empty() => {}
            Asking::Who if !self.view.is_here(line.trim()) => self.tell(&Saying::NotHere(line.trim())),
            Asking::Who => {
                self.asking = Asking::Text(line.trim().into());
                self.ask();
            }
            Asking::Text(_) if line.trim().is_empty() => {}
            Asking::Text(who) => self.send(now_ms, Some(who), line),
            Asking::Path => self.path_typed(line),
            Asking::Password(asked) => self.password_typed(asked, line),
            Asking::Register(name) => self.register_typed(name, line),
            Asking::Remember(login) => match yes_or_no(line) {
                Some(true) => {
                    self.kept_login = Some(login.clone());
                    self.errands.push_back(Errand::KeepLogin(login));
                }
                Some(false) => {}
                // Whoever talks on is not to be interrupted.
                None => self.typed(now_ms, line),
            },
        }
    }

    /// Stops asking: what was asked for is not wanted any more. False when nothing was asked that can be left open.
    pub fn stop_asking(&mut self) -> bool {
        match self.asking {
            Asking::Nothing | Asking::Nick(_) => return false,
            Asking::Who | Asking::Text(_) | Asking::Path | Asking::Remember(_) => self.asking = Asking::Nothing,
            Asking::Password(_) | Asking::Register(_) if self.asks_at_the_door() => self.stay_guest(),
            Asking::Password(_) | Asking::Register(_) => self.asking = Asking::Nothing,
        }
        true
    }

    /// Nothing more will be typed: leaves as soon as everything is acknowledged.
    pub fn input_ended(&mut self) {
        self.is_leaving = true;
        if matches!(self.asking, Asking::Nick(_)) || self.asks_at_the_door() {
            // Nobody is left to answer.
            self.commands.push_back(Command::Quit);
        }
        self.leave_when_done();
    }

    /// Leaves now: everything that is said is acknowledged, or there is no server that could.
    pub fn quit(&mut self) {
        self.is_leaving = true;
        self.leave_files();
        if self.is_up && self.is_ready {
            return self.leave_when_done();
        }
        // Nobody knows when the server will be back.
        if !self.open.is_empty() {
            self.give_up();
        }
        self.commands.push_back(Command::Quit);
    }

    /// Gives up waiting for the answers to what was said.
    pub fn give_up(&mut self) {
        let words = say(self.language(), &Saying::Undelivered(self.open.len()));
        self.print.push_back(Print::Failure(words));
        self.has_failed = true;
    }

    /// Leaves without waiting for anything.
    pub fn give_up_now(&mut self) {
        if !self.open.is_empty() {
            self.give_up();
        }
        self.open.clear();
        self.commands.push_back(Command::Quit);
    }

    /// Tells the user something.
    pub fn tell(&mut self, saying: &Saying) {
        let words = say(self.language(), saying);
        self.tell_words(&words);
    }

    /// Tells the user something in these words.
    pub fn tell_words(&mut self, words: &str) {
        self.print.push_back(Print::Line(self.painter.own_words(words)));
    }

    /// To the conversation of this number.
    pub fn go(&mut self, now_ms: u64, number: usize) {
        match self.talks.numbered(number).map(|talk| talk.name.clone()) {
            Some(name) => self.talk_to(now_ms, name),
            None => self.tell(&Saying::NoTalk(number)),
        }
    }

    fn leave_when_done(&mut self) {
        let is_done = self.open.is_empty() && !self.waits_for_files();
        if self.is_leaving && self.is_ready && is_done && !self.commands.contains(&Command::Quit) {
            self.commands.push_back(Command::Quit);
        }
    }

    fn ask(&mut self) {
        if let Some(question) = self.question() {
            self.print.push_back(Print::Question(question));
        }
    }

    /// What the next typed line answers, when something is asked.
    fn question(&self) -> Option<String> {
        let saying = match &self.asking {
            Asking::Nothing => return None,
            Asking::Nick(free) => Saying::AskOtherNick(free.as_deref()),
            Asking::Who => Saying::AskWho,
            Asking::Text(who) => Saying::AskText(who),
            Asking::Path => Saying::File(FileSaying::AskPath),
            Asking::Password(asked) => asked.saying(),
            Asking::Register(name) => Saying::Account(AccountSaying::AskRegister(name)),
            Asking::Remember(login) => Saying::Account(AccountSaying::AskRemember(&login.name)),
        };
        Some(say(self.language(), &saying))
    }

    fn language(&self) -> Language {
        self.painter.writer.language
    }

    fn current(&self) -> &str {
        &self.painter.writer.current
    }

    fn features(&self) -> &crate::client::features::Features {
        self.view.features()
    }
}

mod account;
mod bottom;
mod files;
mod obey;
mod places;
mod reading;
mod recall;
mod speak;

#[cfg(test)]
mod tests;
