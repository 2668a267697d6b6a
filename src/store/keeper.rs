//! The store's thread: takes everything that is queued in one transaction, then answers.

use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::sync::mpsc::{Receiver, RecvTimeoutError};
use std::time::{Duration, Instant};

use rusqlite::{Connection, ErrorCode, Transaction, TransactionBehavior};

use super::history::History;
use super::index::{Index, SLICE};
use super::ledger::{Ledger, NotWritten};
use super::names::Names;
use super::pace::{self, Pace};
use super::record::{Found, Message, Query, Search};
use super::search::{Budget, Searcher};
use super::{Answer, Request, Shared, accounts};
use crate::wire::msgid::MsgId;

/// One transaction takes at most so many messages (a batch is never divided): about 1 MiB, which the page cache holds.
const GROUP_MESSAGES_MAX: usize = 4096;

/// … and so many requests: answers wait for the commit.
const GROUP_REQUESTS_MAX: usize = 512;

/// The search index is fed when nothing came for so long. Talk leaves no such pause while it is lively, and a search catches up first anyway.
const QUIET_BEFORE_INDEXING: Duration = Duration::from_secs(1);

/// When so many messages wait for the index, a slice is taken between two rounds, however busy: a search can look at so many
/// without the index within its time.
const INDEX_LAG_MAX: i64 = 100_000;

/// Before a search the index is brought up to date for so long at most; the rest is searched directly.
const CATCH_UP_MAX: Duration = Duration::from_millis(60);

/// Owns the connection's statements and everything that is known about the file. Lives on the store thread.
pub struct Keeper<'c> {
    db: &'c Connection,
    path: PathBuf,
    names: Names<'c>,
    ledger: Ledger<'c>,
    history: History<'c>,
    searcher: Searcher<'c>,
    pub(super) index: Index<'c>,
    pace: Pace,
    /// The last write failed; told to the log once, not for every message.
    is_failing: bool,
    /// The index is fed when it lags by so much: a slice, and another one after each failure.
    feed_at_lag: i64,
}

