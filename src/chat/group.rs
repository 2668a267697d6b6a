//! A group: who belongs to it, here or away, and who is asked to come.

mod coming;
mod invite;
mod leaving;
mod load;
mod making;
mod refused;
mod rights;

use std::collections::HashMap;

use crate::store::change::{Change, Membership};
use crate::store::record::{AccountId, GroupId};
use crate::wire::msgid::MsgId;
use crate::wire::name::Skeleton;

use super::accounts::Account;
use super::devices::ACCOUNT_HOST;
use super::room::Standing;
use super::turn::Turn;
use super::{Chat, ConnId, Effect, Now, Room, RoomId};

pub(super) use self::refused::Refused;
pub(super) use self::rights::Occupant;

/// The first number that a group gets. What is smaller is a name.
const FIRST_NUMBER: u32 = 1000;

/// After every message there will ever be: for somebody who may read nothing.
const NEVER: MsgId = MsgId(i64::MAX as u64);

/// Somebody's place in a group, here or away.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Seat {
    /// Whose.
    pub account: AccountId,
    /// With which rights.
    pub standing: Standing,
    /// When they came: messages before this id are older than that. No two members came at once.
    pub since: MsgId,
}

/// Somebody who is asked to come.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Invited {
    /// Who.
    pub account: AccountId,
    /// Who asked them, as an account's name.
    pub by: Box<str>,
    /// When (milliseconds since 1970).
    pub at_ms: u64,
}

/// What makes a room a group. It has always a member, and its owner is one.
#[derive(Debug)]
pub struct Group {
    /// Its number.
    pub id: GroupId,
    /// Whose it is.
    pub owner: AccountId,
    /// When it was last opened to everybody, after it had been closed: who comes reads nothing from before this id.
    pub open_since: MsgId,
    /// Sorted by account, because each look at somebody's rights is a search.
    seats: Vec<Seat>,
    /// Oldest first.
    pub invited: Vec<Invited>,
}

impl Group {
    /// A group without members yet.
    fn new(id: GroupId, owner: AccountId) -> Group {
        Group { id, owner, open_since: MsgId(0), seats: Vec::new(), invited: Vec::new() }
    }

    fn find(&self, account: AccountId) -> Result<usize, usize> {
        self.seats.binary_search_by_key(&account, |seat| seat.account)
    }

    /// All members, in the order of their numbers.
    pub fn seats(&self) -> &[Seat] {
        &self.seats
    }

    /// A member.
    pub fn seat(&self, account: AccountId) -> Option<&Seat> {
        self.find(account).ok().map(|at| &self.seats[at])
    }

    /// Takes a member in; one who is there gets another standing.
    fn put(&mut self, seat: Seat) {
        match self.find(seat.account) {
            Ok(at) => self.seats[at] = seat,
            Err(at) => self.seats.insert(at, seat),
        }
    }

    /// Takes a member out.
    fn take(&mut self, account: AccountId) -> Option<Seat> {
        self.find(account).ok().map(|at| self.seats.remove(at))
    }

    /// From when on somebody may read what was said: members since they came, everybody since the group is open.
    pub fn since(&self, account: Option<AccountId>, is_closed: bool) -> MsgId {
        let seated = account.and_then(|account| self.seat(account)).map_or(NEVER, |seat| seat.since);
        if is_closed { seated } else { seated.min(self.open_since) }
    }

    /// Who gets the group when its owner has gone: the operator who came first, or else the member who did.
    fn heir(&self) -> Option<AccountId> {
        let first = self.seats.iter().min_by_key(|seat| (!seat.standing.runs(), seat.since));
        first.map(|seat| seat.account)
    }

    /// Whether somebody is asked to come.
    pub fn has_invited(&self, account: AccountId) -> bool {
        self.invited.iter().any(|invited| invited.account == account)
    }
}

/// Which groups there are.
#[derive(Default, Debug)]
pub struct Groups {
    by_id: HashMap<GroupId, RoomId>,
    /// Groups and the lobby by the skeletons of their names: nobody makes a room that could be taken for one of these.
    by_look: HashMap<Skeleton, RoomId>,
    /// The greatest number that a group ever had.
    last: u32,
}

impl Groups {
    /// How many there are.
    pub fn count(&self) -> usize {
        self.by_id.len()
    }

    fn next(&mut self) -> GroupId {
        self.last = self.last.max(FIRST_NUMBER - 1) + 1;
        GroupId(self.last)
    }
}

/// The group that a number means: `1000`, `#1000`. Smaller numbers are names of rooms.
pub(super) fn number_of(text: &str) -> Option<GroupId> {
    let digits = text.strip_prefix('#').unwrap_or(text);
    let is_number = digits.bytes().all(|byte| byte.is_ascii_digit());
    digits.parse().ok().filter(|number| is_number && *number >= FIRST_NUMBER).map(GroupId)
}

impl Room {
    /// How many people belong here: the members of a group, or those who are in the room.
    pub fn size(&self) -> usize {
        self.group.as_ref().map_or(self.people(), |group| group.seats.len())
    }

    /// The seat of somebody who belongs to this group.
    pub fn seat(&self, account: Option<AccountId>) -> Option<&Seat> {
        self.group.as_ref()?.seat(account?)
    }

    /// Whether somebody is asked to come to this group.
    pub fn awaits(&self, account: Option<AccountId>) -> bool {
        let (Some(group), Some(account)) = (&self.group, account) else { return false };
        group.has_invited(account)
    }
}

