//! How fast one connection may talk: a burst, then a steady rate. What is too fast is read later, not lost.

use crate::wire::limits::{FLOOD_BURST, FLOOD_PER_SECOND};

/// A token bucket over a clock in milliseconds.
#[derive(Clone, Copy, Debug)]
pub struct Bucket {
    /// The time at which the bucket is (or was) full again. Each line moves it one step into the future.
    full_at_ms: u64,
}

const STEP_MS: u64 = 1000 / FLOOD_PER_SECOND as u64;

impl Bucket {
    /// A full bucket.
    pub fn full(now_ms: u64) -> Bucket {
        Bucket { full_at_ms: now_ms }
    }

    /// Takes a line's token. `Err` holds the milliseconds to wait until there is one; nothing is taken then.
    pub fn take(&mut self, now_ms: u64) -> Result<(), u64> {
        let full_at_ms = self.full_at_ms.max(now_ms) + STEP_MS;
        let allowed_ms = now_ms + u64::from(FLOOD_BURST) * STEP_MS;
        if full_at_ms > allowed_ms {
            return Err(full_at_ms - allowed_ms);
        }
        self.full_at_ms = full_at_ms;
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_burst_passes_and_then_a_steady_rate() {
        let mut bucket = Bucket::full(1000);
        for _ in 0..FLOOD_BURST {
            assert_eq!(bucket.take(1000), Ok(()));
        }
        assert_eq!(bucket.take(1000), Err(STEP_MS));
        assert_eq!(bucket.take(1000 + STEP_MS - 1), Err(1));
        assert_eq!(bucket.take(1000 + STEP_MS), Ok(()));
        assert_eq!(bucket.take(1000 + STEP_MS), Err(STEP_MS));
    }

    #[test]
    fn a_pause_fills_the_bucket_but_not_beyond_the_burst() {
        let mut bucket = Bucket::full(0);
        let later = 3_600_000;
        let passed = (0..100).filter(|_| bucket.take(later).is_ok()).count();
        assert_eq!(passed, FLOOD_BURST as usize);
    }
}
