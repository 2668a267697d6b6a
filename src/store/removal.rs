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
    say_how: Statement<'c>,
    /// How the index was told to forget; `None` when that is not known.
    how: Option<How>,
    blank: Statement<'c>,
    delete: Statement<'c>,
    ends: Statement<'c>,
    newest_left: Statement<'c>,
    retouch: Statement<'c>,
    untouch: Statement<'c>,
}

/// How the search index forgets.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum How {
    /// Every trace is cut out at once. For single messages.
    AtOnce,
    /// It is noted, and left out when the index is merged. For many.
    Noted,
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
            say_how: db.prepare("INSERT INTO pieces (pieces, rank) VALUES ('secure-delete', ?1)")?,
            how: None,
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
        self.forget(How::AtOnce)?;
        self.take_out(&doomed, indexed_upto, doomed.has_client_id)?;
        Ok(Redaction::Done)
    }

    /// Tells the index how to forget. It is done when the transaction is committed, so one transaction knows one way only.
    pub fn forget(&mut self, how: How) -> rusqlite::Result<()> {
        if self.how != Some(how) {
            self.say_how.execute([how == How::AtOnce])?;
            self.how = Some(how);
        }
        Ok(())
    }

    /// After a rollback: what the index was told is not known.
    pub fn rolled_back(&mut self) {
        self.how = None;
    }

    /// Removes the message with this row number, if there is one. [`Removal::forget`] says how the index forgets it.
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

#[cfg(test)]
mod tests {
    use std::fs;

    use super::super::fixture::{Desk, at, place, said};
    use super::super::index::SLICE;
    use super::super::record::{Found, Message, Query, SentAs};
    use super::*;

    fn redact(desk: &mut Desk, place: &Place, minute: u64, only_of: Option<&str>) -> Redaction {
        let asked = Query::Redact { place: place.clone(), id: at(minute), only_of: only_of.map(Box::from) };
        match desk.ask(asked) {
            Found::Redacted(redaction) => redaction,
            other => panic!("{other:?}"),
        }
    }

    fn by(account: &str, message: Message) -> Message {
        Message { account: Some(account.into()), ..message }
    }

    /// Enough talk that everything before it is in the index afterwards, and pieces have been merged and moved about.
    fn get_indexed(desk: &mut Desk) {
        for hundreds in 1..=20 {
            let first = 1000 * hundreds;
            desk.save((first..first + SLICE as u64).map(|minute| said(minute, &format!("茶 tea {minute}"))).collect())
                .unwrap();
            desk.search(&["nothing"]);
        }
        assert!(desk.keeper.index.upto() >= 20 * SLICE);
    }

    #[test]
    fn a_removed_word_is_in_no_file_afterwards() {
        for is_indexed in [false, true] {
            let mut desk = Desk::new();
            let secret = "我的密码是 Drachenfrucht-7719";
            desk.save(vec![said(1, "before"), said(2, secret), said(3, "after")]).unwrap();
            if is_indexed {
                get_indexed(&mut desk);
                assert_eq!(desk.search(&["drachenfrucht"]), [secret]);
            }
            assert!(occurs(&desk, "rachenfrucht") > 0, "it is looked for in the right places");
            assert_eq!(redact(&mut desk, &place("#lobby"), 2, None), Redaction::Done);
            for word in ["rachenfrucht", "密码"] {
                assert_eq!(occurs(&desk, word), 0, "{word} {is_indexed}");
            }
            assert_eq!(desk.search(&["drachenfrucht"]), [""; 0]);
            assert_eq!(desk.search(&["密"]), [""; 0]);
            assert_eq!(desk.search(&["before"]), ["before"]);
            let check: String = desk.db.query_row("PRAGMA integrity_check", [], |row| row.get(0)).unwrap();
            assert_eq!(check, "ok");
            desk.db.execute("INSERT INTO pieces (pieces) VALUES ('integrity-check')", []).unwrap();
        }
    }

    /// How often a word stands in the files of the database.
    fn occurs(desk: &Desk, word: &str) -> usize {
        let files = fs::read_dir(desk.dir.path()).unwrap().map(|file| fs::read(file.unwrap().path()).unwrap());
        files.map(|bytes| bytes.windows(word.len()).filter(|window| *window == word.as_bytes()).count()).sum()
    }

