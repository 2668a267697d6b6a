//! The server's life: it starts or says why not, obeys signals, and ends with everything on disk.

use std::fs;
use std::os::unix::net::UnixDatagram;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use rustix::process::Signal;

use crate::board::{Board, PATIENCE, command, failure, folder};
use crate::person::{HISTORIAN, Person, tag, text};

/// Two seconds are promised; the rest is for a machine that has much else to do.
const END_WITHIN: Duration = Duration::from_secs(8);

#[test]
fn asked_to_stop_it_says_goodbye_and_keeps_everything() {
    for signal in [Signal::TERM, Signal::INT] {
        let data = folder();
        let board = Board::start_in(data.path(), &["--flood", "off"]);
        let mut anna = Person::join(&board, "anna");
        let mut 小阳 = Person::join_with(&board, "小阳", "gzy/long-lines");
        let mut stranger = Person::connect(&board);
        let _never_reads = Person::join(&board, "ben");
        for number in 0..200 {
            anna.say(&format!("PRIVMSG #lobby :{number}"));
        }
        anna.settle();
        let asked = Instant::now();
        board.signal(signal);
        let last_word = |person: &mut Person| person.farewell().last().cloned();
        assert!(小阳.hear("服务器要停了").contains("the server is stopping"));
        for person in [&mut anna, &mut 小阳, &mut stranger] {
            let last = last_word(person);
            assert!(last.as_ref().is_some_and(|line| line.starts_with("ERROR :")), "{last:?}");
        }
        assert_eq!(board.end().code(), Some(0));
        assert!(asked.elapsed() < END_WITHIN, "{:?}", asked.elapsed());

        let board = Board::start_in(data.path(), &[]);
        let mut anna = Person::join_with(&board, "anna", HISTORIAN);
        let kept: Vec<String> = anna.history("#lobby").into_iter().map(|(_, text)| text).collect();
        let expected: Vec<String> = (0..200).map(|number| number.to_string()).collect();
        assert_eq!(kept, expected);
        assert_eq!(board.stop().code(), Some(0));
        assert!(!data.path().join("gzy.db-wal").exists(), "the write-ahead log is folded in");
    }
}

#[test]
fn a_hangup_signal_reads_the_message_of_the_day_again_and_reopens_the_log() {
    let data = folder();
    let (motd, log) = (data.path().join("motd"), data.path().join("log.txt"));
    fs::write(&motd, "早上好\n").unwrap();
    let board = Board::start_in(data.path(), &["--flood", "off", "--motd", motd.to_str().unwrap()]);
    let mut anna = Person::join(&board, "anna");
    assert!(anna.ask("MOTD").iter().any(|line| text(line).contains("早上好")));
    fs::write(&motd, "晚上好\n\u{1b}[31m\n").unwrap();
    fs::rename(&log, data.path().join("yesterday.txt")).unwrap();
    board.signal(Signal::HUP);
    let until = Instant::now() + PATIENCE;
    let shown = loop {
        let shown = anna.ask("MOTD").join("\n");
        if shown.contains("晚上好") {
            break shown;
        }
        assert!(Instant::now() < until, "the new message was never shown");
    };
    assert!(!shown.contains('\u{1b}') && !shown.contains("早上好"), "{shown:?}");
    let _ben = Person::join(&board, "ben");
    anna.hear("ben");
    assert!(board.log().contains("ben is in"), "the log goes on in a new file");
    assert!(!fs::read_to_string(data.path().join("yesterday.txt")).unwrap().contains("ben is in"));

    fs::remove_file(&motd).unwrap();
    board.signal(Signal::HUP);
    while !board.log().contains("the old one stays") {
        anna.settle();
        assert!(Instant::now() < until, "a missing message is logged: {}", board.log());
    }
    assert!(anna.ask("MOTD").join("\n").contains("晚上好"));
}

/// Bytes that any file of the server may have in this test: the write-ahead log reaches that after some dozen messages.
const FULL_AT_KIB: usize = 300;

