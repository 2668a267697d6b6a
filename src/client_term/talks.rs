//! The conversations of a terminal: which there are, which one is looked at, and what was said in them lately.

use std::collections::{BinaryHeap, VecDeque};

use crate::client::shown::{Shown, What};
use crate::wire::name::fold;

/// Lines that are kept of a conversation; earlier ones are in the server's history.
const KEPT: usize = 200;

/// Conversations with lines to keep. A client in more rooms than that still counts, but keeps nothing of the rest.
const TALKS: usize = 50;

/// Lines that were read already and are shown when a conversation is looked at for the first time.
pub const CONTEXT: usize = 10;

/// A room, or a person with whom there is private talk.
#[derive(Debug)]
pub struct Talk {
    /// From 1 up; stays the same as long as the conversation is open.
    pub number: usize,
    /// As it is written.
    pub name: Box<str>,
    /// A message that was not seen names the user.
    pub is_called: bool,
    /// The client has asked to be in the room, and is not yet.
    pub is_coming: bool,
    /// It is a room, and not a person.
    pub is_room: bool,
    log: VecDeque<Entry>,
    /// Messages that were not seen and are not kept.
    lost: usize,
    /// Up to where it was read, here or on another device; milliseconds since 1970.
    read_ms: Option<u64>,
    /// It was not looked at yet.
    is_fresh: bool,
}

/// A line, and whether the user has seen it.
#[derive(Debug)]
struct Entry {
    shown: Shown,
    sight: Sight,
}

/// Whether the user has seen a line.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Sight {
    /// It was on the screen, in its own conversation.
    Here,
    /// It was on the screen elsewhere, or on another device.
    Seen,
    /// It is to be shown, and is no news: the user's own words, a topic.
    Unseen,
    /// It is to be shown, and counts as unread.
    Unread,
}

/// What there is to show when a conversation is looked at.
#[derive(Default, PartialEq, Eq, Debug)]
pub struct Looked {
    /// The lines, oldest first.
    pub lines: Vec<Shown>,
    /// How many of them are unread.
    pub unread: usize,
    /// How many more are not kept.
    pub lost: usize,
}

impl Talk {
    /// Messages that were not seen.
    pub fn unread(&self) -> usize {
        self.log.iter().filter(|entry| entry.sight == Sight::Unread).count() + self.lost
    }

    /// The lines that are kept, oldest first.
    pub fn lines(&self) -> impl Iterator<Item = &Shown> {
        self.log.iter().map(|entry| &entry.shown)
    }

    /// Whether it was not looked at yet, and there is neither news in it nor enough to remember what it was about.
    pub fn is_dim(&self) -> bool {
        let said = self.log.iter().filter(|entry| entry.shown.is_message()).count();
        self.is_fresh && self.unread() == 0 && said < CONTEXT
    }

    /// What a message out of the server's memory is to somebody who has read as far as this talk was read.
    fn sight_of_old(&self, shown: &Shown) -> Sight {
        let is_read = match self.read_ms {
            Some(read_ms) => shown.at_ms <= read_ms,
            // Nobody said how far: a room is older than anybody in it, private talk is not.
            None => self.is_room,
        };
        match &shown.what {
            _ if is_read => Sight::Seen,
            What::Said(said) if said.is_news() => Sight::Unread,
            _ => Sight::Unseen,
        }
    }

    /// Puts a line where it belongs by its time: history may come when newer lines are here already.
    fn insert(&mut self, shown: Shown, sight: Sight) {
        if shown.id().is_some() && self.log.iter().rev().any(|entry| entry.shown.id() == shown.id()) {
            return;
        }
        let newer = self.log.iter().rev().take_while(|entry| entry.shown.at_ms > shown.at_ms).count();
        self.log.insert(self.log.len() - newer, Entry { shown, sight });
        if self.log.len() > KEPT
            && let Some(Entry { sight: Sight::Unread, .. }) = self.log.pop_front()
        {
            self.lost += 1;
        }
    }
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
        let talk = Talk {
            number: at + 1,
            name: name.into(),
            is_called: false,
            is_coming: false,
            is_room,
            log: VecDeque::new(),
            lost: 0,
            read_ms: None,
            is_fresh: true,
        };
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

