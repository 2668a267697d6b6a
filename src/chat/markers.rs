//! Up to where somebody has read: MARKREAD, so that a phone and a laptop agree (IRCv3 draft/read-marker).

use std::collections::HashMap;
use std::rc::Rc;

use crate::store::change::Change;
use crate::store::record::{AccountId, Found, Query, Target};
use crate::wire::caps::Caps;
use crate::wire::event::Event;
use crate::wire::limits::{MARKERS_PER_ACCOUNT, ROOMS_PER_SESSION};
use crate::wire::line::Line;
use crate::wire::msgid::MsgId;
use crate::wire::timestamp;

use super::join::clip_word;
use super::places::Past;
use super::turn::Turn;
use super::{Asker, Audience, Chat, ConnId, Effect, SERVER_NAME};

/// Whose markers they are: those of a guest are for one connection, and nothing of them is kept.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
enum Reader {
    Account(AccountId),
    Guest(ConnId),
}

/// Up to where one person has read, in milliseconds since 1970.
#[derive(Default, Debug)]
struct Markers {
    up_to_ms: HashMap<Target, u64>,
}

impl Markers {
    /// Moves a marker forward; false when it is there or further already. The one with the oldest time makes room.
    fn advance(&mut self, target: &Target, up_to_ms: u64, limit: usize) -> bool {
        let known = self.up_to_ms.get(target).copied();
        if known.is_some_and(|known| known >= up_to_ms) {
            return false;
        }
        if known.is_none() && self.up_to_ms.len() >= limit {
            let oldest = self.up_to_ms.iter().min_by_key(|(_, at_ms)| **at_ms).map(|(target, _)| target.clone());
            oldest.map(|oldest| self.up_to_ms.remove(&oldest));
        }
        self.up_to_ms.insert(target.clone(), up_to_ms);
        true
    }
}

/// What is held of an account while it is here.
#[derive(Default, Debug)]
pub struct Here {
    /// Up to where private messages were handed to devices that cannot ask for them; `None` before the store has said it.
    pub delivered: Option<MsgId>,
    /// Devices that wait to be shown what was missed, with the newest message when they came. Nothing counts as delivered meanwhile,
    /// or what they wait for would never be shown.
    pub awaiting: Vec<(ConnId, MsgId)>,
    /// The newest private message that they heard meanwhile.
    pub heard: MsgId,
}

/// What everybody who is here has read. Made when somebody comes, dropped with the last device.
#[derive(Default, Debug)]
pub struct Readers {
    markers: HashMap<Reader, Markers>,
    here: HashMap<AccountId, Here>,
}

impl Readers {
    /// What is held of an account that is here.
    pub fn here(&mut self, account: AccountId) -> Option<&mut Here> {
        self.here.get_mut(&account)
    }

    /// The store could not tell what is kept of an account: the next device asks again.
    pub fn ask_again_later(&mut self, account: AccountId) -> Option<Here> {
        self.here.remove(&account)
    }

    /// What a guest has read is nobody's any longer.
    pub fn forget_guest(&mut self, conn: ConnId) {
        self.markers.remove(&Reader::Guest(conn));
    }

    /// How much is held, of how many.
    #[cfg(test)]
    pub fn len(&self) -> usize {
        self.markers.len() + self.here.len()
    }
}

impl Chat {
    fn reader(&self, conn: ConnId) -> Reader {
        self.account_of(conn).map_or(Reader::Guest(conn), Reader::Account)
    }

    /// The marker of somebody's person at a place.
    fn marker(&self, conn: ConnId, target: &Target) -> Option<u64> {
        self.readers.markers.get(&self.reader(conn))?.up_to_ms.get(target).copied()
    }

    /// Whether somebody has read a message of a place.
    pub(super) fn has_read(&self, account: AccountId, target: &Target, id: MsgId) -> bool {
        let markers = self.readers.markers.get(&Reader::Account(account));
        markers.and_then(|markers| markers.up_to_ms.get(target)).is_some_and(|up_to_ms| id.time_ms() <= *up_to_ms)
    }

    /// Somebody has read everything of a place so far: what was said before they came is nothing that they missed.
    pub(super) fn note_read(&mut self, account: AccountId, target: &Target, up_to_ms: u64) {
        if let Some(markers) = self.readers.markers.get_mut(&Reader::Account(account)) {
            markers.advance(target, up_to_ms, MARKERS_PER_ACCOUNT);
        }
    }

    /// Begins to hold what is kept of an account; true when it was not held yet. The store is asked for it.
    pub(super) fn hold_person(&mut self, account: AccountId, effects: &mut Vec<Effect>) -> bool {
        if self.readers.here.contains_key(&account) {
            return false;
        }
        self.readers.here.insert(account, Here::default());
        let token = self.next_token(Asker::Person(account));
        effects.push(Effect::Ask { token, query: Query::Person { account } });
        true
    }

    /// Lets go of what is held for a connection that ends, and for its account when that was its last device.
    pub(super) fn let_go_of_reader(&mut self, conn: ConnId) {
        self.readers.forget_guest(conn);
        let Some(account) = self.account_of(conn) else { return };
        if self.accounts.devices(account).iter().all(|device| *device == conn) {
            self.readers.markers.remove(&Reader::Account(account));
            self.readers.here.remove(&account);
        }
    }

