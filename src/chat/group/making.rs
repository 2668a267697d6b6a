//! Making a group: which names it may have, who may make one, how it begins.

use crate::store::record::{AccountId, GroupId};
use crate::wire::limits::{GROUPS, GROUPS_PER_ACCOUNT, GROUPS_PER_OWNER};
use crate::wire::name::RoomName;

use super::super::room::Standing;
use super::super::turn::Turn;
use super::super::{Chat, Now, Room, RoomId};
use super::{Group, Refused, Seat, number_of};

impl Chat {
    /// The group or the lobby that a name could be taken for, when it is another name.
    fn look_alike(&self, name: &RoomName) -> Option<&Room> {
        let room = self.rooms.get(self.groups.by_look.get(&name.skeleton())?)?;
        (room.key() != name.key()).then_some(room)
    }

    /// Nobody makes a room that could be taken for this one.
    pub(in crate::chat) fn guard_look(&mut self, id: RoomId) {
        let Some(look) = self.rooms.get(&id).map(|room| room.name.skeleton()) else { return };
        self.groups.by_look.entry(look).or_insert(id);
    }

    /// Why nobody may open a room of this name.
    fn bars_name(&self, name: &RoomName) -> Option<Refused> {
        if number_of(name.as_str()).is_some() {
            return Some(Refused::NoGroup);
        }
        self.look_alike(name).map(|room| Refused::LooksLike(room.name.as_str().into()))
    }

    /// Why an account may not make a group of this name.
    fn bars_making(&self, maker: AccountId, name: &RoomName) -> Option<Refused> {
        let mine = self.accounts.get(maker).map_or(&[][..], |account| &account.groups);
        let owns =
            |id: &&RoomId| self.rooms.get(id).and_then(|room| room.group.as_ref()).is_some_and(|g| g.owner == maker);
        if name.is_number() {
            Some(Refused::OnlyDigits)
        } else if self.rooms_by_name.contains_key(&name.key()) {
            Some(Refused::Taken)
        } else if let Some(why) = self.bars_name(name) {
            Some(why)
        } else if self.groups.count() >= GROUPS {
            Some(Refused::Many)
        } else if mine.len() >= GROUPS_PER_ACCOUNT {
            Some(Refused::JoinedMany)
        } else {
            (mine.iter().filter(owns).count() >= GROUPS_PER_OWNER).then_some(Refused::OwnsMany)
        }
    }

    /// A new group with its owner as the only member, who is not in the room yet.
    fn found_group(&mut self, name: RoomName, owner: AccountId, is_private: bool, now: Now) -> (RoomId, GroupId) {
        let number = self.groups.next();
        let mut group = Group::new(number, owner);
        group.put(Seat { account: owner, standing: Standing::OWNER, since: self.next_id(now) });
        let mut room = Room::new(RoomId(0), name, false, now.wall_ms, 0);
        (room.flags.invite_only, room.flags.secret) = (is_private, is_private);
        // There is nothing to look for in the store.
        let id = self.add_group(room, group);
        if let Some(room) = self.rooms.get_mut(&id) {
            (room.recent_asked, room.recent_loaded) = (true, true);
        }
        (id, number)
    }
}

impl Turn<'_> {
    /// Makes a group and comes into it; gives its number, or says why there is none.
    pub(in crate::chat) fn make_group(&mut self, name: RoomName, is_private: bool) -> Option<GroupId> {
        let shown = name.as_str().to_owned();
        let Some(maker) = self.session().account_id() else {
            self.refuse_group(&Refused::Guest, &[&shown]);
            return None;
        };
        if let Some(why) = self.chat.bars_making(maker, &name) {
            self.refuse_group(&why, &[&shown]);
            return None;
        }
        let (id, number) = self.chat.found_group(name, maker, is_private, self.now);
        self.record_shape(id);
        self.record_seat(id, maker);
        let nick = self.session().nick.clone();
        self.log(format!("{} made the group {shown} ({})", nick.as_str(), number.0));
        self.enter(id, Standing::OWNER);
        Some(number)
    }

    /// `JOIN` of a name that no room has: a guest opens a room, anybody else makes a group.
    pub(in crate::chat) fn join_new(&mut self, name: RoomName) {
        let shown = name.as_str().to_owned();
        if let Some(why) = self.chat.bars_name(&name) {
            return self.refuse_group(&why, &[&shown]);
        }
        if self.session().account.is_none() {
            return self.open_and_enter(name);
        }
        let Some(number) = self.make_group(name, false) else { return };
        let number = number.0;
        self.room_says_to_me(
            &shown,
            &format!(
                "这是你的群，群号 {number}，！邀请*谁 叫人来 · This is your group, its id is {number}; !invite WHO asks people in"
            ),
        );
    }
}
