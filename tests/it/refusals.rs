//! What nobody should send, about accounts, groups and what was said: each is refused in words, the connection stays, nothing is lost.

use std::fs;
use std::process::Command;

use base64ct::{Base64, Encoding};

use crate::accounts::{PASSWORD, sasl, user};
use crate::board::{Board, folder};
use crate::person::{HISTORIAN, Person, text};

/// So many accounts may come from one address before it has to wait (`chat/pauses.rs`).
const FREE_ACCOUNTS: usize = 50;

/// Somebody with an account who takes what programs of today take.
fn member(board: &Board, name: &str) -> Person {
    let mut person = Person::join_with(board, &format!("{name}x"), &format!("{HISTORIAN} soju.im/search"));
    person.say(&format!("PRIVMSG NickServ :IDENTIFY {name} {PASSWORD}"));
    person.hear("logged in");
    person.settle();
    person
}

/// A server with accounts of these names, and all of them inside.
fn board_with<const N: usize>(names: [&str; N]) -> (Board, [Person; N]) {
    let board = Board::start(&["--flood", "off"]);
    names.iter().for_each(|name| drop(user(board.data(), &["add", name], PASSWORD)));
    let people = names.map(|name| member(&board, name));
    (board, people)
}

/// Each line is answered with one that has this in it, and whoever said it is still there.
fn refused(person: &mut Person, cases: &[(&str, &str)]) {
    for (line, part) in cases {
        let answer = person.ask(line);
        assert!(
            answer.iter().any(|line| line.contains(part)),
            "{line} should be answered with {part}, not {answer:#?}"
        );
    }
}

#[test]
fn a_name_that_looks_like_somebodys_is_nobody_elses() {
    let (board, [mut anna]) = board_with(["anna"]);
    // A Cyrillic а, full-width letters, capitals.
    for twin in ["аnna", "ａｎｎａ", "ANNA"] {
        let mut eve = Person::connect(&board);
        eve.say(&format!(
            "CAP REQ :draft/account-registration standard-replies\r\nNICK {twin}\r\nUSER e 0 * :e\r\nCAP END"
        ));
        let welcome = eve.hear(" 001 ");
        let nick = welcome.split(' ').nth(2).unwrap().to_owned();
        assert_ne!(nick, twin, "somebody who looks like anna came in");
        let answer = eve.ask(&format!("REGISTER {twin} * {PASSWORD}")).join("\n");
        assert!(answer.contains("FAIL REGISTER") && !answer.contains("SUCCESS"), "{twin}: {answer}");
        refused(
            &mut eve,
            &[(&format!("NICK {twin}"), " 43"), (&format!("PRIVMSG #lobby :!register {twin} {PASSWORD}"), "name")],
        );
        assert!(
            eve.ask("WHOIS anna").iter().any(|line| line.contains(" 330 ") && line.contains(" anna ")),
            "anna is anna"
        );
        eve.say("QUIT");
    }
    assert_eq!(user(board.data(), &["list"], ""), "1000\tanna\n");
    anna.settle();
}

#[test]
fn a_flood_of_registrations_ends_in_a_pause_and_the_room_talks_on() {
    let board = Board::start(&["--flood", "off"]);
    let mut ben = Person::join_with(&board, "ben", HISTORIAN);
    let mut made = 0;
    for round in 0.. {
        let names: Vec<String> = (0..8).map(|i| format!("eve{round}x{i}")).collect();
        let caps = "draft/account-registration standard-replies";
        let mut eves: Vec<Person> = names.iter().map(|name| Person::join_with(&board, name, caps)).collect();
        for eve in &mut eves {
            eve.say(&format!("REGISTER * * short\r\nREGISTER * * {PASSWORD}"));
        }
        ben.say(&format!("PRIVMSG #lobby :round {round}"));
        ben.hear(&format!("PRIVMSG #lobby :round {round}"));
        let answers: Vec<String> = eves.iter_mut().flat_map(Person::settle).collect();
        made += answers.iter().filter(|line| line.contains("REGISTER SUCCESS")).count();
        if let Some(paused) = answers.iter().find(|line| line.contains("TEMPORARILY_UNAVAILABLE")) {
            assert!(paused.contains("many accounts were made from your network; try again in"), "{paused}");
            break;
        }
        assert!(made <= FREE_ACCOUNTS + 8, "there is no end to it");
    }
    assert!(made >= FREE_ACCOUNTS, "only {made} were made, and a class is more");
}

