//! The talk with one server, over as many links as it takes: lines in, lines and events out. No sockets, no clock.

use std::collections::HashSet;

use super::account::Credentials;
use super::asked::Asked;
use super::batches::{Batches, Closed};
use super::catchup::Catchup;
use super::features::Features;
use super::login::{Greeting, Login, Step};
use super::marks::Marks;
use super::news::News;
use super::outbox::{Answer, NewId, Outbox, Standing};
use super::{Command, Config, DEFAULT_ROOM, Event, Orders, Security, Trouble, nick_of};
use crate::wire::caps::Caps;
use crate::wire::limits::HISTORY_MESSAGES;
use crate::wire::line::Line;
use crate::wire::name::fold;

mod door;
mod files;
mod own;
mod recall;

use door::Door;
use files::answers_file;

/// Milliseconds that a server may take to let the client in, when nobody has to choose a nick meanwhile: reverse look-ups take long.
const LOGIN_WITHIN_MS: u64 = 60_000;

/// How often the client tries to get its own nick back that something else holds, most likely its own broken link.
const REGAIN_EVERY_MS: u64 = 30_000;

/// Milliseconds that the server may take to let the client into its rooms, before what is to be said is sent anyway (and perhaps refused).
const ENTER_WITHIN_MS: u64 = 10_000;

/// Rooms that are entered again after a broken link.
const ROOMS: usize = 100;

/// A client's side of the talk with one server.
pub struct Session {
    config: Config,
    /// The nick that the person wants; the server may have given another.
    wanted: Box<str>,
    nick: Box<str>,
    /// `user@host` as others see it.
    host: Option<Box<str>>,
    stage: Stage,
    door: Door,
    features: Features,
    batches: Batches,
    catchup: Catchup,
    news: News,
    asked: Asked,
    marks: Marks,
    outbox: Outbox,
    /// To be entered again, in the order of entering.
    rooms: Vec<Box<str>>,
    /// Rooms (folded) that the client is about to be in. Nothing is said before: their history may show what arrived already.
    entering: Vec<Box<str>>,
    /// Rooms (folded) that the user wanted to enter.
    wishes: HashSet<Box<str>>,
    /// One of them was named by its number.
    wishes_by_number: bool,
    /// Rooms (folded) that the server brought the client into, because its account is a member: it does so again by itself.
    brought: HashSet<Box<str>>,
    enter_by_ms: u64,
    was_in: bool,
    /// Somebody has to choose a nick before it makes sense to dial again.
    nick_is_open: bool,
    regain: Option<Regain>,
    /// The server's last words (`ERROR`).
    last_words: Option<Box<str>>,
}

enum Stage {
    Down,
    Hello { login: Box<Login>, until_ms: u64 },
    In,
}

#[derive(Clone, Copy)]
struct Regain {
    at_ms: u64,
    /// An attempt is under way: its refusal is nobody's business.
    asked: bool,
}

impl Session {
    /// A session that has no link yet. `new_id` gives ids for messages that nobody else gives.
    pub fn new(config: Config, new_id: NewId) -> Session {
        Session {
            wanted: config.nick.clone(),
            nick: config.nick.clone(),
            door: Door::new(config.account.clone()),
            config,
            host: None,
            stage: Stage::Down,
            features: Features::default(),
            batches: Batches::default(),
            catchup: Catchup::default(),
            news: News::default(),
            asked: Asked::default(),
            marks: Marks::default(),
            outbox: Outbox::new(new_id),
            rooms: Vec::new(),
            entering: Vec::new(),
            wishes: HashSet::new(),
            wishes_by_number: false,
            brought: HashSet::new(),
            enter_by_ms: 0,
            was_in: false,
            nick_is_open: false,
            regain: None,
            last_words: None,
        }
    }

