//! What a person sees: events go in, things to show come out. Pure: the time is an argument.

use std::collections::{BinaryHeap, HashMap, VecDeque};

use super::features::Features;
use super::outbox::SENT_ID;
use super::room::Room;
use super::seen::{Identity, Seen};
use super::shown::{Said, Shown, What};
use super::{Event, nick_of};
use crate::wire::line::Line;
use crate::wire::name::fold;
use crate::wire::timestamp;

/// People with whom there was private talk lately that are remembered.
const PARTNERS: usize = 100;

/// Rooms that the view follows. A server that names more is out of its mind.
const ROOMS: usize = 1_000;

/// Everything that a person can see of one server.
#[derive(Debug, Default)]
pub struct View {
    nick: Box<str>,
    home: Box<str>,
    features: Features,
    /// By folded name.
    rooms: HashMap<Box<str>, Room>,
    /// The latest first.
    partners: Vec<Box<str>>,
    seen: Seen,
    /// The files whose notice in the history has another id, the latest last.
    brought: VecDeque<Brought>,
    /// This is not the first link.
    is_again: bool,
    /// The link is broken.
    is_away: bool,
    /// The room of the latest invitation, until more was said about it.
    invited_to: Option<Box<str>>,
}

impl View {
    /// The client's nick.
    pub fn nick(&self) -> &str {
        &self.nick
    }

    /// The room that is meant when no other is named; empty before the first login.
    pub fn home(&self) -> &str {
        &self.home
    }

    /// What the server can.
    pub fn features(&self) -> &Features {
        &self.features
    }

    /// A room that the client is in.
    pub fn room(&self, name: &str) -> Option<&Room> {
        self.rooms.get(&fold(name))
    }

    /// All rooms that the client is in, in no particular order.
    pub fn rooms(&self) -> impl Iterator<Item = &Room> {
        self.rooms.values()
    }

    /// The people with whom there was private talk, the latest first.
    pub fn partners(&self) -> &[Box<str>] {
        &self.partners
    }

    /// Whether somebody of this name is in a room with the client, or talked to it in private.
    pub fn is_here(&self, nick: &str) -> bool {
        let key = fold(nick);
        self.rooms.values().any(|room| room.has(nick)) || self.partners.iter().any(|p| fold(p) == key)
    }

    /// Takes an event that happened at `now_ms` (since 1970, UTC); says what to show.
    pub fn take(&mut self, now_ms: u64, event: &Event) -> Vec<Shown> {
        let mut shown = Vec::new();
        let mut show = |what| shown.push(Shown { at_ms: now_ms, room: None, what });
        match event {
            Event::KeyAccepted { server, key, replaced } => {
                show(What::KeyAccepted { server: server.clone(), key: *key, replaced: *replaced });
            }
            Event::In { nick, features, home, again } => {
                (self.nick, self.home) = (nick.clone(), home.clone());
                self.features = (**features).clone();
                self.is_away = false;
                show(What::Connected { nick: nick.clone(), again: *again });
            }
            Event::NickRefused { nick, why, asked: true, .. } => {
                show(What::NickRefused { nick: nick.clone(), why: why.clone() });
            }
            // On the way in, being in says it; an account that was just made is worth a word of its own.
            Event::LoggedIn { login, number } if number.is_some() || !self.home.is_empty() && !self.is_away => {
                show(What::LoggedIn { name: login.name.clone(), number: number.clone() });
            }
            Event::NotLoggedIn { wanted, name, fault, .. } => {
                show(What::NotLoggedIn { wanted: *wanted, name: name.clone(), fault: fault.clone() });
            }
            Event::Line { text, history } => {
                if let Some(line) = Line::parse(text) {
                    self.line(now_ms, &line, *history, &mut shown);
                }
            }
            Event::Refused { target, text, why, .. } => {
                show(What::Refused { target: target.clone(), text: text.clone(), why: why.clone() });
            }
            Event::Lost(trouble) => {
                (self.is_again, self.is_away) = (true, true);
                self.seen.lost();
                show(What::Lost(trouble.clone()));
            }
            Event::Ended(Some(trouble)) => show(What::Failed(trouble.clone())),
            Event::Unreadable => show(What::Unreadable),
            Event::NickRefused { asked: false, .. }
            | Event::LoggedIn { .. }
            | Event::Answered { .. }
            | Event::File(_)
            | Event::Reached { .. }
            | Event::PasswordChanged(_)
            | Event::Pausing { .. }
            | Event::Settled(_)
            | Event::Delivered(_)
            | Event::Ended(None) => {}
        }
        shown
    }

