//! When lines go out: at once after a pause, merged while it is busy.
//!
//! Almost all that talk costs is one small write per receiver and flush. So a flush that took long (many receivers) is followed by a moment in which lines are only
//! gathered: five times as long as the flush while little has come, once as long when there is much to merge. In a small room that is nothing; in one of a few
//! hundred it is two or three milliseconds, which nobody can see. The first line after a pause never waits.

use std::time::{Duration, Instant};

/// From so many lines in one write on, waiting for more saves little.
const MANY_LINES: usize = 8;
/// The moment after a flush, as a multiple of what the flush took: while few lines have come, and when there are many.
const GATHERING: (u32, u32) = (10, 1);
/// No line waits longer than this.
const LONGEST: Duration = Duration::from_millis(5);

/// Knows when the last flush was, and what it took.
#[derive(Debug)]
pub struct Pace {
    ended: Instant,
    took: Duration,
}

impl Pace {
    /// Nothing was flushed yet.
    pub fn new(now: Instant) -> Pace {
        Pace { ended: now, took: Duration::ZERO }
    }

    /// When a round in which each write carries so many lines may be flushed.
    pub fn due(&self, lines_per_write: usize) -> Instant {
        let factor = if lines_per_write >= MANY_LINES { GATHERING.1 } else { GATHERING.0 };
        self.ended + (self.took * factor).min(LONGEST)
    }

    /// Notes a flush.
    pub fn flushed(&mut self, begun: Instant, ended: Instant) {
        self.took = ended - begun;
        self.ended = ended;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const MS: Duration = Duration::from_millis(1);

    #[test]
    fn lines_are_gathered_after_a_long_flush_and_never_after_a_pause() {
        let start = Instant::now();
        let mut pace = Pace::new(start);
        assert!(pace.due(1) <= start, "the first line goes at once");
        pace.flushed(start, start + MS / 2);
        let ended = start + MS / 2;
        assert_eq!(pace.due(1), ended + MS / 2 * GATHERING.0);
        assert_eq!(pace.due(MANY_LINES), ended + MS / 2 * GATHERING.1);
        assert!(pace.due(1) < start + 10 * MS, "a line after a pause goes at once");
    }

    #[test]
    fn no_line_waits_longer_than_the_bound() {
        let start = Instant::now();
        let mut pace = Pace::new(start);
        pace.flushed(start, start + 50 * MS);
        assert_eq!(pace.due(1), start + 50 * MS + LONGEST);
        assert_eq!(pace.due(1000), start + 50 * MS + LONGEST);
    }
}
