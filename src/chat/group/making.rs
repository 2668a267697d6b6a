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

#[cfg(test)]
mod tests {
    use super::super::super::testing::World;
    use super::*;

    #[test]
    fn a_member_who_joins_a_new_name_owns_a_group_and_a_guest_opens_a_room() {
        let mut w = World::new();
        let (anna, eve) = (w.member("anna"), w.join("eve"));
        let a = w.source(anna);
        assert_eq!(
            w.ask(anna, "JOIN #茶"),
            [
                format!(":{a} JOIN #茶"),
                ":gzy.local 353 anna = #茶 :~anna".into(),
                ":gzy.local 366 anna #茶 :End of /NAMES list".into(),
                ":gzy.local NOTICE #茶 :这是你的群，群号 1000，！邀请*谁 叫人来 · This is your group, its id is 1000; !invite WHO asks people in".into(),
            ]
        );
        assert!(w.ask(eve, "JOIN #酒").contains(&":gzy.local 353 eve = #酒 :@eve".to_owned()));
        assert_eq!((w.chat.groups.count(), w.chat.room_count()), (1, 3));
        w.lose(eve);
        w.lose(anna);
        assert!(w.chat.room_named("#茶").is_some() && w.chat.room_named("#酒").is_none());
        let anna = w.member("anna");
        w.line(anna, "JOIN #酒");
        assert_eq!(
            w.chat.room_named("#酒").and_then(|room| room.group.as_ref()).map(|group| group.id),
            Some(GroupId(1001))
        );
    }

    #[test]
    fn create_answers_with_the_id_and_a_private_group_is_hidden_and_closed() {
        let mut w = World::new();
        let (anna, ben) = (w.member("anna"), w.member("ben"));
        let created = w.ask(anna, "PRIVMSG #lobby :！创建群*茶*私密");
        assert_eq!(
            created.last().unwrap(),
            ":gzy.local NOTICE #lobby :群 #茶 建好了，群号 1000；！邀请*谁*1000 叫人来"
        );
        let created = w.ask(anna, "PRIVMSG #lobby :!create #wine");
        assert_eq!(
            created.last().unwrap(),
            ":gzy.local NOTICE #lobby :the group #wine is made, its id is 1001; !invite WHO 1001 asks people in"
        );
        assert_eq!(w.ask(anna, "MODE #茶")[0], ":gzy.local 324 anna #茶 +inst");
        assert_eq!(w.ask(anna, "MODE #1001")[0], ":gzy.local 324 anna #wine +nt");
        let listed = w.ask(ben, "LIST");
        assert!(listed.contains(&":gzy.local 322 ben #wine 1 :".to_owned()), "{listed:?}");
        assert!(!listed.iter().any(|line| line.contains("#茶")));
        assert!(w.ask(anna, "LIST").contains(&":gzy.local 322 anna #茶 1 :".to_owned()));
        let unknown = ":gzy.local 403 ben #1000 :there is no such group; !groups lists yours, LIST the public ones";
        assert_eq!(w.ask(ben, "JOIN #1000"), [unknown], "a number tells nothing of a secret group");
        for line in ["TOPIC #1000", "MODE #1000", "PART 1000"] {
            let name = line.split(' ').nth(1).unwrap();
            assert_eq!(w.ask(ben, line), [format!(":gzy.local 403 ben {name} :there is no such room")]);
        }
        assert_eq!(w.ask(ben, "PRIVMSG #1000 :嘿"), [":gzy.local 403 ben #1000 :there is no such room"]);
    }