    #[test]
    fn people_remove_their_own_messages_and_moderators_those_that_they_see() {
        let mut desk = Desk::new();
        let closed = Message { closed_in: 7, ..said(4, "closed") };
        desk.save(vec![by("Anna", said(1, "of anna")), by("ben", said(2, "of ben")), said(3, "of a guest"), closed])
            .unwrap();
        let lobby = place("#lobby");
        for (minute, only_of, expected) in [
            (2, Some("anna"), Redaction::NotYours),
            (3, Some("anna"), Redaction::NotYours),
            (9, Some("anna"), Redaction::NotThere),
            (4, None, Redaction::NotThere),
            (1, Some("anna"), Redaction::Done),
            (1, Some("anna"), Redaction::NotThere),
            (3, None, Redaction::Done),
        ] {
            assert_eq!(redact(&mut desk, &lobby, minute, only_of), expected, "{minute} {only_of:?}");
        }
        assert_eq!(redact(&mut desk, &place("#tea"), 2, None), Redaction::NotThere);
        let newcomer = Place { since: at(3), ..lobby.clone() };
        assert_eq!(redact(&mut desk, &newcomer, 2, None), Redaction::NotThere);
        assert_eq!(desk.texts("#lobby"), ["of ben"]);
        assert_eq!(redact(&mut desk, &Place { instance: 7, ..lobby }, 4, None), Redaction::Done);
    }

    #[test]
    fn sending_a_removed_message_again_brings_nothing_back() {
        let mut desk = Desk::new();
        let sent_as = SentAs { sender: "anna".into(), id: "a1".into() };
        let message = Message { sent_as: Some(sent_as.clone()), ..by("anna", said(1, "sorry")) };
        desk.save(vec![message.clone()]).unwrap();
        assert_eq!(redact(&mut desk, &place("#lobby"), 1, None), Redaction::Done);
        desk.save(vec![Message { id: at(2), ..message }]).unwrap();
        assert_eq!(desk.texts("#lobby"), [""; 0]);
        assert_eq!(desk.ask(Query::Sent(sent_as)), Found::Sent(Some(at(1))));
        get_indexed(&mut desk);
        assert_eq!(desk.search(&["sorry"]), [""; 0]);
    }

    #[test]
    fn numbers_and_ids_of_removed_messages_are_not_given_again() {
        let mut desk = Desk::new();
        desk.save(vec![said(1, "a"), said(2, "b")]).unwrap();
        assert_eq!(redact(&mut desk, &place("#lobby"), 2, None), Redaction::Done);
        let mut desk = desk.again();
        assert_eq!((desk.keeper.last_id(), desk.keeper.ledger.last_n()), (at(2), 2));
        desk.save(vec![said(3, "c")]).unwrap();
        assert_eq!(desk.keeper.ledger.last_n(), 3);
    }

    #[test]
    fn a_conversation_remembers_the_newest_message_that_is_left() {
        let mut desk = Desk::new();
        let (anna, ben) = (AccountId(1000), AccountId(1001));
        let talk = Place { target: Target::pair(anna, ben), ..place("") };
        let private = |minute| Message { target: talk.target.clone(), ..said(minute, "x") };
        desk.save(vec![private(1), private(2), private(3)]).unwrap();
        let newest = |desk: &mut Desk| {
            let (after, before) = (MsgId(0), MsgId(u64::MAX));
            let found = [anna, ben].map(|who| {
                desk.ask(Query::Targets { places: Vec::new(), account: Some(who), after, before, limit: 9 })
            });
            assert_eq!(found[0], found[1]);
            match &found[0] {
                Found::Targets(found) => found.first().map(|(_, newest)| *newest),
                other => panic!("{other:?}"),
            }
        };
        for (removed, left) in [(2, Some(at(3))), (3, Some(at(1))), (1, None)] {
            assert_eq!(redact(&mut desk, &talk, removed, None), Redaction::Done);
            assert_eq!(newest(&mut desk), left);
        }
    }
}
