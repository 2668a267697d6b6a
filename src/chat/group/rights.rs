//! Who may do what in a group: whom a name means there, ranks, offices, the owner.

use std::rc::Rc;

use crate::store::record::AccountId;
use crate::wire::event::Event;
use crate::wire::name::Nick;
use crate::wire::reply::*;

use super::super::join::clip_word;
use super::super::room::Standing;
use super::super::turn::Turn;
use super::super::{Chat, ConnId, Effect, Now, RoomId, SERVER_NAME};
use super::Refused;

/// Somebody in a room, or a member of a group who is away.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Occupant {
    /// What they are called.
    pub nick: Nick,
    /// The lead of their connections, when they are here.
    pub conn: Option<ConnId>,
    /// The member's account; nobody else has one here.
    pub account: Option<AccountId>,
}

impl Chat {
    /// The one in a room who is meant by a name or an account's number.
    fn occupant(&self, id: RoomId, text: &str) -> Option<Occupant> {
        let room = self.rooms.get(&id)?;
        let member = self.accounts.meant(text).filter(|account| room.seat(Some(*account)).is_some());
        if let Some(account) = member {
            let entry = self.accounts.get(account)?;
            let (nick, conn) = (entry.name.clone(), entry.devices.first().copied());
            return Some(Occupant { nick, conn, account: Some(account) });
        }
        let session = self.session_named(text).filter(|session| room.standing(session.conn).is_some())?;
        Some(Occupant { nick: session.nick.clone(), conn: Some(session.conn), account: None })
    }

    /// With which rights somebody is in a room.
    pub(in crate::chat) fn standing_of(&self, id: RoomId, who: &Occupant) -> Standing {
        let Some(room) = self.rooms.get(&id) else { return Standing::PLAIN };
        let seat = room.seat(who.account).map(|seat| seat.standing);
        seat.or_else(|| room.standing(who.conn?)).unwrap_or_default()
    }

    /// Adds to or takes from what a member may do, on all devices.
    pub(super) fn set_standing(&mut self, id: RoomId, account: AccountId, which: Standing, on: bool) {
        let devices = self.accounts.devices(account);
        let Some(room) = self.rooms.get_mut(&id) else { return };
        for device in devices {
            room.member_mut(*device).into_iter().for_each(|member| member.standing.set(which, on));
        }
        let Some(group) = &mut room.group else { return };
        if let Ok(at) = group.find(account) {
            group.seats[at].standing.set(which, on);
        }
    }

    /// Gives a group to one of its members, and keeps that. Who had it before keeps the other rights.
    pub(super) fn crown(&mut self, id: RoomId, heir: AccountId, now: Now, effects: &mut Vec<Effect>) {
        let Some(group) = self.rooms.get_mut(&id).and_then(|room| room.group.as_mut()) else { return };
        let old = std::mem::replace(&mut group.owner, heir);
        let stays = group.seat(old).is_some();
        self.set_standing(id, old, Standing::OWNER, false);
        self.set_standing(id, heir, Standing::OWNER, true);
        self.record_shape(id, now, effects);
        for account in [Some(old).filter(|_| stays), Some(heir)].into_iter().flatten() {
            self.record_seat(id, account, now, effects);
        }
    }
}