impl Chat {
    /// The room that somebody means: by its name, or a group by its number. A number tells strangers nothing of a secret group.
    pub(super) fn room_meant(&self, asker: ConnId, text: &str) -> Option<&Room> {
        let Some(number) = number_of(text) else { return self.room_named(text) };
        let room = self.rooms.get(&self.room_of_group(number)?)?;
        let session = self.session(asker)?;
        (room.is_shown_to(session) || room.awaits(session.account_id())).then_some(room)
    }

    /// The members of a group who are not here, with their standing; nobody for other rooms.
    pub(super) fn away_in<'a>(&'a self, room: &'a Room) -> impl Iterator<Item = (Seat, &'a Account)> {
        let seats = room.group.as_ref().map_or(&[][..], |group| &group.seats);
        let known = seats.iter().filter_map(|seat| Some((*seat, self.accounts.get(seat.account)?)));
        known.filter(|(_, account)| account.devices.is_empty())
    }

    /// The room of a group.
    pub(super) fn room_of_group(&self, id: GroupId) -> Option<RoomId> {
        self.groups.by_id.get(&id).copied()
    }

    /// `nick!user@host` of an account, here or away.
    pub(super) fn source_of(&self, id: AccountId) -> String {
        let name = self.accounts.get(id).map_or("*", |account| account.name.as_str());
        format!("{name}!{}@{ACCOUNT_HOST}", id.0)
    }

    /// Hands a change to the store. What people were told of at once (a group, a membership) is written at once; the rest can wait
    /// for company on its way to the card.
    pub(super) fn record(&mut self, change: Change, now: Now, effects: &mut Vec<Effect>) {
        let id = self.next_id(now);
        self.receipts.note_change();
        let can_wait = matches!(change, Change::Read { .. } | Change::Delivered { .. } | Change::Pause { .. });
        effects.push(Effect::Record { id, change: Box::new(change), hurry: !can_wait });
    }

    fn record_shape(&mut self, id: RoomId, now: Now, effects: &mut Vec<Effect>) {
        let shape = self.rooms.get(&id).and_then(|room| Some((room.group.as_ref()?.id, room.shape()?)));
        if let Some((id, shape)) = shape {
            self.record(Change::Group { id, shape: Box::new(shape) }, now, effects);
        }
    }

    fn record_seat(&mut self, id: RoomId, account: AccountId, now: Now, effects: &mut Vec<Effect>) {
        let Some(group) = self.rooms.get(&id).and_then(|room| room.group.as_ref()) else { return };
        let membership =
            group.seat(account).map(|seat| Membership { standing: seat.standing.bits(), since: seat.since });
        let group = group.id;
        self.record(Change::Member { group, account, membership }, now, effects);
    }
}

impl Turn<'_> {
    /// Keeps what a group is, but for its lists and members. Other rooms are not kept.
    pub(super) fn record_shape(&mut self, id: RoomId) {
        self.chat.record_shape(id, self.now, self.effects);
    }

    /// Keeps with which rights somebody is in a group, or that they are not.
    pub(super) fn record_seat(&mut self, id: RoomId, account: AccountId) {
        self.chat.record_seat(id, account, self.now, self.effects);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn group(seats: &[(u32, Standing, u64)]) -> Group {
        let mut group = Group::new(GroupId(1000), AccountId(1000));
        for (account, standing, since) in seats {
            group.put(Seat { account: AccountId(*account), standing: *standing, since: MsgId(*since) });
        }
        group
    }

    #[test]
    fn the_operator_who_came_first_inherits_or_else_the_member_who_did() {
        let plain = Standing::PLAIN;
        assert_eq!(group(&[]).heir(), None);
        assert_eq!(group(&[(1001, plain, 9), (1002, plain, 7)]).heir(), Some(AccountId(1002)));
        let voiced = group(&[(1001, plain, 7), (1002, Standing::VOICE, 9)]);
        assert_eq!(voiced.heir(), Some(AccountId(1001)), "a voice is no office");
        let run = group(&[(1001, plain, 1), (1002, Standing::OPERATOR, 9), (1003, Standing::OPERATOR, 8)]);
        assert_eq!(run.heir(), Some(AccountId(1003)));
    }

    #[test]
    fn members_are_found_by_their_number_and_have_one_seat() {
        let mut group = group(&[(1005, Standing::PLAIN, 5), (1001, Standing::PLAIN, 3), (1005, Standing::VOICE, 5)]);
        assert_eq!(group.seats().len(), 2);
        assert_eq!(group.seat(AccountId(1005)).map(|seat| seat.standing), Some(Standing::VOICE));
        assert_eq!(group.since(Some(AccountId(1001)), true), MsgId(3));
        assert_eq!((group.since(None, true), group.since(Some(AccountId(1000)), true)), (NEVER, NEVER));
        assert_eq!((group.since(None, false), group.since(Some(AccountId(1001)), false)), (MsgId(0), MsgId(0)));
        group.open_since = MsgId(4);
        assert_eq!((group.since(None, false), group.since(Some(AccountId(1001)), false)), (MsgId(4), MsgId(3)));
        assert!(group.take(AccountId(1001)).is_some() && group.take(AccountId(1001)).is_none());
    }

    #[test]
    fn a_number_from_1000_up_means_a_group() {
        for (text, meant) in [
            ("1000", Some(1000)),
            ("#1000", Some(1000)),
            ("#4294967295", Some(u32::MAX)),
            ("999", None),
            ("#0", None),
            ("#4294967296", None),
            ("+1000", None),
            ("##1000", None),
            ("#", None),
            ("", None),
            ("#茶", None),
        ] {
            assert_eq!(number_of(text), meant.map(GroupId), "{text}");
        }
    }
}
