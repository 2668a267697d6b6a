//! When to ask whether the server is there, when to give the link up, and how long to pause before the next try.

/// Milliseconds of silence after which the client asks with PING.
pub const PING_AFTER_MS: u64 = 120_000;

/// Milliseconds without any line after which the link counts as broken: ten minutes, as long as people know it from earlier chat rooms.
pub const BROKEN_AFTER_MS: u64 = 600_000;

/// The first pause before dialing again: a server that is being restarted is back in no time.
pub const FIRST_PAUSE_MS: u64 = 500;

/// The longest pause: nobody wants to wait longer once the Wi-Fi is back, and a hundred clients make three calls a second.
pub const LONGEST_PAUSE_MS: u64 = 30_000;

/// A link that held so long was a good one; the next pause is the first again. A server that throws the client out at once gets growing pauses.
const GOOD_AFTER_MS: u64 = 10_000;

/// The silence on one link.
#[derive(Clone, Copy, Debug)]
pub struct Pulse {
    heard_ms: u64,
    asked_ms: u64,
    broken_after_ms: u64,
}

/// What the silence asks for.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Beat {
    /// Nothing yet.
    Fine,
    /// A PING.
    Ask,
    /// A new link.
    Broken,
}

impl Pulse {
    /// A link that is open since `now_ms`, and counts as broken after so much silence.
    pub fn new(now_ms: u64, broken_after_ms: u64) -> Pulse {
        Pulse { heard_ms: now_ms, asked_ms: now_ms, broken_after_ms }
    }

    /// A line came.
    pub fn heard(&mut self, now_ms: u64) {
        *self = Pulse::new(now_ms, self.broken_after_ms);
    }

    /// When [`Pulse::tick`] has something to say.
    pub fn deadline_ms(&self) -> u64 {
        (self.asked_ms + self.ask_after_ms()).min(self.heard_ms + self.broken_after_ms)
    }

    /// A silent but healthy server gets the time to answer before it is given up.
    fn ask_after_ms(&self) -> u64 {
        PING_AFTER_MS.min(self.broken_after_ms / 2)
    }

    /// Looks at the clock.
    pub fn tick(&mut self, now_ms: u64) -> Beat {
        if now_ms >= self.heard_ms + self.broken_after_ms {
            return Beat::Broken;
        }
        if now_ms >= self.asked_ms + self.ask_after_ms() {
            self.asked_ms = now_ms;
            return Beat::Ask;
        }
        Beat::Fine
    }
}

/// The pauses between attempts to come back.
#[derive(Clone, Copy, Debug)]
pub struct Pauses {
    next_ms: u64,
}

impl Default for Pauses {
    fn default() -> Pauses {
        Pauses { next_ms: FIRST_PAUSE_MS }
    }
}

impl Pauses {
    /// A link broke that had held for `held_ms`.
    pub fn broke_after(&mut self, held_ms: u64) {
        if held_ms >= GOOD_AFTER_MS {
            *self = Pauses::default();
        }
    }

    /// How long to wait. `chance` is any number; it spreads the clients of a server that came back over time.
    pub fn next_ms(&mut self, chance: u64) -> u64 {
        let pause_ms = self.next_ms;
        self.next_ms = (pause_ms * 2).min(LONGEST_PAUSE_MS);
        pause_ms / 2 + chance % (pause_ms / 2 + 1)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn silence_is_asked_about_and_then_ends_the_link() {
        let mut pulse = Pulse::new(1_000, BROKEN_AFTER_MS);
        let mut asked = 0;
        loop {
            let now_ms = pulse.deadline_ms();
            match pulse.tick(now_ms) {
                Beat::Ask => asked += 1,
                Beat::Broken => {
                    assert_eq!((asked, now_ms), (4, 1_000 + BROKEN_AFTER_MS));
                    break;
                }
                Beat::Fine => panic!("woken for nothing at {now_ms}"),
            }
        }
        pulse.heard(900_000);
        assert_eq!(pulse.tick(900_000 + PING_AFTER_MS - 1), Beat::Fine);
    }

    #[test]
    fn an_impatient_user_still_asks_before_giving_up() {
        let mut pulse = Pulse::new(0, 5_000);
        assert_eq!(pulse.deadline_ms(), 2_500);
        assert_eq!(pulse.tick(2_500), Beat::Ask);
        assert_eq!(pulse.tick(4_999), Beat::Fine);
        assert_eq!(pulse.tick(5_000), Beat::Broken);
    }

    #[test]
    fn pauses_grow_to_a_limit_and_start_again_after_a_good_link() {
        let mut pauses = Pauses::default();
        let longest: Vec<u64> = (0..9).map(|_| pauses.next_ms(0) * 2).collect();
        assert_eq!(longest, [500, 1000, 2000, 4000, 8000, 16_000, 30_000, 30_000, 30_000]);
        pauses.broke_after(GOOD_AFTER_MS - 1);
        assert!(pauses.next_ms(7) >= LONGEST_PAUSE_MS / 2);
        pauses.broke_after(GOOD_AFTER_MS);
        for chance in [0, 1, 250, 251, u64::MAX] {
            assert!((250..=500).contains(&Pauses::default().next_ms(chance)));
        }
        assert!(pauses.next_ms(3) <= FIRST_PAUSE_MS);
    }
}
