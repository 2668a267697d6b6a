//! Times as text: RFC 3339 in UTC with milliseconds, as IRCv3 server-time writes them.

use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;

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
    fn absurd_times_neither_panic_nor_parse() {
        let mut text = String::new();
        write_utc(u64::MAX, &mut text);
        assert!(text.starts_with("9999-12-31T23:59:59."));
        for rubbish in ["", "yesterday", "2026-13-01T00:00:00Z", "1960-01-01T00:00:00Z"] {
            assert_eq!(parse(rubbish), None, "{rubbish}");
        }
    }
}
