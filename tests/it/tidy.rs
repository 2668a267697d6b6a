//! The rules of the house: which floor may know of which, what the pure floors may not touch, how files begin and how long they get.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use gzy::wire::caps::CAPABILITIES;
use gzy::wire::verb::VERBS;

/// A file that grew beyond this answers more than one question.
const LINES_PER_FILE: usize = 450;

/// What the pure floors must not touch: they wait for nothing, keep nothing, and are told the time.
const IMPURE: &[&str] = &[
    "smol::",
    "async_io",
    "async_net",
    "async_channel",
    "async_signal",
    "async ",
    "std::fs",
    "std::thread",
    "std::process",
    "std::env",
    "std::io",
    "TcpStream",
    "TcpListener",
    "UdpSocket",
    "UnixStream",
    "rusqlite",
    "socket2",
    "rustix",
    "getrandom",
    "Instant::now",
    "SystemTime",
    "println!",
];

/// Each floor, and what of this crate it may name. Every arrow points down.
const FLOORS: &[(&str, &[&str])] = &[
    ("wire", &["wire"]),
    ("system", &[]),
    ("store", &["store", "system", "wire"]),
    ("chat", &["chat", "wire", "store::change", "store::file", "store::directory", "store::record"]),
    ("net", &["net", "wire"]),
    ("client", &["client", "net", "system", "wire"]),
    ("client_term", &["client_term", "client", "net", "system", "wire"]),
    ("doctor", &["doctor", "chat", "client", "net", "store", "system", "wire"]),
    ("server", &["server", "chat", "store", "system", "wire", "net::suites", "password", "password_file"]),
];

/// What only Unix has, and the files where it may stand, beside what is done elsewhere.
const UNIX_ONLY: &[&str] = &["std::os::unix", "rustix", "sd_notify"];
const WHERE_UNIX_IS: &[&str] =
    &["system.rs", "system/moving.rs", "system/watch.rs", "server/notify.rs", "server/cloud/folder/unix.rs"];

/// A source file, by its path below `src` (`chat/turn.rs`).
struct Source {
    name: String,
    text: String,
    is_for_tests: bool,
}

impl Source {
    /// The floor: `chat` for `chat.rs` and everything in `chat/`.
    fn floor(&self) -> &str {
        self.name.split(['/', '.']).next().unwrap()
    }

    /// Where the tests at the bottom begin.
    fn tests_begin_at(&self) -> usize {
        if self.is_for_tests {
            return 0;
        }
        self.text
            .find("#[cfg(test)]\nmod tests")
            .or_else(|| self.text.find("#[cfg(test)]\npub("))
            .unwrap_or(self.text.len())
    }

    /// The part that is compiled into the program: all but tests, and the comments taken out.
    fn program(&self) -> String {
        let lines = self.text[..self.tests_begin_at()].lines();
        lines.map(|line| line.split_once("//").map_or(line, |(code, _)| code)).collect::<Vec<_>>().join("\n")
    }

    fn tests(&self) -> &str {
        &self.text[self.tests_begin_at()..]
    }
}

fn sources() -> Vec<Source> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let mut files: BTreeMap<PathBuf, String> = BTreeMap::new();
    collect(&root, &mut files);
    assert!(files.len() > 40, "the sources are found");
    let for_tests: Vec<PathBuf> = files.iter().flat_map(|(path, text)| test_modules(path, text)).collect();
    let name = |path: &Path| path.strip_prefix(&root).unwrap().to_str().unwrap().to_owned();
    files
        .iter()
        .map(|(path, text)| {
            // What is below a module for tests is for tests, too.
            let is_for_tests = for_tests.iter().any(|file| path == file || path.starts_with(file.with_extension("")));
            Source { name: name(path), text: text.clone(), is_for_tests }
        })
        .collect()
}

fn collect(folder: &Path, files: &mut BTreeMap<PathBuf, String>) {
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            collect(&path, files);
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            files.insert(path.clone(), fs::read_to_string(&path).unwrap());
        }
    }
}

