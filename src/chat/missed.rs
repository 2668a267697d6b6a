//! What somebody was told in private while they were away, shown when they come back.
//!
//! A client that can ask for history does so. The others are shown what was handed to none of their kind yet.

use std::fmt::Write;

use crate::store::change::Change;
use crate::store::record::{AccountId, Found, Message, Query};
use crate::wire::caps::Caps;
use crate::wire::event::TagSet;
use crate::wire::limits::MISSED_MESSAGES;
use crate::wire::msgid::MsgId;

use super::recall::keep_what_fits;
use super::turn::Turn;
use super::{Asker, Chat, ConnId, Effect, Now, SERVER_NAME, Session};

impl Turn<'_> {
    /// This session is a device of its account from here on: what was read is known, and what was missed is shown.
    pub(super) fn catch_up(&mut self) {
        let (me, newest) = (self.me, self.chat.last_id);
        let Some(account) = self.chat.account_of(me) else { return };
        self.chat.readers.forget_guest(me);
        self.chat.hold_person(account, self.effects);
        if self.session().caps.has(Caps::CHATHISTORY) {
            return;
        }
        let Some(here) = self.chat.readers.here(account) else { return };
        // Where others wait, the question is under way.
        let after = here.delivered.filter(|_| here.awaiting.is_empty());
        here.awaiting.push((me, newest));
        if let Some(after) = after {
            self.chat.ask_missed(account, after, self.effects);
        }
    }

    /// A device that cannot ask for history has heard the private messages up to this one.
    pub(super) fn note_heard(&mut self, account: AccountId, up_to: MsgId) {
        let Some(here) = self.chat.readers.here(account) else { return };
        if !here.awaiting.is_empty() {
            here.heard = here.heard.max(up_to);
        } else if here.delivered.is_some_and(|delivered| delivered < up_to) {
            here.delivered = Some(up_to);
            self.record(Change::Delivered { account, up_to });
        }
    }
}

impl Chat {
    /// Asks for the private messages after an id. One more than is shown tells whether there are more.
    pub(super) fn ask_missed(&mut self, account: AccountId, after: MsgId, effects: &mut Vec<Effect>) {
        let token = self.next_token(Asker::Missed(account));
        effects.push(Effect::Ask { token, query: Query::Private { account, after, limit: MISSED_MESSAGES + 1 } });
    }

    /// Shows what was missed to those who wait for it.
    pub(super) fn missed_found(&mut self, account: AccountId, found: Found, now: Now, effects: &mut Vec<Effect>) {
        let messages = match found {
            Found::Messages(messages) => messages,
            Found::Failed(reason) => return self.missed_not_found(account, &reason, effects),
            _ => return,
        };
        let Some(here) = self.readers.here(account) else { return };
        let (mut awaiting, heard) = (std::mem::take(&mut here.awaiting), here.heard);
        awaiting.retain(|(conn, _)| self.accounts.devices(account).contains(conn));
        for (conn, newest) in &awaiting {
            let lines = self.missed_lines(*conn, account, &messages, *newest);
            if !lines.is_empty() {
                effects.push(Effect::Send { to: *conn, lines });
            }
        }
        let heard = messages.last().map_or(heard, |message| message.id.max(heard));
        if let Some((conn, _)) = awaiting.first() {
            self.turn(*conn, now, effects, |turn| turn.note_heard(account, heard));
        }
    }

    /// The store could not tell what was missed. Nothing counts as delivered, so that the next device is shown it.
    pub(super) fn missed_not_found(&mut self, account: AccountId, reason: &str, effects: &mut Vec<Effect>) {
        let text = format!("what account {} has read and missed could not be looked up: {reason}", account.0);
        effects.push(Effect::Log { conn: None, text });
        let Some(here) = self.readers.ask_again_later(account) else { return };
        for (conn, _) in here.awaiting {
            let Some(session) = self.session(conn) else { continue };
            let lines = format!(
                ":{SERVER_NAME} NOTICE {} :你不在时的私聊现在读不出来；用 ！聊天记录*名字 看 · \
                 what you were told while away cannot be read right now; !history NAME shows it\r\n",
                session.nick.as_str()
            );
            effects.push(Effect::Send { to: conn, lines });
        }
    }

    /// The messages up to `newest` that are news to a device, as lines for it: in batches by conversation where it takes batches.
    fn missed_lines(&self, conn: ConnId, account: AccountId, messages: &[Message], newest: MsgId) -> String {
        let Some(session) = self.session(conn) else { return String::new() };
        let mut news: Vec<Message> =
            messages.iter().filter(|m| self.is_news(session, account, m, newest)).cloned().collect();
        let has_more = messages.len() > MISSED_MESSAGES;
        news.drain(..news.len().saturating_sub(MISSED_MESSAGES));
        keep_what_fits(&mut news, true);
        let mut lines = String::new();
        if has_more && !news.is_empty() {
            let nick = session.nick.as_str();
            let count = news.len();
            let _ = write!(
                lines,
                ":{SERVER_NAME} NOTICE {nick} :你不在时的私聊很多，这里是最近的 {count} 条；更早的用 ！聊天记录*名字 看 · \
                 here are the newest {count} of what you were told while away; !history NAME shows what came before\r\n"
            );
        }
        if session.caps.has(Caps::BATCH) {
            self.push_batches(session, account, news, &mut lines);
        } else {
            news.into_iter().for_each(|message| self.push_message(session, account, message, "", &mut lines));
        }
        lines
    }

    /// Whether a device has not had this message: it came before the device did, nobody has read it, and it is the other's.
    fn is_news(&self, session: &Session, account: AccountId, message: &Message, newest: MsgId) -> bool {
        let is_mine = session.account_name() == message.account.as_deref();
        message.id <= newest && (!is_mine || session.echoes()) && !self.has_read(account, &message.target, message.id)
    }

    fn push_batches(&self, session: &Session, account: AccountId, mut news: Vec<Message>, lines: &mut String) {
        let mut number = 0;
        while let Some(first) = news.first() {
            let target = first.target.clone();
            let (of_this, others) = news.into_iter().partition(|message| message.target == target);
            news = others;
            let Some(past) = self.past_filed(account, &target) else { continue };
            number += 1;
            let batch = format!("q{}n{number}", session.conn.serial);
            let _ = write!(lines, ":{SERVER_NAME} BATCH +{batch} chathistory {}\r\n", past.name);
            let extra = format!("batch={batch}");
            let of_this: Vec<Message> = of_this;
            of_this.into_iter().for_each(|message| self.push_message(session, account, message, &extra, lines));
            let _ = write!(lines, ":{SERVER_NAME} BATCH -{batch}\r\n");
        }
    }

    fn push_message(&self, session: &Session, account: AccountId, message: Message, extra: &str, lines: &mut String) {
        if let Some(past) = self.past_filed(account, &message.target) {
            self.kept_line(message, session.conn, &past.name).encode(TagSet::of(session.caps), extra, lines);
        }
    }
}

#[cfg(test)]
mod tests;
