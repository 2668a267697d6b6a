//! Who gets in: how many, with which word, speaking which protocol.

use std::fs;
use std::io::{Read, Write};
use std::net::TcpStream;

use crate::board::{Board, PATIENCE, command, failure, folder};
use crate::person::Person;

/// Comes back until there is room: the server notices by itself that somebody has left.
fn come_back_until_there_is_room(board: &Board, nick: &str) -> Person {
    loop {
        let mut person = Person::connect(board);
        let asked = person.try_say(&format!("NICK {nick}\r\nUSER {nick} 0 * :{nick}"));
        if asked && person.next().is_some_and(|line| line.contains(" 001 ")) {
            return person;
        }
    }
}

#[test]
fn an_address_gets_its_share_of_connections_and_gets_it_back() {
    let board = Board::start(&["--per-ip", "2"]);
    let (anna, mut ben) = (Person::join(&board, "anna"), Person::join(&board, "ben"));
    let mut eve = Person::connect(&board);
    assert!(eve.hear("ERROR :").contains("too many connections from your address; close one first"));
    assert_eq!(eve.next(), None);
    drop(anna);
    ben.hear("anna left");
    let _anna = come_back_until_there_is_room(&board, "anna");
    assert!(board.log().contains("too many connections from your address"));
}

#[test]
fn a_full_server_says_so_and_takes_the_next_one_when_somebody_leaves() {
    let board = Board::start(&["--max-connections", "2"]);
    let (mut anna, mut ben) = (Person::join(&board, "anna"), Person::join(&board, "ben"));
    let mut eve = Person::connect(&board);
    assert!(eve.hear("ERROR :").contains("the server is full; try again later"));
    anna.say("QUIT");
    anna.farewell();
    ben.hear("anna left");
    let _eve = come_back_until_there_is_room(&board, "eve");
}

#[test]
fn who_does_not_know_the_word_stays_outside() {
    let data = folder();
    let word = data.path().join("word");
    fs::write(&word, "芝麻开门\nonly the first line counts\n").unwrap();
    let board = Board::start_in(data.path(), &["--password-file", word.to_str().unwrap()]);
    for wrong in ["", "PASS sesame\r\n"] {
        let mut eve = Person::connect(&board);
        eve.say(&format!("{wrong}NICK eve\r\nUSER eve 0 * :eve"));
        let refusal = eve.farewell().join("\n");
        assert!(refusal.contains(" 464 ") && refusal.contains("PASS") && refusal.contains("ERROR :"), "{refusal}");
        assert!(!refusal.contains(" 001 "));
    }
    let mut anna = Person::connect(&board);
    anna.say("PASS 芝麻开门");
    anna.register("anna", "");

    fs::write(&word, "\n").unwrap();
    let empty = failure(command(folder().path(), &["--password-file", word.to_str().unwrap()]));
    assert_eq!(empty.code, Some(1));
    assert!(empty.sentence.contains("word is empty; its first line is the password"), "{}", empty.sentence);
}

#[test]
fn browsers_and_broken_tls_clients_are_answered_and_not_taken_for_chat() {
    let board = Board::start(&[]);
    let mut anna = Person::join(&board, "anna");
    let browser = b"POST / HTTP/1.1\r\nHost: board\r\n\r\nNICK eve\r\nUSER eve 0 * :eve\r\n";
    let hello = [&b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03"[..], b"\nNICK eve\nUSER eve 0 * :eve\n"].concat();
    for first in [&browser[..], b"GET /cloud/ HTTP/1.1\r\nHost: board\r\nConnection: close\r\n\r\n", &hello] {
        let mut stranger = TcpStream::connect(board.address).unwrap();
        stranger.set_read_timeout(Some(PATIENCE)).unwrap();
        stranger.write_all(first).unwrap();
        let mut answer = Vec::new();
        // The end of the stream, or a reset where the server had not read all; never a silence.
        if let Err(why) = stranger.read_to_end(&mut answer) {
            assert_eq!(why.kind(), std::io::ErrorKind::ConnectionReset);
        }
        let answer = String::from_utf8_lossy(&answer);
        assert!(!answer.contains(" 001 "));
        assert!(first[0] == 0x16 || answer.starts_with("HTTP/1.1 "), "{answer}");
    }
    let heard = anna.settle();
    assert!(heard.is_empty(), "nobody came in: {heard:?}");
}

#[test]
fn half_a_line_and_a_lost_link_say_nothing() {
    let board = Board::start(&[]);
    let mut anna = Person::join(&board, "anna");
    let mut ben = Person::join(&board, "ben");
    ben.send(b"PRIVMSG #lobby :half a li");
    drop(ben);
    assert!(!anna.hear("QUIT").contains("PRIVMSG"));
    let mut eve = Person::connect(&board);
    eve.send(b"NICK ev");
    drop(eve);
    anna.hear("ben left");
    assert!(anna.settle().is_empty());
}