    fn line(&mut self, now_ms: u64, line: &Line, history: bool, shown: &mut Vec<Shown>) {
        let at_ms = line.tags.value("time").and_then(|time| timestamp::parse(&time)).unwrap_or(now_ms);
        let who = nick_of(line.source.unwrap_or_default());
        let text = line.params().last().copied().unwrap_or_default();
        let mut show = |room: Option<&str>, what| shown.push(Shown { at_ms, room: room.map(Into::into), what });
        match (line.command, line.param(0)) {
            ("NOTICE", Some(_)) if self.follows_invitation(line, text) => {
                if let Some(number) = invitation_number(text)
                    && let Some(room) = self.invited_to.take()
                {
                    show(Some(&room), What::InvitedTo { number });
                }
            }
            ("PRIVMSG" | "NOTICE", Some(target)) => {
                if let Some((room, what)) = self.said(line, target, who, history) {
                    show(room.as_deref(), what);
                }
            }
            ("FILE", Some("STORED" | "GONE")) if !history => {
                if let Some((room, what)) = self.file(line, who, at_ms) {
                    show(room.as_deref(), what);
                }
            }
            _ if history => {}
            ("REDACT", Some(target)) => {
                let room = self.features.is_room(target).then_some(target);
                let with = room.is_none().then(|| Box::from(if self.is_me(who) { target } else { who }));
                let id = line.param(1).unwrap_or_default().into();
                show(room, What::Removed { id, by: who.into(), with });
            }
            ("JOIN" | "PART" | "QUIT" | "KICK", _) => self.moved(line, who, show),
            ("NICK", Some(to)) => {
                if let Some(what) = self.renamed(who, to) {
                    show(None, what);
                }
            }
            ("TOPIC", Some(room)) => {
                if let Some(known) = self.rooms.get_mut(&fold(room)) {
                    known.topic = text.into();
                }
                show(Some(room), What::Topic { by: Some(who.into()), text: text.into() });
            }
            ("MODE", Some(room)) if self.features.is_room(room) => {
                let change = line.params()[1..].join(" ");
                if let Some(known) = self.rooms.get_mut(&fold(room)) {
                    known.mode(&line.params()[1..], &self.features);
                }
                show(Some(room), What::Mode { by: who.into(), change: change.into() });
            }
            ("INVITE", Some(nick)) if self.is_me(nick) => {
                self.invited_to = line.param(1).map(Into::into);
                show(line.param(1), What::Invited { by: who.into() });
            }
            ("FAIL" | "WARN" | "NOTE", _) => show(None, What::Notice(text.into())),
            _ => self.numeric(line, show),
        }
    }

    /// Whether a notice says in words what an INVITE line has just said: how to answer, in two languages.
    fn follows_invitation(&self, line: &Line, text: &str) -> bool {
        let from_server = line.source.is_none_or(|source| !source.contains('!'));
        let Some(room) = self.invited_to.as_deref().filter(|_| from_server) else { return false };
        text.contains(room) && (invitation_number(text).is_some() || text.contains("：！加群*"))
    }

    /// The messages in lines that the user asked to see again. Nothing else changes by them.
    pub fn read(&self, lines: &[Box<str>]) -> Vec<Shown> {
        let messages = lines.iter().filter_map(|text| {
            let line = Line::parse(text).filter(|line| matches!(line.command, "PRIVMSG" | "NOTICE"))?;
            let at_ms = line.tags.value("time").and_then(|time| timestamp::parse(&time))?;
            let (room, what) = self.message(&line, line.param(0)?, true);
            Some(Shown { at_ms, room, what })
        });
        messages.collect()
    }

