//! How much and how long, as people write it: `12.3 MB`, `3.2 秒`.

use super::Language::{self, En, Zh};

/// What a unit is to the next one. Speeds, disks and cards are sold by this, and `ls -h --si` counts so.
const STEP: f64 = 1_000.0;

/// Units of bytes.
const UNITS: &[&str] = &["B", "kB", "MB", "GB", "TB", "PB", "EB"];

/// Bytes.
pub fn size(bytes: u64) -> String {
    if bytes < 1_000 {
        return format!("{bytes} B");
    }
    let mut amount = bytes as f64;
    let mut unit = 0;
    // What would be written as 1000.0 is 1.0 of the next.
    while amount >= STEP - 0.05 && unit + 1 < UNITS.len() {
        amount /= STEP;
        unit += 1;
    }
    format!("{amount:.1} {}", UNITS[unit])
}

/// Bytes per second.
pub fn speed(per_second: u64) -> String {
    size(per_second) + "/s"
}

/// How long something took.
pub fn took(language: Language, ms: u64) -> String {
    if ms >= 60_000 {
        return span(language, ms / 1_000);
    }
    let (secs, tenths) = (ms / 1_000, ms % 1_000 / 100);
    match language {
        Zh => format!("{secs}.{tenths} 秒"),
        En => format!("{secs}.{tenths} s"),
    }
}

/// Some seconds.
pub fn span(language: Language, secs: u64) -> String {
    let (hours, minutes, rest) = (secs / 3_600, secs / 60 % 60, secs % 60);
    match language {
        Zh if secs < 60 => format!("{secs} 秒"),
        En if secs < 60 => format!("{secs} s"),
        Zh if hours == 0 => format!("{minutes} 分 {rest} 秒"),
        En if hours == 0 => format!("{minutes} min {rest} s"),
        Zh => format!("{hours} 小时 {minutes} 分"),
        En => format!("{hours} h {minutes} min"),
    }
}

/// So many files.
pub fn files(language: Language, count: usize) -> String {
    match (language, count) {
        (Zh, _) => format!("{count} 个文件"),
        (En, 1) => "1 file".to_owned(),
        (En, _) => format!("{count} files"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_are_short_and_never_a_thousand_of_anything_but_bytes() {
        let cases = [
            (0, "0 B"),
            (999, "999 B"),
            (1_000, "1.0 kB"),
            (12_345_678, "12.3 MB"),
            (999_949, "999.9 kB"),
            (999_950, "1.0 MB"),
            (5 << 30, "5.4 GB"),
            (u64::MAX, "18.4 EB"),
        ];
        for (bytes, text) in cases {
            assert_eq!(size(bytes), text);
        }
        assert_eq!(speed(11_300_000), "11.3 MB/s");
    }

    #[test]
    fn times_are_as_exact_as_one_wants_to_know() {
        assert_eq!((took(Zh, 3_280), took(En, 59_999)), ("3.2 秒".into(), "59.9 s".into()));
        assert_eq!((took(En, 125_000), span(Zh, 125)), ("2 min 5 s".into(), "2 分 5 秒".into()));
        assert_eq!((span(En, 59), span(Zh, 3_900)), ("59 s".into(), "1 小时 5 分".into()));
    }
}
