//! What the terminal does with a typed line and with an event. Pure: what to print and what to send is collected for the caller.

use std::collections::{BTreeSet, VecDeque};

use time::UtcOffset;

use crate::client::shown::{Said, What};
use crate::client::typed::{self, Typed};
use crate::client::view::View;
use crate::client::words::{Language, Saying, Writer, say};
use crate::client::{Command, Event};
use crate::wire::name::{Nick, fold};

/// The state of one terminal.
#[derive(Debug)]
pub struct Console {
    /// Lines to print, oldest first.
    pub print: VecDeque<Print>,
    /// Commands for the link, oldest first.
    pub commands: VecDeque<Command>,
    view: View,
    writer: Writer,
    is_interactive: bool,
    asking: Asking,
    /// Messages without an answer.
    open: BTreeSet<u64>,
    next_key: u64,
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
}

impl Console {
    /// A console that knows of nothing yet. `is_interactive`: somebody sits at it.
    pub fn new(language: Language, offset: UtcOffset, is_interactive: bool) -> Console {
        Console {
            print: VecDeque::new(),
            commands: VecDeque::new(),
            view: View::default(),
            writer: Writer { language, offset, current: "".into() },
            is_interactive,
            asking: Asking::Nothing,
            open: BTreeSet::new(),
            next_key: 0,
            has_failed: false,
            is_up: false,
            is_ready: false,
            is_leaving: false,
            has_ended: false,
        }
    }

    /// Whether a typed line can be taken: the room is known, or a question waits for its answer.
    pub fn wants_input(&self) -> bool {
        !self.is_leaving && (self.is_ready || matches!(self.asking, Asking::Nick(_)))
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
        !self.has_failed && self.open.is_empty()
    }

    /// Takes what the link tells. `now_ms`: since 1970 (UTC).
    pub fn happened(&mut self, now_ms: u64, event: &Event) {
        for shown in self.view.take(now_ms, event) {
            if matches!(shown.what, What::Failed(_) | What::KeyAccepted { .. }) {
                self.print.push_back(Print::Failure(self.writer.line(&shown, now_ms)));
            } else if !self.is_on_screen(&shown.what) {
                self.print.push_back(Print::Line(self.writer.line(&shown, now_ms)));
            }
            if matches!(&shown.what, What::Kicked { .. }) && self.view.room(&self.writer.current).is_none() {
                self.go_home();
            }
        }
        match event {
            Event::In { home, .. } => {
                self.is_up = true;
                if self.writer.current.is_empty() {
                    self.writer.current = home.clone();
                }
            }
            Event::Settled(room) if fold(room) == fold(self.view.home()) => self.is_ready = true,
            Event::NickRefused { suggestion, asked: true, .. } => {
                let free = suggestion.as_deref();
                self.print.push_back(Print::Question(say(self.writer.language, &Saying::AskOtherNick(free))));
                self.asking = Asking::Nick(suggestion.clone());
            }
            Event::Delivered(key) => drop(self.open.remove(key)),
            Event::Refused { key, target, .. } => {
                self.open.remove(key);
                self.has_failed = true;
                if fold(target) == fold(&self.writer.current) && self.view.room(target).is_none() {
                    self.go_home();
                }
            }
            Event::Lost(_) => self.is_up = false,
            Event::Ended(why) => {
                self.has_ended = true;
                self.has_failed |= why.is_some();
            }
            _ => {}
        }
        self.leave_when_done();
    }

    /// Takes a typed line.
    pub fn typed(&mut self, line: &str) {
        match std::mem::replace(&mut self.asking, Asking::Nothing) {
            Asking::Nothing => self.understood(typed::read(line, |who| self.view.is_here(who)), line),
            Asking::Nick(free) => self.nick_typed(line.trim(), free),
            Asking::Who if line.trim().is_empty() => {}
            Asking::Who if !self.view.is_here(line.trim()) => self.tell(&Saying::NotHere(line.trim())),
            Asking::Who => {
                self.ask(&Saying::AskText(line.trim()));
                self.asking = Asking::Text(line.trim().into());
            }
            Asking::Text(who) => self.send(Some(who), line),
        }
    }

    /// Nothing more will be typed: leaves as soon as everything is acknowledged.
    pub fn input_ended(&mut self) {
        self.is_leaving = true;
        if matches!(self.asking, Asking::Nick(_)) {
            // Nobody is left to answer.
            self.commands.push_back(Command::Quit);
        }
        self.leave_when_done();
    }

    /// Gives up waiting for the answers to what was said.
    pub fn give_up(&mut self) {
        let words = say(self.writer.language, &Saying::Undelivered(self.open.len()));
        self.print.push_back(Print::Failure(words));
        self.has_failed = true;
    }

