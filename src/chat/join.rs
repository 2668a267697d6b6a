//! Coming into a room: who may, who is told, what the newcomer is shown.

use std::rc::Rc;

use crate::store::record::Query;
use crate::wire::caps::Caps;
use crate::wire::event::Event;
use crate::wire::limits::{ROOM_TELLS_EACH, ROOMS, ROOMS_PER_SESSION};
use crate::wire::line::{Line, clip};
use crate::wire::name::RoomName;
use crate::wire::reply::*;

use super::group::{Refused, number_of};
use super::room::Standing;
use super::turn::Turn;
use super::{Asker, Audience, Chat, Effect, Member, Now, Room, RoomId};

impl Turn<'_> {
    /// `JOIN <room>{,<room>} [<key>{,<key>}]`, or `JOIN 0`
    pub(super) fn join(&mut self, line: &Line) {
        let names = line.params()[0];
        if names == "0" {
            return self.part_all();
        }
        let mut keys = line.param(1).unwrap_or("").split(',');
        for name in names.split(',').filter(|name| !name.is_empty()) {
            self.join_named(name, keys.next().unwrap_or(""));
        }
    }

    fn part_all(&mut self) {
        let account = self.session().account_id();
        for id in self.session().rooms.clone() {
            // A slip of the finger ends no memberships.
            let Some(room) = self.chat.rooms.get(&id).filter(|room| !room.keeps(account)) else { continue };
            let name = room.name.clone();
            let event = Rc::new(self.my_event(format_args!("PART {}", name.as_str()), None));
            self.reply_event(&event, "");
            self.leave_room(id, &event);
        }
    }

    fn join_named(&mut self, text: &str, key: &str) {
        let known = self.chat.room_meant(self.me, text).map(|room| (room.id, room.name.clone()));
        let (known, name) = match known {
            Some((id, name)) => (Some(id), name),
            None => match RoomName::parse(text) {
                Ok(name) => (None, name),
                Err(_) if number_of(text).is_some() => return self.refuse_group(&Refused::NoGroup, &[clip_word(text)]),
                Err(why) => return self.numeric(ERR_BADCHANMASK, &[clip_word(text)], &why.to_string()),
            },
        };
        if known.is_some_and(|id| self.session().rooms.contains(&id)) {
            return;
        }
        if self.session().rooms.len() >= ROOMS_PER_SESSION {
            let sentence = "you are in as many rooms as one can be; leave one first";
            return self.numeric(ERR_TOOMANYCHANNELS, &[name.as_str()], sentence);
        }
        match known {
            None => self.join_new(name),
            Some(id) if self.may_enter(id, key) => self.come_into(id),
            Some(_) => {}
        }
    }

    /// Opens a room that ends with its last member, and comes into it.
    pub(super) fn open_and_enter(&mut self, name: RoomName) {
        if self.chat.rooms.len() - self.chat.groups.count() >= ROOMS {
            return self.numeric(ERR_TOOMANYCHANNELS, &[name.as_str()], "there are too many rooms on this server");
        }
        let id = self.chat.open_room(name, false, self.now, self.effects);
        self.enter(id, Standing::OPERATOR);
    }

    /// Whether this session may come in; says why not. An invitation stands for the key and opens `i`. It opens no full room, and it
    /// lifts no ban: in an open room every member may invite, but only its operators decide about bans.
    fn may_enter(&mut self, id: RoomId, key: &str) -> bool {
        let Some(room) = self.chat.rooms.get(&id) else { return false };
        if let Some(why) = self.bars_joining(id) {
            let name = room.name.clone();
            self.refuse_group(&why, &[name.as_str()]);
            return false;
        }
        let me = self.session();
        if me.operator {
            return true;
        }
        let invited = me.invited().contains(&id) || room.awaits(me.account_id());
        let refusal = if room.ban_on(me, false).is_some() {
            Some((ERR_BANNEDFROMCHAN, "you are banned from that room"))
        } else if room.flags.invite_only && !invited && !room.invites(me) {
            Some((ERR_INVITEONLYCHAN, "that room is by invitation only; ask somebody in it"))
        } else if !invited && room.password.as_deref().is_some_and(|password| password != key) {
            Some((ERR_BADCHANNELKEY, "that room needs its key: JOIN <room> <key>"))
        } else if room.limit.is_some_and(|limit| room.people().max(room.size()) >= limit as usize) {
            Some((ERR_CHANNELISFULL, "that room is full; try again when somebody has left"))
        } else {
            None
        };
        let name = room.name.clone();
        if let Some((code, sentence)) = refusal {
            self.numeric(code, &[name.as_str()], sentence);
        }
        refusal.is_none()
    }

    /// Comes into a room that is open to this session.
    pub(super) fn enter(&mut self, id: RoomId, standing: Standing) {
        let (me, now) = (self.me, self.now);
        let session = self.session_mut();
        session.rooms.push(id);
        if !session.invited().is_empty() {
            session.invited_mut().retain(|room| *room != id);
        }
        let others = self.chat.other_devices(me);
        let Some(room) = self.chat.rooms.get_mut(&id) else { return };
        let further = others.iter().any(|device| room.standing(*device).is_some());
        room.admit(Member { conn: me, standing, further });
        let (name, tells_each) = (room.name.clone(), room.tells_each());
        if further {
            return self.show_entered(id, true);
        }
        if tells_each {
            self.tell_joined(id, &name);
        } else {
            room.untold.joined += 1;
            self.chat.tell_count_later(id, now);
        }
        self.show_entered(id, !tells_each);
        self.bring_others(id, standing, !tells_each);
    }

    /// Shows this session a room that it is in: who is there, and what was said. Whoever heard of its coming with all others is not told again.
    pub(super) fn show_entered(&mut self, id: RoomId, with_join: bool) {
        let Some(name) = self.chat.rooms.get(&id).map(|room| room.name.clone()) else { return };
        if with_join {
            let own = self.joined_event(&name, self.session().caps.has(Caps::EXTENDED_JOIN));
            self.reply_event(&own, "");
        }
        self.show_marker_of(id);
        self.show_room(id);
        self.replay(id);
    }

    fn joined_event(&self, name: &RoomName, extended: bool) -> Event {
        let me = self.session();
        if extended {
            let account = me.account_name().unwrap_or("*");
            self.my_event(format_args!("JOIN {} {account}", name.as_str()), Some(&me.realname))
        } else {
            self.my_event(format_args!("JOIN {}", name.as_str()), None)
        }
    }

    fn tell_joined(&mut self, id: RoomId, name: &RoomName) {
        let plain = Rc::new(self.joined_event(name, false));
        let extended = Rc::new(self.joined_event(name, true));
        let own = if self.session().caps.has(Caps::EXTENDED_JOIN) { extended.clone() } else { plain.clone() };
        self.reply_event(&own, "");
        self.tell_others_in(id, Audience::without(Caps::EXTENDED_JOIN), &plain);
        self.tell_others_in(id, Audience::with(Caps::EXTENDED_JOIN), &extended);
        if let Some(reason) = self.session().away.clone() {
            let away = Rc::new(self.my_event(format_args!("AWAY"), Some(&reason)));
            self.tell_others_in(id, Audience::with(Caps::AWAY_NOTIFY), &away);
        }
        if let Some(room) = self.chat.rooms.get(&id).filter(|room| room.is_lobby) {
            let here = room.people();
            let nick = self.session().nick.as_str();
            let text = format!("欢迎 {nick} 加入大厅，现在 {here} 人 · Welcome {nick}, {here} here");
            let event = self.chat.room_notice(id, &text, self.now);
            self.tell_others_in(id, Audience::ALL, &event);
            self.reply_event(&event, "");
        }
    }

    /// Topic and names, as JOIN shows them.
    fn show_room(&mut self, id: RoomId) {
        let Some(room) = self.chat.rooms.get(&id) else { return };
        let (has_topic, is_small) = (room.topic.is_some(), room.members.len().max(room.size()) <= ROOM_TELLS_EACH);
        if has_topic {
            self.show_topic(id);
        }
        if self.session().caps.has(Caps::NO_IMPLICIT_NAMES) {
            return;
        }
        if is_small {
            return self.show_names(id);
        }
        // N newcomers with N names each would be N² names; NAMES still lists everybody.
        let Some(room) = self.chat.rooms.get(&id) else { return };
        let (name, here, symbol) = (room.name.clone(), room.people(), room.names_symbol());
        let (is_group, all) = (room.group.is_some(), room.size());
        let prefix = room.standing(self.me).unwrap_or_default().prefixes(self.session().caps.has(Caps::MULTI_PREFIX));
        let own = format!("{prefix}{}", self.session().nick.as_str());
        self.numeric(RPL_NAMREPLY, &[symbol, name.as_str()], &own);
        let here = if is_group { format!("{here} of {all}") } else { here.to_string() };
        self.numeric(RPL_ENDOFNAMES, &[name.as_str()], &format!("{here} are here; NAMES lists them all"));
    }
}

