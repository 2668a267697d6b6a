//! The conversations of a terminal: which there are, which one is looked at, and what was not seen in the others.

use std::collections::{BinaryHeap, VecDeque};

use crate::client::shown::Shown;
use crate::wire::name::fold;

/// Lines that are kept of a conversation that is not looked at; earlier ones are in the server's history.
const KEPT: usize = 200;

/// Conversations with lines to keep. A client in more rooms than that still counts, but keeps nothing of the rest.
const TALKS: usize = 50;

/// A room, or a person with whom there is private talk.
#[derive(Debug)]
pub struct Talk {
    /// From 1 up; stays the same as long as the conversation is open.
    pub number: usize,
    /// As it is written.
    pub name: Box<str>,
    /// Messages that were not seen.
    pub unread: usize,
    /// One of them names the user.
    pub is_called: bool,
    /// The client has asked to be in the room, and is not yet.
    pub is_coming: bool,
    is_room: bool,
    kept: VecDeque<Shown>,
}

/// All conversations, in the order of their numbers.
#[derive(Default, Debug)]
pub struct Talks {
    list: Vec<Talk>,
}

impl Talks {
    /// In the order of their numbers.
    pub fn iter(&self) -> impl Iterator<Item = &Talk> {
        self.list.iter()
    }

    /// The conversation of this name.
    pub fn named(&self, name: &str) -> Option<&Talk> {
        let key = fold(name);
        self.list.iter().find(|talk| fold(&talk.name) == key)
    }

    /// The conversation of this number.
    pub fn numbered(&self, number: usize) -> Option<&Talk> {
        self.list.iter().find(|talk| talk.number == number)
    }

    /// Opens a conversation, unless it is open. It gets the lowest free number.
    pub fn open(&mut self, name: &str, is_room: bool) -> &mut Talk {
        let key = fold(name);
        if let Some(at) = self.list.iter().position(|talk| fold(&talk.name) == key) {
            return &mut self.list[at];
        }
        let at = self.list.iter().zip(1..).position(|(talk, number)| talk.number != number).unwrap_or(self.list.len());
        let (number, kept) = (at + 1, VecDeque::new());
        let talk = Talk { number, name: name.into(), unread: 0, is_called: false, is_coming: false, is_room, kept };
        self.list.insert(at, talk);
        &mut self.list[at]
    }

    /// Closes a conversation.
    pub fn close(&mut self, name: &str) {
        let key = fold(name);
        self.list.retain(|talk| fold(&talk.name) != key);
    }

    /// Brings the rooms in line with those that the client is in; `home` comes first.
    pub fn follow<'a>(&mut self, rooms: impl Iterator<Item = &'a str>, home: &str) {
        let home = fold(home);
        let rooms: BinaryHeap<_> = rooms.map(|room| (fold(room) != home, fold(room), room)).collect();
        let rooms = rooms.into_sorted_vec();
        for (_, _, room) in &rooms {
            self.open(room, true).is_coming = false;
        }
        let is_in = |name: &str| rooms.iter().any(|(_, room, _)| *room == fold(name));
        self.list.retain(|talk| !talk.is_room || talk.is_coming || is_in(&talk.name));
    }

    /// Somebody has another name. Where there is a conversation of that name already, the two stay apart.
    pub fn renamed(&mut self, from: &str, to: &str) {
        if self.named(to).is_none() || fold(from) == fold(to) {
            let key = fold(from);
            if let Some(talk) = self.list.iter_mut().find(|talk| !talk.is_room && fold(&talk.name) == key) {
                talk.name = to.into();
            }
        }
    }

    /// Keeps a line of a conversation that is not looked at. `counts`: it is somebody's message; `calls`: it names the user.
    pub fn keep(&mut self, name: &str, shown: Shown, counts: bool, calls: bool) {
        let is_crowded = self.list.len() > TALKS;
        let talk = self.open(name, true);
        talk.unread += usize::from(counts);
        talk.is_called |= calls;
        if talk.kept.len() >= KEPT {
            talk.kept.pop_front();
        }
        if !is_crowded {
            talk.kept.push_back(shown);
        }
    }

    /// The conversation is looked at: what was not seen of it, and how many more messages there were.
    pub fn look_at(&mut self, name: &str) -> (Vec<Shown>, usize) {
        let key = fold(name);
        let Some(talk) = self.list.iter_mut().find(|talk| fold(&talk.name) == key) else { return Default::default() };
        talk.is_called = false;
        let kept: Vec<Shown> = std::mem::take(&mut talk.kept).into();
        let (unread, messages) =
            (std::mem::take(&mut talk.unread), kept.iter().filter(|line| line.is_message()).count());
        (kept, unread.saturating_sub(messages))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::client::shown::{Said, What};

    fn line(text: &str) -> Shown {
        let said = Said { who: "ben".into(), text: text.into(), ..Said::default() };
        Shown { at_ms: 0, room: Some("#茶".into()), what: What::Said(said) }
    }

    fn names(talks: &Talks) -> Vec<(usize, &str)> {
        talks.iter().map(|talk| (talk.number, &*talk.name)).collect()
    }

    #[test]
    fn a_number_stays_with_its_conversation() {
        let mut talks = Talks::default();
        talks.follow(["#b", "#Lobby", "#a"].into_iter(), "#lobby");
        assert_eq!(names(&talks), [(1, "#Lobby"), (2, "#a"), (3, "#b")]);
        talks.open("ben", false);
        talks.follow(["#b", "#lobby"].into_iter(), "#lobby");
        assert_eq!(names(&talks), [(1, "#Lobby"), (3, "#b"), (4, "ben")]);
        assert_eq!(talks.open("#c", true).number, 2);
        talks.open("#c", true).is_coming = true;
        talks.follow(["#lobby"].into_iter(), "#lobby");
        assert_eq!(names(&talks), [(1, "#Lobby"), (2, "#c"), (4, "ben")]);
    }

    #[test]
    fn what_was_not_seen_is_shown_once() {
        let mut talks = Talks::default();
        talks.open("#茶", true);
        talks.keep("#茶", line("一"), true, false);
        talks.keep("#茶", line("小阳?"), true, true);
        assert_eq!(talks.named("#茶").map(|talk| (talk.unread, talk.is_called)), Some((2, true)));
        assert_eq!(talks.look_at("#茶"), (vec![line("一"), line("小阳?")], 0));
        assert_eq!(talks.look_at("#茶"), (vec![], 0));
    }

    #[test]
    fn what_is_kept_is_bounded_and_what_is_not_is_counted() {
        let mut talks = Talks::default();
        (0..KEPT + 7).for_each(|_| talks.keep("#a", line("x"), true, false));
        let (kept, more) = talks.look_at("#a");
        assert_eq!((kept.len(), more), (KEPT, 7));
        (0..TALKS + 5).for_each(|number| _ = talks.open(&number.to_string(), true));
        talks.keep("#b", line("x"), true, false);
        assert_eq!(talks.look_at("#b"), (vec![], 1));
    }

    #[test]
    fn a_person_keeps_the_conversation_under_another_name() {
        let mut talks = Talks::default();
        talks.open("ben", false);
        talks.renamed("Ben", "benny");
        assert_eq!(names(&talks), [(1, "benny")]);
        talks.open("anna", false);
        talks.renamed("anna", "benny");
        assert_eq!(names(&talks), [(1, "benny"), (2, "anna")]);
    }
}