impl<'c> Keeper<'c> {
    /// Prepares everything. `path` is the file's name for the log.
    pub fn new(db: &'c Connection, path: PathBuf) -> rusqlite::Result<Keeper<'c>> {
        let index = Index::new(db)?;
        Ok(Keeper {
            db,
            path,
            names: Names::new(db)?,
            ledger: Ledger::new(db, index.upto())?,
            history: History::new(db)?,
            searcher: Searcher::new(db)?,
            index,
            pace: Pace::default(),
            is_failing: false,
            feed_at_lag: SLICE,
        })
    }

    /// The greatest id that is stored.
    pub fn last_id(&self) -> MsgId {
        self.ledger.last_id()
    }

    /// Serves until the store is closed and the queue is empty, then puts everything into the one file.
    pub fn run(mut self, queue: &Receiver<Request>, shared: &Arc<Shared>, answer: &dyn Fn(Answer)) {
        while let Some(first) = self.next(queue, shared) {
            let mut round = vec![first];
            gather(&mut round, queue);
            if self.should_pause(&round, shared) {
                std::thread::sleep(pace::PAUSE);
                let before = round.len();
                gather(&mut round, queue);
                self.pace.paused(round.len() > before);
            }
            self.serve(&round, answer);
            let bytes = round.iter().map(|request| request.bytes()).sum();
            shared.queued_bytes.fetch_sub(bytes, Ordering::AcqRel);
            if self.lag() >= self.feed_at_lag.max(INDEX_LAG_MAX) {
                self.take_slice();
            }
        }
        let folded_in = self.db.query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], |_| Ok(()));
        if let Err(why) = folded_in {
            log::warn!(
                "{}: could not fold the write-ahead log in: {why}; it will be at the next start",
                self.path.display()
            );
        }
    }

    /// The next request; while there is none, and only then, the index is fed. Sleeps without a timer when nothing is to be done.
    fn next(&mut self, queue: &Receiver<Request>, shared: &Shared) -> Option<Request> {
        let mut pause = QUIET_BEFORE_INDEXING;
        loop {
            if shared.closing.load(Ordering::Acquire) {
                return queue.try_recv().ok();
            }
            if self.lag() < self.feed_at_lag {
                return queue.recv().ok();
            }
            match queue.recv_timeout(pause) {
                Ok(request) => return Some(request),
                Err(RecvTimeoutError::Disconnected) => return None,
                Err(RecvTimeoutError::Timeout) => self.take_slice(),
            }
            pause = Duration::ZERO;
        }
    }

    /// Only messages wait for more of their kind; questions and the end do not.
    fn should_pause(&mut self, round: &[Request], shared: &Shared) -> bool {
        let only_messages = round.iter().all(|request| matches!(request, Request::Append { .. }));
        let messages = round.iter().map(Request::messages).sum();
        only_messages && !shared.closing.load(Ordering::Acquire) && self.pace.wants_pause(Instant::now(), messages)
    }

    /// Serves one round: appends in one transaction with the questions between them, searches after it.
    pub fn serve(&mut self, round: &[Request], answer: &dyn Fn(Answer)) {
        let has_appends = round.iter().any(|request| matches!(request, Request::Append { .. }));
        let answers = if has_appends { self.write(round) } else { Ok(self.answers(round).unwrap_or_default()) };
        match answers {
            Ok(answers) => answers.into_iter().for_each(answer),
            Err(why) => self.refuse(round, &why, answer),
        }
        for request in round {
            if let Request::Ask { token, query } = request
                && let Query::Search(search) = &**query
            {
                answer(Answer::Found { token: *token, found: self.search(search) });
            }
        }
    }

    fn write(&mut self, round: &[Request]) -> rusqlite::Result<Vec<Answer>> {
        let begun = Instant::now();
        let written = Transaction::new_unchecked(self.db, TransactionBehavior::Immediate).and_then(|step| {
            let answers = self.answers(round)?;
            step.commit()?;
            Ok(answers)
        });
        match &written {
            Ok(_) => {
                self.ledger.committed();
                self.pace.committed(begun, Instant::now());
                self.note_success();
            }
            Err(why) => {
                self.ledger.rolled_back();
                self.names.forget();
                self.note_failure(why);
            }
        }
        written
    }

    /// The answers to all requests but searches, in their order. Fails only when SQLite fails at an append.
    fn answers(&mut self, round: &[Request]) -> rusqlite::Result<Vec<Answer>> {
        let mut answers = Vec::with_capacity(round.len());
        for request in round {
            match request {
                Request::Append { batch, messages, .. } => {
                    answers.push(Answer::Saved { batch: *batch, result: self.append(messages)? });
                }
                Request::Ask { query, .. } if matches!(**query, Query::Search(_)) => {}
                Request::Ask { token, query } => answers.push(Answer::Found { token: *token, found: self.ask(query) }),
                Request::Wake => {}
            }
        }
        Ok(answers)
    }

    /// One bad message does not cost the others their place; the batch is told about the first.
    fn append(&mut self, messages: &[Message]) -> rusqlite::Result<Result<(), Box<str>>> {
        let mut result = Ok(());
        for message in messages {
            match self.ledger.append(&mut self.names, message) {
                Ok(()) => {}
                Err(NotWritten::Refused(sentence)) => {
                    log::error!("{}: {sentence}", self.path.display());
                    result = result.and(Err(sentence));
                }
                Err(NotWritten::Broken(why)) => return Err(why),
            }
        }
        Ok(result)
    }

    /// Nothing of the round was written: every batch is told so, every question is answered from what is there.
    fn refuse(&mut self, round: &[Request], why: &rusqlite::Error, answer: &dyn Fn(Answer)) {
        let sentence = refusal(why);
        for request in round {
            match request {
                Request::Append { batch, .. } => answer(Answer::Saved { batch: *batch, result: Err(sentence.into()) }),
                Request::Ask { query, .. } if matches!(**query, Query::Search(_)) => {}
                Request::Ask { token, query } => answer(Answer::Found { token: *token, found: self.ask(query) }),
                Request::Wake => {}
            }
        }
    }

    fn ask(&mut self, query: &Query) -> Found {
        let names = &mut self.names;
        let found = match query {
            Query::Before { place, before, limit } => {
                self.history.before(names, place, *before, *limit).map(Found::Messages)
            }
            Query::After { place, after, limit } => {
                self.history.after(names, place, *after, *limit).map(Found::Messages)
            }
            Query::Sent(sent) => self.history.sent(names, sent).map(Found::Sent),
            Query::Account { name } => accounts::find(self.db, name).map(Found::Account),
            Query::Search(search) => return self.search(search),
        };
        found.unwrap_or_else(|why| self.failed(&why))
    }

    fn search(&mut self, search: &Search) -> Found {
        let until = Instant::now() + CATCH_UP_MAX;
        while self.lag() >= self.feed_at_lag {
            // One at the least, however slow the disk is: else a server that is always busy would never catch up.
            self.take_slice();
            if Instant::now() >= until {
                break;
            }
        }
        let (upto, last_n) = (self.index.upto(), self.ledger.last_n());
        self.searcher
            .search(&mut self.names, &mut self.history, search, upto, last_n, Budget::default())
            .map_or_else(|why| self.failed(&why), Found::Messages)
    }

    fn failed(&self, why: &rusqlite::Error) -> Found {
        log::error!("cannot read {}: {why}", self.path.display());
        Found::Failed("the server cannot read what was said; try again, or tell the one who runs it".into())
    }

    /// How many stored messages the index does not hold.
    pub(super) fn lag(&self) -> i64 {
        self.ledger.last_n() - self.index.upto()
    }

    /// Feeds the index once; a failure is told to the log and tried again when more is to be done.
    pub(super) fn take_slice(&mut self) {
        match self.index.take_slice() {
            Ok(()) => self.feed_at_lag = SLICE,
            Err(why) => {
                log::warn!("{}: the search index waits: {why}; searching goes on, more slowly", self.path.display());
                self.feed_at_lag = self.lag() + SLICE;
            }
        }
    }

    fn note_failure(&mut self, why: &rusqlite::Error) {
        if !self.is_failing {
            log::error!("cannot write {}: {why}; messages are refused until it can be written", self.path.display());
        }
        self.is_failing = true;
    }

    fn note_success(&mut self) {
        if self.is_failing {
            log::info!("{} can be written again", self.path.display());
        }
        self.is_failing = false;
    }
}

