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
        self.chat.note_read(account, &target, since.time_ms());
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
            let is_seated = room.keeps(Some(account));
            if !is_seated && room.ban_on(self.session(), false).is_none() && self.bars_joining(id).is_none() {
                self.take_seat(id);
            }
            let me = self.me;
            let Some(room) = self.chat.rooms.get_mut(&id) else { continue };
            if let Some(seat) = room.seat(Some(account)).copied() {
                // What the visitor was given was for the visit.
                room.member_mut(me).into_iter().for_each(|member| member.standing = seat.standing);
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
        self.show_entered(id, true);
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

#[cfg(test)]
mod tests {
    use super::super::super::testing::World;
    use super::*;

    /// `#茶`, which is anna's, with ben and 小阳; all three have come.
    fn tea() -> (World, [ConnId; 3]) {
        let mut w = World::new();
        let people = ["anna", "ben", "小阳"].map(|name| w.member_with_caps(name, "away-notify"));
        people.iter().for_each(|conn| w.line(*conn, "JOIN #茶"));
        w.drain();
        (w, people)
    }

    fn members(w: &World, name: &str) -> Vec<u32> {
        w.chat
            .room_named(name)
            .and_then(|room| room.group.as_ref())
            .unwrap()
            .seats()
            .iter()
            .map(|s| s.account.0)
            .collect()
    }

    #[test]
    fn a_lost_link_ends_no_membership_and_those_who_share_a_group_see_no_quit() {
        let (mut w, [anna, ben, 小阳]) = tea();
        let eve = w.join("eve");
        let s = w.source(小阳);
        w.line(ben, "PART #lobby");
        w.drain();
        w.line(小阳, "QUIT :睡了");
        let count = ":gzy.local NOTICE #lobby :小阳 离开了，还有 2 人 · 小阳 left, 2 still here".to_owned();
        let away = format!(":{s} AWAY :离线 · offline");
        assert_eq!(w.said_to(eve), [format!(":{s} QUIT :Quit: 睡了"), count.clone()]);
        assert_eq!(w.said_to(anna), [format!(":{s} PART #lobby :Quit: 睡了"), away.clone(), count]);
        assert_eq!(w.said_to(ben), [away]);
        assert_eq!(members(&w, "#茶"), [1000, 1001, 1002]);
        assert_eq!(w.ask(anna, "NAMES #茶")[0], ":gzy.local 353 anna = #茶 :~anna ben 小阳");
        assert_eq!(w.ask(anna, "WHO #茶")[2], ":gzy.local 352 anna #茶 1002 account.gzy gzy.local 小阳 G :0 小阳");
        assert_eq!(w.ask(anna, "WHO #茶 %nfa")[2], ":gzy.local 354 anna 小阳 G 小阳");

        let 小阳 = w.come_in("小阳", "");
        let told = w.said_to(小阳);
        let joined = told.iter().position(|line| *line == format!(":{s} JOIN #茶")).unwrap();
        assert_eq!(told[joined + 1], ":gzy.local 353 小阳 = #茶 :~anna ben 小阳");
        assert_eq!(w.said_to(ben), [format!(":{s} AWAY")], "nobody joined the group: nobody had left it");
        assert_eq!(
            w.said_to(anna),
            [
                format!(":{s} JOIN #lobby"),
                ":gzy.local NOTICE #lobby :欢迎 小阳 加入大厅，现在 3 人 · Welcome 小阳, 3 here".into(),
                format!(":{s} AWAY")
            ]
        );
        w.line(小阳, "PRIVMSG #茶 :早");
        assert_eq!(w.said_to(ben), [format!(":{s} PRIVMSG #茶 :早")]);
    }

    #[test]
    fn a_further_device_is_in_all_groups_and_leaving_is_for_all_devices() {
        let (mut w, [anna, _, 小阳]) = tea();
        let phone = w.member("小阳");
        assert_eq!(w.session(phone).rooms, w.session(小阳).rooms);
        assert_eq!(w.said_to(anna), [""; 0], "nobody is told of it");
        w.lose(小阳);
        assert_eq!(w.said_to(anna), [""; 0], "nor that one of the two has gone");
        let s = w.source(phone);
        let laptop = w.member("小阳");
        assert_eq!(w.ask(laptop, "PART #茶 :再见"), [format!(":{s} PART #茶 :再见")]);
        assert_eq!(w.said_to(phone), [format!(":{s} PART #茶 :再见")]);
        assert_eq!(w.said_to(anna), [format!(":{s} PART #茶 :再见")]);
        assert_eq!(members(&w, "#茶"), [1000, 1001]);
        w.lose(laptop);
        w.lose(phone);
        let laptop = w.member("小阳");
        assert_eq!(w.session(laptop).rooms.len(), 1, "out of the group for good");
    }

    #[test]
    fn a_join_on_the_second_device_is_told_to_each_once_and_the_lead_is_shown() {
        let (mut w, [anna, ben, _]) = tea();
        let phone = w.member("anna");
        w.line(ben, "JOIN #酒");
        w.drain();
        assert_eq!(w.ask(phone, "JOIN #酒")[0], format!(":{} JOIN #酒", w.source(phone)));
        for conn in [anna, ben] {
            let joins = w.said_to(conn).iter().filter(|line| line.ends_with(" JOIN #酒")).count();
            assert_eq!(joins, 1, "{conn:?}");
        }
        w.lose(phone);
        assert_eq!(w.ask(ben, "NAMES #酒")[0], ":gzy.local 353 ben = #酒 :~ben anna");
        assert_eq!(w.chat.people_in_room(w.chat.room_named("#酒").unwrap().id), 2);
    }

    #[test]
    fn whoever_comes_into_a_large_group_is_not_told_all_its_names() {
        let (mut w, people) = tea();
        w.save();
        for n in 0..crate::wire::limits::ROOM_TELLS_EACH {
            w.add_account(&format!("dora{n}x"), "secret", false);
            let membership =
                crate::store::change::Membership { standing: 0, since: crate::wire::msgid::MsgId(n as u64) };
            w.kept.directory.groups[0].members.push((AccountId(1003 + n as u32), membership));
        }
        people.into_iter().for_each(|conn| w.lose(conn));
        let mut w = w.restarted();
        let anna = w.come_in("anna", "");
        let told = w.said_to(anna);
        assert!(told.contains(&":gzy.local 353 anna = #茶 :~anna".to_owned()));
        assert!(
            told.contains(&":gzy.local 366 anna #茶 :1 of 203 are here; NAMES lists them all".to_owned()),
            "{told:?}"
        );
        let names: usize = w.ask(anna, "NAMES #茶").iter().map(|line| line.matches("dora").count()).sum();
        assert_eq!(names, 200);
    }

    #[test]
    fn a_guest_visits_a_public_group_and_is_gone_when_they_leave() {
        let (mut w, [anna, ..]) = tea();
        let eve = w.join("eve");
        w.drain();
        let e = w.source(eve);
        assert_eq!(w.ask(eve, "JOIN #1000")[0], format!(":{e} JOIN #茶"));
        assert_eq!(w.said_to(anna), [format!(":{e} JOIN #茶")]);
        assert_eq!(members(&w, "#茶"), [1000, 1001, 1002]);
        assert_eq!(
            w.ask(anna, "PRIVMSG #茶 :!users"),
            [":gzy.local NOTICE #茶 :4 people here, 3 members in all: ~anna, ben, 小阳, eve"]
        );
        w.lose(eve);
        assert_eq!(w.said_to(anna)[0], format!(":{e} QUIT :connection lost"));
        assert_eq!(w.ask(anna, "NAMES #茶")[0], ":gzy.local 353 anna = #茶 :~anna ben 小阳");
    }

    #[test]
    fn a_visitor_who_logs_in_becomes_a_member_or_leaves_where_that_cannot_be() {
        let (mut w, [anna, ..]) = tea();
        w.line(anna, "JOIN #酒");
        w.line(anna, "MODE #酒 +b *!1003@*");
        let guest = w.join("guest");
        w.line(guest, "JOIN #茶,#酒");
        w.line(anna, "MODE #茶 +v guest");
        w.drain();
        w.log_in(guest, "dora");
        let d = w.source(guest);
        assert_eq!(members(&w, "#茶"), [1000, 1001, 1002, 1003]);
        w.chat.assert_tables_agree();
        assert_eq!(members(&w, "#酒"), [1000]);
        assert!(w.said_to(guest).contains(&format!(":{d} PART #酒")));
        assert!(w.said_to(anna).contains(&format!(":{d} PART #酒")));
        assert_eq!(w.session(guest).rooms.len(), 2);
    }

    #[test]
    fn somebody_who_logs_in_later_is_in_all_groups_at_once() {
        let (mut w, [anna, _, 小阳]) = tea();
        w.line(anna, "MODE #茶 +v 小阳");
        w.lose(小阳);
        let guest = w.join("guest");
        w.drain();
        w.log_in(guest, "小阳");
        let s = w.source(guest);
        assert!(w.said_to(guest).contains(&format!(":{s} JOIN #茶")));
        w.drain();
        assert_eq!(w.ask(anna, "NAMES #茶")[0], ":gzy.local 353 anna = #茶 :~anna ben +小阳");
        w.line(anna, "MODE #茶 +m");
        w.drain();
        w.line(guest, "PRIVMSG #茶 :早");
        assert_eq!(w.said_to(anna), [format!(":{s} PRIVMSG #茶 :早")], "and with the rights that they had");
    }

    #[test]
    fn zero_leaves_rooms_but_no_groups() {
        let (mut w, [_, ben, _]) = tea();
        let b = w.source(ben);
        assert_eq!(w.ask(ben, "JOIN 0"), [format!(":{b} PART #lobby")]);
        assert_eq!(members(&w, "#茶"), [1000, 1001, 1002]);
    }

    #[test]
    fn members_of_a_private_group_read_what_was_said_since_they_came() {
        let (mut w, [anna, ben, 小阳]) = tea();
        w.line(ben, "PART #茶");
        w.line(anna, "PRIVMSG #茶 :之前");
        w.line(anna, "MODE #茶 +i");
        w.line(anna, "INVITE ben #茶");
        w.save();
        w.drain();
        let said = |w: &World, lines: Vec<String>| -> Vec<String> {
            let head = format!(":{} PRIVMSG #茶 :", w.source(anna));
            lines.iter().filter_map(|line| line.strip_prefix(&head)).map(str::to_owned).collect()
        };
        let lines = w.ask(ben, "JOIN #茶");
        assert_eq!(said(&w, lines), [""; 0], "what is older than the membership is not for ben");
        w.line(anna, "PRIVMSG #茶 :之后");
        w.save();
        let phone = w.come_in("ben", "");
        let lines = w.said_to(phone);
        assert_eq!(said(&w, lines), ["之后"]);
        assert_eq!(w.ask(ben, "PRIVMSG #茶 :!search 之").last().unwrap(), ":gzy.local NOTICE #茶 :1 line found");
        assert_eq!(w.ask(小阳, "PRIVMSG #茶 :!search 之").last().unwrap(), ":gzy.local NOTICE #茶 :2 lines found");
        w.line(anna, "MODE #茶 -i");
        w.line(anna, "PRIVMSG #茶 :公开");
        w.save();
        let mut w = w.restarted();
        let [anna, 小阳, eve] = [w.member("anna"), w.member("小阳"), w.join("eve")];
        let lines = w.ask(eve, "JOIN #茶");
        let said = |lines: Vec<String>| -> Vec<String> {
            let head = format!(":{} PRIVMSG #茶 :", w.source(anna));
            lines.iter().filter_map(|line| line.strip_prefix(&head)).map(str::to_owned).collect()
        };
        assert_eq!(said(lines), ["公开"], "what was said behind closed doors stays there");
        assert_eq!(
            w.ask(小阳, "PRIVMSG #茶 :!search from:anna").last().unwrap(),
            ":gzy.local NOTICE #茶 :3 lines found"
        );
        assert_eq!(w.ask(eve, "PRIVMSG #茶 :!search from:anna").last().unwrap(), ":gzy.local NOTICE #茶 :1 line found");
    }

    #[test]
    fn when_nobody_is_there_nothing_of_what_was_said_is_held() {
        let (mut w, people) = tea();
        w.line(people[0], "PRIVMSG #茶 :嘿");
        w.save();
        people.into_iter().for_each(|conn| w.lose(conn));
        let room = w.chat.room_named("#茶").unwrap();
        assert!(room.recent.is_empty() && room.recent.capacity() == 0 && !room.recent_loaded);
        let ben = w.come_in("ben", "batch draft/chathistory");
        assert!(!w.chat.room_named("#茶").unwrap().recent_asked, "who asks for history is shown none");
        w.line(ben, "PRIVMSG #茶 :在吗");
        w.save();
        let anna = w.come_in("anna", "");
        let said = w.said_to(anna).iter().filter(|line| line.contains(" PRIVMSG #茶 ")).count();
        assert_eq!(said, 2);
    }

    #[test]
    fn all_is_back_after_a_restart() {
        let (mut w, [anna, ben, _]) = tea();
        for line in
            ["TOPIC #茶 :龙井", "MODE #茶 +mlk 9 水", "MODE #茶 +ovb ben 小阳 eve!*@*", "MODE #茶 +eI *!~x@* b!*@*"]
        {
            w.line(anna, line);
        }
        w.line(ben, "PRIVMSG #茶 :记得我");
        w.save();
        let before = w.kept.directory.clone();
        let mut w = w.restarted();
        assert_eq!(w.kept.directory, before);
        let ben = w.come_in("ben", "");
        let told = w.said_to(ben);
        for line in [
            ":gzy.local 332 ben #茶 :龙井".to_owned(),
            ":gzy.local 353 ben = #茶 :@ben ~anna +小阳".into(),
            format!(":{} PRIVMSG #茶 :记得我", w.source(ben)),
        ] {
            assert!(told.contains(&line), "{line}: {told:?}");
        }
        assert_eq!(w.ask(ben, "MODE #茶")[0], ":gzy.local 324 ben #茶 +klmnt 水 9");
        assert!(w.ask(ben, "MODE #茶 b")[0].contains(" 367 ben #茶 eve!*@* anna!1000@account.gzy "));
        assert!(w.ask(ben, "MODE #茶 e")[0].contains(" *!~x@* ") && w.ask(ben, "MODE #茶 I")[0].contains(" b!*@* "));
        w.save();
        assert_eq!(w.kept.directory, before, "coming back changes nothing");
    }
}
