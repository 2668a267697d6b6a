//! How messages are read: by place and id, by a sender's own id, by row number.

use rusqlite::{Connection, OptionalExtension, Row, Statement};

use super::ledger::unpack_flags;
use super::names::Names;
use super::record::{Message, Place, SentAs, Target};
use crate::wire::event::sent_bytes;
use crate::wire::limits::HISTORY_BYTES;
use crate::wire::msgid::MsgId;

/// No answer holds more messages than this, whatever was asked for: some MiB at worst.
pub const FOUND_MAX: usize = 1000;

/// The columns that [`message`] reads, and where they come from.
macro_rules! messages_where {
    ($condition:literal) => {
        concat!(
            "SELECT m.id, m.closed_in, source.text, account.text, m.flags, m.text, m.tags, sender.text, m.client_id \
             FROM messages AS m JOIN names AS source ON source.id = m.source \
             LEFT JOIN names AS account ON account.id = m.account \
             LEFT JOIN names AS sender ON sender.id = m.sender WHERE ",
            $condition
        )
    };
}

/// Reads messages. Belongs to the store thread.
pub struct History<'c> {
    newest: Statement<'c>,
    oldest: Statement<'c>,
    row: Statement<'c>,
    sent: Statement<'c>,
}

impl<'c> History<'c> {
    /// Prepares the questions.
    pub fn new(db: &'c Connection) -> rusqlite::Result<History<'c>> {
        Ok(History {
            newest: db.prepare(messages_where!(
                "m.target = ?1 AND m.closed_in = ?2 AND m.id >= ?3 AND m.id < ?4 ORDER BY m.id DESC LIMIT ?5"
            ))?,
            oldest: db.prepare(messages_where!(
                "m.target = ?1 AND m.closed_in = ?2 AND m.id >= ?3 AND m.id < ?4 ORDER BY m.id LIMIT ?5"
            ))?,
            row: db.prepare(messages_where!("m.n = ?1"))?,
            sent: db.prepare("SELECT id FROM messages WHERE sender = ?1 AND client_id = ?2")?,
        })
    }

    /// The last `limit` messages of a place before an id, oldest first.
    pub fn before(
        &mut self,
        names: &mut Names<'_>,
        place: &Place,
        before: Option<MsgId>,
        limit: usize,
    ) -> rusqlite::Result<Vec<Message>> {
        let end = before.unwrap_or(MsgId(u64::MAX));
        newest_in(&mut self.newest, names, place, (MsgId(0), end), limit)
    }

    /// The first `limit` messages of a place after an id, oldest first.
    pub fn after(
        &mut self,
        names: &mut Names<'_>,
        place: &Place,
        after: MsgId,
        limit: usize,
    ) -> rusqlite::Result<Vec<Message>> {
        oldest_in(&mut self.oldest, names, place, (following(after), MsgId(u64::MAX)), limit)
    }

    /// `limit` messages of a place between two ids that need not exist and are left out, oldest first: the first of them, or the last.
    pub fn between(
        &mut self,
        names: &mut Names<'_>,
        place: &Place,
        between: (MsgId, MsgId),
        limit: usize,
        newest: bool,
    ) -> rusqlite::Result<Vec<Message>> {
        let range = (following(between.0), between.1);
        if newest {
            newest_in(&mut self.newest, names, place, range, limit)
        } else {
            oldest_in(&mut self.oldest, names, place, range, limit)
        }
    }

    /// Half of `limit` before an id, and the rest from it on, oldest first.
    pub fn around(
        &mut self,
        names: &mut Names<'_>,
        place: &Place,
        id: MsgId,
        limit: usize,
    ) -> rusqlite::Result<Vec<Message>> {
        let limit = limit.min(FOUND_MAX);
        let mut found = newest_in(&mut self.newest, names, place, (MsgId(0), id), limit / 2)?;
        found.extend(oldest_in(&mut self.oldest, names, place, (id, MsgId(u64::MAX)), limit - limit / 2)?);
        Ok(found)
    }

    /// The message with this row number.
    pub fn row(&mut self, n: i64, target: &Target) -> rusqlite::Result<Option<Message>> {
        self.row.query_row([n], |row| message(row, target)).optional()
    }

    /// The id under which a sender's own id was stored.
    pub fn sent(&mut self, names: &mut Names<'_>, sent: &SentAs) -> rusqlite::Result<Option<MsgId>> {
        let Some(sender) = names.find(&sent.sender)? else { return Ok(None) };
        self.sent.query_row((sender, &*sent.id), |row| Ok(MsgId(row.get::<_, i64>(0)? as u64))).optional()
    }
}

/// An id as SQLite keeps it.
pub fn as_column(id: MsgId) -> i64 {
    i64::try_from(id.0).unwrap_or(i64::MAX)
}

/// The instances that somebody sees who is in this one: what was open, and what was said in the one closed instance.
pub fn instances_seen(instance: u64) -> impl Iterator<Item = i64> {
    std::iter::once(0).chain((instance != 0).then_some(instance as i64))
}

fn following(id: MsgId) -> MsgId {
    MsgId(id.0.saturating_add(1))
}

/// The last `limit` messages of a place from the first id up to before the second, oldest first.
fn newest_in(
    newest: &mut Statement<'_>,
    names: &mut Names<'_>,
    place: &Place,
    range: (MsgId, MsgId),
    limit: usize,
) -> rusqlite::Result<Vec<Message>> {
    let mut found = in_each(newest, names, place, range, limit)?;
    found.drain(..found.len().saturating_sub(limit));
    Ok(found)
}

/// The first `limit` of them.
fn oldest_in(
    oldest: &mut Statement<'_>,
    names: &mut Names<'_>,
    place: &Place,
    range: (MsgId, MsgId),
    limit: usize,
) -> rusqlite::Result<Vec<Message>> {
    let mut found = in_each(oldest, names, place, range, limit)?;
    found.truncate(limit);
    Ok(found)
}

/// Up to `limit` messages (or as many as one answer holds) from each instance that is seen, oldest first. Narrow ranges, so that nothing that the asker may not see is
/// ever walked through.
fn in_each(
    statement: &mut Statement<'_>,
    names: &mut Names<'_>,
    place: &Place,
    (first, end): (MsgId, MsgId),
    limit: usize,
) -> rusqlite::Result<Vec<Message>> {
    let mut found = Vec::new();
    let Some(target) = names.find(place.target.as_str())? else { return Ok(found) };
    let limit = limit.min(FOUND_MAX) as i64;
    let first = as_column(first.max(place.since));
    for instance in instances_seen(place.instance) {
        let mut rows = statement.query((target, instance, first, as_column(end), limit))?;
        let mut bytes = 0;
        while let Some(row) = rows.next()? {
            let message = message(row, &place.target)?;
            bytes += sent_bytes(&message.text);
            found.push(message);
            // What one of the two ranges still has is beyond what is answered, so the other leaves no gap.
            if bytes > HISTORY_BYTES {
                break;
            }
        }
    }
    found.sort_unstable_by_key(|message| message.id);
    Ok(found)
}

fn message(row: &Row<'_>, target: &Target) -> rusqlite::Result<Message> {
    let text = |column| row.get_ref(column)?.as_str().map(Box::from).map_err(rusqlite::Error::from);
    let maybe =
        |column| -> rusqlite::Result<Option<Box<str>>> { Ok(row.get_ref(column)?.as_str_or_null()?.map(Box::from)) };
    let (kind, bot) = unpack_flags(row.get(4)?);
    let sent_as = match (maybe(7)?, maybe(8)?) {
        (Some(sender), Some(id)) => Some(SentAs { sender, id }),
        _ => None,
    };
    Ok(Message {
        id: MsgId(row.get::<_, i64>(0)? as u64),
        target: target.clone(),
        closed_in: row.get::<_, i64>(1)? as u64,
        source: text(2)?,
        account: maybe(3)?,
        bot,
        kind,
        text: text(5)?,
        tags: maybe(6)?,
        sent_as,
    })
}

#[cfg(test)]
mod tests {
    use super::super::fixture::{Desk, at, place, said, texts_of};
    use super::super::record::{Found, Kind, Query};
    use super::*;
    use crate::store::record::AccountId;

