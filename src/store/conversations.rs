//! Where something was said, and what an account has not read of it: newest messages, private conversations, read markers.

use std::collections::HashMap;

use rusqlite::{Connection, OptionalExtension, Statement};

use super::history::{FOUND_MAX, History, as_column, instances_seen};
use super::names::Names;
use super::record::{AccountId, Message, Place, Target};
use crate::wire::msgid::MsgId;

/// Looks over many places at once. Belongs to the store thread.
pub struct Conversations<'c> {
    newest: Statement<'c>,
    unread: Statement<'c>,
    conversations: Statement<'c>,
    markers: Statement<'c>,
    own_name: Statement<'c>,
    delivered: Statement<'c>,
}

/// A private conversation of an account.
struct Talk {
    number: i64,
    target: Target,
    newest: i64,
}

/// How many messages of others there are in a place.
#[derive(Clone, Copy)]
struct Count {
    /// Messages of this account, by its name's number, do not count.
    own: i64,
    limit: usize,
}

impl<'c> Conversations<'c> {
    /// Prepares the questions.
    pub fn new(db: &'c Connection) -> rusqlite::Result<Conversations<'c>> {
        Ok(Conversations {
            newest: db.prepare("SELECT max(id) FROM messages WHERE target = ?1 AND closed_in = ?2 AND id >= ?3")?,
            unread: db.prepare(
                "SELECT count(*) FROM (SELECT 1 FROM messages
                 WHERE target = ?1 AND closed_in = ?2 AND id >= ?3 AND account IS NOT ?4 LIMIT ?5)",
            )?,
            conversations: db.prepare(
                "SELECT c.target, names.text, c.newest FROM conversations AS c CROSS JOIN names ON names.id = c.target
                 WHERE c.account = ?1 AND c.newest >= ?2",
            )?,
            markers: db.prepare(
                "SELECT m.target, names.text, m.up_to_ms FROM markers AS m CROSS JOIN names ON names.id = m.target
                 WHERE m.account = ?1",
            )?,
            own_name: db.prepare(
                "SELECT names.id FROM accounts CROSS JOIN names ON names.text = accounts.name WHERE accounts.id = ?1",
            )?,
            delivered: db.prepare("SELECT delivered FROM accounts WHERE id = ?1")?,
        })
    }

    /// The places, and the conversations of the account, whose newest message is between two ids (both left out), oldest first; the
    /// first `limit` of them.
    pub fn targets(
        &mut self,
        names: &mut Names<'_>,
        places: &[Place],
        account: Option<AccountId>,
        between: (MsgId, MsgId),
        limit: usize,
    ) -> rusqlite::Result<Vec<(Target, MsgId)>> {
        let (after, before) = (as_column(between.0), as_column(between.1));
        let mut found = Vec::new();
        for place in places {
            if let Some(newest) = self.newest(names, place)? {
                found.push((place.target.clone(), newest));
            }
        }
        if let Some(account) = account {
            found.extend(self.talks(account, 0)?.into_iter().map(|talk| (talk.target, talk.newest)));
        }
        found.retain(|(_, newest)| *newest > after && *newest < before);
        found.sort_unstable_by_key(|(_, newest)| *newest);
        found.truncate(limit);
        Ok(found.into_iter().map(|(target, newest)| (target, MsgId(newest as u64))).collect())
    }

    /// The newest private messages of an account after an id, oldest first.
    pub fn private(
        &mut self,
        names: &mut Names<'_>,
        history: &mut History<'_>,
        account: AccountId,
        after: MsgId,
        limit: usize,
    ) -> rusqlite::Result<Vec<Message>> {
        let limit = limit.min(FOUND_MAX);
        let since = MsgId(after.0.saturating_add(1));
        let mut talks = self.talks(account, as_column(since))?;
        // The liveliest first: once there are enough messages, conversations that ended before all of them have nothing to add.
        talks.sort_unstable_by_key(|talk| std::cmp::Reverse(talk.newest));
        let mut found: Vec<Message> = Vec::new();
        for talk in talks {
            let is_enough = found.len() >= limit;
            if is_enough && found.first().is_none_or(|oldest| as_column(oldest.id) > talk.newest) {
                break;
            }
            let place = Place { target: talk.target, instance: 0, since };
            found.extend(history.before(names, &place, None, limit)?);
            found.sort_unstable_by_key(|message| message.id);
            found.drain(..found.len().saturating_sub(limit));
        }
        Ok(found)
    }

