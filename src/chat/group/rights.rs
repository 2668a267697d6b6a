//! Who may do what in a group: whom a name means there, ranks, offices, the owner.

use std::rc::Rc;

use crate::store::record::AccountId;
use crate::wire::event::Event;
use crate::wire::name::Nick;
use crate::wire::reply::*;

use super::super::join::clip_word;
use super::super::room::Standing;
use super::super::turn::Turn;
use super::super::{Audience, Chat, ConnId, Effect, Now, RoomId, SERVER_NAME};
use super::Refused;

/// Somebody in a room, or a member of a group who is away.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Occupant {
    /// What they are called.
    pub nick: Nick,
    /// The lead of their connections, when they are here.
    pub conn: Option<ConnId>,
    /// The member's account; nobody else has one here.
    pub account: Option<AccountId>,
}

impl Chat {
    /// The one in a room who is meant by a name or an account's number.
    pub(in crate::chat) fn occupant(&self, id: RoomId, text: &str) -> Option<Occupant> {
        let room = self.rooms.get(&id)?;
        let member = self.accounts.meant(text).filter(|account| room.seat(Some(*account)).is_some());
        if let Some(account) = member {
            let entry = self.accounts.get(account)?;
            let (nick, conn) = (entry.name.clone(), entry.devices.first().copied());
            return Some(Occupant { nick, conn, account: Some(account) });
        }
        let session = self.session_named(text).filter(|session| room.standing(session.conn).is_some())?;
        Some(Occupant { nick: session.nick.clone(), conn: Some(session.conn), account: None })
    }

    /// With which rights somebody is in a room.
    pub(in crate::chat) fn standing_of(&self, id: RoomId, who: &Occupant) -> Standing {
        let Some(room) = self.rooms.get(&id) else { return Standing::PLAIN };
        let seat = room.seat(who.account).map(|seat| seat.standing);
        seat.or_else(|| room.standing(who.conn?)).unwrap_or_default()
    }

    /// Adds to or takes from what a member may do, on all devices.
    pub(super) fn set_standing(&mut self, id: RoomId, account: AccountId, which: Standing, on: bool) {
        let devices = self.accounts.devices(account);
        let Some(room) = self.rooms.get_mut(&id) else { return };
        for device in devices {
            room.member_mut(*device).into_iter().for_each(|member| member.standing.set(which, on));
        }
        let Some(group) = &mut room.group else { return };
        if let Ok(at) = group.find(account) {
            group.seats[at].standing.set(which, on);
        }
    }

    /// Gives a group to one of its members, and keeps that. Who had it before keeps the other rights.
    pub(super) fn crown(&mut self, id: RoomId, heir: AccountId, now: Now, effects: &mut Vec<Effect>) {
        let Some(group) = self.rooms.get_mut(&id).and_then(|room| room.group.as_mut()) else { return };
        let old = std::mem::replace(&mut group.owner, heir);
        let stays = group.seat(old).is_some();
        self.set_standing(id, old, Standing::OWNER, false);
        self.set_standing(id, heir, Standing::OWNER, true);
        self.record_shape(id, now, effects);
        for account in [Some(old).filter(|_| stays), Some(heir)].into_iter().flatten() {
            self.record_seat(id, account, now, effects);
        }
    }

    /// After its owner has gone a group is somebody else's; after its last member has gone it ends.
    pub(super) fn settle_owner(&mut self, id: RoomId, now: Now, effects: &mut Vec<Effect>) {
        let Some(room) = self.rooms.get(&id) else { return };
        let Some(group) = &room.group else { return };
        if group.seat(group.owner).is_some() {
            return;
        }
        let (name, number) = (room.name.as_str().to_owned(), group.id.0);
        let Some(heir) = group.heir() else { return self.end_group(id, now, effects) };
        self.crown(id, heir, now, effects);
        let nick = self.accounts.get(heir).map_or("*", |account| account.name.as_str()).to_owned();
        let mode = Event::plain(now.wall_ms, format!(":{SERVER_NAME} MODE {name} +q {nick}"), None);
        let said = format!("{nick} 现在是群主 · {nick} owns this group from here on");
        for event in [Rc::new(mode), self.room_notice(id, &said, now)] {
            effects.push(Effect::ToRoom { room: id, except: None, only: Audience::ALL, event });
        }
        effects.push(Effect::Log { conn: None, text: format!("the group {name} ({number}) is {nick}'s") });
    }
}

