//! REDACT: a message is taken back, by who said it or by who runs the room (IRCv3 draft/message-redaction).

use std::rc::Rc;

use crate::store::record::{Found, Query, Redaction};
use crate::wire::caps::Caps;
use crate::wire::event::Event;
use crate::wire::limits::REASON_BYTES;
use crate::wire::line::{Line, clip};
use crate::wire::msgid::MsgId;

use super::join::clip_word;
use super::places::Past;
use super::recall::Recall;
use super::turn::Turn;
use super::{Audience, Effect, Room};

/// A message that is being removed.
#[derive(Debug)]
pub struct Removal {
    past: Past,
    id: MsgId,
    reason: Option<Box<str>>,
}

impl Turn<'_> {
    /// `REDACT <room or account> <msgid> [reason]`
    pub(super) fn redact(&mut self, line: &Line) {
        if !self.session().caps.has(Caps::MESSAGE_REDACTION) {
            return self.fail("REDACT", "NEED_CAPABILITY", &[], "ask for draft/message-redaction first");
        }
        let [target, text] = [0, 1].map(|at| line.params()[at]);
        let Some(past) = self.chat.past(self.me, target) else {
            let sentence = "you can take back what you said in rooms that you are in, and to accounts";
            return self.fail("REDACT", "INVALID_TARGET", &[clip_word(target)], sentence);
        };
        let Some(id) = MsgId::parse(text) else { return self.no_such_message(&past, clip_word(text)) };
        let runs_it = self.chat.room_named(&past.name).is_some_and(|room| room.is_run_by(self.session()));
        let me = self.session().account_name().map(Box::from);
        let only_of = if runs_it { None } else { me };
        if !runs_it && only_of.is_none() {
            let sentence = "only people with an account can take back what they said; !register makes one";
            return self.fail("REDACT", "REDACT_FORBIDDEN", &[&past.name, text], sentence);
        }
        let reason = line.param(2).map(|reason| clip(reason, REASON_BYTES).into());
        let query = Query::Redact { place: past.place.clone(), id, only_of };
        self.ask_recall(query, Recall::Removal(Removal { past, id, reason }));
    }

    /// The store has removed it, or says why not.
    pub(super) fn removal_answered(&mut self, removal: Removal, found: Found) {
        let Removal { past, id, .. } = &removal;
        match found {
            Found::Redacted(Redaction::Done) => self.tell_removal(removal),
            Found::Redacted(Redaction::NotThere) => self.no_such_message(past, &id.to_string()),
            Found::Redacted(Redaction::NotYours) => {
                let sentence = "that is not yours; only who said it and who runs the room can take it back";
                self.fail("REDACT", "REDACT_FORBIDDEN", &[&past.name, &id.to_string()], sentence);
            }
            Found::Failed(reason) => {
                let sentence = format!("that could not be taken back: {reason}; try again in a moment");
                self.fail("REDACT", "TRY_AGAIN", &[&past.name, &id.to_string()], &sentence);
            }
            _ => {}
        }
    }

    fn no_such_message(&mut self, past: &Past, id: &str) {
        let sentence = "there is no such message here, or it is gone already";
        self.fail("REDACT", "UNKNOWN_MSGID", &[&past.name, id], sentence);
    }

    /// Those who read along and can take something back do so. Others are told nothing: it would only point at what was said.
    fn tell_removal(&mut self, removal: Removal) {
        let Removal { past, id, reason } = removal;
        let mut event = self.my_event(format_args!("REDACT {} {id}", past.name), reason.as_deref());
        event.msgid = Some(self.chat.next_id(self.now));
        let event = Rc::new(event);
        self.reply_event(&event, "");
        self.log(format!("message {id} in {} was taken back", past.place.target.as_str()));
        match past.place.target.accounts() {
            Some((one, other)) => {
                let mut to = self.chat.accounts.devices(one).to_vec();
                to.extend(self.chat.accounts.devices(other).iter().filter(|_| one != other));
                self.tell_devices_of_removal(to, &event);
            }
            None => {
                let room = self.chat.room_named(&past.name).filter(|room| room.target() == past.place.target);
                let Some(room) = room.map(|room| room.id) else { return };
                self.tell_others_in(room, Audience::with(Caps::MESSAGE_REDACTION), &event);
                if let Some(room) = self.chat.rooms.get_mut(&room) {
                    room.forget_recent(id);
                }
            }
        }
    }

    fn tell_devices_of_removal(&mut self, mut to: Vec<super::ConnId>, event: &Rc<Event>) {
        to.retain(|conn| *conn != self.me);
        if !to.is_empty() {
            let only = Audience::with(Caps::MESSAGE_REDACTION);
            self.effects.push(Effect::ToEach { to, only, event: event.clone() });
        }
    }
}

impl Room {
    /// A newcomer is not shown what was taken back.
    fn forget_recent(&mut self, id: MsgId) {
        let removed = self.recent.iter().position(|event| event.msgid == Some(id));
        if let Some(event) = removed.and_then(|at| self.recent.remove(at)) {
            self.recent_bytes -= event.bytes();
        }
    }
}

#[cfg(test)]
mod tests;
