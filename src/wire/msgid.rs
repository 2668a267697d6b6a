//! Message ids: they carry the time, sort by it, and are unique for ever.

use std::fmt;

/// How many bits of an id count the messages within one millisecond.
const COUNTER_BITS: u32 = 20;

/// The id of a message: milliseconds since 1970 (UTC) in the upper 44 bits, a counter in the lower 20.
///
/// The server's message times are read back from ids, so a clock that jumps backwards can never make the two disagree.
/// Always below 2⁶³, so that SQLite can keep it as an integer.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Default)]
pub struct MsgId(pub u64);

impl MsgId {
    /// The smallest id of the millisecond `at_ms` (since 1970, UTC).
    pub fn first_at(at_ms: u64) -> MsgId {
        MsgId(at_ms.min((1 << 43) - 1) << COUNTER_BITS)
    }

    /// The id that follows `self` for a message that is said at `now_ms`.
    pub fn next(self, now_ms: u64) -> MsgId {
        MsgId::first_at(now_ms).max(MsgId(self.0 + 1))
    }

    /// Milliseconds since 1970 (UTC).
    pub fn time_ms(self) -> u64 {
        self.0 >> COUNTER_BITS
    }

    /// Reads what `Display` writes; `None` for anything else.
    pub fn parse(text: &str) -> Option<MsgId> {
        let hex = text.len() == 16 && text.bytes().all(|b| b.is_ascii_digit() || (b'a'..=b'f').contains(&b));
        hex.then(|| u64::from_str_radix(text, 16).ok()).flatten().filter(|id| *id < 1 << 63).map(MsgId)
    }
}

/// Sixteen lower-case hex digits, so that ids sort as text as they do as numbers.
impl fmt::Display for MsgId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:016x}", self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_grow_even_when_the_clock_jumps_back() {
        let noon = MsgId::default().next(1_000);
        let earlier_clock = noon.next(10);
        assert!(earlier_clock > noon);
        assert_eq!(earlier_clock.time_ms(), 1_000);
        assert_eq!(earlier_clock.next(1_001), MsgId::first_at(1_001));
    }

    #[test]
    fn text_reads_back_and_rubbish_does_not() {
        let id = MsgId::first_at(1_795_180_000_000);
        assert_eq!(MsgId::parse(&id.to_string()), Some(id));
        for rubbish in ["", "12", "000000000000000G", "ffffffffffffffff", "00000000000000001", "+000000000000001"] {
            assert_eq!(MsgId::parse(rubbish), None, "{rubbish}");
        }
    }
}