    /// Keeps a line of a conversation. `calls`: it names the user.
    pub fn keep(&mut self, name: &str, is_room: bool, shown: Shown, sight: Sight, calls: bool) {
        let is_crowded = self.list.len() > TALKS;
        let talk = self.open(name, is_room);
        talk.is_called |= calls && sight == Sight::Unread;
        if matches!(sight, Sight::Here | Sight::Seen) {
            talk.read_ms = talk.read_ms.max(Some(shown.at_ms));
        }
        match is_crowded {
            true => talk.lost += usize::from(sight == Sight::Unread),
            false => talk.insert(shown, sight),
        }
    }

    /// Keeps a line out of the server's memory. Whether it was read depends on how far the user has read.
    pub fn keep_old(&mut self, name: &str, is_room: bool, shown: Shown) {
        let is_crowded = self.list.len() > TALKS;
        let talk = self.open(name, is_room);
        let sight = talk.sight_of_old(&shown);
        // Whoever answered has read what was said before.
        let answered_ms = matches!(&shown.what, What::Said(said) if said.own).then_some(shown.at_ms);
        match is_crowded {
            true => talk.lost += usize::from(sight == Sight::Unread),
            false => talk.insert(shown, sight),
        }
        answered_ms.into_iter().for_each(|at_ms| self.marked(name, at_ms));
    }

    /// The user has read a conversation up to here, on this device or another one.
    pub fn marked(&mut self, name: &str, up_to_ms: u64) {
        let key = fold(name);
        let Some(talk) = self.list.iter_mut().find(|talk| fold(&talk.name) == key) else { return };
        talk.read_ms = talk.read_ms.max(Some(up_to_ms));
        let read_ms = talk.read_ms.unwrap_or(0);
        for at in 0..talk.log.len() {
            let shown = &talk.log[at].shown;
            let is_old = matches!(&shown.what, What::Said(said) if said.history);
            if talk.log[at].sight == Sight::Here {
                continue;
            }
            if shown.at_ms <= read_ms {
                talk.log[at].sight = Sight::Seen;
            } else if is_old {
                // The word of how far came behind the history itself.
                talk.log[at].sight = talk.sight_of_old(shown);
            }
        }
        if talk.log.iter().all(|entry| entry.sight != Sight::Unread) {
            (talk.lost, talk.is_called) = (0, false);
        }
    }

    /// The conversation is looked at: what was not seen of it, the first time with some lines in front.
    pub fn look_at(&mut self, name: &str) -> Looked {
        let key = fold(name);
        let Some(talk) = self.list.iter_mut().find(|talk| fold(&talk.name) == key) else { return Looked::default() };
        let unread = talk.log.iter().filter(|entry| entry.sight == Sight::Unread).count();
        let is_unseen = |entry: &Entry| matches!(entry.sight, Sight::Unseen | Sight::Unread);
        let unseen = talk.log.iter().position(is_unseen).unwrap_or(talk.log.len());
        let context = if std::mem::take(&mut talk.is_fresh) { CONTEXT } else { 0 };
        let from = unseen.min(talk.log.len().saturating_sub(context));
        let new = talk.log.iter().skip(from).filter(|entry| entry.sight != Sight::Here);
        let lines = new.map(|entry| entry.shown.clone()).collect();
        talk.log.iter_mut().for_each(|entry| entry.sight = Sight::Here);
        talk.is_called = false;
        let latest_ms = talk.log.iter().map(|entry| entry.shown.at_ms).max();
        talk.read_ms = talk.read_ms.max(latest_ms);
        Looked { lines, unread, lost: std::mem::take(&mut talk.lost) }
    }

