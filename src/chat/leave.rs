//! Leaving: a room, or everything; and who is told.

use std::rc::Rc;

use crate::wire::escape::printable;
use crate::wire::event::Event;
use crate::wire::limits::{REASON_BYTES, ROOM_COUNTS_MS, ROOM_TELLS_EACH};
use crate::wire::line::{Line, clip};
use crate::wire::reply::*;

use super::people::Whowas;
use super::turn::Turn;
use super::{Audience, Chat, ConnId, Effect, Now, Room, RoomId, SERVER_NAME};

impl Turn<'_> {
    /// `PART <room>{,<room>} [reason]`
    pub(super) fn part(&mut self, line: &Line) {
        let reason = line.param(1).map(|reason| clip(reason, REASON_BYTES));
        for name in line.params()[0].split(',').filter(|name| !name.is_empty()) {
            let Some(id) = self.shown_room(name) else { continue };
            let Some(room) = self.chat.rooms.get(&id) else { continue };
            let name = room.name.clone();
            if room.standing(self.me).is_none() {
                self.numeric(ERR_NOTONCHANNEL, &[name.as_str()], "you are not in that room");
                continue;
            }
            if let Some(account) = room.seat(self.session().account_id()).map(|seat| seat.account) {
                self.leave_group(id, account, reason);
                continue;
            }
            let event = Rc::new(self.my_event(format_args!("PART {}", name.as_str()), reason));
            self.reply_event(&event, "");
            self.leave_room(id, &event);
        }
    }

    /// `QUIT [reason]`
    pub(super) fn quit(&mut self, line: &Line) {
        // The prefix keeps a member from making it look as if the server had closed the link.
        let reason = line.param(0).map_or("Quit".to_owned(), |reason| format!("Quit: {}", clip(reason, REASON_BYTES)));
        self.end(&reason, "bye");
    }

    /// Closes the connection for a reason that is the server's; the rooms and the client read it.
    pub(super) fn close(&mut self, reason: &str) {
        self.end(reason, reason);
    }

    /// The connection is gone already.
    pub(super) fn end_silently(&mut self, reason: &str) {
        self.replies.deferred = true;
        self.leave_everything(reason);
    }

    /// Ends a session that was none. It leaves no trace: a busy cloud would fill the log.
    pub(super) fn take_out(&mut self) {
        self.replies.deferred = true;
        self.forget_me();
    }

    /// Says goodbye without telling anybody else: they are all leaving.
    pub(super) fn hang_up(&mut self, farewell: &str) {
        self.say_error(farewell);
        let me = self.me;
        self.forget_me();
        self.effects.push(Effect::Close { conn: me });
    }

    fn end(&mut self, reason: &str, farewell: &str) {
        self.say_error(farewell);
        self.leave_everything(reason);
        self.effects.push(Effect::Close { conn: self.me });
    }

    fn say_error(&mut self, farewell: &str) {
        let lines = self.replies.lines();
        lines.push_str("ERROR :Closing link: ");
        lines.push_str(farewell);
        lines.push_str("\r\n");
    }

    fn leave_everything(&mut self, reason: &str) {
        if !self.chat.other_devices(self.me).is_empty() {
            self.log(format!("a device of {} left ({})", self.session().nick.as_str(), printable(reason)));
        } else if self.session().is_registered() {
            self.tell_gone(reason);
            for id in self.session().rooms.clone() {
                self.remove_and_tell(id);
            }
            self.log(format!("{} left ({})", self.session().nick.as_str(), printable(reason)));
        } else {
            self.log(format!(
                "somebody from {} left before the welcome ({})",
                self.session().address,
                printable(reason)
            ));
        }
        self.forget_me();
    }

    /// Takes the session out of every table but that of the sessions; [`Turn::finish`] does that.
    fn forget_me(&mut self) {
        self.ended = true;
        let (now, me) = (self.now, self.me);
        self.chat.forget_watching(me);
        self.chat.leave_shelf(me, now, self.effects);
        if self.session().is_registered() {
            self.set_operator(false);
            self.set_invisible(false);
            self.chat.registered -= 1;
        }
        self.chat.let_go_of_reader(me);
        let stays = self.chat.drop_device(me);
        if self.session().is_registered() && !stays {
            let gone = Whowas::of(self.session(), now.wall_ms);
            self.chat.remember_gone(gone);
            let nick = self.session().nick.clone();
            self.chat.tell_watchers_gone(&nick, self.effects);
        }
        let nick = self.session().nick.clone();
        self.chat.release_nick(&nick, me);
        for room in self.session_mut().rooms.split_off(0) {
            self.chat.drop_member(room, me);
        }
    }

    /// Leaves one room; `event` is what the others are told, unless the room is so large that it tells counts.
    pub(super) fn leave_room(&mut self, id: RoomId, event: &Rc<Event>) {
        if self.chat.rooms.get(&id).is_some_and(Room::tells_each) {
            self.tell_others_in(id, Audience::ALL, event);
        }
        self.remove_and_tell(id);
        self.take_others_out(id, event);
    }

    /// Takes this session out of a room and tells the others how many stay, where that is told.
    pub(super) fn remove_and_tell(&mut self, id: RoomId) {
        if let Some(count) = self.remove_from(id) {
            self.tell_others_in(id, Audience::ALL, &count);
        }
    }

    /// Takes this session out of a room. Gives back what those who stay are to be told of their number; a large room is told later.
    pub(super) fn remove_from(&mut self, id: RoomId) -> Option<Rc<Event>> {
        let (me, now) = (self.me, self.now);
        self.session_mut().rooms.retain(|room| *room != id);
        let room = self.chat.rooms.get_mut(&id)?;
        let (tells_each, is_lobby, left) = (room.tells_each(), room.is_lobby, room.people().saturating_sub(1));
        // A member of a group who goes offline stays one.
        if !tells_each && room.group.is_none() {
            room.untold.left += 1;
            self.chat.tell_count_later(id, now);
        }
        let count = (tells_each && is_lobby).then(|| {
            let nick = self.session().nick.as_str();
            let text = format!("{nick} 离开了，还有 {left} 人 · {nick} left, {left} still here");
            self.chat.room_notice(id, &text, now)
        });
        self.chat.drop_member(id, me);
        count
    }
}