    fn understood(&mut self, typed: Typed, line: &str) {
        match typed {
            Typed::Nothing => {}
            Typed::AskTo if self.is_interactive => {
                self.ask(&Saying::AskWho);
                self.asking = Asking::Who;
            }
            Typed::Say(text) => self.send(None, &text),
            // A script is asked nothing.
            Typed::AskTo => self.send(None, line),
            Typed::To { who, text } => self.send(Some(who), &text),
            Typed::Nick(nick) => self.commands.push_back(Command::Nick(nick)),
            Typed::Join(room) => {
                self.commands.push_back(Command::Join(room.clone()));
                self.talk_to(room);
            }
            Typed::Part(room) => {
                let room = room.unwrap_or_else(|| self.writer.current.clone());
                self.commands.push_back(Command::Part(room.clone()));
                if fold(&room) == fold(&self.writer.current) {
                    self.go_home();
                }
            }
            Typed::Room(room) if self.view.room(&room).is_some() => self.talk_to(room),
            Typed::Room(room) => self.tell(&Saying::NotIn(&room)),
            Typed::Quit => self.quit(),
            Typed::Usage(how) => self.tell(&Saying::Usage(how)),
            Typed::Unknown(name) => self.tell(&Saying::UnknownCommand(&name)),
        }
    }

    fn nick_typed(&mut self, typed: &str, free: Option<Box<str>>) {
        let chosen = match (Nick::parse(typed), &free) {
            (Ok(nick), _) => Box::from(nick.as_str()),
            (Err(_), Some(free)) if typed.is_empty() => free.clone(),
            (Err(why), _) => {
                self.tell(&Saying::BadNick(why));
                self.ask(&Saying::AskOtherNick(free.as_deref()));
                self.asking = Asking::Nick(free);
                return;
            }
        };
        self.commands.push_back(Command::Nick(chosen));
    }

    fn send(&mut self, to: Option<Box<str>>, text: &str) {
        self.next_key += 1;
        self.open.insert(self.next_key);
        let elsewhere = fold(&self.writer.current) != fold(self.view.home());
        let target = to.or_else(|| elsewhere.then(|| self.writer.current.clone()));
        self.commands.push_back(Command::Say { key: self.next_key, target, text: text.into() });
    }

    fn quit(&mut self) {
        self.is_leaving = true;
        if self.is_up {
            return self.leave_when_done();
        }
        // Nobody knows when the server will be back.
        if !self.open.is_empty() {
            self.give_up();
        }
        self.commands.push_back(Command::Quit);
    }

    fn leave_when_done(&mut self) {
        if self.is_leaving && self.is_ready && self.open.is_empty() && !self.commands.contains(&Command::Quit) {
            self.commands.push_back(Command::Quit);
        }
    }

    fn go_home(&mut self) {
        self.talk_to(self.view.home().into());
    }

    fn talk_to(&mut self, room: Box<str>) {
        if fold(&room) != fold(&self.writer.current) {
            self.tell(&Saying::TalkingTo(&room));
            self.writer.current = room;
        }
    }

    fn tell(&mut self, saying: &Saying) {
        self.print.push_back(Print::Line(format!("· {}", say(self.writer.language, saying))));
    }

    fn ask(&mut self, saying: &Saying) {
        self.print.push_back(Print::Question(say(self.writer.language, saying)));
    }

