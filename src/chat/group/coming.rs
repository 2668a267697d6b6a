//! Coming into a group for good, coming back to one's groups, and going without leaving them.

use std::collections::HashSet;
use std::rc::Rc;

use crate::store::change::Change;
use crate::store::record::AccountId;
use crate::wire::caps::Caps;
use crate::wire::event::Event;
use crate::wire::limits::{GROUPS_PER_ACCOUNT, MEMBERS_PER_GROUP};

use super::super::leave::shared;
use super::super::room::Standing;
use super::super::turn::Turn;
use super::super::{Audience, Chat, ConnId, Effect, Member, Room, RoomId};
use super::{Refused, Seat};

/// Why a member of a group who has gone is away.
const OFFLINE: &str = "离线 · offline";

impl Room {
    /// Whether somebody belongs to this room when they are not here.
    pub(in crate::chat) fn keeps(&self, account: Option<AccountId>) -> bool {
        self.seat(account).is_some()
    }
}

impl Chat {
    /// Those who share one of an account's groups with it, and are told who comes and goes there; nobody twice.
    fn peers_in_groups(&self, conn: ConnId) -> Vec<ConnId> {
        let account = self.session(conn).and_then(|session| session.account_id());
        let mut peers = self.peers(conn, |room| room.keeps(account) && room.tells_each());
        let devices = self.devices_of(conn);
        peers.retain(|peer| !devices.contains(peer));
        peers
    }
}

impl Turn<'_> {
    /// Why this session may not become a member of a group that is open to it.
    pub(in crate::chat) fn bars_joining(&self, id: RoomId) -> Option<Refused> {
        let room = self.chat.rooms.get(&id)?;
        let group = room.group.as_ref()?;
        let Some(account) = self.session().account_id() else {
            return room.is_closed().then_some(Refused::Stranger);
        };
        let joined = self.chat.accounts.get(account).map_or(0, |account| account.groups.len());
        if group.seats().len() >= MEMBERS_PER_GROUP {
            Some(Refused::Full)
        } else {
            (joined >= GROUPS_PER_ACCOUNT).then_some(Refused::JoinedMany)
        }
    }

    /// Comes into a room that is open to this session; into a group for good, when it has an account.
    pub(in crate::chat) fn come_into(&mut self, id: RoomId) {
        if self.chat.rooms.get(&id).is_some_and(|room| room.group.is_some()) {
            self.take_seat(id);
        }
        self.enter(id, Standing::PLAIN);
    }

    /// Becomes a member. What was said before is not news to somebody who was not there.
    fn take_seat(&mut self, id: RoomId) {
        let Some(account) = self.session().account_id() else { return };
        let since = self.chat.next_id(self.now);
        let Some(room) = self.chat.rooms.get_mut(&id) else { return };
        let (name, target) = (room.name.clone(), room.target());
        let Some(group) = &mut room.group else { return };
        group.put(Seat { account, standing: Standing::PLAIN, since });
        self.chat.accounts.get_mut(account).into_iter().for_each(|account| account.groups.push(id));
        self.record_seat(id, account);
        self.record(Change::Read { account, target, up_to_ms: since.time_ms() });
        self.drop_invitation(id, account);
        let nick = self.session().nick.clone();
        self.log(format!("{} is a member of the group {}", nick.as_str(), name.as_str()));
    }

    /// The first device of an account has come: it is in all its groups again. The others there see that it is back.
    pub(in crate::chat) fn come_home(&mut self) {
        let Some(account) = self.session().account_id() else { return };
        self.stay_or_go(account);
        let groups = self.chat.accounts.get(account).map_or_else(Vec::new, |account| account.groups.clone());
        for id in groups {
            self.come_back_to(id, account);
        }
        let event = Rc::new(self.my_event(format_args!("AWAY"), None));
        let to = self.chat.peers_in_groups(self.me);
        self.effects.push(Effect::ToEach { to, only: Audience::with(Caps::AWAY_NOTIFY), event });
        self.show_waiting_invitations();
    }

    /// A visitor who has logged in: a member from here on, where that may be; else they leave.
    fn stay_or_go(&mut self, account: AccountId) {
        for id in self.session().rooms.clone() {
            let Some(room) = self.chat.rooms.get(&id).filter(|room| room.group.is_some()) else { continue };
            let name = room.name.clone();
            if let Some(seat) = room.seat(Some(account)).copied() {
                self.chat.set_standing(id, account, seat.standing, true);
            } else if room.ban_on(self.session(), false).is_none() && self.bars_joining(id).is_none() {
                self.take_seat(id);
            } else {
                let event = Rc::new(self.my_event(format_args!("PART {}", name.as_str()), None));
                self.reply_event(&event, "");
                self.leave_room(id, &event);
            }
        }
    }

    /// Is in a group again. Nobody is told that somebody joined: they never left.
    fn come_back_to(&mut self, id: RoomId, account: AccountId) {
        let me = self.me;
        let Some(room) = self.chat.rooms.get_mut(&id) else { return };
        let Some(seat) = room.seat(Some(account)).copied().filter(|_| room.standing(me).is_none()) else { return };
        room.admit(Member { conn: me, standing: seat.standing, further: false });
        self.session_mut().rooms.push(id);
        self.show_entered(id);
    }

    /// Tells everybody that this person has gone. Where a group is shared with them, they have not left that: who saw a QUIT
    /// would take them off its list. So these are told of the other rooms one by one, and that the member is away.
    pub(in crate::chat) fn tell_gone(&mut self, reason: &str) {
        let account = self.session().account_id();
        let rooms = self.session().rooms.iter().filter_map(|id| self.chat.rooms.get(id));
        let (groups, others): (Vec<&Room>, Vec<&Room>) = rooms.partition(|room| room.keeps(account));
        let groups: HashSet<RoomId> = groups.into_iter().map(|room| room.id).collect();
        let shares_group = |conn: &ConnId| {
            !groups.is_empty()
                && self.chat.session(*conn).is_some_and(|peer| peer.rooms.iter().any(|room| groups.contains(room)))
        };
        let others: Vec<&Room> = others.into_iter().filter(|room| room.tells_each()).collect();
        let strangers = shared(&others, self.me).into_iter().filter(|conn| !shares_group(conn)).collect();
        let mut told = vec![(strangers, Audience::ALL, self.my_event(format_args!("QUIT"), Some(reason)))];
        for room in others {
            let to: Vec<ConnId> = shared(&[room], self.me).into_iter().filter(|conn| shares_group(conn)).collect();
            let part = self.my_event(format_args!("PART {}", room.name.as_str()), Some(reason));
            told.push((to, Audience::ALL, part));
        }
        let away = self.my_event(format_args!("AWAY"), Some(OFFLINE));
        told.push((self.chat.peers_in_groups(self.me), Audience::with(Caps::AWAY_NOTIFY), away));
        self.tell_each(told);
    }

    fn tell_each(&mut self, told: Vec<(Vec<ConnId>, Audience, Event)>) {
        for (to, only, event) in told.into_iter().filter(|(to, ..)| !to.is_empty()) {
            self.effects.push(Effect::ToEach { to, only, event: Rc::new(event) });
        }
    }
}
