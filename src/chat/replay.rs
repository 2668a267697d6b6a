//! What a newcomer is shown of what was said before: the last messages of the room.

use std::fmt::Write;
use std::rc::Rc;

use crate::store::record::Found;
use crate::wire::caps::Caps;
use crate::wire::event::{Event, TagSet};
use crate::wire::limits::REPLAY_BYTES;
use crate::wire::msgid::MsgId;

use super::places::event_of;
use super::turn::Turn;
use super::{Chat, Effect, Room, RoomId, SERVER_NAME, Session};

impl Turn<'_> {
    /// Shows the last messages to a client that cannot ask for them itself.
    pub(super) fn replay(&mut self, id: RoomId) {
        let (me, caps, newest) = (self.me, self.session().caps, self.chat.last_id);
        if caps.has(Caps::CHATHISTORY) {
            return;
        }
        self.chat.ask_for_recent(id, self.effects);
        let Some(room) = self.chat.rooms.get_mut(&id) else { return };
        if !room.recent_loaded {
            // What is said from here on is heard live.
            return room.awaiting_replay.push((me, newest));
        }
        let Some(room) = self.chat.rooms.get(&id) else { return };
        let lines = room.replay_for(self.session(), newest);
        self.replies.lines().push_str(&lines);
    }
}

impl Room {
    /// The last messages up to `newest`, as lines for a session that is in the room.
    fn replay_for(&self, session: &Session, newest: MsgId) -> String {
        let mut lines = String::new();
        let (caps, since) = (session.caps, self.place(session).since);
        let is_unheard = |event: &&Rc<Event>| event.msgid.is_some_and(|id| since <= id && id <= newest);
        let mut unheard = self.recent.iter().filter(is_unheard).peekable();
        if unheard.peek().is_none() {
            return lines;
        }
        let batched = caps.has(Caps::BATCH);
        let (name, batch) = (self.name.as_str(), format!("p{}", self.id.0));
        if batched {
            let _ = write!(lines, ":{SERVER_NAME} BATCH +{batch} chathistory {name}\r\n");
        }
        let extra = if batched { format!("batch={batch}") } else { String::new() };
        for event in unheard {
            event.encode(TagSet::of(caps), &extra, &mut lines);
        }
        if batched {
            let _ = write!(lines, ":{SERVER_NAME} BATCH -{batch}\r\n");
        }
        lines
    }

    /// Keeps a message for those who come, and lets go of the oldest beyond `limit`.
    pub(super) fn keep_recent(&mut self, event: Rc<Event>, limit: usize) {
        self.recent_bytes += event.bytes();
        self.recent.push_back(event);
        self.let_go_of_old(limit);
    }

    /// Lets go of the oldest messages beyond `limit`, and of those that make a newcomer read too much.
    fn let_go_of_old(&mut self, limit: usize) {
        while self.recent.len() > limit || self.recent.len() > 1 && self.recent_bytes > REPLAY_BYTES {
            let Some(oldest) = self.recent.pop_front() else { return };
            self.recent_bytes -= oldest.bytes();
        }
    }
}