    /// A message: where it belongs and how it is shown; `None` when it was shown before.
    fn said(&mut self, line: &Line, target: &str, who: &str, history: bool) -> Option<(Option<Box<str>>, What)> {
        let own = !who.is_empty() && self.is_me(who);
        let (msgid, sent_id) = (line.tags.value("msgid"), line.tags.value(SENT_ID));
        let identity =
            Identity { msgid: msgid.as_deref(), sender: &fold(who), sent_id: sent_id.as_deref(), history, own };
        if !self.seen.is_new(identity) || history && self.is_told_file_by_file(line) {
            return None;
        }
        let (room, what) = self.message(line, target, history);
        if let What::Said(Said { with, .. }) = &what {
            if !history && let Some(room) = room.as_ref().and_then(|room| self.rooms.get_mut(&fold(room))) {
                // In large rooms the server does not name everybody; whoever speaks is there.
                room.add(who);
            }
            with.iter().for_each(|with| self.note_partner(with));
        }
        Some((room, what))
    }

    /// How a message is shown, and in which room.
    fn message(&self, line: &Line, target: &str, history: bool) -> (Option<Box<str>>, What) {
        let who = nick_of(line.source.unwrap_or_default());
        let text = line.params().last().copied().unwrap_or_default();
        let target = self.features.without_marks(target);
        let room = self.features.is_room(target).then(|| Box::from(target));
        let is_notice = line.command == "NOTICE";
        // What has no user in front comes from the server itself.
        if is_notice && line.source.is_none_or(|source| !source.contains('!')) {
            return (room, What::Notice(text.into()));
        }
        let own = !who.is_empty() && self.is_me(who);
        let with = room.is_none().then(|| Box::from(if own { target } else { who }));
        let action = text.strip_prefix("\u{1}ACTION ").map(|does| does.strip_suffix('\u{1}').unwrap_or(does));
        let (text, is_action) = (action.unwrap_or(text).into(), action.is_some());
        let id = line.tags.value("msgid").map(|id| Box::from(&*id));
        (room, What::Said(Said { who: who.into(), text, with, own, history, is_action, is_notice, id }))
    }

    /// Somebody came, left, or was thrown out.
    fn moved(&mut self, line: &Line, who: &str, mut show: impl FnMut(Option<&str>, What)) {
        match (line.command, line.param(0)) {
            ("JOIN", Some(room)) => {
                if let Some(what) = self.joined(room, who) {
                    show(Some(room), what);
                }
            }
            ("PART", Some(room)) => {
                if let Some(what) = self.parted(room, who, line.param(1).unwrap_or_default()) {
                    show(Some(room), what);
                }
            }
            ("QUIT", _) => self.quit(who, line.param(0).unwrap_or_default(), |room, what| show(Some(room), what)),
            ("KICK", Some(room)) => {
                let kicked = line.param(1).unwrap_or_default();
                let why = line.param(2).unwrap_or_default();
                if let Some(count) = self.gone(room, kicked) {
                    show(Some(room), What::Kicked { who: kicked.into(), by: who.into(), why: why.into(), count });
                }
            }
            _ => {}
        }
    }

    fn note_partner(&mut self, who: &str) {
        self.partners.retain(|other| fold(other) != fold(who));
        self.partners.insert(0, who.into());
        self.partners.truncate(PARTNERS);
    }

    fn is_me(&self, nick: &str) -> bool {
        fold(nick) == fold(&self.nick)
    }

    fn joined(&mut self, name: &str, who: &str) -> Option<What> {
        if self.is_me(who) {
            if self.rooms.len() < ROOMS || self.rooms.contains_key(&fold(name)) {
                let room = self.rooms.entry(fold(name)).or_default();
                room.begin(name, who);
            }
            return None;
        }
        let is_announced = self.features.is_lobby(name);
        let room = self.rooms.get_mut(&fold(name))?;
        room.add(who);
        (!is_announced).then(|| What::Joined { who: who.into(), count: room.count() })
    }

