//! How fast something goes, lately.

use std::collections::VecDeque;

/// Milliseconds that "lately" means: long enough to be steady, short enough to show a change.
const WINDOW_MS: u64 = 3_000;

/// Milliseconds that have to be seen before a speed is told.
const LEAST_MS: u64 = 200;

/// What was seen lately: when, and how many bytes were done.
#[derive(Default, Debug)]
pub(super) struct Meter {
    seen: VecDeque<(u64, u64)>,
}

impl Meter {
    /// Bytes per second, when `done` bytes are done.
    pub(super) fn per_second(&mut self, now_ms: u64, done: u64) -> u64 {
        self.seen.push_back((now_ms, done));
        while self.seen.len() > 2 && self.seen.front().is_some_and(|(at, _)| at + WINDOW_MS < now_ms) {
            self.seen.pop_front();
        }
        let Some((since_ms, before)) = self.seen.front() else { return 0 };
        let took_ms = now_ms.saturating_sub(*since_ms);
        if took_ms < LEAST_MS { 0 } else { done.saturating_sub(*before).saturating_mul(1000) / took_ms }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_speed_is_that_of_the_last_seconds() {
        let mut meter = Meter::default();
        assert_eq!(meter.per_second(0, 500), 0);
        assert_eq!(meter.per_second(100, 600), 0, "too early to tell");
        assert_eq!(meter.per_second(1_000, 2_500), 2_000);
        for at_ms in (1_250..=10_000).step_by(250) {
            meter.per_second(at_ms, 2_500);
        }
        assert_eq!(meter.per_second(10_250, 2_500), 0, "it stands still");
    }
}
