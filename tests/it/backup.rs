//! A backup of a server that is talking: made beside it, brought back elsewhere, and the server there is the same one.

use std::path::Path;
use std::process::{Command, Output};
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;

use crate::board::{Board, folder};
use crate::person::{HISTORIAN, Person, text};

/// Lines that are acknowledged before the backup begins.
const BEFORE: usize = 300;

fn gzy(words: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_gzy")).args(words).env_remove("STATE_DIRECTORY").output().unwrap()
}

fn path(path: &Path) -> &str {
    path.to_str().unwrap()
}

/// The fingerprint at the end of the ready line.
fn key(board: &Board) -> String {
    board.ready_line.split(" with the key ").nth(1).unwrap().split(" — ").next().unwrap().trim().to_owned()
}

fn lines(board: &Board) -> Vec<String> {
    let mut reader = Person::join_with(board, "reader", HISTORIAN);
    reader.history("#lobby").into_iter().map(|(_, text)| text).collect()
}

#[test]
fn a_server_under_load_is_copied_and_comes_back_as_itself() {
    let (data, place) = (folder(), folder());
    let board = Board::start_in(data.path(), &["--flood", "off"]);
    let mut ben = Person::join_with(&board, "ben", HISTORIAN);
    for number in 0..BEFORE {
        ben.say(&format!("PRIVMSG #lobby :before {number}"));
    }
    while !text(&ben.hear(" PRIVMSG #lobby ")).ends_with(&format!("before {}", BEFORE - 1)) {}
    let backup = place.path().join("monday");
    let is_done = AtomicBool::new(false);
    let made = thread::scope(|s| {
        let talking = s.spawn(|| {
            let mut anna = Person::join_with(&board, "anna", HISTORIAN);
            for number in 0.. {
                anna.say(&format!("PRIVMSG #lobby :during {number} 一边说一边备份"));
                anna.hear(&format!("during {number} "));
                if is_done.load(Ordering::Acquire) {
                    return number + 1;
                }
            }
            0
        });
        let made = gzy(&["backup", path(&backup), "--data", path(data.path())]);
        is_done.store(true, Ordering::Release);
        assert!(talking.join().unwrap() > 0);
        made
    });
    assert!(made.status.success(), "{}", String::from_utf8_lossy(&made.stderr));
    assert!(String::from_utf8_lossy(&made.stdout).contains("monday holds everything but the shared files: "));

    let refused = gzy(&["restore", path(&backup), "--data", path(data.path()), "--force"]);
    assert_eq!(refused.status.code(), Some(1));
    assert!(String::from_utf8_lossy(&refused.stderr).contains("another gzy server is running"));

    let elsewhere = place.path().join("elsewhere");
    let restored = gzy(&["restore", path(&backup), "--data", path(&elsewhere)]);
    assert!(restored.status.success(), "{}", String::from_utf8_lossy(&restored.stderr));
    let twin = Board::start_in(&elsewhere, &["--flood", "off"]);
    assert_eq!(key(&twin), key(&board), "clients know it again");
    let there = lines(&twin);
    assert!(there.len() >= BEFORE && there[..] == lines(&board)[..there.len()]);
    assert_eq!(twin.stop().code(), Some(0));
    assert_eq!(board.stop().code(), Some(0));
}

#[test]
fn a_backup_or_a_restore_that_cannot_be_says_why() {
    let (data, place) = (folder(), folder());
    let backup = place.path().join("b");
    for (words, part) in [
        (vec!["backup", path(&backup), "--data", path(data.path())], "there is no gzy.db in "),
        (vec!["restore", path(&backup), "--data", path(data.path())], "cannot read "),
        (vec!["restore", path(data.path()), "--data", path(data.path())], "cannot read "),
    ] {
        let done = gzy(&words);
        let said = String::from_utf8_lossy(&done.stderr).into_owned();
        assert!(done.status.code() == Some(1) && said.starts_with("gzy: ") && said.contains(part), "{said}");
    }
    assert!(!backup.exists());
}