/// Adds what is queued to a round, up to the size of one transaction.
fn gather(round: &mut Vec<Request>, queue: &Receiver<Request>) {
    let mut messages: usize = round.iter().map(Request::messages).sum();
    while messages < GROUP_MESSAGES_MAX && round.len() < GROUP_REQUESTS_MAX {
        let Ok(request) = queue.try_recv() else { break };
        messages += request.messages();
        round.push(request);
    }
}

/// What the sender of a message is told; the log has the details.
fn refusal(why: &rusqlite::Error) -> &'static str {
    match why.sqlite_error_code() {
        Some(ErrorCode::DiskFull) => "not stored: the server's disk is full; say it again later",
        Some(ErrorCode::DatabaseBusy | ErrorCode::DatabaseLocked) => {
            "not stored: the server's database is in use by another program; say it again"
        }
        _ => "not stored: the server cannot write its database; say it again later",
    }
}

#[cfg(test)]
mod tests {
    use super::super::fixture::{Desk, at, place, said};
    use super::super::record::SentAs;
    use super::*;

    fn sent(mut message: Message, id: &str) -> Message {
        message.sent_as = Some(SentAs { sender: "anna".into(), id: id.into() });
        message
    }

    #[test]
    fn a_message_that_was_sent_before_is_kept_once_and_acknowledged_again() {
        let mut desk = Desk::new();
        desk.save(vec![sent(said(1, "hi"), "a1")]).unwrap();
        desk.save(vec![sent(said(2, "hi"), "a1"), sent(said(3, "and"), "a2"), said(4, "end")]).unwrap();
        assert_eq!(desk.texts("#lobby"), ["hi", "and", "end"]);
        let asked = |id: &str| Query::Sent(SentAs { sender: "anna".into(), id: id.into() });
        assert_eq!(desk.ask(asked("a1")), Found::Sent(Some(at(1))));
        assert_eq!(desk.ask(asked("a2")), Found::Sent(Some(at(3))));
        assert_eq!(desk.ask(asked("a3")), Found::Sent(None));
        let of_eve = Query::Sent(SentAs { sender: "eve".into(), id: "a1".into() });
        assert_eq!(desk.ask(of_eve), Found::Sent(None));
        desk.save(vec![said(5, "two without an id of their own"), said(6, "are two")]).unwrap();
        assert_eq!(desk.texts("#lobby").len(), 5);
    }

    #[test]
    fn one_bad_message_does_not_cost_the_others_their_place() {
        let mut desk = Desk::new();
        desk.save(vec![said(5, "first")]).unwrap();
        let refused = desk.save(vec![said(6, "good"), said(6, "same id"), said(2, "old id"), said(7, "good too")]);
        let sentence = refused.unwrap_err();
        assert_eq!(&*sentence, format!("message {} was not stored: ids must grow; say it again", at(6)));
        desk.save(vec![Message { id: MsgId(u64::MAX), ..said(8, "no id at all") }]).unwrap_err();
        desk.save(vec![said(8, "last")]).unwrap();
        assert_eq!(desk.texts("#lobby"), ["first", "good", "good too", "last"]);
    }

