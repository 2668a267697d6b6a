//! Receipts: the sender gets its message back (or an `ACK`) when it is on disk, not before.

use std::collections::{HashMap, VecDeque};
use std::fmt::Write;
use std::rc::Rc;

use crate::store::record::SentAs;
use crate::wire::caps::Caps;
use crate::wire::event::{Event, TagSet};
use crate::wire::limits::{LINE_BYTES, RECENT_SENT_IDS, UNSAVED_LONG_BYTES, UNSAVED_MESSAGES};
use crate::wire::msgid::MsgId;

use super::replies::Replies;
use super::{Chat, ConnId, Effect, Now, SERVER_NAME, Session};

/// A sender who waits for what one of its lines said to be on disk.
#[derive(Debug)]
pub struct Receipt {
    /// The message; the last one where a line had several targets.
    pub id: MsgId,
    /// The sender.
    pub to: ConnId,
    /// The label of its line.
    pub label: Option<Box<str>>,
    /// What comes back; nothing for an `ACK`.
    pub echoes: Vec<Rc<Event>>,
    /// What else the line was answered: a label gets one answer, so it waits too. Empty without a label.
    pub lines: String,
}

/// What is on its way to the disk, and who waits for it.
#[derive(Default, Debug)]
pub struct Receipts {
    /// In the order of ids.
    waiting: VecDeque<Receipt>,
    unsaved: usize,
    /// Those that no single line could hold, with their sizes, and these together.
    long: VecDeque<(MsgId, usize)>,
    long_bytes: usize,
    saved_up_to: MsgId,
    /// The last messages that came with a sender's own id.
    recent: HashMap<SentAs, MsgId>,
    recent_order: VecDeque<SentAs>,
}

impl Receipts {
    /// Nothing is on its way; everything up to `last_id` is on disk.
    pub fn new(last_id: MsgId) -> Receipts {
        Receipts { saved_up_to: last_id, ..Receipts::default() }
    }

    /// Whether so much waits for the disk that a new message has to be refused.
    pub fn is_full(&self) -> bool {
        self.unsaved >= UNSAVED_MESSAGES || self.long_bytes >= UNSAVED_LONG_BYTES
    }

    /// Notes a message of so many bytes that was handed out to be remembered.
    pub fn note_unsaved(&mut self, id: MsgId, bytes: usize, sent_as: Option<&SentAs>) {
        self.unsaved += 1;
        if bytes > LINE_BYTES {
            self.long.push_back((id, bytes));
            self.long_bytes += bytes;
        }
        let Some(sent_as) = sent_as else { return };
        if self.recent_order.len() == RECENT_SENT_IDS
            && let Some(oldest) = self.recent_order.pop_front()
        {
            self.recent.remove(&oldest);
        }
        self.recent.insert(sent_as.clone(), id);
        self.recent_order.push_back(sent_as.clone());
    }

    /// Notes a change that was handed out to be kept.
    pub fn note_change(&mut self) {
        self.unsaved += 1;
    }

    /// The id of a recent message with this sender's id.
    pub fn recently_sent(&self, sent_as: &SentAs) -> Option<MsgId> {
        self.recent.get(sent_as).copied()
    }

    /// Whether a message is on disk.
    pub fn is_saved(&self, id: MsgId) -> bool {
        id <= self.saved_up_to
    }

    /// Puts a receipt in its place.
    pub fn await_saving(&mut self, receipt: Receipt) {
        let at = self.waiting.partition_point(|other| other.id <= receipt.id);
        self.waiting.insert(at, receipt);
    }

    /// Takes the receipts of everything up to `up_to`, which was written, or was not.
    fn take_settled(&mut self, up_to: MsgId, count: usize, is_written: bool) -> Vec<Receipt> {
        self.unsaved = self.unsaved.saturating_sub(count);
        if !is_written {
            self.forget_sent(up_to);
        }
        while let Some((_, bytes)) = self.long.pop_front_if(|(id, _)| *id <= up_to) {
            self.long_bytes -= bytes;
        }
        self.saved_up_to = self.saved_up_to.max(up_to);
        let ready = self.waiting.partition_point(|receipt| receipt.id <= up_to);
        self.waiting.drain(..ready).collect()
    }