impl Turn<'_> {
    /// The one in a room who is meant, here or away; else this session is told whether there is nobody of that name or they are not in the room.
    pub(in crate::chat) fn occupant_named(&mut self, id: RoomId, text: &str) -> Option<Occupant> {
        let found = self.chat.occupant(id, text);
        if found.is_none() {
            let account = self.chat.accounts.meant(text).and_then(|id| self.chat.accounts.get(id));
            let known = account.map(|account| account.name.clone());
            let known = known.or_else(|| self.chat.session_named(text).map(|session| session.nick.clone()));
            let room = self.chat.rooms.get(&id).map(|room| room.name.clone())?;
            match known {
                Some(nick) => {
                    let params = [nick.as_str(), room.as_str()];
                    self.numeric(ERR_USERNOTINCHANNEL, &params, "they are not in that room");
                }
                None => self.numeric(ERR_NOSUCHNICK, &[clip_word(text)], "nobody of that name is here"),
            }
        }
        found
    }

    /// Whether this session may decide about a group's offices and its end; else it is told who may.
    pub(in crate::chat) fn must_own(&mut self, id: RoomId) -> bool {
        let Some(room) = self.chat.rooms.get(&id) else { return false };
        let name = room.name.clone();
        let Some(group) = &room.group else {
            self.refuse_group(&Refused::NotAGroup, &[name.as_str()]);
            return false;
        };
        let owns = self.session().operator || self.session().account_id() == Some(group.owner);
        if !owns {
            self.refuse_group(&Refused::NotOwner, &[name.as_str()]);
        }
        owns
    }

    /// Whether this session may put somebody out of a group, or keep them from coming; else it is told why not. In other rooms every operator may.
    pub(in crate::chat) fn may_put_out(&mut self, id: RoomId, who: &Occupant) -> bool {
        let Some(room) = self.chat.rooms.get(&id).filter(|room| room.group.is_some()) else { return true };
        let (name, mine) = (room.name.clone(), room.standing(self.me).unwrap_or_default());
        let is_me = who.account.is_some() && who.account == self.session().account_id();
        let refusal = if is_me {
            Some(Refused::Yourself)
        } else {
            let outranks = self.session().operator || mine.rank() > self.chat.standing_of(id, who).rank();
            (!outranks).then_some(Refused::Outranked)
        };
        if let Some(why) = &refusal {
            self.refuse_group(why, &[name.as_str()]);
        }
        refusal.is_none()
    }

    /// Adds to or takes from what somebody may do; true when that is a change. Says why when it may not be.
    pub(in crate::chat) fn appoint(&mut self, id: RoomId, who: &Occupant, which: Standing, on: bool) -> bool {
        let Some(room) = self.chat.rooms.get(&id) else { return false };
        let name = room.name.clone();
        if room.group.is_some() && which == Standing::OPERATOR {
            if !self.must_own(id) {
                return false;
            }
            if who.account.is_none() {
                self.refuse_group(&Refused::GuestOperator, &[name.as_str()]);
                return false;
            }
        }
        if self.chat.standing_of(id, who).has(which) == on {
            return false;
        }
        let Some(account) = who.account else {
            let devices = who.conn.map(|conn| self.chat.devices_of(conn)).unwrap_or_default();
            let room = self.chat.rooms.get_mut(&id);
            room.into_iter().for_each(|room| {
                devices
                    .iter()
                    .for_each(|device| room.member_mut(*device).into_iter().for_each(|m| m.standing.set(which, on)));
            });
            return true;
        };
        self.chat.set_standing(id, account, which, on);
        self.record_seat(id, account);
        true
    }

    /// Gives a group to a member; true when it was somebody else's.
    pub(in crate::chat) fn give_away(&mut self, id: RoomId, who: &Occupant, on: bool) -> bool {
        if !self.must_own(id) {
            return false;
        }
        let Some(room) = self.chat.rooms.get(&id) else { return false };
        let (name, owner) = (room.name.clone(), room.group.as_ref().map(|group| group.owner));
        let refusal = match who.account {
            _ if !on => Some(Refused::NeedsOwner),
            None => Some(Refused::GuestOperator),
            Some(_) => None,
        };
        if let Some(why) = &refusal {
            self.refuse_group(why, &[name.as_str()]);
        }
        let Some(heir) = who.account.filter(|heir| refusal.is_none() && owner != Some(*heir)) else { return false };
        self.chat.crown(id, heir, self.now, self.effects);
        // Whoever led it until here is not a nobody in it.
        if let Some(old) = owner {
            self.chat.set_standing(id, old, Standing::OPERATOR, true);
            self.record_seat(id, old);
        }
        true
    }
}

#[cfg(test)]
mod tests {
    use super::super::super::ConnId;
    use super::super::super::testing::World;

    /// `#茶`, which is anna's, with ben, an operator, and 小阳, who is away.
    fn tea() -> (World, ConnId, ConnId) {
        let mut w = World::new();
        let [anna, ben, 小阳] = ["anna", "ben", "小阳"].map(|name| w.member(name));
        [anna, ben, 小阳].iter().for_each(|conn| w.line(*conn, "JOIN #茶"));
        w.line(anna, "MODE #茶 +o ben");
        w.lose(小阳);
        w.drain();
        (w, anna, ben)
    }

