//! KICK: putting somebody out of a room.

use std::rc::Rc;

use crate::wire::escape::printable;
use crate::wire::limits::{REASON_BYTES, TARGETS};
use crate::wire::line::{Line, clip};
use crate::wire::reply::*;

use super::super::group::Occupant;
use super::super::join::clip_word;
use super::super::turn::Turn;
use super::super::{Audience, ConnId, Effect, RoomId};

impl Turn<'_> {
    /// `KICK <room> <nick>{,<nick>} [<reason>]`
    pub(in crate::chat) fn kick(&mut self, line: &Line) {
        let Some(id) = self.shown_room(line.params()[0]) else { return };
        let nicks: Vec<&str> = line.params()[1].split(',').filter(|nick| !nick.is_empty()).collect();
        if nicks.len() > TARGETS {
            let sentence = "too many people in one line; use several lines";
            return self.numeric(ERR_TOOMANYTARGETS, &[clip_word(nicks[0])], sentence);
        }
        if !self.may_run(id) {
            return;
        }
        let mut meant: Vec<Occupant> = Vec::new();
        for nick in nicks {
            let Some(who) = self.occupant_named(id, nick).filter(|who| !meant.contains(who)) else { continue };
            if self.may_put_out(id, &who) {
                meant.push(who);
            }
        }
        let reason = line.param(2).unwrap_or(self.session().nick.as_str());
        let reason = clip(reason, REASON_BYTES).to_owned();
        for at in 0..meant.len() {
            self.put_out(id, &meant[at..], &reason);
        }
    }

    /// Puts the first of `meant` out. The others are members still, but will not be when the room is told.
    fn put_out(&mut self, id: RoomId, meant: &[Occupant], reason: &str) {
        let (Some(room), Some(who)) = (self.chat.rooms.get(&id), meant.first()) else { return };
        let (name, nick) = (room.name.clone(), who.nick.clone());
        let event = Rc::new(self.my_event(format_args!("KICK {} {}", name.as_str(), nick.as_str()), Some(reason)));
        self.reply_event(&event, "");
        let leads = meant.iter().filter_map(|who| who.conn);
        let to: Vec<ConnId> =
            leads.flat_map(|lead| self.chat.devices_of(lead)).filter(|device| *device != self.me).collect();
        if !to.is_empty() {
            self.effects.push(Effect::ToEach { to, only: Audience::ALL, event: event.clone() });
        }
        self.tell_others_in(id, Audience::ALL, &event);
        let out = |turn: &mut Turn| {
            let count = turn.remove_from(id);
            turn.drop_others(id);
            count
        };
        if let Some(count) = who.conn.and_then(|conn| self.chat.turn(conn, self.now, self.effects, out)) {
            self.tell_all_in(id, &count);
        }
        if let Some(account) = who.account {
            self.expel(id, account);
        }
        let me = self.session().nick.clone();
        self.log(format!("{} kicked {} from {} ({})", me.as_str(), nick.as_str(), name.as_str(), printable(reason)));
    }
}

#[cfg(test)]
mod tests {
    use super::super::super::testing::World;

    #[test]
    fn the_kicked_one_and_the_room_hear_it_and_no_trace_is_left() {
        let mut w = World::new();
        let anna = w.join("anna");
        let 小阳 = w.join("小阳");
        let ben = w.join_with_caps("ben", "server-time");
        for conn in [anna, 小阳, ben] {
            w.line(conn, "JOIN #茶");
        }
        w.drain();
        let told = format!(":{} KICK #茶 ben :太吵了", w.source(anna));
        assert_eq!(w.ask(anna, "KICK #茶 ben :太吵了"), [told.clone()]);
        assert_eq!(w.said_to(小阳), [told.clone()]);
        assert_eq!(w.said_to(ben), [format!("@time=2026-11-20T13:19:21.000Z {told}")]);
        assert_eq!(w.log.last().map(String::as_str), Some("anna kicked ben from #茶 (太吵了)"));

        w.line(小阳, "PRIVMSG #茶 :安静了");
        assert_eq!(w.said_to(ben), [""; 0]);
        assert_eq!(w.session(ben).rooms.len(), 1, "only the lobby is left");
        assert_eq!(w.ask(ben, "PART #茶"), [":gzy.local 442 ben #茶 :you are not in that room"]);
        w.line(ben, "JOIN #茶");
        assert_eq!(w.said_to(anna).last(), Some(&format!(":{} JOIN #茶", w.source(ben))), "a kick is no ban");
    }

