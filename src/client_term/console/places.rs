//! Where a line belongs: which conversation is shown, and what becomes of the lines of the others.

use super::super::talks::{Looked, Sight};
use super::files::rings;
use super::*;
use crate::client::nick_of;
use crate::client::shown::{Deed, Shared};
use crate::wire::caps::Caps;
use crate::wire::timestamp;

/// A room that the user is about to enter, whose name is not known yet.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Expected {
    /// The client enters it by its number, and fetches what was said.
    WithHistory,
    /// The server was asked in words.
    Bare,
}

impl Console {
    /// Shows something, or keeps it until its conversation is looked at.
    pub(super) fn show(&mut self, now_ms: u64, shown: Shown) {
        self.note_for_reader(&shown);
        match &shown.what {
            What::Failed(_) => {
                let line = self.painter.writer.line(&shown, now_ms);
                return self.print.push_back(Print::Failure(line));
            }
            What::KeyAccepted { .. } if self.front != Front::Screen => {
                let line = self.painter.writer.line(&shown, now_ms);
                return self.print.push_back(Print::Failure(line));
            }
            // The line at the bottom says so, and changes as time goes on.
            What::Lost(_) if self.front == Front::Screen => return,
            What::Said(said) => {
                self.note_speaker(said);
                if self.is_on_screen(said) {
                    return;
                }
            }
            What::Shared(shared) => self.note_partner(shared),
            What::Renamed { from, to, .. } => self.talks.renamed(from, to),
            What::Removed { id, .. } => _ = self.talks.removed(id, &shown),
            // Elsewhere than at a screen, too, nobody wants to read who is in each of their groups.
            What::Entered { .. } if self.is_brought(&shown) => return,
            _ => {}
        }
        let calls = match &shown.what {
            What::Said(said) => calls(said, self.view.nick()),
            What::Shared(shared) => rings(shared),
            _ => false,
        };
        if calls && self.front != Front::Script {
            self.print.push_back(Print::Bell);
        }
        let was_here = matches!(shown.what, What::Kicked { .. }) && self.view.room(self.current()).is_none();
        match shown.room.clone().filter(|room| self.is_elsewhere(room)) {
            Some(room) => self.put_aside(now_ms, &room, shown, calls),
            None => self.show_here(now_ms, shown),
        }
        if was_here {
            self.go_home(now_ms);
        }
    }

    /// Shows something of the conversation that is looked at, or that is nobody's, or private: that is shown wherever the user looks,
    /// unless it is from before.
    fn show_here(&mut self, now_ms: u64, shown: Shown) {
        let Some(name) = shown.conversation().map(Box::from) else { return self.print(now_ms, &shown) };
        let is_old = matches!(&shown.what, What::Said(said) if said.history && said.with.is_some());
        if is_old && self.is_elsewhere(&name) {
            return self.talks.keep_old(&name, false, shown);
        }
        if let What::Removed { .. } = shown.what {
            if !self.is_elsewhere(&name) {
                self.print(now_ms, &shown);
            }
            return;
        }
        self.print(now_ms, &shown);
        if shown.is_message() && (self.front == Front::Screen || shown.room.is_none()) {
            self.has_read(&name, shown.at_ms);
        }
        if self.front == Front::Screen {
            let is_room = shown.room.is_some();
            let sight = if self.is_elsewhere(&name) { Sight::Seen } else { Sight::Here };
            self.talks.keep(&name, is_room, shown, sight, false);
        }
    }

    /// Tells the other devices of this user how far they have read.
    fn has_read(&mut self, name: &str, up_to_ms: u64) {
        if !self.features().caps.has(Caps::READ_MARKER) {
            return;
        }
        if let Some(Command::Read(last, read_ms)) = self.commands.back_mut()
            && fold(last) == fold(name)
        {
            *read_ms = up_to_ms.max(*read_ms);
            return;
        }
        self.commands.push_back(Command::Read(name.into(), up_to_ms));
    }

