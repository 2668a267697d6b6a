//! Dates as HTTP writes them (RFC 9110 section 5.6.7): `Fri, 20 Nov 2026 13:19:21 GMT`.

use time::{Date, Month, OffsetDateTime, PrimitiveDateTime, Time};

use crate::wire::timestamp;

const DAYS: [&str; 7] = ["Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun"];
const MONTHS: [&str; 12] = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];

/// The date of milliseconds since 1970 (UTC).
pub fn write(at_ms: u64) -> String {
    let at = timestamp::from_ms(at_ms);
    let day = DAYS[usize::from(at.weekday().number_days_from_monday())];
    let month = MONTHS[usize::from(u8::from(at.month()) - 1)];
    let (hour, minute, second) = at.to_hms();
    format!("{day}, {:02} {month} {:04} {hour:02}:{minute:02}:{second:02} GMT", at.day(), at.year())
}

/// The seconds since 1970 of a date in the form that everybody writes. The two obsolete ones are not read: a condition that is not understood is ignored.
pub fn read(text: &str) -> Option<i64> {
    let mut words = text.trim().split_once(", ")?.1.split(' ');
    let mut next = || words.next();
    let (day, month, year, clock) = (next()?, next()?, next()?, next()?);
    if (next(), next()) != (Some("GMT"), None) {
        return None;
    }
    let month = MONTHS.iter().position(|name| *name == month)? + 1;
    let month = Month::try_from(month as u8).ok()?;
    let date = Date::from_calendar_date(digits(year, 4)?.into(), month, digits(day, 2)? as u8).ok()?;
    let mut parts = clock.split(':').map(|part| digits(part, 2));
    let mut part = || parts.next()?;
    let (hour, minute, second) = (part()?, part()?, part()?);
    let time = Time::from_hms(hour as u8, minute as u8, second as u8).ok()?;
    let at: OffsetDateTime = PrimitiveDateTime::new(date, time).assume_utc();
    Some(at.unix_timestamp())
}

fn digits(text: &str, count: usize) -> Option<u16> {
    if text.len() != count || !text.bytes().all(|byte| byte.is_ascii_digit()) {
        return None;
    }
    text.parse().ok()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn a_date_is_written_as_the_standard_shows_it() {
        assert_eq!(write(784_111_777_000), "Sun, 06 Nov 1994 08:49:37 GMT");
        assert_eq!(write(1_795_180_761_007), "Fri, 20 Nov 2026 13:19:21 GMT");
        assert_eq!(read("Sun, 06 Nov 1994 08:49:37 GMT"), Some(784_111_777));
    }

    #[test]
    fn what_is_no_date_is_none() {
        for wrong in [
            "",
            "yesterday",
            "Sunday, 06-Nov-94 08:49:37 GMT",
            "Sun Nov  6 08:49:37 1994",
            "Sun, 06 Nov 1994 08:49:37 CET",
            "Sun, 32 Nov 1994 08:49:37 GMT",
            "Sun, 06 Nov 1994 25:49:37 GMT",
            "Sun, 06 Nov 1994 08:49 GMT",
            "Sun, +6 Nov 1994 08:49:37 GMT",
        ] {
            assert_eq!(read(wrong), None, "{wrong}");
        }
    }

    proptest! {
        #[test]
        fn every_second_survives(secs in 0_u64..253_402_300_799) {
            prop_assert_eq!(read(&write(secs * 1000)), i64::try_from(secs).ok());
        }

        #[test]
        fn nothing_makes_it_panic(text in ".*", at_ms: u64) {
            let _ = (read(&text), write(at_ms));
        }
    }
}