    /// What an account has not read: each place in its order, then the conversations that have any, liveliest last.
    pub fn unread(
        &mut self,
        names: &mut Names<'_>,
        account: AccountId,
        places: &[Place],
        limit: usize,
    ) -> rusqlite::Result<Vec<(Target, u64, usize)>> {
        let markers: HashMap<i64, u64> =
            self.markers(account)?.into_iter().map(|(number, _, up_to_ms)| (number, up_to_ms)).collect();
        let own = self.own_name.query_row([account.0], |row| row.get(0)).optional()?.unwrap_or(0);
        let count = Count { own, limit };
        let read_up_to = |number: i64| markers.get(&number).copied().unwrap_or(0);
        let mut found = Vec::with_capacity(places.len());
        for place in places {
            let Some(number) = names.find(place.target.as_str())? else {
                found.push((place.target.clone(), 0, 0));
                continue;
            };
            let read_ms = read_up_to(number);
            let since = first_unread(read_ms).max(place.since);
            found.push((place.target.clone(), read_ms, self.count(number, place.instance, since, count)?));
        }
        let mut talks = self.talks(account, 0)?;
        talks.sort_unstable_by_key(|talk| talk.newest);
        for talk in talks {
            let read_ms = read_up_to(talk.number);
            let since = first_unread(read_ms);
            if talk.newest < as_column(since) {
                continue;
            }
            match self.count(talk.number, 0, since, count)? {
                0 => {}
                unread => found.push((talk.target, read_ms, unread)),
            }
        }
        Ok(found)
    }

    /// What an account has read, and up to where private messages were delivered to it.
    pub fn person(&mut self, account: AccountId) -> rusqlite::Result<(Vec<(Target, u64)>, MsgId)> {
        let read = self.markers(account)?.into_iter().map(|(_, target, up_to_ms)| (target, up_to_ms)).collect();
        let delivered = self.delivered.query_row([account.0], |row| row.get::<_, i64>(0)).optional()?;
        Ok((read, MsgId(delivered.unwrap_or(0) as u64)))
    }

    /// The newest message of a place that the asker may see.
    fn newest(&mut self, names: &mut Names<'_>, place: &Place) -> rusqlite::Result<Option<i64>> {
        let Some(number) = names.find(place.target.as_str())? else { return Ok(None) };
        let mut newest = None;
        for instance in instances_seen(place.instance) {
            let there = self.newest.query_row((number, instance, as_column(place.since)), |row| row.get(0))?;
            newest = newest.max(there);
        }
        Ok(newest)
    }

    fn count(&mut self, number: i64, instance: u64, since: MsgId, count: Count) -> rusqlite::Result<usize> {
        let mut total = 0;
        for instance in instances_seen(instance) {
            let left = count.limit.saturating_sub(total) as i64;
            total += self
                .unread
                .query_row((number, instance, as_column(since), count.own, left), |row| row.get::<_, i64>(0))?
                as usize;
        }
        Ok(total)
    }

    /// The conversations of an account with something from an id on.
    fn talks(&mut self, account: AccountId, since: i64) -> rusqlite::Result<Vec<Talk>> {
        let talks = self.conversations.query_map((account.0, since), |row| {
            let target = Target::filed_as(row.get_ref(1)?.as_str()?);
            Ok(Talk { number: row.get(0)?, target, newest: row.get(2)? })
        })?;
        talks.collect()
    }

    /// The read markers of an account. Places of groups that ended have lost their name and are left out.
    fn markers(&mut self, account: AccountId) -> rusqlite::Result<Vec<(i64, Target, u64)>> {
        let mut found = Vec::new();
        let mut rows = self.markers.query([account.0])?;
        while let Some(row) = rows.next()? {
            let text = row.get_ref(1)?.as_str()?;
            if !text.starts_with('-') {
                found.push((row.get(0)?, Target::filed_as(text), row.get::<_, i64>(2)? as u64));
            }
        }
        Ok(found)
    }
}

/// The first id that is not read when everything up to a millisecond is.
fn first_unread(read_ms: u64) -> MsgId {
    if read_ms == 0 { MsgId(0) } else { MsgId::first_at(read_ms.saturating_add(1)) }
}