    /// Forgets what the messages up to `up_to` that are not on disk were sent as, so that they can be sent again.
    fn forget_sent(&mut self, up_to: MsgId) {
        let lost = self.saved_up_to..up_to;
        self.recent.retain(|_, id| *id <= lost.start || *id > lost.end);
        self.recent_order.retain(|sent_as| self.recent.contains_key(sent_as));
    }

    /// Takes what was put off for one sender, because its capabilities change and the lines were made for the old ones.
    pub fn take_lines_of(&mut self, conn: ConnId) -> String {
        let own = self.waiting.iter_mut().filter(|receipt| receipt.to == conn);
        own.map(|receipt| std::mem::take(&mut receipt.lines)).collect()
    }

    /// Whether nothing waits for the disk.
    #[cfg(test)]
    pub fn is_empty(&self) -> bool {
        self.waiting.is_empty() && self.unsaved == 0 && self.long_bytes == 0
    }
}

impl Chat {
    /// Sends the receipts of what was written, or tells the senders that it was not.
    pub(super) fn saved(
        &mut self,
        up_to: MsgId,
        count: usize,
        result: Result<(), Box<str>>,
        now: Now,
        effects: &mut Vec<Effect>,
    ) {
        for receipt in self.receipts.take_settled(up_to, count, result.is_ok()) {
            let lines = match &result {
                Ok(()) => self.receipt_lines(&receipt),
                Err(reason) => self.not_saved_lines(&receipt, reason),
            };
            if let Some(lines) = lines {
                effects.push(Effect::Send { to: receipt.to, lines });
            }
        }
        self.shelf_settled(up_to, result.is_ok(), now, effects);
        if let Err(reason) = result {
            effects.push(Effect::Log { conn: None, text: format!("{count} messages could not be saved: {reason}") });
        }
    }

    /// The receipt's lines; `None` when the sender is gone.
    fn receipt_lines(&self, receipt: &Receipt) -> Option<String> {
        let session = self.session(receipt.to)?;
        let mut lines = receipt.lines.clone();
        for event in &receipt.echoes {
            event.encode(TagSet::of(session.caps), "", &mut lines);
        }
        Some(labelled(session, receipt, lines)).filter(|lines| !lines.is_empty())
    }

    fn not_saved_lines(&self, receipt: &Receipt, reason: &str) -> Option<String> {
        let session = self.session(receipt.to)?;
        let mut lines = receipt.lines.clone();
        let sentence = format!("your message was shown but could not be kept ({reason}); tell the host");
        let _ = if session.caps.has(Caps::STANDARD_REPLIES) {
            write!(lines, ":{SERVER_NAME} FAIL PRIVMSG NOT_SAVED :{sentence}\r\n")
        } else {
            write!(lines, ":{SERVER_NAME} NOTICE {} :{sentence}\r\n", session.nick.as_str())
        };
        Some(labelled(session, receipt, lines))
    }
}

/// The lines with the receipt's label, for a client that still takes labels.
fn labelled(session: &Session, receipt: &Receipt, lines: String) -> String {
    let label = receipt.label.clone().filter(|_| session.answers_labels());
    Replies::answering(label, lines).finish(&format!("e{}", receipt.id))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::wire::limits::MULTILINE_BYTES;

    #[test]
    fn a_few_long_messages_fill_what_waits_for_the_disk_as_many_short_ones_do() {
        let mut receipts = Receipts::default();
        let count = UNSAVED_LONG_BYTES / MULTILINE_BYTES;
        for id in 1..=count {
            assert!(!receipts.is_full());
            receipts.note_unsaved(MsgId(id as u64), MULTILINE_BYTES, None);
        }
        assert!(receipts.is_full() && count < UNSAVED_MESSAGES);
        receipts.take_settled(MsgId(1), 1, true);
        assert!(!receipts.is_full());
        receipts.take_settled(MsgId(count as u64), count - 1, false);
        assert!(receipts.is_empty());
    }
}
