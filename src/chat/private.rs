//! Private talk: to people who are here, and to accounts that are away.

use std::rc::Rc;

use crate::store::change::Change;
use crate::store::record::{AccountId, Kind, Target};
use crate::wire::caps::Caps;
use crate::wire::event::Event;
use crate::wire::reply::*;

use super::join::clip_word;
use super::talk::Utterance;
use super::turn::Turn;
use super::{Audience, ConnId, Effect};

/// What the sender is told when the receiver is not here.
const KEPT: &str = "不在线，上线时会看到 · not here right now; it waits for the next login";

impl Turn<'_> {
    /// Says something to one person: a nick, an account's name or its number.
    pub(super) fn say_to_person(&mut self, utterance: &Utterance) {
        match self.chat.accounts.meant(&utterance.target) {
            Some(account) => self.say_to_account(account, utterance),
            None => self.say_to_guest(utterance),
        }
    }

    /// A guest has to be here, and nothing of it is kept.
    fn say_to_guest(&mut self, utterance: &Utterance) {
        let Some(other) = self.chat.session_named(&utterance.target) else {
            return self.refuse_private(utterance, "nobody of that name is here");
        };
        let (to, nick) = (other.conn, other.nick.as_str().to_owned());
        let event = self.uttered(utterance, &nick);
        self.hand_over(vec![to], &event);
        self.tell_away(utterance, to, &nick);
        self.echo_unkept(to, &event);
    }

    /// An account hears it on all its devices. Between two accounts it is kept, so that it may also be away.
    fn say_to_account(&mut self, account: AccountId, utterance: &Utterance) {
        let Some(other) = self.chat.accounts.get(account) else { return };
        let (nick, devices) = (other.name.as_str().to_owned(), other.devices.clone());
        let mine = self.session().account.as_ref().map(|login| login.id);
        if mine.is_none() && devices.is_empty() {
            let sentence =
                "they are not here, and only people with an account can leave a message; !register makes one";
            return self.refuse_private(utterance, sentence);
        }
        let event = self.uttered(utterance, &nick);
        self.hand_over(devices.clone(), &event);
        match devices.first() {
            Some(lead) => self.tell_away(utterance, *lead, &nick),
            None if utterance.kind == Kind::Privmsg => self.numeric(RPL_AWAY, &[&nick], KEPT),
            None => {}
        }
        match mine {
            Some(mine) => {
                self.remember(utterance, Target::pair(mine, account), 0, &event);
                self.note_delivered(account, &devices, &event);
            }
            None => self.echo_unkept(devices[0], &event),
        }
    }

    fn refuse_private(&mut self, utterance: &Utterance, sentence: &str) {
        if utterance.kind == Kind::Privmsg {
            self.numeric(ERR_NOSUCHNICK, &[clip_word(&utterance.target)], sentence);
        }
    }

    /// Sends a private line to these connections, and to the other devices of the sender that take their own words back.
    fn hand_over(&mut self, to: Vec<ConnId>, event: &Rc<Event>) {
        let me = self.me;
        let mut own = self.chat.other_devices(me);
        own.retain(|device| !to.contains(device));
        let to: Vec<ConnId> = to.into_iter().filter(|conn| *conn != me).collect();
        for (to, only) in [(to, Audience::ALL), (own, Audience::with(Caps::ECHO_MESSAGE))] {
            if !to.is_empty() {
                self.effects.push(Effect::ToEach { to, only, event: event.clone() });
            }
        }
    }

    fn tell_away(&mut self, utterance: &Utterance, other: ConnId, nick: &str) {
        let away = self.chat.session(other).and_then(|session| session.away.clone());
        if let Some(reason) = away.filter(|_| utterance.kind == Kind::Privmsg) {
            self.numeric(RPL_AWAY, &[nick], &reason);
        }
    }

    /// Nothing of it is kept, so there is nothing to wait for.
    fn echo_unkept(&mut self, to: ConnId, event: &Rc<Event>) {
        if to == self.me || self.session().echoes() {
            self.reply_event(event, "");
        }
    }

    /// A client that cannot ask for what it missed has it now, and is not shown it again at the next login.
    fn note_delivered(&mut self, account: AccountId, devices: &[ConnId], event: &Event) {
        let cannot_ask = |conn: &ConnId| self.chat.session(*conn).is_some_and(|s| !s.caps.has(Caps::CHATHISTORY));
        if let Some(up_to) = event.msgid.filter(|_| devices.iter().any(cannot_ask)) {
            self.note_heard(account, up_to);
        }
    }

    /// Hands a change to the store. Nobody waits for it.
    pub(super) fn record(&mut self, change: Change) {
        self.chat.record(change, self.now, self.effects);
    }
}
