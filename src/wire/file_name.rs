//! The only door from text to a file's name: what may be called so in the cloud, on any disk, and on any screen.

use std::borrow::Borrow;
use std::fmt;

use unicode_normalization::UnicodeNormalization;
use unicode_normalization::char::is_combining_mark;

use super::escape::is_invisible;

/// The longest name of a file or folder in bytes: what every file system of a Linux board takes (85 Chinese characters).
pub const FILE_NAME_BYTES: usize = 255;
/// The longest name with its folders, in bytes: it fits a line of `LINE_BYTES` beside everything else, percent-encoded or not.
pub const FILE_PATH_BYTES: usize = 1024;
/// Folders in folders: more is a mistake of the program that made them.
const FOLDERS_DEEP: usize = 16;
/// Stands for a character that cannot be in a name.
const STAND_IN: char = '_';

/// The name of a file in the cloud, with `/` between its folders: relative, NFC-normalised, safe on a disk, in a line, and on a screen.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct FileName(Box<str>);

/// Why a text is no file's name.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum BadFileName {
    /// Nothing, or nothing between two `/`.
    Empty,
    /// A part has more than `FILE_NAME_BYTES`, or all have more than `FILE_PATH_BYTES`.
    TooLong,
    /// More folders in each other than anybody needs.
    TooDeep,
    /// `.`, `..`, or an absolute path.
    Path,
    /// A part that begins with a dot is hidden, and `Cloud/` keeps its own things so.
    Hidden,
    /// Something in it cannot be shown, or has a meaning on some disk.
    Character(char),
    /// A name that Windows keeps for a device (`CON`, `NUL`, …), or that ends with a dot or a blank.
    Device,
}

impl FileName {
    /// Takes `text` as it is (but for NFC), or says why it cannot be a name.
    pub fn parse(text: &str) -> Result<FileName, BadFileName> {
        if text.len() > 4 * FILE_PATH_BYTES {
            return Err(BadFileName::TooLong);
        }
        let name: String = text.nfc().collect();
        if name.len() > FILE_PATH_BYTES {
            return Err(BadFileName::TooLong);
        }
        if name.split('/').count() > FOLDERS_DEEP {
            return Err(BadFileName::TooDeep);
        }
        name.split('/').try_for_each(check_part)?;
        Ok(FileName(name.into()))
    }

    /// Makes a name of whatever somebody called a file: what cannot be in a name is replaced, what is too long is cut in front of its extension.
    /// Refused is only what would mean another place (`..`, an absolute path), or nothing.
    pub fn clean(text: &str) -> Result<FileName, BadFileName> {
        let parts: Vec<&str> = text.split('/').collect();
        if parts.iter().any(|part| matches!(*part, "" | "." | "..")) {
            return Err(if text.is_empty() { BadFileName::Empty } else { BadFileName::Path });
        }
        let clean: Vec<String> = parts.iter().map(|part| clean_part(part)).collect();
        FileName::parse(&clean.join("/"))
    }

    /// The whole name.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The name without its folders.
    pub fn last(&self) -> &str {
        self.0.rsplit('/').next().unwrap_or(&self.0)
    }

    /// Its folders, without the `/` at the end; empty when it is in none.
    pub fn folder(&self) -> &str {
        self.0.rsplit_once('/').map_or("", |(folder, _)| folder)
    }

    /// The same name with a number in front of its extension: `a (2).zip`. Cut where it would become too long.
    pub fn numbered(&self, number: u32) -> FileName {
        let (stem, extension) = split_extension(self.last());
        let tail = format!(" ({number}){extension}");
        let stem = cut(stem, FILE_NAME_BYTES - tail.len());
        let folder = self.folder();
        let slash = if folder.is_empty() { "" } else { "/" };
        FileName(format!("{folder}{slash}{stem}{tail}").into())
    }
}