impl Room {
    /// Whether joins and leaves are told one by one here.
    pub(super) fn tells_each(&self) -> bool {
        self.people() <= ROOM_TELLS_EACH
    }
}

impl Chat {
    /// Everybody who shares a room with `conn` that tells each join and leave; nobody twice, not `conn` itself.
    pub(super) fn peers_who_are_told_each(&self, conn: ConnId) -> Vec<ConnId> {
        self.peers(conn, Room::tells_each)
    }

    /// Everybody who shares a room with `conn` for which `counts` is true; nobody twice, not `conn` itself.
    pub(super) fn peers(&self, conn: ConnId, counts: impl Fn(&Room) -> bool) -> Vec<ConnId> {
        let Some(session) = self.session(conn) else { return Vec::new() };
        let rooms: Vec<&Room> =
            session.rooms.iter().filter_map(|id| self.rooms.get(id)).filter(|r| counts(r)).collect();
        shared(&rooms, conn)
    }

    /// Takes a member out of a room's list. A room without members ends, but for the lobby and for groups.
    pub(super) fn drop_member(&mut self, id: RoomId, conn: ConnId) {
        let Some(room) = self.rooms.get_mut(&id) else { return };
        room.drop(conn);
        if room.members.is_empty() && room.group.is_some() {
            self.rest_group(id);
        } else if room.members.is_empty() && !room.is_lobby {
            let key = room.key();
            self.rooms.remove(&id);
            self.rooms_by_name.remove(&key);
            self.counting.retain(|counting| *counting != id);
        }
    }

