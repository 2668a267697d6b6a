//! For tests: messages quickly said, and a keeper without its thread.

use std::cell::RefCell;
use std::path::Path;
use std::sync::mpsc::{Receiver, channel};

use rusqlite::Connection;
use tempfile::TempDir;

use super::change::Change;
use super::keeper::Keeper;
use super::record::{Found, Kind, Message, Place, Query, Search, Target};
use super::{Answer, Entry, Opened, Request, Store, database};
use crate::wire::msgid::MsgId;

/// The id of the message said at minute `minute`.
pub fn at(minute: u64) -> MsgId {
    MsgId::first_at(1_795_000_000_000 + minute * 60_000)
}

/// Anna's words in the lobby.
pub fn said(minute: u64, text: &str) -> Message {
    Message {
        id: at(minute),
        target: Target::room("#lobby"),
        closed_in: 0,
        source: "anna!a@host".into(),
        account: None,
        bot: false,
        kind: Kind::Privmsg,
        text: text.into(),
        tags: None,
        sent_as: None,
    }
}

/// A room as an outsider of its closed hours sees it.
pub fn place(room: &str) -> Place {
    Place { target: Target::room(room), instance: 0, since: MsgId(0) }
}

/// A search for words in the lobby.
pub fn search_for(words: &[&str]) -> Search {
    Search {
        places: vec![place("#lobby")],
        words: words.iter().map(|word| Box::from(*word)).collect(),
        from: None,
        since: None,
        before: None,
        limit: 1000,
    }
}

/// A keeper that the test drives by hand, and its file.
pub struct Desk {
    pub db: &'static Connection,
    pub keeper: Keeper<'static>,
    pub dir: TempDir,
    minutes_later: u64,
}

impl Desk {
    pub fn new() -> Desk {
        let dir = tempfile::tempdir().unwrap();
        // Leaked, because statements borrow their connection; the test's process frees it.
        let db: &'static Connection = Box::leak(Box::new(database::open(dir.path()).unwrap()));
        let keeper = Keeper::new(db, database::file_in(dir.path()), None).unwrap();
        Desk { db, keeper, dir, minutes_later: 0 }
    }

    pub fn batch(batch: u64, messages: Vec<Message>) -> Request {
        Request::Append { batch, entries: messages.into_iter().map(Entry::Message).collect(), bytes: 0 }
    }

    /// Whatever is saved from now on was said so much later.
    pub fn shift(&mut self, minutes: u64) {
        self.minutes_later += minutes;
    }

    pub fn round(&mut self, round: Vec<Request>) -> Vec<Answer> {
        let answers = RefCell::new(Vec::new());
        self.keeper.serve(&round, &|answer| answers.borrow_mut().push(answer));
        answers.into_inner()
    }

    pub fn save(&mut self, mut messages: Vec<Message>) -> Result<(), Box<str>> {
        for message in &mut messages {
            message.id = MsgId(message.id.0.saturating_add((self.minutes_later * 60_000) << 20));
        }
        match &mut self.round(vec![Desk::batch(1, messages)])[..] {
            [Answer::Saved { batch: 1, result }] => std::mem::replace(result, Ok(())),
            other => panic!("{other:?}"),
        }
    }

    /// Writes changes, under ids of the minutes that the desk is at.
    pub fn change(&mut self, changes: Vec<Change>) {
        let first = at(self.minutes_later + 1).0 + 1;
        let entries = changes.into_iter().zip(first..).map(|(change, id)| Entry::Change { id: MsgId(id), change });
        let batch = Request::Append { batch: 1, entries: entries.collect(), bytes: 0 };
        assert_eq!(self.round(vec![batch]), [Answer::Saved { batch: 1, result: Ok(()) }]);
    }

    /// The same folder, opened again; this desk is not used any more.
    pub fn again(self) -> Desk {
        self.again_keeping(None)
    }

    /// … and messages that are older than `keep_ms` have to go.
    pub fn again_keeping(self, keep_ms: Option<u64>) -> Desk {
        let db: &'static Connection = Box::leak(Box::new(database::open(self.dir.path()).unwrap()));
        let keeper = Keeper::new(db, database::file_in(self.dir.path()), keep_ms).unwrap();
        Desk { db, keeper, dir: self.dir, minutes_later: self.minutes_later }
    }

    pub fn ask(&mut self, query: Query) -> Found {
        match self.round(vec![Request::Ask { token: 7, query: Box::new(query) }]).pop() {
            Some(Answer::Found { token: 7, found }) => found,
            other => panic!("{other:?}"),
        }
    }

    /// What the last messages of a room say.
    pub fn texts(&mut self, room: &str) -> Vec<String> {
        texts_of(self.ask(Query::Before { place: place(room), before: None, limit: 1000 }))
    }

    /// What the hits for these words in the lobby say.
    pub fn search(&mut self, words: &[&str]) -> Vec<String> {
        texts_of(self.ask(Query::Search(search_for(words))))
    }
}

/// A whole store, and what it answers.
pub fn open(data: &Path) -> (Opened, Receiver<Answer>) {
    let (answer, answers) = channel();
    (Store::open(data, None, move |said| drop(answer.send(said))).unwrap(), answers)
}

pub fn texts_of(found: Found) -> Vec<String> {
    match found {
        Found::Messages(messages) => messages.into_iter().map(|message| message.text.into()).collect(),
        other => panic!("{other:?}"),
    }
}

/// A file as the first version left it: anna (1000) and ben (1001) talked in the lobby and with each other, anna with a guest.
pub fn make_first_form(data: &Path) -> Connection {
    let db = Connection::open(database::file_in(data)).unwrap();
    db.pragma_update(None, "journal_mode", "WAL").unwrap();
    db.execute_batch(include_str!("1.sql")).unwrap();
    db.pragma_update(None, "application_id", i32::from_be_bytes(*b"GZY.")).unwrap();
    db.pragma_update(None, "user_version", 1).unwrap();
    db.execute_batch(
        "INSERT INTO accounts (name, folded, password_hash, created_ms) VALUES ('Anna', 'anna', 'h', 1), ('ben', 'ben', 'h', 2);
         INSERT INTO names VALUES (1, '#lobby'), (2, 'anna ben'), (3, 'anna guest'), (4, 'Anna!a@h'), (5, 'Anna');",
    )
    .unwrap();
    let add = "INSERT INTO messages VALUES (?1, ?2, ?3, 0, 4, 5, 0, ?4, NULL, NULL, NULL)";
    for (n, target, text) in [(1_i64, 1, "hello all"), (2, 2, "hello ben"), (3, 3, "hello guest"), (4, 2, "ben?")] {
        db.execute(add, (n, at(n as u64).0 as i64, target, text)).unwrap();
    }
    db
}
