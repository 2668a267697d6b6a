//! Which files somebody means who types their paths: with quotes, escapes, `~`, patterns, or dropped onto the window.

use std::path::{Path, PathBuf};

use crate::wire::mask::glob;

/// Entries of a folder that are looked at: more than anybody leafs through, and no folder stops the talk.
const ENTRIES: usize = 10_000;

/// What stands between paths.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Between {
    /// Blanks, as in a shell; those that belong to a path are quoted or escaped.
    Blanks,
    /// Stars; blanks belong to the paths.
    Stars,
}

/// A word of a line.
#[derive(Default, Debug)]
struct Word {
    /// Where it starts in the line, in bytes.
    from: usize,
    /// Without quotes and escapes.
    text: String,
    /// The quote that is still open behind it.
    open: Option<char>,
}

/// The words of a line, without the quotes and escapes.
pub fn words(line: &str, between: Between) -> Vec<String> {
    cut(line, between).into_iter().map(|word| word.text).filter(|text| !text.is_empty()).collect()
}

/// The files and folders that somebody means. `home`: for `~`. Those that are not there are among them, so that somebody can say so.
pub fn meant(line: &str, between: Between, home: Option<&Path>) -> Vec<PathBuf> {
    let line = line.trim();
    let whole = path_of(line, home);
    if whole.symlink_metadata().is_ok() {
        return vec![whole];
    }
    // A star may belong to a pattern before it divides words.
    let fits = fitting(whole.clone());
    if between == Between::Stars && fits != [whole] {
        return fits;
    }
    words(line, between).iter().flat_map(|word| fitting(path_of(word, home))).collect()
}

/// What the last path of a line can be completed to: where it starts, and what can take its place.
pub fn completed(line: &str, between: Between, home: Option<&Path>) -> Option<(usize, Vec<String>)> {
    let word = cut(line, between).pop().unwrap_or_default();
    // Behind a blank begins another word.
    let from = if word.text.is_empty() && word.open.is_none() { line.len() } else { word.from };
    let at = word.text.rfind(std::path::is_separator).map_or(0, |at| at + 1);
    let (folder, begun) = word.text.split_at(at);
    let place = if folder.is_empty() { PathBuf::from(".") } else { path_of(folder, home) };
    let is_hidden = |name: &str| name.starts_with('.') && !begun.starts_with('.');
    let mut found: Vec<(String, bool)> = std::fs::read_dir(place)
        .ok()?
        .take(ENTRIES)
        .filter_map(|entry| {
            let entry = entry.ok()?;
            let name = entry.file_name().into_string().ok()?;
            let fits = name.starts_with(begun) && !is_hidden(&name) && !name.contains(char::is_control);
            fits.then(|| (name, entry.path().is_dir()))
        })
        .collect();
    found.sort_unstable();
    let words =
        found.into_iter().map(|(name, is_folder)| written(&format!("{folder}{name}"), is_folder, word.open, between));
    let words: Vec<String> = words.collect();
    (!words.is_empty()).then_some((from, words))
}

/// How a path is typed.
fn written(path: &str, is_folder: bool, open: Option<char>, between: Between) -> String {
    let quote = open.or(cfg!(windows).then_some('"').filter(|_| path.contains(' ') && between == Between::Blanks));
    let behind = if is_folder { "/" } else { "" };
    match (quote, between) {
        (Some(quote), _) if is_folder => format!("{quote}{path}{behind}"),
        (Some(quote), _) => format!("{quote}{path}{} ", closing(quote)),
        (None, Between::Stars) => format!("{path}{behind}"),
        (None, Between::Blanks) => {
            let escaped = path.chars().fold(String::new(), |escaped, c| match c {
                ' ' | '\'' | '"' | '\\' | '*' | '?' if !cfg!(windows) => escaped + "\\" + c.encode_utf8(&mut [0; 4]),
                _ => escaped + c.encode_utf8(&mut [0; 4]),
            });
            escaped + if is_folder { "/" } else { " " }
        }
    }
}

