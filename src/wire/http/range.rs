//! Which bytes of a file are asked for (RFC 9110 section 14).

/// What is to be sent of a file.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Part {
    /// All of it (200).
    Whole,
    /// These bytes (206).
    Bytes {
        /// The first one.
        start: u64,
        /// How many.
        length: u64,
    },
    /// The file has none of the bytes asked for (416).
    Nothing,
}

/// Reads a `Range` field for a file of this size. What is not understood, and several ranges at once, mean all of it: the standard allows that.
pub fn asked(range: Option<&str>, size: u64) -> Part {
    range.and_then(|text| one_range(text, size)).unwrap_or(Part::Whole)
}

fn one_range(text: &str, size: u64) -> Option<Part> {
    let (unit, set) = text.split_once('=')?;
    if !unit.trim().eq_ignore_ascii_case("bytes") {
        return None;
    }
    let (first, last) = set.trim().split_once('-')?;
    if first.is_empty() {
        let length = saturating(last)?.min(size);
        return Some(if length == 0 { Part::Nothing } else { Part::Bytes { start: size - length, length } });
    }
    let start = saturating(first)?;
    let last = if last.is_empty() { u64::MAX } else { saturating(last)? };
    if last < start {
        return None;
    }
    if start >= size {
        return Some(Part::Nothing);
    }
    Some(Part::Bytes { start, length: last.min(size - 1) - start + 1 })
}

/// Digits; a number beyond 64 bits is beyond every file too.
fn saturating(text: &str) -> Option<u64> {
    if text.is_empty() || !text.bytes().all(|byte| byte.is_ascii_digit()) {
        return None;
    }
    Some(text.parse().unwrap_or(u64::MAX))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn one_range_is_served_and_its_end_is_cut() {
        let bytes = |start, length| Part::Bytes { start, length };
        for (range, part) in [
            ("bytes=0-0", bytes(0, 1)),
            ("bytes=0-", bytes(0, 100)),
            ("Bytes=10-19", bytes(10, 10)),
            ("bytes=90-1000", bytes(90, 10)),
            ("bytes=90-99999999999999999999999", bytes(90, 10)),
            ("bytes=-1", bytes(99, 1)),
            ("bytes=-1000", bytes(0, 100)),
            ("bytes=99-", bytes(99, 1)),
        ] {
            assert_eq!(asked(Some(range), 100), part, "{range}");
        }
    }

    #[test]
    fn what_is_not_there_is_said_and_what_is_not_understood_is_ignored() {
        for nothing in ["bytes=100-", "bytes=100-200", "bytes=-0", "bytes=99999999999999999999999-"] {
            assert_eq!(asked(Some(nothing), 100), Part::Nothing, "{nothing}");
        }
        assert_eq!(asked(Some("bytes=0-"), 0), Part::Nothing);
        for whole in [
            "",
            "bytes",
            "bytes=",
            "bytes=-",
            "bytes=5-4",
            "lines=1-2",
            "bytes=0-1,5-6",
            "bytes=a-b",
            "bytes=+1-2",
            "bytes=1-2x",
        ] {
            assert_eq!(asked(Some(whole), 100), Part::Whole, "{whole}");
        }
        assert_eq!(asked(None, 0), Part::Whole);
    }

    proptest! {
        #[test]
        fn a_part_is_inside_its_file(range in "bytes=[0-9]{0,20}-[0-9]{0,20}", size: u64) {
            if let Part::Bytes { start, length } = asked(Some(&range), size) {
                prop_assert!(length > 0 && start.checked_add(length).is_some_and(|end| end <= size));
            }
        }

        #[test]
        fn nothing_makes_it_panic(range in ".*", size: u64) {
            let _ = asked(Some(&range), size);
        }
    }
}
