//! What everybody must have heard, must know and must have been answered, whatever the day brought.

use std::collections::BTreeMap;

use crate::wire::msgid::MsgId;

use super::super::{RoomId, Session};
use super::record::Said;
use super::script::number_in;
use super::{Day, groups};

impl Day {
    pub(super) fn note_said(&mut self) {
        self.record.groups.extend(self.world.unsaved_changes.iter().filter_map(|(_, change)| groups::named(change)));
        for unsaved in &self.world.unsaved {
            let message = &unsaved.message;
            self.record.newest = message.id;
            let Some(number) = number_in(&message.text) else { continue };
            self.record.ids.entry(number).or_default().push(message.id);
            let room = match message.target.as_str() {
                name if name.starts_with('#') => Some(name.into()),
                _ => self.record.groups.get(&message.target).cloned(),
            };
            self.record
                .said
                .insert(message.id, Said { number, room, closed_in: message.closed_in, hurry: unsaved.hurry });
        }
    }

    /// What was said in this step was heard by everybody who was in that room all along.
    pub(super) fn check_that_all_heard(&self) {
        for (_, said) in self.record.said.range(MsgId(self.record.newest_before.0 + 1)..) {
            let Some(room) = &said.room else { continue };
            for person in &self.people {
                let is_owed = person.ear.was_in(room)
                    && !self.record.is_sender(said.number, person.conn)
                    && !self.world.is_closed(person.conn);
                let has = person.ear.has_heard(room, said.number);
                assert!(!is_owed || has, "#{} did not hear m{} in {room}", person.conn.serial, said.number);
            }
        }
    }

    /// Everybody knows who is in the rooms that they are in, by what they were told. A crowd is told numbers.
    pub(super) fn check_who_is_where(&self) {
        let chat = &self.world.chat;
        for person in self.people.iter().filter(|_| self.weather.guests == 0) {
            let Some(session) = self.session(person.conn) else { continue };
            let rooms: BTreeMap<Box<str>, RoomId> =
                session.rooms.iter().map(|id| (chat.rooms[id].key().as_str().into(), *id)).collect();
            assert!(rooms.keys().eq(person.ear.rooms()), "#{} is where it heard that it is", person.conn.serial);
            for (name, id) in rooms {
                let Some(known) = person.ear.people_in(&name) else { continue };
                assert_eq!(*known, chat.shown_in(id), "#{} knows who is in {name}", person.conn.serial);
            }
        }
    }

    /// Whoever waits for what is on disk has its receipt.
    pub(super) fn check_receipts(&self, up_to: MsgId) {
        for (id, said) in self.record.said.range(..=up_to).rev().take(50) {
            let Some(sender) = self.record.only_sender(said.number).filter(|_| said.hurry) else { continue };
            let Some(person) = self.people.iter().find(|person| person.conn == sender) else { continue };
            let has_echo = self.session(sender).is_some_and(Session::echoes);
            if has_echo && !person.changed_caps && self.record.disk.kept.contains(id) {
                assert!(person.ear.has_receipt(said.number), "m{} is on disk and its sender waits", said.number);
            }
        }
    }

    /// Every label has its one answer when nothing is under way.
    pub(super) fn check_labels(&self) {
        for person in self.people.iter().filter(|person| !person.changed_caps) {
            for label in &person.labels {
                assert_eq!(person.ear.answers_to(*label), 1, "#{} label {label}", person.conn.serial);
            }
        }
    }
}
