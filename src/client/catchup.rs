//! What was missed: fetching it after a broken link, and putting it in front of what is said meanwhile.

use std::collections::HashMap;

use super::features::Features;
use super::{Event, Orders};
use crate::wire::event::sent_bytes;
use crate::wire::limits::{HISTORY_BYTES, LINE_AROUND_BYTES, MULTILINE_BYTES, MULTILINE_LINES};
use crate::wire::line::Line;
use crate::wire::msgid::MsgId;
use crate::wire::name::fold;
use crate::wire::timestamp;

/// Milliseconds that an answer of CHATHISTORY may take: a busy SD card needs seconds. Then the talk goes on without it.
const ANSWER_WITHIN_MS: u64 = 30_000;

/// Lines that may be held back while history is on its way. Beyond it they are let go and fetched again.
const HELD: usize = 4096;

/// Bytes of an answer of CHATHISTORY by which it may miss the most that one can hold and be full all the same: those of the longest message.
const FULL_BYTES: usize = MULTILINE_BYTES + MULTILINE_LINES * LINE_AROUND_BYTES;

/// What everything in a room was said after, that had no messages when the client entered it.
const THE_BEGINNING: &str = "timestamp=1970-01-01T00:00:00.000Z";

/// The rooms, and how far each is known.
#[derive(Default, Debug)]
pub struct Catchup {
    rooms: HashMap<Box<str>, Room>,
    asked: u64,
}

#[derive(Default, Debug)]
struct Room {
    last: Option<Last>,
    /// The server has answered with the history: without a last message, there was none.
    is_known: bool,
    fetch: Option<Fetch>,
    names_are_known: bool,
    is_settled: bool,
}

/// The latest message of a room that was told.
#[derive(Clone, PartialEq, Eq, Debug)]
struct Last {
    msgid: Option<Box<str>>,
    time: Option<Box<str>>,
}

#[derive(Debug)]
struct Fetch {
    label: String,
    since_ms: u64,
    /// What follows a known message is wanted; otherwise the latest few.
    is_after: bool,
    /// Messages asked for: that many in the answer means that there may be more.
    limit: usize,
    held: Vec<Box<str>>,
    overflowed: bool,
    /// What is to be said waits for it.
    blocks: bool,
}

/// What is asked for of a conversation.
#[derive(Clone, Copy)]
struct Question {
    /// The latest so many messages, when nothing is known of it.
    first: usize,
    /// And only those after this time (milliseconds since 1970).
    since_ms: Option<u64>,
    blocks: bool,
}

impl Catchup {
    /// The client is in a room. Asks for what it missed there, or for the last `first` messages of a room that it did not know.
    pub fn joined(&mut self, name: &str, first: usize, features: &Features, now_ms: u64, orders: &mut Orders) {
        let room = self.rooms.entry(fold(name)).or_default();
        (room.names_are_known, room.is_settled) = (false, false);
        if features.has_history() && first > 0 {
            self.asked += 1;
            let question = Question { first, since_ms: None, blocks: true };
            room.ask(name, question, self.asked, features, now_ms, orders);
        }
    }

    /// Something was said in a room or by a person that was not looked at yet. Asks for what follows the last known message, else for
    /// the latest `first`, those after `since_ms` only. Nothing waits for it.
    pub fn missed(
        &mut self,
        name: &str,
        (first, since_ms): (usize, Option<u64>),
        features: &Features,
        now_ms: u64,
        orders: &mut Orders,
    ) {
        let room = self.rooms.entry(fold(name)).or_default();
        if room.fetch.is_none() {
            self.asked += 1;
            room.ask(name, Question { first, since_ms, blocks: false }, self.asked, features, now_ms, orders);
        }
    }

    /// The latest message of a room or a person is of this time and was read; it need not be fetched.
    pub fn known_up_to(&mut self, name: &str, at_ms: u64) {
        let room = self.rooms.entry(fold(name)).or_default();
        room.is_known = true;
        room.last.get_or_insert_with(|| {
            let mut time = String::new();
            timestamp::write_utc(at_ms, &mut time);
            Last { msgid: None, time: Some(time.into()) }
        });
    }