/// The files that a file takes in for tests only: `#[cfg(test)] mod fixture;`.
fn test_modules(path: &Path, text: &str) -> Vec<PathBuf> {
    let lines: Vec<&str> = text.lines().collect();
    let declared = lines.windows(2).filter(|pair| pair[0].trim() == "#[cfg(test)]").filter_map(|pair| {
        let name = pair[1].trim().strip_suffix(';')?.rsplit_once("mod ")?.1;
        Some(path.with_extension("").join(format!("{name}.rs")))
    });
    declared.collect()
}

#[test]
fn every_file_says_in_its_first_line_which_question_it_answers() {
    for source in sources() {
        let first = source.text.lines().next().unwrap_or("");
        assert!(first.starts_with("//! ") && first.len() > 20, "src/{}: {first:?}", source.name);
    }
}

#[test]
fn no_file_grows_beyond_what_one_can_read_in_one_go() {
    for source in sources() {
        let count = source.text.lines().count();
        assert!(count <= LINES_PER_FILE, "src/{} has {count} lines; look for a seam", source.name);
    }
}

#[test]
fn the_rules_and_the_grammar_wait_for_nothing_and_read_no_clock() {
    for source in sources().iter().filter(|source| ["chat", "wire"].contains(&source.floor())) {
        let program = source.program();
        for word in IMPURE {
            assert!(!program.contains(word), "src/{} touches {word:?}", source.name);
        }
    }
}

#[test]
fn every_arrow_points_down() {
    for source in sources() {
        let Some((floor, below)) = FLOORS.iter().find(|(floor, _)| *floor == source.floor()) else { continue };
        let program = source.program();
        for (at, _) in program.match_indices("crate::") {
            let named = &program[at + "crate::".len()..];
            let is_below = |allowed: &&&str| {
                named
                    .strip_prefix(**allowed)
                    .is_some_and(|rest| !rest.starts_with(|c: char| c.is_alphanumeric() || c == '_'))
            };
            let line = named.lines().next().unwrap_or("");
            assert!(below.iter().any(|allowed| is_below(&allowed)), "src/{}: {floor} names crate::{line}", source.name);
        }
    }
}

#[test]
fn what_only_unix_has_stands_in_a_few_files() {
    let sources = sources();
    let has = |source: &&Source| UNIX_ONLY.iter().any(|word| source.program().contains(word));
    let found: Vec<&str> = sources.iter().filter(has).map(|source| source.name.as_str()).collect();
    for file in &found {
        assert!(
            WHERE_UNIX_IS.contains(file),
            "src/{file} does not compile for Windows; src/system.rs has a place for it"
        );
    }
    assert_eq!(found.len(), WHERE_UNIX_IS.len(), "{found:?}");
}

#[test]
fn nothing_outside_of_tests_unwraps() {
    for source in sources() {
        let program = source.program();
        for word in [".unwrap()", "todo!", "unimplemented!", "dbg!", "panic!("] {
            assert!(!program.contains(word), "src/{} has {word}", source.name);
        }
    }
}

#[test]
fn tests_wait_for_a_condition_and_not_for_a_while() {
    let mut files = BTreeMap::new();
    collect(&Path::new(env!("CARGO_MANIFEST_DIR")).join("tests"), &mut files);
    let outside = files.into_iter().map(|(path, text)| (path.display().to_string(), text));
    let inside = sources().into_iter().map(|source| (source.name.clone(), source.tests().to_owned()));
    let sleeping = ["sleep", "("].concat();
    for (name, text) in outside.chain(inside) {
        assert!(!text.contains(&sleeping), "{name} sleeps");
    }
}

#[test]
fn every_command_and_capability_is_documented_with_a_test_that_is_there() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let document = fs::read_to_string(root.join("docs/irc.md")).unwrap();
    for word in VERBS.iter().map(|(_, text, _)| *text).chain(CAPABILITIES.iter().map(|(_, name, _)| *name)) {
        assert!(document.contains(&format!("`{word}`")), "docs/irc.md does not speak of {word}");
    }
    let mut files = BTreeMap::new();
    collect(&root.join("src"), &mut files);
    collect(&root.join("tests"), &mut files);
    let rows = document.lines().filter(|line| line.starts_with("| `"));
    for row in rows {
        let test = row.trim_end_matches(" |").rsplit("| ").next().unwrap().trim_matches('`');
        let is_there = files.values().any(|text| text.contains(&format!("fn {test}()")));
        assert!(is_there, "docs/irc.md names the test {test}, and there is none");
    }
}
