//! What programs ask of the past, while the store looks for it: CHATHISTORY, SEARCH and REDACT.

use std::fmt::Write;

use crate::store::record::{Found, Message, Search, Target};
use crate::wire::event::sent_bytes;
use crate::wire::limits::HISTORY_BYTES;

use super::SERVER_NAME;
use super::redact::Removal;
use super::turn::Turn;

/// A question that is under way, and what its answer needs.
#[derive(Debug)]
pub enum Recall {
    /// `CHATHISTORY` of a place. Where it gets too long, it is the older messages that are asked for again (`from_newest`), or the newer ones.
    History { name: Box<str>, from_newest: bool },
    /// `CHATHISTORY TARGETS`: at most so many of the rooms and conversations, which are the oldest of them or the newest.
    Targets { rooms: Vec<(Target, Box<str>)>, limit: usize, newest: bool },
    /// `SEARCH` everywhere: the conversations of the asker are looked up first.
    SearchWhere { search: Search, names: Vec<(Target, Box<str>)> },
    /// `SEARCH`.
    Search { names: Vec<(Target, Box<str>)> },
    /// `REDACT`.
    Removal(Removal),
}

impl Turn<'_> {
    /// The store has answered.
    pub(super) fn recalled(&mut self, recall: Recall, found: Found) {
        match recall {
            Recall::History { name, from_newest } => self.show_history(&name, from_newest, found),
            Recall::Targets { rooms, limit, newest } => self.show_targets(&rooms, limit, newest, found),
            Recall::SearchWhere { search, names } => self.search_in_found(search, names, found),
            Recall::Search { names } => self.show_found(&names, found),
            Recall::Removal(removal) => self.removal_answered(removal, found),
        }
    }

    /// Answers with a batch of a type, with what follows the type.
    pub(super) fn reply_batch(&mut self, kind: &str, fill: impl FnOnce(&mut Self, &str)) {
        let batch = format!("h{}", self.chat.last_token);
        let _ = write!(self.replies.lines(), ":{SERVER_NAME} BATCH +{batch} {kind}\r\n");
        fill(self, &format!("batch={batch}"));
        let _ = write!(self.replies.lines(), ":{SERVER_NAME} BATCH -{batch}\r\n");
    }
}

/// What a target is called, by a list of those that are known.
pub(super) fn name_among<'a>(names: &'a [(Target, Box<str>)], target: &Target) -> Option<&'a str> {
    names.iter().find(|(known, _)| known == target).map(|(_, name)| &**name)
}

/// Lets go of what makes an answer too long: the oldest messages, or the newest.
pub(super) fn keep_what_fits(messages: &mut Vec<Message>, from_newest: bool) {
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