#[test]
fn sasl_in_pieces_works_and_what_is_aborted_or_too_long_is_said_to_be() {
    let board = Board::start(&[]);
    let long = "长".repeat(120);
    user(board.data(), &["add", "anna"], &long);
    let mut anna = Person::connect(&board);
    anna.say("CAP REQ :sasl\r\nNICK annax\r\nUSER a 0 * :a");
    let message = Base64::encode_string(format!("\0anna\0{long}").as_bytes());
    let (first, rest) = message.split_at(400);
    let too_much = format!("AUTHENTICATE {}\r\n", "A".repeat(400)).repeat(11);
    for (lines, part) in [
        ("AUTHENTICATE ECDSA-NIST256P-CHALLENGE".to_owned(), " 908 "),
        ("AUTHENTICATE *".into(), " 906 "),
        (format!("AUTHENTICATE PLAIN\r\nAUTHENTICATE {first}\r\nAUTHENTICATE *"), " 906 "),
        (format!("AUTHENTICATE PLAIN\r\nAUTHENTICATE {}", "A".repeat(401)), " 905 "),
        (format!("AUTHENTICATE PLAIN\r\n{too_much}"), " 905 "),
        ("AUTHENTICATE PLAIN\r\nAUTHENTICATE ====".into(), " 904 "),
        ("AUTHENTICATE PLAIN\r\nAUTHENTICATE +".into(), " 904 "),
        (format!("AUTHENTICATE PLAIN\r\nAUTHENTICATE {}", Base64::encode_string(b"ben\0anna\0secret")), " 904 "),
        (format!("AUTHENTICATE PLAIN\r\nAUTHENTICATE {first}\r\nAUTHENTICATE {rest}"), " 903 "),
    ] {
        anna.say(&lines);
        anna.hear(part);
    }
    anna.say("CAP END");
    assert!(anna.hear(" 001 ").contains(" 001 anna "));
    anna.say("AUTHENTICATE PLAIN");
    anna.hear(" 907 ");
}

#[test]
fn groups_that_cannot_be_and_ids_that_are_not_there() {
    let (board, [mut anna]) = board_with(["anna"]);
    refused(
        &mut anna,
        &[
            ("JOIN #4242", "no such group"),
            ("JOIN #１２", "that name is a number"),
            ("PRIVMSG #lobby :!create 4242", "that name is a number"),
            ("PRIVMSG #lobby :！创建群*４２４２", "群名全是数字"),
            ("PRIVMSG #lobby :!join 9999", "there is no group with the id 9999"),
            ("PRIVMSG #lobby :!join 99999999999999999999999", "there is no group with the id 9999"),
            ("PRIVMSG #lobby :!invite anna 9999", "no such group"),
            ("PRIVMSG #lobby :!delete 9999", "no such group"),
            ("PRIVMSG 9999 :在吗", " 401 "),
            ("INVITE 9999 #lobby", " 401 "),
            ("PRIVMSG #lobby :!msg 9999 在吗", "9999"),
            ("MARKREAD #9999 timestamp=2026-01-01T00:00:00.000Z", "FAIL MARKREAD"),
            ("REDACT #lobby never-was", "FAIL REDACT"),
        ],
    );
    assert!(anna.ask("PRIVMSG #lobby :!groups").iter().any(|line| line.contains("you are in no group yet")));
    let (_, nick) = sasl(&board, "9999", PASSWORD);
    assert_eq!(nick, "9999x", "nobody is nobody");
}

