//! `!create`, `!join`, `!invite`, `!leave` and what else groups need: IRC commands in words, and the list of one's groups.

use crate::store::record::{AccountId, Found, Query};
use crate::wire::limits::UNREAD_COUNTED;
use crate::wire::name::RoomName;

use super::super::group::Refused;
use super::super::room::Standing;
use super::super::turn::Turn;
use super::super::{Room, RoomId};
use super::parse::{Rest, number};
use super::show::About;
use super::words::{Command, Tongue};
use super::{phrase, refusal, shown};

impl Turn<'_> {
    /// `!create NAME [private|public]`
    pub(super) fn bang_create(&mut self, mut rest: Rest) {
        let tongue = self.tongue();
        let Some(name) = rest.word() else { return self.refuse_usage(Command::Create) };
        let is_private = match rest.name().to_lowercase().as_str() {
            "" | "public" | "公开" => false,
            "private" | "私密" => true,
            _ => return self.refuse_usage(Command::Create),
        };
        let name = match RoomName::parse(&with_hash(name)) {
            Ok(name) => name,
            Err(why) => return self.refuse(&refusal::of_name(tongue, why)),
        };
        let shown = name.as_str().to_owned();
        let Some(id) = self.make_group(name, is_private).map(|id| id.0) else { return };
        self.answer(&phrase!(
            tongue,
            "群 {shown} 建好了，群号 {id}；！邀请*谁*{id} 叫人来",
            "the group {shown} is made, its id is {id}; !invite WHO {id} asks people in"
        ));
    }

    /// `!join ID-or-NAME [KEY]`. It makes no group: who mistypes a name is told.
    pub(super) fn bang_join(&mut self, mut rest: Rest) {
        let tongue = self.tongue();
        let Some(text) = rest.word() else { return self.refuse_usage(Command::Join) };
        let Some(id) = self.room_typed(text) else {
            let is_number = text.chars().all(char::is_numeric);
            let text = shown(text);
            if is_number {
                // No group can be called that, so there is nothing to make.
                return self.refuse(&phrase!(tongue, "没有群号是 {text} 的群", "there is no group with the id {text}"));
            }
            return self.refuse(&phrase!(
                tongue,
                "没有 {text} 这个群；！创建群*{text} 可以建一个",
                "there is no group {text}; !create {text} makes one"
            ));
        };
        let name = self.name_of(id);
        if self.session().rooms.contains(&id) {
            return self.refuse(&phrase!(tongue, "你已经在 {name} 里了", "you are in {name} already"));
        }
        if self.attempt(&format!("JOIN {name} {}", rest.name()), Self::join) {
            let is_member = self.chat.rooms.get(&id).is_some_and(|room| room.keeps(self.session().account_id()));
            let text = match is_member {
                true => phrase!(tongue, "你是 {name} 的成员了", "you are a member of {name} from here on"),
                false => phrase!(
                    tongue,
                    "你在 {name} 里了，断开就算离开",
                    "you are in {name}, until you leave or your link ends"
                ),
            };
            self.answer(&text);
        }
    }

    /// `!invite WHO [GROUP]`
    pub(super) fn bang_invite(&mut self, mut rest: Rest) {
        let tongue = self.tongue();
        let Some(who) = rest.word() else { return self.refuse_usage(Command::Invite) };
        let Some(person) = self.person(who) else { return self.refuse_nobody(who) };
        let Some(id) = self.group_or_here(rest.name()) else { return };
        let (name, nick) = (self.name_of(id), person.nick);
        if self.attempt(&format!("INVITE {nick} {name}"), Self::invite) {
            self.answer(&phrase!(tongue, "已经邀请 {nick} 加入 {name}", "{nick} is invited to {name}"));
        }
    }

    /// `!decline GROUP`
    pub(super) fn bang_decline(&mut self, rest: Rest) {
        let tongue = self.tongue();
        let Some(id) = self.group_typed(rest.name(), Command::Decline) else { return };
        let name = self.name_of(id);
        if self.decline(id) {
            self.answer(&phrase!(tongue, "已经谢绝 {name} 的邀请", "you declined the invitation to {name}"));
        }
    }

    /// `!leave [GROUP]`
    pub(super) fn bang_leave(&mut self, rest: Rest) {
        let tongue = self.tongue();
        let Some(id) = self.group_or_here(rest.name()) else { return };
        if self.chat.rooms.get(&id).is_some_and(|room| room.group.is_none()) {
            return self.refuse_usage(Command::Leave);
        }
        let name = self.name_of(id);
        if self.attempt(&format!("PART {name}"), Self::part) {
            self.answer(&phrase!(tongue, "你退出了 {name}", "you are no member of {name} any more"));
        }
    }

    /// `!delete GROUP`
    pub(super) fn bang_delete(&mut self, rest: Rest) {
        let tongue = self.tongue();
        let Some(id) = self.group_typed(rest.name(), Command::Delete) else { return };
        let name = self.name_of(id);
        self.ask_or_end(id, number(rest.name()).is_some());
        if !self.chat.rooms.contains_key(&id) {
            self.answer(&phrase!(tongue, "{name} 解散了", "{name} is no more"));
        }
    }

    /// `!op WHO`, `!deop WHO`, `!owner WHO`
    pub(super) fn bang_appoint(&mut self, command: Command, mut rest: Rest) {
        let tongue = self.tongue();
        let Some(room) = self.here() else { return };
        let Some(who) = rest.word() else { return self.refuse_usage(command) };
        let Some(person) = self.person(who) else { return self.refuse_nobody(who) };
        let (change, which, on) = match command {
            Command::Owner => ("+q", Standing::OWNER, true),
            Command::Deop => ("-o", Standing::OPERATOR, false),
            _ => ("+o", Standing::OPERATOR, true),
        };
        let (name, nick) = (self.name_of(room), person.nick);
        let occupant = self.chat.occupant(room, &nick);
        if occupant.is_some_and(|occupant| self.chat.standing_of(room, &occupant).has(which) == on) {
            return self.refuse(&phrase!(tongue, "{nick} 本来就是这样", "that is what {nick} is already"));
        }
        self.attempt(&format!("MODE {name} {change} {nick}"), Self::mode);
    }

    /// `!groups`: asks how much is unread first.
    pub(super) fn bang_groups(&mut self) {
        let tongue = self.tongue();
        let Some(account) = self.session().account_id() else {
            return self.refuse(&phrase!(
                tongue,
                "有账号的人才有群；！注册*名字*密码 可以注册一个",
                "only people with an account have groups; !register NAME PASSWORD makes one"
            ));
        };
        let groups = self.chat.accounts.get(account).map_or_else(Vec::new, |account| account.groups.clone());
        let mine = groups.iter().filter_map(|id| self.chat.rooms.get(id));
        let places = mine.map(|room| room.place(self.session())).collect();
        self.ask_store(Query::Unread { account, places, limit: UNREAD_COUNTED }, About::Groups { account, groups });
    }

    /// Lists groups with how much is unread in them, and invitations.
    pub(super) fn show_groups(&mut self, account: AccountId, groups: &[RoomId], found: Found) {
        let tongue = self.tongue();
        let unread = if let Found::Unread(unread) = found { unread } else { Vec::new() };
        let rooms = groups.iter().filter_map(|id| self.chat.rooms.get(id));
        let lines: Vec<String> = rooms
            .filter_map(|room| {
                let target = room.target();
                let count = unread.iter().find(|(other, ..)| *other == target).map(|(.., count)| *count);
                self.line_of_group(room, account, count)
            })
            .collect();
        if lines.is_empty() {
            self.answer(&phrase!(
                tongue,
                "你还没有群；！创建群*名字 建一个",
                "you are in no group yet; !create NAME makes one"
            ));
        }
        lines.iter().for_each(|line| self.answer(line));
        self.show_invitations_in_words(account);
    }

    fn line_of_group(&self, room: &Room, account: AccountId, unread: Option<usize>) -> Option<String> {
        let tongue = self.tongue();
        let (id, standing) = (room.group.as_ref()?.id.0, room.seat(Some(account))?.standing);
        let (name, all) = (room.name.as_str(), room.size());
        let here = all - self.chat.away_in(room).count();
        let role = match (standing.rank(), tongue) {
            (2, Tongue::Chinese) => "群主",
            (1, Tongue::Chinese) => "管理员",
            (_, Tongue::Chinese) => "成员",
            (2, Tongue::English) => "owner",
            (1, Tongue::English) => "operator",
            (_, Tongue::English) => "member",
        };
        let mut line =
            phrase!(tongue, "{id} {name}：{here}/{all} 人在，{role}", "{id} {name}: {here} of {all} here, {role}");
        if room.is_closed() {
            line += &phrase!(tongue, "，私密", ", private");
        }
        match unread {
            None | Some(0) => {}
            Some(UNREAD_COUNTED..) => line += &phrase!(tongue, "，未读 99+", ", 99+ unread"),
            Some(count) => line += &phrase!(tongue, "，未读 {count}", ", {count} unread"),
        }
        Some(line)
    }

    fn show_invitations_in_words(&mut self, account: AccountId) {
        let tongue = self.tongue();
        let rooms = self.chat.accounts.get(account).map_or(&[][..], |account| &account.invited);
        let invited = rooms.iter().filter_map(|id| self.chat.rooms.get(id)).filter_map(|room| {
            let group = room.group.as_ref()?;
            let by = &group.invited.iter().find(|invited| invited.account == account)?.by;
            let (id, name) = (group.id.0, room.name.as_str());
            Some(phrase!(
                tongue,
                "{by} 邀请你加入 {name}：！加群*{id} 加入，！拒绝*{id} 谢绝",
                "{by} invites you to {name}: !join {id} accepts, !decline {id} declines"
            ))
        });
        let lines: Vec<String> = invited.collect();
        lines.iter().for_each(|line| self.answer(line));
    }

    // Which group.

    /// The room that somebody means by its name, with or without `#`, or by its number in any width.
    fn room_typed(&self, text: &str) -> Option<RoomId> {
        let by_number = number(text.trim_start_matches('#')).map(|number| number.to_string());
        let by_number = by_number.and_then(|number| self.chat.room_meant(self.me, &number));
        let by_name = || self.chat.room_meant(self.me, text).filter(|_| text.starts_with('#'));
        by_number.or_else(by_name).or_else(|| self.chat.room_meant(self.me, &with_hash(text))).map(|room| room.id)
    }

    /// The group that was typed; says so when there is none, or nothing was typed.
    fn group_typed(&mut self, text: &str, command: Command) -> Option<RoomId> {
        if text.is_empty() {
            self.refuse_usage(command);
            return None;
        }
        let id = self.room_typed(text).filter(|id| self.may_know(*id));
        let is_group = id.and_then(|id| self.chat.rooms.get(&id)).map(|room| room.group.is_some());
        match is_group {
            None => self.refuse_group(&Refused::NoGroup, &[]),
            Some(false) => self.refuse_group(&Refused::NotAGroup, &[]),
            Some(true) => return id,
        }
        None
    }

    /// The group that was typed, or else the room where it was typed.
    fn group_or_here(&mut self, text: &str) -> Option<RoomId> {
        if text.is_empty() { self.here() } else { self.group_typed(text, Command::Leave) }
    }

    /// Whether the asker may know of a room: a secret one is no room to strangers.
    fn may_know(&self, id: RoomId) -> bool {
        let me = self.session();
        self.chat.rooms.get(&id).is_some_and(|room| room.is_shown_to(me) || room.awaits(me.account_id()))
    }
}

