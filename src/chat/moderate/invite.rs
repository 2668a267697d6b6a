//! INVITE: asking somebody into a room.

use std::rc::Rc;

use crate::wire::caps::Caps;
use crate::wire::limits::INVITES_PER_SESSION;
use crate::wire::line::Line;
use crate::wire::name::RoomName;
use crate::wire::reply::*;
use crate::wire::verb::Verb;

use super::super::join::clip_word;
use super::super::turn::Turn;
use super::super::{Audience, ConnId, Effect, RoomId};

impl Turn<'_> {
    /// `INVITE <nick> <room>`, or `INVITE`: the rooms that this session was invited to.
    pub(in crate::chat) fn invite(&mut self, line: &Line) {
        let Some(nick) = line.param(0) else { return self.show_invitations() };
        let Some(room) = line.param(1) else {
            return self.numeric(
                ERR_NEEDMOREPARAMS,
                &[Verb::Invite.text()],
                "say whom and where: INVITE <nick> <room>",
            );
        };
        let account = self.chat.accounts.meant(nick);
        let person = self.chat.session_named(nick).map(|meant| (meant.conn, meant.nick.clone(), meant.away.clone()));
        if account.is_none() && person.is_none() {
            return self.numeric(ERR_NOSUCHNICK, &[clip_word(nick)], "nobody of that name is here");
        }
        let Some(id) = self.shown_room(room).filter(|id| self.is_inside(*id)) else { return };
        let Some(room) = self.chat.rooms.get(&id) else { return };
        if room.group.is_some() {
            if let Some(why) = self.bars_inviting(room) {
                let name = room.name.clone();
                return self.refuse_group(&why, &[name.as_str()]);
            }
            if let Some(account) = account {
                return self.invite_account(id, account);
            }
        }
        let Some((conn, nick, away)) = person else {
            return self.numeric(
                ERR_NOSUCHNICK,
                &[clip_word(nick)],
                "they are not here, and only groups wait for people",
            );
        };
        let Some(room) = self.chat.rooms.get(&id) else { return };
        let (name, invite_only) = (room.name.clone(), room.flags.invite_only);
        if room.standing(conn).is_some() {
            return self.numeric(ERR_USERONCHANNEL, &[nick.as_str(), name.as_str()], "is in that room already");
        }
        if invite_only && !self.runs(id) {
            return;
        }
        self.note_invitation(conn, id);
        self.bare_numeric(RPL_INVITING, &[nick.as_str(), name.as_str()]);
        if let Some(reason) = away {
            self.numeric(RPL_AWAY, &[nick.as_str()], &reason);
        }
        let event = Rc::new(self.my_event(format_args!("INVITE {} {}", nick.as_str(), name.as_str()), None));
        if conn == self.me {
            self.reply_event(&event, "");
        } else {
            self.effects.push(Effect::ToEach { to: vec![conn], only: Audience::ALL, event: event.clone() });
        }
        let only = Audience::with(Caps::INVITE_NOTIFY);
        let to = self.who_else_may_invite(id);
        if !to.is_empty() {
            self.effects.push(Effect::ToEach { to, only, event });
        }
    }

    /// The members who could have sent that invitation, but for this session.
    pub(in crate::chat) fn who_else_may_invite(&self, id: RoomId) -> Vec<ConnId> {
        let Some(room) = self.chat.rooms.get(&id) else { return Vec::new() };
        let is_open = if room.group.is_some() { !room.is_closed() } else { !room.flags.invite_only };
        let may = |conn: ConnId| is_open || self.chat.session(conn).is_some_and(|session| room.is_run_by(session));
        room.members.iter().map(|member| member.conn).filter(|conn| *conn != self.me && may(*conn)).collect()
    }

    /// Notes an invitation, and lets go of those to rooms that have ended and of the oldest beyond the limit.
    fn note_invitation(&mut self, conn: ConnId, id: RoomId) {
        let Some(session) = self.chat.session_mut(conn) else { return };
        let mut invited = std::mem::take(session.invited_mut());
        invited.retain(|room| *room != id && self.chat.rooms.contains_key(room));
        invited.push(id);
        if invited.len() > INVITES_PER_SESSION {
            invited.remove(0);
        }
        if let Some(session) = self.chat.session_mut(conn) {
            *session.invited_mut() = invited;
        }
    }

    fn show_invitations(&mut self) {
        let account = self.session().account_id().and_then(|id| self.chat.accounts.get(id));
        let standing = account.map_or(&[][..], |account| &account.invited);
        let rooms = self.session().invited().iter().chain(standing).filter_map(|id| self.chat.rooms.get(id));
        let names: Vec<RoomName> = rooms.map(|room| room.name.clone()).collect();
        for name in names {
            self.bare_numeric(RPL_INVITELIST, &[name.as_str()]);
        }
        self.numeric(RPL_ENDOFINVITELIST, &[], "End of /INVITE list");
    }
}

#[cfg(test)]
mod tests {
    use super::super::super::testing::World;
    use crate::wire::limits::INVITES_PER_SESSION;

