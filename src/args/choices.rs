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