    /// A link is open: greets.
    pub fn opened(&mut self, now_ms: u64, orders: &mut Orders) {
        self.features = Features::default();
        self.last_words = None;
        // Coming back, the nick may still be held by the broken link; that is nothing to bother somebody with.
        let can_ask = self.config.can_ask && !self.was_in;
        let greeting = Greeting {
            nick: &self.wanted,
            password: self.config.password.as_deref(),
            can_ask,
            door: self.door.wanted(),
            is_private: self.is_private(),
            asks_password: self.config.asks_password,
        };
        let login = Box::new(Login::open(greeting, orders));
        self.stage = Stage::Hello { login, until_ms: now_ms + LOGIN_WITHIN_MS };
    }

    /// The link is gone.
    pub fn lost(&mut self, orders: &mut Orders) {
        let asks_password = matches!(&self.stage, Stage::Hello { login, .. } if login.is_asking_password());
        self.nick_is_open |= matches!(&self.stage, Stage::Hello { login, .. } if login.is_asking());
        self.door.lost(asks_password);
        self.stage = Stage::Down;
        self.batches = Batches::default();
        self.entering.clear();
        self.catchup.lost(orders);
        self.news.lost();
        self.asked.lost(orders);
        self.outbox.lost();
        self.regain = None;
    }

    /// Whether the client was logged in at any time.
    pub fn was_in(&self) -> bool {
        self.was_in
    }

    /// Whether the client is logged in.
    pub fn is_in(&self) -> bool {
        matches!(self.stage, Stage::In)
    }

    /// Whether nothing can go on before somebody has chosen a nick, or typed a password.
    pub fn waits_for_answer(&self) -> bool {
        let is_asking = |login: &Login| login.is_asking() || login.is_asking_password();
        self.nick_is_open
            || self.door.is_open()
            || matches!(&self.stage, Stage::Hello { login, .. } if is_asking(login))
    }

    /// Whether the front end has to wait with more to say.
    pub fn is_full(&self) -> bool {
        self.outbox.is_full()
    }

    /// What the server said before it closed the link.
    pub fn last_words(&self) -> Option<Box<str>> {
        self.last_words.clone()
    }

    /// Does what the front end wants. `Quit` is the link's business.
    pub fn told(&mut self, command: Command, orders: &mut Orders) {
        match command {
            Command::Say { key, target, text } => {
                self.outbox.say(key, target, &text, orders);
                self.send_waiting(orders);
            }
            Command::Nick(nick) => match &mut self.stage {
                Stage::Down => (self.wanted, self.nick_is_open) = (nick, false),
                Stage::Hello { login, .. } => {
                    login.chosen(&nick, orders);
                    self.wanted = nick;
                }
                Stage::In => {
                    self.regain = None;
                    orders.send(format!("NICK {nick}"));
                }
            },
            Command::LogIn(wanted, login) => self.told_account(Some((wanted, login)), orders),
            Command::StayGuest => self.told_account(None, orders),
            Command::ChangePassword(password, line) => self.change_password(password, &line, orders),
            Command::Join(room) => {
                self.wish(&room);
                match self.is_in() {
                    true => orders.send(format!("JOIN {room}")),
                    false => self.remember(&room),
                }
            }
            Command::Ask(key, question) => self.asked.ask(key, &question, &self.features, orders),
            Command::File { label, line } => self.ask_about_file(label, &line, orders),
            Command::Read(target, up_to_ms) => self.has_read(&target, up_to_ms),
            Command::Part(room) => {
                self.rooms.retain(|other| fold(other) != fold(&room));
                if self.is_in() {
                    orders.send(format!("PART {room}"));
                }
            }
            Command::Quit => {}
        }
    }

    /// Handles a line from the server. An error ends the link.
    pub fn heard(&mut self, now_ms: u64, text: &str, orders: &mut Orders) -> Result<(), Trouble> {
        let Some(line) = Line::parse(text) else { return Ok(()) };
        match line.command {
            "PING" => orders.send(format!("PONG :{}", line.params().last().copied().unwrap_or_default())),
            "PONG" => self.ponged(line.params().last().copied().unwrap_or_default(), orders),
            "ERROR" => self.last_words = line.param(0).map(Into::into),
            "BATCH" => return self.batch(&line, now_ms, orders),
            "005" => line.params().iter().skip(1).for_each(|token| self.features.learn(token)),
            _ => return self.said(&line, text, now_ms, orders),
        }
        Ok(())
    }