    #[test]
    fn an_invitation_opens_a_closed_room_once() {
        let mut w = World::new();
        let anna = w.join("anna");
        let 小阳 = w.join("小阳");
        w.line(anna, "JOIN #茶");
        w.line(anna, "MODE #茶 +i");
        w.drain();
        assert_eq!(
            w.ask(小阳, "JOIN #茶"),
            [":gzy.local 473 小阳 #茶 :that room is by invitation only; ask somebody in it"]
        );
        assert_eq!(w.ask(anna, "INVITE 小阳 #茶"), [":gzy.local 341 anna 小阳 #茶"]);
        assert_eq!(w.said_to(小阳), [format!(":{} INVITE 小阳 #茶", w.source(anna))]);
        assert_eq!(w.ask(小阳, "INVITE"), [":gzy.local 336 小阳 #茶", ":gzy.local 337 小阳 :End of /INVITE list"]);
        assert_eq!(w.ask(小阳, "JOIN #茶")[0], format!(":{} JOIN #茶", w.source(小阳)));
        assert_eq!(w.ask(小阳, "INVITE"), [":gzy.local 337 小阳 :End of /INVITE list"]);
        w.line(小阳, "PART #茶");
        w.drain();
        assert!(w.ask(小阳, "JOIN #茶")[0].contains(" 473 "), "it opened the room once");
    }

    #[test]
    fn who_may_not_invite_is_told_why() {
        let mut w = World::new();
        let anna = w.join("anna");
        let ben = w.join("ben");
        let 小阳 = w.join("小阳");
        w.line(anna, "JOIN #茶");
        w.line(ben, "JOIN #茶");
        w.drain();
        let cases = [
            (ben, "INVITE 无人 #茶", "401 ben 无人 :nobody of that name is here"),
            (ben, "INVITE 小阳 #没有", "403 ben #没有 :there is no such room"),
            (ben, "INVITE anna #茶", "443 ben anna #茶 :is in that room already"),
            (ben, "INVITE 小阳", "461 ben INVITE :say whom and where: INVITE <nick> <room>"),
            (小阳, "INVITE 小阳 #茶", "442 小阳 #茶 :you are not in that room"),
        ];
        for (who, line, answer) in cases {
            assert_eq!(w.ask(who, line), [format!(":gzy.local {answer}")], "{line}");
        }
        assert_eq!(w.ask(ben, "INVITE 小阳 #茶"), [":gzy.local 341 ben 小阳 #茶"], "in an open room every member may");
        w.line(anna, "MODE #茶 +i");
        w.drain();
        assert_eq!(
            w.ask(ben, "INVITE 小阳 #茶"),
            [":gzy.local 482 ben #茶 :you are no operator of that room; ask one (@ in NAMES)"]
        );
        assert_eq!(w.said_to(小阳), [""; 0]);
    }

    #[test]
    fn those_who_could_have_invited_hear_of_it_when_they_asked_to() {
        let mut w = World::new();
        let anna = w.join("anna");
        let ben = w.join_with_caps("ben", "invite-notify");
        let eve = w.join("eve");
        w.join("小阳");
        for conn in [anna, ben, eve] {
            w.line(conn, "JOIN #茶");
        }
        w.drain();
        let told = [format!(":{} INVITE 小阳 #茶", w.source(anna))];
        w.line(anna, "INVITE 小阳 #茶");
        assert_eq!((w.said_to(ben), w.said_to(eve)), (told.to_vec(), vec![]));
        w.line(anna, "MODE #茶 +i");
        w.drain();
        w.line(anna, "INVITE 小阳 #茶");
        assert_eq!(w.said_to(ben), [""; 0], "a plain member of a closed room may not invite");
        w.line(anna, "MODE #茶 +o ben");
        w.drain();
        w.line(anna, "INVITE 小阳 #茶");
        assert_eq!(w.said_to(ben), told);
    }

    #[test]
    fn somebody_away_is_invited_and_the_inviter_reads_why_no_answer_comes() {
        let mut w = World::new();
        let anna = w.join("anna");
        let 小阳 = w.join("小阳");
        w.set_away(小阳, "吃饭");
        w.line(anna, "JOIN #茶");
        w.drain();
        assert_eq!(w.ask(anna, "INVITE 小阳 #茶"), [":gzy.local 341 anna 小阳 #茶", ":gzy.local 301 anna 小阳 :吃饭"]);
    }

    #[test]
    fn only_so_many_invitations_are_held_and_none_to_rooms_that_have_ended() {
        let mut w = World::new();
        let anna = w.join("anna");
        let ben = w.join("ben");
        for n in 0..=INVITES_PER_SESSION {
            w.line(anna, &format!("JOIN #r{n}"));
            w.line(anna, &format!("INVITE ben #r{n}"));
        }
        w.drain();
        let held = w.ask(ben, "INVITE");
        assert_eq!(held.len(), INVITES_PER_SESSION + 1);
        assert_eq!(held[0], ":gzy.local 336 ben #r1", "the oldest is let go");
        w.line(anna, "PART #r1");
        assert_eq!(w.ask(ben, "INVITE")[0], ":gzy.local 336 ben #r2");
        w.line(anna, "INVITE ben #r2");
        assert_eq!(w.session(ben).invited().len(), INVITES_PER_SESSION - 1, "twice invited is invited once");
    }
}
