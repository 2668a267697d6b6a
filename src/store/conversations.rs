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

#[cfg(test)]
mod tests {
    use super::super::change::Change;
    use super::super::fixture::{Desk, at, place, said, texts_of};
    use super::super::record::{Found, Query};
    use super::*;

    const ANNA: AccountId = AccountId(1000);
    const BEN: AccountId = AccountId(1001);
    const YANG: AccountId = AccountId(1002);

    fn desk() -> Desk {
        let mut desk = Desk::new();
        for name in ["anna", "ben", "小阳"] {
            desk.ask(Query::Register { name: name.into(), hash: "h".into() });
        }
        desk
    }

    fn by(name: &str, message: Message) -> Message {
        Message { account: Some(name.into()), ..message }
    }

    fn private(minute: u64, from: &str, between: (AccountId, AccountId)) -> Message {
        by(from, Message { target: Target::pair(between.0, between.1), ..said(minute, &minute.to_string()) })
    }

    fn targets(desk: &mut Desk, account: Option<AccountId>, minutes: (u64, u64), limit: usize) -> Vec<(String, MsgId)> {
        let closed = Place { instance: 7, ..place("#closed") };
        let later = Place { since: at(5), ..place("#later") };
        let places = vec![place("#lobby"), closed, later, place("#nowhere")];
        let asked = Query::Targets { places, account, after: at(minutes.0), before: at(minutes.1), limit };
        let Found::Targets(found) = desk.ask(asked) else { panic!() };
        found.into_iter().map(|(target, newest)| (target.as_str().to_owned(), newest)).collect()
    }

    #[test]
    fn places_are_told_by_their_newest_message_that_the_asker_may_see() {
        let mut desk = desk();
        let in_room =
            |minute, room: &str, closed_in| Message { target: Target::room(room), closed_in, ..said(minute, "x") };
        desk.save(vec![
            private(1, "anna", (ANNA, BEN)),
            in_room(2, "#closed", 7),
            in_room(3, "#closed", 8),
            in_room(4, "#later", 0),
            said(5, "hi"),
            private(6, "小阳", (YANG, ANNA)),
            private(7, "小阳", (YANG, BEN)),
        ])
        .unwrap();
        let all = [("=1000 1001", at(1)), ("#closed", at(2)), ("#lobby", at(5)), ("=1000 1002", at(6))];
        let all = all.map(|(target, newest)| (target.to_owned(), newest)).to_vec();
        assert_eq!(targets(&mut desk, Some(ANNA), (0, 99), 9), all);
        assert_eq!(targets(&mut desk, Some(ANNA), (0, 99), 3), all[..3]);
        assert_eq!(targets(&mut desk, Some(ANNA), (1, 6), 9), all[1..3]);
        assert_eq!(targets(&mut desk, None, (0, 99), 9), all[1..3]);
        assert_eq!(targets(&mut desk, Some(AccountId(9)), (0, 99), 0), []);
    }

    #[test]
    fn private_messages_of_all_conversations_come_in_one_order() {
        let mut desk = desk();
        let mut all = vec![private(1, "anna", (ANNA, ANNA)), private(2, "ben", (BEN, YANG))];
        for minute in 3..=20 {
            all.push(private(minute, "anna", (ANNA, if minute % 3 == 0 { BEN } else { YANG })));
        }
        desk.save(all).unwrap();
        let mut private = |after, limit| texts_of(desk.ask(Query::Private { account: ANNA, after: at(after), limit }));
        let texts = |minutes: std::ops::RangeInclusive<u64>| minutes.map(|m| m.to_string()).collect::<Vec<_>>();
        assert_eq!(private(0, 99).len(), 19, "not what others said to each other");
        assert_eq!(private(5, 99), texts(6..=20));
        assert_eq!(private(0, 4), texts(17..=20));
        assert_eq!((private(20, 9), private(0, 0)), (vec![], vec![]));
    }

    #[test]
    fn unread_counts_what_others_said_after_the_marker_and_stops_at_the_limit() {
        let mut desk = desk();
        let mut all: Vec<Message> = (1..=10).map(|minute| by("ben", said(minute, "x"))).collect();
        all.push(by("anna", said(11, "mine")));
        all.push(said(12, "of a guest"));
        all.extend([
            private(13, "ben", (ANNA, BEN)),
            private(14, "anna", (ANNA, BEN)),
            private(15, "anna", (ANNA, YANG)),
        ]);
        desk.save(all).unwrap();
        let lobby = Target::room("#lobby");
        let unread = |desk: &mut Desk, since: u64, limit| {
            let places = vec![place("#nowhere"), Place { since: at(since), ..place("#lobby") }];
            let Found::Unread(found) = desk.ask(Query::Unread { account: ANNA, places, limit }) else { panic!() };
            found.into_iter().map(|(target, read, count)| (target.as_str().to_owned(), read, count)).collect::<Vec<_>>()
        };
        let line = |target: &str, read: u64, count: usize| (target.to_owned(), read, count);
        let talk = line("=1000 1001", 0, 1);
        assert_eq!(
            unread(&mut desk, 0, 99),
            [line("#nowhere", 0, 0), line("#lobby", 0, 11), talk.clone()],
            "anna's own conversation with 小阳 has nothing for her to read"
        );
        assert_eq!(unread(&mut desk, 0, 5)[1], line("#lobby", 0, 5));
        assert_eq!(unread(&mut desk, 9, 99)[1], line("#lobby", 0, 3));
        let read_ms = at(8).time_ms();
        let marker = |target: &Target, up_to_ms| Change::Read { account: ANNA, target: target.clone(), up_to_ms };
        let pair = Target::pair(ANNA, BEN);
        desk.change(vec![marker(&lobby, read_ms), marker(&pair, at(14).time_ms())]);
        assert_eq!(unread(&mut desk, 0, 99), [line("#nowhere", 0, 0), line("#lobby", read_ms, 3)]);
        desk.shift(100);
        desk.save(vec![private(1, "ben", (ANNA, BEN))]).unwrap();
        assert_eq!(unread(&mut desk, 0, 99)[2], line("=1000 1001", at(14).time_ms(), 1));
    }

    #[test]
    fn counting_reads_the_index_only() {
        let desk = Desk::new();
        let sql = "EXPLAIN QUERY PLAN SELECT 1 FROM messages
             WHERE target = 1 AND closed_in = 2 AND id >= 3 AND account IS NOT 4 LIMIT 5";
        let plan: Vec<String> =
            desk.db.prepare(sql).unwrap().query_map([], |row| row.get(3)).unwrap().map(Result::unwrap).collect();
        assert!(plan.len() == 1 && plan[0].contains("COVERING INDEX messages_by_place"), "{plan:?}");
    }
}