    fn names(w: &mut World, asker: ConnId) -> String {
        let line = w.ask(asker, "NAMES #茶").remove(0);
        line.rsplit_once(':').unwrap().1.to_owned()
    }

    #[test]
    fn the_owner_appoints_members_who_are_away_by_name_or_number() {
        let (mut w, anna, ben) = tea();
        let a = w.source(anna);
        assert_eq!(w.ask(anna, "MODE #茶 +o 小阳"), [format!(":{a} MODE #茶 +o 小阳")]);
        assert_eq!(w.said_to(ben), [format!(":{a} MODE #茶 +o 小阳")]);
        assert_eq!(w.ask(anna, "MODE #茶 -o 1002"), [format!(":{a} MODE #茶 -o 小阳")]);
        assert_eq!(w.ask(anna, "MODE #茶 +v 小阳"), [format!(":{a} MODE #茶 +v 小阳")]);
        assert_eq!(w.ask(anna, "MODE #茶 +v 小阳"), [""; 0]);
        assert_eq!(names(&mut w, anna), "~anna @ben +小阳");
        w.save();
        let mut w = w.restarted();
        let 小阳 = w.member("小阳");
        assert_eq!(names(&mut w, 小阳), "+小阳 ~anna @ben");
    }

    #[test]
    fn operators_give_voices_but_no_offices_and_put_nobody_out_of_their_own_rank() {
        let (mut w, anna, ben) = tea();
        let b = w.source(ben);
        let not_owner = ":gzy.local 482 ben #茶 :only the owner of that group may do that (~ in NAMES)";
        for line in ["MODE #茶 +o 小阳", "MODE #茶 -o ben", "MODE #茶 +q ben"] {
            assert_eq!(w.ask(ben, line), [not_owner], "{line}");
        }
        let outranked = ":gzy.local 482 ben #茶 :nobody puts out the owner, and only the owner an operator";
        assert_eq!(w.ask(ben, "KICK #茶 anna"), [outranked]);
        assert_eq!(
            w.ask(ben, "KICK #茶 ben"),
            [":gzy.local 400 ben #茶 :that is you yourself; to leave a group, say PART or !leave"]
        );
        w.line(anna, "MODE #茶 +o 小阳");
        w.drain();
        assert_eq!(w.ask(ben, "KICK #茶 小阳"), [outranked]);
        assert_eq!(
            w.ask(ben, "PRIVMSG #茶 :！封*anna"),
            [":gzy.local NOTICE #茶 :群主谁也请不出去，管理员只有群主能请出去"]
        );
        assert!(w.chat.room_named("#茶").unwrap().bans.is_empty());
        w.line(anna, "MODE #茶 -o 小阳");
        w.drain();
        assert_eq!(w.ask(ben, "KICK #茶 1002 :太久没来"), [format!(":{b} KICK #茶 小阳 :太久没来")]);
        assert_eq!(w.said_to(anna), [format!(":{b} KICK #茶 小阳 :太久没来")]);
        assert_eq!(names(&mut w, anna), "~anna @ben");
        w.save();
        let mut w = w.restarted();
        let 小阳 = w.member("小阳");
        assert_eq!(w.session(小阳).rooms.len(), 1, "a kick ends the membership");
        assert!(w.ask(小阳, "JOIN #1000")[0].ends_with(" JOIN #茶"), "but is no ban");
    }

    #[test]
    fn a_kick_is_for_all_devices_and_a_ban_for_the_account_wherever_it_is() {
        let (mut w, anna, ben) = tea();
        let phone = w.member("ben");
        w.drain();
        let a = w.source(anna);
        let told = [format!(":{a} MODE #茶 +b *!1001@account.gzy"), format!(":{a} KICK #茶 ben :封禁 · banned")];
        let answer = ":gzy.local NOTICE #茶 :ben is banned; !unban ben takes it back".to_owned();
        assert_eq!(w.ask(anna, "PRIVMSG #茶 :!ban ben"), [&told[..], &[answer]].concat());
        for conn in [ben, phone] {
            assert_eq!(w.said_to(conn), told[1..], "who is out hears of no mask");
            assert_eq!(w.ask(conn, "JOIN #茶"), [":gzy.local 474 ben #茶 :you are banned from that room"]);
        }
        w.line(anna, "PRIVMSG #茶 :！封*小阳");
        w.save();
        let mut w = w.restarted();
        let [anna, 小阳] = ["anna", "小阳"].map(|name| w.member(name));
        assert_eq!(w.session(小阳).rooms.len(), 1);
        assert_eq!(w.ask(小阳, "JOIN #茶"), [":gzy.local 474 小阳 #茶 :you are banned from that room"]);
        assert_eq!(w.ask(anna, "PRIVMSG #茶 :！解封"), [":gzy.local NOTICE #茶 :被封的：ben、小阳"]);
        assert_eq!(w.ask(anna, "PRIVMSG #茶 :！解封*小阳")[1], ":gzy.local NOTICE #茶 :已解封：小阳");
        assert_eq!(names(&mut w, anna), "~anna");
        assert!(w.ask(小阳, "JOIN #茶")[0].ends_with(" JOIN #茶"));
        w.drain();
        assert_eq!(
            w.ask(anna, "PRIVMSG #茶 :!mute 1002")[1],
            ":gzy.local NOTICE #茶 :小阳 is muted; !unmute 小阳 takes it back"
        );
        w.drain();
        assert_eq!(w.ask(小阳, "PRIVMSG #茶 :嘿"), [":gzy.local 404 小阳 #茶 :you are muted there; ask an operator"]);
    }