    /// A notice of the server to a room.
    pub(super) fn room_notice(&self, id: RoomId, text: &str, now: Now) -> Rc<Event> {
        let name = self.rooms.get(&id).map_or("*", |room| room.name.as_str());
        Rc::new(Event::plain(now.wall_ms, format!(":{SERVER_NAME} NOTICE {name}"), Some(text)))
    }

    /// Notes that a large room has counts to tell.
    pub(super) fn tell_count_later(&mut self, id: RoomId, now: Now) {
        if !self.counting.contains(&id) {
            self.counting.push(id);
            if let Some(room) = self.rooms.get_mut(&id) {
                room.untold.due_ms = now.mono_ms + ROOM_COUNTS_MS;
            }
        }
    }

    /// Tells the counts that are due.
    pub(super) fn tell_counts(&mut self, now: Now, effects: &mut Vec<Effect>) {
        for id in self.counting.clone() {
            let Some(room) = self.rooms.get_mut(&id).filter(|room| room.untold.due_ms <= now.mono_ms) else { continue };
            let untold = std::mem::take(&mut room.untold);
            let (joined, left, here) = (untold.joined, untold.left, room.people());
            let text =
                format!("来了 {joined} 人，走了 {left} 人，现在 {here} 人 · {joined} came, {left} left, {here} here");
            let event = self.room_notice(id, &text, now);
            effects.push(Effect::ToRoom { room: id, except: None, only: Audience::ALL, event });
            self.counting.retain(|counting| *counting != id);
        }
    }
}

/// Everybody in these rooms but `conn`, nobody twice.
pub(super) fn shared(rooms: &[&Room], conn: ConnId) -> Vec<ConnId> {
    let members = rooms.iter().flat_map(|room| &room.members).map(|member| member.conn);
    let mut peers: Vec<ConnId> = members.filter(|peer| *peer != conn).collect();
    peers.sort_unstable();
    peers.dedup();
    peers
}

#[cfg(test)]
mod tests {
    use super::super::Input;
    use super::super::testing::World;
    use crate::wire::limits::{ROOM_COUNTS_MS, ROOM_TELLS_EACH};

    #[test]
    fn leaving_a_room_is_told_with_its_reason_to_those_who_stay() {
        let mut w = World::new();
        let anna = w.join("anna");
        let 小阳 = w.join("小阳");
        w.line(anna, "JOIN #茶,#酒");
        w.line(小阳, "JOIN #茶,#酒");
        w.drain();
        let s = w.source(小阳);
        assert_eq!(w.ask(小阳, "PART #茶 :回家了"), [format!(":{s} PART #茶 :回家了")]);
        assert_eq!(w.said_to(anna), [format!(":{s} PART #茶 :回家了")]);
        assert_eq!(
            w.ask(小阳, "PART #茶,#没有,#酒"),
            [
                ":gzy.local 442 小阳 #茶 :you are not in that room".to_owned(),
                ":gzy.local 403 小阳 #没有 :there is no such room".to_owned(),
                format!(":{s} PART #酒"),
            ]
        );
        w.line(anna, "MODE #茶 +s");
        assert_eq!(w.ask(小阳, "PART #茶"), [":gzy.local 403 小阳 #茶 :there is no such room"], "a secret is kept");
    }

    #[test]
    fn who_turns_out_to_be_a_browser_leaves_no_trace() {
        let mut w = World::new();
        let anna = w.join("anna");
        let browser = w.connect();
        w.drain();
        w.log.clear();
        w.handle(Input::TakenOut { conn: browser });
        assert_eq!((w.chat.session_count(), w.log.len()), (1, 0));
        assert_eq!((w.said_to(anna), w.said_to(browser)), (vec![], vec![]));
    }

    #[test]
    fn who_leaves_the_lobby_is_counted_off() {
        let mut w = World::new();
        let anna = w.join("anna");
        let 小阳 = w.join("小阳");
        w.line(小阳, "PART #lobby");
        assert_eq!(
            w.said_to(anna),
            [
                format!(":{} PART #lobby", w.source(小阳)),
                ":gzy.local NOTICE #lobby :小阳 离开了，还有 1 人 · 小阳 left, 1 still here".into(),
            ]
        );
        assert_eq!(w.chat.room_count(), 1, "the lobby stays when all have gone");
        w.line(anna, "PART #lobby");
        assert_eq!(w.chat.room_count(), 1);
    }