    /// Until when a room or a conversation is known, in milliseconds since 1970.
    pub fn last_ms(&self, name: &str) -> Option<u64> {
        timestamp::parse(self.rooms.get(&fold(name))?.last.as_ref()?.time.as_deref()?)
    }

    /// Whether the history of a room or a person is on its way.
    pub fn is_asking(&self, name: &str) -> bool {
        self.rooms.get(&fold(name)).is_some_and(|room| room.fetch.is_some())
    }

    /// The client left a room for good.
    pub fn left(&mut self, name: &str) {
        self.rooms.remove(&fold(name));
    }

    /// The link broke. What was held back behind known messages will come again.
    pub fn lost(&mut self, orders: &mut Orders) {
        for room in self.rooms.values_mut() {
            if room.fetch.as_ref().is_some_and(|fetch| !fetch.is_after) {
                room.release(orders);
            }
            room.fetch = None;
        }
    }

    /// Whether history is on its way that what is to be said waits for.
    pub fn is_fetching(&self) -> bool {
        self.rooms.values().any(|room| room.fetch.as_ref().is_some_and(|fetch| fetch.blocks))
    }

    /// Lets a live message pass, or holds it back until the history in front of it is here.
    pub fn pass(&mut self, room: &str, line: &Line, text: &str, orders: &mut Orders) {
        let from_server = line.source.is_none_or(|source| !source.contains('!'));
        match self.rooms.get_mut(&fold(room)) {
            Some(Room { fetch: Some(fetch), .. }) if !from_server => {
                if fetch.held.len() < HELD {
                    fetch.held.push(text.into());
                } else {
                    fetch.held.clear();
                    fetch.overflowed = true;
                }
                return;
            }
            // While history is on its way, a notice does not move the point that the history is asked from.
            Some(room) if room.fetch.is_none() => room.note(line),
            _ => {}
        }
        orders.tell(Event::Line { text: text.into(), history: false });
    }

    /// A whole answer of CHATHISTORY is here.
    pub fn fetched(&mut self, name: &str, lines: Vec<Box<str>>, features: &Features, now_ms: u64, orders: &mut Orders) {
        let Some(room) = self.rooms.get_mut(&fold(name)) else { return };
        let before = room.last.clone();
        let (mut messages, mut bytes) = (0, 0);
        for text in lines {
            if let Some(line) = Line::parse(&text).filter(|line| matches!(line.command, "PRIVMSG" | "NOTICE")) {
                messages += 1;
                bytes += sent_bytes(line.params().last().copied().unwrap_or_default());
                room.note(&line);
            }
            orders.tell(Event::Line { text, history: true });
        }
        let Some(fetch) = &mut room.fetch else { return };
        // An answer may also end because it gets too long.
        let is_full =
            fetch.is_after && (messages >= fetch.limit || bytes + FULL_BYTES > HISTORY_BYTES) && room.last != before;
        if is_full || fetch.overflowed {
            let held = std::mem::take(&mut fetch.held);
            let question = Question { first: fetch.limit, since_ms: None, blocks: fetch.blocks };
            self.asked += 1;
            room.ask(name, question, self.asked, features, now_ms, orders);
            if let Some(fetch) = &mut room.fetch {
                fetch.held = held;
            }
            return;
        }
        room.is_known = true;
        room.finish(name, orders);
    }

    /// The server will not answer a question: it has no history of the room. True when the line is about one.
    pub fn refused(&mut self, line: &Line, label: Option<&str>, orders: &mut Orders) -> bool {
        let is_about = |name: &str, fetch: &Fetch| {
            label.is_some_and(|label| label == fetch.label)
                || line.command == "FAIL"
                    && line.param(0) == Some("CHATHISTORY")
                    && line.params().iter().any(|param| *fold(param) == *name)
        };
        for (name, room) in &mut self.rooms {
            if room.fetch.as_ref().is_some_and(|fetch| is_about(name, fetch)) {
                room.finish(name, orders);
                return true;
            }
        }
        line.command == "FAIL" && line.param(0) == Some("CHATHISTORY")
    }

