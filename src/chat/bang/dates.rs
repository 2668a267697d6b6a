//! Days and times as people read and type them.

use time::{Date, Month, OffsetDateTime, Time, UtcOffset};

use crate::wire::timestamp::from_ms;

use super::parse::number;

/// A time on the clock of the people here.
pub fn local(at_ms: u64, offset_secs: i32) -> OffsetDateTime {
    let utc = from_ms(at_ms);
    UtcOffset::from_whole_seconds(offset_secs).ok().and_then(|offset| utc.checked_to_offset(offset)).unwrap_or(utc)
}

/// A time as people read it: `21:19` today, else `11-20 21:19`, with the year when it is another one.
pub fn clock(at_ms: u64, now_ms: u64, offset_secs: i32) -> String {
    let (at, now) = (local(at_ms, offset_secs), local(now_ms, offset_secs));
    let time = format!("{:02}:{:02}", at.hour(), at.minute());
    let day = format!("{:02}-{:02}", u8::from(at.month()), at.day());
    match (at.year() == now.year(), at.date() == now.date()) {
        (_, true) => time,
        (true, false) => format!("{day} {time}"),
        (false, false) => format!("{}-{day} {time}", at.year()),
    }
}

/// A day as people type it: `2026-11-01`, `11-01` (the last one), `2026年11月1日`, `昨天`, `yesterday`, `今天`, `today`.
pub fn day(text: &str, today: Date) -> Option<Date> {
    match text.to_ascii_lowercase().as_str() {
        "today" | "今天" => return Some(today),
        "yesterday" | "昨天" => return today.previous_day(),
        _ => {}
    }
    let text = text.trim_end_matches(['日', '号']);
    let numbers: Vec<usize> = text.split(['-', '/', '.', '年', '月']).map(number).collect::<Option<_>>()?;
    let date = |year: i32, month: usize, day: usize| {
        let month = Month::try_from(u8::try_from(month).ok()?).ok()?;
        Date::from_calendar_date(year, month, u8::try_from(day).ok()?).ok()
    };
    match numbers[..] {
        [year, month, day] => date(i32::try_from(year).ok()?, month, day).filter(|date| date.year() >= 1970),
        [month, day] => {
            let this_year = date(today.year(), month, day).filter(|date| *date <= today);
            this_year.or_else(|| date(today.year() - 1, month, day))
        }
        _ => None,
    }
}

/// When a local day begins (milliseconds since 1970, UTC).
pub fn start_ms(day: Date, offset_secs: i32) -> u64 {
    let midnight_secs = day.with_time(Time::MIDNIGHT).assume_utc().unix_timestamp() - i64::from(offset_secs);
    u64::try_from(midnight_secs).map_or(0, |secs| secs * 1000)
}

#[cfg(test)]
mod tests {
    use super::super::super::testing::START_MS;
    use super::*;

    const DAY_MS: u64 = 24 * 3600 * 1000;
    const SHANGHAI_SECS: i32 = 8 * 3600;

    #[test]
    fn times_are_as_short_as_can_be() {
        let at = |ms| clock(ms, START_MS, SHANGHAI_SECS);
        assert_eq!(at(START_MS), "21:19");
        assert_eq!(at(START_MS - 21 * 3600 * 1000), "00:19");
        assert_eq!(at(START_MS - 22 * 3600 * 1000), "11-19 23:19");
        assert_eq!(at(START_MS - 365 * DAY_MS), "2025-11-20 21:19");
        assert_eq!(clock(START_MS, START_MS, 0), "13:19");
        assert_eq!(clock(u64::MAX, START_MS, SHANGHAI_SECS), "9999-12-31 23:59", "an absurd time shows, too");
    }

    #[test]
    fn days_are_read_as_people_type_them() {
        let date = |year, month, day| Date::from_calendar_date(year, Month::try_from(month).unwrap(), day).ok();
        let today = date(2026, 11, 20).unwrap();
        let cases = [
            ("11-20", date(2026, 11, 20)),
            ("11-21", date(2025, 11, 21)),
            ("2/28", date(2026, 2, 28)),
            ("2-29", None),
            ("2024-02-29", date(2024, 2, 29)),
            ("Today", Some(today)),
            ("昨天", date(2026, 11, 19)),
            ("2026.1.2", date(2026, 1, 2)),
            ("1969-12-31", None),
            ("99999999999-1-1", None),
            ("13-1", None),
            ("", None),
            ("11", None),
            ("1-2-3-4", None),
        ];
        for (text, wanted) in cases {
            assert_eq!(day(text, today), wanted, "{text}");
        }
        let friday = start_ms(today, SHANGHAI_SECS);
        assert_eq!(clock(friday, START_MS, SHANGHAI_SECS), "00:00");
        assert_eq!(start_ms(date(1970, 1, 1).unwrap(), SHANGHAI_SECS), 0, "nothing is before 1970");
    }
}
