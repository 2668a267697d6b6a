//! Who is told of files that have come, and how: a line for programs that know files, a notice with a link for all others, kept for those who are away.

use std::fmt::Write;
use std::rc::Rc;

use crate::store::file::Scope;
use crate::store::record::{AccountId, Kind, Message, Target};
use crate::wire::caps::Caps;
use crate::wire::event::Event;
use crate::wire::msgid::MsgId;

use super::super::{Audience, Chat, ConnId, Effect, Now, RoomId};
use super::command::FILE_CAPS;
use super::gathering::Held;
use super::settling::Arrival;
use super::words::{encoded, kind_words, media_tag, size_words};

/// Those who are told in words: who does not know the lines, or could not take their length.
const IN_WORDS: [Audience; 2] =
    [Audience { with: Caps::NONE, without: Caps::FILES }, Audience { with: Caps::FILES, without: Caps::LONG_LINES }];

/// Where a notice goes.
struct Place {
    target: Target,
    /// What it is called: the room, or the receiver.
    name: Box<str>,
    closed_in: u64,
}

impl Chat {
    /// Tells of a file that came alone, or nearly.
    pub(super) fn announce_one(&mut self, arrival: &Arrival, now: Now, effects: &mut Vec<Effect>) {
        let id = self.next_id(now);
        self.tell_programs(arrival, id.time_ms(), Some(id), effects);
        let text = self.words_for(arrival);
        self.tell_people(arrival, id, &text, now, effects);
    }

    /// Tells people of a file that programs know of already.
    pub(super) fn tell_people_of_one(&mut self, arrival: &Arrival, now: Now, effects: &mut Vec<Effect>) {
        let id = self.next_id(now);
        let text = self.words_for(arrival);
        self.tell_people(arrival, id, &text, now, effects);
    }

    /// Tells people of many files in one sentence.
    pub(super) fn tell_people_of_all(&mut self, held: &Held, now: Now, effects: &mut Vec<Effect>) {
        let Some(first) = held.first.first() else { return };
        let (count, folder, size) = (held.count, &held.folder, size_words(held.bytes));
        let place = if folder.is_empty() { String::new() } else { format!(" in {folder}/") };
        let mut text = format!("[文件 file] {count} 个文件 files{place} · {size}");
        let path = if folder.is_empty() { String::new() } else { format!("{}/", encoded(folder)) };
        let _ = match self.shelf.reachable().filter(|_| first.key.scope == Scope::Public) {
            Some(address) => write!(text, " · {address}/cloud/{path}"),
            None if folder.is_empty() => write!(text, " · !ls"),
            None => write!(text, " · !ls {folder}"),
        };
        let id = self.next_id(now);
        self.tell_people(first, id, &text, now, effects);
    }

    fn words_for(&self, arrival: &Arrival) -> String {
        let name = arrival.key.name.as_str();
        let mut text = format!("[文件 file] {name}");
        if let Some(kind) = kind_words(arrival.media) {
            let _ = write!(text, " · {kind}");
        }
        let _ = write!(text, " · {} · SHA-256 {}", size_words(arrival.size), arrival.digest.short());
        let _ = match self.shelf.reachable().filter(|_| arrival.key.scope == Scope::Public) {
            Some(address) => write!(text, " · {address}/cloud/{}", encoded(name)),
            None => write!(text, " · !get {name}"),
        };
        text
    }

    /// `:nick!user@host FILE STORED <scope> <size> <sha256> :<name>` to everybody who sees the scope and knows the line. Who was answered by it
    /// already is left out.
    pub(super) fn tell_programs(&self, arrival: &Arrival, time_ms: u64, id: Option<MsgId>, effects: &mut Vec<Effect>) {
        let answered = arrival.questions.first().map(|question| question.conn);
        let event = |word: &str| {
            let head = format!(":{} FILE STORED {word} {} {}", arrival.by.source, arrival.size, arrival.digest);
            let mut event = Event::plain(time_ms, head, Some(arrival.key.name.as_str()));
            event.msgid = id;
            event.account = arrival.by.account.map(|_| Rc::from(&*arrival.by.name));
            event.client_tags = media_tag(arrival.media);
            Rc::new(event)
        };
        let only = Audience::with(FILE_CAPS);
        let scope = arrival.key.scope;
        if let Scope::Pair(one, other) = scope {
            for account in [one, other] {
                let mut to = self.accounts.devices(account).to_vec();
                to.retain(|conn| Some(*conn) != answered);
                effects.push(Effect::ToEach { to, only, event: event(&self.scope_word(scope, Some(account))) });
            }
        } else if let Some(room) = self.room_of_scope(scope) {
            let event = event(&self.scope_word(scope, None));
            effects.push(Effect::ToRoom { room: room.id, except: answered, only, event });
        }
    }

