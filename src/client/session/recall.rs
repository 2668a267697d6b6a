//! What the server remembers, as a session asks for it: history in front of what is said, news of conversations, and questions of the user.

use super::*;
use crate::client::batches::Memory;
use crate::wire::timestamp;

impl Session {
    /// A BATCH line. An error ends the link.
    pub(super) fn batch(&mut self, line: &Line, now_ms: u64, orders: &mut Orders) -> Result<(), Trouble> {
        match self.batches.heard(line) {
            Some(Closed::Message(text)) => {
                let Some(line) = Line::parse(&text) else { return Ok(()) };
                return self.said(&line, &text, now_ms, orders);
            }
            Some(Closed::Memory { of, label, lines }) => self.remembered(&of, label, lines, now_ms, orders),
            Some(Closed::Answer(label)) => self.outbox.answer_ended(&label, orders),
            None => {}
        }
        self.flush(now_ms, orders);
        Ok(())
    }

    /// An answer is here: what of it is ours has arrived; who asked for the rest is told.
    fn remembered(
        &mut self,
        of: &Memory,
        label: Option<Box<str>>,
        lines: Vec<Box<str>>,
        now_ms: u64,
        orders: &mut Orders,
    ) {
        if *of == Memory::Files {
            return self.listed(label, &lines, orders);
        }
        for line in lines.iter().filter_map(|text| Line::parse(text)) {
            self.outbox.heard(&line, None, true, self.features.gives_receipts(), orders);
        }
        let Some(lines) = self.asked.answered(of, label.as_deref(), lines, orders) else { return };
        match of {
            Memory::History(name) => self.catchup.fetched(name, lines, &self.features, now_ms, orders),
            Memory::Targets => {
                let (features, catchup, follows) = (&self.features, &self.catchup, self.config.follows_rooms);
                // A room that was asked for when it was entered is known, or about to be.
                let is_wanted = |name: &str| match features.is_room(name) {
                    true => follows && self.brought.contains(&fold(name)),
                    false => true,
                };
                self.news.answered(&lines, |name| is_wanted(name) && !catchup.is_asking(name));
            }
            // Nobody asks that without waiting for the answer.
            Memory::Found | Memory::Files => {}
        }
    }

    /// The client is in, perhaps in an account: asks what was said meanwhile.
    pub(super) fn ask_news(&mut self, orders: &mut Orders) {
        if self.door.account().is_some() && self.config.history > 0 {
            self.news.ask(&self.features, orders);
        }
    }

    /// Whether a room that the client finds itself in is looked at later, with the other news: the server brought it there.
    pub(super) fn is_brought(&mut self, room: &str) -> bool {
        let key = fold(room);
        let is_meant = key == fold(self.home()) || self.features.is_lobby(room) || self.wishes.contains(&key);
        let is_news = self.door.account().is_some() && self.features.has_history() && self.features.gives_receipts();
        if is_meant || std::mem::take(&mut self.wishes_by_number) || !is_news || self.entering.contains(&key) {
            return false;
        }
        self.brought.insert(key);
        true
    }

    /// Notes a line about what was read; true when nobody else has to see it.
    pub(super) fn follow_marks(&mut self, line: &Line) -> bool {
        if self.news.refused(line) {
            return true;
        }
        if let ("MARKREAD", Some(name), Some(up_to)) = (line.command, line.param(0), line.param(1)) {
            let up_to_ms = up_to.strip_prefix("timestamp=").and_then(timestamp::parse);
            self.news.marked(name, up_to_ms);
            up_to_ms.into_iter().for_each(|up_to_ms| self.marks.told(name, up_to_ms));
        }
        line.command == "FAIL" && line.param(0) == Some("MARKREAD")
    }

    /// The user has read a conversation up to here.
    pub(super) fn has_read(&mut self, target: &str, up_to_ms: u64) {
        if self.features.caps.has(Caps::READ_MARKER) {
            self.marks.read(target, up_to_ms);
        }
    }
}