impl Room {
    /// Whether somebody is on the invitation list.
    fn invites(&self, session: &super::Session) -> bool {
        let source = crate::wire::name::fold(session.source());
        self.invitations.iter().any(|listed| listed.mask.matches(&source))
    }
}

impl Chat {
    /// Opens a room without members and asks the store for what was last said under its name.
    pub(super) fn open_room(&mut self, name: RoomName, is_lobby: bool, now: Now, effects: &mut Vec<Effect>) -> RoomId {
        self.last_room += 1;
        let id = RoomId(self.last_room);
        let instance = self.next_id(now).0;
        let mut room = Room::new(id, name, is_lobby, now.wall_ms, instance);
        room.recent_loaded = self.settings.replay == 0;
        self.rooms_by_name.insert(room.key(), id);
        self.rooms.insert(id, room);
        self.ask_for_recent(id, effects);
        id
    }

    /// Asks the store once for what was last said in a room, where somebody is to be shown that.
    pub(super) fn ask_for_recent(&mut self, id: RoomId, effects: &mut Vec<Effect>) {
        let limit = self.settings.replay;
        let Some(room) = self.rooms.get_mut(&id).filter(|room| !room.recent_loaded && !room.recent_asked) else {
            return;
        };
        room.recent_asked = true;
        let query = Query::Before { place: room.whole_place(), before: None, limit };
        effects.push(Effect::Ask { token: self.next_token(Asker::Room(id)), query });
    }
}

