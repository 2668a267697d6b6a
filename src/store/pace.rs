//! When a commit waits a little, so that more messages share it. Pure: the time comes in.
//!
//! Waking the disk costs more than all the rest of a message (60 µs of CPU on the machine that it was measured on). A message after
//! a pause is committed at once; while messages keep coming, each commit waits for those of the next few milliseconds.

use std::time::{Duration, Instant};

/// How long a commit waits when the store is busy. Receipts come so much later, and nobody but the sender of a message waits for
/// one. At 3000 messages a second it brings the cost of a message from 70 µs down to 10.
pub const PAUSE: Duration = Duration::from_millis(4);

/// A round of so many messages shares its commit well enough.
const MESSAGES_ENOUGH: usize = 64;

/// When pauses bring nothing (somebody waits for each receipt before he goes on), so many rounds at most go without one.
const ROUNDS_WITHOUT_MAX: u32 = 255;

/// Decides about pauses. Belongs to the store thread.
#[derive(Debug, Default)]
pub struct Pace {
    last_commit: Option<(Instant, Duration)>,
    rounds_without: u32,
    useless_in_a_row: u32,
}

impl Pace {
    /// Whether a round with so many messages should wait for [`PAUSE`] before it is committed.
    pub fn wants_pause(&mut self, now: Instant, messages: usize) -> bool {
        // A disk that takes long gathers messages by itself.
        let is_busy = self.last_commit.is_some_and(|(last, took)| now.duration_since(last) < PAUSE && took < PAUSE);
        if !is_busy || messages == 0 || messages >= MESSAGES_ENOUGH {
            return false;
        }
        if self.rounds_without > 0 {
            self.rounds_without -= 1;
            return false;
        }
        true
    }

    /// A pause is over: did more messages come?
    pub fn paused(&mut self, more_came: bool) {
        self.useless_in_a_row =
            if more_came { 0 } else { (self.useless_in_a_row + 1).min(ROUNDS_WITHOUT_MAX.ilog2() + 1) };
        self.rounds_without = (1 << self.useless_in_a_row) - 1;
    }

    /// Messages were committed, which took from `begun` to `now`.
    pub fn committed(&mut self, begun: Instant, now: Instant) {
        self.last_commit = Some((now, now.duration_since(begun)));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// How many of a thousand single messages, each so long after the commit before, are made to wait.
    fn pauses(gap: Duration, more_comes: bool) -> usize {
        let (mut pace, mut now) = (Pace::default(), Instant::now());
        let wait = |_: &i32| {
            now += gap;
            let pauses = pace.wants_pause(now, 1);
            if pauses {
                now += PAUSE;
                pace.paused(more_comes);
            }
            pace.committed(now, now);
            pauses
        };
        (0..1000).filter(wait).count()
    }

    #[test]
    fn a_message_after_a_pause_never_waits() {
        assert_eq!(pauses(PAUSE, true), 0);
        assert!(!Pace::default().wants_pause(Instant::now(), 1));
    }

    #[test]
    fn when_messages_keep_coming_each_commit_waits_for_more() {
        assert_eq!(pauses(PAUSE / 10, true), 999);
    }

    #[test]
    fn who_waits_for_each_receipt_is_hardly_ever_made_to_wait() {
        let made_to_wait = pauses(PAUSE / 10, false);
        assert!((2..15).contains(&made_to_wait), "{made_to_wait}");
    }

    #[test]
    fn a_slow_disk_is_not_made_slower() {
        let (mut pace, begun) = (Pace::default(), Instant::now());
        pace.committed(begun, begun + PAUSE);
        assert!(!pace.wants_pause(begun + PAUSE, 1));
        pace.committed(begun, begun + PAUSE / 2);
        assert!(pace.wants_pause(begun + PAUSE, 1));
    }

    #[test]
    fn a_large_round_does_not_wait() {
        let mut pace = Pace::default();
        let now = Instant::now();
        pace.committed(now, now);
        assert!(!pace.wants_pause(Instant::now(), MESSAGES_ENOUGH));
        assert!(pace.wants_pause(Instant::now(), MESSAGES_ENOUGH - 1));
        assert!(!pace.wants_pause(Instant::now(), 0));
    }
}