#[test]
fn invitations_to_those_who_cannot_be_invited() {
    let (_board, [mut anna, mut ben, mut eve]) = board_with(["anna", "ben", "eve"]);
    anna.ask("PRIVMSG #lobby :!create 茶 private");
    anna.ask("INVITE ben #茶");
    ben.ask("JOIN #茶");
    anna.ask("PRIVMSG #茶 :!ban eve");
    refused(
        &mut anna,
        &[
            ("INVITE anna #茶", "that is you yourself"),
            ("INVITE ben #茶", "is a member of that group already"),
            ("INVITE 1001 #1000", "is a member of that group already"),
            ("INVITE eve #茶", "banned from that group"),
            ("PRIVMSG #茶 :!invite eve", "banned from that group"),
            ("PRIVMSG #茶 :！邀请*mallory", "mallory"),
        ],
    );
    refused(&mut ben, &[("INVITE eve #茶", "only the owner and the operators invite")]);
    refused(
        &mut eve,
        &[("JOIN #茶", " 47"), ("INVITE eve #茶", " 40"), ("PRIVMSG #lobby :!decline 1000", "no such group")],
    );
    assert_eq!(anna.ask("NAMES #茶")[0].split(" :").nth(1).unwrap().split(' ').count(), 2);
}

#[test]
fn histories_and_searches_that_cannot_be() {
    let (_board, [mut anna]) = board_with(["anna"]);
    anna.say("PRIVMSG #lobby :百分之 100% 好");
    anna.hear("100%");
    let long = format!("SEARCH text={}", "长".repeat(3400));
    let wide = format!("SEARCH text={}", "长".repeat(1000));
    refused(
        &mut anna,
        &[
            ("CHATHISTORY LATEST #lobby * 0", "FAIL CHATHISTORY"),
            ("CHATHISTORY LATEST #lobby * -1", "FAIL CHATHISTORY"),
            ("CHATHISTORY LATEST #lobby * 一百", "FAIL CHATHISTORY"),
            ("CHATHISTORY LATEST #lobby * 99999999999999999999999999", "100% 好"),
            ("CHATHISTORY BEFORE #lobby msgid=never-was 10", "FAIL CHATHISTORY"),
            ("CHATHISTORY BEFORE #lobby yesterday 10", "FAIL CHATHISTORY"),
            ("CHATHISTORY AFTER #lobby timestamp=yesterday 10", "FAIL CHATHISTORY"),
            ("CHATHISTORY BETWEEN #lobby * * 10", "FAIL CHATHISTORY"),
            ("CHATHISTORY SIDEWAYS #lobby * 10", "FAIL CHATHISTORY"),
            ("CHATHISTORY LATEST #nowhere * 10", "FAIL CHATHISTORY"),
            ("CHATHISTORY LATEST eve * 10", "FAIL CHATHISTORY"),
            ("SEARCH text=100%", "100% 好"),
            ("SEARCH text=%;limit=0", "FAIL SEARCH"),
            ("SEARCH text=x;in=#nowhere", "FAIL SEARCH"),
            ("SEARCH text=x;after=tomorrow", "FAIL SEARCH"),
            (&wide, "FAIL SEARCH"),
            (&long, " 417 "),
        ],
    );
    // A sign is a letter as any other, and not "everything".
    anna.say("PRIVMSG #lobby :没有那个符号");
    anna.hear("没有那个符号");
    let found: Vec<String> =
        anna.ask("SEARCH text=%").iter().filter(|line| line.contains(" PRIVMSG ")).map(|line| text(line)).collect();
    assert_eq!(found, ["百分之 100% 好"]);
}

#[test]
fn a_file_that_is_no_backup_takes_nothing_away() {
    let (data, place) = (folder(), folder());
    user(data.path(), &["add", "anna"], PASSWORD);
    let letter = place.path().join("letter");
    fs::write(&letter, "亲爱的安娜：".repeat(2000)).unwrap();
    let (letter, data) = (letter.to_str().unwrap(), data.path());
    for force in [&[][..], &["--force"]] {
        let restored = Command::new(env!("CARGO_BIN_EXE_gzy"))
            .args(["restore", letter, "--data", data.to_str().unwrap()])
            .args(force)
            .output()
            .unwrap();
        let said = String::from_utf8_lossy(&restored.stderr).into_owned();
        assert_eq!(restored.status.code(), Some(1), "{said}");
        assert!(said.contains("letter is no backup of gzy; give a file that gzy backup has made"), "{said}");
    }
    assert_eq!(user(data, &["list"], ""), "1000\tanna\n");
}