#[test]
fn a_full_disk_is_told_to_the_sender_and_the_room_goes_on() {
    let data = folder();
    assert_eq!(Board::start_in(data.path(), &[]).stop().code(), Some(0));
    let plain = command(data.path(), &["--flood", "off", "--log", "/dev/null"]);
    // dash counts blocks of 512 bytes. Without the signal, writing beyond the limit is an error like that of a full disk.
    let script = format!("trap '' XFSZ; ulimit -f {}; exec \"$@\"", FULL_AT_KIB * 2);
    let mut limited = Command::new("/bin/sh");
    limited.args(["-c", &script, "sh"]).arg(plain.get_program()).args(plain.get_args()).stdout(Stdio::piped());
    let board = Board::spawn(limited, data.path());
    let mut ben = Person::join_with(&board, "ben", "gzy/long-lines");
    let mut anna = Person::join_with(&board, "anna", HISTORIAN);
    let padding = "满".repeat(1000);
    let (mut kept, mut refused) = (Vec::new(), 0);
    for number in 0..1000 {
        anna.say(&format!("@label=l{number} PRIVMSG #lobby :{number} {padding}"));
        let answer = anna.hear("@label=l");
        assert_eq!(tag(&answer, "label"), Some(format!("l{number}")));
        assert!(ben.hear(" PRIVMSG ").contains(&format!(":{number} ")), "the others hear it at once, kept or not");
        if answer.contains(" FAIL PRIVMSG NOT_SAVED ") {
            refused += 1;
        } else {
            kept.push(text(&answer));
        }
        if refused == 3 {
            break;
        }
    }
    assert_eq!(refused, 3, "the disk was never full");
    assert!(kept.len() > 10, "and not from the start");
    drop(board);
    let board = Board::start_in(data.path(), &["--flood", "off"]);
    let mut anna = Person::join_with(&board, "anna", HISTORIAN);
    let history: Vec<String> = anna.history("#lobby").into_iter().map(|(_, text)| text).collect();
    assert!(history == kept, "what was acknowledged is there, what was refused is not");
}

#[test]
fn the_ready_line_names_the_address_and_the_place() {
    let board = Board::start(&["--name", "小岛"]);
    assert!(board.ready_line.starts_with("小岛 is ready on 127.0.0.1:"), "{}", board.ready_line);
    assert_ne!(board.address.port(), 0);
    assert!(board.log().contains(board.ready_line.trim_end()));
}

#[test]
fn a_port_in_use_is_named_with_a_way_out() {
    let board = Board::start(&[]);
    let (other, address) = (folder(), board.address.to_string());
    let mut second = Command::new(env!("CARGO_BIN_EXE_gzy"));
    second.args(["server", "--listen", &address, "--data"]).arg(other.path());
    let failure = failure(second);
    assert_eq!(failure.code, Some(1));
    for words in ["gzy: cannot listen on ", &address, "another program", "--listen"] {
        assert!(failure.sentence.contains(words), "{words}: {}", failure.sentence);
    }
    assert_eq!(failure.sentence.lines().count(), 1);
}

#[test]
fn a_data_folder_in_use_is_named_with_a_way_out_and_its_owner_goes_on() {
    let board = Board::start(&[]);
    let mut anna = Person::join_with(&board, "anna", HISTORIAN);
    let failure = failure(command(board.data(), &[]));
    assert_eq!(failure.code, Some(1));
    for words in ["another gzy server is running with the data in ", board.data().to_str().unwrap(), "--data"] {
        assert!(failure.sentence.contains(words), "{words}: {}", failure.sentence);
    }
    anna.say("PRIVMSG #lobby :still here");
    anna.hear("still here");
}

