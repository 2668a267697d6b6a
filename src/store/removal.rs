//! How messages are removed for good: from their place, from the search index, from the conversations.

use rusqlite::{Connection, OptionalExtension, Row, Statement};

use super::history::{as_column, instances_seen};
use super::index::{documents_where, write_document};
use super::names::Names;
use super::record::{AccountId, Place, Redaction, Target};
use crate::wire::msgid::MsgId;
use crate::wire::name::fold;

/// Removes messages. Belongs to the store thread; its caller begins and commits.
pub struct Removal<'c> {
    at: Statement<'c>,
    said: Statement<'c>,
    row: Statement<'c>,
    document: Statement<'c>,
    unindex: Statement<'c>,
    blank: Statement<'c>,
    delete: Statement<'c>,
    ends: Statement<'c>,
    newest_left: Statement<'c>,
    retouch: Statement<'c>,
    untouch: Statement<'c>,
}

/// What has to be known of a message that is removed.
struct Doomed {
    n: i64,
    id: i64,
    target: i64,
    has_client_id: bool,
    pair: Option<(AccountId, AccountId)>,
}

impl<'c> Removal<'c> {
    /// Prepares the orders.
    pub fn new(db: &'c Connection) -> rusqlite::Result<Removal<'c>> {
        Ok(Removal {
            at: db.prepare("SELECT n FROM messages WHERE target = ?1 AND closed_in = ?2 AND id = ?3")?,
            said: db.prepare(
                "SELECT names.text FROM messages AS m JOIN names ON names.id = m.account WHERE m.n = ?1",
            )?,
            row: db.prepare(
                "SELECT m.n, m.id, m.target, m.client_id IS NOT NULL, names.text
                 FROM messages AS m LEFT JOIN names ON names.id = m.target WHERE m.n = ?1",
            )?,
            document: db.prepare(documents_where!("m.n = ?1"))?,
            unindex: db.prepare("INSERT INTO pieces (pieces, rowid, text) VALUES ('delete', ?1, ?2)")?,
            blank: db.prepare(
                "UPDATE messages SET target = 0, closed_in = 0, source = 0, account = NULL, flags = 0, text = '', tags = NULL
                 WHERE n = ?1",
            )?,
            delete: db.prepare("DELETE FROM messages WHERE n = ?1")?,
            ends: db.prepare("UPDATE ends SET last_n = max(last_n, ?1), last_id = max(last_id, ?2)")?,
            newest_left: db.prepare("SELECT max(id) FROM messages WHERE target = ?1 AND closed_in = 0")?,
            retouch: db
                .prepare("UPDATE conversations SET newest = ?4 WHERE account = ?1 AND target = ?2 AND newest = ?3")?,
            untouch: db.prepare("DELETE FROM conversations WHERE account = ?1 AND target = ?2 AND newest = ?3")?,
        })
    }

    /// Removes one message that somebody sees. The row of one that may be sent again stays, empty: sending it again brings nothing back.
    pub fn redact(
        &mut self,
        names: &mut Names<'_>,
        place: &Place,
        id: MsgId,
        only_of: Option<&str>,
        indexed_upto: i64,
    ) -> rusqlite::Result<Redaction> {
        let Some(n) = self.find(names, place, id)? else { return Ok(Redaction::NotThere) };
        if let Some(account) = only_of {
            let said_by: Option<String> = self.said.query_row([n], |row| row.get(0)).optional()?;
            if said_by.is_none_or(|said_by| fold(&said_by) != fold(account)) {
                return Ok(Redaction::NotYours);
            }
        }
        let Some(doomed) = self.doomed(n)? else { return Ok(Redaction::NotThere) };
        self.take_out(&doomed, indexed_upto, doomed.has_client_id)?;
        Ok(Redaction::Done)
    }

    /// Removes the message with this row number, if there is one.
    pub fn remove(&mut self, n: i64, indexed_upto: i64) -> rusqlite::Result<()> {
        match self.doomed(n)? {
            Some(doomed) => self.take_out(&doomed, indexed_upto, false),
            None => Ok(()),
        }
    }

    fn find(&mut self, names: &mut Names<'_>, place: &Place, id: MsgId) -> rusqlite::Result<Option<i64>> {
        let Some(target) = names.find(place.target.as_str())?.filter(|_| id >= place.since) else { return Ok(None) };
        for instance in instances_seen(place.instance) {
            let n = self.at.query_row((target, instance, as_column(id)), |row| row.get(0)).optional()?;
            if n.is_some() {
                return Ok(n);
            }
        }
        Ok(None)
    }

    fn doomed(&mut self, n: i64) -> rusqlite::Result<Option<Doomed>> {
        let read = |row: &Row<'_>| {
            let target = row.get_ref(4)?.as_str_or_null()?.map(Target::filed_as);
            let pair = target.and_then(|target| target.accounts());
            Ok(Doomed { n: row.get(0)?, id: row.get(1)?, target: row.get(2)?, has_client_id: row.get(3)?, pair })
        };
        self.row.query_row([n], read).optional()
    }

    fn take_out(&mut self, doomed: &Doomed, indexed_upto: i64, leave_blank: bool) -> rusqlite::Result<()> {
        if doomed.n <= indexed_upto {
            self.unindex(doomed.n)?;
        }
        if leave_blank {
            self.blank.execute([doomed.n])?;
        } else {
            self.delete.execute([doomed.n])?;
            self.ends.execute((doomed.n, doomed.id))?;
        }
        match doomed.pair {
            Some(pair) => self.correct_conversation(doomed, pair),
            None => Ok(()),
        }
    }

    /// The index forgets by the same words by which it learned.
    fn unindex(&mut self, n: i64) -> rusqlite::Result<()> {
        let mut document = String::new();
        let mut rows = self.document.query([n])?;
        while let Some(row) = rows.next()? {
            write_document(&mut document, row)?;
            self.unindex.execute((n, &document))?;
        }
        Ok(())
    }

    fn correct_conversation(&mut self, doomed: &Doomed, (one, other): (AccountId, AccountId)) -> rusqlite::Result<()> {
        let left: Option<i64> = self.newest_left.query_row([doomed.target], |row| row.get(0))?;
        for account in [one.0, other.0] {
            match left {
                Some(newest) => self.retouch.execute((account, doomed.target, doomed.id, newest))?,
                None => self.untouch.execute((account, doomed.target, doomed.id))?,
            };
        }
        Ok(())
    }
}