/// What is looked at of a stranger's word: no name is longer.
pub(super) const WORD_BYTES: usize = crate::wire::name::NAME_BYTES;

/// A stranger's word as a parameter of a refusal: short, and never empty.
pub(super) fn clip_word(text: &str) -> &str {
    let word = clip(text, WORD_BYTES);
    if word.is_empty() || word.starts_with(':') || word.contains(' ') { "*" } else { word }
}

#[cfg(test)]
mod tests {
    use super::super::testing::World;
    use crate::wire::limits::ROOMS_PER_SESSION;

    #[test]
    fn everybody_hears_of_a_newcomer_in_the_form_they_asked_for() {
        let mut w = World::new();
        let anna = w.join("anna");
        let ben = w.join_with_caps("ben", "extended-join away-notify");
        let 小阳 = w.join("小阳");
        w.line(anna, "JOIN #茶");
        w.line(ben, "JOIN #茶");
        w.drain();
        w.log_in(小阳, "小阳");
        w.drain();
        w.set_away(小阳, "吃饭");
        let s = w.source(小阳);
        assert_eq!(
            w.ask(小阳, "JOIN #茶"),
            [
                format!(":{s} JOIN #茶"),
                ":gzy.local 353 小阳 = #茶 :@anna ben 小阳".into(),
                ":gzy.local 366 小阳 #茶 :End of /NAMES list".into(),
            ]
        );
        assert_eq!(w.said_to(anna), [format!(":{s} JOIN #茶")]);
        assert_eq!(w.said_to(ben), [format!(":{s} JOIN #茶 小阳 :小阳"), format!(":{s} AWAY :吃饭")]);
        assert_eq!(w.ask(小阳, "JOIN #茶"), [""; 0], "who is in already just stays");
        assert_eq!(w.said_to(anna), [""; 0]);
    }

    #[test]
    fn each_device_of_a_person_is_told_once_that_they_came_and_went() {
        let mut w = World::new();
        let [phone, laptop] = ["phone", "laptop"].map(|nick| {
            let conn = w.join(nick);
            w.log_in(conn, "anna");
            conn
        });
        w.join("ben");
        for (line, told) in [("PART #lobby", " PART #lobby"), ("JOIN #lobby", " JOIN #lobby")] {
            w.line(phone, line);
            for conn in [phone, laptop] {
                let lines = w.said_to(conn);
                assert_eq!(lines.iter().filter(|line| line.contains(told)).count(), 1, "{lines:?}");
            }
        }
    }

    #[test]
    fn the_lobby_greets_a_newcomer_with_the_number_of_people() {
        let mut w = World::new();
        let anna = w.join("anna");
        let 小阳 = w.connect();
        w.line(小阳, "NICK 小阳");
        w.line(小阳, "USER yang 0 * :小阳");
        let greeting = ":gzy.local NOTICE #lobby :欢迎 小阳 加入大厅，现在 2 人 · Welcome 小阳, 2 here".to_owned();
        let s = w.source(小阳);
        assert_eq!(w.said_to(anna), [format!(":{s} JOIN #lobby"), greeting.clone()]);
        let lines = w.said_to(小阳);
        assert_eq!(
            lines[lines.len() - 4..],
            [
                format!(":{s} JOIN #lobby"),
                greeting,
                ":gzy.local 353 小阳 = #lobby :anna 小阳".into(),
                ":gzy.local 366 小阳 #lobby :End of /NAMES list".into(),
            ]
        );
    }

    #[test]
    fn a_client_that_wants_no_names_gets_none() {
        let mut w = World::new();
        let anna = w.join_with_caps("anna", "draft/no-implicit-names");
        assert_eq!(w.ask(anna, "JOIN #茶"), [format!(":{} JOIN #茶", w.source(anna))]);
    }