/// The quote that ends what another one began; Chinese keyboards write them in pairs.
fn closing(quote: char) -> char {
    match quote {
        '“' => '”',
        '‘' => '’',
        same => same,
    }
}

fn cut(line: &str, between: Between) -> Vec<Word> {
    let is_between = |c: char| match between {
        Between::Blanks => c.is_whitespace(),
        Between::Stars => matches!(c, '*' | '＊'),
    };
    let mut words = vec![Word::default()];
    let mut chars = line.char_indices();
    while let Some((at, c)) = chars.next() {
        let behind = &line[at + c.len_utf8()..];
        let Some(word) = words.last_mut() else { break };
        let is_start = word.text.is_empty();
        match c {
            c if is_between(c) => words.push(Word { from: at + c.len_utf8(), ..Word::default() }),
            // An apostrophe inside of a word is one.
            '\'' | '"' | '“' | '‘' if is_start || behind.contains(closing(c)) && !matches!(c, '\'' | '‘') => {
                let end = behind.find(closing(c));
                let quoted = &behind[..end.unwrap_or(behind.len())];
                word.text.push_str(quoted);
                word.open = end.is_none().then_some(c);
                let skipped = quoted.chars().count() + usize::from(end.is_some());
                chars.by_ref().take(skipped).for_each(drop);
            }
            // Windows writes its paths with them.
            '\\' if !cfg!(windows) && between == Between::Blanks => word.text.extend(chars.next().map(|(_, c)| c)),
            c => word.text.push(c),
        }
    }
    words
}

/// The path that a word names: `~` is the home, and a dropped file may come as an address (RFC 8089).
fn path_of(word: &str, home: Option<&Path>) -> PathBuf {
    if let Some(address) = word.strip_prefix("file://") {
        let path = address.find('/').map_or("", |at| &address[at..]);
        let path = decoded(path);
        // file:///C:/Users
        let is_drive = cfg!(windows) && path.as_bytes().get(2) == Some(&b':');
        return PathBuf::from(if is_drive { &path[1..] } else { &path });
    }
    match (word.strip_prefix('~'), home) {
        (Some(""), Some(home)) => home.to_owned(),
        (Some(rest), Some(home)) if rest.starts_with(std::path::is_separator) => {
            home.join(rest.trim_start_matches(std::path::is_separator))
        }
        _ => PathBuf::from(word),
    }
}

/// A text with its `%20`s made blanks again (RFC 3986).
fn decoded(text: &str) -> String {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.bytes();
    while let Some(byte) = rest.next() {
        let mut ahead = rest.clone();
        let digits = [ahead.next(), ahead.next()].map(|digit| digit.and_then(|digit| char::from(digit).to_digit(16)));
        match (byte, digits) {
            (b'%', [Some(high), Some(low)]) => {
                bytes.push((high << 4 | low) as u8);
                rest = ahead;
            }
            _ => bytes.push(byte),
        }
    }
    String::from_utf8_lossy(&bytes).into_owned()
}

