//! How a membership ends, and how a group does.

use std::rc::Rc;

use crate::store::change::Change;
use crate::store::file::Scope;
use crate::store::record::AccountId;
use crate::wire::event::Event;

use super::super::session::Confirm;
use super::super::turn::Turn;
use super::super::{Asker, Audience, Chat, ConnId, Effect, Now, RoomId, SERVER_NAME};
use super::Refused;

/// Why everybody is out, as the last line of a group says it.
const ENDED: &str = "群已解散 · the group is no more";

/// Why a member left whose account is no more.
const REMOVED: &str = "账号已删除 · the account is no more";

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
        self.clear_shelf(Scope::Group(group.id), effects);
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

impl Chat {
    /// Ends a group: everybody in it is told and put out.
    pub(super) fn end_group(&mut self, id: RoomId, now: Now, effects: &mut Vec<Effect>) {
        let Some(room) = self.rooms.get(&id) else { return };
        let (name, number) = (room.name.as_str().to_owned(), room.group.as_ref().map_or(0, |group| group.id.0));
        let leads = room.members.iter().filter(|member| !member.further);
        let leads: Vec<ConnId> = leads.map(|member| member.conn).collect();
        for lead in leads {
            self.tell_put_out(lead, &name, ENDED, now, effects);
        }
        self.drop_group(id, now, effects);
        effects.push(Effect::Log { conn: None, text: format!("the group {name} ({number}) is no more") });
    }

    /// The line that tells somebody, on all devices, that they are in a group no more.
    fn tell_put_out(
        &self,
        conn: ConnId,
        name: &str,
        reason: &str,
        now: Now,
        effects: &mut Vec<Effect>,
    ) -> Option<Rc<Event>> {
        let nick = self.session(conn)?.nick.as_str();
        let event = Rc::new(Event::plain(now.wall_ms, format!(":{SERVER_NAME} KICK {name} {nick}"), Some(reason)));
        effects.push(Effect::ToEach { to: self.devices_of(conn), only: Audience::ALL, event: event.clone() });
        Some(event)
    }

    /// Takes somebody off the roster. Who is in the room and who owns it is for the caller to see to.
    fn unseat(&mut self, id: RoomId, account: AccountId, now: Now, effects: &mut Vec<Effect>) {
        let Some(group) = self.rooms.get_mut(&id).and_then(|room| room.group.as_mut()) else { return };
        if group.take(account).is_none() {
            return;
        }
        self.accounts.get_mut(account).into_iter().for_each(|account| account.groups.retain(|group| *group != id));
        self.record_seat(id, account, now, effects);
    }