    /// What somebody typed stands on the screen already.
    fn is_on_screen(&self, what: &What) -> bool {
        self.is_interactive && matches!(what, What::Said(Said { own: true, history: false, with: None, .. }))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::client::Trouble;
    use crate::client::features::Features;

    const NOON_MS: u64 = 1_795_180_761_007;

    fn console(is_interactive: bool) -> Console {
        let mut console = Console::new(Language::En, UtcOffset::UTC, is_interactive);
        let mut features = Box::new(Features::default());
        features.learn("gzy/LOBBY=#lobby");
        let event = Event::In { nick: "anna".into(), features, home: "#lobby".into(), again: false };
        console.happened(NOON_MS, &event);
        for line in [":anna!u@h JOIN #lobby", ":s 353 anna = #lobby :anna ben", ":s 366 anna #lobby :End"] {
            hear(&mut console, line);
        }
        console.happened(NOON_MS, &Event::Settled("#lobby".into()));
        console.print.clear();
        console
    }

    fn hear(console: &mut Console, line: &str) {
        console.happened(NOON_MS, &Event::Line { text: line.into(), history: false });
    }

    fn printed(console: &mut Console) -> Vec<String> {
        let text = |print| match print {
            Print::Line(text) | Print::Question(text) | Print::Failure(text) => text,
        };
        console.print.drain(..).map(text).collect()
    }

    fn said(key: u64, target: Option<&str>, text: &str) -> Command {
        Command::Say { key, target: target.map(Into::into), text: text.into() }
    }

    #[test]
    fn nothing_typed_is_sent_before_the_room_is_known() {
        let mut console = Console::new(Language::En, UtcOffset::UTC, false);
        assert!(!console.wants_input());
        console.happened(NOON_MS, &Event::Settled("#other".into()));
        assert!(!console.wants_input());
        console.stop_waiting();
        assert!(console.wants_input());
    }

    #[test]
    fn a_script_leaves_when_everything_is_acknowledged() {
        let mut console = console(false);
        console.typed("one");
        console.typed("two~ben");
        console.input_ended();
        assert_eq!(console.commands.drain(..).collect::<Vec<_>>(), [said(1, None, "one"), said(2, Some("ben"), "two")]);
        console.happened(NOON_MS, &Event::Delivered(2));
        assert!(console.commands.is_empty() && !console.is_success());
        console.happened(NOON_MS, &Event::Delivered(1));
        assert_eq!(console.commands.drain(..).collect::<Vec<_>>(), [Command::Quit]);
        console.happened(NOON_MS, &Event::Ended(None));
        assert!(console.is_success() && console.has_ended());
    }

    #[test]
    fn a_refused_message_is_told_and_makes_a_script_fail() {
        let mut console = console(false);
        console.typed("one");
        let (target, text, why) = ("#lobby".into(), "one".into(), "you are muted".into());
        console.happened(NOON_MS, &Event::Refused { key: 1, target, text, why });
        assert_eq!(printed(&mut console), ["13:19 · not sent to #lobby (you are muted): one"]);
        console.input_ended();
        assert!(console.commands.contains(&Command::Quit) && !console.is_success());
    }

    #[test]
    fn what_anna_typed_is_not_printed_again_but_her_private_words_are() {
        let mut console = console(true);
        hear(&mut console, ":anna!u@h PRIVMSG #lobby :hello");
        hear(&mut console, ":anna!u@h PRIVMSG ben :psst");
        hear(&mut console, ":ben!u@h PRIVMSG anna :what?");
        assert_eq!(printed(&mut console), ["13:19 me → ben: psst", "13:19 ben → me: what?"]);
    }

    #[test]
    fn private_talk_can_be_asked_for_step_by_step() {
        let mut console = console(true);
        for line in ["PC", "eve", "PC", "ben", "!bye is a word here"] {
            console.typed(line);
        }
        let asked = ["Private message to: ", "· eve is not here", "Private message to: ", "To ben: "];
        assert_eq!(printed(&mut console), asked);
        assert_eq!(console.commands, [said(1, Some("ben"), "!bye is a word here")]);
    }

    #[test]
    fn a_taken_nick_is_asked_for_again_and_enter_takes_the_suggestion() {
        let mut console = Console::new(Language::En, UtcOffset::UTC, true);
        let refusal = Event::NickRefused {
            nick: "anna".into(),
            why: "anna is taken; anna2 is free".into(),
            suggestion: Some("anna2".into()),
            asked: true,
        };
        console.happened(NOON_MS, &refusal);
        assert!(console.wants_input());
        console.typed("two words");
        console.typed("");
        assert_eq!(console.commands, [Command::Nick("anna2".into())]);
        let printed = printed(&mut console);
        assert_eq!(printed[0], "13:19 · cannot take the name anna: anna is taken; anna2 is free");
        assert_eq!(printed[1], "Another name (Enter takes anna2): ");
        assert_eq!((printed.len(), &printed[3]), (4, &printed[1]));
    }

    #[test]
    fn talk_goes_to_the_room_that_was_entered_and_comes_home_when_that_fails() {
        let mut console = console(true);
        console.typed("/join #secret");
        console.typed("hello");
        assert_eq!(console.commands, [Command::Join("#secret".into()), said(1, Some("#secret"), "hello")]);
        let (target, text, why) = ("#secret".into(), "hello".into(), "not in there".into());
        console.happened(NOON_MS, &Event::Refused { key: 1, target, text, why });
        console.commands.clear();
        console.typed("again");
        assert_eq!(console.commands, [said(2, None, "again")]);
    }

    #[test]
    fn leaving_while_the_server_is_away_does_not_wait_for_it() {
        let mut console = console(true);
        console.happened(NOON_MS, &Event::Lost(Trouble::Silent));
        console.typed("one");
        console.typed("!bye");
        assert_eq!(console.commands, [said(1, None, "one"), Command::Quit]);
        assert!(!console.is_success());
    }
}
