//! What TOPIC, KICK, INVITE and MODE share: which room is meant, who may run it, whom it is about.

mod invite;
mod kick;
mod topic;

use crate::wire::reply::*;

use super::group::Occupant;
use super::join::clip_word;
use super::turn::Turn;
use super::{Room, RoomId, Session};

impl Room {
    /// Whether `session` may know that the room exists. To strangers a secret room is no room.
    pub fn is_shown_to(&self, session: &Session) -> bool {
        !self.flags.secret || session.operator || self.standing(session.conn).is_some()
    }
}

impl Turn<'_> {
    /// The room that is meant, when this session may know of it; else it is told that there is none.
    pub(super) fn shown_room(&mut self, name: &str) -> Option<RoomId> {
        let room = self.chat.room_meant(self.me, name).filter(|room| room.is_shown_to(self.session()));
        let id = room.map(|room| room.id);
        if id.is_none() {
            self.numeric(ERR_NOSUCHCHANNEL, &[clip_word(name)], "there is no such room");
        }
        id
    }

    /// Whether this session is in the room (a server operator counts as being everywhere); else it is told so.
    fn is_inside(&mut self, id: RoomId) -> bool {
        let Some(room) = self.chat.rooms.get(&id) else { return false };
        let inside = self.session().operator || room.standing(self.me).is_some();
        let name = room.name.clone();
        if !inside {
            self.numeric(ERR_NOTONCHANNEL, &[name.as_str()], "you are not in that room");
        }
        inside
    }

    /// Whether this session runs the room; else it is told so.
    pub(super) fn may_run(&mut self, id: RoomId) -> bool {
        self.is_inside(id) && self.runs(id)
    }

    /// Whether this session runs the room and somebody in it has no higher rank; else it is told so.
    pub(super) fn runs_and_may_put_out(&mut self, id: RoomId, who: &Occupant) -> bool {
        self.may_run(id) && self.may_put_out(id, who)
    }

    fn runs(&mut self, id: RoomId) -> bool {
        let Some(room) = self.chat.rooms.get(&id) else { return false };
        let runs = room.is_run_by(self.session());
        let name = room.name.clone();
        if !runs {
            let sentence = "you are no operator of that room; ask one (@ in NAMES)";
            self.numeric(ERR_CHANOPRIVSNEEDED, &[name.as_str()], sentence);
        }
        runs
    }
}
