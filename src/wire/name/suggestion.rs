//! Which nick to offer somebody whose own is taken.

use super::{NAME_BYTES, Nick};

/// How many numbers `suggestion` tries in order, and then how many scattered ones. The second hundred makes a miss
/// practically impossible with the 20 000 names that a server can hold.
const SUGGESTION_TRIES: u32 = 100;

/// The first free one of 小阳2, 小阳3, … for somebody whose nick is taken (小阳7 leads to 小阳8), cut to be legal.
///
/// Asks `is_free` a bounded number of times; if it says no to all, the last candidate comes back, and the
/// server will refuse it like any other nick in use.
pub fn suggestion(taken: &Nick, is_free: impl Fn(&Nick) -> bool) -> Nick {
    let (stem, first) = counted(taken.as_str());
    let in_order = (first..).take(SUGGESTION_TRIES as usize);
    // 799 819 and 900 000 have no common factor, so these have six digits and are all different.
    let scattered = (1..=SUGGESTION_TRIES).map(|i| 100_000 + i * 799_819 % 900_000);
    let mut last = None;
    for number in in_order.chain(scattered) {
        let nick = numbered(stem, number);
        if is_free(&nick) {
            return nick;
        }
        last = Some(nick);
    }
    last.expect("there is at least one number to try")
}

/// Splits a nick into what stays and the number to try first. Only short numbers count on; a year or a phone number
/// that somebody wears is left whole.
fn counted(nick: &str) -> (&str, u32) {
    let stem = nick.trim_end_matches(|c: char| c.is_ascii_digit());
    let digits = &nick[stem.len()..];
    match digits.parse::<u32>() {
        Ok(number) if digits.len() <= 3 && !digits.starts_with('0') && !stem.is_empty() => (stem, number + 1),
        _ => (nick, 2),
    }
}

/// `stem` and `number` as a nick, the stem cut at a character border where both are too long together.
fn numbered(stem: &str, number: u32) -> Nick {
    let number = number.to_string();
    let room = stem.floor_char_boundary(NAME_BYTES - number.len());
    let whole = format!("{}{number}", &stem[..room]);
    // Cutting off the only letter can leave nothing but digits.
    Nick::parse(&whole).unwrap_or_else(|_| Nick(format!("guest{number}").into()))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::super::tests::{nick, tricky};
    use super::*;

    #[test]
    fn a_taken_nick_leads_to_the_next_number() {
        let free_but = |taken: &'static [&'static str]| move |n: &Nick| !taken.contains(&n.as_str());
        assert_eq!(suggestion(&nick("小阳"), free_but(&[])).as_str(), "小阳2");
        assert_eq!(suggestion(&nick("小阳"), free_but(&["小阳2", "小阳3"])).as_str(), "小阳4");
        assert_eq!(suggestion(&nick("小阳7"), free_but(&[])).as_str(), "小阳8");
        assert_eq!(suggestion(&nick("anna1999"), free_but(&[])).as_str(), "anna19992");
        assert_eq!(suggestion(&nick("agent007"), free_but(&[])).as_str(), "agent0072");
        assert_eq!(suggestion(&nick(&"阳".repeat(21)), free_but(&[])).as_str(), format!("{}2", "阳".repeat(21)));
        assert_eq!(
            suggestion(&nick(&format!("{}a", "阳".repeat(21))), free_but(&[])).as_str(),
            format!("{}2", "阳".repeat(21))
        );
        assert_eq!(suggestion(&nick(&format!("{}a", "7".repeat(63))), free_but(&[])).as_str(), "guest2");
    }

    #[test]
    fn a_suggestion_is_found_among_thousands_and_the_search_ends() {
        let asked = std::cell::Cell::new(0);
        let crowded = suggestion(&nick("user"), |n| {
            asked.set(asked.get() + 1);
            n.as_str().len() > "user9999".len()
        });
        assert!(crowded.as_str().starts_with("user"));
        assert!(asked.get() <= 2 * SUGGESTION_TRIES);
        let tried = std::cell::RefCell::new(std::collections::HashSet::new());
        suggestion(&nick("user"), |n| !tried.borrow_mut().insert(n.clone()));
        assert_eq!(tried.borrow().len(), 2 * SUGGESTION_TRIES as usize, "no number is tried twice");
    }

    proptest! {
        #[test]
        fn a_suggestion_is_a_legal_free_nick(text in tricky(), taken in 0u32..150) {
            let Ok(nick) = Nick::parse(&text) else { return Ok(()) };
            let asked = std::cell::Cell::new(0);
            let is_free = |_: &Nick| { asked.set(asked.get() + 1); asked.get() > taken };
            let found = suggestion(&nick, is_free);
            prop_assert_eq!(asked.get(), taken + 1);
            prop_assert_eq!(Nick::parse(found.as_str()), Ok(found.clone()));
            prop_assert!(found.as_str().len() <= NAME_BYTES);
            prop_assert_ne!(found, nick);
        }
    }
}
