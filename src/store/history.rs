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
    before: Statement<'c>,
    after: Statement<'c>,
    row: Statement<'c>,
    sent: Statement<'c>,
}

impl<'c> History<'c> {
    /// Prepares the questions.
    pub fn new(db: &'c Connection) -> rusqlite::Result<History<'c>> {
        Ok(History {
            before: db.prepare(messages_where!(
                "m.target = ?1 AND m.closed_in = ?2 AND m.id < ?3 ORDER BY m.id DESC LIMIT ?4"
            ))?,
            after: db
                .prepare(messages_where!("m.target = ?1 AND m.closed_in = ?2 AND m.id > ?3 ORDER BY m.id LIMIT ?4"))?,
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
        let mut found = in_both(&mut self.before, names, place, as_column(before.unwrap_or(MsgId(u64::MAX))), limit)?;
        found.drain(..found.len().saturating_sub(limit));
        Ok(found)
    }

    /// The first `limit` messages of a place after an id, oldest first.
    pub fn after(
        &mut self,
        names: &mut Names<'_>,
        place: &Place,
        after: MsgId,
        limit: usize,
    ) -> rusqlite::Result<Vec<Message>> {
        let mut found = in_both(&mut self.after, names, place, as_column(after), limit)?;
        found.truncate(limit);
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

/// Up to `limit` messages (or as many as one answer holds) from what was open, and as many from the one closed instance, oldest first. Two narrow ranges, so that
/// nothing that the asker may not see is ever walked through.
fn in_both(
    statement: &mut Statement<'_>,
    names: &mut Names<'_>,
    place: &Place,
    id: i64,
    limit: usize,
) -> rusqlite::Result<Vec<Message>> {
    let mut found = Vec::new();
    let Some(target) = names.find(place.target.as_str())? else { return Ok(found) };
    let limit = limit.min(FOUND_MAX) as i64;
    let instances = if place.instance == 0 { &[0][..] } else { &[0, place.instance] };
    for instance in instances {
        let mut rows = statement.query((target, *instance as i64, id, limit))?;
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
            target: Target::pair("小阳", "anna"),
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
        let private = Place { target: Target::pair("anna", "小阳"), instance: u64::MAX };
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
        let inside = |instance| Place { target: Target::room("#lobby"), instance };
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
            "target = 1 AND closed_in = 2 AND id < 3 ORDER BY id DESC LIMIT 4",
            "target = 1 AND closed_in = 2 AND id > 3 ORDER BY id LIMIT 4",
        ] {
            let sql = format!("EXPLAIN QUERY PLAN SELECT text FROM messages WHERE {condition}");
            let plan: Vec<String> =
                desk.db.prepare(&sql).unwrap().query_map([], |row| row.get(3)).unwrap().map(Result::unwrap).collect();
            assert!(plan.len() == 1 && plan[0].contains("SEARCH") && plan[0].contains("messages_by_place"), "{plan:?}");
        }
    }
}
