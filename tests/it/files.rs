//! Files as people move them with `gzy put`, `gzy get` and `gzy ls`: whole, once, and over whatever happens on the way.

use std::collections::BTreeMap;
use std::fs;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use sha2::{Digest, Sha256};
use tempfile::TempDir;

use crate::accounts::{PASSWORD, user};
use crate::board::{Board, PATIENCE, folder};
use crate::cuts::{Cuts, Dice};
use crate::gate::{Fate, Gate};

/// Long enough to be stopped in the middle, short enough to be moved many times.
const BIG: usize = 6 << 20;

/// Somebody with files, a config folder, and a folder for downloads.
struct Desk {
    folder: TempDir,
}

impl Desk {
    fn new() -> Desk {
        Desk { folder: folder() }
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    fn write(&self, name: &str, bytes: &[u8]) -> PathBuf {
        let path = self.path(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(&path, bytes).unwrap();
        path
    }

    /// `gzy WORD ADDRESS …`, in clear, in English, in the desk's folder.
    fn command(&self, word: &str, address: SocketAddr, words: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_gzy"));
        command.arg(word).arg(address.to_string()).args(words).args(["--lang", "en"]);
        command.current_dir(self.folder.path()).env("XDG_CONFIG_HOME", self.path("config"));
        command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
        command
    }

    fn run(&self, word: &str, address: SocketAddr, words: &[&str]) -> Done {
        Done::of(self.command(word, address, words).output().unwrap())
    }

    /// In clear, so that what is on the way can see and touch it.
    fn run_plain(&self, word: &str, address: SocketAddr, words: &[&str]) -> Done {
        self.run(word, address, &[words, &["--plain"]].concat())
    }

    fn begin_plain(&self, word: &str, address: SocketAddr, words: &[&str]) -> Child {
        self.command(word, address, &[words, &["--plain"]].concat()).spawn().unwrap()
    }

    fn received(&self) -> BTreeMap<String, Vec<u8>> {
        tree(&self.path("Recv"))
    }
}

/// What became of a command.
#[derive(Debug)]
struct Done {
    code: Option<i32>,
    said: String,
    complained: String,
}

impl Done {
    fn of(output: Output) -> Done {
        let text = |bytes| String::from_utf8(bytes).unwrap();
        Done { code: output.status.code(), said: text(output.stdout), complained: text(output.stderr) }
    }

    fn is_fine(&self) -> bool {
        self.code == Some(0)
    }
}

/// All files below a folder, also hidden ones, with what is in them.
fn tree(folder: &Path) -> BTreeMap<String, Vec<u8>> {
    let mut files = BTreeMap::new();
    let mut folders = vec![folder.to_owned()];
    while let Some(next) = folders.pop() {
        for path in fs::read_dir(next).into_iter().flatten().map(|entry| entry.unwrap().path()) {
            if path.is_dir() {
                folders.push(path);
            } else {
                let name = path.strip_prefix(folder).unwrap().to_str().unwrap().to_owned();
                files.insert(name, fs::read(path).unwrap());
            }
        }
    }
    files
}

/// What is in the cloud.
fn cloud(board: &Board) -> BTreeMap<String, Vec<u8>> {
    tree(&board.data().join("Cloud"))
}

/// Bytes that are the same in every run and nowhere the same.
fn bytes(count: usize, seed: u64) -> Vec<u8> {
    let mut dice = Dice(seed);
    (0..count.div_ceil(8)).flat_map(|_| dice.below(u64::MAX).to_le_bytes()).take(count).collect()
}

fn hex(bytes: &[u8]) -> String {
    Sha256::digest(bytes).iter().map(|byte| format!("{byte:02x}")).collect()
}

/// Waits for something that nobody tells; it is looked for now and then.
fn wait_until(is_so: impl Fn() -> bool) {
    let until = Instant::now() + PATIENCE;
    while !is_so() {
        assert!(Instant::now() < until, "it does not come to that");
        thread::park_timeout(Duration::from_millis(2));
    }
}

#[test]
fn a_file_goes_to_the_server_and_comes_back_and_the_second_time_nothing_moves() {
    let (board, anna, ben) = (Board::start(&[]), Desk::new(), Desk::new());
    let content = bytes(BIG, 1);
    anna.write("小阳的 作业.zip", &content);
    let put = anna.run("put", board.address, &["小阳的 作业.zip"]);
    assert!(put.is_fine() && put.said.contains("SHA-256 agrees"), "{put:?}");
    assert!(
        cloud(&board) == BTreeMap::from([("小阳的 作业.zip".to_owned(), content.clone())]),
        "and nothing beside it"
    );
    let again = anna.run("put", board.address, &["小阳的 作业.zip"]);
    assert!(again.is_fine() && again.said.contains("had it already"), "{again:?}");
    anna.write("copy.zip", &content);
    let other_name = anna.run("put", board.address, &["copy.zip"]);
    assert!(other_name.is_fine() && other_name.said.contains("had it already"), "{other_name:?}");
    let listed = ben.run("ls", board.address, &["--json", "小阳的 作业.zip"]);
    let line = format!("\"name\":\"小阳的 作业.zip\",\"size\":{BIG},\"sha256\":\"{}\"", hex(&content));
    assert!(listed.is_fine() && listed.said.contains(&line), "{listed:?}");
    let got = ben.run("get", board.address, &["小阳的*"]);
    assert!(got.is_fine() && got.said.contains("SHA-256 agrees"), "{got:?}");
    assert!(ben.received() == BTreeMap::from([("小阳的 作业.zip".to_owned(), content)]), "byte for byte");
    let again = ben.run("get", board.address, &["小阳的 作业.zip"]);
    assert!(again.is_fine() && again.said.contains("here already"), "{again:?}");
    assert_eq!(ben.received().len(), 1);
}

#[test]
fn a_folder_keeps_its_tree_there_and_back() {
    const FILES: usize = 400;
    let (board, anna, ben) = (Board::start(&[]), Desk::new(), Desk::new());
    let mut files: BTreeMap<String, Vec<u8>> =
        (0..FILES).map(|at| (format!("作业/week{}/{at}.txt", at % 7), bytes(at * 31, at as u64 + 1))).collect();
    files.insert("作业/big.bin".into(), bytes(BIG, 5));
    files.iter().for_each(|(name, content)| drop(anna.write(name, content)));
    anna.write("作业/.hidden", b"not for others");
    let put = anna.run("put", board.address, &["作业"]);
    assert!(put.is_fine() && put.said.lines().count() == FILES + 1, "{put:?}");
    assert!(cloud(&board) == files, "the same tree, without what is hidden");
    let listed = ben.run("ls", board.address, &["作业/week3"]);
    assert_eq!(listed.said.lines().count(), files.keys().filter(|name| name.contains("week3")).count());
    let got = ben.run("get", board.address, &["作业"]);
    assert!(got.is_fine() && ben.received() == files, "{got:?}");
}

#[test]
fn what_is_not_there_is_said_and_the_exit_code_tells() {
    let (board, anna) = (Board::start(&[]), Desk::new());
    let put = anna.run("put", board.address, &["nothing here"]);
    assert!(put.code == Some(1) && put.complained.contains("nothing here"), "{put:?}");
    let got = anna.run("get", board.address, &["nothing there"]);
    assert!(got.code == Some(1) && got.complained.contains("no such file"), "{got:?}");
    assert_eq!(
        (anna.run("ls", board.address, &[]).code, anna.run("ls", board.address, &["x"]).code),
        (Some(0), Some(1))
    );
    assert_eq!(anna.run("put", board.address, &[]).code, Some(2));
    anna.write("a", b"mine");
    assert!(anna.run("put", board.address, &["a"]).is_fine());
    let ben = Desk::new();
    ben.write("a", b"ben's");
    let taken = ben.run("put", board.address, &["a", "--nick", "ben"]);
    assert!(taken.code == Some(1) && cloud(&board)["a"] == b"mine", "{taken:?}");
}

#[test]
fn a_file_for_one_person_is_seen_by_nobody_else() {
    let data = folder();
    for name in ["anna", "ben", "eve"] {
        user(data.path(), &["add", name], PASSWORD);
    }
    let board = Board::start_in(data.path(), &[]);
    let desk = Desk::new();
    desk.write("password", PASSWORD.as_bytes());
    desk.write("嘘.txt", "给你看".as_bytes());
    let as_ = |name: &'static str| ["--account", name, "--account-password-file", "password"];
    let put = desk.run("put", board.address, &[&["嘘.txt", "--to", "ben"][..], &as_("anna")].concat());
    assert!(put.is_fine(), "{put:?}");
    let got = desk.run("get", board.address, &[&["嘘.txt", "--from", "anna"][..], &as_("ben")].concat());
    assert!(got.is_fine() && desk.received().len() == 1, "{got:?}");
    let eves = desk.run("get", board.address, &[&["嘘.txt", "--from", "anna"][..], &as_("eve")].concat());
    assert_eq!(eves.code, Some(1), "{eves:?}");
    assert_eq!(desk.run("ls", board.address, &[]).said, "", "it is not in the public cloud");
}

#[test]
fn a_client_that_is_killed_in_the_middle_goes_on_the_next_time() {
    const STOP: u64 = BIG as u64 / 2;
    let (board, anna, ben) = (Board::start(&[]), Desk::new(), Desk::new());
    let content = bytes(BIG, 3);
    anna.write("film", &content);
    let gate = Gate::to(board.address, Fate::Stop(STOP));
    for (desk, word) in [(&anna, "put"), (&ben, "get")] {
        gate.set_fate(Fate::Stop(STOP));
        let mut client = desk.begin_plain(word, gate.address, &["film"]);
        gate.wait_for_stop();
        // What is still in the buffers of the system dies with the client.
        let there = if word == "put" { board.data().join("Cloud") } else { ben.path("Recv") };
        wait_until(|| tree(&there).values().any(|part| part.len() as u64 > STOP * 3 / 4));
        client.kill().unwrap();
        client.wait().unwrap();
        gate.set_fate(Fate::Arrive);
        let before = gate.bytes();
        let done = desk.run_plain(word, gate.address, &["film"]);
        assert!(done.is_fine(), "{done:?}");
        let moved = gate.bytes() - before;
        assert!(moved < BIG as u64 - STOP / 2, "{word}: {moved} bytes of {BIG} went over the wire again");
    }
    let film = BTreeMap::from([("film".to_owned(), content)]);
    assert!(cloud(&board) == film && ben.received() == film, "whole, and nothing beside it");
}

#[test]
fn a_server_that_is_killed_in_the_middle_finds_the_client_waiting() {
    const STOP: u64 = BIG as u64 / 2;
    let (data, anna, ben) = (folder(), Desk::new(), Desk::new());
    let content = bytes(BIG, 4);
    anna.write("film", &content);
    let mut board = Board::start_in(data.path(), &[]);
    let gate = Gate::to(board.address, Fate::Arrive);
    for (desk, word) in [(&anna, "put"), (&ben, "get")] {
        gate.set_fate(Fate::Stop(STOP));
        let client = desk.begin_plain(word, gate.address, &["film"]);
        gate.wait_for_stop();
        gate.lead_to(None);
        board.pull_the_plug();
        gate.set_fate(Fate::Arrive);
        board = Board::start_in(data.path(), &[]);
        gate.lead_to(Some(board.address));
        let done = Done::of(client.wait_with_output().unwrap());
        assert!(done.is_fine(), "{done:?}");
    }
    let film = BTreeMap::from([("film".to_owned(), content)]);
    assert!(cloud(&board) == film && ben.received() == film, "whole, and nothing beside it");
}

#[test]
fn bits_that_flip_on_the_way_are_found_three_times_and_nothing_stays() {
    const EVERY: u64 = 1 << 20;
    let (board, anna, ben) = (Board::start(&[]), Desk::new(), Desk::new());
    let gate = Gate::to(board.address, Fate::Flip(EVERY));
    anna.write("film", &bytes(BIG, 6));
    let put = anna.run_plain("put", gate.address, &["film"]);
    assert!(put.code == Some(1) && put.complained.contains("three times"), "{put:?}");
    assert!(cloud(&board).is_empty(), "{:?}", cloud(&board).keys());
    assert!(gate.bytes() >= 3 * BIG as u64);
    assert!(anna.run("put", board.address, &["film"]).is_fine());
    let get = ben.run_plain("get", gate.address, &["film"]);
    assert!(get.code == Some(1) && get.complained.contains("three times"), "{get:?}");
    assert!(ben.received().is_empty(), "{:?}", ben.received().keys());
}

#[test]
fn over_a_network_that_cuts_everything_files_arrive_whole_both_ways() {
    let (board, anna, ben) = (Board::start(&[]), Desk::new(), Desk::new());
    let cuts = Cuts::between(Dice(20_261_120), 100_000, 2_000_000);
    cuts.lead_to(Some(board.address));
    let mut files: BTreeMap<String, Vec<u8>> =
        (0..60).map(|at| (format!("dir/{at}"), bytes(at * 997, at as u64 + 9))).collect();
    files.insert("dir/film".into(), bytes(BIG, 7));
    files.iter().for_each(|(name, content)| drop(anna.write(name, content)));
    let put = anna.run_plain("put", cuts.address, &["dir"]);
    assert!(put.is_fine() && cloud(&board) == files, "{put:?}");
    let get = ben.run_plain("get", cuts.address, &["dir"]);
    assert!(get.is_fine() && ben.received() == files, "{get:?}");
    assert!(cuts.count() >= 4, "only {} links were cut", cuts.count());
}
