//! When lines go out: at once after a pause, merged while it is busy.
//!
//! Almost all that talk costs is one small write per receiver and flush. So a flush that took long (many receivers) is followed by a moment in which lines are only
//! gathered: ten times as long as the flush while little has come, once as long when there is much to merge. In a small room that is nothing; in one of a few
//! hundred it is a few milliseconds, which nobody can see. The first line after a pause never waits, and where waiting brought nothing it is not tried again soon.

use std::time::{Duration, Instant};

/// From so many lines in one write on, waiting for more saves little.
const MANY_LINES: usize = 8;
/// The moment after a flush, as a multiple of what the flush took: while few lines have come, and when there are many.
const GATHERING: (u32, u32) = (10, 1);
/// No line waits longer than this.
const LONGEST: Duration = Duration::from_millis(5);
/// After moments that brought nothing to merge, at most so many flushes go without one.
const MOST_SKIPPED: u32 = 31;

/// What a round holds: how many lines for how many receivers.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Round {
    /// Lines over all receivers.
    pub lines: usize,
    /// Receivers with at least one line.
    pub receivers: usize,
}

impl Round {
    fn is_much(self) -> bool {
        self.lines >= self.receivers * MANY_LINES
    }

    /// Whether any write was saved.
    fn is_merged(self) -> bool {
        self.lines > self.receivers
    }
}

/// Knows when the last flush was, what it took, and whether waiting has been worth it.
#[derive(Debug)]
pub struct Pace {
    ended: Instant,
    took: Duration,
    /// So many flushes go without waiting.
    skip: u32,
    /// How many did, the last time that waiting brought nothing.
    skipped: u32,
}

impl Pace {
    /// Nothing was flushed yet.
    pub fn new(now: Instant) -> Pace {
        Pace { ended: now, took: Duration::ZERO, skip: 0, skipped: 0 }
    }

    /// When a round may be flushed.
    pub fn due(&self, round: Round) -> Instant {
        if self.skip > 0 {
            return self.ended;
        }
        let factor = if round.is_much() { GATHERING.1 } else { GATHERING.0 };
        self.ended + (self.took * factor).min(LONGEST)
    }

    /// Notes a flush, and whether it had waited for its moment.
    pub fn flushed(&mut self, round: Round, had_waited: bool, begun: Instant, ended: Instant) {
        self.took = ended - begun;
        self.ended = ended;
        if !had_waited {
            self.skip = self.skip.saturating_sub(1);
        } else if round.is_merged() {
            self.skipped = 0;
        } else {
            self.skipped = (self.skipped * 2 + 1).min(MOST_SKIPPED);
            self.skip = self.skipped;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const MS: Duration = Duration::from_millis(1);
    const ONE_EACH: Round = Round { lines: 100, receivers: 100 };
    const TWO_EACH: Round = Round { lines: 200, receivers: 100 };
    const TEN_EACH: Round = Round { lines: 1000, receivers: 100 };

    #[test]
    fn lines_are_gathered_after_a_long_flush_and_never_after_a_pause() {
        let start = Instant::now();
        let mut pace = Pace::new(start);
        assert!(pace.due(ONE_EACH) <= start, "the first line goes at once");
        let ended = start + MS / 4;
        pace.flushed(ONE_EACH, false, start, ended);
        assert_eq!(pace.due(ONE_EACH), ended + 10 * MS / 4);
        assert_eq!(pace.due(TEN_EACH), ended + MS / 4);
        assert!(pace.due(ONE_EACH) < start + 10 * MS, "a line after a pause goes at once");
    }

    #[test]
    fn no_line_waits_longer_than_the_bound() {
        let start = Instant::now();
        let mut pace = Pace::new(start);
        pace.flushed(ONE_EACH, false, start, start + 50 * MS);
        assert_eq!(pace.due(ONE_EACH), start + 50 * MS + LONGEST);
        assert_eq!(pace.due(TEN_EACH), start + 50 * MS + LONGEST);
    }

    #[test]
    fn waiting_that_brings_nothing_is_tried_less_and_less_until_it_brings_something() {
        let start = Instant::now();
        let mut pace = Pace::new(start);
        let mut waits_in_thousand = 0;
        for _ in 0..1000 {
            let waits = pace.due(ONE_EACH) > pace.ended;
            waits_in_thousand += u32::from(waits);
            pace.flushed(ONE_EACH, waits, start, start + MS);
        }
        assert!((5..60).contains(&waits_in_thousand), "{waits_in_thousand}");
        while pace.due(TWO_EACH) <= pace.ended {
            pace.flushed(TWO_EACH, false, start, start + MS);
        }
        pace.flushed(TWO_EACH, true, start, start + MS);
        assert!(pace.due(TWO_EACH) > pace.ended, "merging pays again");
    }
}
