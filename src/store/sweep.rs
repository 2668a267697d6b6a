//! Which messages have to go, and when: those that are too old (`--keep`), and those of groups that ended.
//!
//! They go in small slices in the pauses of talk, and a slice now and then when there are no pauses. What has to go is written in the
//! file (`ended`) or follows from the time, so a restart forgets nothing.

use std::time::{Duration, Instant};

use rusqlite::{Connection, OptionalExtension, Statement, Transaction, TransactionBehavior};

use super::history::as_column;
use super::keeper::Keeper;
use super::removal::How;
use crate::wire::msgid::MsgId;

/// Messages that go in one transaction: 4 ms of work (58 us each), which is what talk may have to wait for it.
const SLICE: i64 = 64;

/// While talk leaves no pause, a slice goes so often: quicker than people talk, and some percent of the thread's time.
const SLICE_WHEN_BUSY: Duration = Duration::from_millis(50);

/// How long a slice that failed (the disk is full) is put off.
const AFTER_FAILURE: Duration = Duration::from_secs(60);

/// The oldest message is looked at so often at most …
const LOOK_MIN: Duration = Duration::from_secs(60);

/// … and so often at least: somebody may have set the clock.
const LOOK_MAX: Duration = Duration::from_secs(3600);

/// Knows what has to go. Belongs to the store thread.
pub struct Sweep<'c> {
    keep_ms: Option<u64>,
    /// When to look again; `None` while only a group that ends would be a reason to.
    due: Option<Instant>,
    /// Something went since the last time that there was nothing to do.
    has_swept: bool,
    ended: Statement<'c>,
    of_target: Statement<'c>,
    oldest: Statement<'c>,
}

/// What a slice found.
enum Swept {
    /// There may be more to take.
    More,
    /// Nothing has to go at this time; the oldest message gets too old then (milliseconds since 1970).
    Done { next_ms: Option<u64> },
}

impl<'c> Sweep<'c> {
    /// Looks for something as soon as there is a pause. `keep_ms`: how old messages may get; `None` for ever.
    pub fn new(db: &'c Connection, keep_ms: Option<u64>) -> rusqlite::Result<Sweep<'c>> {
        Ok(Sweep {
            keep_ms,
            due: Some(Instant::now()),
            has_swept: false,
            ended: db.prepare("SELECT target FROM ended LIMIT 1")?,
            of_target: db.prepare("SELECT n FROM messages WHERE target = ?1 LIMIT ?2")?,
            oldest: db.prepare("SELECT n, id FROM messages ORDER BY n LIMIT ?1")?,
        })
    }

    /// A group ended: there is something to do.
    pub fn wake(&mut self) {
        self.due = Some(Instant::now());
    }

    /// When the next slice should be taken in a pause.
    pub fn due(&self) -> Option<Instant> {
        self.due
    }

    /// Whether a slice should be taken although there is no pause.
    pub fn is_overdue(&self, now: Instant) -> bool {
        self.due.is_some_and(|due| now.saturating_duration_since(due) >= SLICE_WHEN_BUSY)
    }

    /// Row numbers that should go at this time: of one ended group, which is told, or the oldest of all.
    fn next_rows(&mut self, now_ms: u64) -> rusqlite::Result<(Option<i64>, Vec<i64>)> {
        if let Some(target) = self.ended.query_row([], |row| row.get::<_, i64>(0)).optional()? {
            let rows = self.of_target.query_map((target, SLICE), |row| row.get(0))?;
            return Ok((Some(target), rows.collect::<rusqlite::Result<_>>()?));
        }
        let Some(keep_ms) = self.keep_ms else { return Ok((None, Vec::new())) };
        let end = as_column(MsgId::first_at(now_ms.saturating_sub(keep_ms)));
        let mut old = Vec::new();
        // Rows are in the order of ids, so the first that may stay is the last that is looked at.
        let mut rows = self.oldest.query([SLICE])?;
        while let Some(row) = rows.next()? {
            if row.get::<_, i64>(1)? >= end {
                break;
            }
            old.push(row.get(0)?);
        }
        Ok((None, old))
    }

    /// When the oldest message gets too old (milliseconds since 1970).
    fn next_ms(&mut self) -> rusqlite::Result<Option<u64>> {
        let Some(keep_ms) = self.keep_ms else { return Ok(None) };
        Ok(self.first()?.map(|(_, id)| id.time_ms().saturating_add(keep_ms).saturating_add(1)))
    }

    /// The oldest message: its row and its id.
    fn first(&mut self) -> rusqlite::Result<Option<(i64, MsgId)>> {
        self.oldest.query_row([1], |row| Ok((row.get(0)?, MsgId(row.get::<_, i64>(1)? as u64)))).optional()
    }
}

impl Keeper<'_> {
    /// Removes the next slice of what has to go. A failure is told to the log and tried again later.
    pub(super) fn sweep(&mut self, now: Instant, now_ms: u64) {
        let swept = self.sweep_slice(now_ms);
        if matches!(swept, Ok(Swept::Done { .. })) {
            self.log_holds_removed |= std::mem::take(&mut self.sweep.has_swept);
        }
        self.sweep.due = match swept {
            Ok(Swept::More) => Some(now),
            Ok(Swept::Done { next_ms }) => next_ms
                .map(|next_ms| now + Duration::from_millis(next_ms.saturating_sub(now_ms)).clamp(LOOK_MIN, LOOK_MAX)),
            Err(why) => {
                log::warn!("{}: old messages stay for now: {why}", self.path.display());
                Some(now + AFTER_FAILURE)
            }
        };
    }