#[test]
fn a_database_of_a_newer_version_is_refused_untouched() {
    let data = folder();
    assert_eq!(Board::start_in(data.path(), &[]).stop().code(), Some(0));
    let file = data.path().join("gzy.db");
    let database = rusqlite::Connection::open(&file).unwrap();
    database.pragma_update(None, "user_version", 99).unwrap();
    drop(database);
    let before = fs::read(&file).unwrap();
    let refused = failure(command(data.path(), &[]));
    assert_eq!(refused.code, Some(1));
    for words in [file.to_str().unwrap(), "was written by a newer gzy", "install that version"] {
        assert!(refused.sentence.contains(words), "{words}: {}", refused.sentence);
    }
    assert!(fs::read(&file).unwrap() == before, "it was not touched");

    fs::write(&file, "a shopping list ".repeat(100)).unwrap();
    let refused = failure(command(data.path(), &[]));
    assert_eq!(refused.code, Some(1));
    assert!(refused.sentence.contains("is not a database of gzy"), "{}", refused.sentence);
}

#[test]
fn a_data_folder_that_cannot_be_written_is_named_with_a_way_out() {
    let data = folder();
    let file = data.path().join("file");
    fs::write(&file, "").unwrap();
    for place in [file.clone(), file.join("below")] {
        let refused = failure(command(&place, &[]));
        assert_eq!(refused.code, Some(1));
        let reason = format!("{} is a file, not a folder", file.display());
        for words in [place.to_str().unwrap(), &reason, "--data"] {
            assert!(refused.sentence.contains(words), "{words}: {}", refused.sentence);
        }
    }
    for (option, words) in [("--motd", "message of the day"), ("--log", "log"), ("--password-file", "password file")] {
        let refused = failure(command(data.path(), &[option, "/nowhere/at/all"]));
        assert_eq!(refused.code, Some(1));
        assert!(refused.sentence.contains(words), "{option}: {}", refused.sentence);
        assert!(refused.sentence.contains("/nowhere/at/all"), "{option}: {}", refused.sentence);
    }
}

#[test]
fn words_that_make_no_sense_are_wrong_usage() {
    for words in
        [&["serve"][..], &["server", "--frob"], &["server", "--flood", "perhaps"], &["server", "--lobby", "a b"]]
    {
        let mut command = Command::new(env!("CARGO_BIN_EXE_gzy"));
        command.args(words);
        let refused = failure(command);
        assert_eq!(refused.code, Some(2), "{words:?}: {}", refused.sentence);
        assert!(refused.sentence.starts_with("gzy: "), "{}", refused.sentence);
    }
    let output = Command::new(env!("CARGO_BIN_EXE_gzy")).arg("--version").output().unwrap();
    assert_eq!(output.status.code(), Some(0));
    assert_eq!(String::from_utf8(output.stdout).unwrap(), format!("gzy {}\n", env!("CARGO_PKG_VERSION")));
}

#[test]
fn systemd_is_told_when_the_server_is_ready_alive_and_stopping() {
    let data = folder();
    let path = data.path().join("notify");
    let socket = UnixDatagram::bind(&path).unwrap();
    socket.set_read_timeout(Some(PATIENCE)).unwrap();
    let told = || {
        let mut bytes = [0; 256];
        let count = socket.recv(&mut bytes).expect("systemd is told in time");
        String::from_utf8(bytes[..count].to_vec()).unwrap()
    };
    let mut command = command(data.path(), &[]);
    command.env("NOTIFY_SOCKET", &path).env("WATCHDOG_USEC", "100000");
    let board = Board::spawn(command, data.path());
    assert_eq!(told().trim(), "READY=1");
    for _ in 0..3 {
        assert_eq!(told().trim(), "WATCHDOG=1");
    }
    board.signal(Signal::TERM);
    while told().trim() != "STOPPING=1" {}
    assert_eq!(board.end().code(), Some(0));
}

#[test]
fn a_folder_of_another_server_is_free_again_when_that_one_is_killed() {
    let data = folder();
    for _ in 0..3 {
        let board = Board::start_in(data.path(), &[]);
        Person::join(&board, "anna");
        board.pull_the_plug();
    }
}