    pub(super) fn print(&mut self, now_ms: u64, shown: &Shown) {
        if self.front != Front::Screen {
            let line = self.painter.writer.line(shown, now_ms);
            return self.print.push_back(Print::Line(line));
        }
        let lines = self.painter.lines(shown, now_ms, self.view.nick());
        self.print.extend(lines.into_iter().map(Print::Line));
    }

    /// Only a screen that shows how much was said elsewhere can keep it for later.
    fn is_elsewhere(&self, room: &str) -> bool {
        self.front == Front::Screen && fold(room) != fold(self.current())
    }

    /// Something in a room that is not looked at: what is said is kept and counted, who comes and goes there is nobody's business.
    fn put_aside(&mut self, now_ms: u64, room: &str, shown: Shown, calls: bool) {
        match &shown.what {
            What::Joined { .. } | What::Left { .. } | What::Mode { .. } | What::Renamed { .. } => {}
            What::Invited { .. } | What::InvitedTo { .. } | What::Refused { .. } => self.print(now_ms, &shown),
            // Whoever wanted to enter looks there; the server brings people into their groups without a word.
            What::Entered { .. } => {}
            // The room is gone from the list when it was the user who was thrown out.
            What::Kicked { .. } if self.view.room(room).is_none() => self.print(now_ms, &shown),
            What::Said(said) if said.history => self.talks.keep_old(room, true, shown),
            What::Said(said) => {
                let sight = if said.is_news() { Sight::Unread } else { Sight::Unseen };
                self.talks.keep(room, true, shown, sight, calls);
            }
            What::Removed { .. } => {}
            What::Shared(shared) => {
                let is_news = !shared.own && shared.deed == Deed::Brought;
                self.talks.keep(room, true, shown, if is_news { Sight::Unread } else { Sight::Unseen }, calls);
            }
            _ => self.talks.keep(room, true, shown, Sight::Unseen, false),
        }
    }

    /// What somebody typed stands on a plain terminal already.
    fn is_on_screen(&self, said: &Said) -> bool {
        self.front == Front::Plain && said.own && !said.history && said.with.is_none()
    }

    /// Who sends a file to the user alone may be answered.
    fn note_partner(&mut self, shared: &Shared) {
        if let Some(with) = shared.with.as_ref().filter(|_| shared.deed == Deed::Brought)
            && self.talks.iter().filter(|talk| !talk.is_room).count() < QUERIES
        {
            self.talks.open(with, false);
        }
    }

    fn note_speaker(&mut self, said: &Said) {
        if let Some(with) = &said.with
            && self.talks.iter().filter(|talk| !talk.is_room).count() < QUERIES
            && !said.is_notice
        {
            self.talks.open(with, false);
        }
        if !said.own && !said.history {
            self.speakers.retain(|other| fold(other) != fold(&said.who));
            self.speakers.push_front(said.who.clone());
            self.speakers.truncate(SPEAKERS);
        }
    }

    /// Brings the list of conversations in line with the rooms, after a line that may have changed them.
    pub(super) fn follow(&mut self, text: &str) {
        let Some(line) = Line::parse(text) else { return };
        match (line.command, line.param(1)) {
            ("MARKREAD", Some(up_to)) => {
                if let Some(up_to_ms) = up_to.strip_prefix("timestamp=").and_then(timestamp::parse) {
                    self.talks.marked(line.param(0).unwrap_or_default(), up_to_ms);
                }
            }
            ("JOIN", _) if self.expects_room.is_some() && self.is_new_room(&line) => {
                let expected = self.expects_room.take();
                self.talks.follow(self.view.rooms().map(|room| &*room.name), self.view.home());
                let room = line.param(0).unwrap_or_default();
                if expected == Some(Expected::WithHistory) {
                    // What was said there comes by itself.
                    self.talks.look_at(room);
                }
                self.talk_to(0, room.into());
            }
            ("JOIN" | "PART" | "KICK", _) => {
                self.talks.follow(self.view.rooms().map(|room| &*room.name), self.view.home());
            }
            (refusal, Some(room))
                if NOT_LET_IN.contains(&refusal) && self.talks.named(room).is_some_and(|talk| talk.is_coming) =>
            {
                self.close(room);
            }
            _ => {}
        }
    }