    /// A message was taken back: its place says so. False when it is not kept here.
    pub fn removed(&mut self, id: &str, notice: &Shown) -> bool {
        let is_it =
            |entry: &&mut Entry| matches!(&entry.shown.what, What::Said(said) if said.id.as_deref() == Some(id));
        let Some(entry) = self.list.iter_mut().flat_map(|talk| &mut talk.log).find(is_it) else { return false };
        entry.shown.what = notice.what.clone();
        if entry.sight == Sight::Unread {
            entry.sight = Sight::Unseen;
        }
        true
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
        talks.keep("#茶", true, line("一"), Sight::Unread, false);
        talks.keep("#茶", true, line("小阳?"), Sight::Unread, true);
        assert_eq!(talks.named("#茶").map(|talk| (talk.unread(), talk.is_called)), Some((2, true)));
        assert_eq!(talks.look_at("#茶"), Looked { lines: vec![line("一"), line("小阳?")], unread: 2, lost: 0 });
        assert_eq!(talks.look_at("#茶"), Looked::default());
    }

    #[test]
    fn what_is_kept_is_bounded_and_what_is_not_is_counted() {
        let mut talks = Talks::default();
        (0..KEPT + 7).for_each(|_| talks.keep("#a", true, line("x"), Sight::Unread, false));
        let Looked { lines, unread, lost } = talks.look_at("#a");
        assert_eq!((lines.len(), unread, lost), (KEPT, KEPT, 7));
        (0..TALKS + 5).for_each(|number| _ = talks.open(&number.to_string(), true));
        talks.keep("#b", true, line("x"), Sight::Unread, false);
        assert_eq!(talks.look_at("#b"), Looked { lines: vec![], unread: 0, lost: 1 });
    }

    fn old(at_ms: u64, own: bool) -> Shown {
        let said = Said { who: "ben".into(), text: at_ms.to_string().into(), own, history: true, ..Said::default() };
        Shown { at_ms, room: None, what: What::Said(said) }
    }

    fn unread(talks: &Talks, name: &str) -> usize {
        talks.named(name).unwrap().unread()
    }

    #[test]
    fn history_is_unread_from_where_the_user_stopped_reading_on_any_device() {
        let mut talks = Talks::default();
        talks.open("#茶", true);
        talks.marked("#茶", 2);
        (1..=5).for_each(|at_ms| talks.keep_old("#茶", true, old(at_ms, at_ms == 4)));
        assert_eq!(unread(&talks, "#茶"), 1, "own words are no news, and who answers has read the rest");
        talks.marked("#茶", 5);
        assert_eq!(unread(&talks, "#茶"), 0);
        talks.marked("#茶", 1);
        assert_eq!(unread(&talks, "#茶"), 0, "nobody unreads");
        // Private talk that was never read, and a marker that comes late.
        (1..=3).for_each(|at_ms| talks.keep_old("ben", false, old(at_ms, false)));
        assert_eq!(unread(&talks, "ben"), 3);
        talks.marked("ben", 2);
        assert_eq!(unread(&talks, "ben"), 1);
        (1..=3).for_each(|at_ms| talks.keep_old("#a", true, old(at_ms, false)));
        assert_eq!(unread(&talks, "#a"), 0);
        talks.marked("#a", 2);
        assert_eq!(unread(&talks, "#a"), 1);
    }

    #[test]
    fn history_stands_in_front_of_what_was_said_meanwhile_and_gives_what_was_read_some_context() {
        let mut talks = Talks::default();
        talks.keep("ben", false, Shown { at_ms: 20, ..line("live") }, Sight::Unread, false);
        (1..=15).for_each(|at_ms| talks.keep_old("ben", false, old(at_ms, false)));
        talks.marked("ben", 14);
        let times = |looked: Looked| looked.lines.iter().map(|shown| shown.at_ms).collect::<Vec<_>>();
        assert_eq!(times(talks.look_at("ben")), [7, 8, 9, 10, 11, 12, 13, 14, 15, 20]);
        assert_eq!(times(talks.look_at("ben")), [0; 0]);
    }

    #[test]
    fn what_was_taken_back_is_gone_and_does_not_count() {
        let mut talks = Talks::default();
        let mut shown = old(1, false);
        let What::Said(said) = &mut shown.what else { panic!() };
        said.id = Some("7".into());
        talks.keep("ben", false, shown, Sight::Unread, false);
        let notice = Shown { at_ms: 2, room: None, what: What::Notice("gone".into()) };
        assert!(talks.removed("7", &notice) && !talks.removed("7", &notice));
        assert_eq!((unread(&talks, "ben"), &talks.look_at("ben").lines[0].what), (0, &notice.what));
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
