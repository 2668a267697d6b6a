//! Talking: PRIVMSG, NOTICE and TAGMSG, to rooms and to people.

use std::rc::Rc;

use crate::store::record::{Found, Kind, Message, Query, SentAs, Target};
use crate::wire::caps::Caps;
use crate::wire::event::Event;
use crate::wire::limits::{SENT_ID_BYTES, TARGETS};
use crate::wire::line::{Line, Tags};
use crate::wire::msgid::MsgId;
use crate::wire::reply::*;
use crate::wire::verb::Verb;

use super::bang::spoken;
use super::join::clip_word;
use super::receipt::Receipt;
use super::room::Barred;
use super::services::is_service;
use super::session::Purpose;
use super::turn::Turn;
use super::{Audience, ConnId, Effect, Room, RoomId};

/// The tag with which a sender marks a message, so that sending it again is harmless.
const SENT_ID_TAG: &str = "+gzy/id";

/// Something to be said to one target.
#[derive(Clone, Debug)]
pub struct Utterance {
    /// `PRIVMSG` or `NOTICE`.
    pub kind: Kind,
    /// A room's name or a nick, as written.
    pub target: Box<str>,
    /// What to say; a message of several lines has `\n` in it.
    pub text: Box<str>,
    /// Client-only tags.
    pub tags: Option<Box<str>>,
    /// The sender's own id of it.
    pub sent_as: Option<SentAs>,
}

impl Utterance {
    /// As it stands on the line.
    pub(super) fn command(&self) -> &'static str {
        match self.kind {
            Kind::Privmsg => "PRIVMSG",
            Kind::Notice => "NOTICE",
        }
    }
}