    /// A line, or a message of several that is complete: part of a batch, or live.
    fn said(&mut self, line: &Line, text: &str, now_ms: u64, orders: &mut Orders) -> Result<(), Trouble> {
        if self.batches.keeps(line, text) { Ok(()) } else { self.live(line, text, now_ms, orders) }
    }

    /// When [`Session::tick`] has something to do.
    pub fn deadline_ms(&self) -> Option<u64> {
        let login = match &self.stage {
            _ if self.door.doom().is_some() => Some(0),
            Stage::Hello { until_ms, .. } if !self.waits_for_answer() => Some(*until_ms),
            _ => None,
        };
        let enter = (self.is_in() && !self.entering.is_empty()).then_some(self.enter_by_ms);
        let marks = self.marks.deadline_ms().filter(|_| self.is_in());
        let regain = self.regain.map(|regain| regain.at_ms);
        let all = [login, enter, self.catchup.deadline_ms(), self.asked.deadline_ms(), marks, regain];
        all.into_iter().flatten().min()
    }

    /// Does what is due. An error ends the link.
    pub fn tick(&mut self, now_ms: u64, orders: &mut Orders) -> Result<(), Trouble> {
        if let Some(doom) = self.door.take_doom() {
            return Err(doom);
        }
        match &self.stage {
            Stage::Hello { until_ms, .. } if *until_ms <= now_ms && !self.waits_for_answer() => {
                return Err(Trouble::NoAnswer);
            }
            _ => {}
        }
        if self.regain.is_some_and(|regain| regain.at_ms <= now_ms) {
            self.try_regain(now_ms, orders);
        }
        if self.enter_by_ms <= now_ms {
            self.entering.clear();
        }
        self.catchup.tick(now_ms, orders);
        self.asked.tick(now_ms, orders);
        if self.is_in() {
            self.marks.due(now_ms).into_iter().for_each(|line| orders.send(line));
        }
        self.flush(now_ms, orders);
        Ok(())
    }

    fn live(&mut self, line: &Line, text: &str, now_ms: u64, orders: &mut Orders) -> Result<(), Trouble> {
        if let Stage::Hello { login, .. } = &mut self.stage {
            match login.heard(line, orders) {
                Step::Taken => return Ok(()),
                Step::Other => {}
                Step::In(nick) => self.entered(nick, now_ms, orders),
                Step::Failed(trouble) => return Err(trouble),
            }
        }
        let label = self.batches.label_of(line);
        let in_batch = line.tags.value("batch").is_some();
        self.follow_password(line, label.as_deref(), orders);
        if self.answers_knock(line, orders)
            || answers_file(line, label.as_deref(), orders)
            || self.asked.refused(line, label.as_deref(), orders)
            || self.follow_marks(line)
            || self.catchup.refused(line, label.as_deref(), orders)
            || self.regain_refused(line)
        {
            self.flush(now_ms, orders);
            return Ok(());
        }
        let receipts = self.features.gives_receipts();
        let answer = self.outbox.heard(line, label.as_deref(), in_batch, receipts, orders);
        if answer != Answer::Refusal {
            self.follow(line, now_ms, orders);
            self.pass(line, text, orders);
        }
        self.flush(now_ms, orders);
        Ok(())
    }

