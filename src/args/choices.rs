//! Values of options that are one of a few words, or a word and a number.

/// `on` or `off`.
#[derive(Clone, Copy, Debug)]
pub struct Switch(pub bool);

impl std::str::FromStr for Switch {
    type Err = String;

    fn from_str(text: &str) -> Result<Switch, String> {
        match text {
            "on" | "yes" => Ok(Switch(true)),
            "off" | "no" => Ok(Switch(false)),
            _ => Err("say on or off".into()),
        }
    }
}

/// Who may make an account.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Registration {
    /// Everybody, for themselves.
    Open,
    /// The host alone, with `gzy user add`.
    Closed,
}

impl std::str::FromStr for Registration {
    type Err = String;

    fn from_str(text: &str) -> Result<Registration, String> {
        match text {
            "open" => Ok(Registration::Open),
            "closed" => Ok(Registration::Closed),
            _ => Err("say open or closed".into()),
        }
    }
}

/// How long messages are kept, in milliseconds; `None` for ever.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Keep(pub Option<u64>);

/// A size in bytes: a number, or one with `K`, `M`, `G` or `T` behind it (1024 each).
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Size(pub u64);

impl std::str::FromStr for Size {
    type Err = String;

    fn from_str(text: &str) -> Result<Size, String> {
        let wrong = || "say a size, as 500M or 4G".to_owned();
        let text = text.strip_suffix(['B', 'b']).unwrap_or(text);
        let (digits, shift) = match text.char_indices().next_back() {
            Some((at, 'K' | 'k')) => (&text[..at], 10),
            Some((at, 'M' | 'm')) => (&text[..at], 20),
            Some((at, 'G' | 'g')) => (&text[..at], 30),
            Some((at, 'T' | 't')) => (&text[..at], 40),
            _ => (text, 0),
        };
        let number: u64 = digits.parse().map_err(|_| wrong())?;
        number.checked_mul(1 << shift).filter(|size| (1..=SIZE_MAX).contains(size)).map(Size).ok_or_else(wrong)
    }
}

/// What file systems and databases count in signed numbers.
const SIZE_MAX: u64 = i64::MAX as u64;

/// A thousand years are for ever.
const KEEP_DAYS_MAX: u64 = 365_000;
const DAY_MS: u64 = 86_400_000;

impl std::str::FromStr for Keep {
    type Err = String;

    fn from_str(text: &str) -> Result<Keep, String> {
        if text == "all" {
            return Ok(Keep(None));
        }
        let days = text.strip_suffix('d').and_then(|days| days.parse().ok());
        let days = days.filter(|days: &u64| (1..=KEEP_DAYS_MAX).contains(days));
        days.map(|days| Keep(Some(days * DAY_MS))).ok_or_else(|| "say all, or a number of days, as 90d".into())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_are_written_as_people_write_them() {
        for (text, bytes) in
            [("1", 1), ("500M", 500 << 20), ("4G", 4 << 30), ("16gb", 16 << 30), ("2t", 2 << 40), ("64k", 65_536)]
        {
            assert_eq!(text.parse(), Ok(Size(bytes)), "{text}");
        }
        for wrong in ["", "M", "0", "-1", "1.5G", "1 G", "G4", "99999999999999999999", "99999999T", "四G"] {
            assert!(wrong.parse::<Size>().is_err(), "{wrong}");
        }
    }
}
