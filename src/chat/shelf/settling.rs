//! What is on its way to the store, and who is told when it is there: nothing about a file is acknowledged before.

use std::collections::VecDeque;

use crate::store::file::{FileKey, Scope};
use crate::wire::digest::Digest;
use crate::wire::escape::printable;
use crate::wire::limits::FILES_TOLD_EACH;
use crate::wire::media::Media;
use crate::wire::msgid::MsgId;

use super::super::{Chat, Effect, Now};
use super::Denied;
use super::bringing::{Asked, refuse_web};
use super::command::stored_line;
use super::order::{ShelfOrder, StoredFile};
use super::rights::Visitor;
use super::upload::Question;
use super::web::{WebId, WebReply};
use super::words::size_words;

/// A file that has come, until that is told.
#[derive(Debug)]
pub struct Arrival {
    /// Which.
    pub key: FileKey,
    /// Its content.
    pub digest: Digest,
    /// Bytes.
    pub size: u64,
    /// What is in it.
    pub media: Media,
    /// Who brought it.
    pub by: Visitor,
    /// Lines that are answered.
    pub questions: Vec<Question>,
    /// HTTP requests that are answered.
    pub webs: Vec<WebId>,
}

impl Arrival {
    /// A file that was just stored; nobody is answered yet.
    pub fn new(key: FileKey, file: &StoredFile, by: Visitor) -> Arrival {
        let (digest, size, media) = (file.digest, file.stamp.size, file.media);
        Arrival { key, digest, size, media, by, questions: Vec::new(), webs: Vec::new() }
    }
}

/// A file that was removed, until that is told.
#[derive(Debug)]
pub struct Departure {
    /// Which.
    pub key: FileKey,
    /// Who removed it.
    pub by: Visitor,
    /// How it was asked for; `None` when that was answered.
    pub asked: Option<Asked>,
}

/// One thing that the store does not have yet.
#[derive(Debug)]
enum Settled {
    Arrived(Box<Arrival>),
    /// Somebody offered what had come just before.
    There(FileKey, Asked),
    Left(Box<Departure>),
}

/// All of them, in the order of the ids under which the store gets them.
#[derive(Default, Debug)]
pub struct Settling(VecDeque<(MsgId, Settled)>);

impl Settling {
    /// A file has come.
    pub fn push(&mut self, recorded: MsgId, arrival: Arrival) {
        self.insert(recorded, Settled::Arrived(Box::new(arrival)));
    }

    /// A file has gone.
    pub fn push_departure(&mut self, recorded: MsgId, departure: Departure) {
        self.insert(recorded, Settled::Left(Box::new(departure)));
    }

    /// A line is answered when a file that is there is in the store, too.
    pub fn await_line(&mut self, recorded: MsgId, key: FileKey, question: Question) {
        self.insert(recorded, Settled::There(key, Asked::Line(question)));
    }

    /// The same for an HTTP request.
    pub fn await_web(&mut self, recorded: MsgId, key: FileKey, web: WebId) {
        self.insert(recorded, Settled::There(key, Asked::Web(web)));
    }

    fn insert(&mut self, recorded: MsgId, settled: Settled) {
        let at = self.0.partition_point(|(other, _)| *other <= recorded);
        self.0.insert(at, (recorded, settled));
    }

    fn take(&mut self, up_to: MsgId) -> Vec<(MsgId, Settled)> {
        let ready = self.0.partition_point(|(id, _)| *id <= up_to);
        self.0.drain(..ready).collect()
    }

    /// Whether nothing is on its way.
    #[cfg(test)]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

impl Chat {
    /// Everything up to an id is in the store, or could not be written: whoever waits is told, and so are those who see it.
    pub(in crate::chat) fn shelf_settled(
        &mut self,
        up_to: MsgId,
        is_written: bool,
        now: Now,
        effects: &mut Vec<Effect>,
    ) {
        let mut arrivals = Vec::new();
        for (recorded, settled) in self.shelf.settling.take(up_to) {
            match settled {
                Settled::Arrived(arrival) if is_written => {
                    self.tell_stored(&arrival, effects);
                    arrivals.push(*arrival);
                }
                Settled::Arrived(arrival) => self.take_back(recorded, *arrival, effects),
                Settled::There(key, asked) => self.tell_there_or_not(&key, asked, effects),
                // If the store still has it, the disk does not: the next start takes it off the shelf.
                Settled::Left(departure) => {
                    log_departure(&departure, effects);
                    self.tell_gone_file(*departure, now, effects);
                }
            }
        }
        log_arrivals(&arrivals, effects);
        self.announce(arrivals, now, effects);
        self.go_on_with_waiting(effects);
    }

