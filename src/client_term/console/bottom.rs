//! What stands at the bottom of the screen: the prompt, and how the link is doing.

use unicode_width::UnicodeWidthStr;

use super::*;
use crate::client::words::unread_count;

/// Milliseconds of a second.
const SECOND_MS: u64 = 1_000;

impl Console {
    /// What stands in front of the typed line, in a window of so many columns: what is asked, or where the user is, how many
    /// people are there, and what was said elsewhere.
    pub fn prompt(&self, columns: usize) -> String {
        if let Some(question) = self.question() {
            return question;
        }
        let name = self.current();
        if name.is_empty() {
            return "> ".to_owned();
        }
        let here = match self.view.room(name) {
            Some(room) => format!("{}({})> ", self.title(name), room.count()),
            None if self.features().is_room(name) => format!("{}…> ", self.title(name)),
            None => format!("{}> ", self.title(name)),
        };
        self.elsewhere((columns / 2).saturating_sub(here.width())) + &here
    }

    /// `[2:茶 3] `: what was said in the other conversations, in so many columns.
    fn elsewhere(&self, columns: usize) -> String {
        let mut words = String::new();
        let mut left_out = 0;
        for (talk, unread) in self.talks.iter().map(|talk| (talk, talk.unread())).filter(|(_, unread)| *unread > 0) {
            let (title, called) = (self.title(&talk.name), if talk.is_called { "!" } else { "" });
            let entry = format!("{}:{} {}{called}", talk.number, title.trim_start_matches('#'), unread_count(unread));
            let gap = if words.is_empty() { "" } else { " " };
            if words.width() + gap.len() + entry.width() + "[] ".len() > columns {
                left_out += unread;
                continue;
            }
            words = words + gap + &entry;
        }
        match (words.is_empty(), left_out) {
            (true, 0) => words,
            (true, _) => format!("[+{}] ", unread_count(left_out)),
            (false, 0) => format!("[{words}] "),
            (false, _) => format!("[{words} +{}] ", unread_count(left_out)),
        }
    }

    /// How the link is doing, when there is something to say about it. `queued`: lines that the console has not taken yet.
    pub fn status(&self, now_ms: u64, queued: usize) -> Option<String> {
        if let Some(broken) = &self.broken {
            let secs = broken.until_ms.saturating_sub(now_ms).div_ceil(SECOND_MS);
            let waiting = self.open.len() + queued;
            return Some(say(self.language(), &Saying::ComingBack(&broken.why, broken.attempt, secs, waiting)));
        }
        let slow = self.open.values().filter(|since| **since + SLOW_MS <= now_ms).count();
        (slow > 0).then(|| say(self.language(), &Saying::OnTheWay(slow)))
    }

    /// When [`Console::status`] will say something else, if nothing happens before.
    pub fn status_changes_ms(&self, now_ms: u64) -> Option<u64> {
        match &self.broken {
            Some(broken) if broken.until_ms > now_ms => {
                // The moment at which another whole second is over.
                Some(now_ms + ((broken.until_ms - now_ms - 1) % SECOND_MS) + 1)
            }
            Some(_) => None,
            None => self.open.values().map(|since| since + SLOW_MS).filter(|at| *at > now_ms).min(),
        }
    }

    /// What is said to be searched for, while a search is going on.
    pub fn search_prompt(&self, words: &str) -> String {
        say(self.language(), &Saying::Searching(words))
    }

    /// What Tab makes of the text in front of the cursor.
    pub fn completion(&self, before: &str) -> Option<Completion> {
        if let Some(completion) = self.file_completion(before) {
            return completion;
        }
        if !matches!(self.asking, Asking::Nothing | Asking::Who) {
            return None;
        }
        let is_me = |nick: &str| fold(nick) == fold(self.view.nick());
        let mut nicks: Vec<&str> =
            self.speakers.iter().map(|nick| &**nick).filter(|nick| self.view.is_here(nick)).collect();
        let here =
            self.view.room(self.current()).into_iter().flat_map(|room| room.members()).map(|member| &*member.nick);
        nicks.extend(here);
        nicks.extend(self.view.partners().iter().map(|nick| &**nick));
        nicks.retain(|nick| !is_me(nick));
        let mut known = std::collections::HashSet::new();
        nicks.retain(|nick| known.insert(fold(nick)));
        let rooms = self.talks.iter().map(|talk| &*talk.name).filter(|name| self.features().is_room(name)).collect();
        let names = Names { nicks, rooms, is_chinese: self.language() == Language::Zh };
        Completion::of(before, &names)
    }
}
