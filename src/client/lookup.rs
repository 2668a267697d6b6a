//! What somebody types to search for, as the attributes of SEARCH (soju.im/search).

use time::{Date, Month, Time, UtcOffset};

/// Hits that are asked for: a few screens.
pub const HITS: usize = 50;

/// What narrows a search down, by each of its names.
const KEYS: [(&str, &str); 8] = [
    ("from", "from"),
    ("来自", "from"),
    ("in", "in"),
    ("在", "in"),
    ("since", "after"),
    ("从", "after"),
    ("before", "before"),
    ("早于", "before"),
];

/// The attributes for typed words. `today` and `offset` are where the user is; `lobby` is what 大厅 means.
pub fn attributes(words: &str, today: Date, offset: UtcOffset, lobby: Option<&str>) -> String {
    let mut text = Vec::new();
    let mut all = Vec::new();
    for word in words.split_whitespace() {
        match narrowing(word) {
            Some(("in", "大厅")) => all.extend(lobby.map(|lobby| ("in", lobby.to_owned()))),
            Some((key @ ("from" | "in"), value)) => all.push((key, value.to_owned())),
            Some((key, value)) => match day(value, today) {
                Some(day) => all.push((key, begins(day, offset))),
                None => text.push(word),
            },
            None => text.push(word),
        }
    }
    if !text.is_empty() {
        all.insert(0, ("text", text.join(" ")));
    }
    all.push(("limit", HITS.to_string()));
    all.iter().map(|(key, value)| format!("{key}={}", escaped(value))).collect::<Vec<_>>().join(";")
}

/// `from:anna`, `来自：小阳`.
fn narrowing(word: &str) -> Option<(&'static str, &str)> {
    let (typed, value) = word.split_once([':', '：'])?;
    let (_, key) = KEYS.iter().find(|(name, _)| name.eq_ignore_ascii_case(typed))?;
    (!value.is_empty() && !value.starts_with('/')).then_some((*key, value))
}

/// `2026-11-01`, `11-01` (the last one), `昨天`, `yesterday`, `今天`, `today`.
fn day(text: &str, today: Date) -> Option<Date> {
    match &*text.to_ascii_lowercase() {
        "today" | "今天" => return Some(today),
        "yesterday" | "昨天" => return today.previous_day(),
        _ => {}
    }
    let numbers: Vec<u16> = text.split(['-', '/', '.']).map(|n| n.parse().ok()).collect::<Option<_>>()?;
    let date = |year: i32, month: u16, day: u16| {
        let month = Month::try_from(u8::try_from(month).ok()?).ok()?;
        Date::from_calendar_date(year, month, u8::try_from(day).ok()?).ok()
    };
    match numbers[..] {
        [year, month, day] => date(year.into(), month, day),
        [month, day] => {
            let this_year = date(today.year(), month, day).filter(|date| *date <= today);
            this_year.or_else(|| date(today.year() - 1, month, day))
        }
        _ => None,
    }
}

/// When a day begins where the user is, in UTC.
fn begins(day: Date, offset: UtcOffset) -> String {
    let at = day.with_time(Time::MIDNIGHT).assume_offset(offset);
    let mut text = String::new();
    crate::wire::timestamp::write_utc(u64::try_from(at.unix_timestamp()).unwrap_or(0) * 1000, &mut text);
    text
}

/// As the values of tags are escaped.
fn escaped(value: &str) -> String {
    value.replace('\\', "\\\\").replace(';', "\\:").replace(' ', "\\s")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(words: &str) -> String {
        let today = Date::from_calendar_date(2026, Month::November, 20).unwrap();
        let found = attributes(words, today, UtcOffset::from_hms(8, 0, 0).unwrap(), Some("#lobby"));
        found.strip_suffix(";limit=50").unwrap_or("").to_owned()
    }

    #[test]
    fn words_people_places_and_days_are_told_apart() {
        assert_eq!(of("上海 晚饭"), "text=上海\\s晚饭");
        assert_eq!(of("a;b\\c"), "text=a\\:b\\\\c");
        assert_eq!(of("晚饭 from:anna IN:#茶"), "text=晚饭;from=anna;in=#茶");
        assert_eq!(of("来自：小阳 在:大厅"), "from=小阳;in=#lobby");
        assert_eq!(of("茶 since:昨天"), "text=茶;after=2026-11-18T16:00:00.000Z");
        assert_eq!(of("before:11-21"), "before=2025-11-20T16:00:00.000Z");
        assert_eq!(of("早于:2026-11-01"), "before=2026-10-31T16:00:00.000Z");
        for plain in ["http://x", "12:30", "since:someday", "from:"] {
            assert_eq!(of(plain), format!("text={plain}"));
        }
    }
}