    fn sweep_slice(&mut self, now_ms: u64) -> rusqlite::Result<Swept> {
        let (ended, rows) = self.sweep.next_rows(now_ms)?;
        if ended.is_some() || !rows.is_empty() {
            self.remove_slice(ended, &rows).inspect_err(|_| self.removal.rolled_back())?;
            return Ok(Swept::More);
        }
        let first_n = self.sweep.first()?.map_or(i64::MAX, |(n, _)| n);
        if self.index.wants_merge(first_n) {
            self.index.merge_step()?;
            return Ok(Swept::More);
        }
        // A store without messages has none that get old; the first one is noticed at the next look.
        let is_pruned = self.sweep.keep_ms.is_some();
        let next_ms = self.sweep.next_ms()?.or(is_pruned.then_some(u64::MAX));
        Ok(Swept::Done { next_ms })
    }

    /// Removes these rows; when an ended group has none left, what else remains of it.
    fn remove_slice(&mut self, ended: Option<i64>, rows: &[i64]) -> rusqlite::Result<()> {
        let upto = self.index.upto();
        let step = Transaction::new_unchecked(self.db, TransactionBehavior::Immediate)?;
        self.removal.forget(How::Noted)?;
        for n in rows {
            self.removal.remove(*n, upto)?;
        }
        let gone = rows.iter().filter(|n| **n <= upto).count() as i64;
        step.execute("UPDATE indexed SET gone = gone + ?1", [gone])?;
        if let Some(target) = ended.filter(|_| rows.is_empty()) {
            step.execute("DELETE FROM markers WHERE target = ?1", [target])?;
            step.execute("DELETE FROM ended WHERE target = ?1", [target])?;
        }
        step.commit()?;
        self.index.note_gone(gone);
        self.sweep.has_swept = true;
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::super::change::Change;
    use super::super::fixture::{Desk, at, place, said, texts_of};
    use super::super::index;
    use super::super::record::{AccountId, Found, GroupId, Message, Place, Query, Target};
    use super::*;

    /// Sweeps until there is nothing to do. How many slices it took.
    fn sweep_all(desk: &mut Desk, now_ms: u64) -> usize {
        let now = Instant::now();
        (1..)
            .find(|_| {
                desk.keeper.sweep(now, now_ms);
                desk.keeper.sweep.due().is_none_or(|due| due > now)
            })
            .unwrap()
    }

    fn count(desk: &Desk, what: &str) -> i64 {
        desk.db.query_row(&format!("SELECT count(*) FROM {what}"), [], |row| row.get(0)).unwrap()
    }

    #[test]
    fn old_messages_go_in_slices_from_the_index_too_and_the_rest_stays() {
        let mut desk = Desk::new().again_keeping(Some(60_000 * 100));
        let lines = 3 * index::SLICE as u64;
        desk.save((1..=lines).map(|minute| said(minute, &format!("茶 word{minute}"))).collect()).unwrap();
        desk.search(&["nothing"]);
        assert!(desk.keeper.index.upto() >= 2 * index::SLICE, "some are in the index, some are not");
        let slices = sweep_all(&mut desk, at(1000).time_ms());
        assert!(slices as u64 > 899 / SLICE as u64, "{slices}");
        assert_eq!(count(&desk, "indexed WHERE gone = 899"), 1);
        assert_eq!(desk.texts("#lobby").len() as u64, lines - 899);
        assert_eq!(desk.search(&["word899"]), [""; 0]);
        assert_eq!(desk.search(&["word900"]), ["茶 word900"]);
        assert_eq!(desk.search(&["茶"]).len() as u64, lines - 899);
        desk.db.execute("INSERT INTO pieces (pieces) VALUES ('integrity-check')", []).unwrap();
    }

    #[test]
    fn when_much_is_gone_the_index_is_merged_and_the_words_are_out_of_the_file() {
        let mut desk = Desk::new().again_keeping(Some(60_000 * 5000));
        for first in (0..20_000).step_by(4000) {
            let some = first + 1..=first + 4000;
            desk.save(some.map(|minute| said(minute, &format!("茶 word{minute}x in the pot"))).collect()).unwrap();
        }
        while desk.keeper.lag() >= index::SLICE {
            desk.keeper.take_slice();
        }
        let bytes = |desk: &Desk| count(desk, "pieces_data");
        let before = bytes(&desk);
        sweep_all(&mut desk, at(20_000).time_ms());
        assert_eq!(count(&desk, "messages"), 5001);
        assert_eq!(count(&desk, "indexed WHERE gone = 0"), 1);
        assert!(bytes(&desk) * 2 < before, "{} of {before} pages are left", bytes(&desk));
        assert_eq!(count(&desk, "words WHERE term = 'word14998x'"), 0);
        assert_eq!(count(&desk, "words WHERE term = 'word15000x'"), 1);
        assert_eq!(desk.search(&["word15000x"]).len(), 1);
        assert_eq!(desk.search(&["茶"]).len(), 1000);
        // What is cut out at once goes on as before.
        let asked = Query::Redact { place: place("#lobby"), id: at(16_000), only_of: None };
        assert_eq!(desk.ask(asked), Found::Redacted(super::super::record::Redaction::Done));
        assert_eq!(count(&desk, "words WHERE term = 'word16000x'"), 0);
        desk.db.execute("INSERT INTO pieces (pieces) VALUES ('integrity-check')", []).unwrap();
    }

    #[test]
    fn numbers_go_on_when_everything_was_too_old() {
        let mut desk = Desk::new().again_keeping(Some(1));
        desk.save((1..=10).map(|minute| said(minute, "x")).collect()).unwrap();
        sweep_all(&mut desk, at(99).time_ms());
        assert_eq!(desk.texts("#lobby"), [""; 0]);
        let mut desk = desk.again();
        assert_eq!((desk.keeper.ledger.last_n(), desk.keeper.last_id()), (10, at(10)));
        desk.save(vec![said(11, "on")]).unwrap();
        assert_eq!(count(&desk, "messages WHERE n = 11"), 1);
    }

    #[test]
    fn without_a_wish_nothing_goes_and_no_timer_runs() {
        let mut desk = Desk::new();
        desk.save(vec![said(1, "x")]).unwrap();
        assert_eq!(sweep_all(&mut desk, u64::MAX), 1);
        assert_eq!((desk.texts("#lobby").len(), desk.keeper.sweep.due()), (1, None));
    }

    #[test]
    fn the_next_look_is_when_the_oldest_message_gets_too_old() {
        let mut desk = Desk::new().again_keeping(Some(60_000 * 100));
        desk.save(vec![said(100, "x")]).unwrap();
        let now = Instant::now();
        for (minute, wait) in [(1, LOOK_MAX), (190, Duration::from_millis(600_001)), (200, LOOK_MIN)] {
            desk.keeper.sweep(now, at(minute).time_ms());
            assert_eq!(desk.keeper.sweep.due(), Some(now + wait), "{minute}");
        }
        assert_eq!(desk.texts("#lobby"), ["x"]);
    }

    #[test]
    fn an_ended_group_is_swept_after_a_restart_too_and_talk_is_not_in_its_way() {
        let mut desk = Desk::new();
        let (tea, anna) = (Target::group(GroupId(1000)), AccountId(1000));
        let lines = index::SLICE as u64;
        let in_group = |minute| Message { target: tea.clone(), ..said(minute, &format!("茶 word{minute}")) };
        let all: Vec<_> = (1..=lines).flat_map(|i| [in_group(2 * i), said(2 * i + 1, "stays")]).collect();
        desk.save(all).unwrap();
        desk.search(&["nothing"]);
        desk.shift(10_000);
        desk.change(vec![
            Change::Read { account: anna, target: tea.clone(), up_to_ms: 5 },
            Change::GroupEnded { id: GroupId(1000), target: tea.clone() },
        ]);
        let now = Instant::now();
        assert!(desk.keeper.sweep.due().is_some_and(|due| due <= now));
        desk.keeper.sweep(now, 0);
        assert_eq!(desk.ask(Query::Person { account: anna }), Found::Person { read: vec![], delivered: MsgId(0) });
        let mut desk = desk.again();
        desk.shift(10_000);
        desk.save(vec![said(1, "stays")]).unwrap();
        sweep_all(&mut desk, 0);
        let place = Place { target: tea, ..place("") };
        assert_eq!(texts_of(desk.ask(Query::Before { place, before: None, limit: 9 })), [""; 0]);
        assert_eq!(desk.texts("#lobby").len(), lines as usize + 1);
        for gone in ["messages WHERE text <> 'stays'", "markers", "ended"] {
            assert_eq!(count(&desk, gone), 0, "{gone}");
        }
        desk.db.execute("INSERT INTO pieces (pieces) VALUES ('integrity-check')", []).unwrap();
    }

    #[test]
    fn a_full_disk_puts_the_sweeping_off() {
        let mut desk = Desk::new().again_keeping(Some(1));
        desk.save((1..=10).map(|minute| said(minute, "x")).collect()).unwrap();
        desk.db.pragma_update(None, "query_only", true).unwrap();
        let now = Instant::now();
        desk.keeper.sweep(now, at(99).time_ms());
        assert_eq!(desk.keeper.sweep.due(), Some(now + AFTER_FAILURE));
        desk.db.pragma_update(None, "query_only", false).unwrap();
        sweep_all(&mut desk, at(99).time_ms());
        assert_eq!(desk.texts("#lobby"), [""; 0]);
    }

    #[test]
    fn the_rows_of_a_slice_are_found_without_looking_at_others() {
        let desk = Desk::new();
        let plan = |sql: &str| -> Vec<String> {
            let mut plan = desk.db.prepare(&format!("EXPLAIN QUERY PLAN {sql}")).unwrap();
            plan.query_map([], |row| row.get(3)).unwrap().map(Result::unwrap).collect()
        };
        let of_target = plan("SELECT n FROM messages WHERE target = 1 LIMIT 2");
        assert!(of_target.len() == 1 && of_target[0].contains("COVERING INDEX messages_by_place"), "{of_target:?}");
        assert_eq!(plan("SELECT n, id FROM messages ORDER BY n LIMIT 2"), ["SCAN messages"], "in its own order");
    }
}
