//! What the server remembers, as a user looks at it.

use super::super::reader::End;
use super::super::talks::CONTEXT;
use super::*;
use crate::client::asked::{NoAnswer, Question};

/// What an answer is wanted for.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) enum Wish {
    /// The last words of a conversation that is looked at for the first time.
    Opening(Box<str>),
    /// A page of what is read under this number.
    Page(u64, End),
    /// What a search of this number found.
    Hits(u64),
    /// What was said around its hit at this place.
    Context(u64, usize),
}

impl Console {
    pub(super) fn ask_server(&mut self, wish: Wish, question: Question) {
        self.next_key += 1;
        self.asked.insert(self.next_key, wish);
        self.commands.push_back(Command::Ask(self.next_key, question));
    }

    /// Fetches the last words of a conversation that is looked at for the first time, when too little is known of it. True when it does.
    pub(super) fn recalls(&mut self, name: &str) -> bool {
        let Some(talk) = self.talks.named(name).filter(|talk| talk.is_dim() && !talk.is_coming) else { return false };
        let is_in = !talk.is_room || self.view.room(name).is_some();
        let recalls = is_in && self.front == Front::Screen && self.features().has_history();
        if recalls {
            self.ask_server(Wish::Opening(name.into()), Question::Latest { target: name.into(), limit: CONTEXT });
        }
        recalls
    }

    /// An answer is here.
    pub(super) fn answered(&mut self, now_ms: u64, key: u64, answer: &Result<Vec<Box<str>>, NoAnswer>) {
        let Some(wish) = self.asked.remove(&key) else { return };
        match wish {
            Wish::Opening(name) => {
                let lines = answer.as_ref().map_or_else(|_| Vec::new(), |lines| self.view.read(lines));
                self.opened(now_ms, &name, lines);
            }
            Wish::Page(number, end) => self.page_came(number, end, answer),
            Wish::Hits(number) => self.hits_came(number, answer),
            Wish::Context(number, at) => self.context_came(number, at, answer),
        }
    }

    /// The last words of a conversation are here: they are shown when the user still looks there.
    fn opened(&mut self, now_ms: u64, name: &str, lines: Vec<Shown>) {
        let Some(is_room) = self.talks.named(name).map(|talk| talk.is_room) else { return };
        lines.into_iter().for_each(|shown| self.talks.keep_old(name, is_room, shown));
        if fold(name) == fold(self.current()) {
            self.show_unseen(now_ms, name);
        }
    }
}