    fn closed(minute: u64, instance: u64, text: &str) -> Message {
        Message { closed_in: instance, ..said(minute, text) }
    }

    fn before(place: &Place, minute: Option<u64>, limit: usize) -> Query {
        Query::Before { place: place.clone(), before: minute.map(at), limit }
    }

    fn after(place: &Place, minute: u64, limit: usize) -> Query {
        Query::After { place: place.clone(), after: at(minute), limit }
    }

    #[test]
    fn a_message_comes_back_as_it_was_kept() {
        let mut desk = Desk::new();
        let full = Message {
            target: Target::pair(AccountId(1001), AccountId(1000)),
            closed_in: u64::MAX,
            account: Some("小阳".into()),
            bot: true,
            kind: Kind::Notice,
            text: "\u{1}ACTION 笑 \u{3}04red\u{1}".into(),
            tags: Some("+a=b;+c".into()),
            sent_as: Some(SentAs { sender: "小阳".into(), id: "x-1".into() }),
            ..said(1, "")
        };
        let bare = said(2, "plain");
        desk.save(vec![full.clone(), bare.clone()]).unwrap();
        let private =
            Place { target: Target::pair(AccountId(1000), AccountId(1001)), instance: u64::MAX, since: MsgId(0) };
        assert_eq!(desk.ask(before(&private, None, 5)), Found::Messages(vec![full]));
        assert_eq!(desk.ask(before(&place("#lobby"), None, 5)), Found::Messages(vec![bare]));
    }