    #[test]
    fn closed_doors_say_why_and_what_opens_them() {
        let mut w = World::new();
        let anna = w.join("anna");
        let ben = w.join("ben");
        w.line(anna, "JOIN #茶");
        w.line(anna, "MODE #茶 +iklb 龙井 1 ben");
        for (door, answer) in [
            ("-b ben", "474 ben #茶 :you are banned from that room"),
            ("-i", "473 ben #茶 :that room is by invitation only; ask somebody in it"),
            ("-k x", "475 ben #茶 :that room needs its key: JOIN <room> <key>"),
            ("-l", "471 ben #茶 :that room is full; try again when somebody has left"),
        ] {
            assert_eq!(w.ask(ben, "JOIN #茶"), [format!(":gzy.local {answer}")]);
            w.line(anna, &format!("MODE #茶 {door}"));
        }
        assert_eq!(w.ask(ben, "JOIN #茶")[0], format!(":{} JOIN #茶", w.source(ben)));
    }

    #[test]
    fn keys_go_with_their_rooms_and_standing_invitations_need_no_more() {
        let mut w = World::new();
        let anna = w.join("anna");
        let 小阳 = w.join("小阳");
        w.line(anna, "JOIN #茶,#酒,#水");
        w.line(anna, "MODE #茶 +k 龙井");
        w.line(anna, "MODE #酒 +k 茅台");
        w.line(anna, "MODE #水 +iI 小阳!*@*");
        let joined = w.ask(小阳, "JOIN #茶,#水,#酒 龙井,,错");
        let s = w.source(小阳);
        assert!(joined.contains(&format!(":{s} JOIN #茶")) && joined.contains(&format!(":{s} JOIN #水")), "{joined:?}");
        assert_eq!(joined.last().unwrap(), ":gzy.local 475 小阳 #酒 :that room needs its key: JOIN <room> <key>");
    }

    #[test]
    fn an_invitation_stands_for_the_key_but_lifts_no_ban_and_makes_no_room() {
        let mut w = World::new();
        let anna = w.join("anna");
        let [ben, 小阳, eve] = ["ben", "小阳", "eve"].map(|nick| w.join(nick));
        w.line(anna, "JOIN #茶");
        w.line(anna, "MODE #茶 +iklb 龙井 2 eve");
        for nick in ["ben", "小阳", "eve"] {
            w.line(anna, &format!("INVITE {nick} #茶"));
        }
        w.drain();
        assert_eq!(w.ask(ben, "JOIN #茶")[0], format!(":{} JOIN #茶", w.source(ben)));
        assert_eq!(
            w.ask(小阳, "JOIN #茶"),
            [":gzy.local 471 小阳 #茶 :that room is full; try again when somebody has left"]
        );
        assert_eq!(w.ask(eve, "JOIN #茶"), [":gzy.local 474 eve #茶 :you are banned from that room"]);
        w.make_operator(eve);
        assert_eq!(w.ask(eve, "JOIN #茶")[0], format!(":{} JOIN #茶", w.source(eve)), "a server operator comes in");
    }

    #[test]
    fn bad_names_and_too_many_rooms_are_refused_and_zero_leaves_all() {
        let mut w = World::new();
        let anna = w.join("anna");
        assert_eq!(
            w.ask(anna, "JOIN 茶,#a:b"),
            [
                ":gzy.local 476 anna 茶 :that is no room, because rooms start with #; put a # in front of the name",
                ":gzy.local 476 anna #a:b :that name has : in it, which has a meaning in commands; leave it out",
            ]
        );
        let names: Vec<String> = (1..ROOMS_PER_SESSION).map(|n| format!("#茶{n}")).collect();
        w.line(anna, &format!("JOIN {}", names.join(",")));
        w.drain();
        let full = "you are in as many rooms as one can be; leave one first";
        assert_eq!(w.ask(anna, "JOIN #酒"), [format!(":gzy.local 405 anna #酒 :{full}")]);
        assert_eq!(w.ask(anna, "JOIN #茶1"), [""; 0], "she is in that one");
        let left = w.ask(anna, "JOIN 0");
        assert_eq!(left.len(), ROOMS_PER_SESSION);
        assert_eq!(left[1], format!(":{} PART #茶1", w.source(anna)));
        assert_eq!((w.session(anna).rooms.len(), w.chat.room_count()), (0, 1));
    }

    #[test]
    fn a_room_has_one_name_in_all_spellings_and_shows_the_founders() {
        let mut w = World::new();
        let anna = w.join("anna");
        let ben = w.join("ben");
        w.line(anna, "JOIN #Tee");
        assert_eq!(w.ask(ben, "JOIN #TEE")[0], format!(":{} JOIN #Tee", w.source(ben)));
        assert_eq!(w.chat.room_count(), 2);
    }
}
