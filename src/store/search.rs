//! What a search finds, and when it gives up.
//!
//! The newest rows that are not in the index yet are looked at one by one, then the index names candidates, newest first. Each is
//! checked against the real message: the index may name too many, never too few.

use std::time::{Duration, Instant};

use rusqlite::{Connection, Row, Statement};

use super::expression::{self, Vocabulary};
use super::history::{FOUND_MAX, History, as_column};
use super::index::senders;
use super::names::Names;
use super::pieces;
use super::record::{Message, Place, Search};
use crate::wire::msgid::MsgId;

/// A search looks at so many rows at most …
const ROWS_MAX: usize = 200_000;

/// … and for so long: everybody's receipts wait for it. It tells what it found by then, which is the newest.
const TIME_MAX: Duration = Duration::from_millis(150);

/// So few places are asked of the index from the start: it costs next to nothing.
const PLACES_AT_ONCE: usize = 3;

/// Candidates that are looked at before the index is asked for places too: two milliseconds, about what asking costs.
const CANDIDATES_FIRST: usize = 1000;

/// How much a search may cost.
#[derive(Clone, Copy)]
pub struct Budget {
    rows: usize,
    time: Duration,
}

impl Default for Budget {
    fn default() -> Budget {
        Budget { rows: ROWS_MAX, time: TIME_MAX }
    }
}

/// Searches. Belongs to the store thread.
pub struct Searcher<'c> {
    newest_rows: Statement<'c>,
    candidates: Statement<'c>,
    first_from: Statement<'c>,
    vocabulary: Vocabulary<'c>,
}

/// A question, ready for comparing.
pub(super) struct Wish<'q> {
    pub places: Vec<(i64, &'q Place)>,
    pub words: Vec<String>,
    pub from: Option<String>,
    limit: usize,
    /// Row numbers: from the first, to the one before the second.
    rows: (i64, i64),
}

/// What is left of the budget, and the hits, newest first.
struct Round {
    rows_left: usize,
    until: Instant,
    is_spent: bool,
    /// The last row that was looked at.
    last_n: i64,
    hits: Vec<Message>,
}

