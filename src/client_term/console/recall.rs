//! What the server remembers, as a user looks at it.

use super::*;
use crate::client::asked::{NoAnswer, Question};

/// Lines of private talk that are shown when it is opened.
const OPENING: usize = 10;

/// What an answer is wanted for.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) enum Wish {
    /// The last words of private talk that was just opened.
    Opening(Box<str>),
}

impl Console {
    pub(super) fn ask_server(&mut self, wish: Wish, question: Question) {
        self.next_key += 1;
        self.asked.insert(self.next_key, wish);
        self.commands.push_back(Command::Ask(self.next_key, question));
    }

    /// Fetches the last words with somebody, when nothing is known of them.
    pub(super) fn recall_private(&mut self, name: &str) {
        let is_silent = self.talks.named(name).is_some_and(|talk| talk.is_silent() && !talk.is_room);
        if is_silent && self.features().has_history() && self.front == Front::Screen {
            let question = Question::Latest { target: name.into(), limit: OPENING };
            self.ask_server(Wish::Opening(name.into()), question);
        }
    }

    /// An answer is here.
    pub(super) fn answered(&mut self, now_ms: u64, key: u64, answer: &Result<Vec<Box<str>>, NoAnswer>) {
        let Some(wish) = self.asked.remove(&key) else { return };
        match wish {
            Wish::Opening(name) => {
                let lines = answer.as_ref().map_or_else(|_| Vec::new(), |lines| self.view.read(lines));
                self.opened(now_ms, &name, lines);
            }
        }
    }

    fn opened(&mut self, now_ms: u64, name: &str, lines: Vec<Shown>) {
        if self.talks.named(name).is_none_or(|talk| !talk.is_silent()) {
            return;
        }
        let is_here = fold(name) == fold(self.current());
        for shown in lines {
            if is_here {
                self.print(now_ms.max(shown.at_ms), &shown);
            }
            self.talks.keep_old(name, false, shown);
        }
        if is_here {
            self.talks.look_at(name);
        }
    }
}
