//! Who answers which question.

use rusqlite::{Connection, Statement};

use super::accounts;
use super::conversations::Conversations;
use super::history::History;
use super::names::Names;
use super::record::{Found, Message, Query, Search};
use super::search::{Budget, Searcher};

/// Everything that only reads. Belongs to the store thread.
pub struct Readers<'c> {
    db: &'c Connection,
    history: History<'c>,
    conversations: Conversations<'c>,
    searcher: Searcher<'c>,
    version: Statement<'c>,
}

impl<'c> Readers<'c> {
    /// Prepares the questions.
    pub fn new(db: &'c Connection) -> rusqlite::Result<Readers<'c>> {
        Ok(Readers {
            db,
            history: History::new(db)?,
            conversations: Conversations::new(db)?,
            searcher: Searcher::new(db)?,
            version: db.prepare("PRAGMA data_version")?,
        })
    }

    /// A number that changes when another program commits.
    pub fn version_seen(&mut self) -> rusqlite::Result<i64> {
        self.version.query_row([], |row| row.get(0))
    }

    /// The answer to a question that is no search and writes nothing.
    pub fn ask(&mut self, names: &mut Names<'_>, query: &Query) -> rusqlite::Result<Found> {
        let Readers { history, conversations, .. } = self;
        match query {
            Query::Before { place, before, limit } => {
                history.before(names, place, *before, *limit).map(Found::Messages)
            }
            Query::After { place, after, limit } => history.after(names, place, *after, *limit).map(Found::Messages),
            Query::Between { place, after, before, limit, newest } => {
                history.between(names, place, (*after, *before), *limit, *newest).map(Found::Messages)
            }
            Query::Around { place, id, limit } => history.around(names, place, *id, *limit).map(Found::Messages),
            Query::Targets { places, account, after, before, limit } => {
                conversations.targets(names, places, *account, (*after, *before), *limit).map(Found::Targets)
            }
            Query::Unread { account, places, limit } => {
                conversations.unread(names, *account, places, *limit).map(Found::Unread)
            }
            Query::Person { account } => {
                conversations.person(*account).map(|(read, delivered)| Found::Person { read, delivered })
            }
            Query::Private { account, after, limit } => {
                conversations.private(names, history, *account, *after, *limit).map(Found::Messages)
            }
            Query::Sent(sent) => history.sent(names, sent).map(Found::Sent),
            Query::Account { name } => accounts::find(self.db, name).map(Found::Account),
            Query::Register { .. } | Query::SetPassword { .. } | Query::Redact { .. } | Query::Search(_) => {
                unreachable!("what writes is done within the round, searches after it")
            }
        }
    }

    /// The hits of a search. Rows after `indexed_upto` are looked at without the index.
    pub fn search(
        &mut self,
        names: &mut Names<'_>,
        search: &Search,
        indexed_upto: i64,
        last_n: i64,
    ) -> rusqlite::Result<Vec<Message>> {
        self.searcher.search(names, &mut self.history, search, indexed_upto, last_n, Budget::default())
    }
}