    /// An account is no more, and none of its connections is here: it leaves its groups, and nothing waits for it.
    pub(in crate::chat) fn leave_all_groups(&mut self, account: AccountId, now: Now, effects: &mut Vec<Effect>) {
        let Some(entry) = self.accounts.get_mut(account) else { return };
        let (groups, invited) = (std::mem::take(&mut entry.groups), std::mem::take(&mut entry.invited));
        for id in invited {
            let group = self.rooms.get_mut(&id).and_then(|room| room.group.as_mut());
            group.into_iter().for_each(|group| group.invited.retain(|invited| invited.account != account));
        }
        for id in groups {
            let source = self.source_of(account);
            let Some(name) = self.rooms.get(&id).map(|room| room.name.clone()) else { continue };
            let head = format!(":{source} PART {}", name.as_str());
            let event = Rc::new(Event::plain(now.wall_ms, head, Some(REMOVED)));
            effects.push(Effect::ToRoom { room: id, except: None, only: Audience::ALL, event });
            self.unseat(id, account, now, effects);
            self.settle_owner(id, now, effects);
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
        let nick = self.session().nick.clone();
        self.log(format!("{} left the group {name} for good", nick.as_str()));
        self.expel(id, account);
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

    /// Takes somebody who has left the room off the roster, and gives the group to somebody else where it was theirs.
    pub(in crate::chat) fn expel(&mut self, id: RoomId, account: AccountId) {
        self.chat.unseat(id, account, self.now, self.effects);
        self.chat.settle_owner(id, self.now, self.effects);
    }

    /// `!delete`: ends a group when its owner means it. `is_exact` says that it was named by its number.
    pub(in crate::chat) fn ask_or_end(&mut self, id: RoomId, is_exact: bool) {
        if !self.must_own(id) {
            return;
        }
        let now = self.now;
        if self.session_mut().confirms(Confirm::End(id), now) && is_exact {
            return self.chat.end_group(id, now, self.effects);
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

    /// Puts out those who are no members, because a group is closed from here on.
    pub(in crate::chat) fn put_visitors_out(&mut self, id: RoomId) {
        let Some(room) = self.chat.rooms.get(&id).filter(|room| room.group.is_some() && room.is_closed()) else {
            return;
        };
        let name = room.name.as_str().to_owned();
        let is_visitor = |conn: &ConnId| self.chat.session(*conn).is_some_and(|s| room.seat(s.account_id()).is_none());
        let visitors: Vec<ConnId> = room.members.iter().map(|member| member.conn).filter(is_visitor).collect();
        for conn in visitors {
            let Some(event) = self.chat.tell_put_out(conn, &name, CLOSED, self.now, self.effects) else { continue };
            self.tell_all_in(id, &event);
            self.chat.turn(conn, self.now, self.effects, |turn| turn.remove_from(id));
        }
    }

    /// A group that was closed is open from here on: what was said among its members stays with them.
    pub(in crate::chat) fn note_opened(&mut self, id: RoomId, was_closed: bool) {
        let opened_at = self.chat.next_id(self.now);
        let Some(room) = self.chat.rooms.get_mut(&id).filter(|room| was_closed && !room.is_closed()) else { return };
        room.group.iter_mut().for_each(|group| group.open_since = opened_at);
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

#[cfg(test)]
mod tests {
    use super::super::super::testing::World;
    use super::*;
    use crate::wire::limits::CONFIRM_MS;

    /// `#茶`, which is anna's, with ben and 小阳.
    fn tea() -> (World, [ConnId; 3]) {
        let mut w = World::new();
        let people = ["anna", "ben", "小阳"].map(|name| w.member(name));
        people.iter().for_each(|conn| w.line(*conn, "JOIN #茶"));
        w.drain();
        (w, people)
    }

    fn owner(w: &World) -> u32 {
        w.chat.room_named("#茶").and_then(|room| room.group.as_ref()).unwrap().owner.0
    }

    #[test]
    fn an_owner_who_leaves_hands_the_group_to_the_oldest_operator_or_else_the_oldest_member() {
        let (mut w, [anna, ben, 小阳]) = tea();
        w.line(anna, "MODE #茶 +o 小阳");
        w.lose(小阳);
        w.drain();
        let a = w.source(anna);
        assert_eq!(w.ask(anna, "PART #茶"), [format!(":{a} PART #茶")]);
        assert_eq!(
            w.said_to(ben),
            [
                format!(":{a} PART #茶"),
                ":gzy.local MODE #茶 +q 小阳".into(),
                ":gzy.local NOTICE #茶 :小阳 现在是群主 · 小阳 owns this group from here on".into(),
            ]
        );
        assert_eq!(owner(&w), 1002);
        w.save();
        let mut w = w.restarted();
        let [小阳, ben] = ["小阳", "ben"].map(|name| w.member(name));
        assert_eq!(w.ask(小阳, "NAMES #茶")[0], ":gzy.local 353 小阳 = #茶 :~小阳 ben");
        w.line(小阳, "MODE #茶 +n-t");
        w.line(小阳, "PART #茶");
        assert_eq!(owner(&w), 1001, "ben is all there is");
        w.drain();
        assert_eq!(w.ask(ben, "MODE #茶")[0], ":gzy.local 324 ben #茶 +n");
    }

    #[test]
    fn the_last_member_is_asked_before_the_group_ends() {
        let (mut w, [anna, ben, 小阳]) = tea();
        w.line(ben, "PART #茶");
        w.line(小阳, "PART #茶");
        let eve = w.join("eve");
        w.line(eve, "JOIN #茶");
        w.line(anna, "PRIVMSG #茶 :嘿");
        w.save();
        w.drain();
        let asked = "you are the last member of #茶: when you leave, the group ends, and everything said in it is deleted; say it again within a minute (!leave 1000) if you mean it";
        assert_eq!(w.ask(anna, "PART #茶"), [format!(":gzy.local NOTICE anna :{asked}")]);
        w.pass_ms(CONFIRM_MS + 1);
        w.drain();
        assert_eq!(
            w.ask(anna, "PRIVMSG #茶 :！退群"),
            [
                ":gzy.local NOTICE #茶 :你是 #茶 的最后一个成员：退了群就没有了，聊天记录也会删掉；确定的话一分钟内再输入一次 ！退群*1000"
            ],
            "a minute later it is asked anew"
        );
        let a = w.source(anna);
        assert_eq!(
            w.ask(anna, "PRIVMSG #lobby :！退群*1000"),
            [format!(":{a} PART #茶"), ":gzy.local NOTICE #lobby :你退出了 #茶".into()]
        );
        assert_eq!(w.said_to(eve), [format!(":gzy.local KICK #茶 eve :{ENDED}")], "a visitor alone keeps no group");
        assert_eq!((w.chat.groups.count(), w.chat.room_count()), (0, 1));
        w.save();
        assert!(w.stored.is_empty() && w.kept.directory.groups.is_empty());
        assert!(w.ask(eve, "JOIN #te\u{61}")[0].ends_with(" JOIN #tea"));
    }

    #[test]
    fn a_group_is_deleted_by_its_owner_who_says_it_twice() {
        let (mut w, [anna, ben, 小阳]) = tea();
        let phone = w.member("ben");
        w.line(anna, "PRIVMSG #茶 :嘿");
        w.lose(小阳);
        w.save();
        w.drain();
        let bang = |w: &mut World, who, text: &str| w.ask(who, &format!("PRIVMSG #lobby :{text}"));
        let only = ":gzy.local NOTICE #lobby :only the owner of that group may do that (~ in NAMES)";
        assert_eq!(bang(&mut w, ben, "!delete 1000"), [only]);
        assert_eq!(bang(&mut w, anna, "!delete"), [":gzy.local NOTICE #lobby :type it like this: !delete GROUP"]);
        assert_eq!(
            bang(&mut w, anna, "!delete 7777"),
            [":gzy.local NOTICE #lobby :there is no such group; !groups lists yours, LIST the public ones"]
        );
        let warned = bang(&mut w, anna, "!delete 茶");
        assert!(
            warned[0].contains("its 3 members are put out") && warned[0].contains("type !delete 1000 within a minute")
        );
        assert_eq!(bang(&mut w, anna, "!delete 茶"), warned, "it has to be the id");
        assert!(bang(&mut w, anna, "！解散群*１０００")[0].contains(&format!("KICK #茶 anna :{ENDED}")));
        for conn in [ben, phone] {
            assert_eq!(w.said_to(conn), [format!(":gzy.local KICK #茶 ben :{ENDED}")]);
            assert_eq!(w.session(conn).rooms.len(), 1);
        }
        w.save();
        assert!(w.stored.is_empty() && w.kept.directory.groups.is_empty());
        let 小阳 = w.member("小阳");
        assert_eq!(w.session(小阳).rooms.len(), 1);
    }

    #[test]
    fn an_old_question_is_no_yes() {
        let (mut w, [anna, ..]) = tea();
        w.line(anna, "PRIVMSG #茶 :!delete 1000");
        w.pass_ms(CONFIRM_MS + 1);
        w.line(anna, "PRIVMSG #茶 :!delete 1000");
        assert_eq!(w.chat.groups.count(), 1);
        w.line(anna, "PRIVMSG #茶 :!delete 1000");
        assert_eq!(w.chat.groups.count(), 0);
    }

    #[test]
    fn an_account_that_the_host_removes_leaves_its_groups_and_its_invitations() {
        let (mut w, [anna, ben, _]) = tea();
        w.line(ben, "JOIN #酒");
        w.line(ben, "INVITE anna #酒");
        w.line(anna, "JOIN #水");
        w.save();
        w.drain();
        let a = w.source(anna);
        let mut entries = w.kept.directory.accounts.clone();
        entries.retain(|entry| entry.id.0 != 1000);
        w.handle(crate::chat::Input::AccountsChanged(entries.clone()));
        assert!(w.is_closed(anna));
        let told = w.said_to(ben);
        for line in [format!(":{a} PART #茶 :{REMOVED}"), ":gzy.local MODE #茶 +q ben".to_owned()] {
            assert!(told.contains(&line), "{line}: {told:?}");
        }
        assert_eq!((owner(&w), w.chat.groups.count()), (1001, 2), "and the group that had only her is no more");
        w.save();
        assert!(w.kept.directory.groups.iter().all(|group| group.members.iter().all(|(account, _)| account.0 != 1000)));
        w.chat.assert_tables_agree();
        // What another program removes while the server is down is mended when it starts.
        w.kept.directory.accounts.retain(|entry| entry.id.0 == 1002);
        w.accounts.retain(|account| account.id.0 == 1002);
        let mut w = w.restarted();
        assert_eq!((owner(&w), w.chat.groups.count()), (1002, 1));
        w.save();
        assert_eq!(w.kept.directory.groups.len(), 1);
    }

    #[test]
    fn visitors_are_put_out_when_a_group_is_closed() {
        let (mut w, [anna, ben, _]) = tea();
        let eve = w.join("eve");
        w.line(eve, "JOIN #茶");
        w.drain();
        let kick = format!(":gzy.local KICK #茶 eve :{CLOSED}");
        assert_eq!(w.ask(anna, "MODE #茶 +s"), [format!(":{} MODE #茶 +s", w.source(anna)), kick.clone()]);
        assert_eq!(w.said_to(eve), [kick.clone()]);
        assert_eq!(w.said_to(ben), [format!(":{} MODE #茶 +s", w.source(anna)), kick]);
        let stranger = "that group is for its members; log in, and let one of them invite you";
        assert_eq!(w.ask(eve, "JOIN #茶"), [format!(":gzy.local 477 eve #茶 :{stranger}")]);
        assert_eq!(
            w.ask(eve, "PRIVMSG #lobby :！加群*茶"),
            [":gzy.local NOTICE #lobby :这个群只让成员进；先登录，再请群里的人邀请你"]
        );
    }
}
