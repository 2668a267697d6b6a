//! Which messages were shown already, so that none is shown twice.

use std::collections::{HashSet, VecDeque};

/// Ids that are remembered. What is fetched after a broken link overlaps with what is known by a few messages only.
const REMEMBERED: usize = 8192;

/// The ids of the latest messages.
#[derive(Default, Debug)]
pub struct Seen {
    ids: HashSet<Box<str>>,
    order: VecDeque<Box<str>>,
    last: Option<(Box<str>, bool, bool)>,
}

/// What identifies a message.
#[derive(Clone, Copy, Debug)]
pub struct Identity<'a> {
    /// The id that the server gave it.
    pub msgid: Option<&'a str>,
    /// Who sent it, folded.
    pub sender: &'a str,
    /// The sender's own id for it (`+gzy/id`); the same when it was sent again.
    pub sent_id: Option<&'a str>,
    /// It came out of the server's memory.
    pub history: bool,
    /// It is the client's own.
    pub own: bool,
}

impl Seen {
    /// Notes a message; `false` when it was here before. A message without any id always counts as new.
    pub fn is_new(&mut self, message: Identity) -> bool {
        // A text too long for one line comes as several with one id, in a row. Own texts are sent so short that this does not
        // happen to them, while the echo of an own message may well follow the same message out of the history.
        if let (Some(msgid), Some((last, history, was_new))) = (message.msgid, &self.last)
            && !message.own
            && **last == *msgid
            && *history == message.history
        {
            return *was_new;
        }
        let sent = message.sent_id.map(|id| format!("{} {id}", message.sender));
        let by_msgid = message.msgid.is_none_or(|id| self.note(id));
        let by_sent_id = sent.is_none_or(|sent| self.note(&sent));
        let is_new = by_msgid && by_sent_id;
        self.last = message.msgid.map(|id| (id.into(), message.history, is_new));
        is_new
    }

    /// The link broke: what comes next does not go on with what came last.
    pub fn lost(&mut self) {
        self.last = None;
    }

    fn note(&mut self, id: &str) -> bool {
        if self.ids.contains(id) {
            return false;
        }
        if self.order.len() == REMEMBERED
            && let Some(oldest) = self.order.pop_front()
        {
            self.ids.remove(&oldest);
        }
        self.ids.insert(id.into());
        self.order.push_back(id.into());
        true
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn message<'a>(msgid: &'a str, sent_id: &'a str) -> Identity<'a> {
        let some = |text: &'a str| Some(text).filter(|t| !t.is_empty());
        Identity { msgid: some(msgid), sender: "anna", sent_id: some(sent_id), history: false, own: false }
    }

    #[test]
    fn a_message_counts_once_by_either_id() {
        let mut seen = Seen::default();
        assert!(seen.is_new(message("1", "a")));
        assert!(seen.is_new(message("2", "")));
        assert!(!seen.is_new(message("1", "")));
        // The server crashed before it was safe, and anna sent it again: a new message id, her own id is the same.
        assert!(!seen.is_new(message("3", "a")));
        assert!(seen.is_new(Identity { sender: "eve", ..message("4", "a") }));
        assert!(seen.is_new(message("", "")) && seen.is_new(message("", "")));
    }

    #[test]
    fn a_long_text_in_several_lines_is_one_message() {
        let mut seen = Seen::default();
        assert!(seen.is_new(message("1", "a")));
        assert!(seen.is_new(message("1", "a")));
        assert!(seen.is_new(message("2", "")));
        let again = Identity { history: true, ..message("1", "a") };
        assert!(!seen.is_new(again));
        assert!(!seen.is_new(again));
    }

    #[test]
    fn the_echo_of_an_own_message_is_not_the_rest_of_it() {
        let mut seen = Seen::default();
        let own = Identity { own: true, ..message("1", "a") };
        assert!(seen.is_new(Identity { history: true, ..own }));
        assert!(!seen.is_new(own));
        assert!(!seen.is_new(own));
    }

    #[test]
    fn memory_is_bounded() {
        let mut seen = Seen::default();
        for number in 0..REMEMBERED * 2 {
            assert!(seen.is_new(message(&number.to_string(), "")));
        }
        assert_eq!((seen.ids.len(), seen.order.len()), (REMEMBERED, REMEMBERED));
    }
}