    fn tell_stored(&self, arrival: &Arrival, effects: &mut Vec<Effect>) {
        let Arrival { key, digest, size, media, .. } = arrival;
        for Question { conn, label, scope_word, .. } in &arrival.questions {
            let Some(session) = self.session(*conn) else { continue };
            let line = stored_line(session, scope_word, &key.name, *size, digest, *media);
            self.answer_line(*conn, label.as_deref(), line, effects);
        }
        for web in &arrival.webs {
            let reply = WebReply::Stored { file: key.clone(), digest: *digest, is_new: true };
            effects.push(Effect::Web { web: *web, reply: Box::new(reply) });
        }
    }

    /// The store could not keep it: then it was not brought, and nothing of it stays.
    fn take_back(&mut self, recorded: MsgId, arrival: Arrival, effects: &mut Vec<Effect>) {
        if self.shelf.index.get(&arrival.key).is_some_and(|file| file.recorded == recorded)
            && let Some(file) = self.shelf.index.take(&arrival.key)
        {
            let order = ShelfOrder::Remove { file: arrival.key.clone(), stamp: file.entry.stamp };
            effects.push(Effect::Shelf(Box::new(order)));
        }
        for question in &arrival.questions {
            self.deny_line(question, arrival.key.name.as_str(), &Denied::NotKept, effects);
        }
        for web in arrival.webs {
            refuse_web(web, &Denied::NotKept, effects);
        }
    }

    fn tell_there_or_not(&self, key: &FileKey, asked: Asked, effects: &mut Vec<Effect>) {
        let file = self.shelf.index.get(key);
        match (asked, file) {
            (Asked::Line(question), Some(file)) => {
                let Some(session) = self.session(question.conn) else { return };
                let entry = &file.entry;
                let line =
                    stored_line(session, &question.scope_word, &key.name, file.size(), &entry.digest, entry.media);
                self.answer_line(question.conn, question.label.as_deref(), line, effects);
            }
            (Asked::Line(question), None) => self.deny_line(&question, key.name.as_str(), &Denied::NotKept, effects),
            (Asked::Web(web), Some(file)) => {
                let reply = WebReply::Stored { file: key.clone(), digest: file.entry.digest, is_new: false };
                effects.push(Effect::Web { web, reply: Box::new(reply) });
            }
            (Asked::Web(web), None) => refuse_web(web, &Denied::NotKept, effects),
        }
    }
}

/// Says in the log what came. A folder is one line, for it may be ten thousand files.
fn log_arrivals(arrivals: &[Arrival], effects: &mut Vec<Effect>) {
    if arrivals.len() > FILES_TOLD_EACH {
        let bytes = arrivals.iter().map(|arrival| arrival.size).sum();
        let text = format!("{} files are stored, {}", arrivals.len(), size_words(bytes));
        return effects.push(Effect::Log { conn: None, text });
    }
    for Arrival { key, size, by, .. } in arrivals {
        let text = format!("{} brought {}, {}", printable(&by.name), logged(key), size_words(*size));
        effects.push(Effect::Log { conn: by.conn, text });
    }
}

fn log_departure(departure: &Departure, effects: &mut Vec<Effect>) {
    let text = format!("{} removed {}", printable(&departure.by.name), logged(&departure.key));
    effects.push(Effect::Log { conn: departure.by.conn, text });
}

/// A file as the log names it. What is not for everybody is not named there either.
fn logged(key: &FileKey) -> String {
    match key.scope {
        Scope::Public => printable(key.name.as_str()).into_owned(),
        scope => format!("a file for {}", scope.filed_as()),
    }
}