    #[test]
    fn pages_backwards_and_forwards_have_neither_gap_nor_double() {
        let mut desk = Desk::new();
        let texts: Vec<String> = (1..=25).map(|minute| minute.to_string()).collect();
        desk.save((1..=25).map(|minute| said(minute, &minute.to_string())).collect()).unwrap();
        let lobby = place("#lobby");
        assert_eq!(texts_of(desk.ask(before(&lobby, None, 10))), texts[15..]);
        assert_eq!(texts_of(desk.ask(before(&lobby, Some(16), 10))), texts[5..15]);
        assert_eq!(texts_of(desk.ask(before(&lobby, Some(6), 10))), texts[..5]);
        assert_eq!(texts_of(desk.ask(after(&lobby, 0, 10))), texts[..10]);
        assert_eq!(texts_of(desk.ask(after(&lobby, 20, 10))), texts[20..]);
        assert_eq!(texts_of(desk.ask(after(&lobby, 25, 10))), [""; 0]);
        assert_eq!(texts_of(desk.ask(before(&place("#nowhere"), None, 10))), [""; 0]);
        assert_eq!(texts_of(desk.ask(before(&lobby, None, 0))), [""; 0]);
        let between = Query::After { place: lobby, after: MsgId(at(7).0 + 1), limit: 1 };
        assert_eq!(texts_of(desk.ask(between)), ["8"], "the id need not exist");
    }

    #[test]
    fn a_stretch_between_two_ids_is_read_from_either_end_and_around_an_id_from_both() {
        let mut desk = Desk::new();
        let texts: Vec<String> = (1..=20).map(|minute| minute.to_string()).collect();
        desk.save((1..=20).map(|minute| said(minute, &minute.to_string())).collect()).unwrap();
        let mut between = |after, before, limit, newest| {
            let (after, before) = (at(after), at(before));
            texts_of(desk.ask(Query::Between { place: place("#lobby"), after, before, limit, newest }))
        };
        assert_eq!(between(5, 10, 9, false), texts[5..9]);
        assert_eq!(between(5, 10, 2, false), texts[5..7]);
        assert_eq!(between(5, 10, 2, true), texts[7..9]);
        assert_eq!(between(10, 5, 9, true), [""; 0]);
        assert_eq!(between(5, 6, 9, false), [""; 0]);
        let mut around = |id, limit| texts_of(desk.ask(Query::Around { place: place("#lobby"), id, limit }));
        assert_eq!(around(at(10), 5), texts[7..12]);
        assert_eq!(around(MsgId(at(10).0 + 1), 4), texts[8..12], "the id need not exist");
        assert_eq!(around(at(1), 4), texts[..2]);
        assert_eq!(around(at(99), 4), texts[18..]);
        assert_eq!((around(at(10), 1), around(at(10), 0)), (vec!["10".to_owned()], vec![]));
        assert_eq!(around(at(10), usize::MAX), texts);
    }