impl Borrow<str> for FileName {
    /// Names are found by their text: a folder's are those that begin with it.
    fn borrow(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for BadFileName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            BadFileName::Empty => write!(f, "that name is empty; a file needs one"),
            BadFileName::TooLong => write!(
                f,
                "that name is longer than {FILE_NAME_BYTES} bytes (a Chinese character counts as 3), or {FILE_PATH_BYTES} with its folders; choose a shorter one"
            ),
            BadFileName::TooDeep => {
                write!(f, "that is more than {FOLDERS_DEEP} folders in each other; pack them into one file")
            }
            BadFileName::Path => write!(f, "that name points somewhere else; leave out . and .. and the / in front"),
            BadFileName::Hidden => write!(f, "that name begins with a dot, which hides a file; leave it out"),
            BadFileName::Character(c) => {
                write!(
                    f,
                    "that name has U+{:04X} in it, which not every disk or screen takes; leave it out",
                    u32::from(*c)
                )
            }
            BadFileName::Device => write!(f, "that name means something else on Windows; choose another"),
        }
    }
}

impl std::error::Error for BadFileName {}

/// What has a meaning for a shell of Windows, or for its paths. Windows members download too.
const SPECIALS: &str = "\\:*?\"<>|";

fn character_fault(c: char) -> bool {
    c.is_control() || is_invisible(c) && !is_emoji_part(c) || SPECIALS.contains(c) || c == '\u{fffd}'
}

/// A joiner or selector inside an emoji's name is no trick; names of pictures have them.
fn is_emoji_part(c: char) -> bool {
    matches!(c, '\u{200d}' | '\u{fe0f}')
}

fn check_part(part: &str) -> Result<(), BadFileName> {
    match part {
        "" => return Err(BadFileName::Empty),
        "." | ".." => return Err(BadFileName::Path),
        _ => {}
    }
    if part.starts_with('.') {
        return Err(BadFileName::Hidden);
    }
    if part.len() > FILE_NAME_BYTES {
        return Err(BadFileName::TooLong);
    }
    if let Some(bad) = part.chars().find(|c| character_fault(*c)) {
        return Err(BadFileName::Character(bad));
    }
    if part.starts_with(is_combining_mark) {
        return Err(BadFileName::Character(part.chars().next().unwrap_or_default()));
    }
    if part.starts_with(char::is_whitespace)
        || part.ends_with(char::is_whitespace)
        || part.ends_with('.')
        || is_device(part)
    {
        return Err(BadFileName::Device);
    }
    Ok(())
}

/// Whether Windows takes it for a device, with any extension.
fn is_device(part: &str) -> bool {
    let stem = part.split('.').next().unwrap_or(part).trim_end();
    let upper = stem.to_ascii_uppercase();
    let numbered = |prefix: &str| {
        upper
            .strip_prefix(prefix)
            .is_some_and(|n| matches!(n, "¹" | "²" | "³") || n.len() == 1 && n.as_bytes()[0].is_ascii_digit())
    };
    matches!(upper.as_str(), "CON" | "PRN" | "AUX" | "NUL" | "CONIN$" | "CONOUT$") || numbered("COM") || numbered("LPT")
}

fn clean_part(part: &str) -> String {
    let composed: String = part.nfc().collect();
    let shown: String = composed.chars().map(|c| if character_fault(c) { STAND_IN } else { c }).collect();
    let trimmed = shown.trim_start_matches(|c: char| c == '.' || c.is_whitespace() || is_combining_mark(c));
    let trimmed = trimmed.trim_end_matches(|c: char| c == '.' || c.is_whitespace());
    let mut name = if trimmed.is_empty() { STAND_IN.to_string() } else { trimmed.to_owned() };
    if is_device(&name) {
        name.insert(0, STAND_IN);
    }
    if name.len() <= FILE_NAME_BYTES {
        return name;
    }
    let (stem, extension) = split_extension(&name);
    format!("{}{extension}", cut(stem, FILE_NAME_BYTES - extension.len()))
}

/// The name and its extension with the dot. A long "extension" is a sentence with a dot in it.
fn split_extension(name: &str) -> (&str, &str) {
    const EXTENSION_BYTES: usize = 16;
    match name.rfind('.').filter(|at| *at > 0 && name.len() - at <= EXTENSION_BYTES) {
        Some(at) => name.split_at(at),
        None => (name, ""),
    }
}

