//! How a membership ends, and how a group does.

use std::rc::Rc;

use crate::store::change::Change;
use crate::store::record::AccountId;
use crate::wire::escape::printable;
use crate::wire::event::Event;

use super::super::session::Confirm;
use super::super::turn::Turn;
use super::super::{Asker, Audience, Chat, ConnId, Effect, Now, RoomId, SERVER_NAME};
use super::Refused;

/// Why everybody is out, as the last line of a group says it.
const ENDED: &str = "群已解散 · the group is no more";

/// Why visitors are out.
const CLOSED: &str = "群现在只让成员进 · the group is for its members from here on";

impl Chat {
    /// Takes a group out of every table, and has it forgotten. Nobody is told.
    pub(super) fn drop_group(&mut self, id: RoomId, now: Now, effects: &mut Vec<Effect>) {
        let Some(room) = self.rooms.get(&id) else { return };
        let (target, look, key) = (room.target(), room.name.skeleton(), room.key());
        let members: Vec<ConnId> = room.members.iter().map(|member| member.conn).collect();
        for conn in members {
            self.session_mut(conn).into_iter().for_each(|session| session.rooms.retain(|room| *room != id));
        }
        let Some(group) = self.rooms.remove(&id).and_then(|room| room.group) else { return };
        for seat in &group.seats {
            self.accounts.get_mut(seat.account).into_iter().for_each(|account| account.groups.retain(|g| *g != id));
        }
        for invited in &group.invited {
            self.accounts.get_mut(invited.account).into_iter().for_each(|account| account.invited.retain(|g| *g != id));
        }
        self.groups.by_id.remove(&group.id);
        if self.groups.by_look.get(&look) == Some(&id) {
            self.groups.by_look.remove(&look);
        }
        self.rooms_by_name.remove(&key);
        self.counting.retain(|counting| *counting != id);
        self.forget_asking(id);
        self.record(Change::GroupEnded { id: group.id, target }, now, effects);
    }

    /// A room whose last messages nobody waits for any more.
    fn forget_asking(&mut self, id: RoomId) {
        self.askers.retain(|_, asker| !matches!(asker, Asker::Room(room) if *room == id));
    }

    /// Nobody of a group is here: what newcomers are shown is read again when somebody comes.
    pub(in crate::chat) fn rest_group(&mut self, id: RoomId) {
        let shows_nothing = self.settings.replay == 0;
        let Some(room) = self.rooms.get_mut(&id) else { return };
        let was_asked = room.recent_asked && !room.recent_loaded;
        (room.recent, room.recent_bytes) = (std::collections::VecDeque::new(), 0);
        (room.recent_asked, room.recent_loaded) = (false, shows_nothing);
        room.members = Vec::new();
        if was_asked {
            self.forget_asking(id);
        }
    }
}

