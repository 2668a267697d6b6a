//! Up to where the user has read, told to the server so that their other devices agree (draft/read-marker): not for each line, but soon.

use std::collections::HashMap;

use crate::wire::name::fold;
use crate::wire::timestamp;

/// Milliseconds between two words about one conversation. Whoever reads along in a lively room tells that now and then.
const EVERY_MS: u64 = 3_000;

/// Conversations that are told about; a user with more reads them in order.
const CONVERSATIONS: usize = 1_000;

/// What was read and is not told yet.
#[derive(Default, Debug)]
pub struct Marks {
    marks: HashMap<Box<str>, Mark>,
}

#[derive(Debug)]
struct Mark {
    name: Box<str>,
    read_ms: u64,
    told_ms: u64,
    /// When it may be told.
    due_ms: u64,
}

impl Marks {
    /// The user has read a conversation up to here (milliseconds since 1970).
    pub fn read(&mut self, name: &str, read_ms: u64) {
        let key = fold(name);
        if self.marks.len() >= CONVERSATIONS && !self.marks.contains_key(&key) {
            return;
        }
        let mark = self.marks.entry(key).or_insert_with(|| Mark { name: name.into(), read_ms, told_ms: 0, due_ms: 0 });
        mark.read_ms = mark.read_ms.max(read_ms);
    }

    /// The server knows that it was read up to here.
    pub fn told(&mut self, name: &str, up_to_ms: u64) {
        if let Some(mark) = self.marks.get_mut(&fold(name)) {
            mark.told_ms = mark.told_ms.max(up_to_ms);
        }
    }

    /// When there is something to tell; `None` when all is told.
    pub fn deadline_ms(&self) -> Option<u64> {
        self.marks.values().filter(|mark| mark.is_open()).map(|mark| mark.due_ms).min()
    }

    /// The lines that are due.
    pub fn due(&mut self, now_ms: u64) -> Vec<String> {
        let due = self.marks.values_mut().filter(|mark| mark.is_open() && mark.due_ms <= now_ms);
        due.map(|mark| {
            (mark.told_ms, mark.due_ms) = (mark.read_ms, now_ms + EVERY_MS);
            let mut line = format!("MARKREAD {} timestamp=", mark.name);
            timestamp::write_utc(mark.read_ms, &mut line);
            line
        })
        .collect()
    }
}

impl Mark {
    fn is_open(&self) -> bool {
        self.read_ms > self.told_ms
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_read_is_told_at_once_and_then_now_and_then() {
        let mut marks = Marks::default();
        marks.read("#茶", 1_000);
        assert_eq!(marks.deadline_ms(), Some(0));
        assert_eq!(marks.due(50), ["MARKREAD #茶 timestamp=1970-01-01T00:00:01.000Z"]);
        assert_eq!(marks.deadline_ms(), None);
        marks.read("#茶", 2_000);
        marks.read("#茶", 1_500);
        assert_eq!((marks.deadline_ms(), marks.due(60)), (Some(50 + EVERY_MS), vec![]));
        assert_eq!(marks.due(50 + EVERY_MS), ["MARKREAD #茶 timestamp=1970-01-01T00:00:02.000Z"]);
    }

    #[test]
    fn what_another_device_has_told_is_not_told_again() {
        let mut marks = Marks::default();
        marks.read("ben", 1_000);
        marks.told("Ben", 1_000);
        assert_eq!(marks.deadline_ms(), None);
        marks.read("ben", 1_001);
        assert_eq!(marks.due(0).len(), 1);
    }
}