/// The beginning of a text, at most so many bytes, without a blank at its end.
fn cut(text: &str, bytes: usize) -> &str {
    let end = (0..=bytes.min(text.len())).rev().find(|at| text.is_char_boundary(*at)).unwrap_or(0);
    text[..end].trim_end_matches(|c: char| c.is_whitespace() || c == '.')
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn files_keep_the_names_they_have() {
        for name in [
            "gzy.jpg",
            "作业 第一周.zip",
            "homework/week1/a.zip",
            "论文（终稿）.pdf",
            "a b.txt",
            "no-extension",
            "👨‍👩‍👧.png",
            "a.tar.gz",
            "CONTENTS.md",
            "it's ~100% #1 & more!.txt",
        ] {
            assert_eq!(FileName::parse(name).as_ref().map(FileName::as_str), Ok(name));
            assert_eq!(FileName::clean(name).as_ref().map(FileName::as_str), Ok(name));
        }
        assert_eq!(FileName::parse("Zoe\u{308}").unwrap().as_str(), "Zoë");
    }

    #[test]
    fn names_that_reach_elsewhere_are_refused_by_both_doors() {
        for name in ["../etc/passwd", "a/../b", "/etc/passwd", "a//b", "a/", "./a", "..", "."] {
            assert_eq!(FileName::clean(name), Err(BadFileName::Path), "{name}");
            assert!(FileName::parse(name).is_err(), "{name}");
        }
        assert_eq!(FileName::clean(""), Err(BadFileName::Empty));
    }

    #[test]
    fn what_no_disk_or_screen_takes_is_refused_or_replaced() {
        for (name, fault, cleaned) in [
            ("a\nb.txt", BadFileName::Character('\n'), "a_b.txt"),
            (".bashrc", BadFileName::Hidden, "bashrc"),
            ("...", BadFileName::Hidden, "_"),
            ("CON", BadFileName::Device, "_CON"),
            ("con.txt", BadFileName::Device, "_con.txt"),
            ("lpt1", BadFileName::Device, "_lpt1"),
            ("gpj.\u{202e}exe", BadFileName::Character('\u{202e}'), "gpj._exe"),
            ("a\\b", BadFileName::Character('\\'), "a_b"),
            ("a:b", BadFileName::Character(':'), "a_b"),
            (" a ", BadFileName::Device, "a"),
            ("a.", BadFileName::Device, "a"),
            ("a\0", BadFileName::Character('\0'), "a_"),
            ("\u{301}a", BadFileName::Character('\u{301}'), "a"),
        ] {
            assert_eq!(FileName::parse(name), Err(fault), "{name:?}");
            assert_eq!(FileName::clean(name).unwrap().as_str(), cleaned, "{name:?}");
        }
    }

    #[test]
    fn a_name_may_fill_255_bytes_and_is_cut_in_front_of_its_extension() {
        let full = format!("{}.jp", "阳".repeat(84));
        assert_eq!(full.len(), 255);
        assert_eq!(FileName::parse(&full).unwrap().as_str(), full);
        let long = format!("{}.jpeg", "阳".repeat(90));
        assert_eq!(FileName::parse(&long), Err(BadFileName::TooLong));
        let cleaned = FileName::clean(&long).unwrap();
        assert!(cleaned.as_str().ends_with("阳.jpeg") && cleaned.as_str().len() <= 255);
        let deep = vec!["a"; 17].join("/");
        assert_eq!(FileName::clean(&deep), Err(BadFileName::TooDeep));
        assert_eq!(FileName::clean(&vec!["阳".repeat(80); 5].join("/")), Err(BadFileName::TooLong));
    }

    #[test]
    fn a_numbered_name_keeps_folder_and_extension() {
        let numbered = |name: &str| FileName::parse(name).unwrap().numbered(2).as_str().to_owned();
        assert_eq!(numbered("a.zip"), "a (2).zip");
        assert_eq!(numbered("周/a"), "周/a (2)");
        let full = numbered(&format!("{}.jp", "阳".repeat(84)));
        assert!(full.len() <= 255 && full.ends_with(" (2).jp"), "{full}");
    }

    proptest! {
        #[test]
        fn whatever_is_cleaned_is_a_name_that_stays_below_its_folder(text in "\\PC{0,300}|[./a ]{0,20}|(?s:.{0,40})") {
            if let Ok(name) = FileName::clean(&text) {
                prop_assert_eq!(FileName::parse(name.as_str()), Ok(name.clone()));
                prop_assert_eq!(FileName::clean(name.as_str()), Ok(name.clone()));
                prop_assert!(name.as_str().split('/').all(|part| !part.is_empty() && !part.starts_with('.')));
                let numbered = name.numbered(u32::MAX);
                prop_assert!(numbered.last().len() <= FILE_NAME_BYTES);
            }
        }
    }
}
