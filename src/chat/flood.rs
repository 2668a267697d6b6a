//! How fast one connection may talk: a burst, then a steady rate. What is too fast is read later, not lost.

use crate::wire::limits::{FILE_LINES_PER_SECOND, FLOOD_BURST, FLOOD_PER_SECOND};

/// A token bucket over a clock in milliseconds.
#[derive(Clone, Copy, Debug)]
pub struct Bucket {
    /// The time at which the bucket is (or was) full again, in microseconds. Each line moves it one step into the future.
    full_at_us: u64,
}

/// What a line costs, in microseconds of waiting.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Cost(u64);

impl Cost {
    /// A line of talk, or any command.
    pub const TALK: Cost = Cost(1_000_000 / FLOOD_PER_SECOND as u64);
    /// A FILE line: programs send them, and nobody reads them.
    pub const FILE: Cost = Cost(1_000_000 / FILE_LINES_PER_SECOND as u64);

    /// What this line costs.
    pub fn of(line: &str) -> Cost {
        let command = if line.starts_with('@') { line.split_once(' ').map_or("", |(_, rest)| rest) } else { line };
        let is_file = command.get(..5).is_some_and(|verb| verb.eq_ignore_ascii_case("FILE "));
        if is_file { Cost::FILE } else { Cost::TALK }
    }
}

/// A full bucket holds that much.
const BURST_US: u64 = FLOOD_BURST as u64 * Cost::TALK.0;

impl Bucket {
    /// A full bucket.
    pub fn full(now_ms: u64) -> Bucket {
        Bucket { full_at_us: now_ms * 1000 }
    }

    /// Takes a line's token. `Err` holds the milliseconds to wait until there is one; nothing is taken then.
    pub fn take(&mut self, now_ms: u64, cost: Cost) -> Result<(), u64> {
        let full_at_us = self.full_at_us.max(now_ms * 1000) + cost.0;
        let allowed_us = now_ms * 1000 + BURST_US;
        if full_at_us > allowed_us {
            return Err((full_at_us - allowed_us).div_ceil(1000));
        }
        self.full_at_us = full_at_us;
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const STEP_MS: u64 = Cost::TALK.0 / 1000;

    #[test]
    fn a_burst_passes_and_then_a_steady_rate() {
        let mut bucket = Bucket::full(1000);
        for _ in 0..FLOOD_BURST {
            assert_eq!(bucket.take(1000, Cost::TALK), Ok(()));
        }
        assert_eq!(bucket.take(1000, Cost::TALK), Err(STEP_MS));
        assert_eq!(bucket.take(1000 + STEP_MS - 1, Cost::TALK), Err(1));
        assert_eq!(bucket.take(1000 + STEP_MS, Cost::TALK), Ok(()));
        assert_eq!(bucket.take(1000 + STEP_MS, Cost::TALK), Err(STEP_MS));
    }

    #[test]
    fn a_pause_fills_the_bucket_but_not_beyond_the_burst() {
        let mut bucket = Bucket::full(0);
        let later = 3_600_000;
        let passed = (0..100).filter(|_| bucket.take(later, Cost::TALK).is_ok()).count();
        assert_eq!(passed, FLOOD_BURST as usize);
    }

    #[test]
    fn programs_may_speak_of_files_a_thousand_times_faster_but_not_without_end() {
        assert_eq!(Cost::of("FILE PUT * 1 ab :a"), Cost::FILE);
        assert_eq!(Cost::of("@label=1 file GET * :a"), Cost::FILE);
        for talk in ["PRIVMSG #lobby :FILE x", "FILES", "FILE", "@label=FILE PRIVMSG a :b", "@FILE", "小"] {
            assert_eq!(Cost::of(talk), Cost::TALK, "{talk}");
        }
        let mut bucket = Bucket::full(0);
        let burst = (0..100_000).take_while(|_| bucket.take(0, Cost::FILE).is_ok()).count();
        assert_eq!(burst, 5 * FILE_LINES_PER_SECOND as usize);
        let later = (0..100_000).take_while(|_| bucket.take(1000, Cost::FILE).is_ok()).count();
        assert_eq!(later, FILE_LINES_PER_SECOND as usize);
    }
}
