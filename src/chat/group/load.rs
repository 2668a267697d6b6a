//! How groups are kept, and how they come back when the server starts.

use crate::store::change::GroupShape;
use crate::store::directory::GroupEntry;
use crate::store::record::GroupId;
use crate::wire::escape::printable;
use crate::wire::mask::Mask;
use crate::wire::name::RoomName;

use super::super::room::{Flags, Listed, Standing, Topic};
use super::super::{Chat, Effect, Now, Room, RoomId};
use super::{Group, Invited, Seat};

impl Room {
    /// A group as it is kept, but for its lists and members; `None` for other rooms.
    pub(in crate::chat) fn shape(&self) -> Option<GroupShape> {
        let group = self.group.as_ref()?;
        Some(GroupShape {
            name: self.name.as_str().into(),
            owner: group.owner,
            since_ms: self.since_ms,
            flags: self.flags.letters().into(),
            key: self.password.clone(),
            limit: self.limit,
            topic: self.topic.clone().map(|topic| (topic.text, topic.by, topic.at_ms)),
            open_since: group.open_since,
        })
    }
}

impl Chat {
    /// Takes in all groups that the store holds. `last` is the greatest number that one ever had.
    pub(in crate::chat) fn load_groups(
        &mut self,
        entries: Vec<GroupEntry>,
        last: u32,
        now: Now,
        effects: &mut Vec<Effect>,
    ) {
        self.groups.last = last;
        for entry in entries {
            let (number, name) = (entry.id.0, printable(&entry.shape.name).into_owned());
            if let Err(why) = self.load_group(entry, now, effects) {
                effects
                    .push(Effect::Log { conn: None, text: format!("the group {number} ({name}) stays closed: {why}") });
            }
        }
    }

    fn load_group(&mut self, entry: GroupEntry, now: Now, effects: &mut Vec<Effect>) -> Result<(), String> {
        let name = RoomName::parse(&entry.shape.name).map_err(|why| why.to_string())?;
        if self.rooms_by_name.contains_key(&name.key()) || self.groups.by_id.contains_key(&entry.id) {
            return Err("another room has its name; give the lobby another one (--lobby)".to_owned());
        }
        let mut group = Group::new(entry.id, entry.shape.owner);
        group.open_since = entry.shape.open_since;
        for (account, membership) in entry.members {
            // Accounts can be removed while the server is down.
            if self.accounts.get(account).is_some() {
                let standing = Standing::of_bits(membership.standing);
                group.put(Seat { account, standing, since: membership.since });
            }
        }
        for (account, by, at_ms) in entry.invited {
            if self.accounts.get(account).is_some() {
                group.invited.push(Invited { account, by, at_ms });
            }
        }
        let mut room = room_of_shape(name, entry.shape);
        for (list, mask, by, at_ms) in entry.lists {
            if let Ok(mask) = Mask::parse(&mask) {
                room.list_mut(list).push(Listed { mask, by, at_ms });
            }
        }
        let id = self.add_group(room, group);
        self.mend_owner(id, now, effects);
        Ok(())
    }

    /// Puts a group into every table.
    pub(super) fn add_group(&mut self, mut room: Room, group: Group) -> RoomId {
        self.last_room += 1;
        let id = RoomId(self.last_room);
        (room.id, room.recent_loaded) = (id, self.settings.replay == 0);
        for seat in &group.seats {
            self.accounts.get_mut(seat.account).into_iter().for_each(|account| account.groups.push(id));
        }
        for invited in &group.invited {
            self.accounts.get_mut(invited.account).into_iter().for_each(|account| account.invited.push(id));
        }
        self.groups.by_id.insert(group.id, id);
        self.groups.by_look.entry(room.name.skeleton()).or_insert(id);
        self.rooms_by_name.insert(room.key(), id);
        room.group = Some(Box::new(group));
        self.rooms.insert(id, room);
        id
    }

    /// A group whose owner's account was removed belongs to somebody else; one without any member ends.
    fn mend_owner(&mut self, id: RoomId, now: Now, effects: &mut Vec<Effect>) {
        let Some(group) = self.rooms.get_mut(&id).and_then(|room| room.group.as_mut()) else { return };
        if group.seat(group.owner).is_some() {
            return;
        }
        let number = group.id;
        let Some(heir) = group.heir() else {
            self.drop_group(id, now, effects);
            return log(effects, number, "had no member left, and is no more");
        };
        self.crown(id, heir, now, effects);
        log(effects, number, "has another owner, because the account of the last one is gone");
    }
}

fn log(effects: &mut Vec<Effect>, number: GroupId, what: &str) {
    effects.push(Effect::Log { conn: None, text: format!("the group {} {what}", number.0) });
}

fn room_of_shape(name: RoomName, shape: GroupShape) -> Room {
    let mut room = Room::new(RoomId(0), name, false, shape.since_ms, 0);
    room.flags = Flags::of_letters(&shape.flags);
    room.password = shape.key;
    room.limit = shape.limit;
    room.topic = shape.topic.map(|(text, by, at_ms)| Topic { text, by, at_ms });
    room
}