    /// The store has told what is kept of an account: its devices are told what was read of their rooms, and what was missed is fetched.
    pub(super) fn person_found(&mut self, account: AccountId, found: Found, effects: &mut Vec<Effect>) {
        let (mut read, delivered) = match found {
            Found::Person { read, delivered } => (read, delivered),
            Found::Failed(reason) => return self.missed_not_found(account, &reason, effects),
            _ => return,
        };
        let Some(here) = self.readers.here(account) else { return };
        here.delivered = Some(delivered);
        let is_awaited = !here.awaiting.is_empty();
        // The latest last, so that the earliest make room where there are too many.
        read.sort_unstable_by_key(|(_, up_to_ms)| *up_to_ms);
        let markers = self.readers.markers.entry(Reader::Account(account)).or_default();
        for (target, up_to_ms) in &read {
            markers.advance(target, *up_to_ms, MARKERS_PER_ACCOUNT);
        }
        self.tell_markers(account, effects);
        if is_awaited {
            self.ask_missed(account, delivered, effects);
        }
    }

    /// Tells the devices of an account what was read of the rooms that they are in.
    fn tell_markers(&self, account: AccountId, effects: &mut Vec<Effect>) {
        for conn in self.accounts.devices(account) {
            let takes_them = self.session(*conn).is_some_and(|session| session.caps.has(Caps::READ_MARKER));
            let rooms = if takes_them { self.pasts_of_rooms(*conn) } else { Vec::new() };
            let known = rooms.iter().filter(|past| self.marker(*conn, &past.place.target).is_some());
            let lines: String = known.map(|past| self.marker_line(*conn, past) + "\r\n").collect();
            if !lines.is_empty() {
                effects.push(Effect::Send { to: *conn, lines });
            }
        }
    }

    /// `:gzy.local MARKREAD #room timestamp=…`, with `*` where nothing is known.
    fn marker_line(&self, conn: ConnId, past: &Past) -> String {
        let mut line = format!(":{SERVER_NAME} MARKREAD {} ", past.name);
        match self.marker(conn, &past.place.target) {
            Some(up_to_ms) => {
                line.push_str("timestamp=");
                timestamp::write_utc(up_to_ms, &mut line);
            }
            None => line.push('*'),
        }
        line
    }
}

impl Turn<'_> {
    /// `MARKREAD <room or account> [timestamp=<time>]`
    pub(super) fn mark_read(&mut self, line: &Line) {
        if !self.session().caps.has(Caps::READ_MARKER) {
            return self.fail("MARKREAD", "NEED_CAPABILITY", &[], "ask for draft/read-marker first");
        }
        let Some(target) = line.param(0) else {
            return self.fail("MARKREAD", "NEED_MORE_PARAMS", &[], "say of which room or account");
        };
        let Some(past) = self.chat.past(self.me, target) else {
            let sentence = "you can mark the rooms that you are in, and your talk with accounts";
            return self.fail("MARKREAD", "INVALID_PARAMS", &[clip_word(target)], sentence);
        };
        let Some(text) = line.param(1) else { return self.show_marker(&past) };
        match text.strip_prefix("timestamp=").and_then(timestamp::parse) {
            Some(up_to_ms) => self.set_marker(&past, up_to_ms),
            None => {
                let context = [clip_word(target), clip_word(text)];
                self.fail("MARKREAD", "INVALID_PARAMS", &context, "say up to when: timestamp=2026-11-20T13:19:21.000Z");
            }
        }
    }

    fn show_marker(&mut self, past: &Past) {
        let line = self.chat.marker_line(self.me, past);
        self.replies.lines().push_str(&line);
        self.replies.lines().push_str("\r\n");
    }

    /// After a JOIN: where this person has read to in the room.
    pub(super) fn show_marker_of(&mut self, room: super::RoomId) {
        if !self.session().caps.has(Caps::READ_MARKER) {
            return;
        }
        if let Some(past) = self.chat.past_in(self.me, room) {
            self.show_marker(&past);
        }
    }

    fn set_marker(&mut self, past: &Past, up_to_ms: u64) {
        let reader = self.chat.reader(self.me);
        if self.chat.receipts.is_full() {
            let sentence = "the store cannot keep up; mark that again in a moment";
            return self.fail("MARKREAD", "INTERNAL_ERROR", &[&past.name], sentence);
        }
        // Nobody has read what is not said yet. Ids may be ahead of a clock that was set back.
        let up_to_ms = up_to_ms.min(self.now.wall_ms.max(self.chat.last_id.time_ms()));
        let limit = if matches!(reader, Reader::Guest(_)) { ROOMS_PER_SESSION } else { MARKERS_PER_ACCOUNT };
        let markers = self.chat.readers.markers.entry(reader).or_default();
        let is_further = markers.advance(&past.place.target, up_to_ms, limit);
        self.show_marker(past);
        let Reader::Account(account) = reader else { return };
        if is_further {
            let line = self.chat.marker_line(self.me, past);
            let event = Rc::new(Event::plain(self.now.wall_ms, line, None));
            let to = self.chat.other_devices(self.me);
            if !to.is_empty() {
                self.effects.push(Effect::ToEach { to, only: Audience::with(Caps::READ_MARKER), event });
            }
            self.record(Change::Read { account, target: past.place.target.clone(), up_to_ms });
        }
    }
}

#[cfg(test)]
mod tests;