impl Turn<'_> {
    /// The one in a room who is meant, here or away; else this session is told whether there is nobody of that name or they are not in the room.
    pub(in crate::chat) fn occupant_named(&mut self, id: RoomId, text: &str) -> Option<Occupant> {
        let found = self.chat.occupant(id, text);
        if found.is_none() {
            let account = self.chat.accounts.meant(text).and_then(|id| self.chat.accounts.get(id));
            let known = account.map(|account| account.name.clone());
            let known = known.or_else(|| self.chat.session_named(text).map(|session| session.nick.clone()));
            let room = self.chat.rooms.get(&id).map(|room| room.name.clone())?;
            match known {
                Some(nick) => {
                    let params = [nick.as_str(), room.as_str()];
                    self.numeric(ERR_USERNOTINCHANNEL, &params, "they are not in that room");
                }
                None => self.numeric(ERR_NOSUCHNICK, &[clip_word(text)], "nobody of that name is here"),
            }
        }
        found
    }

    /// Whether this session may decide about a group's offices and its end; else it is told who may.
    pub(in crate::chat) fn must_own(&mut self, id: RoomId) -> bool {
        let Some(room) = self.chat.rooms.get(&id) else { return false };
        let name = room.name.clone();
        let Some(group) = &room.group else {
            self.refuse_group(&Refused::NotAGroup, &[name.as_str()]);
            return false;
        };
        let owns = self.session().operator || self.session().account_id() == Some(group.owner);
        if !owns {
            self.refuse_group(&Refused::NotOwner, &[name.as_str()]);
        }
        owns
    }

    /// Whether this session may put somebody out of a group, or keep them from coming; else it is told why not. In other rooms every operator may.
    pub(in crate::chat) fn may_put_out(&mut self, id: RoomId, who: &Occupant) -> bool {
        let Some(room) = self.chat.rooms.get(&id).filter(|room| room.group.is_some()) else { return true };
        let (name, mine) = (room.name.clone(), room.standing(self.me).unwrap_or_default());
        let is_me = who.account.is_some() && who.account == self.session().account_id();
        let refusal = if is_me {
            Some(Refused::Yourself)
        } else {
            let outranks = self.session().operator || mine.rank() > self.chat.standing_of(id, who).rank();
            (!outranks).then_some(Refused::Outranked)
        };
        if let Some(why) = &refusal {
            self.refuse_group(why, &[name.as_str()]);
        }
        refusal.is_none()
    }

    /// Adds to or takes from what somebody may do; true when that is a change. Says why when it may not be.
    pub(in crate::chat) fn appoint(&mut self, id: RoomId, who: &Occupant, which: Standing, on: bool) -> bool {
        let Some(room) = self.chat.rooms.get(&id) else { return false };
        let name = room.name.clone();
        if room.group.is_some() && which == Standing::OPERATOR {
            if !self.must_own(id) {
                return false;
            }
            if who.account.is_none() {
                self.refuse_group(&Refused::GuestOperator, &[name.as_str()]);
                return false;
            }
        }
        if self.chat.standing_of(id, who).has(which) == on {
            return false;
        }
        let Some(account) = who.account else {
            let devices = who.conn.map(|conn| self.chat.devices_of(conn)).unwrap_or_default();
            let room = self.chat.rooms.get_mut(&id);
            room.into_iter().for_each(|room| {
                devices
                    .iter()
                    .for_each(|device| room.member_mut(*device).into_iter().for_each(|m| m.standing.set(which, on)));
            });
            return true;
        };
        self.chat.set_standing(id, account, which, on);
        self.record_seat(id, account);
        true
    }

    /// Gives a group to a member; true when it was somebody else's.
    pub(in crate::chat) fn give_away(&mut self, id: RoomId, who: &Occupant, on: bool) -> bool {
        if !self.must_own(id) {
            return false;
        }
        let Some(room) = self.chat.rooms.get(&id) else { return false };
        let (name, owner) = (room.name.clone(), room.group.as_ref().map(|group| group.owner));
        let refusal = match who.account {
            _ if !on => Some(Refused::NeedsOwner),
            None => Some(Refused::GuestOperator),
            Some(_) => None,
        };
        if let Some(why) = &refusal {
            self.refuse_group(why, &[name.as_str()]);
        }
        let Some(heir) = who.account.filter(|heir| refusal.is_none() && owner != Some(*heir)) else { return false };
        self.chat.crown(id, heir, self.now, self.effects);
        // Whoever led it until here is not a nobody in it.
        if let Some(old) = owner {
            self.chat.set_standing(id, old, Standing::OPERATOR, true);
            self.record_seat(id, old);
        }
        true
    }

    /// After its owner has gone the group is somebody else's; after its last member has gone it ends.
    pub(super) fn settle_owner(&mut self, id: RoomId) {
        let Some(room) = self.chat.rooms.get(&id) else { return };
        let Some(group) = &room.group else { return };
        if group.seat(group.owner).is_some() {
            return;
        }
        let (name, number) = (room.name.as_str().to_owned(), group.id.0);
        let Some(heir) = group.heir() else { return self.end_group(id) };
        self.chat.crown(id, heir, self.now, self.effects);
        let nick = self.chat.accounts.get(heir).map_or("*", |account| account.name.as_str()).to_owned();
        let mode = Event::plain(self.now.wall_ms, format!(":{SERVER_NAME} MODE {name} +q {nick}"), None);
        let said = format!("{nick} 现在是群主 · {nick} owns this group from here on");
        for event in [Rc::new(mode), self.chat.room_notice(id, &said, self.now)] {
            self.tell_all_in(id, &event);
        }
        self.log(format!("the group {name} ({number}) is {nick}'s"));
    }
}
