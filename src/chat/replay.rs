//! What a newcomer is shown of what was said before: the last messages of the room.

use std::fmt::Write;
use std::rc::Rc;

use crate::store::record::Found;
use crate::wire::caps::Caps;
use crate::wire::event::{Event, TagSet};

use super::history::event_of;
use super::turn::Turn;
use super::{Chat, Effect, Room, RoomId, SERVER_NAME};

impl Turn<'_> {
    /// Shows the last messages to a client that cannot ask for them itself.
    pub(super) fn replay(&mut self, id: RoomId) {
        let me = self.me;
        let caps = self.session().caps;
        if caps.has(Caps::CHATHISTORY) {
            return;
        }
        let Some(room) = self.chat.rooms.get_mut(&id) else { return };
        if !room.recent_loaded {
            return room.awaiting_replay.push(me);
        }
        let lines = room.replay_for(caps);
        self.replies.lines().push_str(&lines);
    }
}

impl Room {
    /// The last messages as lines for a client with these capabilities.
    fn replay_for(&self, caps: Caps) -> String {
        let mut lines = String::new();
        if self.recent.is_empty() {
            return lines;
        }
        let batched = caps.has(Caps::BATCH);
        let (name, batch) = (self.name.as_str(), format!("p{}", self.id.0));
        if batched {
            let _ = write!(lines, ":{SERVER_NAME} BATCH +{batch} chathistory {name}\r\n");
        }
        let extra = if batched { format!("batch={batch}") } else { String::new() };
        for event in &self.recent {
            event.encode(TagSet::of(caps), &extra, &mut lines);
        }
        if batched {
            let _ = write!(lines, ":{SERVER_NAME} BATCH -{batch}\r\n");
        }
        lines
    }

    /// Keeps a message for those who come, and lets go of the oldest beyond `limit`.
    pub(super) fn keep_recent(&mut self, event: Rc<Event>, limit: usize) {
        self.recent.push_back(event);
        while self.recent.len() > limit {
            self.recent.pop_front();
        }
    }
}

impl Chat {
    /// Puts what was said before a room was opened in front of what was said since, and shows it to those who came meanwhile.
    pub(super) fn recent_found(&mut self, id: RoomId, found: Found, effects: &mut Vec<Effect>) {
        let limit = self.settings.replay;
        let Some(room) = self.rooms.get_mut(&id) else { return };
        room.recent_loaded = true;
        match found {
            Found::Messages(messages) => {
                // What was said since the question may be in the answer as well.
                let first = room.recent.front().and_then(|event| event.msgid);
                let earlier = messages.into_iter().filter(|message| first.is_none_or(|first| message.id < first));
                for message in earlier.rev().take(limit.saturating_sub(room.recent.len())).collect::<Vec<_>>() {
                    room.recent.push_front(Rc::new(event_of(message, room.name.as_str())));
                }
            }
            Found::Failed(reason) => effects.push(Effect::Log {
                conn: None,
                text: format!("the last messages of {} could not be read: {reason}", room.name.as_str()),
            }),
            Found::Sent(_) | Found::Account(_) => {}
        }
        for conn in std::mem::take(&mut room.awaiting_replay) {
            let Some(room) = self.rooms.get(&id) else { return };
            let Some(session) = self.session(conn) else { continue };
            let lines = room.replay_for(session.caps);
            if !lines.is_empty() {
                effects.push(Effect::Send { to: conn, lines });
            }
        }
    }
}