impl Turn<'_> {
    /// `PRIVMSG|NOTICE <target>{,<target>} <text>`, `TAGMSG <target>{,<target>}`
    pub(super) fn talk(&mut self, verb: Verb, line: &Line) {
        let Some(targets) = line.param(0) else {
            return self.numeric(ERR_NORECIPIENT, &[], &format!("say to whom: {} <room or nick> <text>", verb.text()));
        };
        let text = line.param(1);
        if verb == Verb::Privmsg && text.is_none() {
            return self.numeric(ERR_NOTEXTTOSEND, &[], "there is no text to send");
        }
        let targets: Vec<&str> = targets.split(',').filter(|target| !target.is_empty()).collect();
        if targets.len() > TARGETS {
            return self.numeric(
                ERR_TOOMANYTARGETS,
                &[clip_word(targets[0])],
                "too many targets in one line; use several lines",
            );
        }
        self.session_mut().spoke_ms = self.now.wall_ms;
        let tags = line.tags.client_only();
        for target in &targets {
            match (verb, text) {
                (Verb::Privmsg | Verb::Notice, Some(text)) if is_service(target) => self.service(text),
                (Verb::Tagmsg, _) => self.signal(target, tags.clone()),
                (Verb::Privmsg, Some(text)) if self.bang(target, text, line.tags) => {}
                (_, Some(text)) => {
                    let kind = if verb == Verb::Notice { Kind::Notice } else { Kind::Privmsg };
                    // One id names one message, so it counts only where there is one target.
                    let sent_as = if targets.len() == 1 { self.sent_as(line.tags) } else { None };
                    let text = if kind == Kind::Privmsg { spoken(text) } else { text };
                    self.say(Utterance {
                        kind,
                        target: (*target).into(),
                        text: text.into(),
                        tags: tags.clone(),
                        sent_as,
                    });
                }
                (_, None) => {}
            }
        }
    }

    /// The sender's own id of the message with these tags.
    pub(super) fn sent_as(&self, tags: Tags) -> Option<SentAs> {
        let id = tags.value(SENT_ID_TAG).filter(|id| !id.is_empty() && id.len() <= SENT_ID_BYTES)?;
        let account = self.session().account_name();
        // Guests share one space of ids: a guest who comes back may have got another nick.
        let sender = account.map_or_else(|| "".into(), crate::wire::name::fold);
        Some(SentAs { sender, id: id.as_ref().into() })
    }

    /// Says it, unless it was said before.
    pub(super) fn say(&mut self, utterance: Utterance) {
        let Some(sent_as) = &utterance.sent_as else { return self.say_anew(utterance) };
        if let Some(id) = self.chat.receipts.recently_sent(sent_as) {
            return self.repeat_receipt(&utterance, id);
        }
        if !self.session().may_repeat {
            return self.say_anew(utterance);
        }
        // A client sends again in order after it lost its link: until one message proves not to be stored, each is looked up.
        let query = Query::Sent(sent_as.clone());
        let token = self.wait_for(Purpose::MaybeSent(Box::new(utterance)));
        self.effects.push(Effect::Ask { token, query });
    }

    /// The store knows whether the message was stored before.
    pub(super) fn say_unless_sent(&mut self, utterance: Utterance, found: Found) {
        match found {
            Found::Sent(Some(id)) => self.repeat_receipt(&utterance, id),
            Found::Sent(None) => {
                self.session_mut().may_repeat = false;
                // Another connection of the sender may have said it while the store was looking.
                let recent = utterance.sent_as.as_ref().and_then(|sent_as| self.chat.receipts.recently_sent(sent_as));
                match recent {
                    Some(id) => self.repeat_receipt(&utterance, id),
                    None => self.say_anew(utterance),
                }
            }
            _ => {
                self.fail(
                    utterance.command(),
                    "TRY_AGAIN",
                    &[clip_word(&utterance.target)],
                    "the store does not answer; send that again in a moment",
                );
            }
        }
    }

    fn say_anew(&mut self, utterance: Utterance) {
        if self.chat.receipts.is_full() {
            let sentence = "the store cannot keep up; that was not sent, say it again in a moment";
            return self.fail(utterance.command(), "TRY_AGAIN", &[clip_word(&utterance.target)], sentence);
        }
        if utterance.target.starts_with('#') {
            self.say_in_room(&utterance);
        } else {
            self.say_to_person(&utterance);
        }
    }

    fn say_in_room(&mut self, utterance: &Utterance) {
        let Some(id) = self.room_to_speak_in(&utterance.target, utterance.kind == Kind::Notice) else { return };
        let Some(room) = self.chat.rooms.get(&id) else { return };
        let (name, target) = (room.name.clone(), room.target());
        let closed_in = if room.is_closed() { room.instance } else { 0 };
        let event = self.uttered(utterance, name.as_str());
        self.tell_others_in(id, Audience::ALL, &event);
        let limit = self.chat.settings.replay;
        // What nobody was shown yet is read from the store when somebody comes.
        if let Some(room) = self.chat.rooms.get_mut(&id).filter(|room| limit > 0 && room.recent_asked) {
            room.keep_recent(event.clone(), limit);
        }
        self.remember(utterance, target, closed_in, &event);
    }

    /// The room, when this session may speak in it; else it is told why not. A notice is refused silently, as RFC 1459 asks.
    fn room_to_speak_in(&mut self, name: &str, silently: bool) -> Option<RoomId> {
        let Some(room) = self.chat.room_meant(self.me, name) else {
            if !silently {
                self.numeric(ERR_NOSUCHCHANNEL, &[clip_word(name)], "there is no such room");
            }
            return None;
        };
        let Some(barred) = room.bars_speech_of(self.session()) else { return Some(room.id) };
        let sentence = match barred {
            Barred::Outside => "only members speak there; JOIN first",
            Barred::Moderated => "that room is moderated; ask an operator for a voice",
            Barred::Banned => "you are banned there",
            Barred::Muted => "you are muted there; ask an operator",
        };
        let name = room.name.clone();
        if !silently {
            self.numeric(ERR_CANNOTSENDTOCHAN, &[name.as_str()], sentence);
        }
        None
    }

    pub(super) fn uttered(&mut self, utterance: &Utterance, target: &str) -> Rc<Event> {
        let id = self.chat.next_id(self.now);
        let mut event = self.my_event(format_args!("{} {target}", utterance.command()), Some(&utterance.text));
        event.time_ms = id.time_ms();
        event.msgid = Some(id);
        event.client_tags = utterance.tags.clone();
        Rc::new(event)
    }

    /// Hands a message to the store, and notes who waits for it to be on disk.
    pub(super) fn remember(&mut self, utterance: &Utterance, target: Target, closed_in: u64, event: &Rc<Event>) {
        let Some(id) = event.msgid else { return };
        let me = self.session();
        let message = Box::new(Message {
            id,
            target,
            closed_in,
            source: me.source().into(),
            account: me.account_name().map(Box::from),
            bot: me.bot,
            kind: utterance.kind,
            text: utterance.text.clone(),
            tags: utterance.tags.clone(),
            sent_as: utterance.sent_as.clone(),
        });
        self.chat.receipts.note_unsaved(id, utterance.text.len(), utterance.sent_as.as_ref());
        let hurry = self.await_receipt(id, event.clone());
        self.effects.push(Effect::Remember { message, hurry });
    }

    /// Whether this session is owed a receipt; if so it is put down.
    fn await_receipt(&mut self, id: MsgId, event: Rc<Event>) -> bool {
        let echo = self.session().echoes().then_some(event);
        let label = self.replies.label.clone();
        if echo.is_none() && label.is_none() {
            return false;
        }
        self.replies.deferred = true;
        let to = self.me;
        let nothing_yet = || Receipt { id, to, label, echoes: Vec::new(), lines: String::new() };
        let receipt = self.receipt.get_or_insert_with(nothing_yet);
        receipt.id = receipt.id.max(id);
        receipt.echoes.extend(echo);
        true
    }

    /// The message was said before: its sender gets the first receipt, and nobody anything.
    fn repeat_receipt(&mut self, utterance: &Utterance, id: MsgId) {
        let room = self.chat.room_meant(self.me, &utterance.target).map(|room| room.name.as_str());
        let target = room.unwrap_or(&utterance.target).to_owned();
        let mut event = self.my_event(format_args!("{} {target}", utterance.command()), Some(&utterance.text));
        event.time_ms = id.time_ms();
        event.msgid = Some(id);
        event.client_tags = utterance.tags.clone();
        if !self.chat.receipts.is_saved(id) {
            self.await_receipt(id, Rc::new(event));
        } else if self.session().echoes() {
            self.reply_event(&event, "");
        }
    }

    /// `TAGMSG`: tags without a text, to those who take tags. Nothing of it is kept.
    fn signal(&mut self, target: &str, tags: Option<Box<str>>) {
        if !self.session().caps.has(Caps::MESSAGE_TAGS) || tags.is_none() {
            return;
        }
        let only = Audience::with(Caps::MESSAGE_TAGS);
        let echoes = self.session().echoes();
        let (name, room, to): (String, Option<RoomId>, Option<ConnId>) = if target.starts_with('#') {
            let Some(id) = self.room_to_speak_in(target, false) else { return };
            (self.chat.rooms.get(&id).map_or(target, |room: &Room| room.name.as_str()).to_owned(), Some(id), None)
        } else {
            let Some(other) = self.chat.session_named(target) else {
                return self.numeric(ERR_NOSUCHNICK, &[clip_word(target)], "nobody of that name is here");
            };
            (other.nick.as_str().to_owned(), None, Some(other.conn))
        };
        let mut event: Event = self.my_event(format_args!("TAGMSG {name}"), None);
        event.msgid = Some(self.chat.next_id(self.now));
        event.client_tags = tags;
        let event = Rc::new(event);
        if let Some(id) = room {
            self.tell_others_in(id, only, &event);
        }
        if let Some(to) = to.filter(|to| *to != self.me) {
            self.effects.push(Effect::ToEach { to: vec![to], only, event: event.clone() });
        }
        if echoes {
            self.reply_event(&event, "");
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::testing::World;

    #[test]
    fn tags_without_a_text_reach_those_who_take_tags() {
        let mut w = World::new();
        let anna = w.join_with_caps("anna", "message-tags echo-message");
        let ben = w.join_with_caps("ben", "message-tags");
        let old = w.join("old");
        w.drain();
        for target in ["#lobby", "ben"] {
            let echo = w.ask(anna, &format!("@+typing=active TAGMSG {target}"));
            let heard = w.said_to(ben);
            assert!(heard.len() == 1 && heard[0].contains("+typing=active :anna!"), "{heard:?}");
            assert_eq!(heard, echo);
        }
        assert_eq!(w.said_to(old), [""; 0]);
        assert!(w.unsaved.is_empty(), "nothing of it is kept");
    }

    #[test]
    fn a_notice_is_refused_silently() {
        let mut w = World::new();
        let anna = w.join("anna");
        w.drain();
        assert!(w.ask(anna, "PRIVMSG nobody :hi")[0].contains(" 401 "));
        for target in ["nobody", "#nowhere", ""] {
            assert_eq!(w.ask(anna, &format!("NOTICE {target} :hi")).len(), usize::from(target.is_empty()));
        }
    }
}