    /// A notice by whoever brought the file, kept like everything that is said there.
    fn tell_people(&mut self, arrival: &Arrival, id: MsgId, text: &str, now: Now, effects: &mut Vec<Effect>) {
        let (by, scope) = (&arrival.by, arrival.key.scope);
        let Some((place, room)) = self.place_of(arrival) else { return };
        let head = format!(":{} NOTICE {}", by.source, place.name);
        let mut event = Event::plain(id.time_ms(), head, Some(text));
        event.msgid = Some(id);
        event.account = by.account.map(|_| Rc::from(&*by.name));
        let event = Rc::new(event);
        match (room, scope) {
            (Some(room), _) => {
                for only in IN_WORDS {
                    effects.push(Effect::ToRoom { room, except: None, only, event: event.clone() });
                }
                self.keep_for_newcomers(room, &event);
            }
            (None, Scope::Pair(one, other)) => self.tell_pair((one, other), by.account, &event, now, effects),
            (None, _) => {}
        }
        let message = Box::new(Message {
            id,
            target: place.target,
            closed_in: place.closed_in,
            source: by.source.clone(),
            account: by.account.map(|_| by.name.clone()),
            bot: false,
            kind: Kind::Notice,
            text: text.into(),
            tags: None,
            sent_as: None,
        });
        self.receipts.note_unsaved(id, text.len(), None);
        effects.push(Effect::Remember { message, hurry: false });
    }

    fn place_of(&self, arrival: &Arrival) -> Option<(Place, Option<RoomId>)> {
        if let Scope::Pair(one, other) = arrival.key.scope {
            let receiver = if arrival.by.account == Some(one) { other } else { one };
            let name = self.accounts.get(receiver)?.name.as_str().into();
            return Some((Place { target: Target::pair(one, other), name, closed_in: 0 }, None));
        }
        let room = self.room_of_scope(arrival.key.scope)?;
        let closed_in = if room.is_closed() { room.instance } else { 0 };
        Some((Place { target: room.target(), name: room.name.as_str().into(), closed_in }, Some(room.id)))
    }

    fn keep_for_newcomers(&mut self, room: RoomId, event: &Rc<Event>) {
        let limit = self.settings.replay;
        if let Some(room) = self.rooms.get_mut(&room).filter(|room| limit > 0 && room.recent_asked) {
            room.keep_recent(event.clone(), limit);
        }
    }

    /// The receiver hears it on all devices, the sender on those that take their own words back.
    fn tell_pair(
        &mut self,
        (one, other): (AccountId, AccountId),
        sender: Option<AccountId>,
        event: &Rc<Event>,
        now: Now,
        effects: &mut Vec<Effect>,
    ) {
        let (sender, receiver) = if sender == Some(one) { (one, other) } else { (other, one) };
        for only in IN_WORDS {
            let to = self.accounts.devices(receiver).to_vec();
            effects.push(Effect::ToEach { to, only, event: event.clone() });
            let only = Audience { with: only.with.with(Caps::ECHO_MESSAGE), ..only };
            let to = self.accounts.devices(sender).to_vec();
            effects.push(Effect::ToEach { to, only, event: event.clone() });
        }
        let cannot_ask = |conn: &ConnId| self.session(*conn).is_some_and(|s| !s.caps.has(Caps::CHATHISTORY));
        let device = self.accounts.devices(receiver).iter().copied().find(cannot_ask);
        if let (Some(device), Some(id)) = (device, event.msgid) {
            self.turn(device, now, effects, |turn| turn.note_heard(receiver, id));
        }
    }
}