    #[test]
    fn names_that_are_numbers_or_look_like_others_are_refused() {
        let mut w = World::new();
        let (anna, eve) = (w.member("anna"), w.join("eve"));
        w.line(anna, "JOIN #tea");
        w.line(eve, "JOIN #酒");
        w.drain();
        let digits = "that name is a number, which would be a group's id; add a letter";
        let looks = "that name looks like #tea, which is there already; choose another";
        let none = "there is no such group; !groups lists yours, LIST the public ones";
        for (line, code, name, why) in [
            ("JOIN #12", 476, "#12", digits),
            ("JOIN #１０００", 476, "#１０００", digits),
            ("JOIN #5000", 403, "#5000", none),
            ("JOIN 5000", 403, "5000", none),
            ("JOIN #t\u{435}a", 476, "#t\u{435}a", looks),
        ] {
            assert_eq!(w.ask(anna, line), [format!(":gzy.local {code} anna {name} :{why}")], "{line}");
        }
        assert_eq!(w.ask(eve, "JOIN #t\u{435}a"), [format!(":gzy.local 476 eve #t\u{435}a :{looks}")]);
        assert!(w.ask(eve, "JOIN #Iobby")[0].contains(" 476 eve #Iobby :that name looks like #lobby"));
        assert!(w.ask(eve, "JOIN #5000")[0].contains(" 403 "), "nobody opens what would be found by a group's number");
        let bang = |w: &mut World, text: &str| w.ask(anna, &format!("PRIVMSG #lobby :{text}"));
        for (typed, answer) in [
            ("!create 1000", digits),
            ("！创建群*1000", "群名全是数字，会和群号混淆；加一个字"),
            ("!create 酒", "there is a room of that name; choose another, or wait until it is empty"),
            ("！创建群*TEA", "已经有这个名字的房间；换一个名字，或者等它空了再建"),
            ("！创建群*te\u{430}", "这个名字太像已有的 #tea；换一个"),
            ("!create a:b", "that name has : in it, which has a meaning in commands; leave it out"),
            ("!create", "type it like this: !create NAME [private]"),
            ("!create my group", "type it like this: !create NAME [private]"),
        ] {
            assert_eq!(bang(&mut w, typed), [format!(":gzy.local NOTICE #lobby :{answer}")], "{typed}");
        }
        assert_eq!(
            w.ask(eve, "PRIVMSG #lobby :！创建群*水"),
            [":gzy.local NOTICE #lobby :有账号的人才能建群；！注册*名字*密码 可以注册一个"]
        );
        assert_eq!(w.chat.groups.count(), 1);
    }

    #[test]
    fn nobody_owns_or_joins_more_groups_than_one_can_look_after() {
        let mut w = World::new();
        let anna = w.member("anna");
        for n in 0..GROUPS_PER_OWNER {
            w.line(anna, &format!("JOIN #茶{n}"));
        }
        w.drain();
        let full = "you own 20 groups, and that is enough; end one, or give one away";
        assert_eq!(w.ask(anna, "JOIN #酒"), [format!(":gzy.local 405 anna #酒 :{full}")]);
        for n in 0..=GROUPS_PER_ACCOUNT / GROUPS_PER_OWNER {
            let other = w.member(&format!("ben{n}x"));
            for m in 0..GROUPS_PER_OWNER {
                w.line(other, &format!("JOIN #水{n}x{m}"));
                w.line(anna, &format!("JOIN #水{n}x{m}"));
            }
            w.lose(other);
        }
        assert!(w.said_to(anna).iter().any(|line| line.contains(" 405 anna #水5x0 :you are in 100 groups")));
        let mine = &w.chat.accounts.get(AccountId(1000)).unwrap().groups;
        assert_eq!(mine.len(), GROUPS_PER_ACCOUNT);
        assert_eq!(w.session(anna).rooms.len(), GROUPS_PER_ACCOUNT + 1, "and the lobby");
    }

    #[test]
    fn a_number_is_never_given_twice() {
        let mut w = World::new();
        let anna = w.member("anna");
        w.line(anna, "JOIN #茶");
        for _ in 0..2 {
            w.line(anna, "PART #茶");
        }
        assert_eq!(w.chat.groups.count(), 0);
        w.save();
        let mut w = w.restarted();
        let anna = w.member("anna");
        w.line(anna, "JOIN #茶");
        assert_eq!(
            w.chat.room_named("#茶").and_then(|room| room.group.as_ref()).map(|group| group.id),
            Some(GroupId(1001))
        );
    }
}
