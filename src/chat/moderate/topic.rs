//! TOPIC: what a room is about.

use std::rc::Rc;

use crate::wire::limits::TOPIC_BYTES;
use crate::wire::line::{Line, clip};
use crate::wire::reply::*;

use super::super::room::Topic;
use super::super::turn::Turn;
use super::super::{Audience, RoomId};

impl Turn<'_> {
    /// `TOPIC <room> [<text>]`; an empty text takes the topic away.
    pub(in crate::chat) fn topic(&mut self, line: &Line) {
        let Some(id) = self.shown_room(line.params()[0]) else { return };
        match line.params().get(1) {
            None => self.show_topic(id),
            Some(text) if self.may_set_topic(id) => self.set_topic(id, clip(text, TOPIC_BYTES)),
            Some(_) => {}
        }
    }

    /// Who may not speak in a room does not set its topic either, lock or not.
    fn may_set_topic(&mut self, id: RoomId) -> bool {
        if !self.is_inside(id) {
            return false;
        }
        let Some(room) = self.chat.rooms.get(&id) else { return false };
        if room.flags.topic_locked {
            return self.runs(id);
        }
        let barred = room.bars_speech_of(self.session());
        let name = room.name.clone();
        if barred.is_some() {
            self.numeric(
                ERR_CANNOTSENDTOCHAN,
                &[name.as_str()],
                "you may not speak there, so you may not set the topic",
            );
        }
        barred.is_none()
    }

    fn set_topic(&mut self, id: RoomId, text: &str) {
        let (by, at_ms) = (self.session().source().into(), self.now.wall_ms);
        let Some(room) = self.chat.rooms.get_mut(&id) else { return };
        room.topic = (!text.is_empty()).then(|| Topic { text: text.into(), by, at_ms });
        let name = room.name.clone();
        let event = Rc::new(self.my_event(format_args!("TOPIC {}", name.as_str()), Some(text)));
        self.reply_event(&event, "");
        self.tell_others_in(id, Audience::ALL, &event);
        self.record_shape(id);
    }

    /// `RPL_TOPIC` and `RPL_TOPICWHOTIME`, or `RPL_NOTOPIC`.
    pub(in crate::chat) fn show_topic(&mut self, id: RoomId) {
        let Some(room) = self.chat.rooms.get(&id) else { return };
        let (name, topic) = (room.name.clone(), room.topic.clone());
        let Some(topic) = topic else {
            return self.numeric(RPL_NOTOPIC, &[name.as_str()], "No topic is set");
        };
        self.numeric(RPL_TOPIC, &[name.as_str()], &topic.text);
        let at = (topic.at_ms / 1000).to_string();
        self.bare_numeric(RPL_TOPICWHOTIME, &[name.as_str(), &topic.by, &at]);
    }
}

#[cfg(test)]
mod tests {
    use super::super::super::testing::World;

    #[test]
    fn a_topic_is_set_told_shown_to_newcomers_and_taken_away() {
        let mut w = World::new();
        let 小阳 = w.join("小阳");
        let anna = w.join("anna");
        w.line(小阳, "JOIN #茶");
        w.drain();
        assert_eq!(w.ask(小阳, "TOPIC #茶"), [":gzy.local 331 小阳 #茶 :No topic is set"]);
        let by = w.source(小阳);
        assert_eq!(w.ask(小阳, "TOPIC #茶 :今天喝龙井"), [format!(":{by} TOPIC #茶 :今天喝龙井")]);
        w.pass_ms(9000);
        let shown =
            [":gzy.local 332 anna #茶 :今天喝龙井".to_owned(), format!(":gzy.local 333 anna #茶 {by} 1795180761")];
        assert_eq!(w.ask(anna, "TOPIC #茶"), shown, "anybody may read the topic of a room that is not secret");
        assert_eq!(w.ask(anna, "JOIN #茶")[1..3], shown);
        w.said_to(小阳);
        let told = [format!(":{by} TOPIC #茶 :")];
        assert_eq!(w.ask(小阳, "TOPIC #茶 :"), told);
        assert_eq!(w.said_to(anna), told);
        assert_eq!(w.ask(anna, "TOPIC #茶"), [":gzy.local 331 anna #茶 :No topic is set"]);
    }

    #[test]
    fn a_locked_topic_is_for_operators_and_an_open_one_for_those_who_may_speak() {
        let mut w = World::new();
        let anna = w.join("anna");
        let ben = w.join("ben");
        w.line(anna, "JOIN #茶");
        w.line(ben, "JOIN #茶");
        w.drain();
        assert_eq!(
            w.ask(ben, "TOPIC #茶 :咖啡"),
            [":gzy.local 482 ben #茶 :you are no operator of that room; ask one (@ in NAMES)"]
        );
        w.line(anna, "MODE #茶 -t+b m:ben");
        w.drain();
        assert_eq!(
            w.ask(ben, "TOPIC #茶 :咖啡"),
            [":gzy.local 404 ben #茶 :you may not speak there, so you may not set the topic"]
        );
        w.line(anna, "MODE #茶 -b m:ben");
        w.drain();
        let told = [format!(":{} TOPIC #茶 :咖啡", w.source(ben))];
        assert_eq!(w.ask(ben, "TOPIC #茶 :咖啡"), told);
        assert_eq!(w.said_to(anna), told);
    }

    #[test]
    fn strangers_set_no_topic_and_see_none_of_a_secret_room() {
        let mut w = World::new();
        let anna = w.join("anna");
        let eve = w.join("eve");
        w.line(anna, "JOIN #茶");
        w.line(anna, "MODE #茶 -t");
        assert_eq!(w.ask(eve, "TOPIC #茶 :嘿"), [":gzy.local 442 eve #茶 :you are not in that room"]);
        w.line(anna, "MODE #茶 +s");
        for line in ["TOPIC #茶", "TOPIC #茶 :嘿", "TOPIC #没有"] {
            let name = line.split(' ').nth(1).unwrap();
            assert_eq!(w.ask(eve, line), [format!(":gzy.local 403 eve {name} :there is no such room")], "{line}");
        }
        w.make_operator(eve);
        w.drain();
        let told = [format!(":{} TOPIC #茶 :大家好", w.source(eve))];
        assert_eq!(w.ask(eve, "TOPIC #茶 :大家好"), told);
        assert_eq!(w.said_to(anna), told);
    }

    #[test]
    fn a_long_topic_ends_at_the_border_of_a_character() {
        let mut w = World::new();
        let anna = w.join("anna");
        w.line(anna, "JOIN #茶");
        w.drain();
        let told = w.ask(anna, &format!("TOPIC #茶 :x{}", "茶".repeat(200)));
        assert_eq!(told, [format!(":{} TOPIC #茶 :x{}", w.source(anna), "茶".repeat(99))]);
    }
}