    #[test]
    fn an_owner_gives_the_group_away_and_stays_an_operator() {
        let (mut w, anna, ben) = tea();
        let a = w.source(anna);
        assert_eq!(w.ask(anna, "MODE #茶 +q 小阳"), [format!(":{a} MODE #茶 +q 小阳")]);
        assert_eq!(w.said_to(ben), [format!(":{a} MODE #茶 +q 小阳")]);
        assert_eq!(names(&mut w, ben), "@anna @ben ~小阳");
        assert!(w.ask(anna, "MODE #茶 +o anna")[0].contains(" 482 "));
        let 小阳 = w.member("小阳");
        let s = w.source(小阳);
        assert_eq!(
            w.ask(小阳, "MODE #茶 -q 小阳"),
            [":gzy.local 400 小阳 #茶 :a group has an owner at all times; MODE +q gives it to somebody else"]
        );
        assert_eq!(w.ask(小阳, "PRIVMSG #茶 :！转让*anna"), [format!(":{s} MODE #茶 +q anna")]);
        w.drain();
        assert_eq!(w.ask(anna, "PRIVMSG #茶 :!op ben"), [":gzy.local NOTICE #茶 :that is what ben is already"]);
        assert_eq!(w.ask(anna, "PRIVMSG #茶 :！免职*ben"), [format!(":{a} MODE #茶 -o ben")]);
        assert_eq!(names(&mut w, anna), "~anna ben @小阳");
        w.save();
        let mut w = w.restarted();
        let ben = w.member("ben");
        assert_eq!(names(&mut w, ben), "ben ~anna @小阳");
    }

    #[test]
    fn a_visitor_may_have_a_voice_but_no_office() {
        let (mut w, anna, _) = tea();
        let eve = w.join("eve");
        w.line(eve, "JOIN #茶");
        w.drain();
        let a = w.source(anna);
        assert_eq!(w.ask(anna, "MODE #茶 +v eve"), [format!(":{a} MODE #茶 +v eve")]);
        for line in ["MODE #茶 +o eve", "MODE #茶 +q eve"] {
            assert_eq!(
                w.ask(anna, line),
                [":gzy.local 400 anna #茶 :only people with an account run a group; they have to register first"]
            );
        }
        w.line(eve, "JOIN #酒");
        w.drain();
        assert_eq!(
            w.ask(eve, "MODE #酒 +q eve"),
            [":gzy.local 403 eve #酒 :that room is no group, so it has no members and no owner; !create makes one"]
        );
    }

    #[test]
    fn who_is_no_member_is_named_as_such() {
        let (mut w, anna, _) = tea();
        w.member("dora");
        w.join("eve");
        for (line, answer) in [
            ("MODE #茶 +o dora", "441 anna dora #茶 :they are not in that room"),
            ("MODE #茶 +o 1003", "441 anna dora #茶 :they are not in that room"),
            ("KICK #茶 eve", "441 anna eve #茶 :they are not in that room"),
            ("KICK #茶 无人", "401 anna 无人 :nobody of that name is here"),
        ] {
            assert_eq!(w.ask(anna, line), [format!(":gzy.local {answer}")], "{line}");
        }
        assert_eq!(w.ask(anna, "PRIVMSG #茶 :！踢*dora"), [":gzy.local NOTICE #茶 :dora 不在 #茶 里"]);
    }

    #[test]
    fn an_owner_kicked_by_the_host_leaves_the_group_to_somebody_else() {
        let (mut w, anna, ben) = tea();
        let host = w.join("host");
        w.make_operator(host);
        w.line(host, "KICK #茶 anna :够了");
        assert!(w.said_to(host).len() == 1, "who is not in it hears of the kick alone");
        w.drain();
        assert_eq!(names(&mut w, ben), "~ben 小阳");
        assert_eq!(w.session(anna).rooms.len(), 1);
    }
}