    #[test]
    fn several_are_kicked_with_one_line_and_each_hears_of_those_who_went_with_it() {
        let mut w = World::new();
        let anna = w.join("anna");
        let [ben, 小阳, eve] = ["ben", "小阳", "eve"].map(|nick| w.join(nick));
        for conn in [anna, ben, 小阳, eve] {
            w.line(conn, "JOIN #茶");
        }
        w.drain();
        let told = |nick: &str| format!(":{} KICK #茶 {nick} :anna", w.source(anna));
        let told = [told("ben"), told("小阳")];
        assert_eq!(w.ask(anna, "KICK #茶 ben,小阳,BEN"), told);
        assert_eq!(w.said_to(eve), told);
        assert_eq!(w.said_to(ben), told[..1]);
        assert_eq!(w.said_to(小阳), told);
    }

    #[test]
    fn only_operators_kick_and_only_members_are_kicked() {
        let mut w = World::new();
        let anna = w.join("anna");
        let [ben, _eve] = ["ben", "eve"].map(|nick| w.join(nick));
        w.line(anna, "JOIN #茶");
        w.drain();
        for (who, line, answer) in [
            (anna, "KICK #没有 ben", "403 anna #没有 :there is no such room"),
            (anna, "KICK #茶 eve", "441 anna eve #茶 :they are not in that room"),
            (anna, "KICK #茶 无人", "401 anna 无人 :nobody of that name is here"),
            (anna, "KICK #茶 a,b,c,d,e", "407 anna a :too many people in one line; use several lines"),
            (ben, "KICK #茶 anna", "442 ben #茶 :you are not in that room"),
            (ben, "KICK #lobby anna", "482 ben #lobby :you are no operator of that room; ask one (@ in NAMES)"),
        ] {
            assert_eq!(w.ask(who, line), [format!(":gzy.local {answer}")], "{line}");
        }
        assert_eq!(w.said_to(anna), [""; 0]);
    }

    #[test]
    fn a_room_ends_with_its_last_member_even_when_that_one_is_kicked() {
        let mut w = World::new();
        let anna = w.join("anna");
        w.line(anna, "JOIN #茶");
        w.drain();
        assert_eq!(w.ask(anna, "KICK #茶 anna :再见"), [format!(":{} KICK #茶 anna :再见", w.source(anna))]);
        assert_eq!(w.chat.room_count(), 1, "only the lobby is left");
        assert_eq!(w.ask(anna, "MODE #茶"), [":gzy.local 403 anna #茶 :there is no such room"]);
    }

    #[test]
    fn a_server_operator_kicks_from_outside_and_the_lobby_counts_who_stays() {
        let mut w = World::new();
        let anna = w.join("anna");
        let [ben, eve] = ["ben", "eve"].map(|nick| w.join(nick));
        w.line(ben, "JOIN #茶");
        w.make_operator(anna);
        w.drain();
        assert_eq!(w.ask(anna, "KICK #茶 ben :打烊"), [format!(":{} KICK #茶 ben :打烊", w.source(anna))]);
        let told = format!(":{} KICK #lobby eve :广告", w.source(anna));
        assert_eq!(w.said_to(ben).len(), 1);
        w.line(anna, "KICK #lobby eve :广告");
        let count = ":gzy.local NOTICE #lobby :eve 离开了，还有 2 人 · eve left, 2 still here".to_owned();
        assert_eq!(w.said_to(ben), [told.clone(), count.clone()]);
        assert_eq!(w.said_to(eve), [told.clone()]);
        assert_eq!(w.said_to(anna), [told, count]);
    }
}
