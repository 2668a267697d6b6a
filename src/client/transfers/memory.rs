//! What was unfinished when the client ended: a small file for the user's eyes only, one errand per line.
//!
//! `host:port put SCOPE NAME-OF-PATH` or `host:port get SCOPE NAME`, each word percent-encoded where it has to be. `#` begins a comment.

use std::fs::File;
use std::io;
use std::path::{Path, PathBuf};

use crate::client::config_folder;
use crate::system;

/// The file's name in the user's config folder.
const FILE_NAME: &str = "transfers";

/// What explains the file to somebody who opens it.
const HEADING: &str =
    "# Unfinished transfers of gzy client: host:port, put or replace or get, where to or from, what.\n";

/// Something that the user wants moved.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Kept {
    /// Bring a file or folder.
    Put {
        /// Where it is; absolute.
        path: PathBuf,
        /// Where to.
        scope: Box<str>,
        /// Whether a file of that name may be replaced.
        replace: bool,
    },
    /// Fetch files.
    Get {
        /// A name or a pattern.
        name: Box<str>,
        /// Where from.
        scope: Box<str>,
    },
}

/// The place where unfinished transfers with one server are kept. Only one client of a user has it at a time.
#[derive(Debug)]
pub struct Memory {
    path: PathBuf,
    server: String,
    _mine: File,
}

impl Memory {
    /// The memory in a config folder; `None` when another client of this user has it, or there can be none.
    pub fn open(folder: &Path, server: String) -> Option<Memory> {
        system::own_folder(folder).ok()?;
        let word: String = server.chars().map(|c| if c.is_alphanumeric() { c } else { '_' }).collect();
        let mine = system::private_file().open(folder.join(format!("{FILE_NAME}.{word}.lock"))).ok()?;
        mine.try_lock().ok()?;
        Some(Memory { path: folder.join(FILE_NAME), server, _mine: mine })
    }

    /// What is unfinished.
    pub fn read(&self) -> Vec<Kept> {
        let text = config_folder::read(&self.path).ok().flatten().unwrap_or_default();
        let text = String::from_utf8_lossy(&text);
        text.lines().filter_map(understood).filter(|(of, _)| *of == self.server).map(|(_, kept)| kept).collect()
    }

    /// Keeps what is unfinished in the place of what was.
    pub fn write(&self, all: &[Kept]) -> io::Result<()> {
        let _turn = config_folder::turn(&self.path)?;
        let before = config_folder::read(&self.path)?.unwrap_or_default();
        let before = String::from_utf8_lossy(&before);
        let mut text = HEADING.to_owned();
        let others = before.lines().filter(|line| understood(line).is_some_and(|(of, _)| of != self.server));
        others.flat_map(|line| [line, "\n"]).for_each(|part| text.push_str(part));
        all.iter().for_each(|kept| text.push_str(&line_of(&self.server, kept)));
        config_folder::replace(&self.path, &text)
    }
}

fn line_of(server: &str, kept: &Kept) -> String {
    let (verb, scope, what) = match kept {
        Kept::Put { path, scope, replace: false } => ("put", scope, path.to_string_lossy()),
        Kept::Put { path, scope, replace: true } => ("replace", scope, path.to_string_lossy()),
        Kept::Get { name, scope } => ("get", scope, name.as_ref().into()),
    };
    format!("{server} {verb} {} {}\n", encoded(scope), encoded(&what))
}

/// The server and the errand of a line.
fn understood(line: &str) -> Option<(String, Kept)> {
    let mut words = line.split(' ').filter(|_| !line.starts_with('#'));
    let (server, verb) = (words.next()?.to_owned(), words.next()?);
    let (scope, what) = (decoded(words.next()?)?.into(), decoded(words.next()?)?);
    let kept = match verb {
        "put" | "replace" => Kept::Put { path: what.into(), scope, replace: verb == "replace" },
        "get" => Kept::Get { name: what.into(), scope },
        _ => return None,
    };
    (words.next().is_none()).then_some((server, kept))
}

/// A word without blanks and control characters.
fn encoded(text: &str) -> String {
    let mut word = String::with_capacity(text.len());
    for c in text.chars() {
        if c == '%' || c.is_whitespace() || c.is_control() {
            let mut bytes = [0; 4];
            c.encode_utf8(&mut bytes).bytes().for_each(|byte| word.push_str(&format!("%{byte:02x}")));
        } else {
            word.push(c);
        }
    }
    word
}

fn decoded(word: &str) -> Option<String> {
    let mut bytes = Vec::with_capacity(word.len());
    let mut rest = word.bytes();
    while let Some(byte) = rest.next() {
        bytes.push(match byte {
            b'%' => u8::from_str_radix(std::str::from_utf8(&[rest.next()?, rest.next()?]).ok()?, 16).ok()?,
            byte => byte,
        });
    }
    String::from_utf8(bytes).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn put(path: &str, replace: bool) -> Kept {
        Kept::Put { path: path.into(), scope: "#小 组".into(), replace }
    }

    fn open(folder: &Path, server: &str) -> Memory {
        Memory::open(folder, server.to_owned()).unwrap()
    }

    #[test]
    fn what_is_unfinished_is_known_to_the_next_client_of_the_same_server() {
        let folder = tempfile::tempdir().unwrap();
        let all = [
            put("/home/小阳/作业 1%.zip", false),
            put("/a\nb", true),
            Kept::Get { name: "*.png".into(), scope: "*".into() },
        ];
        open(folder.path(), "board:510").write(&all).unwrap();
        open(folder.path(), "other").write(&all[..1]).unwrap();
        assert_eq!(open(folder.path(), "board:510").read(), all);
        open(folder.path(), "board:510").write(&[]).unwrap();
        assert_eq!(open(folder.path(), "board:510").read(), []);
        assert_eq!(open(folder.path(), "other").read(), all[..1]);
    }

    #[test]
    fn two_clients_at_once_do_not_take_up_the_same() {
        let folder = tempfile::tempdir().unwrap();
        let first = open(folder.path(), "board");
        assert!(Memory::open(folder.path(), "board".into()).is_none());
        drop(first);
        open(folder.path(), "board");
    }

    #[test]
    fn lines_that_make_no_sense_are_passed_over() {
        for odd in
            ["", "# x put * a", "board put *", "board put * a b", "board push * a", "board put %zz a", "b put * %"]
        {
            assert_eq!(understood(odd), None, "{odd}");
        }
        assert!(understood("board put * a").is_some());
    }
}