/// A room's name as it was typed, with its `#`.
fn with_hash(text: &str) -> String {
    if text.starts_with('#') { text.to_owned() } else { format!("#{text}") }
}

#[cfg(test)]
mod tests {
    use super::super::super::ConnId;
    use super::super::super::testing::World;

    fn asked(w: &mut World, who: ConnId, text: &str) -> Vec<String> {
        let lines = w.ask(who, &format!("PRIVMSG #lobby :{text}"));
        lines.iter().map(|line| line.strip_prefix(":gzy.local NOTICE #lobby :").unwrap_or(line).to_owned()).collect()
    }

    #[test]
    fn groups_are_listed_with_people_role_and_what_is_unread() {
        let mut w = World::new();
        let [anna, ben] = ["anna", "ben"].map(|name| w.member(name));
        assert_eq!(asked(&mut w, anna, "!groups"), ["you are in no group yet; !create NAME makes one"]);
        assert_eq!(asked(&mut w, anna, "！群列表"), ["你还没有群；！创建群*名字 建一个"]);
        w.line(anna, "JOIN #茶");
        asked(&mut w, ben, "!create wine private");
        w.line(ben, "JOIN #茶");
        w.line(ben, "INVITE anna #wine");
        w.pass_ms(5000);
        for _ in 0..3 {
            w.line(anna, "PRIVMSG #茶 :在吗");
        }
        w.line(ben, "PRIVMSG #茶 :在");
        w.drain();
        assert_eq!(
            asked(&mut w, anna, "！群列表"),
            ["1000 #茶：2/2 人在，群主，未读 1", "ben 邀请你加入 #wine：！加群*1001 加入，！拒绝*1001 谢绝"]
        );
        w.line(anna, "JOIN #1001");
        w.line(ben, "MODE #wine +o anna");
        for _ in 0..120 {
            w.line(anna, "PRIVMSG #wine :干杯");
        }
        w.lose(anna);
        w.drain();
        assert_eq!(
            asked(&mut w, ben, "!groups"),
            ["1001 #wine: 1 of 2 here, owner, private, 99+ unread", "1000 #茶: 1 of 2 here, member, 3 unread"]
        );
        let eve = w.join("eve");
        assert_eq!(
            asked(&mut w, eve, "!groups"),
            ["only people with an account have groups; !register NAME PASSWORD makes one"]
        );
    }

