//! The store's thread: takes everything that is queued as one round, serves it, and does the chores in the pauses.

use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::sync::mpsc::{Receiver, RecvTimeoutError};
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use rusqlite::Connection;

use super::book::Book;
use super::form;
use super::index::{Index, SLICE};
use super::ledger::Ledger;
use super::names::Names;
use super::pace::{self, Pace};
use super::readers::Readers;
use super::removal::Removal;
use super::sweep::Sweep;
use super::{Answer, Request, Shared};
use crate::wire::msgid::MsgId;

/// One transaction takes at most so many messages (a batch is never divided): about 1 MiB, which the page cache holds.
const GROUP_MESSAGES_MAX: usize = 4096;

/// … and so many requests: answers wait for the commit.
const GROUP_REQUESTS_MAX: usize = 512;

/// The search index is fed, and what is too old removed, when nothing came for so long. Talk leaves no such pause while it is lively,
/// and a search catches up first anyway.
const QUIET_BEFORE_CHORES: Duration = Duration::from_secs(1);

/// When so many messages wait for the index, a slice is taken between two rounds, however busy: a search can look at so many
/// without the index within its time.
const INDEX_LAG_MAX: i64 = 100_000;

/// Owns the connection's statements and everything that is known about the file. Lives on the store thread.
pub struct Keeper<'c> {
    pub(super) db: &'c Connection,
    pub(super) path: PathBuf,
    pub(super) names: Names<'c>,
    pub(super) ledger: Ledger<'c>,
    pub(super) book: Book<'c>,
    pub(super) readers: Readers<'c>,
    pub(super) removal: Removal<'c>,
    pub(super) index: Index<'c>,
    pub(super) sweep: Sweep<'c>,
    pub(super) pace: Pace,
    /// Which commits of other programs were looked at.
    pub(super) version_seen: i64,
    /// The write-ahead log may hold what was removed.
    pub(super) log_holds_removed: bool,
    /// The last write failed; told to the log once, not for every message.
    pub(super) is_failing: bool,
    /// The index is fed when it lags by so much: a slice, and another one after each failure.
    pub(super) feed_at_lag: i64,
}

impl<'c> Keeper<'c> {
    /// Prepares everything. `path` is the file's name for the log; messages older than `keep_ms` are removed.
    pub fn new(db: &'c Connection, path: PathBuf, keep_ms: Option<u64>) -> rusqlite::Result<Keeper<'c>> {
        let index = Index::new(db)?;
        Ok(Keeper {
            db,
            path,
            names: Names::new(db)?,
            ledger: Ledger::new(db, index.upto())?,
            book: Book::new(db)?,
            readers: Readers::new(db)?,
            removal: Removal::new(db)?,
            index,
            sweep: Sweep::new(db, keep_ms)?,
            pace: Pace::default(),
            version_seen: form::version_seen(db)?,
            log_holds_removed: false,
            is_failing: false,
            feed_at_lag: SLICE,
        })
    }

    /// The greatest id that was ever stored.
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
            if self.sweep.is_overdue(Instant::now()) {
                self.sweep(Instant::now(), now_ms());
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

    /// The next request; while there is none, and only then, the chores are done. Sleeps without a timer when there are none.
    fn next(&mut self, queue: &Receiver<Request>, shared: &Shared) -> Option<Request> {
        let mut pause = QUIET_BEFORE_CHORES;
        loop {
            if shared.closing.load(Ordering::Acquire) {
                return queue.try_recv().ok();
            }
            let Some(wait) = self.chores_in(Instant::now()) else { return queue.recv().ok() };
            match queue.recv_timeout(wait.max(pause)) {
                Ok(request) => return Some(request),
                Err(RecvTimeoutError::Disconnected) => return None,
                Err(RecvTimeoutError::Timeout) => self.do_chore(),
            }
            pause = Duration::ZERO;
        }
    }

    /// How long until there is something to do beside requests.
    fn chores_in(&self, now: Instant) -> Option<Duration> {
        if self.log_holds_removed {
            return Some(QUIET_BEFORE_CHORES);
        }
        let is_index_waiting = self.lag() >= self.feed_at_lag;
        if is_index_waiting { Some(Duration::ZERO) } else { Some(self.sweep.due()?.saturating_duration_since(now)) }
    }

    /// One piece of work that should keep no request waiting for long.
    fn do_chore(&mut self) {
        self.scrub_log();
        let now = Instant::now();
        if self.lag() >= self.feed_at_lag {
            self.take_slice();
        } else if self.sweep.due().is_some_and(|due| due <= now) {
            self.sweep(now, now_ms());
        }
    }

    /// Only messages wait for more of their kind; questions and the end do not.
    fn should_pause(&mut self, round: &[Request], shared: &Shared) -> bool {
        let only_messages = round.iter().all(|request| matches!(request, Request::Append { .. }));
        let messages = round.iter().map(Request::entries).sum();
        only_messages && !shared.closing.load(Ordering::Acquire) && self.pace.wants_pause(Instant::now(), messages)
    }

    /// How many stored messages the index does not hold.
    pub(super) fn lag(&self) -> i64 {
        self.ledger.last_n() - self.index.upto()
    }

    /// Feeds the index once; a failure is told to the log and tried again when more is to be done.
    pub(super) fn take_slice(&mut self) {
        match self.index.take_slice(self.ledger.last_n()) {
            Ok(()) => self.feed_at_lag = SLICE,
            Err(why) => {
                log::warn!("{}: the search index waits: {why}; searching goes on, more slowly", self.path.display());
                self.feed_at_lag = self.lag() + SLICE;
            }
        }
    }
}

/// Milliseconds since 1970.
fn now_ms() -> u64 {
    SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_millis() as u64)
}

/// Adds what is queued to a round, up to the size of one transaction.
fn gather(round: &mut Vec<Request>, queue: &Receiver<Request>) {
    let mut entries: usize = round.iter().map(Request::entries).sum();
    while entries < GROUP_MESSAGES_MAX && round.len() < GROUP_REQUESTS_MAX {
        let Ok(request) = queue.try_recv() else { break };
        entries += request.entries();
        round.push(request);
    }
}

#[cfg(test)]
mod tests {
    use super::super::fixture::{Desk, said};
    use super::*;

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