/// The files that a pattern in the last part of a path fits; the path itself when it is none, or fits nothing.
fn fitting(path: PathBuf) -> Vec<PathBuf> {
    let pattern = path.file_name().and_then(|name| name.to_str()).filter(|name| name.contains(['*', '?']));
    let Some(pattern) = pattern.filter(|_| path.symlink_metadata().is_err()) else { return vec![path] };
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    let entries = std::fs::read_dir(folder).into_iter().flatten().take(ENTRIES).filter_map(Result::ok);
    let fits = |name: &str| glob(pattern, name) && (pattern.starts_with('.') || !name.starts_with('.'));
    let mut found: Vec<PathBuf> =
        entries.filter(|entry| entry.file_name().to_str().is_some_and(fits)).map(|entry| entry.path()).collect();
    found.sort_unstable();
    if found.is_empty() { vec![path] } else { found }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_are_written_in_many_ways() {
        let by_blanks = |line| words(line, Between::Blanks);
        assert_eq!(by_blanks("a.zip  b.zip"), ["a.zip", "b.zip"]);
        assert_eq!(by_blanks("'我的 照片.png' \"b c\""), ["我的 照片.png", "b c"]);
        assert_eq!(by_blanks("“我的 照片.png” it's"), ["我的 照片.png", "it's"]);
        assert_eq!(by_blanks("it's bob's"), ["it's", "bob's"]);
        assert_eq!(by_blanks("'never closed"), ["never closed"]);
        assert_eq!(words("我的 照片.png*b", Between::Stars), ["我的 照片.png", "b"]);
        #[cfg(unix)]
        assert_eq!(by_blanks("my\\ photo.png x\\"), ["my photo.png", "x"]);
    }

    #[test]
    fn homes_and_addresses_become_paths() {
        let home = Some(Path::new("/home/anna"));
        assert_eq!(path_of("~/a/b", home), Path::new("/home/anna/a/b"));
        assert_eq!(path_of("~", home), Path::new("/home/anna"));
        assert_eq!(path_of("~ben/a", home), Path::new("~ben/a"));
        assert_eq!(path_of("file:///tmp/%E7%85%A7%E7%89%87%201.png", None), Path::new("/tmp/照片 1.png"));
        assert_eq!(path_of("file://board/tmp/100%25%zz", None), Path::new("/tmp/100%%zz"));
    }

    #[test]
    fn a_path_with_blanks_needs_no_quotes_when_it_is_there() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("my 照片.png");
        std::fs::write(&path, "x").unwrap();
        let line = path.to_str().unwrap();
        assert_eq!(meant(line, Between::Blanks, None), [path.as_path()]);
        assert_eq!(meant(&format!("{line} b"), Between::Blanks, None).len(), 3);
        assert_eq!(meant("'my 照片.png'", Between::Blanks, None), [Path::new("my 照片.png")]);
    }

    #[test]
    fn a_pattern_means_the_files_that_it_fits() {
        let folder = tempfile::tempdir().unwrap();
        for name in ["b.png", "a.png", "c.txt", ".d.png"] {
            std::fs::write(folder.path().join(name), "x").unwrap();
        }
        let pattern = format!("{}/*.png", folder.path().display());
        let found = meant(&pattern, Between::Blanks, None);
        assert_eq!(found, ["a.png", "b.png"].map(|name| folder.path().join(name)));
        let twice = format!("{}/*.p*", folder.path().display());
        assert_eq!(meant(&twice, Between::Stars, None), found);
        let two = format!("{0}/a.png*{0}/b.png", folder.path().display());
        assert_eq!(meant(&two, Between::Stars, None), found);
        let nothing = format!("{}/*.zip", folder.path().display());
        assert_eq!(meant(&nothing, Between::Blanks, None), [Path::new(&nothing)]);
    }

    #[test]
    fn tab_completes_what_is_on_the_disk() {
        let folder = tempfile::tempdir().unwrap();
        std::fs::create_dir(folder.path().join("作业")).unwrap();
        for name in ["my photo.png", "me.txt", ".hidden", "bad\nname"] {
            std::fs::write(folder.path().join(name), "x").unwrap();
        }
        let at = folder.path().display();
        let of = |line: &str, between| {
            let (from, words) = completed(line, between, None).unwrap_or_default();
            words.iter().map(|word| format!("{}{word}", &line[..from])).collect::<Vec<_>>()
        };
        assert_eq!(of(&format!("x {at}/作"), Between::Blanks), [format!("x {at}/作业/")]);
        assert_eq!(of(&format!("{at}/m"), Between::Stars), [format!("{at}/me.txt"), format!("{at}/my photo.png")]);
        assert_eq!(of(&format!("'{at}/my p"), Between::Blanks), [format!("'{at}/my photo.png' ")]);
        assert_eq!(of(&format!("{at}/.h"), Between::Blanks), [format!("{at}/.hidden ")]);
        assert_eq!(of(&format!("{at}/"), Between::Blanks).len(), 3, "neither what is hidden nor what cannot be typed");
        assert_eq!(of(&format!("{at}/nothing"), Between::Blanks), [""; 0]);
        #[cfg(unix)]
        assert_eq!(of(&format!("{at}/my\\ p"), Between::Blanks), [format!("{at}/my\\ photo.png ")]);
    }
}
