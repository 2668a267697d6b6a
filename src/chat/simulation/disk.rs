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

enum Request {
    Append(Vec<Message>, Vec<(MsgId, Change)>),
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
        let messages: Vec<Message> = world.unsaved.drain(..).map(|unsaved| unsaved.message).collect();
        let changes = std::mem::take(&mut world.unsaved_changes);
        if !messages.is_empty() || !changes.is_empty() {
            match self.queue.back_mut() {
                Some(Request::Append(batch, further)) if dice.percent(50) => {
                    batch.extend(messages);
                    further.extend(changes);
                }
                _ => self.queue.push_back(Request::Append(messages, changes)),
            }
        }
        self.queue.extend(world.questions.drain(..).map(|(token, query)| Request::Ask(token, query)));
    }

    /// Works on the oldest request. False when there is none.
    pub fn work(&mut self, world: &mut World, dice: &mut Dice) -> bool {
        match self.queue.pop_front() {
            None => return false,
            Some(Request::Append(batch, changes)) => {
                let ids = batch.iter().map(|message| message.id).chain(changes.iter().map(|(id, _)| *id));
                let up_to = ids.max().expect("a batch holds something");
                let (count, fails) = (batch.len() + changes.len(), dice.percent(FAILING_BATCHES));
                let result = if fails { Err("the disk is full".into()) } else { Ok(()) };
                for message in batch {
                    self.write(message, fails, world);
                }
                if !fails {
                    world.stored_changes.extend(changes.into_iter().map(|(_, change)| change));
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