impl Turn<'_> {
    /// Ends this person's membership: `PART` and `!leave`. The last member is asked whether that is meant.
    pub(in crate::chat) fn leave_group(&mut self, id: RoomId, account: AccountId, reason: Option<&str>) {
        let Some(room) = self.chat.rooms.get(&id) else { return };
        let (name, now) = (room.name.as_str().to_owned(), self.now);
        if room.size() == 1 && !self.session_mut().confirms(Confirm::Leave(id), now) {
            self.session_mut().expect_again(Confirm::Leave(id), now);
            return self.ask_before_leaving(id);
        }
        let event = Rc::new(self.my_event(format_args!("PART {name}"), reason));
        self.reply_event(&event, "");
        self.leave_room(id, &event);
        self.unseat(id, account);
        let nick = self.session().nick.clone();
        self.log(format!("{} left the group {name} for good", nick.as_str()));
        self.settle_owner(id);
    }

    fn ask_before_leaving(&mut self, id: RoomId) {
        let Some(room) = self.chat.rooms.get(&id) else { return };
        let (name, number) = (room.name.as_str().to_owned(), room.group.as_ref().map_or(0, |group| group.id.0));
        let english = format!(
            "you are the last member of {name}: when you leave, the group ends, and everything said in it is deleted; say it again within a minute (!leave {number}) if you mean it"
        );
        let chinese = format!(
            "你是 {name} 的最后一个成员：退了群就没有了，聊天记录也会删掉；确定的话一分钟内再输入一次 ！退群*{number}"
        );
        if !self.refused_as(|tongue| tongue.either(&chinese, &english)) {
            self.fail("PART", "CONFIRM", &[&name], &english);
        }
    }

    /// Takes somebody off the roster. Who is in the room and who owns it is for the caller to see to.
    pub(in crate::chat) fn unseat(&mut self, id: RoomId, account: AccountId) {
        let Some(group) = self.chat.rooms.get_mut(&id).and_then(|room| room.group.as_mut()) else { return };
        if group.take(account).is_none() {
            return;
        }
        self.chat.accounts.get_mut(account).into_iter().for_each(|account| account.groups.retain(|group| *group != id));
        self.record_seat(id, account);
    }

    /// Puts a member who was kicked off the roster, and gives the group to somebody else where it was theirs.
    pub(in crate::chat) fn expel(&mut self, id: RoomId, account: AccountId) {
        self.unseat(id, account);
        self.settle_owner(id);
    }

    /// `!delete`: ends a group when its owner means it. `is_exact` says that it was named by its number.
    pub(in crate::chat) fn ask_or_end(&mut self, id: RoomId, is_exact: bool) {
        if !self.must_own(id) {
            return;
        }
        let now = self.now;
        if self.session_mut().confirms(Confirm::End(id), now) && is_exact {
            return self.end_group(id);
        }
        let Some(room) = self.chat.rooms.get(&id) else { return };
        let (name, number) = (room.name.as_str().to_owned(), room.group.as_ref().map_or(0, |group| group.id.0));
        let members = room.size();
        self.session_mut().expect_again(Confirm::End(id), now);
        let english = format!(
            "this ends {name}: its {members} members are put out, and everything said in it is deleted for ever; type !delete {number} within a minute if you mean it"
        );
        let chinese = format!(
            "这会解散 {name}：{members} 个成员都会退出，聊天记录全部删掉，找不回来；确定的话一分钟内输入 ！解散群*{number}"
        );
        self.refused_as(|tongue| tongue.either(&chinese, &english));
    }

    /// Ends a group: everybody in it is told and put out.
    pub(super) fn end_group(&mut self, id: RoomId) {
        let Some(room) = self.chat.rooms.get(&id) else { return };
        let (name, number) = (room.name.as_str().to_owned(), room.group.as_ref().map_or(0, |group| group.id.0));
        let leads = room.members.iter().filter(|member| !member.further);
        let leads: Vec<ConnId> = leads.map(|member| member.conn).collect();
        for lead in leads {
            self.tell_put_out(lead, &name, ENDED);
        }
        self.chat.drop_group(id, self.now, self.effects);
        let nick = self.session().shown_nick().to_owned();
        self.log(format!("the group {name} ({number}) is no more, by the hand of {}", printable(&nick)));
    }

    /// The line that tells somebody, on all devices, that they are in a group no more.
    fn tell_put_out(&mut self, conn: ConnId, name: &str, reason: &str) -> Option<Rc<Event>> {
        let nick = self.chat.session(conn)?.nick.clone();
        let head = format!(":{SERVER_NAME} KICK {name} {}", nick.as_str());
        let event = Rc::new(Event::plain(self.now.wall_ms, head, Some(reason)));
        let mut to = self.chat.devices_of(conn);
        if to.contains(&self.me) {
            self.reply_event(&event, "");
            to.retain(|device| *device != self.me);
        }
        if !to.is_empty() {
            self.effects.push(Effect::ToEach { to, only: Audience::ALL, event: event.clone() });
        }
        Some(event)
    }

    /// Puts out those who are no members, because a group is closed from here on.
    pub(in crate::chat) fn put_visitors_out(&mut self, id: RoomId) {
        let Some(room) = self.chat.rooms.get(&id).filter(|room| room.group.is_some() && room.is_closed()) else {
            return;
        };
        let name = room.name.as_str().to_owned();
        let is_visitor = |conn: &ConnId| self.chat.session(*conn).is_some_and(|s| room.seat(s.account_id()).is_none());
        let visitors: Vec<ConnId> = room.members.iter().map(|member| member.conn).filter(is_visitor).collect();
        for conn in visitors {
            let Some(event) = self.tell_put_out(conn, &name, CLOSED) else { continue };
            self.tell_all_in(id, &event);
            self.chat.turn(conn, self.now, self.effects, |turn| turn.remove_from(id));
        }
    }

    /// Declines an invitation; says so when there is none.
    pub(in crate::chat) fn decline(&mut self, id: RoomId) -> bool {
        let mine = self.session().account_id();
        let Some(room) = self.chat.rooms.get(&id) else { return false };
        let name = room.name.as_str().to_owned();
        let is_invited = room.awaits(mine);
        match mine.filter(|_| is_invited) {
            Some(account) => self.drop_invitation(id, account),
            None => self.refuse_group(&Refused::NotInvited, &[&name]),
        }
        is_invited
    }
}
