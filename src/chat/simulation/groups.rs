//! What must hold of accounts, their devices and groups between any two inputs, and what must be the same on disk.

use std::collections::{BTreeSet, HashSet};

use crate::store::change::{Change, List, Membership};
use crate::store::directory::GroupEntry;
use crate::store::record::{AccountId, Target};
use crate::wire::name::fold;

use super::super::room::Standing;
use super::super::{Chat, ConnId, Room, RoomId};

impl Chat {
    /// Panics when a group, its members and their devices disagree.
    pub fn assert_groups_agree(&self) {
        let groups: Vec<&Room> = self.rooms.values().filter(|room| room.group.is_some()).collect();
        assert_eq!(groups.len(), self.groups.count());
        for room in groups {
            let group = room.group.as_ref().expect("it was looked at");
            assert_eq!(self.room_of_group(group.id), Some(room.id));
            let owners: Vec<AccountId> = group
                .seats()
                .iter()
                .filter(|seat| seat.standing.has(Standing::OWNER))
                .map(|seat| seat.account)
                .collect();
            assert_eq!(owners, [group.owner], "{} has one owner", room.name.as_str());
            for seat in group.seats() {
                let account = self.accounts.get(seat.account).expect("members have accounts");
                assert!(account.groups.contains(&room.id) && !group.has_invited(seat.account));
            }
            for invited in &group.invited {
                assert!(self.accounts.get(invited.account).is_some_and(|account| account.invited.contains(&room.id)));
            }
            assert!(!room.members.is_empty() || room.recent.is_empty() && room.awaiting_replay.is_empty());
        }
        for id in self.accounts.ids() {
            self.assert_account_agrees(id);
        }
        self.rooms.values().for_each(|room| self.assert_members_agree(room));
    }

    /// All devices of an account are in the same rooms; those of its groups are among them, and nothing is twice.
    fn assert_account_agrees(&self, id: AccountId) {
        let account = self.accounts.get(id).expect("a known account");
        let groups: HashSet<RoomId> = account.groups.iter().copied().collect();
        assert_eq!(groups.len(), account.groups.len());
        assert!(groups.iter().all(|group| self.rooms.get(group).is_some_and(|room| room.keeps(Some(id)))));
        assert!(account.invited.iter().all(|group| self.rooms.get(group).is_some_and(|room| room.awaits(Some(id)))));
        let rooms = |conn: &ConnId| -> BTreeSet<RoomId> {
            let session = self.session(*conn).expect("a device is here");
            assert!(session.is_registered() && session.account_id() == Some(id) && session.nick == account.name);
            session.rooms.iter().copied().collect()
        };
        let Some(lead) = account.devices.first() else { return };
        let mine = rooms(lead);
        assert!(groups.iter().all(|group| mine.contains(group)), "{} is in all its groups", account.name.as_str());
        for device in &account.devices {
            assert_eq!(rooms(device), mine, "the devices of {} are in the same rooms", account.name.as_str());
        }
    }

    /// In each room one device stands for its person, and all have the same rights. In a group nobody but visitors is without a seat.
    fn assert_members_agree(&self, room: &Room) {
        assert_eq!(room.people(), room.members.iter().filter(|member| !member.further).count());
        for member in &room.members {
            let session = self.session(member.conn).expect("members are here");
            let Some(id) = session.account_id() else {
                let is_closed_group = room.group.is_some() && room.is_closed();
                assert!(!member.further && !is_closed_group, "no visitors in closed groups");
                continue;
            };
            let devices = self.accounts.devices(id);
            assert_eq!(member.further, devices.first() != Some(&member.conn), "the lead is shown");
            assert!(devices.iter().all(|device| room.standing(*device) == Some(member.standing)));
            if room.group.is_some() {
                let seat = room.seat(Some(id)).expect("whoever is logged in and in a group is a member");
                assert_eq!(seat.standing, member.standing);
            }
        }
    }

    /// Who is in a room as everybody in it sees it: by nick, the members of a group also when they are away.
    pub fn shown_in(&self, room: RoomId) -> BTreeSet<String> {
        let room = self.rooms.get(&room).expect("a room");
        self.named_in(room, true, false).into_iter().map(|(_, nick)| nick).collect()
    }

    /// All groups, as the store is to hold them.
    pub fn groups_as_kept(&self) -> Vec<GroupEntry> {
        let groups = self.rooms.values().filter_map(|room| Some((room, room.group.as_ref()?)));
        let entries = groups.map(|(room, group)| GroupEntry {
            id: group.id,
            shape: room.shape().expect("a group has a shape"),
            lists: [
                (List::Bans, &room.bans),
                (List::Exceptions, &room.exceptions),
                (List::Invitations, &room.invitations),
            ]
            .into_iter()
            .flat_map(|(list, entries)| {
                entries.iter().map(move |e| (list, e.mask.as_str().into(), e.by.clone(), e.at_ms))
            })
            .collect(),
            members: group
                .seats()
                .iter()
                .map(|seat| (seat.account, Membership { standing: seat.standing.bits(), since: seat.since }))
                .collect(),
            invited: group.invited.iter().map(|i| (i.account, i.by.clone(), i.at_ms)).collect(),
        });
        sorted(entries.collect())
    }
}

/// Where the messages of a group are filed, and its folded name, when a change tells it.
pub fn named(change: &Change) -> Option<(Target, Box<str>)> {
    let Change::Group { id, shape } = change else { return None };
    Some((Target::group(*id), fold(&shape.name)))
}

/// Groups in an order that does not depend on how they came to be as they are.
pub fn sorted(mut groups: Vec<GroupEntry>) -> Vec<GroupEntry> {
    for group in &mut groups {
        group.members.sort_by_key(|(account, _)| *account);
        group.lists.sort_by_key(|(list, mask, ..)| (list.letter(), mask.clone()));
        group.invited.sort_by_key(|(account, ..)| *account);
    }
    groups.sort_by_key(|group| group.id);
    groups
}
