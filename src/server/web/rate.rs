//! How fast may bytes go? A bucket that fills with time.

use std::time::{Duration, Instant};

/// How much of a second's bytes may go at once: little enough that the flow looks even.
const BURST: Duration = Duration::from_millis(100);
/// A piece smaller than this is not worth a system call; it is waited for.
const LEAST_BYTES: u64 = 4096;
const NANOS: u128 = 1_000_000_000;

/// Bytes per second, at most.
#[derive(Clone, Debug)]
pub struct Rate {
    per_second: u64,
    /// Bytes that may go; below zero, more went than might.
    level: i128,
    at: Instant,
}

impl Rate {
    /// A full bucket.
    pub fn new(per_second: u64, now: Instant) -> Rate {
        let mut rate = Rate { per_second: per_second.max(1), level: 0, at: now };
        rate.level = rate.full();
        rate
    }

    /// How many of `wanted` bytes may go at this moment, or how long to wait.
    pub fn allowed(&mut self, wanted: usize, now: Instant) -> Result<usize, Duration> {
        let passed = now.saturating_duration_since(self.at);
        let gained = u128::from(self.per_second).saturating_mul(passed.as_nanos()) / NANOS;
        if gained > 0 {
            self.level = self.level.saturating_add_unsigned(gained).min(self.full());
            self.at = now;
        }
        let least = (wanted as u64).min(LEAST_BYTES).into();
        if self.level < least {
            let missing = (least - self.level).unsigned_abs().saturating_mul(NANOS) / u128::from(self.per_second);
            return Err(Duration::from_nanos(u64::try_from(missing).unwrap_or(u64::MAX).saturating_add(1)));
        }
        Ok(wanted.min(usize::try_from(self.level).unwrap_or(usize::MAX)))
    }

    /// So many went. They may be more than were allowed: then the next wait is longer.
    pub fn spend(&mut self, bytes: usize) {
        self.level = self.level.saturating_sub_unsigned(bytes as u128);
    }

    fn full(&self) -> i128 {
        let burst = i128::from(self.per_second) * BURST.as_millis() as i128 / 1000;
        burst.max(LEAST_BYTES.into())
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn a_burst_goes_at_once_and_the_rest_as_time_passes() {
        let start = Instant::now();
        let mut rate = Rate::new(1_000_000, start);
        assert_eq!(rate.allowed(1 << 20, start), Ok(100_000));
        rate.spend(100_000);
        let wait = rate.allowed(1 << 20, start).unwrap_err();
        assert!(wait > Duration::from_millis(4) && wait < Duration::from_millis(5), "{wait:?}");
        assert_eq!(rate.allowed(1 << 20, start + Duration::from_millis(50)), Ok(50_000));
        assert_eq!(rate.allowed(100, start + Duration::from_millis(50)), Ok(100));
        assert_eq!(
            rate.allowed(1 << 20, start + Duration::from_secs(9)),
            Ok(100_000),
            "time spent idle is not saved up"
        );
    }

    proptest! {
        #[test]
        fn waiting_as_long_as_told_is_enough(per_second in 1_u64..u64::MAX, wanted in 1_usize..usize::MAX) {
            let start = Instant::now();
            let mut rate = Rate::new(per_second, start);
            let first = rate.allowed(wanted, start).unwrap();
            rate.spend(first);
            if let Err(wait) = rate.allowed(wanted, start)
                && let Some(then) = start.checked_add(wait)
            {
                prop_assert!(rate.allowed(wanted, then).is_ok_and(|count| count > 0));
            }
        }
    }
}
