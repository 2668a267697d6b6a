//! Does a request still fit what is there? Entity tags (RFC 9110 section 8.8 and 13). A file's tag is its SHA-256.

use crate::wire::digest::Digest;

/// The entity tag of what has this digest.
pub fn etag(digest: &Digest) -> String {
    format!("\"{digest}\"")
}

/// Whether `If-None-Match` names it, or anything (`*`). A weak tag counts: it was ours once.
pub fn is_named(list: &str, digest: &Digest) -> bool {
    let ours = digest.to_string();
    list.trim() == "*" || tags(list).any(|tag| tag.text == ours)
}

/// Whether `If-Match` names it, or anything. A weak tag does not count.
pub fn is_matched(list: &str, digest: &Digest) -> bool {
    let ours = digest.to_string();
    list.trim() == "*" || tags(list).any(|tag| !tag.is_weak && tag.text == ours)
}

/// The one content that `If-Match` names.
pub fn only_match(list: &str) -> Option<Digest> {
    let mut tags = tags(list);
    let tag = tags.next().filter(|tag| !tag.is_weak)?;
    if tags.next().is_some() {
        return None;
    }
    Digest::from_hex(tag.text)
}

/// Whether a range may be sent: `If-Range` is absent, names this content, or says when it was stored, to the second.
pub fn allows_range(if_range: Option<&str>, digest: &Digest, last_modified: &str) -> bool {
    match if_range.map(str::trim) {
        None => true,
        Some(tag) if tag.starts_with('"') => is_matched(tag, digest),
        Some(text) => text == last_modified,
    }
}

struct Tag<'a> {
    is_weak: bool,
    text: &'a str,
}

/// The tags of a list, as far as it is one.
fn tags(list: &str) -> impl Iterator<Item = Tag<'_>> {
    let mut rest = list;
    std::iter::from_fn(move || {
        rest = rest.trim_start_matches([' ', '\t', ',']);
        let (is_weak, quoted) = rest.strip_prefix("W/").map_or((false, rest), |quoted| (true, quoted));
        let (text, behind) = quoted.strip_prefix('"')?.split_once('"')?;
        rest = behind;
        Some(Tag { is_weak, text })
    })
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const OURS: Digest = Digest([0xab; 32]);
    const OTHER: Digest = Digest([1; 32]);

    #[test]
    fn a_tag_is_found_in_a_list() {
        let (ours, other) = (etag(&OURS), etag(&OTHER));
        for list in ["*", &ours, &format!("{other}, {ours}"), &format!("\"\",{ours},\"a,b\"")] {
            assert!(is_named(list, &OURS) && is_matched(list, &OURS), "{list}");
        }
        for list in ["", "**", &other, &ours[1..], &ours.replace('"', ""), "W/"] {
            assert!(!is_named(list, &OURS) && !is_matched(list, &OURS), "{list}");
        }
        let weak = format!("W/{ours}");
        assert!(is_named(&weak, &OURS) && !is_matched(&weak, &OURS));
    }

    #[test]
    fn what_may_be_replaced_is_one_content() {
        assert_eq!(only_match(&etag(&OURS)), Some(OURS));
        for wrong in ["*", "\"x\"", "", &format!("W/{}", etag(&OURS)), &format!("{},{}", etag(&OURS), etag(&OTHER))] {
            assert_eq!(only_match(wrong), None, "{wrong}");
        }
    }

    #[test]
    fn a_range_of_something_else_is_not_sent() {
        let date = "Fri, 20 Nov 2026 13:19:21 GMT";
        for fits in [None, Some(etag(&OURS)), Some(date.to_owned())] {
            assert!(allows_range(fits.as_deref(), &OURS, date));
        }
        for stale in [etag(&OTHER), format!("W/{}", etag(&OURS)), "Fri, 20 Nov 2026 13:19:22 GMT".into(), "".into()] {
            assert!(!allows_range(Some(&stale), &OURS, date), "{stale}");
        }
    }

    proptest! {
        #[test]
        fn nothing_makes_it_panic(list in ".*") {
            let _ = (is_named(&list, &OURS), only_match(&list), allows_range(Some(&list), &OURS, ""));
        }
    }
}