    /// The welcome is over.
    fn entered(&mut self, nick: Box<str>, now_ms: u64, orders: &mut Orders) {
        if let Stage::Hello { login, .. } = &self.stage {
            (self.features.caps, self.features.offered) = (login.caps(), login.offered());
            self.door.entered(login.logged_in());
            self.features.learn_multiline(login.multiline());
        }
        self.stage = Stage::In;
        if fold(&nick) != fold(&self.wanted) {
            // The first time, another nick is the person's choice, or what there was to be had. An account has one nick.
            if self.was_in && self.door.account().is_none() {
                self.regain = Some(Regain { at_ms: now_ms + REGAIN_EVERY_MS, asked: false });
            } else {
                self.wanted = nick.clone();
            }
        }
        self.nick = nick.clone();
        let again = std::mem::replace(&mut self.was_in, true);
        let home = self.home().into();
        orders.tell(Event::In { nick, features: Box::new(self.features.clone()), home, again });
        if !again && (self.config.room.is_some() || self.features.lobby.is_none()) {
            let home = self.home().to_owned();
            self.remember(&home);
        }
        let logged_in = self.door.account().is_some();
        let by_us = |room: &str| !logged_in || !self.brought.contains(&fold(room));
        let wanted = self.rooms.iter().filter(|room| by_us(room));
        self.entering = wanted.chain(&self.features.lobby).map(|room| fold(room)).collect();
        self.enter_by_ms = now_ms + ENTER_WITHIN_MS;
        for room in self.rooms.iter().filter(|room| by_us(room) && !self.features.is_lobby(room)) {
            orders.send(format!("JOIN {room}"));
        }
        self.ask_news(orders);
        if let Some((wanted, login)) = self.door.wanted_next() {
            self.knock(wanted, login, orders);
        }
    }

    /// The room that is meant when no other is named.
    fn home(&self) -> &str {
        self.config.room.as_deref().or(self.features.lobby.as_deref()).unwrap_or(DEFAULT_ROOM)
    }

    fn is_me(&self, nick: &str) -> bool {
        fold(nick) == fold(&self.nick)
    }

    /// Hands a line to the front end, messages to a room in their order.
    fn pass(&mut self, line: &Line, text: &str, orders: &mut Orders) {
        match (line.command, line.param(0)) {
            ("CAP" | "ACK" | "TAGMSG", _) => {}
            ("PRIVMSG" | "NOTICE", Some(target)) if self.features.is_room(self.features.without_marks(target)) => {
                self.catchup.pass(self.features.without_marks(target), line, text, orders);
            }
            // Talk with somebody whose history is on its way waits for that, as in a room.
            ("PRIVMSG", Some(target)) => {
                let who = nick_of(line.source.unwrap_or_default());
                let other = if self.is_me(who) { target } else { who };
                self.catchup.pass(other, line, text, orders);
            }
            _ => orders.tell(Event::Line { text: text.into(), history: false }),
        }
    }

    fn ponged(&mut self, token: &str, orders: &mut Orders) {
        if let Some((target, text)) = self.outbox.ponged(token, self.features.gives_receipts(), orders) {
            // The server does not echo; for the view it is as if it did.
            let host = self.host.as_deref().unwrap_or("gzy@here");
            let echo = format!(":{}!{host} PRIVMSG {target} :{text}", self.nick);
            orders.tell(Event::Line { text: echo.into(), history: false });
        }
        self.send_waiting(orders);
    }

    /// Goes on with what waits for other things to end.
    fn flush(&mut self, now_ms: u64, orders: &mut Orders) {
        if self.is_in() {
            self.news.go_on(&mut self.catchup, &self.features, now_ms, orders);
        }
        self.send_waiting(orders);
    }

    /// Sends what waits, unless rooms are being entered or history is on its way: it may show that a message arrived whose receipt was lost.
    fn send_waiting(&mut self, orders: &mut Orders) {
        if !self.is_in() || !self.entering.is_empty() || self.catchup.is_fetching() {
            return;
        }
        let home = self.home().to_owned();
        let standing = Standing { features: &self.features, nick: &self.nick, host: self.host.as_deref(), home: &home };
        self.outbox.flush(standing, orders);
    }
}

#[cfg(test)]
mod tests;