    #[test]
    fn groups_are_listed_also_when_the_store_cannot_say_what_is_unread() {
        let mut w = World::new();
        let anna = w.member("anna");
        w.line(anna, "JOIN #茶");
        w.asks_by_hand = true;
        w.drain();
        w.line(anna, "PRIVMSG #lobby :!groups");
        w.answer(crate::store::record::Found::Failed("disk".into()));
        assert_eq!(w.said_to(anna), [":gzy.local NOTICE #lobby :1000 #茶: 1 of 1 here, owner"]);
    }

    #[test]
    fn a_group_is_joined_by_number_or_name_and_a_mistyped_name_makes_none() {
        let mut w = World::new();
        let [anna, ben] = ["anna", "ben"].map(|name| w.member(name));
        let eve = w.join("eve");
        w.line(anna, "JOIN #茶");
        w.line(anna, "MODE #茶 +k 龙井");
        assert_eq!(asked(&mut w, ben, "!join tee"), ["there is no group tee; !create tee makes one"]);
        assert_eq!(asked(&mut w, ben, "！加群*4711"), ["没有群号是 4711 的群"]);
        assert_eq!(asked(&mut w, ben, "！加群*酒"), ["没有 酒 这个群；！创建群*酒 可以建一个"]);
        assert_eq!(asked(&mut w, ben, "!join"), ["type it like this: !join ID-or-NAME"]);
        assert_eq!(asked(&mut w, ben, "!join １０００"), ["#茶 has a key: !join #茶 KEY"]);
        assert_eq!(asked(&mut w, ben, "！加群*1000*错"), ["#茶 有暗号：！加群*#茶*暗号"]);
        assert_eq!(asked(&mut w, ben, "！加群*１０００*龙井").last().unwrap(), "你是 #茶 的成员了");
        assert_eq!(asked(&mut w, ben, "!join #茶"), ["you are in #茶 already"]);
        w.line(anna, "MODE #茶 -k x");
        w.drain();
        assert_eq!(asked(&mut w, eve, "!join 茶").last().unwrap(), "you are in #茶, until you leave or your link ends");
        assert_eq!(asked(&mut w, eve, "!leave 1000").last().unwrap(), "you are no member of #茶 any more");
        assert_eq!(w.chat.groups.count(), 1);
    }

    #[test]
    fn who_asks_in_a_group_need_not_name_it() {
        let mut w = World::new();
        let [anna, ben] = ["anna", "ben"].map(|name| w.member(name));
        w.line(anna, "JOIN #茶");
        w.line(ben, "JOIN #茶");
        w.drain();
        let b = w.source(ben);
        assert_eq!(
            w.ask(ben, "PRIVMSG #1000 :！退群"),
            [format!(":{b} PART #茶"), ":gzy.local NOTICE ben :你退出了 #茶".to_owned()]
        );
        assert_eq!(asked(&mut w, ben, "!leave"), ["type it like this: !leave [GROUP]"], "the lobby is no group");
    }
}
