//! A store that is late, answers questions out of turn, and fails now and then: what is handed over is worked on in order, like the real one does.

use std::collections::{HashSet, VecDeque};

use crate::store::change::Change;
use crate::store::record::{Found, Message, Query, SentAs};
use crate::wire::msgid::MsgId;

use super::super::testing::World;
use super::super::{Input, Token};
use super::dice::Dice;

/// Of a hundred batches, so many cannot be written.
const FAILING_BATCHES: usize = 8;
/// Of a hundred questions, so many cannot be answered.
const FAILING_QUESTIONS: usize = 4;

/// Something to be written.
enum Kept {
    Message(Message),
    Change(MsgId, Change),
}

impl Kept {
    fn id(&self) -> MsgId {
        match self {
            Kept::Message(message) => message.id,
            Kept::Change(id, _) => *id,
        }
    }
}

enum Request {
    Append(Vec<Kept>),
    Ask(Token, Query),
}

/// The store of a simulated day.
#[derive(Default)]
pub struct Disk {
    queue: VecDeque<Request>,
    /// Answers to batches, in the order of the batches.
    saved: VecDeque<Input>,
    /// Answers to questions.
    found: Vec<Input>,
    /// What is on disk.
    pub kept: HashSet<MsgId>,
    /// What could not be written.
    pub lost: HashSet<MsgId>,
    sent: HashSet<SentAs>,
}

impl Disk {
    /// Takes what the chat handed over, and puts together what came together.
    pub fn take_in(&mut self, world: &mut World, dice: &mut Dice) {
        let messages = world.unsaved.drain(..).map(|unsaved| Kept::Message(unsaved.message));
        let changes = world.unsaved_changes.drain(..).map(|(id, change)| Kept::Change(id, change));
        let mut new: Vec<Kept> = messages.chain(changes).collect();
        new.sort_by_key(Kept::id);
        if !new.is_empty() {
            match self.queue.back_mut() {
                Some(Request::Append(batch)) if dice.percent(50) => batch.extend(new),
                _ => self.queue.push_back(Request::Append(new)),
            }
        }
        self.queue.extend(world.questions.drain(..).map(|(token, query)| Request::Ask(token, query)));
    }

    /// Works on the oldest request. False when there is none.
    pub fn work(&mut self, world: &mut World, dice: &mut Dice) -> bool {
        match self.queue.pop_front() {
            None => return false,
            Some(Request::Append(batch)) => {
                let up_to = batch.last().expect("a batch holds something").id();
                // A change that was lost is in the rules until the next start, so what is there after it could not be told.
                let has_changes = batch.iter().any(|kept| matches!(kept, Kept::Change(..)));
                let (count, fails) = (batch.len(), !has_changes && dice.percent(FAILING_BATCHES));
                let result = if fails { Err("the disk is full".into()) } else { Ok(()) };
                for kept in batch {
                    match kept {
                        Kept::Message(message) => self.write(message, fails, world),
                        Kept::Change(_, change) => world.keep(change),
                    }
                }
                self.saved.push_back(Input::Saved { up_to, count, result });
            }
            Some(Request::Ask(token, query)) => {
                let fails = dice.percent(FAILING_QUESTIONS);
                let found = if fails { Found::Failed("the disk is tired".into()) } else { world.found(&query) };
                self.found.push(Input::Found { token, found });
            }
        }
        true
    }

    fn write(&mut self, message: Message, fails: bool, world: &mut World) {
        assert!(world.stored.last().is_none_or(|last| last.id < message.id), "ids grow: {message:?}");
        if fails {
            self.lost.insert(message.id);
            return;
        }
        if let Some(sent_as) = &message.sent_as {
            assert!(self.sent.insert(sent_as.clone()), "said twice: {message:?}");
        }
        self.kept.insert(message.id);
        world.stored.push(message);
    }

    /// An answer that may go out: the next batch's, or any question's.
    pub fn answer(&mut self, dice: &mut Dice) -> Option<Input> {
        let at = dice.roll(self.found.len() + 1);
        if at < self.found.len() { Some(self.found.swap_remove(at)) } else { self.saved.pop_front() }
    }

    /// Whether nothing is under way.
    pub fn is_idle(&self) -> bool {
        self.queue.is_empty() && self.saved.is_empty() && self.found.is_empty()
    }
}