    #[test]
    fn a_quit_is_told_once_to_everybody_who_shares_a_room() {
        let mut w = World::new();
        let anna = w.join("anna");
        let 小阳 = w.join("小阳");
        let eve = w.join("eve");
        w.line(eve, "PART #lobby");
        for conn in [anna, 小阳] {
            w.line(conn, "JOIN #茶");
        }
        w.drain();
        let s = w.source(小阳);
        w.line(小阳, "QUIT :明天见");
        assert_eq!(w.said_to(小阳), ["ERROR :Closing link: bye"]);
        assert!(w.is_closed(小阳));
        assert_eq!(
            w.said_to(anna),
            [
                format!(":{s} QUIT :Quit: 明天见"),
                ":gzy.local NOTICE #lobby :小阳 离开了，还有 1 人 · 小阳 left, 1 still here".into(),
            ]
        );
        assert_eq!(w.said_to(eve), [""; 0]);
        let again = w.join("小阳");
        assert_eq!(w.session(again).rooms.len(), 1, "the nick is free, and nothing is left of who had it");
    }

    #[test]
    fn a_lost_link_is_told_as_a_quit_and_the_last_one_out_ends_the_room() {
        let mut w = World::new();
        let anna = w.join("anna");
        let ben = w.join("ben");
        w.line(ben, "JOIN #茶");
        let b = w.source(ben);
        w.drain();
        w.lose(ben);
        assert_eq!(w.said_to(anna)[0], format!(":{b} QUIT :connection lost"));
        assert_eq!(w.said_to(ben), [""; 0]);
        assert_eq!((w.chat.room_count(), w.chat.session_count()), (1, 1));
        w.line(anna, "JOIN #茶");
        assert!(w.said_to(anna).contains(&":gzy.local 353 anna = #茶 :@anna".to_owned()), "who opens it again runs it");
    }

    #[test]
    fn a_large_room_tells_numbers_instead_of_names() {
        let mut w = World::new();
        let anna = w.join("anna");
        let mut people: Vec<_> = (1..ROOM_TELLS_EACH).map(|n| w.join(&format!("ben{n}x"))).collect();
        assert_eq!(w.said_to(anna), [""; 0]);

        let 小阳 = w.connect();
        w.line(小阳, "NICK 小阳");
        w.line(小阳, "USER y 0 * :y");
        let lines = w.said_to(小阳);
        assert_eq!(
            lines[lines.len() - 3..],
            [
                format!(":{} JOIN #lobby", w.source(小阳)),
                ":gzy.local 353 小阳 = #lobby :小阳".into(),
                ":gzy.local 366 小阳 #lobby :201 are here; NAMES lists them all".into(),
            ]
        );
        assert_eq!(w.said_to(anna), [""; 0], "nobody is told at once");
        let eve = w.join("eve");
        w.line(eve, "QUIT");
        w.lose(people.pop().unwrap());
        assert_eq!(w.said_to(anna), [""; 0]);

        w.pass_ms(ROOM_COUNTS_MS - 1);
        assert_eq!(w.said_to(anna), [""; 0]);
        w.pass_ms(1);
        let told = [":gzy.local NOTICE #lobby :来了 2 人，走了 2 人，现在 200 人 · 2 came, 2 left, 200 here"];
        assert_eq!(w.said_to(anna), told);
        assert_eq!(w.said_to(小阳), told);
        w.pass_ms(2 * ROOM_COUNTS_MS);
        assert_eq!(w.said_to(anna), [""; 0], "nothing has changed since");
        w.line(小阳, "QUIT");
        assert_eq!(w.said_to(anna).len(), 2, "a room that has shrunk tells names again");
    }
}
