//! Times as text: RFC 3339 in UTC with milliseconds, as IRCv3 server-time writes them.

use time::format_description::well_known::Rfc3339;
use time::{OffsetDateTime, UtcOffset};

/// Appends `2026-11-20T13:19:21.123Z` for milliseconds since 1970 (UTC).
pub fn write_utc(at_ms: u64, out: &mut String) {
    let at = from_ms(at_ms);
    let (year, month, day) = (at.year(), u8::from(at.month()), at.day());
    for (number, digits, after) in [
        (year.unsigned_abs(), 4, '-'),
        (month.into(), 2, '-'),
        (day.into(), 2, 'T'),
        (at.hour().into(), 2, ':'),
        (at.minute().into(), 2, ':'),
        (at.second().into(), 2, '.'),
        (at.millisecond().into(), 3, 'Z'),
    ] {
        push_digits(number, digits, out);
        out.push(after);
    }
}

/// `2026-11-20T21:19:21+08:00` for milliseconds since 1970 (UTC), on a clock that is `offset_secs` ahead of UTC. For people to read.
pub fn local(at_ms: u64, offset_secs: i32) -> String {
    // RFC 3339 has whole minutes, so the seconds that some places had before 1900 are dropped.
    let offset = UtcOffset::from_whole_seconds(offset_secs / 60 * 60).unwrap_or(UtcOffset::UTC);
    let at = from_ms(at_ms / 1000 * 1000);
    let at = at.checked_to_offset(offset).unwrap_or(at);
    at.format(&Rfc3339).expect("a time of four-digit years and whole minutes of offset can be written")
}

/// Milliseconds since 1970 (UTC) of an RFC 3339 time; `None` for anything else or before 1970.
pub fn parse(text: &str) -> Option<u64> {
    let at = OffsetDateTime::parse(text, &Rfc3339).ok()?;
    u64::try_from(at.unix_timestamp_nanos() / 1_000_000).ok()
}

/// The calendar's view of milliseconds since 1970 (UTC); times beyond the calendar show as its last second.
pub fn from_ms(at_ms: u64) -> OffsetDateTime {
    const LAST_SECOND: i64 = 253_402_300_799; // 9999-12-31T23:59:59Z
    let seconds = i64::try_from(at_ms / 1000).map_or(LAST_SECOND, |s| s.min(LAST_SECOND));
    let at = OffsetDateTime::from_unix_timestamp(seconds).unwrap_or(OffsetDateTime::UNIX_EPOCH);
    at.replace_millisecond((at_ms % 1000) as u16).unwrap_or(at)
}

fn push_digits(number: u32, digits: u32, out: &mut String) {
    for place in (0..digits).rev() {
        let digit = number / 10u32.pow(place) % 10;
        out.push(char::from(b'0' + digit as u8));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_written_as_server_time_wants_them_and_read_back() {
        let mut text = String::new();
        write_utc(1_795_180_761_007, &mut text);
        assert_eq!(text, "2026-11-20T13:19:21.007Z");
        assert_eq!(parse(&text), Some(1_795_180_761_007));
        assert_eq!(parse("2026-11-20T21:19:21.007+08:00"), Some(1_795_180_761_007));
    }

    #[test]
    fn local_time_says_how_far_it_is_ahead() {
        assert_eq!(local(1_795_180_761_007, 8 * 3600), "2026-11-20T21:19:21+08:00");
        assert_eq!(local(1_795_180_761_007, -(3 * 3600 + 1800 + 52)), "2026-11-20T09:49:21-03:30");
        assert_eq!(local(0, 0), "1970-01-01T00:00:00Z");
        assert_eq!(local(u64::MAX, i32::MAX), "9999-12-31T23:59:59Z");
        assert_eq!(local(u64::MAX, 8 * 3600), "9999-12-31T23:59:59Z", "a year of five digits is not written");
    }

    #[test]
    fn absurd_times_neither_panic_nor_parse() {
        let mut text = String::new();
        write_utc(u64::MAX, &mut text);
        assert!(text.starts_with("9999-12-31T23:59:59."));
        for rubbish in ["", "yesterday", "2026-13-01T00:00:00Z", "1960-01-01T00:00:00Z"] {
            assert_eq!(parse(rubbish), None, "{rubbish}");
        }
    }
}