    #[test]
    fn questions_of_a_round_see_exactly_what_came_before_them() {
        let mut desk = Desk::new();
        let count = |token| Request::Ask {
            token,
            query: Box::new(Query::Before { place: place("#lobby"), before: None, limit: 9 }),
        };
        let answers = desk.round(vec![
            count(1),
            Desk::batch(1, vec![said(1, "a")]),
            count(2),
            Desk::batch(2, vec![said(2, "b")]),
            count(3),
        ]);
        let counted: Vec<_> = answers
            .iter()
            .filter_map(|answer| match answer {
                Answer::Found { token, found: Found::Messages(found) } => Some((*token, found.len())),
                _ => None,
            })
            .collect();
        assert_eq!(counted, [(1, 0), (2, 1), (3, 2)]);
        assert_eq!(answers.len(), 5);
    }

    #[test]
    fn a_full_disk_is_told_to_everybody_and_forgotten_when_there_is_room() {
        let mut desk = Desk::new();
        let mut acknowledged = Vec::new();
        desk.save(vec![said(1, "before")]).unwrap();
        let pages: i64 = desk.db.pragma_query_value(None, "page_count", |row| row.get(0)).unwrap();
        desk.db.query_row(&format!("PRAGMA max_page_count = {}", pages + 40), [], |_| Ok(())).unwrap();
        let mut refusals = 0;
        for id in 2..100 {
            let text = format!("{id} {}", "long ".repeat(800));
            match desk
                .save(vec![said(id, &text), Message { source: format!("n{id}!u@h").into(), ..said(id + 1000, "x") }])
            {
                Ok(()) => acknowledged.push(text),
                Err(sentence) => {
                    refusals += 1;
                    assert_eq!(&*sentence, "not stored: the server's disk is full; say it again later");
                }
            }
            // A thousand later than the batch before, so that ids grow.
            desk.shift(1001);
        }
        assert!(refusals > 10 && !acknowledged.is_empty(), "{refusals}");
        let Found::Messages(there) = desk.ask(Query::After { place: place("#lobby"), after: at(1), limit: 999 }) else {
            panic!()
        };
        let there: Vec<_> = there.into_iter().map(|m| m.text).filter(|text| **text != *"x").collect();
        assert_eq!(there.iter().map(|text| &**text).collect::<Vec<_>>(), acknowledged);

        desk.db.query_row("PRAGMA max_page_count = 1000000", [], |_| Ok(())).unwrap();
        desk.save((1..2000).map(|i| said(10_000 + i, "room again")).collect()).unwrap();
        assert!(!desk.keeper.is_failing);
        assert_eq!(desk.texts("#lobby").last().unwrap(), "room again");
    }

    #[test]
    fn a_full_disk_stops_the_index_but_not_the_search() {
        let mut desk = Desk::new();
        desk.save((1..=2 * SLICE as u64).map(|id| said(id, &format!("{id} 我在上海"))).collect()).unwrap();
        let pages: i64 = desk.db.pragma_query_value(None, "page_count", |row| row.get(0)).unwrap();
        desk.db.query_row(&format!("PRAGMA max_page_count = {pages}"), [], |_| Ok(())).unwrap();
        assert_eq!(
            desk.search(&["7", "上海"]),
            ["7 我在上海"].map(String::from).into_iter().chain(hits(70..80)).chain(hits(700..800)).collect::<Vec<_>>()
        );
        assert!(desk.keeper.lag() >= 2 * SLICE && desk.keeper.feed_at_lag > desk.keeper.lag());
        desk.db.query_row("PRAGMA max_page_count = 1000000", [], |_| Ok(())).unwrap();
        desk.save((1..=SLICE as u64).map(|id| said(5000 + id, "more")).collect()).unwrap();
        // A slow disk takes one slice for each search; a quick one takes all.
        while desk.keeper.lag() >= SLICE {
            let before = desk.keeper.lag();
            desk.search(&["more"]);
            assert!(desk.keeper.lag() < before);
        }
    }

    fn hits(ids: std::ops::Range<u64>) -> impl Iterator<Item = String> {
        ids.map(|id| format!("{id} 我在上海"))
    }

    #[test]
    fn the_write_ahead_log_does_not_grow_for_ever() {
        let mut desk = Desk::new();
        let wal = desk.dir.path().join("gzy.db-wal");
        for minute in (1..3000).step_by(10) {
            desk.save((minute..minute + 10).map(|minute| said(minute, &"x".repeat(3000))).collect()).unwrap();
            assert!(wal.metadata().unwrap().len() < 16 << 20);
        }
        let file = desk.dir.path().join("gzy.db").metadata().unwrap().len();
        assert!(file > 8 << 20, "it was folded in meanwhile: {file}");
    }
}