    /// The list of a room's members is complete.
    pub fn names_ended(&mut self, name: &str, orders: &mut Orders) {
        if let Some(room) = self.rooms.get_mut(&fold(name)) {
            room.names_are_known = true;
            room.settle(name, orders);
        }
    }

    /// Gives up questions that stay unanswered.
    pub fn tick(&mut self, now_ms: u64, orders: &mut Orders) {
        for (name, room) in &mut self.rooms {
            if room.fetch.as_ref().is_some_and(|fetch| fetch.since_ms + ANSWER_WITHIN_MS <= now_ms) {
                room.finish(name, orders);
            }
        }
    }

    /// When [`Catchup::tick`] has something to do.
    pub fn deadline_ms(&self) -> Option<u64> {
        self.rooms.values().filter_map(|room| Some(room.fetch.as_ref()?.since_ms + ANSWER_WITHIN_MS)).min()
    }
}

impl Room {
    fn ask(
        &mut self,
        name: &str,
        question: Question,
        serial: u64,
        features: &Features,
        now_ms: u64,
        orders: &mut Orders,
    ) {
        let label = format!("h{serial}");
        let tag = if features.gives_receipts() { format!("@label={label} ") } else { String::new() };
        let after = self.last.as_ref().and_then(|last| last.selector(features));
        let after = after.or_else(|| self.is_known.then(|| THE_BEGINNING.to_owned()));
        let (is_after, limit) = match &after {
            Some(_) => (true, features.history_limit),
            None => (false, question.first.min(features.history_limit)),
        };
        orders.send(match (after, question.since_ms) {
            (Some(after), _) => format!("{tag}CHATHISTORY AFTER {name} {after} {limit}"),
            (None, Some(since_ms)) => {
                let mut since = String::new();
                timestamp::write_utc(since_ms, &mut since);
                format!("{tag}CHATHISTORY LATEST {name} timestamp={since} {limit}")
            }
            (None, None) => format!("{tag}CHATHISTORY LATEST {name} * {limit}"),
        });
        let (held, overflowed, blocks) = (Vec::new(), false, question.blocks);
        self.fetch = Some(Fetch { label, since_ms: now_ms, is_after, limit, held, overflowed, blocks });
    }

    /// Moves the point up to which the room is known.
    fn note(&mut self, line: &Line) {
        let last = Last {
            msgid: line.tags.value("msgid").map(|id| id.into_owned().into()),
            time: line.tags.value("time").map(|time| time.into_owned().into()),
        };
        // A line without an id (an announcement of the server) is a worse mark than a message.
        let has_better = self.last.as_ref().is_some_and(|known| known.msgid.is_some());
        if last.msgid.is_none() && (last.time.is_none() || has_better) {
            return;
        }
        // The receipt of an own message comes when it is on disk, perhaps behind later messages of others.
        let is_older = self.last.as_ref().and_then(Last::sortable).zip(last.sortable()).is_some_and(|(a, b)| b < a);
        if !is_older {
            self.last = Some(last);
        }
    }

    fn release(&mut self, orders: &mut Orders) {
        let held = self.fetch.take().map(|fetch| fetch.held).unwrap_or_default();
        for text in held {
            if let Some(line) = Line::parse(&text) {
                self.note(&line);
            }
            orders.tell(Event::Line { text, history: false });
        }
    }

    fn finish(&mut self, name: &str, orders: &mut Orders) {
        self.release(orders);
        self.settle(name, orders);
    }

    fn settle(&mut self, name: &str, orders: &mut Orders) {
        if self.names_are_known && self.fetch.is_none() && !self.is_settled {
            self.is_settled = true;
            orders.tell(Event::Settled(name.into()));
        }
    }
}

impl Last {
    /// How CHATHISTORY names this message.
    fn selector(&self, features: &Features) -> Option<String> {
        let by_id = self.msgid.as_ref().filter(|_| features.history_by_id).map(|id| format!("msgid={id}"));
        by_id.or_else(|| self.time.as_ref().map(|time| format!("timestamp={time}")))
    }

    /// The ids of a GZY server sort by time; those of others do not.
    fn sortable(&self) -> Option<MsgId> {
        self.msgid.as_deref().and_then(MsgId::parse)
    }
}

#[cfg(test)]
mod tests;