    fn parted(&mut self, name: &str, who: &str, why: &str) -> Option<What> {
        let count = self.gone(name, who)?;
        let is_announced = self.features.is_lobby(name) && !self.is_me(who);
        (!is_announced).then(|| What::Left { who: who.into(), why: why.into(), count })
    }

    /// Takes somebody out of a room, or the room out of the view; says how many stay.
    fn gone(&mut self, name: &str, who: &str) -> Option<usize> {
        if self.is_me(who) {
            return self.rooms.remove(&fold(name)).map(|room| room.count().saturating_sub(1));
        }
        let room = self.rooms.get_mut(&fold(name))?;
        room.remove(who);
        Some(room.count())
    }

    fn quit(&mut self, who: &str, why: &str, mut show: impl FnMut(&str, What)) {
        let keys: BinaryHeap<Box<str>> = self.rooms.keys().cloned().collect();
        for key in keys.into_sorted_vec() {
            let Some(room) = self.rooms.get_mut(&key) else { continue };
            if room.remove(who) && !self.features.is_lobby(&room.name) {
                show(&room.name, What::Left { who: who.into(), why: why.into(), count: room.count() });
            }
        }
    }

    fn renamed(&mut self, from: &str, to: &str) -> Option<What> {
        let own = self.is_me(from);
        if own {
            self.nick = to.into();
        }
        let mut is_known = own;
        for room in self.rooms.values_mut() {
            is_known |= room.rename(from, to);
        }
        if let Some(partner) = self.partners.iter_mut().find(|partner| fold(partner) == fold(from)) {
            *partner = to.into();
            is_known = true;
        }
        is_known.then(|| What::Renamed { from: from.into(), to: to.into(), own })
    }

    fn numeric(&mut self, line: &Line, mut show: impl FnMut(Option<&str>, What)) {
        let text = line.params().last().copied().unwrap_or_default();
        match (line.command, line.param(1)) {
            ("332", Some(room)) => {
                let known = self.rooms.get_mut(&fold(room));
                if known.is_none_or(|known| std::mem::replace(&mut known.topic, text.into()) != text.into()) {
                    show(Some(room), What::Topic { by: None, text: text.into() });
                }
            }
            ("353", _) => {
                if let Some(room) = line.param(2).and_then(|room| self.rooms.get_mut(&fold(room))) {
                    room.listed(text, &self.features);
                }
            }
            ("366", Some(name)) => {
                let is_lobby = self.features.is_lobby(name);
                let Some(room) = self.rooms.get_mut(&fold(name)) else { return };
                if room.names_ended() && !is_lobby {
                    show(Some(name), What::Entered { names: room.members().map(|m| m.nick.clone()).collect() });
                }
            }
            // The message of the day is shown once, not after each broken link.
            ("372", _) if !self.is_again => show(None, What::Notice(text.strip_prefix("- ").unwrap_or(text).into())),
            _ if is_answer(line.command) => {
                let said = line.params().get(1..).unwrap_or_default().join(" ");
                show(None, What::Notice(said.into()));
            }
            _ => {}
        }
    }
}

mod files;

use files::Brought;

/// The number of the group that a server of our own explains an invitation to.
fn invitation_number(text: &str) -> Option<u32> {
    let (_, rest) = text.rsplit_once(": !join ")?;
    rest.split_once(" accepts, !decline ")?.0.parse().ok()
}

/// Whether a line is a numeric that answers what somebody asked, or refuses it. The others belong to the welcome or say nothing to a person.
fn is_answer(command: &str) -> bool {
    match command.parse() {
        Ok(200..=220 | 301..=330 | 333..=352 | 354..=365 | 367..=371 | 374 | 378..=379 | 381..=395) => command != "333",
        Ok(400..=421 | 423..=599) => true,
        Ok(671 | 696 | 704..=706 | 730..=734) => true,
        Ok(_) | Err(_) => false,
    }
}

#[cfg(test)]
mod tests;