impl<'c> Searcher<'c> {
    /// Prepares the questions.
    pub fn new(db: &'c Connection) -> rusqlite::Result<Searcher<'c>> {
        Ok(Searcher {
            newest_rows: db
                .prepare("SELECT n, target, closed_in, text, id FROM messages WHERE n >= ?1 AND n < ?2 ORDER BY n DESC")?,
            candidates: db.prepare(
                "SELECT m.n, m.target, m.closed_in, m.text, m.id FROM pieces CROSS JOIN messages AS m ON m.n = pieces.rowid
                 WHERE pieces MATCH ?3 AND pieces.rowid >= ?1 AND pieces.rowid < ?2 ORDER BY pieces.rowid DESC",
            )?,
            first_from: db.prepare("SELECT n, id FROM messages WHERE n >= ?1 ORDER BY n LIMIT 1")?,
            vocabulary: Vocabulary::new(db)?,
        })
    }

    /// The newest hits within the budget, oldest first. Rows after `indexed_upto` are looked at without the index.
    pub fn search(
        &mut self,
        names: &mut Names<'_>,
        history: &mut History<'_>,
        search: &Search,
        indexed_upto: i64,
        last_n: i64,
        budget: Budget,
    ) -> rusqlite::Result<Vec<Message>> {
        let wish = self.understand(names, search, last_n)?;
        let until = Instant::now() + budget.time;
        let mut round = Round { rows_left: budget.rows, until, is_spent: false, last_n: 0, hits: Vec::new() };
        if !wish.places.is_empty() && wish.limit > 0 {
            let (first, end) = wish.rows;
            let indexed_end = (indexed_upto + 1).clamp(first, end.max(first));
            let goes_on = round.walk(self.newest_rows.query([indexed_end, end])?, &wish, history)?;
            if goes_on {
                self.ask_index(&wish, (first, indexed_end), &mut round, history)?;
            }
        }
        round.hits.reverse();
        Ok(round.hits)
    }

    /// Looks at what the index names. Asking it for many places costs milliseconds, so it is asked for the words alone first; when the
    /// first candidates are mostly from elsewhere, the places are asked for too.
    fn ask_index(
        &mut self,
        wish: &Wish<'_>,
        (first, end): (i64, i64),
        round: &mut Round,
        history: &mut History<'_>,
    ) -> rusqlite::Result<()> {
        let words = expression::of_words(wish, &mut self.vocabulary)?;
        let places = expression::of_places(wish);
        let mut end = end;
        if let (Some(words), true) = (&words, places.is_none() || wish.places.len() > PLACES_AT_ONCE) {
            let rows = if places.is_none() { usize::MAX } else { CANDIDATES_FIRST };
            if !round.walk_some(self.candidates.query((first, end, words))?, wish, history, rows)? {
                return Ok(());
            }
            end = round.last_n;
        }
        match (words, places) {
            (Some(_), None) => Ok(()),
            (Some(words), Some(places)) => {
                let both = format!("{words} AND {places}");
                round.walk(self.candidates.query((first, end, both))?, wish, history).map(drop)
            }
            (None, Some(places)) => round.walk(self.candidates.query((first, end, places))?, wish, history).map(drop),
            (None, None) => round.walk(self.newest_rows.query([first, end])?, wish, history).map(drop),
        }
    }

    fn understand<'q>(&mut self, names: &mut Names<'_>, search: &'q Search, last_n: i64) -> rusqlite::Result<Wish<'q>> {
        let mut places = Vec::new();
        for place in &search.places {
            if let Some(target) = names.find(place.target.as_str())? {
                places.push((target, place));
            }
        }
        // No place is seen from before the earliest membership among them.
        let earliest = search.places.iter().map(|place| place.since).min().unwrap_or_default();
        let since = search.since.unwrap_or_default().max(earliest);
        let first = if since == MsgId(0) { 0 } else { self.first_row_from(since, last_n)? };
        let end = search.before.map_or(Ok(last_n + 1), |before| self.first_row_from(before, last_n))?;
        Ok(Wish {
            places,
            words: search.words.iter().map(|word| pieces::fold(word)).collect(),
            from: search.from.as_deref().map(pieces::fold),
            limit: search.limit.min(FOUND_MAX),
            rows: (first, end),
        })
    }

    /// The number of the first row with this id or a greater one. Halves the range some twenty times: rows are in the order of ids.
    fn first_row_from(&mut self, id: MsgId, last_n: i64) -> rusqlite::Result<i64> {
        let wanted = as_column(id);
        let (mut low, mut high) = (0, last_n + 1);
        while low < high {
            let middle = low + (high - low) / 2;
            let mut rows = self.first_from.query([middle])?;
            match rows.next()? {
                Some(row) if row.get::<_, i64>(1)? < wanted => low = row.get::<_, i64>(0)? + 1,
                _ => high = middle,
            }
        }
        Ok(low)
    }
}

impl Round {
    /// Collects the hits among the rows. True when they are all seen and more are wanted.
    fn walk(&mut self, rows: rusqlite::Rows<'_>, wish: &Wish<'_>, history: &mut History<'_>) -> rusqlite::Result<bool> {
        self.walk_some(rows, wish, history, usize::MAX).map(|_| self.hits.len() < wish.limit && !self.is_spent)
    }

    /// The same among the first `rows_max` rows. True when that was not enough: neither all rows are seen nor all hits found.
    fn walk_some(
        &mut self,
        mut rows: rusqlite::Rows<'_>,
        wish: &Wish<'_>,
        history: &mut History<'_>,
        rows_max: usize,
    ) -> rusqlite::Result<bool> {
        let mut seen = 0;
        while let Some(row) = rows.next()? {
            if seen == rows_max {
                return Ok(true);
            }
            if self.rows_left == 0 || Instant::now() >= self.until {
                self.is_spent = true;
                return Ok(false);
            }
            seen += 1;
            self.rows_left -= 1;
            self.last_n = row.get(0)?;
            if let Some(hit) = wish.check(row, history)? {
                self.hits.push(hit);
                if self.hits.len() >= wish.limit {
                    return Ok(false);
                }
            }
        }
        Ok(false)
    }
}

impl Wish<'_> {
    /// The message of a row, if it is a hit.
    fn check(&self, row: &Row<'_>, history: &mut History<'_>) -> rusqlite::Result<Option<Message>> {
        let (target, closed_in) = (row.get::<_, i64>(1)?, row.get::<_, i64>(2)? as u64);
        let id = MsgId(row.get::<_, i64>(4)? as u64);
        let is_seen = |(number, place): &&(i64, &Place)| {
            *number == target && (closed_in == 0 || closed_in == place.instance) && id >= place.since
        };
        let Some((_, place)) = self.places.iter().find(is_seen) else { return Ok(None) };
        let text = pieces::fold(row.get_ref(3)?.as_str()?);
        if !self.words.iter().all(|word| pieces::holds(&text, word)) {
            return Ok(None);
        }
        let found = history.row(row.get(0)?, &place.target)?;
        Ok(found.filter(|message| self.is_from(message)))
    }

    fn is_from(&self, message: &Message) -> bool {
        let Some(from) = &self.from else { return true };
        senders(&message.source, message.account.as_deref()).any(|name| name == *from)
    }
}

#[cfg(test)]
mod tests;