    /// Ends a conversation on this side.
    pub(super) fn close(&mut self, name: &str) {
        self.talks.close(name);
        if fold(name) == fold(self.current()) {
            self.go_home(0);
        }
    }

    pub(super) fn join(&mut self, now_ms: u64, room: Box<str>) {
        self.commands.push_back(Command::Join(room.clone()));
        if !self.features().is_room(&room) {
            self.expects_room = Some(Expected::WithHistory);
        } else {
            self.talks.open(&room, true).is_coming = self.view.room(&room).is_none();
            self.talk_to(now_ms, room);
        }
    }

    pub(super) fn part(&mut self, room: Option<Box<str>>) {
        let room = room.unwrap_or_else(|| self.current().into());
        if self.features().is_room(&room) {
            self.commands.push_back(Command::Part(room.clone()));
        }
        self.close(&room);
    }

    /// To a conversation that there is, by its number or its name.
    pub(super) fn change_to(&mut self, now_ms: u64, name: &str) {
        if let Ok(number) = name.parse() {
            return self.go(now_ms, number);
        }
        let with_sign = format!("#{name}");
        let found = self.talks.named(name).or_else(|| self.talks.named(&with_sign)).map(|talk| talk.name.clone());
        match found {
            Some(found) => self.talk_to(now_ms, found),
            None if name == "大厅" => self.go_home(now_ms),
            None => self.tell(&Saying::NotIn(if self.features().is_room(name) { name } else { &with_sign })),
        }
    }

    fn go_home(&mut self, now_ms: u64) {
        self.talk_to(now_ms, self.view.home().into());
    }

    pub(super) fn talk_to(&mut self, now_ms: u64, name: Box<str>) {
        if fold(&name) == fold(self.current()) {
            return;
        }
        let title = self.title(&name);
        self.painter.writer.current = name.clone();
        self.tell(&Saying::TalkingTo(&title));
        if !self.recalls(&name) {
            self.show_unseen(now_ms, &name);
        }
    }

    /// Shows what was not seen of a conversation.
    pub(super) fn show_unseen(&mut self, now_ms: u64, name: &str) {
        let Looked { lines, unread, lost } = self.talks.look_at(name);
        if unread > 0 {
            self.tell(&Saying::Unread(&self.title(name), unread, lost));
        }
        lines.iter().for_each(|shown| self.print(now_ms.max(shown.at_ms), shown));
        if let Some(latest) = lines.iter().rfind(|shown| shown.is_message()) {
            self.has_read(name, latest.at_ms);
        }
    }

    /// Whether a room came by itself: the user neither looks there nor waits for it.
    fn is_brought(&self, shown: &Shown) -> bool {
        let room = shown.room.as_deref().unwrap_or_default();
        self.front != Front::Screen && fold(room) != fold(self.current())
    }

    /// Whether a JOIN line is the user's own, into a room that was not in the list.
    fn is_new_room(&self, line: &Line) -> bool {
        let room = line.param(0).unwrap_or_default();
        fold(nick_of(line.source.unwrap_or_default())) == fold(self.view.nick()) && self.talks.named(room).is_none()
    }

    pub(super) fn list_talks(&mut self) {
        let lines: Vec<String> = self.talks.iter().map(|talk| self.talk_line(talk)).collect();
        lines.into_iter().for_each(|line| self.print.push_back(Print::Line(line)));
    }

    fn talk_line(&self, talk: &super::super::talks::Talk) -> String {
        let line = TalkLine {
            number: talk.number,
            name: &self.title(&talk.name),
            people: self.view.room(&talk.name).map(|room| room.count()),
            unread: talk.unread(),
            is_current: fold(&talk.name) == fold(self.current()),
        };
        say(self.language(), &Saying::Talk(line))
    }

    /// What a conversation is called on the screen.
    pub(super) fn title(&self, name: &str) -> String {
        room_name(self.language(), name, self.features().is_lobby(name))
    }
}
