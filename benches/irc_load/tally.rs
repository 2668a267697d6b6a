//! Did everybody hear everything once and in order, and how long did it take?

use crate::text::Text;

/// What was heard so far, by whom; the judge of lost, repeated and swapped messages.
pub struct Tally {
    members: usize,
    senders: usize,
    /// How many each sender has sent.
    sent: Vec<u32>,
    /// The number that a receiver must hear next from a sender, at `receiver * senders + sender`.
    next: Vec<u32>,
    /// Deliveries that were right.
    pub heard: u64,
    skipped: u64,
    repeated: u64,
    garbled: u64,
    echoed: u64,
}

/// Everything that went wrong with the messages of a run.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Faults {
    /// Deliveries that never came.
    pub lost: u64,
    /// Deliveries that came again, or behind a later one of the same sender.
    pub repeated: u64,
    /// Deliveries whose text or sender was changed.
    pub garbled: u64,
    /// Messages that came back to their sender, who did not ask for that.
    pub echoed: u64,
}

impl Faults {
    /// True when nothing went wrong.
    pub fn none(&self) -> bool {
        *self == Faults::default()
    }

    /// The faults of two talks together.
    pub fn and(&self, other: &Faults) -> Faults {
        Faults {
            lost: self.lost + other.lost,
            repeated: self.repeated + other.repeated,
            garbled: self.garbled + other.garbled,
            echoed: self.echoed + other.echoed,
        }
    }
}

impl Tally {
    /// A tally for `members` of whom the first `senders` talk.
    pub fn new(members: usize, senders: usize) -> Self {
        let next = vec![0; members * senders];
        Tally {
            members,
            senders,
            sent: vec![0; senders],
            next,
            heard: 0,
            skipped: 0,
            repeated: 0,
            garbled: 0,
            echoed: 0,
        }
    }

    /// The number for the next message of this sender, which counts as sent from here on.
    pub fn send(&mut self, sender: usize) -> u32 {
        let number = self.sent[sender];
        self.sent[sender] += 1;
        number
    }

    /// Notes a delivery; true when it is the one that was to come next.
    pub fn hear(&mut self, receiver: usize, text: &Text) -> bool {
        if text.sender >= self.senders || text.number >= self.sent[text.sender] {
            self.garbled += 1;
            return false;
        }
        if text.sender == receiver {
            self.echoed += 1;
            return false;
        }
        let next = &mut self.next[receiver * self.senders + text.sender];
        if text.number < *next {
            self.repeated += 1;
            return false;
        }
        self.skipped += u64::from(text.number - *next);
        *next = text.number + 1;
        self.heard += 1;
        true
    }

    /// Notes a delivery that could not be read.
    pub fn garbled(&mut self) {
        self.garbled += 1;
    }

    /// Messages sent by everybody so far.
    pub fn messages(&self) -> u64 {
        self.sent.iter().map(|&sent| u64::from(sent)).sum()
    }

    /// Deliveries that are still to come.
    pub fn missing(&self) -> u64 {
        (self.messages() * (self.members as u64 - 1)).saturating_sub(self.heard + self.skipped)
    }

    /// The verdict, once nothing more is expected to come.
    pub fn faults(&self) -> Faults {
        Faults {
            lost: self.missing() + self.skipped,
            repeated: self.repeated,
            garbled: self.garbled,
            echoed: self.echoed,
        }
    }
}

/// Steps within one power of two: a time is known to 1.6 %.
const STEPS: u64 = 64;
/// Powers of two above `STEPS` nanoseconds: up to 64 ns × 2^36, more than an hour.
const POWERS: u64 = 36;

/// Counts of times, in steps that widen with the time; noting one allocates nothing.
pub struct Latency {
    counts: Vec<u32>,
    noted: u64,
    longest_ns: u64,
}

impl Latency {
    /// An empty one.
    pub fn new() -> Self {
        Latency { counts: vec![0; ((POWERS + 1) * STEPS) as usize], noted: 0, longest_ns: 0 }
    }

    /// Notes one time.
    pub fn note(&mut self, ns: u64) {
        self.counts[Self::place(ns)] += 1;
        self.noted += 1;
        self.longest_ns = self.longest_ns.max(ns);
    }

    /// Notes everything that the other has noted.
    pub fn add(&mut self, other: &Latency) {
        self.counts.iter_mut().zip(&other.counts).for_each(|(count, more)| *count += more);
        self.noted += other.noted;
        self.longest_ns = self.longest_ns.max(other.longest_ns);
    }

    /// Forgets everything noted.
    pub fn clear(&mut self) {
        self.counts.fill(0);
        self.noted = 0;
        self.longest_ns = 0;
    }

    /// The longest time noted, in milliseconds.
    pub fn longest_ms(&self) -> f64 {
        self.longest_ns as f64 / 1e6
    }

    /// The time that `share` (0 to 1) of all stay within, in milliseconds; 0 when nothing was noted.
    pub fn within_ms(&self, share: f64) -> f64 {
        let wanted = (self.noted as f64 * share).ceil() as u64;
        let mut seen = 0;
        for (place, &count) in self.counts.iter().enumerate() {
            seen += u64::from(count);
            if seen >= wanted && count > 0 {
                return Self::upper_ns(place as u64).min(self.longest_ns) as f64 / 1e6;
            }
        }
        0.0
    }

    fn place(ns: u64) -> usize {
        let power = u64::from((ns / STEPS + 1).ilog2()).min(POWERS - 1);
        let base = STEPS * ((1 << power) - 1);
        let step = ((ns - base) >> power).min(STEPS - 1);
        (power * STEPS + step) as usize
    }

    fn upper_ns(place: u64) -> u64 {
        let (power, step) = (place / STEPS, place % STEPS);
        STEPS * ((1 << power) - 1) + ((step + 1) << power)
    }
}
