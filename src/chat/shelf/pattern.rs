//! Which names somebody means: a file, a folder with everything in it, or a pattern with `*` and `?`.

use crate::wire::file_name::FileName;

/// What somebody asks for.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Pattern {
    /// What every name that fits begins with.
    prefix: Box<str>,
    kind: Kind,
}

#[derive(Clone, PartialEq, Eq, Debug)]
enum Kind {
    /// Everything that begins with the prefix.
    All,
    /// The file of that name, or what is in the folder of that name.
    Named,
    /// Whatever fits the pattern, and what is in folders that fit it.
    Wild(Box<str>),
}

impl Pattern {
    /// Reads what somebody typed; nothing means everything.
    pub fn of(text: &str) -> Pattern {
        let text = text.trim_matches('/');
        if text.is_empty() || text == "*" {
            return Pattern { prefix: "".into(), kind: Kind::All };
        }
        match text.find(['*', '?']) {
            Some(at) => Pattern { prefix: text[..at].into(), kind: Kind::Wild(text.into()) },
            None => {
                // Names are kept in one form of Unicode; what cannot be a name fits none.
                let name = FileName::parse(text).map_or(text.into(), |name| name.as_str().into());
                Pattern { prefix: name, kind: Kind::Named }
            }
        }
    }

    /// What every name that fits begins with.
    pub fn prefix(&self) -> &str {
        &self.prefix
    }

    /// How a name that fits is shown in a listing for people: a folder below what was asked for stands for all that is in it.
    pub fn shown_as<'a>(&self, name: &'a str) -> &'a str {
        let below = match &self.kind {
            Kind::Wild(_) => return name,
            Kind::All => 0,
            Kind::Named => (self.prefix.len() + 1).min(name.len()),
        };
        name[below..].find('/').map_or(name, |at| &name[..below + at + 1])
    }

    /// Whether a name that begins with the prefix fits.
    pub fn fits(&self, name: &str) -> bool {
        match &self.kind {
            Kind::All => true,
            Kind::Named => name.len() == self.prefix.len() || name.as_bytes().get(self.prefix.len()) == Some(&b'/'),
            Kind::Wild(pattern) => {
                let is_folder = |(at, _): (usize, &str)| is_match(pattern, &name[..at]);
                is_match(pattern, name) || name.match_indices('/').any(is_folder)
            }
        }
    }
}

/// Whether a pattern fits a whole name. `*` is any text, `/` too; `?` is one character. Takes pattern × name steps at most.
fn is_match(pattern: &str, name: &str) -> bool {
    let (mut pattern, mut name) = (pattern, name);
    // Where to go on when what follows the last star did not fit: behind the star, one character further on.
    let mut retry: Option<(&str, &str)> = None;
    loop {
        let (wanted, there) = (pattern.chars().next(), name.chars().next());
        match (wanted, there) {
            (None, None) => return true,
            (Some('*'), _) => {
                pattern = &pattern[1..];
                retry = Some((pattern, name));
                continue;
            }
            (Some(wanted), Some(there)) if wanted == '?' || wanted == there => {
                pattern = &pattern[wanted.len_utf8()..];
                name = &name[there.len_utf8()..];
                continue;
            }
            _ => {}
        }
        let Some((behind_star, from)) = retry else { return false };
        let Some(skipped) = from.chars().next() else { return false };
        (pattern, name) = (behind_star, &from[skipped.len_utf8()..]);
        retry = Some((pattern, name));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn fits(pattern: &str, name: &str) -> bool {
        let pattern = Pattern::of(pattern);
        name.starts_with(pattern.prefix()) && pattern.fits(name)
    }

    #[test]
    fn a_name_a_folder_and_a_pattern_mean_what_people_expect() {
        for (pattern, name, expected) in [
            ("", "a", true),
            ("*", "周/a", true),
            ("a", "a", true),
            ("a", "ab", false),
            ("周", "周/a.zip", true),
            ("周/", "周/a.zip", true),
            ("周", "周末/a.zip", false),
            ("*.zip", "周/a.zip", true),
            ("*.zip", "a.zip.txt", false),
            ("作业?.zip", "作业一.zip", true),
            ("作业?.zip", "作业.zip", false),
            ("my?folder", "my folder/a/b", true),
            ("my?folder", "my folder2/a", false),
            ("a*b*c", "axxbyybzc", true),
            ("a*b*c", "axxbyyczb", false),
            ("**", "", true),
            ("?", "é", true),
            ("e\u{301}", "é", true),
        ] {
            assert_eq!(fits(pattern, name), expected, "{pattern} {name}");
        }
    }

    #[test]
    fn a_pattern_made_to_take_long_does_not() {
        let (pattern, name) = (format!("{}b", "*a".repeat(200)), "a".repeat(1024));
        assert!(!fits(&pattern, &name));
    }
}
