//! How one round of requests is served: everything in one transaction, then the answers.

use std::time::{Duration, Instant};

use rusqlite::{Connection, ErrorCode, Transaction, TransactionBehavior};

use super::change::Change;
use super::database::WAIT_FOR_OTHER_WRITERS;
use super::keeper::Keeper;
use super::ledger::NotWritten;
use super::record::{Found, Query, Redaction, Search};
use super::{Answer, Entry, Request, accounts, directory};
use crate::wire::msgid::MsgId;

/// Before a search the index is brought up to date for so long at most; the rest is searched directly.
const CATCH_UP_MAX: Duration = Duration::from_millis(60);

impl Keeper<'_> {
    /// Serves one round: what is written in one transaction with the questions between, searches after it.
    pub fn serve(&mut self, round: &[Request], answer: &dyn Fn(Answer)) {
        let version = self.version_seen;
        let answers = if round.iter().any(Request::writes) {
            self.write(round)
        } else {
            Ok(self.answers(round).unwrap_or_default())
        };
        self.scrub_log();
        match answers {
            Ok(answers) => answers.into_iter().for_each(answer),
            Err(why) => {
                self.version_seen = version;
                self.refuse(round, &why, answer);
            }
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
                self.removal.rolled_back();
                self.names.forget();
                self.note_failure(why);
            }
        }
        written
    }

    /// The answers to all requests but searches, in their order. Fails only when SQLite fails at what is to be written.
    fn answers(&mut self, round: &[Request]) -> rusqlite::Result<Vec<Answer>> {
        let mut answers = Vec::with_capacity(round.len());
        answers.extend(self.news()?);
        let mut last_change = MsgId(0);
        for request in round {
            match request {
                Request::Append { batch, entries, .. } => {
                    answers.push(Answer::Saved { batch: *batch, result: self.append(entries, &mut last_change)? });
                }
                Request::Ask { query, .. } if matches!(**query, Query::Search(_)) => {}
                Request::Ask { token, query } => {
                    let found = if query.writes() { self.order(query)? } else { self.ask(query) };
                    answers.push(Answer::Found { token: *token, found });
                }
                Request::Wake => {}
            }
        }
        if last_change > MsgId(0) {
            self.book.note_last(last_change)?;
        }
        Ok(answers)
    }

    /// All accounts, when another program committed something since the last round (`gzy user` beside the running server).
    fn news(&mut self) -> rusqlite::Result<Option<Answer>> {
        let version = self.readers.version_seen()?;
        if version == self.version_seen {
            return Ok(None);
        }
        self.version_seen = version;
        directory::accounts(self.db).map(|accounts| Some(Answer::AccountsChanged(accounts)))
    }

    /// One bad message does not cost the others their place; the batch is told about the first.
    fn append(&mut self, entries: &[Entry], last_change: &mut MsgId) -> rusqlite::Result<Result<(), Box<str>>> {
        let mut result = Ok(());
        for entry in entries {
            let message = match entry {
                Entry::Message(message) => message,
                Entry::Change { id, change } => {
                    self.book.write(&mut self.names, *id, change)?;
                    if matches!(change, Change::GroupEnded { .. }) {
                        self.sweep.wake();
                    }
                    *last_change = (*last_change).max(*id);
                    continue;
                }
            };
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
                Request::Ask { token, query } => {
                    let found = if query.writes() { Found::Failed(sentence.into()) } else { self.ask(query) };
                    answer(Answer::Found { token: *token, found });
                }
                Request::Wake => {}
            }
        }
    }

    /// Does what a question asks to be done; its answer goes out after the commit.
    fn order(&mut self, query: &Query) -> rusqlite::Result<Found> {
        match query {
            Query::Register { name, hash } => accounts::register(self.db, name, hash).map(Found::Registered),
            Query::SetPassword { account, hash } => {
                accounts::set_password(self.db, *account, hash).map(Found::PasswordSet)
            }
            Query::Redact { place, id, only_of } => {
                let upto = self.index.upto();
                let redaction = self.removal.redact(&mut self.names, place, *id, only_of.as_deref(), upto)?;
                self.log_holds_removed |= redaction == Redaction::Done;
                Ok(Found::Redacted(redaction))
            }
            _ => Ok(self.ask(query)),
        }
    }

    fn ask(&mut self, query: &Query) -> Found {
        self.readers.ask(&mut self.names, query).unwrap_or_else(|why| self.failed(&why))
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
        self.readers.search(&mut self.names, search, upto, last_n).map_or_else(|why| self.failed(&why), Found::Messages)
    }

    fn failed(&self, why: &rusqlite::Error) -> Found {
        log::error!("cannot read {}: {why}", self.path.display());
        Found::Failed("the server cannot read what was said; try again, or tell the one who runs it".into())
    }

    /// Folds the write-ahead log in and empties it, so that what was removed is in no file of ours. While another program reads, that
    /// has to wait: it is tried again with each round.
    pub(super) fn scrub_log(&mut self) {
        if !self.log_holds_removed || !self.db.is_autocommit() {
            return;
        }
        match fold_in(self.db) {
            Ok(true) => self.log_holds_removed = false,
            Ok(false) => log::debug!("{}: another program reads; what was removed goes later", self.path.display()),
            Err(why) => log::warn!("{}: could not fold the write-ahead log in: {why}", self.path.display()),
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

/// Puts the write-ahead log into the file; false when somebody else is using it at this moment. Waits for nobody.
fn fold_in(db: &Connection) -> rusqlite::Result<bool> {
    db.busy_timeout(Duration::ZERO)?;
    let busy = db.query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], |row| row.get::<_, i64>(0));
    db.busy_timeout(WAIT_FOR_OTHER_WRITERS)?;
    busy.map(|busy| busy == 0)
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
    use super::super::record::{AccountId, NotRegistered, SentAs};
    use super::*;
    use crate::store::record::Message;

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

    fn register(name: &str) -> Query {
        Query::Register { name: name.into(), hash: "h".into() }
    }

    #[test]
    fn accounts_are_made_and_refused_within_the_round() {
        let mut desk = Desk::new();
        let registered = |desk: &mut Desk, name: &str| match desk.ask(register(name)) {
            Found::Registered(result) => result,
            other => panic!("{other:?}"),
        };
        assert_eq!(registered(&mut desk, "小阳"), Ok(AccountId(1000)));
        assert_eq!(registered(&mut desk, "小阳"), Err(NotRegistered::Taken));
        assert_eq!(registered(&mut desk, "1000"), Err(NotRegistered::LooksLikeNumber));
        assert_eq!(registered(&mut desk, "Ben"), Ok(AccountId(1001)));
        assert_eq!(registered(&mut desk, "BEN"), Err(NotRegistered::Taken));
        for (account, is_there) in [(1001, true), (1002, false)] {
            let asked = Query::SetPassword { account: AccountId(account), hash: "new".into() };
            assert_eq!(desk.ask(asked), Found::PasswordSet(is_there));
        }
        let Found::Account(Some(ben)) = desk.ask(Query::Account { name: "ben".into() }) else { panic!() };
        assert_eq!(&*ben.password_hash, "new");
    }

    #[test]
    fn on_a_full_disk_nobody_is_told_that_they_are_registered() {
        let mut desk = Desk::new();
        desk.save(vec![said(1, "before")]).unwrap();
        let pages: i64 = desk.db.pragma_query_value(None, "page_count", |row| row.get(0)).unwrap();
        desk.db.query_row(&format!("PRAGMA max_page_count = {pages}"), [], |_| Ok(())).unwrap();
        let mut told = Vec::new();
        for i in 0..200 {
            match desk.ask(register(&format!("name{i}"))) {
                Found::Registered(Ok(_)) => told.push(format!("name{i}")),
                Found::Failed(why) => assert!(why.contains("disk is full"), "{why}"),
                other => panic!("{other:?}"),
            }
        }
        assert!(told.len() < 200);
        let there: Vec<_> =
            directory::accounts(desk.db).unwrap().into_iter().map(|account| account.name.to_string()).collect();
        assert_eq!(there, told);
    }

    #[test]
    fn what_another_program_did_to_accounts_is_told_once_and_before_everything_else() {
        let mut desk = Desk::new();
        let beside = accounts::Accounts::open(desk.dir.path()).unwrap();
        let names = |answers: &[Answer]| match &answers[0] {
            Answer::AccountsChanged(accounts) => accounts.iter().map(|account| account.name.to_string()).collect(),
            _ => vec!["nothing".to_owned()],
        };
        let ask = || Request::Ask { token: 1, query: Box::new(register("小阳")) };
        assert_eq!(names(&desk.round(vec![ask()])), ["nothing"], "one's own writing is no news");
        beside.add("anna", "h").unwrap();
        beside.remove("小阳").unwrap();
        let answers = desk.round(vec![Desk::batch(1, vec![said(1, "x")]), ask()]);
        assert_eq!(names(&answers), ["anna"]);
        assert!(matches!(answers[2], Answer::Found { found: Found::Registered(Ok(AccountId(1002))), .. }));
        assert_eq!(names(&desk.round(vec![Desk::batch(2, vec![said(2, "x")])])), ["nothing"]);
    }

    #[test]
    fn removed_words_leave_the_log_as_soon_as_nobody_reads_it_any_more() {
        let mut desk = Desk::new();
        desk.save(vec![said(1, "Drachenfrucht"), said(2, "x")]).unwrap();
        let reader = rusqlite::Connection::open(desk.dir.path().join("gzy.db")).unwrap();
        let look = reader.unchecked_transaction().unwrap();
        look.query_row("SELECT count(*) FROM messages", [], |row| row.get::<_, i64>(0)).unwrap();
        let begun = Instant::now();
        desk.ask(Query::Redact { place: place("#lobby"), id: at(1), only_of: None });
        assert!(begun.elapsed() < WAIT_FOR_OTHER_WRITERS / 2, "talk does not wait for a reader");
        assert!(desk.keeper.log_holds_removed);
        drop(look);
        desk.texts("#lobby");
        assert!(!desk.keeper.log_holds_removed);
        for file in ["gzy.db", "gzy.db-wal"] {
            let bytes = std::fs::read(desk.dir.path().join(file)).unwrap();
            assert!(!bytes.windows(5).any(|window| window == b"chenf"), "{file}");
        }
    }
}
