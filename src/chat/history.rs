//! What was said before: CHATHISTORY for rooms (IRCv3 draft/chathistory).

use std::fmt::Write;
use std::rc::Rc;

use crate::store::record::{Found, Kind, Message, Query};
use crate::wire::caps::Caps;
use crate::wire::event::{Event, sent_bytes};
use crate::wire::limits::{HISTORY_BYTES, HISTORY_MESSAGES};
use crate::wire::line::Line;
use crate::wire::msgid::MsgId;
use crate::wire::timestamp;

use super::join::clip_word;
use super::session::Purpose;
use super::turn::Turn;
use super::{Effect, SERVER_NAME};

/// Where a CHATHISTORY answer begins or ends.
enum Selector {
    Newest,
    /// The message itself is not part of the answer, whichever way it goes.
    Id(MsgId),
    /// Messages of that very millisecond are not part of the answer either.
    Time(u64),
}

impl Selector {
    fn parse(text: &str) -> Option<Selector> {
        if text == "*" {
            return Some(Selector::Newest);
        }
        let (kind, value) = text.split_once('=')?;
        match kind {
            "msgid" => MsgId::parse(value).map(Selector::Id),
            "timestamp" => timestamp::parse(value).map(Selector::Time),
            _ => None,
        }
    }

    /// Messages before this id are before the selector.
    fn upper(&self) -> Option<MsgId> {
        match self {
            Selector::Newest => None,
            Selector::Id(id) => Some(*id),
            Selector::Time(at_ms) => Some(MsgId::first_at(*at_ms)),
        }
    }

    /// Messages after this id are after the selector.
    fn lower(&self) -> MsgId {
        match self {
            Selector::Newest => MsgId::default(),
            Selector::Id(id) => *id,
            Selector::Time(at_ms) => MsgId(MsgId::first_at(*at_ms + 1).0.saturating_sub(1)),
        }
    }
}

impl Turn<'_> {
    /// `CHATHISTORY LATEST|BEFORE|AFTER <room> <selector> <limit>`
    pub(super) fn chathistory(&mut self, line: &Line) {
        let [what, target, selector, limit] = [0, 1, 2, 3].map(|at| line.params()[at]);
        if !self.session().caps.has(Caps::CHATHISTORY.with(Caps::BATCH)) {
            return self.fail("CHATHISTORY", "NEED_CAPABILITY", &[], "ask for draft/chathistory and batch first");
        }
        let subcommand = what.to_ascii_uppercase();
        let (Some(selector), Ok(limit)) = (Selector::parse(selector), limit.parse::<usize>()) else {
            return self.fail(
                "CHATHISTORY",
                "INVALID_PARAMS",
                &[clip_word(what)],
                "say * or msgid=… or timestamp=…, and a number",
            );
        };
        let limit = limit.min(HISTORY_MESSAGES);
        let Some(room) = self.chat.room_meant(self.me, target).filter(|room| room.standing(self.me).is_some()) else {
            let context = [clip_word(what), clip_word(target)];
            return self.fail(
                "CHATHISTORY",
                "INVALID_TARGET",
                &context,
                "you can read the history of rooms that you are in",
            );
        };
        let place = room.place(self.session());
        let query = match subcommand.as_str() {
            "LATEST" => Query::Before { place, before: None, limit },
            "BEFORE" => Query::Before { place, before: selector.upper(), limit },
            "AFTER" => Query::After { place, after: selector.lower(), limit },
            _ => return self.fail("CHATHISTORY", "INVALID_PARAMS", &[clip_word(what)], "say LATEST, BEFORE or AFTER"),
        };
        let target = room.name.as_str().into();
        let newer_than = if subcommand == "LATEST" { selector.lower() } else { MsgId::default() };
        let from_newest = subcommand != "AFTER";
        let token = self.wait_for(Purpose::History { target, newer_than, from_newest });
        self.effects.push(Effect::Ask { token, query });
    }

    /// Answers CHATHISTORY with a batch.
    pub(super) fn show_history(&mut self, target: &str, newer_than: MsgId, from_newest: bool, found: Found) {
        let mut messages = match found {
            Found::Messages(messages) => messages,
            Found::Failed(reason) => {
                let sentence = format!("the history could not be read: {reason}");
                return self.fail("CHATHISTORY", "MESSAGE_ERROR", &[target], &sentence);
            }
            _ => return,
        };
        messages.retain(|message| message.id > newer_than);
        keep_what_fits(&mut messages, from_newest);
        let batch = format!("h{}", self.chat.last_token);
        let _ = write!(self.replies.lines(), ":{SERVER_NAME} BATCH +{batch} chathistory {target}\r\n");
        let extra = format!("batch={batch}");
        for message in messages {
            self.reply_event(&event_of(message, target), &extra);
        }
        let _ = write!(self.replies.lines(), ":{SERVER_NAME} BATCH -{batch}\r\n");
    }
}

/// Lets go of what makes an answer too long: the oldest messages, or the newest.
fn keep_what_fits(messages: &mut Vec<Message>, from_newest: bool) {
    let mut bytes = 0;
    let mut fits = |message: &&Message| {
        bytes += sent_bytes(&message.text);
        bytes <= HISTORY_BYTES
    };
    if from_newest {
        let count = messages.iter().rev().take_while(&mut fits).count();
        messages.drain(..messages.len() - count);
    } else {
        let count = messages.iter().take_while(fits).count();
        messages.truncate(count);
    }
}

/// A kept message as the line it was.
pub(super) fn event_of(message: Message, target: &str) -> Event {
    let command = match message.kind {
        Kind::Privmsg => "PRIVMSG",
        Kind::Notice => "NOTICE",
    };
    let head = format!(":{} {command} {target}", message.source);
    let mut event = Event::owning(message.id.time_ms(), head, Some(message.text));
    event.msgid = Some(message.id);
    event.account = message.account.map(Rc::from);
    event.bot = message.bot;
    event.client_tags = message.tags;
    event
}