impl Chat {
    /// Puts what was said before a room was opened in front of what was said since, and shows it to those who came meanwhile.
    pub(super) fn recent_found(&mut self, id: RoomId, found: Found, effects: &mut Vec<Effect>) {
        let limit = self.settings.replay;
        let Some(room) = self.rooms.get_mut(&id) else { return };
        room.recent_loaded = true;
        match found {
            Found::Messages(messages) => {
                // What was said since the question may be in the answer as well.
                let first = room.recent.front().and_then(|event| event.msgid);
                let earlier = messages.into_iter().filter(|message| first.is_none_or(|first| message.id < first));
                for message in earlier.rev().take(limit.saturating_sub(room.recent.len())).collect::<Vec<_>>() {
                    let event = Rc::new(event_of(message, room.name.as_str()));
                    room.recent_bytes += event.bytes();
                    room.recent.push_front(event);
                }
                room.let_go_of_old(limit);
            }
            Found::Failed(reason) => effects.push(Effect::Log {
                conn: None,
                text: format!("the last messages of {} could not be read: {reason}", room.name.as_str()),
            }),
            _ => {}
        }
        for (conn, newest) in std::mem::take(&mut room.awaiting_replay) {
            let Some(room) = self.rooms.get(&id) else { return };
            let Some(session) = self.session(conn) else { continue };
            let lines = room.replay_for(session, newest);
            if !lines.is_empty() {
                effects.push(Effect::Send { to: conn, lines });
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::testing::{World, settings};

    #[test]
    fn a_newcomer_reads_the_last_ten_messages_in_their_order() {
        let mut w = World::new();
        let anna = w.join("anna");
        w.line(anna, "JOIN #茶");
        for n in 1..=12 {
            w.line(anna, &format!("PRIVMSG #茶 :第{n}句"));
        }
        let ben = w.join("ben");
        let lines = w.ask(ben, "JOIN #茶");
        let said = |n: u32| format!(":{} PRIVMSG #茶 :第{n}句", w.source(anna));
        assert_eq!(lines[lines.len() - 10..], (3..=12).map(said).collect::<Vec<_>>());
        assert!(lines[lines.len() - 11].contains(" 366 "));
    }

    #[test]
    fn a_client_with_batches_gets_the_replay_as_one() {
        let mut w = World::new();
        let anna = w.join("anna");
        w.line(anna, "JOIN #茶");
        w.line(anna, "PRIVMSG #茶 :水开了");
        w.pass_ms(1000);
        let 小阳 = w.join_with_caps("小阳", "batch server-time");
        let lines = w.ask(小阳, "JOIN #茶");
        let said = format!("@batch=p2;time=2026-11-20T13:19:21.000Z :{} PRIVMSG #茶 :水开了", w.source(anna));
        assert_eq!(
            lines[lines.len() - 3..],
            [":gzy.local BATCH +p2 chathistory #茶".into(), said, ":gzy.local BATCH -p2".to_owned()]
        );
        let ben = w.join_with_caps("ben", "batch draft/chathistory");
        assert!(w.ask(ben, "JOIN #茶").last().unwrap().contains(" 366 "), "who can ask for history is shown none");
    }

    #[test]
    fn what_was_heard_live_while_the_store_was_slow_is_not_shown_again() {
        let mut w = World::new();
        let anna = w.join("anna");
        w.line(anna, "JOIN #茶");
        w.line(anna, "PRIVMSG #茶 :昨天");
        w.save();
        let yesterday = format!(":{} PRIVMSG #茶 :昨天", w.source(anna));
        w.line(anna, "PART #茶");

        w.asks_by_hand = true;
        w.line(anna, "JOIN #茶");
        w.drain();
        w.line(anna, "PRIVMSG #茶 :早");
        let morning = format!(":{} PRIVMSG #茶 :早", w.source(anna));
        let 小阳 = w.join("小阳");
        w.line(小阳, "JOIN #茶");
        w.drain();
        w.line(anna, "PRIVMSG #茶 :你来了");
        assert_eq!(w.said_to(小阳), [format!(":{} PRIVMSG #茶 :你来了", w.source(anna))]);
        w.answer_from_memory();
        assert_eq!(w.said_to(anna), [yesterday.clone()], "what she said herself is not news");
        assert_eq!(w.said_to(小阳), [yesterday, morning]);
    }

    #[test]
    fn a_store_that_fails_costs_the_replay_and_nothing_else() {
        let mut w = World::new();
        let anna = w.join("anna");
        w.asks_by_hand = true;
        w.line(anna, "JOIN #茶");
        w.drain();
        w.answer(crate::store::record::Found::Failed("disk on fire".into()));
        assert_eq!(w.said_to(anna), [""; 0]);
        assert_eq!(w.log.last().unwrap(), "the last messages of #茶 could not be read: disk on fire");
        w.line(anna, "PRIVMSG #茶 :还在");
        let ben = w.join("ben");
        assert_eq!(w.ask(ben, "JOIN #茶").last().unwrap(), &format!(":{} PRIVMSG #茶 :还在", w.source(anna)));
    }

    #[test]
    fn a_server_without_replay_shows_none_and_asks_for_none() {
        let mut w = World::with(crate::chat::Settings { replay: 0, ..settings() });
        w.asks_by_hand = true;
        let anna = w.join("anna");
        w.line(anna, "JOIN #茶");
        w.line(anna, "PRIVMSG #茶 :嘿");
        let ben = w.join("ben");
        assert!(w.ask(ben, "JOIN #茶").last().unwrap().contains(" 366 "));
        assert!(w.questions.is_empty());
    }

    #[test]
    fn what_was_said_behind_a_key_is_not_shown_to_whoever_opens_the_room_again() {
        let mut w = World::new();
        let anna = w.join("anna");
        w.line(anna, "JOIN #茶");
        w.line(anna, "PRIVMSG #茶 :公开的");
        w.line(anna, "MODE #茶 +k 龙井");
        w.line(anna, "PRIVMSG #茶 :秘密");
        w.save();
        w.line(anna, "PART #茶");
        let eve = w.join("eve");
        let shown: Vec<String> = w.ask(eve, "JOIN #茶").into_iter().filter(|line| line.contains(" PRIVMSG ")).collect();
        assert_eq!(shown, [format!(":{} PRIVMSG #茶 :公开的", w.source(anna))]);
    }
}