    #[test]
    fn nothing_from_before_a_membership_is_read() {
        let mut desk = Desk::new();
        desk.save((1..=9).map(|minute| said(minute, &minute.to_string())).collect()).unwrap();
        let place = Place { since: at(5), ..place("#lobby") };
        let (after, before, limit) = (at(2), at(8), 9);
        let questions = [
            (Query::Before { place: place.clone(), before: Some(before), limit }, "567"),
            (Query::After { place: place.clone(), after, limit }, "56789"),
            (Query::Between { place: place.clone(), after, before, limit, newest: true }, "567"),
            (Query::Between { place: place.clone(), after, before, limit, newest: false }, "567"),
            (Query::Around { place: place.clone(), id: at(3), limit }, "56789"),
            (Query::Before { place: place.clone(), before: Some(at(5)), limit }, ""),
        ];
        for (question, expected) in questions {
            assert_eq!(texts_of(desk.ask(question)).concat(), expected);
        }
    }

    #[test]
    fn long_messages_are_read_until_there_is_enough_for_an_answer() {
        let mut desk = Desk::new();
        let poem = "床前明月光\n疑是地上霜";
        let chapter = "x".repeat(HISTORY_BYTES / 4);
        desk.save((1..=9).map(|minute| said(minute, if minute == 5 { poem } else { &chapter })).collect()).unwrap();
        let lobby = place("#lobby");
        let shown = |found| -> Vec<usize> { texts_of(found).iter().map(String::len).collect() };
        let long = chapter.len();
        assert_eq!(shown(desk.ask(before(&lobby, None, 9))), [long; 4], "the newest");
        assert_eq!(shown(desk.ask(after(&lobby, 3, 9))), [long, poem.len(), long, long, long]);
        assert_eq!(texts_of(desk.ask(before(&lobby, Some(6), 1))), [poem]);
    }

    #[test]
    fn closed_hours_are_read_by_their_instance_only() {
        let mut desk = Desk::new();
        desk.save(vec![
            said(1, "open"),
            closed(2, 7, "seven"),
            closed(3, 8, "eight"),
            said(4, "open again"),
            closed(5, 7, "seven too"),
        ])
        .unwrap();
        let inside = |instance| Place { target: Target::room("#lobby"), instance, since: MsgId(0) };
        assert_eq!(desk.texts("#lobby"), ["open", "open again"]);
        assert_eq!(texts_of(desk.ask(before(&inside(7), None, 9))), ["open", "seven", "open again", "seven too"]);
        assert_eq!(texts_of(desk.ask(before(&inside(7), None, 2))), ["open again", "seven too"]);
        assert_eq!(texts_of(desk.ask(after(&inside(8), 1, 1))), ["eight"]);
        assert_eq!(texts_of(desk.ask(after(&inside(9), 0, 9))), ["open", "open again"]);
    }

    #[test]
    fn history_is_read_by_the_index_and_never_sorted_or_scanned() {
        let desk = Desk::new();
        for condition in [
            "target = 1 AND closed_in = 2 AND id >= 3 AND id < 4 ORDER BY id DESC LIMIT 5",
            "target = 1 AND closed_in = 2 AND id >= 3 AND id < 4 ORDER BY id LIMIT 5",
        ] {
            let sql = format!("EXPLAIN QUERY PLAN SELECT text FROM messages WHERE {condition}");
            let plan: Vec<String> =
                desk.db.prepare(&sql).unwrap().query_map([], |row| row.get(3)).unwrap().map(Result::unwrap).collect();
            assert!(plan.len() == 1 && plan[0].contains("SEARCH") && plan[0].contains("messages_by_place"), "{plan:?}");
        }
    }
}
