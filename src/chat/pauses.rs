//! Wrong passwords: the more there are, the longer the next one is not looked at. By account and by address, kept over restarts.

use std::collections::HashMap;

/// So many wrong passwords are free: a caps lock, an old password, the other old password.
pub const FREE_TRIES: u32 = 5;

/// So many accounts may be made from one address before it has to wait: a class behind one router.
pub const FREE_ACCOUNTS: u32 = 50;

/// The first pause; each further wrong password doubles it.
const FIRST_PAUSE_MS: u64 = 2_000;

/// The longest pause: an hour makes guessing hopeless and is over by the time somebody has asked the host.
const LONGEST_PAUSE_MS: u64 = 3_600_000;

/// After so much quiet everything is forgotten.
const FORGOTTEN_AFTER_MS: u64 = 24 * 3_600_000;

/// Accounts and addresses that are remembered; beyond it those go first whose pause is over first. 100 bytes each.
const REMEMBERED: usize = 4096;

/// How many were wrong, and until when the next is not looked at (milliseconds since 1970).
type Wrong = (u32, u64);

/// All pauses.
#[derive(Default, Debug)]
pub struct Pauses(HashMap<Box<str>, Wrong>);

impl Pauses {
    /// Takes in what was kept.
    pub fn new(kept: Vec<(Box<str>, u32, u64)>) -> Pauses {
        Pauses(kept.into_iter().map(|(key, count, until_ms)| (key, (count, until_ms))).collect())
    }

    /// Seconds until a password for this key is looked at again; `None` when it is at once.
    pub fn left_secs(&self, key: &str, now_ms: u64) -> Option<u64> {
        let (_, until_ms) = self.0.get(key)?;
        until_ms.checked_sub(now_ms).filter(|left| *left > 0).map(|left| left.div_ceil(1000))
    }

    /// Notes a wrong password, or something else of which `free` are free; gives what is to be kept.
    pub fn note(&mut self, key: &str, free: u32, now_ms: u64) -> Wrong {
        let before = self.0.get(key).copied().filter(|(_, until_ms)| until_ms + FORGOTTEN_AFTER_MS > now_ms);
        let count = before.map_or(0, |(count, _)| count).saturating_add(1);
        let doublings = count.saturating_sub(free + 1).min(32);
        let pause_ms = if count > free { (FIRST_PAUSE_MS << doublings).min(LONGEST_PAUSE_MS) } else { 0 };
        self.make_room();
        self.0.insert(key.into(), (count, now_ms + pause_ms));
        (count, now_ms + pause_ms)
    }

    /// Forgets what was wrong; true when there was anything.
    pub fn forget(&mut self, key: &str) -> bool {
        self.0.remove(key).is_some()
    }

    fn make_room(&mut self) {
        if self.0.len() >= REMEMBERED
            && let Some(first) = self.0.iter().min_by_key(|(_, (_, until_ms))| *until_ms).map(|(key, _)| key.clone())
        {
            self.0.remove(&first);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn five_tries_are_free_and_then_the_pause_doubles_up_to_an_hour() {
        let mut pauses = Pauses::default();
        for _ in 0..FREE_TRIES {
            pauses.note("a1000", FREE_TRIES, 1_000);
            assert_eq!(pauses.left_secs("a1000", 1_000), None);
        }
        for secs in [2, 4, 8, 16, 32, 64, 128, 256, 512, 1024, 2048, 3600, 3600] {
            pauses.note("a1000", FREE_TRIES, 1_000);
            assert_eq!(pauses.left_secs("a1000", 1_000), Some(secs));
        }
        assert_eq!(pauses.left_secs("a1000", 1_000 + 3_600_000), None);
        assert_eq!(pauses.left_secs("a1001", 1_000), None, "others may go on");
    }

    #[test]
    fn a_right_password_or_a_day_of_quiet_forgets_everything() {
        let mut pauses = Pauses::new(vec![("a1000".into(), 9, 50_000)]);
        assert_eq!(pauses.left_secs("a1000", 20_500), Some(30), "it was kept over a restart");
        assert!(pauses.forget("a1000") && !pauses.forget("a1000"));
        pauses.note("b", FREE_TRIES, 0);
        assert_eq!(pauses.note("b", FREE_TRIES, FORGOTTEN_AFTER_MS).0, 1);
    }

    #[test]
    fn a_stranger_with_many_addresses_fills_no_memory() {
        let mut pauses = Pauses::default();
        (0..2 * REMEMBERED as u64).for_each(|at| {
            pauses.note(&at.to_string(), FREE_TRIES, at);
        });
        assert_eq!(pauses.0.len(), REMEMBERED);
        assert!(pauses.0.contains_key(&*(2 * REMEMBERED - 1).to_string()));
    }
}
